"""What cards ask for that no engine here covers, so that it is said and not taken for a typo."""

from __future__ import annotations

import re

SEE = "see 'What is covered' in models/README.md"
_ERRORS = r"(.*_)?(err|errors?|e_?\w*err)(_.*)?|sds?|sigmas?|uncertaint.*|noise.*"
_DIMENSIONS = {
    "data": r"columns|features|dimensions?|covariates?|predictors?|x|y",
    "mixture": r"cov.*|dimensions?|dims?|d",
}
"""Keys by which several columns are asked for."""
_NOT_COVERED: tuple[tuple[str, str, str], ...] = (
    ("data", r"(.*_)?(lower|upper|limits?|lim)(_.*)?|censor.*|truncat.*", "limits and truncation"),
    (
        "mixture",
        r"famil.*|distributions?|kinds?|types?|likelihood",
        "components but normal ones",
    ),
    (
        "mixture",
        r"(known|fixed|shared|equal|common|same|tied).*|weights|sds?|sigmas?|mus?|means?",
        "known or shared parameters but those of mixture.sds, mixture.shared_sd and "
        'mixture.weights of family "normal"',
    ),
    (
        "priors",
        r"famil.*|distributions?|kinds?|types?|.*(cauchy|student|gamma|wishart|uniform|flat|exp).*"
        r"|(mean_)?(count|kappa|k0)|nu|df|psi|tau.*|lambda.*|cov.*|(sd|sigma|scale|precision)(_.*)?",
        "priors other than Dirichlet, normal and inverse gamma (mean_count: family = "
        '"normal-conjugate")',
    ),
)
"""Section, keys (a regular expression), and what they ask for."""


def not_covered(section: str, key: str) -> str:
    """Say what an unknown key asks for: by its name here, or that it is not covered."""
    if section == "data" and re.fullmatch(_ERRORS, key, re.IGNORECASE):
        return 'measurement errors are named by data.error = "column", or ["lower", "upper"]'
    if section in _DIMENSIONS and re.fullmatch(_DIMENSIONS[section], key, re.IGNORECASE):
        return (
            'several columns are named by data.column = ["a", "b"], with mixture.family = '
            '"multivariate" and its priors'
        )
    for where, keys, what in _NOT_COVERED:
        if section == where and re.fullmatch(keys, key, re.IGNORECASE):
            return f"{what}: not covered; {SEE}"
    return ""


def value_not_covered(key: str, value: object) -> str:
    """Say what a value of the wrong type asks for, if that is known not to be covered."""
    if key == "data.column" and isinstance(value, list):
        return f'several columns need mixture.family = "multivariate", and its priors; {SEE}'
    several = isinstance(value, list) or (isinstance(value, str) and not value.isdecimal())
    if key == "mixture.components" and several:
        return "one number K; `gmmcompare select CARD --components 1-6` compares several"
    if key.startswith("priors.") and isinstance(value, str):
        return f"priors other than Dirichlet, normal and inverse gamma: not covered; {SEE}"
    return ""

"""Why a verdict was reached, as data: a code, the engine it is about, and numbers.

Verdicts, suspects and pages are decided from these; `words` alone puts them in sentences, and no
code reads a sentence. JSON has both, the sentences under ``reasons`` and these under ``codes``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Self


class Code(StrEnum):
    """What a reason says. Each member documents the numbers that come with it, by name.

    Names of engines and of functionals, such as ``"gibbs"`` and ``"mu[1]"``, count as numbers.
    Chains and components are counted from 1.
    """

    numbers: Mapping[str, str]

    def __new__(cls, value: str, numbers: Mapping[str, str] | None = None) -> Self:
        """Make a member of a code and the numbers it comes with."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.numbers = numbers or {}
        return member

    # Of one engine's draws: what casts doubt on them (`checks.faults`) ...
    COPIED_CHAINS = "copied-chains", {"pairs": "chains that are copies of each other, two by two"}
    MINOR_MODE = (
        "minor-mode",
        {
            "chains": "that sit in it",
            "n_chains": "of the engine",
            "gap": "how far the lowest mean log-likelihood is below that of the best chain",
            "best": "the engine of the best chain; empty where it is its own",
        },
    )
    RARE_EMPTY_STATES = (
        "rare-empty-states",
        {
            "chains": "that visit states with a nearly empty component",
            "n_chains": "of the engine",
            "share": "of all draws that are such states",
            "transitions": "expected number of entries and exits",
            "needed": "transitions for the share to be known",
        },
    )
    DIVERGENCES = "divergences", {"count": "of divergent transitions"}
    HIGH_RHAT = (
        "high-rhat",
        {"functional": "with the largest R-hat", "rhat": "R-hat", "limit": "R-hat must be below"},
    )
    # ... and that there are too few.
    TOO_FEW_CHAINS = "too-few-chains", {"chains": "of the engine", "needed": "at least"}
    TOO_SHORT = "too-short", {"draws": "of each chain", "needed": "at least, for any diagnosis"}
    LOW_ESS = (
        "low-ess",
        {"functional": "with the smallest ESS", "ess": "bulk or tail ESS", "needed": "at least"},
    )

    # Of two engines that draw.
    DIFFERENCE = (
        "difference",
        {
            "a": "an engine",
            "b": "the other",
            "functional": "with the most significant difference",
            "statistic": "of that functional",
            "diff": "of the statistic, a less b, in posterior sds",
            "se": "of diff",
            "repeats": "how often it was seen again with fresh seeds; 0 where that cannot be done",
        },
    )
    UNCONFIRMED_DIFFERENCE = (
        "unconfirmed-difference",
        {"alpha": "level at which it is significant", "confirm_alpha": "level at which it is not"},
    )
    NO_DIFFERENCE = (
        "no-difference",
        {"bound": "largest difference left possible, in sds", "statistics": "number compared"},
    )
    DIFFERENCE_POSSIBLE = (
        "difference-possible",
        {
            "functional": "that is known worst",
            "bound": "its largest difference left possible, in sds",
            "ess_needed": "of each engine, to show agreement",
        },
    )
    NOTHING_VARIES = "nothing-varies"

    # Of a point estimate and an engine that draws.
    STATUS = "status", {"status": "what the engine says of its own point"}
    BELOW_A_DRAW = (
        "below-a-draw",
        {"gap": "by which a draw is higher in log-likelihood", "best": "the engine that drew it"},
    )
    NO_ELLIPSE = "no-ellipse", {"share": "of draws with a nearly empty component"}
    OUTSIDE_POSTERIOR = (
        "outside-posterior",
        {
            "point": "the engine of the point",
            "draws": "the engine that draws",
            "distance": "Mahalanobis distance of the point",
            "limit": "that a share `quantile` of the draws is within",
            "quantile": "of the draws' own distances",
        },
    )
    AT_MAXIMUM = (
        "at-maximum",
        {
            "of": "log_lik or density: the height that no draw exceeds",
            "distance": "Mahalanobis distance of the point",
            "limit": "of that distance",
        },
    )

    # Of two point estimates.
    SAME_MAXIMUM = "same-maximum", {"gap": "between their log-likelihoods"}
    LOWER_MAXIMUM = (
        "lower-maximum",
        {"gap": "by which the other's log-likelihood is higher", "higher": "the other engine"},
    )
    DIFFERENT_OBJECTIVES = (
        "different-objectives",
        {
            "likelier": "the engine with the higher log-likelihood",
            "denser": "the engine with the higher posterior density",
            "gap": "between their log-likelihoods",
        },
    )

    # Of a number of components: what a criterion selects ...
    SELECTED_BY_MAXIMUM = (
        "selected-by-maximum",
        {
            "criterion": "aic, bic or icl",
            "selected": "number of components with the lowest value",
            "gaps": "(number of components, its value less the lowest) for each other number",
        },
    )
    SELECTED_BY_LOO = (
        "selected-by-loo",
        {
            "draws": "the engine that draws",
            "selected": "number of components with the highest value",
            "alike": "(number of components, gap below the highest, standard error) where they "
            "cannot be told apart",
            "worse": "the same where they can",
        },
    )
    SELECTED_BY_EVIDENCE = (
        "selected-by-evidence",
        {
            "draws": "the engine that draws",
            "selected": "number of components with the highest evidence",
            "probability": "its posterior probability, all numbers tried being equally likely",
            "low": "lower end of the 90 % interval that standard errors of the evidences leave",
            "high": "upper end",
            "gaps": "(number of components, log evidence below the highest, standard error) for "
            "each other number",
        },
    )
    NO_SELECTION = "no-selection", {"criterion": "that has no value for any number"}
    # ... what stands against believing it ...
    NO_VALUE = (
        "no-value",
        {"criterion": "that has none", "run": "whether EM was run"},
    )
    HIGH_PARETO_K = (
        "high-pareto-k",
        {
            "draws": "the engine that draws",
            "count": "of observations whose Pareto k is above the limit",
            "n": "all observations",
            "limit": "of Pareto k",
        },
    )
    MODES_POOLED = "modes-pooled", {"draws": "the engine whose chains sit in several modes"}
    SEVERAL_MODES = (
        "several-modes",
        {
            "draws": "the engine whose chains do not move between modes",
            "modes": "(chains, share of the posterior) for each",
        },
    )
    DOUBTFUL_DRAWS = (
        "doubtful-draws",
        {"draws": "the engine that draws", "at": "numbers of components where its draws are"},
    )
    NO_FIT = "no-fit", {"error": "the message of the engine"}
    # ... and where criteria or engines differ.
    ALL_SELECT = "all-select", {"selected": "number of components"}
    CRITERIA_DIFFER = (
        "criteria-differ",
        {"choices": "(number of components, (criterion, engine that draws or empty) for each)"},
    )
    PRICE_OF_COMPONENTS = (
        "price-of-components",
        {
            "draws": "the engine that draws",
            "selected": "number of components with the highest evidence",
            "more": "the next larger",
            "gain": "in maximum log-likelihood",
            "loss": "in log evidence",
        },
    )
    ENGINES_APART = (
        "engines-apart",
        {
            "criterion": "loo or evidence",
            "engines": "the two",
            "at": "(number of components, difference, Monte Carlo error of it) where they differ",
        },
    )
    ENGINES_ALIKE = (
        "engines-alike",
        {
            "criterion": "loo or evidence",
            "engines": "the two",
            "largest": "difference at any number of components, in Monte Carlo errors",
        },
    )
    LARGEST_SELECTED = (
        "largest-selected",
        {"largest": "number of components tried", "criteria": "that select it"},
    )

    EARLIER_VERSION = "earlier-version", {"text": "a sentence, from a version that kept no codes"}


@dataclass(frozen=True)
class Reason:
    """One reason for a verdict.

    Attributes
    ----------
    code : Code
    engine : str
        The engine it is about, and speaks against; empty where it is about a pair.
    numbers : mapping
        What ``code.numbers`` documents: numbers, names and tuples of them. Also, where it applies,
        ``round`` (2 or 3), the run with fresh seeds in which it was seen if not in the first; and
        ``components``, the number of components of the fit among several that were tried.

    Raises
    ------
    ValueError
        If the numbers are not those of the code.
    """

    code: Code
    engine: str = ""
    numbers: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if set(self.numbers) - {"round", "components"} != set(self.code.numbers):
            raise ValueError(f"{self.code}: has {[*self.numbers]}, not {[*self.code.numbers]}")

    def of_round(self, this_round: int) -> Reason:
        """Return the same reason, seen in a repetition with fresh seeds."""
        return replace(self, numbers={**self.numbers, "round": this_round})

    def of_components(self, K: int) -> Reason:
        """Return the same reason, of the fit with so many components."""
        return replace(self, numbers={**self.numbers, "components": K})

    def to_dict(self) -> dict[str, Any]:
        """Return an entry of ``codes`` in JSON."""
        return {"code": str(self.code), "engine": self.engine, "numbers": dict(self.numbers)}

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> Reason:
        """Return the reason that `to_dict` described; null is NaN, a list a tuple."""
        numbers = {key: _known(value) for key, value in entry["numbers"].items()}
        return cls(Code(entry["code"]), entry["engine"], numbers)


def _known(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_known(item) for item in value)
    return math.nan if value is None else value

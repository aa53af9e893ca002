"""What is wrong with a sampler, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from gmmcompare.comparison.names import listed
from gmmcompare.comparison.words.catalogue import says
from gmmcompare.validation.reasons import Code
from gmmcompare.validation.words.saying import KEEPS_Z, always

_LOADS = {
    "empty": "empty components",
    "few": "components of one or two observations",
    "several": "components of several observations",
}
_HINTS = {
    "data": "empty components are correct, so look at what the data contribute to this conditional",
    "prior": "empty components are off too, so look at how this conditional uses its prior",
    "prior-share": "the error shrinks with n, so look at what the prior contributes to this "
    "conditional",
    "draw": "the error does not shrink with n, so look at the draw itself (scale or rate, standard "
    "deviation or variance)",
    "conditional": "look at this conditional, and at how observations are allocated",
}


@says(Code.LABELS_SORTED)
def _labels_sorted(together: bool) -> str:
    start = (
        "mu comes out in ascending order, which the model does not imply: labels are sorted inside "
        "the sweep"
    )
    if not together:
        return f"{start}, and w, mu and sigma not all together"
    return (
        f"{start}. What does not depend on labels is correct, but it would not be under priors "
        "that differ between components: sort after sampling"
    )


@says(Code.PARAMETER_OFF)
def _parameter_off(
    parameter: str, shape: str, changes: Mapping[str, float], hint: str, scene: str
) -> str:
    size = _SIZES["spread" if shape == "spread" else parameter]
    what = f"the spread of {parameter}" if shape == "spread" else parameter
    where = listed([f"{size(change)} in {_LOADS[load]}" for load, change in changes.items()])
    return f"{what} is {where}; {_HINTS[hint]} ({scene} prior)"


_SIZES: Mapping[str, Callable[[float], str]] = {
    "sigma": lambda log_ratio: (
        f"too {'large' if log_ratio > 0 else 'small'} by a factor of {np.exp(abs(log_ratio)):.2f}"
    ),
    "mu": lambda shift: f"too {'high' if shift > 0 else 'low'} by {abs(shift):.2f} prior sd",
    "spread": lambda change: "too wide" if change > 0 else "too narrow",
}


@says(Code.WEIGHTS_OFF)
def _weights_off(change: float, scene: str) -> str:
    what, way = ("unequal", "large") if change > 0 else ("equal", "small")
    return (
        f"weights are too {what}: the largest is too {way} by {abs(change):.3f} on average "
        f"({scene} prior)"
    )


@says(Code.MOST_MOVED)
def _most_moved(quantity: str, marginal: bool, larger: bool, scene: str) -> str:
    way = "large" if larger else "small"
    seen = f"the clearest change is in {quantity}: too {way} on average ({scene} prior)"
    if marginal:
        return seen
    return (
        f"{seen}; parameters by themselves show no clear error, so look at how they depend on one "
        "another and on the data"
    )


@says(Code.ONLY_ELSEWHERE)
def _only_elsewhere(scenes: Sequence[str], sizes: Sequence[str], crowded: bool) -> str:
    where = listed([f"the {n} prior ({size})" for n, size in zip(scenes, sizes, strict=True)])
    return (
        f"it is wrong only with {where}: look for a constant in the code that suits only some "
        "sizes or units"
        + (", and at what becomes of components with one observation or none" if crowded else "")
    )


always(
    Code.KEPT_TOO_LONG,
    "the result of a sweep depends on the sweep before by more than (w, mu, sigma): something is "
    f"kept too long (counts, weights or allocations). {KEEPS_Z}",
)
always(Code.UNLIKE_ANY_FAULT, "no fault of the gallery has this signature")

_MODELS: Mapping[str, str] = {
    "one-sigma": "sigma is the same in all components in every sweep: the sampler has one sigma "
    "for all, and may be correct for that model",
    "known": "{parameter} is the same after every sweep, whatever the data: the sampler takes it "
    "as known, and may be correct for that model",
    "conjugate": "in nearly empty components, which are draws of the prior, mu is the farther from "
    "mean_loc the larger sigma is: the sampler may be correct for the conjugate prior, in which "
    "mu's prior sd is proportional to sigma",
    "hyperprior": "in nearly empty components, which are draws of the prior, {parameter} depends "
    "on that of the other components: the sampler may be correct for a hyperprior, in which "
    "a parameter of the prior of {parameter} is drawn as well",
    "prior": "{parameter} is off in nearly empty components, which are draws of the prior, and no "
    "known fault does the same: the sampler may be correct for another prior of {parameter}, or "
    "take the prior's numbers for others (degrees of freedom, a precision, a rate)",
}


@says(Code.OTHER_MODEL)
def _other_model(model: str, parameter: str, certain: bool) -> str:
    asked = {
        "w": "w ~ Dirichlet(weight_concentration)",
        "mu": "each mu ~ Normal(mean_loc, mean_sd), whatever sigma is",
        "sigma": "each sigma**2 ~ InverseGamma(var_shape, var_scale), by itself",
    }[parameter]
    return (
        f"{_MODELS[model].format(parameter=parameter)}. What is tested here is {asked}: give "
        "the sampler this prior, or do not compare it with samplers that have it"
        f"{_other_test(model, parameter)}"
    )


def _other_test(model: str, parameter: str) -> str:
    """Say how a sampler of that other model can be tested, if it can."""
    families = {"conjugate": "normal-conjugate", "one-sigma": "shared-sd"}
    known = {"w": "fixed-weights", "sigma": "known-sds"}
    family = known.get(parameter, "") if model == "known" else families.get(model, "")
    return (
        f", and test it by `gmmcompare validate FILE.py:FUNC --family {family}`" if family else ""
    )


@says(Code.RANKS_OFF)
def _ranks_off(quantity: str, way: str, mean_rank: float) -> str:
    off = "have the wrong spread" if way == "spread" else f"are too {way}"
    return (
        f"{quantity}: the sampler's draws {off} (mean rank of the truth {mean_rank:.2f}; "
        "0.50 for a correct sampler)"
    )


@says(Code.SCALAR_MOVES)
def _scalar_moves(
    parameter: str,
    shape: str,
    larger: bool,
    before: float,
    after: float,
    at_once: bool,
    sweeps: int,
) -> str:
    when = "one sweep shows it" if at_once else f"it takes {sweeps} sweeps to show"
    if shape == "spread" and (after > before) != larger:
        return (
            f"draws of {parameter} have another distribution than the model says, though about the "
            f"same centre and width ({when}); look at its tails"
        )
    if shape == "spread":
        way = "widely" if larger else "narrowly"
        return (
            f"draws of {parameter} are spread too {way}: those of the prior have a half-width of "
            f"{before:.3g}, after the sweeps {after:.3g} ({when}); look at the scale of its draw "
            "(variance or sd, rate or scale, acceptance)"
        )
    return (
        f"draws of {parameter} are too {'large' if larger else 'small'}: their median is "
        f"{after:.3g} after the sweeps, where that of the prior is {before:.3g} ({when})"
    )


@says(Code.DEPENDS_WRONGLY)
def _depends_wrongly(parameter: str, kind: str, shape: str, larger: bool) -> str:
    what = "what the data tell of it" if kind == "data" else "the slope of the log density"
    if shape == "spread":
        way = f"lies too {'far from' if larger else 'near to'} {what}"
    else:
        way = f"is too {'large' if larger else 'small'} for {what}"
    return (
        f"by itself every parameter is distributed as it should be, but {parameter} {way}: look at "
        "how its step uses the data and the other parameters"
    )

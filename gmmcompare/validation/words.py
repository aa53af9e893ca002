"""Findings in words: the one place where sentences are made of this package's codes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gmmcompare.comparison.names import listed
from gmmcompare.comparison.reasons import Reason
from gmmcompare.comparison.words.catalogue import clause, phrase, phrases, says
from gmmcompare.validation.reasons import Code

__all__ = ["phrase", "phrases", "rate"]

MORE_TIME = "allow more with time_limit"
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


def rate(probability: float) -> str:
    """Write a false-positive rate, such as 1.1e-5."""
    mantissa, _, exponent = f"{probability:.1e}".partition("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent)}"


def _always(code: Code, text: str) -> None:
    says(code)(lambda: text)


# --- any check ------------------------------------------------------------------------------------


@says(Code.BROKEN_CALL)
def _broken_call(what: str, message: str) -> str:
    return f"{message}; {_STUCK}" if what == "does not move" else message


_STUCK = (
    "or, if the sampler takes it as known, it may be correct for that model, but in this one "
    "w, mu and sigma are all drawn"
)


@says(Code.OUT_OF_TIME)
def _out_of_time(done: int, wanted: int) -> str:
    if not wanted:
        return f"out of time; {MORE_TIME}"
    return f"out of time after {done:,} of {wanted:,} replicates; {MORE_TIME}"


# --- what checks found ----------------------------------------------------------------------------


@says(Code.CONTRACT_KEPT)
def _contract_kept(kind: str, reproducible: bool, vectors: bool, stream: str) -> str:
    alone = reproducible and stream == "only"
    uses = "its data and its rng" if alone else "its data, but not only its rng,"
    uses = "its data, but never its rng," if stream == "never" else uses
    only = "" if vectors else "; only priors that are the same for all components were tried"
    return f"a {kind} that uses {uses} and returns valid values{only}"


@says(Code.CONDITIONALS_CORRECT)
def _conditionals_correct(ratios: Sequence[str], draws: Sequence[str], tolerance: float) -> str:
    parts = []
    if ratios:
        parts.append(f"density ratios agree with the model to {rate(tolerance)} ({listed(ratios)})")
    if draws:
        parts.append(f"draws follow it ({listed(draws)})")
    return "; ".join(parts)


@says(Code.WRONG_RATIO)
def _wrong_ratio(conditional: str, error: float) -> str:
    size = f"{error:.2g}" if np.isfinite(error) else "infinity"  # which JSON gives back as NaN
    return (
        f"the full conditional of the {conditional} is wrong: a log density ratio is off by {size}"
    )


@says(Code.WRONG_DRAWS)
def _wrong_draws(conditional: str) -> str:
    return f"the full conditional of the {conditional} is wrong: draws have another distribution"


@says(Code.INVARIANT)
def _invariant(replicates: int, priors: int, effect: float) -> str:
    return (
        f"no evidence of a change in {replicates:,} replicates under {priors} priors; a change of "
        f"{effect:.2f} standard deviations in any quantity is found in one run of two, a larger "
        "one more often"
    )


@says(Code.THIN_EVIDENCE)
def _thin_evidence(priors: int, K: int) -> str:
    if K == 1:
        return (
            "no change was found, but only with one component, where nothing is allocated: that is "
            "too little to pass as a sampler of mixtures"
        )
    return (
        f"no change was found, but only under {priors} of the two main priors: a mistake that this "
        "prior hides would not show"
    )


@says(Code.NOT_INVARIANT)
def _not_invariant(log10_wealth: float, replicates: int, alpha: float) -> str:
    power = round(np.log10(alpha))
    return (
        f"the kernel does not leave the posterior invariant: wealth of the bet against it "
        f"10^{log10_wealth:.0f} after {replicates:,} replicates (a correct kernel ever reaches "
        f"10^{-power} with probability at most 10^{power})"
    )


@says(Code.SUSPICIOUS)
def _suspicious(log10_wealth: float, replicates: int) -> str:
    return (
        f"suspicious: wealth of the bet against it 10^{log10_wealth:.1f} in {replicates:,} "
        f"replicates, which a correct kernel reaches with probability at most "
        f"{rate(10.0**-log10_wealth)}; repeat with another seed, without --quick"
    )


@says(Code.CALIBRATED)
def _calibrated(quantities: int, replicates: int, thin: int) -> str:
    return (
        f"ranks of {quantities} quantities are consistent with uniform over {replicates} "
        f"replicates (draws thinned by {thin})"
    )


@says(Code.RANKS_NOT_UNIFORM)
def _ranks_not_uniform(quantity: str, p: float, quantities: int, replicates: int) -> str:
    return (
        f"ranks of {quantity} are not uniform over {replicates} replicates "
        f"(p = {p:.1g}, corrected for {quantities} quantities)"
    )


@says(Code.NOT_CALIBRATED)
def _not_calibrated(log10_wealth: float, replicates: int) -> str:
    return (
        f"draws are not distributed as the truth over {replicates} replicates: wealth of the bet "
        f"against the sampler 10^{log10_wealth:.0f}"
    )


@says(Code.EXACT)
def _exact(chains: int, observations: int) -> str:
    return (
        f"{chains} independent chains agree with the exact posterior given {observations} "
        "observations"
    )


@says(Code.NOT_EXACT)
def _not_exact(quantity: str, off: float, se: float, chains: int, observations: int) -> str:
    return (
        f"draws given {observations} observations do not follow the exact posterior: {quantity}, "
        f"is off by {off:+.3f} (standard error {se:.3f}, {chains} independent chains)"
    )


@says(Code.NOT_SO_FEW)
def _not_so_few(observations: int) -> str:
    return (
        f"it does not take {observations} observations or fewer, for which the posterior is known "
        "exactly, so that it is not certain that chains get there from elsewhere"
    )


@says(Code.CHAINS_STAND_STILL)
def _stand_still(still: int, chains: int, draws: int, warmup: int) -> str:
    return (
        f"{still} of {chains} chains never moved in {draws} draws after a warmup of {warmup}: too "
        "slow to tell whether they reach the exact posterior"
    )


@says(Code.JOINT_KEPT)
def _joint_kept(quantities: int, sweeps: int) -> str:
    return f"{quantities} quantities agree with fresh draws over {sweeps:,} sweeps"


@says(Code.JOINT_DRIFTS)
def _joint_drifts(quantity: str, t: float) -> str:
    return f"parameters and data drift: {t:+.1f} standard errors from fresh draws in {quantity}"


@says(Code.ON_DATA)
def _on_data(observations: int, verdict: str, reason: Mapping[str, Any]) -> str:
    why = f"; {clause(Reason.from_dict(reason))}" if reason else ""
    return f"on {observations:,} observations: {verdict}{why}"


# --- the diagnosis --------------------------------------------------------------------------------


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


_KEEPS_Z = (
    "If it is z that is kept on purpose, the chain may be correct, but not as a kernel of (w, mu, "
    "sigma), which has to go on from any point: draw z first, from the (w, mu, sigma) and y that "
    "are given, or validate the whole sampler"
)
_always(
    Code.KEPT_TOO_LONG,
    "the result of a sweep depends on the sweep before by more than (w, mu, sigma): something is "
    f"kept too long (counts, weights or allocations). {_KEEPS_Z}",
)
_always(Code.UNLIKE_ANY_FAULT, "no fault of the gallery has this signature")

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
    )


@says(Code.RANKS_OFF)
def _ranks_off(quantity: str, way: str, mean_rank: float) -> str:
    off = "have the wrong spread" if way == "spread" else f"are too {way}"
    return (
        f"{quantity}: the sampler's draws {off} (mean rank of the truth {mean_rank:.2f}; "
        "0.50 for a correct sampler)"
    )


# --- notes ----------------------------------------------------------------------------------------

_always(
    Code.NOT_REPRODUCIBLE,
    "the same rng gives different results: it draws from a random stream of its own or keeps "
    "something between calls (a cache, or z?); use rng for every draw, so that runs can be "
    f"repeated. {_KEEPS_Z}",
)
_always(
    Code.RNG_UNUSED,
    "it never touches rng: it draws from another stream (np.random?), so that a seed does not "
    "repeat its runs, and chains on several processes may be copies; draw everything from rng",
)
_always(
    Code.RNG_NOT_ALONE,
    "it draws from another stream besides rng (np.random?), so that rng does not repeat its runs; "
    "draw everything from rng",
)


@says(Code.PERMUTES_LABELS)
def _permutes_labels(differing: bool) -> str:
    seen = "found wrong" if differing else "not tested"
    return (
        "it permutes labels at random, which is correct under priors that are the same for all "
        f"components, but not correct when priors differ by component ({seen} there)"
    )


_always(
    Code.REMEMBERS, "the result of a sweep depends on earlier calls by more than (w, mu, sigma)"
)


@says(Code.PRINTED)
def _printed(lines: int, log: str) -> str:
    return f"it printed {lines:,} line{'s' * (lines != 1)} ({log or 'kept with out=FOLDER'})"


@says(Code.WARNED)
def _warned(message: str) -> str:
    return f"it warned: {message}"


# --- what was tested ------------------------------------------------------------------------------


@says(Code.SCOPE)
def _scope(
    kind: str,
    sizes: Sequence[Sequence[int]],
    taken: Sequence[int],
    refused: Sequence[int],
    unequal: Sequence[str],
    equal: Sequence[str],
) -> str:
    tested = f"tested with {_sizes(sizes)}"
    if refused:
        what = f"for K = {taken[0]} alone" if len(taken) == 1 else f"not for K = {_or(refused)}"
        tested += f", as this {kind} is {what}"
    if not unequal:
        only = f"; this {kind} takes them as plain numbers" if equal else ""
        return f"{tested}; priors were the same for all components{only}"
    if equal:
        return f"{tested}; {listed(unequal)} differed between components, {listed(equal)} did not"
    return f"{tested}, and priors that differ between components"


def _sizes(sizes: Sequence[Sequence[int]]) -> str:
    by_K: dict[int, list[int]] = {}
    for K, N in sizes:
        by_K.setdefault(K, []).append(N)
    return listed([f"K = {K} (N = {_counts(sorted(set(by_K[K])))})" for K in sorted(by_K)])


def _counts(numbers: Sequence[int]) -> str:
    return ", ".join(f"{n:,}" for n in numbers)


def _or(numbers: Sequence[int]) -> str:
    *others, last = map(str, numbers)
    return f"{', '.join(others)} or {last}" if others else last


# --- what was not tested --------------------------------------------------------------------------


@says(Code.SIZES_REFUSED)
def _sizes_refused(sizes: Sequence[int], what: str, message: str) -> str:
    return f"K = {_or(sizes)}, which it does not take: {message}"


@says(Code.REFUSED)
def _refused(scene: str, vector: bool, what: str, message: str) -> str:
    hint = "; priors may be arrays: use priors.mean_loc[k]" if vector else ""
    return f"the {scene} prior: {message}{hint}"


@says(Code.OTHER_SIZES)
def _other_sizes(sizes: Sequence[Sequence[int]]) -> str:
    tried = ", ".join(f"K = {K} with N = {N}" for K, N in sizes)
    return f"sizes other than {tried}" if tried else "any size"


@says(Code.SMALL_ERRORS)
def _small_errors(quick: bool, effect: float, percent: float) -> str:
    size = (
        f"errors that move no quantity by {effect:.2f} standard deviations of a replicate, such as "
        f"mu's conditional variance off by less than about {percent:.0f} %"
    )
    return f"{size}; more replicates are made without --quick (quick=False)" if quick else size


@says(Code.REAL_DATA)
def _real_data(most: int, tied: bool) -> str:
    kinds = "the model's own" + (" or tied and rounded ones" if tied else "")
    left = "" if tied else ", tied and rounded data, and nearly improper priors"
    return (
        f"data unlike {kinds} (with outliers, skewed){left}, and more than {most:,} observations: "
        "give a model card by --card to compare with NUTS on your data"
    )


_always(
    Code.ONE_PRIOR,
    "priors that differ between components, nearly improper ones, tied and rounded data, and more "
    "than a few observations: a whole sampler is ranked under one prior",
)
_always(
    Code.SINGLE_SWEEPS,
    "single sweeps: a kernel (one sweep as a function) is tested with far more power",
)
_always(
    Code.NO_CONDITIONALS,
    "full conditionals one by one: the kernel shows none (the names looked for are listed in "
    "gmmcompare.validation.checks.conditionals)",
)
_always(Code.EXACT_SKIPPED, "the exact posterior on small data: another check has failed already")

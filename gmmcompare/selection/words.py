"""Conclusions in words: the one place where sentences are made of this package's codes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gmmcompare.comparison.names import criterion_name, display_name, draws_of, listed
from gmmcompare.comparison.words.catalogue import percent, phrase, says, sentence
from gmmcompare.selection.reasons import Code

__all__ = ["phrase", "sentence"]

_STRENGTH = ((2.0, "hardly any"), (6.0, "positive"), (10.0, "strong"), (math.inf, "very strong"))
"""Of differences of minus twice a log probability (Kass and Raftery 1995)."""
_WIDE = 0.005
"""An interval of a probability narrower than this is not worth its words."""


# --- what each criterion selects ------------------------------------------------------------------


@says(Code.SELECTED_BY_MAXIMUM)
def _by_maximum(criterion: str, selected: int, gaps: Sequence[tuple[int, float]]) -> str:
    said = f"{criterion_name(criterion)} selects K = {selected}"
    if not gaps:
        return said
    K, gap = min(gaps, key=lambda other: other[1])
    return f"{said}; K = {K} is {gap:,.1f} higher ({_strength(gap)} preference)"


@says(Code.SELECTED_BY_LOO)
def _by_loo(
    draws: str,
    selected: int,
    alike: Sequence[tuple[int, float, float]],
    worse: Sequence[tuple[int, float, float]],
) -> str:
    said = f"{criterion_name('loo', draws)} is highest at K = {selected}"
    if alike:
        told = [f"K = {K} ({gap:.1f} ± {se:.1f} lower)" for K, gap, se in alike]
        said += f", not distinguishable from {listed(told)}"
    if worse:
        K, gap, se = min(worse, key=lambda other: other[1])
        rest = f"K = {K} is" if len(worse) == 1 else f"of the others K = {K} comes nearest,"
        said += f"; {rest} {gap:,.1f} ± {se:,.1f} lower"
    return said


@says(Code.SELECTED_BY_EVIDENCE)
def _by_evidence(
    draws: str,
    selected: int,
    probability: float,
    low: float,
    high: float,
    gaps: Sequence[tuple[int, float, float]],
) -> str:
    said = f"posterior probability of K = {selected}: {_probability(probability)} "
    said += f"({draws_of(draws)}"
    if high - low > _WIDE:
        said += f"; 90 % interval of the estimate {_probability(low)} to {_probability(high)}"
    said += ")"
    if gaps:
        K, gap, se = min(gaps, key=lambda other: other[1])
        said += (
            f"; its log evidence is {gap:.2f} ± {se:.2f} above that of K = {K} "
            f"({_strength(2 * gap)} preference)"
        )
    return said


@says(Code.NO_SELECTION)
def _no_selection(criterion: str) -> str:
    return f"{criterion_name(criterion)} has no value: there is no fit by EM"


def _strength(difference: float) -> str:
    return next(word for limit, word in _STRENGTH if difference < limit)


def _probability(value: float) -> str:
    if 0.0 < value < 0.001:
        return "below 0.001"
    return "above 0.999" if 0.999 < value < 1.0 else f"{value:.3f}"


# --- what stands against it -----------------------------------------------------------------------


@says(Code.NO_VALUE)
def _no_value(criterion: str, run: bool) -> str:
    return f"no {criterion_name(criterion)}, as EM {'found no maximum' if run else 'was not run'}"


@says(Code.HIGH_PARETO_K)
def _high_pareto_k(draws: str, count: int, n: int, limit: float, refits: int) -> str:
    return (
        f"Pareto k exceeds {limit:g} for {count:,} of {n:,} observations that refits without them "
        f"did not settle (at most {refits} are made); their contributions to "
        f"{criterion_name('loo', draws)} are unreliable and its Monte Carlo error is not known"
    )


@says(Code.MODES_POOLED)
def _modes_pooled(draws: str) -> str:
    return (
        f"{criterion_name('loo', draws)} weights all chains equally, not each mode by its "
        "posterior probability"
    )


@says(Code.SEVERAL_MODES)
def _several_modes(draws: str, modes: Sequence[tuple[Sequence[int], float]]) -> str:
    worth = [
        f"chain{'s' if len(chains) > 1 else ''} {listed([str(c) for c in chains])} {percent(share)}"
        for chains, share in modes
    ]
    return (
        f"the chains of {display_name(draws)} sit in {len(modes)} modes and do not move between "
        f"them. The evidence is the sum over these modes (share of the posterior: "
        f"{'; '.join(worth)}); a mode that no chain found is missing from it"
    )


@says(Code.RARE_OCCUPANCY)
def _rare_occupancy(draws: str, changes: float, needed: float) -> str:
    return (
        f"the log evidence is inconclusive beyond what the draws of {display_name(draws)} visited: "
        f"they are expected to have changed {changes:.1f} times between states with and without an "
        f"empty component ({needed:.0f} are needed), so that the share of the rarer is not known, "
        f"and the standard error does not cover it; multiply engines.{draws}.draws by "
        f"{max(2.0, needed / max(changes, 1.0)):.0f} (--set)"
    )


@says(Code.DOUBTFUL_DRAWS)
def _doubtful_draws(draws: str, at: Sequence[int]) -> str:
    which = listed([str(K) for K in at])
    return (
        f"the draws of {display_name(draws)} are in doubt at K = {which}; `gmmcompare compare CARD "
        f"--set mixture.components={at[0]}` says why, and what would settle it"
    )


@says(Code.NO_FIT)
def _no_fit(error: str) -> str:
    return f"no fit ({error})"


# --- where criteria or engines differ -------------------------------------------------------------


@says(Code.ALL_SELECT)
def _all_select(selected: int) -> str:
    return f"all criteria select K = {selected}"


@says(Code.CRITERIA_DIFFER)
def _criteria_differ(choices: Sequence[tuple[int, Sequence[tuple[str, str]]]]) -> str:
    parts = [f"{_select([criterion_name(*w) for w in who])} K = {K}" for K, who in choices]
    return f"the criteria disagree: {'; '.join(parts)}"


@says(Code.PRICE_OF_COMPONENTS)
def _price_of_components(draws: str, selected: int, more: int, gain: float, loss: float) -> str:
    return (
        f"from K = {selected} to K = {more} the maximum log-likelihood rises by {gain:.1f} and the "
        f"log evidence ({draws_of(draws)}) falls by {loss:.1f}: averaging over the prior "
        f"costs {gain + loss:.1f}. The wider the priors, the more each further component costs "
        "(Bartlett 1957, Lindley 1957): the evidence is conditional on these priors, and where "
        "they are vague it says little about whether a component is there. LOO, AIC and BIC "
        "hardly depend on the priors"
    )


@says(Code.ENGINES_APART)
def _engines_apart(
    criterion: str, engines: Sequence[str], at: Sequence[tuple[int, float, float]]
) -> str:
    where = listed(
        [f"K = {K} ({gap:.2f} apart, standard error {error:.2f})" for K, gap, error in at]
    )
    said = f"{_estimates(criterion, engines)} differ by more than Monte Carlo error at {where}"
    if criterion == "evidence":
        said += ". The smaller may have missed a mode that none of its chains visited"
    return said


@says(Code.ENGINES_ALIKE)
def _engines_alike(criterion: str, engines: Sequence[str], largest: float) -> str:
    return (
        f"{_estimates(criterion, engines)} agree at every K, within {largest:.1f} Monte Carlo "
        "standard errors"
    )


@says(Code.LARGEST_SELECTED)
def _largest_selected(largest: int, criteria: Sequence[str]) -> str:
    return (
        f"{_select([criterion_name(c) for c in criteria])} the largest K tried ({largest}): a "
        "larger K may do better still"
    )


def _select(criteria: Sequence[str]) -> str:
    return f"{listed(criteria)} select{'s' if len(criteria) == 1 else ''}"


def _estimates(criterion: str, engines: Sequence[str]) -> str:
    what = "estimates of LOO" if criterion == "loo" else "estimates of the log evidence"
    return f"{what} by {listed([display_name(name) for name in engines])}"

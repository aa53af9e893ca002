"""Reasons in words: the one place where a sentence is made of them, for terminal, page and JSON."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from gmmcompare.comparison.names import (
    display_name,
    leading_name,
    listed,
    of_statistic,
    quantity,
)
from gmmcompare.comparison.reasons import Code, Reason

_Says = Callable[..., str]
_SAYS: dict[Code, _Says] = {}
_TIMES = {1: "once", 2: "twice"}
_HEIGHTS = {"log_lik": "log-likelihood", "density": "posterior density"}


def phrase(reason: Reason) -> str:
    """Say a reason without naming its engine, as in a list of what is wrong with that engine."""
    numbers = dict(reason.numbers)
    again = numbers.pop("round", None)
    return ("when repeated, " if again else "") + _SAYS[reason.code](**numbers)


def clause(reason: Reason) -> str:
    """Say a reason, its engine first, as part of a sentence."""
    named = f"{display_name(reason.engine)}: " if reason.engine else ""
    return named + phrase(reason)


def sentence(reason: Reason) -> str:
    """Say a reason as a sentence of its own."""
    said = phrase(reason)
    if reason.engine:
        return f"{leading_name(reason.engine)}: {said}."
    return f"{said[:1].upper()}{said[1:]}."


def agreement(engines: Sequence[str], points: Sequence[str], bound: float) -> str:
    """Say that engines agree, and within which difference.

    Parameters
    ----------
    engines : sequence of str
        All of them.
    points : sequence of str
        Those that return a point.
    bound : float
        The largest difference left possible between any two that draw, in posterior sds; NaN where
        fewer than two do.
    """
    everyone = _first_in_sentence(engines)
    if math.isnan(bound):
        return f"{everyone} agree."
    drawing = listed([display_name(name) for name in engines if name not in points])
    said = (
        f"{everyone} agree: {drawing if points else 'they'} differ by no more than "
        f"{math.ceil(100 * bound) / 100:.2f} posterior standard deviations in any quantity compared"
    )
    if points:
        placed = listed([display_name(name) for name in points])
        said += f", and the point of {placed} lies within their posterior"
    return f"{said}."


def finding(
    verdict: str, pair: Sequence[str], first: Reason, suspects: Sequence[str], why: Reason | None
) -> str:
    """Say that engines disagree, or that it is open, and whom the evidence points to.

    Parameters
    ----------
    verdict : "disagree" or "inconclusive"
    pair : sequence of str
        The two engines of the most telling pair.
    first : Reason
        That pair's first.
    suspects : sequence of str
    why : Reason or None
        Why the pair's suspect is one, if that is another reason.
    """
    what = "disagree" if verdict == "disagree" else "cannot be compared conclusively"
    said = f"{_first_in_sentence(pair)} {what}: {clause(first)}."
    if not suspects:
        return said
    verb = "suspects are" if len(suspects) > 1 else "suspect is"
    told = f" ({phrase(why) if len(suspects) == 1 else clause(why)})" if why else ""
    return f"{said} The {verb} {listed([display_name(name) for name in suspects])}{told}."


def nothing_to_compare(engines: Sequence[str]) -> str:
    """Say that one engine by itself is no comparison."""
    return f"There is nothing to compare {listed([display_name(name) for name in engines])} with."


def _first_in_sentence(engines: Sequence[str]) -> str:
    return listed([leading_name(engines[0]), *(display_name(name) for name in engines[1:])])


def _says(code: Code) -> Callable[[_Says], _Says]:
    """Enter a function of the numbers that come with a code into the catalogue."""

    def enter(function: _Says) -> _Says:
        _SAYS[code] = function
        return function

    return enter


# --- one engine's draws ---------------------------------------------------------------------------


@_says(Code.COPIED_CHAINS)
def _copied(pairs: Sequence[tuple[int, int]]) -> str:
    which = ", ".join(f"{a} and {b}" for a, b in pairs)
    return f"chains {which} are copies of each other: they share a random stream"


@_says(Code.MINOR_MODE)
def _minor_mode(chains: Sequence[int], n_chains: int, gap: float, best: str) -> str:
    who, one = _chains(chains, n_chains)
    return (
        f"{who} {'is' if one else 'are'} in a minor mode: mean log-likelihood "
        f"{'' if one else 'up to '}{gap:.0f} below "
        f"{f'the best of {display_name(best)}' if best else 'its best chain'}"
    )


@_says(Code.RARE_EMPTY_STATES)
def _rare_empty_states(
    chains: Sequence[int], n_chains: int, share: float, transitions: float, needed: int
) -> str:
    who, one = _chains(chains, n_chains)
    return (
        f"{who} visit{'s' * one} states with a nearly empty component ({_percent(share)} of all "
        f"draws) but make{'s' * one} only {_count(round(transitions), 'transition')}; "
        f"{needed} are needed"
    )


def _chains(chains: Sequence[int], of: int) -> tuple[str, bool]:
    """Return which chains, and whether it is one."""
    if len(chains) == of > 1:
        return "all chains" if of > 2 else "both chains", False
    one = len(chains) == 1
    return f"chain{'' if one else 's'} {listed([str(c) for c in chains])}", one


@_says(Code.DIVERGENCES)
def _divergences(count: int) -> str:
    return _count(count, "divergence")


@_says(Code.HIGH_RHAT)
def _high_rhat(functional: str, rhat: float, limit: float) -> str:
    return f"R-hat of the {quantity(functional)} is {rhat:.3f}; it must be below {limit:g}"


@_says(Code.TOO_FEW_CHAINS)
def _too_few_chains(chains: int, needed: int) -> str:
    return (
        f"{_count(chains, 'chain')}; at least {needed} are needed to see whether chains found "
        "the same mode"
    )


@_says(Code.TOO_SHORT)
def _too_short(draws: int, needed: int) -> str:
    return f"{_count(draws, 'draw')} per chain; diagnostics need at least {needed}"


@_says(Code.LOW_ESS)
def _low_ess(functional: str, ess: float, needed: float) -> str:
    return f"ESS of the {quantity(functional)} is {ess:,.0f}; {needed:,.0f} are needed"


# --- two engines that draw ------------------------------------------------------------------------


@_says(Code.DIFFERENCE)
def _difference(
    a: str, b: str, functional: str, statistic: str, diff: float, se: float, repeats: int
) -> str:
    again = (
        f"confirmed {_TIMES.get(repeats, f'{repeats} times')} with fresh seeds"
        if repeats
        else "which could not be repeated with fresh seeds"
    )
    return (
        f"{of_statistic(statistic, functional)} is {abs(diff):.2f} posterior sd "
        f"{'higher' if diff > 0 else 'lower'} under {display_name(a)} than under "
        f"{display_name(b)} (standard error {se:.3f}), {again}"
    )


@_says(Code.UNCONFIRMED_DIFFERENCE)
def _unconfirmed(alpha: float, confirm_alpha: float) -> str:
    return (
        f"a difference is significant at {_percent(alpha)}, not confirmed at "
        f"{_percent(confirm_alpha)}; run longer"
    )


@_says(Code.NO_DIFFERENCE)
def _no_difference(bound: float, statistics: int) -> str:
    return (
        f"no difference detected in {statistics} statistics; none above {bound:.3f} posterior sd "
        "is left possible"
    )


@_says(Code.DIFFERENCE_POSSIBLE)
def _difference_possible(functional: str, bound: float, ess_needed: float) -> str:
    return (
        f"no difference detected, but one of up to {bound:.2f} posterior sd in the "
        f"{quantity(functional)} is still possible; about {ess_needed:,.0f} effective draws from "
        "each engine would decide"
    )


@_says(Code.NOTHING_VARIES)
def _nothing_varies() -> str:
    return "no quantity varies in the draws of either engine"


# --- points ---------------------------------------------------------------------------------------


@_says(Code.STATUS)
def _status(status: str) -> str:
    return status


@_says(Code.BELOW_A_DRAW)
def _below_a_draw(gap: float, best: str) -> str:
    return (
        f"a draw of {display_name(best)} is {gap:.2f} higher in log-likelihood: stopped early or "
        "in a local mode"
    )


@_says(Code.NO_ELLIPSE)
def _no_ellipse(share: float) -> str:
    return (
        f"a component is nearly empty in {_percent(share)} of the draws, so the posterior has no "
        "ellipse in which to place a point"
    )


@_says(Code.OUTSIDE_POSTERIOR)
def _outside(point: str, draws: str, distance: float, limit: float, quantile: float) -> str:
    return (
        f"the point of {display_name(point)} lies outside the posterior of {display_name(draws)}: "
        f"Mahalanobis distance {distance:.1f}, {_percent(quantile)} of the draws lie within "
        f"{limit:.1f}"
    )


@_says(Code.AT_MAXIMUM)
def _at_maximum(of: str, distance: float, limit: float) -> str:
    return (
        f"no draw has a higher {_HEIGHTS[of]}, and the point lies within the posterior "
        f"(Mahalanobis distance {distance:.1f}, limit {limit:.1f})"
    )


@_says(Code.SAME_MAXIMUM)
def _same_maximum(gap: float) -> str:
    return f"log-likelihoods differ by {gap:.2g}: the same maximum"


@_says(Code.LOWER_MAXIMUM)
def _lower_maximum(gap: float, higher: str) -> str:
    return f"{gap:.2f} lower in log-likelihood than {display_name(higher)}: not the same maximum"


@_says(Code.DIFFERENT_OBJECTIVES)
def _different_objectives(likelier: str, denser: str, gap: float) -> str:
    return (
        f"the log-likelihood of {display_name(likelier)} is {gap:.2f} higher and the posterior "
        f"density of {display_name(denser)}: they maximise different things"
    )


@_says(Code.EARLIER_VERSION)
def _earlier_version(text: str) -> str:
    return text


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"

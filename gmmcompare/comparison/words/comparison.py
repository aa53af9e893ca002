"""Words for reasons that `checks`, `agreement` and `point` give."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from gmmcompare.comparison.names import display_name, listed, of_statistic, quantity
from gmmcompare.comparison.reasons import Code, Reason
from gmmcompare.comparison.words.catalogue import counted, percent, says

_TIMES = {1: "once", 2: "twice"}
_HEIGHTS = {"log_lik": "log-likelihood", "density": "posterior density"}


# --- one engine's draws ---------------------------------------------------------------------------


@says(Code.COPIED_CHAINS)
def _copied(pairs: Sequence[tuple[int, int]]) -> str:
    which = ", ".join(f"{a} and {b}" for a, b in pairs)
    return f"chains {which} are copies of each other: they share a random stream"


@says(Code.DEPENDENT_CHAINS)
def _dependent(pairs: Sequence[tuple[int, int]], correlation: float, shift: int) -> str:
    which = ", ".join(f"{a} and {b}" for a, b in pairs)
    late = f", {counted(abs(shift), 'draw')} apart" if shift else ""
    return (
        f"chains {which} are not independent: their innovations have correlation "
        f"{correlation:.2f}{late}, whatever their labels"
    )


@says(Code.MINOR_MODE)
def _minor_mode(chains: Sequence[int], n_chains: int, gap: float, best: str) -> str:
    who, one = _chains(chains, n_chains)
    return (
        f"{who} {'is' if one else 'are'} in a minor mode: mean log-likelihood "
        f"{'' if one else 'up to '}{gap:.0f} below "
        f"{f'the best of {display_name(best)}' if best else 'its best chain'}"
    )


@says(Code.TREND)
def _trend(chains: Sequence[int], n_chains: int, gap: float) -> str:
    who, one = _chains(chains, n_chains)
    return (
        f"the log-likelihood of {who} rises: on average it is {'' if one else 'up to '}{gap:.0f} "
        "below its last quarter, as if warm-up were left in"
    )


@says(Code.MIXED_COMPONENTS)
def _mixed(field: str, gap: float, restored: float) -> str:
    what = {"w": "weights", "mu": "means", "sigma": "sds"}[field]
    return (
        f"the {what} do not belong to the other parameters: in another order of them the mean "
        f"log-likelihood is {gap - restored:.0f} higher; permute w, mu and sigma together"
    )


@says(Code.RARE_EMPTY_STATES)
def _rare_empty_states(
    chains: Sequence[int], n_chains: int, share: float, transitions: float, needed: int
) -> str:
    who, one = _chains(chains, n_chains)
    return (
        f"{who} visit{'s' * one} states with a nearly empty component ({percent(share)} of all "
        f"draws) but make{'s' * one} only {counted(round(transitions), 'transition')}; "
        f"{needed} are needed"
    )


def _chains(chains: Sequence[int], of: int) -> tuple[str, bool]:
    """Return which chains, and whether it is one."""
    if len(chains) == of > 1:
        return "all chains" if of > 2 else "both chains", False
    one = len(chains) == 1
    return f"chain{'' if one else 's'} {listed([str(c) for c in chains])}", one


@says(Code.DIVERGENCES)
def _divergences(count: int) -> str:
    return counted(count, "divergence")


@says(Code.HIGH_RHAT)
def _high_rhat(functional: str, rhat: float, limit: float) -> str:
    return f"R-hat of the {quantity(functional)} is {rhat:.3f}; it must be below {limit:g}"


@says(Code.TOO_FEW_CHAINS)
def _too_few_chains(chains: int, needed: int) -> str:
    return (
        f"{counted(chains, 'chain')}; at least {needed} are needed to see whether chains found "
        "the same mode"
    )


@says(Code.TOO_SHORT)
def _too_short(draws: int, needed: int) -> str:
    return f"{counted(draws, 'draw')} per chain; diagnostics need at least {needed}"


@says(Code.LOW_ESS)
def _low_ess(functional: str, ess: float, needed: float) -> str:
    return f"ESS of the {quantity(functional)} is {ess:,.0f}; {needed:,.0f} are needed"


@says(Code.SLOW_COMBINATION)
def _slow_combination(ess: float, needed: float) -> str:
    return (
        f"ESS of a combination of the quantities is {ess:,.0f}; {needed:,.0f} are needed: the "
        "chains have a slow mode, of which every quantity shows a little"
    )


# --- two engines that draw ------------------------------------------------------------------------


@says(Code.DIFFERENCE)
def _difference(
    a: str, b: str, functional: str, statistic: str, diff: float, se: float, repeats: int
) -> str:
    again = (
        f"confirmed {_TIMES.get(repeats, f'{repeats} times')} with fresh seeds"
        if repeats
        else "which could not be repeated with fresh seeds"
    )
    return f"{_apart(a, b, functional, statistic, diff, se)}, {again}"


@says(Code.UNREPEATED_DIFFERENCE)
def _unrepeated(a: str, b: str, functional: str, statistic: str, diff: float, se: float) -> str:
    return (
        f"{_apart(a, b, functional, statistic, diff, se)}, which counts for little where chains "
        "have not mixed and cannot be repeated with fresh seeds"
    )


def _apart(a: str, b: str, functional: str, statistic: str, diff: float, se: float) -> str:
    return (
        f"{of_statistic(statistic, functional)} is {abs(diff):.2f} posterior sd "
        f"{'higher' if diff > 0 else 'lower'} under {display_name(a)} than under "
        f"{display_name(b)} (standard error {se:.3f})"
    )


@says(Code.SAME_DRAWS)
def _same_draws(a: str, b: str, pairs: Sequence[tuple[int, int]], correlation: float) -> str:
    which = listed(
        [f"chain {i} of {display_name(a)} and chain {j} of {display_name(b)}" for i, j in pairs[:1]]
    )
    more = f" (and {len(pairs) - 1} more)" if len(pairs) > 1 else ""
    what = "hold the same draws" if correlation > 0.99 else "are not independent"
    return (
        f"{which}{more} {what} (correlation of innovations {correlation:.2f}): the two engines are "
        "no independent witnesses"
    )


@says(Code.UNCONFIRMED_DIFFERENCE)
def _unconfirmed(alpha: float, confirm_alpha: float) -> str:
    return (
        f"a difference is significant at {percent(alpha)}, not confirmed at "
        f"{percent(confirm_alpha)}; run longer"
    )


@says(Code.NO_DIFFERENCE)
def _no_difference(bound: float, statistics: int) -> str:
    return f"none of {statistics} statistics compared differs by more than {bound:.3f} posterior sd"


@says(Code.DIFFERENCE_POSSIBLE)
def _difference_possible(functional: str, bound: float, ess_needed: float) -> str:
    return (
        f"no difference detected, but one of up to {bound:.2f} posterior sd in the "
        f"{quantity(functional)} cannot be excluded; about {ess_needed:,.0f} effective draws from "
        "each engine are needed"
    )


@says(Code.NOTHING_VARIES)
def _nothing_varies() -> str:
    return "no quantity varies in the draws of either engine"


# --- points ---------------------------------------------------------------------------------------


@says(Code.STATUS)
def _status(status: str) -> str:
    return status


@says(Code.BELOW_A_DRAW)
def _below_a_draw(gap: float, best: str) -> str:
    return (
        f"a draw of {display_name(best)} is {gap:.2f} higher in log-likelihood: stopped early or "
        "in a local mode"
    )


@says(Code.NO_ELLIPSE)
def _no_ellipse(share: float) -> str:
    return (
        f"a component is nearly empty in {percent(share)} of the draws, so the posterior has no "
        "ellipse in which to place a point"
    )


@says(Code.OUTSIDE_POSTERIOR)
def _outside(point: str, draws: str, distance: float, limit: float, quantile: float) -> str:
    return (
        f"the point of {display_name(point)} lies outside the posterior of {display_name(draws)}: "
        f"Mahalanobis distance {distance:.1f}, {percent(quantile)} of the draws lie within "
        f"{limit:.1f}"
    )


@says(Code.SPIKE)
def _spike(component: int, sigma: float, value: float, count: int) -> str:
    return (
        f"component {component} is a spike, sd {sigma:.2g}, on {counted(count, 'observation')} at "
        f"{value:.6g}: the likelihood has no bound there, and the posterior hardly any mass"
    )


@says(Code.STOPPED_EARLY)
def _stopped_early(log_lik: float, density: float) -> str:
    return (
        f"stopped early: from there EM gains {log_lik:.2f} in log-likelihood, or {density:.2f} in "
        "log posterior density"
    )


@says(Code.PRIOR_MOVES)
def _prior_moves(
    point: str,
    draws: str,
    distance: float,
    limit: float,
    mode_distance: float,
    parameter: str,
    sds: float,
) -> str:
    return (
        f"the point of {display_name(point)} maximises the likelihood and lies outside the "
        f"posterior of {display_name(draws)} because of the prior (Mahalanobis distance "
        f"{distance:.1f}, limit {limit:.1f}), which moves the {quantity(parameter)} by {sds:.1f} "
        f"posterior sd; the posterior mode that belongs to it lies within ({mode_distance:.1f})"
    )


@says(Code.AT_MAXIMUM)
def _at_maximum(of: str, distance: float, limit: float) -> str:
    return (
        f"no draw has a higher {_HEIGHTS[of]}, and the point lies within the posterior "
        f"(Mahalanobis distance {distance:.1f}, limit {limit:.1f})"
    )


@says(Code.SAME_MAXIMUM)
def _same_maximum(gap: float) -> str:
    return f"log-likelihoods differ by {gap:.2g}: the same maximum"


@says(Code.LOWER_MAXIMUM)
def _lower_maximum(gap: float, higher: str) -> str:
    return f"{gap:.2f} lower in log-likelihood than {display_name(higher)}: a different maximum"


@says(Code.DIFFERENT_OBJECTIVES)
def _different_objectives(likelier: str, denser: str, gap: float) -> str:
    return (
        f"the log-likelihood of {display_name(likelier)} is {gap:.2f} higher and the posterior "
        f"density of {display_name(denser)}: they maximise different things"
    )


@says(Code.EARLIER_VERSION)
def _earlier_version(text: str) -> str:
    return text


# --- in a few words -------------------------------------------------------------------------------

_WRONG: Mapping[Code, str] = {
    Code.COPIED_CHAINS: "copied chains",
    Code.DEPENDENT_CHAINS: "dependent chains",
    Code.MIXED_COMPONENTS: "parameters of different components mixed up",
    Code.TREND: "warm-up left in",
    Code.MINOR_MODE: "chains in a minor mode",
    Code.DIVERGENCES: "divergences",
    Code.RARE_EMPTY_STATES: "too few visits to an empty component",
    Code.HIGH_RHAT: "chains have not mixed",
    Code.TOO_FEW_CHAINS: "too few chains",
    Code.TOO_SHORT: "too few draws",
    Code.LOW_ESS: "too few effective draws",
    Code.SLOW_COMBINATION: "too few effective draws",
    Code.STATUS: "did not reach a maximum",
    Code.STOPPED_EARLY: "stopped early",
    Code.SPIKE: "a component on one value",
    Code.BELOW_A_DRAW: "below the maximum",
    Code.LOWER_MAXIMUM: "a lower maximum",
    Code.DIFFERENCE: "its draws differ",
    Code.OUTSIDE_POSTERIOR: "outside the posterior",
    Code.NO_ELLIPSE: "a component is nearly empty",
}
"""The gravest first."""


def in_short(reasons: Iterable[Reason]) -> str:
    """Say in a few words the gravest that speaks against an engine; empty if nothing does."""
    codes = {reason.code for reason in reasons}
    return next((text for code, text in _WRONG.items() if code in codes), "")

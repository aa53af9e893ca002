"""What checks found, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gmmcompare.comparison.names import listed
from gmmcompare.comparison.reasons import Reason
from gmmcompare.comparison.words.catalogue import clause, says
from gmmcompare.validation.reasons import Code
from gmmcompare.validation.words.saying import MORE_TIME, rate


@says(Code.BROKEN_CALL)
def _broken_call(what: str, message: str) -> str:
    return f"{message}; {_STUCK}" if what == "does not move" else message


_STUCK = (
    "or, if the sampler takes it as known, it may be correct for that model, but in this one "
    "w, mu and sigma are all drawn (known sds or weights are tested by --family known-sds or "
    "fixed-weights)"
)


@says(Code.OUT_OF_TIME)
def _out_of_time(done: int, wanted: int) -> str:
    if not wanted:
        return f"out of time; {MORE_TIME}"
    return f"out of time after {done:,} of {wanted:,} replicates; {MORE_TIME}"


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
    under = f" under {priors} priors" if priors > 1 else ""
    return (
        f"no evidence of a change in {replicates:,} replicates{under}; a change of "
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
    # By Ville's inequality the reciprocal of the wealth is such a probability.
    return (
        f"the kernel does not leave the posterior invariant: after {replicates:,} replicates its "
        "draws are farther off than a correct kernel's ever are, but with probability "
        f"{_at_most(log10_wealth)} (it fails from {rate(alpha)} on)"
    )


@says(Code.SUSPICIOUS)
def _suspicious(log10_wealth: float, replicates: int) -> str:
    return (
        f"suspicious: after {replicates:,} replicates its draws are farther off than a correct "
        f"kernel's ever are, but with probability {_at_most(log10_wealth)}: not enough to fail it; "
        "repeat with another seed, without --quick"
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
        f"draws are not distributed as the truth: over {replicates} replicates they are farther "
        "off than a correct sampler's ever are, but with probability "
        f"{_at_most(log10_wealth)}"
    )


def _at_most(log10_wealth: float) -> str:
    """Write the probability that a correct sampler ever reaches so large a wealth."""
    return f"below {rate(10.0**-log10_wealth)}" if log10_wealth < 10 else "below 1 in 10 billion"


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


@says(Code.MUTANTS)
def _mutants(
    caught: int, counted: int, equivalent: int, missed: Sequence[Mapping[str, Any]]
) -> str:
    if not counted:
        return "there is nothing in its source to change"
    same = f" ({equivalent} more draw the same and do not count)" if equivalent else ""
    found = f"{caught} of {counted} mutants of its source would have been caught{same}"
    if not missed:
        return found
    lines = "; ".join(
        f"{m['file']}, line {m['line']}: {m['before']} -> {m['after']}" for m in missed
    )
    return f"{found}; a mistake here would pass unseen, so check these by eye: {lines}"


@says(Code.ON_DATA)
def _on_data(observations: int, verdict: str, reason: Mapping[str, Any]) -> str:
    why = f"; {clause(Reason.from_dict(reason))}" if reason else ""
    return f"on {observations:,} observations: {verdict}{why}"


@says(Code.CHAINS_MEET)
def _chains_meet(
    met: int, data_sets: int, chains: int, sweeps: int, quantity: str, rhat: float, limit: float
) -> str:
    return (
        f"{chains} chains from draws of the prior meet on {met} of {data_sets} data sets within "
        f"{sweeps:,} sweeps (R-hat at most {rhat:.2f})"
    )


@says(Code.CHAINS_APART)
def _chains_apart(
    met: int, data_sets: int, chains: int, sweeps: int, quantity: str, rhat: float, limit: float
) -> str:
    value = f"{rhat:.2f}" if np.isfinite(rhat) else "infinite"
    return (
        f"{chains} chains from draws of the prior meet on {met} of {data_sets} data sets only, "
        f"after {sweeps:,} sweeps (R-hat of {quantity} {value}, limit {limit:g}): the kernel may "
        "leave the posterior invariant and still never find it; take larger steps, or add one that "
        "jumps between the values at which chains stay"
    )

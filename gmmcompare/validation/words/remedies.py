"""Words for what would settle an inconclusive validation."""

from __future__ import annotations

from gmmcompare.comparison.words.catalogue import says
from gmmcompare.validation.reasons import Remedy


@says(Remedy.MORE_TIME)
def _more_time(seconds: int) -> str:
    return f"allow more time: --time-limit {seconds} (in Python time_limit={seconds})"


@says(Remedy.OTHER_SEED)
def _other_seed(seed: int, quick: bool) -> str:
    haste = " and without --quick" if quick else ""
    return (
        f"validate it again with --seed {seed}{haste}: a correct sampler will hardly be suspicious "
        "twice, and an incorrect one will be again, or fail"
    )


@says(Remedy.TAKE_MORE)
def _take_more(K: int) -> str:
    if K == 1:
        return "no setting helps: let it take two components or more"
    return (
        "no setting helps: let it take the prior that it refused (named under 'not tested'), in "
        "which the fields have other values"
    )


@says(Remedy.TAKE_FEWER)
def _take_fewer(observations: int) -> str:
    return f"no setting helps: let it take {observations} observations or fewer"


@says(Remedy.MOVE)
def _move() -> str:
    return (
        "no setting helps: let it move faster, or from place to place; how often does it accept a "
        "proposal?"
    )

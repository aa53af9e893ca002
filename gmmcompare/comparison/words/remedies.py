"""Words for what would settle a comparison: each tells what to type, or what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gmmcompare.comparison.names import display_name, listed
from gmmcompare.comparison.reasons import Reason, Remedy
from gmmcompare.comparison.thresholds import SETTLING_DRAWS, SETTLING_ROUNDS
from gmmcompare.comparison.words.catalogue import counted, says


def options(settings: Mapping[str, Any]) -> str:
    """Write settings as options of the command line."""
    return " ".join(f"--set {key}={value}" for key, value in settings.items())


@says(Remedy.RUN_WITH)
def _run_with(settings: Mapping[str, Any]) -> str:
    return f"run it with {options(settings)}"


@says(Remedy.FOLLOWED)
def _followed(settings: Mapping[str, Any], times: int) -> str:
    return f"--settle, round {times} of {SETTLING_ROUNDS}: compared again with {options(settings)}"


def settling(found: Sequence[Reason], followed: Sequence[Reason]) -> str:
    """Say how the program can follow remedies by itself, or that it did and stopped.

    Parameters
    ----------
    found : sequence of Reason
        Remedies of what is still inconclusive; there is one at least.
    followed : sequence of Reason
        Rounds of settling that were made.
    """
    limit = f"{_COUNTS[SETTLING_ROUNDS]} rounds and {SETTLING_DRAWS} times the draws"
    if followed:
        return (
            f"--settle has stopped here: it goes no further than {limit}. Give the settings "
            "yourself to go on from there."
        )
    if any(remedy.code == Remedy.RUN_WITH for remedy in found):
        return f"Or add --settle, which sets this by itself: at most {limit}."
    return ""


_COUNTS = {1: "one", 2: "two", 3: "three"}


@says(Remedy.DRAWS_ELSEWHERE)
def _draws_elsewhere(chains: int, draws: int, warmup: bool) -> str:
    longer = " after a longer warm-up, none of which is kept" if warmup else ""
    return (
        f"make {counted(chains, 'chain')} of at least {draws:,} draws each{longer}, from different "
        "starts and seeds, and give them by --draws NAME=FILE"
    )


@says(Remedy.SMALLER_STEPS)
def _smaller_steps() -> str:
    return (
        "make the draws again with smaller steps (target_accept or adapt_delta of 0.95 or 0.99) "
        "until no transition diverges"
    )


@says(Remedy.OWN_STREAMS)
def _own_streams(elsewhere: bool) -> str:
    if elsewhere:
        return "no number of draws helps: make its chains again, each with a seed of its own"
    return (
        "no number of draws helps: draw everything from the rng that each chain is given, and seed "
        "no other; `gmmcompare validate FILE.py:FUNC` shows whether it does"
    )


@says(Remedy.TOGETHER)
def _together(elsewhere: bool) -> str:
    where = "in the program that made the draws" if elsewhere else "in its code"
    return f"no number of draws helps: permute w, mu and sigma together {where}"


@says(Remedy.STANDS_STILL)
def _stands_still() -> str:
    return (
        "no number of draws helps where nothing ever moves: find out why by "
        "`gmmcompare validate FILE.py:FUNC`"
    )


@says(Remedy.SAME_OBJECTIVE)
def _same_objective(settings: Mapping[str, Any]) -> str:
    if settings:
        return f"let both maximise the same: {options(settings)}"
    return (
        "let both points maximise the same, the likelihood or the posterior density; no setting "
        "does it for points of your own"
    )


@says(Remedy.CONVERGE)
def _converge() -> str:
    return "let it go on until it has converged, then compare again"


@says(Remedy.LEAVE_OUT)
def _leave_out(engines: Sequence[str], fewer: int) -> str:
    how = f" (--engines {','.join(engines)})" if engines else ""
    others = f"compare engines that draw, without it{how}"
    if not fewer:
        return f"no number of draws helps: {others}"
    return (
        f"no number of draws helps, as the data do not need all components: {others}, or choose "
        f"fewer components (--set mixture.components={fewer})"
    )


@says(Remedy.ANOTHER_ENGINE)
def _another_engine() -> str:
    return "give another engine to compare with, as in --engines em,gibbs,nuts"


@says(Remedy.SEEDS)
def _seeds(engines: Sequence[str]) -> str:
    whose = listed([display_name(name) for name in engines])
    return (
        f"draws from a file cannot be repeated here: make those of {whose} again with other seeds, "
        "and see whether the difference is still there"
    )


@says(Remedy.COMPARE_AGAIN)
def _compare_again() -> str:
    return "this was written by an earlier version: run `gmmcompare compare` again"

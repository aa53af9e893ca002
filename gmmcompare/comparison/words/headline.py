"""The verdict on a whole comparison in a sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gmmcompare.comparison.names import display_name, leading_name, listed
from gmmcompare.comparison.reasons import Reason
from gmmcompare.comparison.words.catalogue import clause, phrase


def agreement(
    engines: Sequence[str],
    points: Sequence[str],
    bound: float,
    statistics: int,
    moved: Sequence[str] = (),
) -> str:
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
    statistics : int
        How many were compared for each two that draw.
    moved : sequence of str
        Points that the prior moves out of the posterior.
    """
    everyone = _first_in_sentence(engines)
    placed, apart = (
        listed([display_name(name) for name in points if (name in moved) is outside])
        for outside in (False, True)
    )
    note = (
        f" The point of {apart}, a maximum of the likelihood, is outside only because of the prior."
        if apart
        else ""
    )
    if math.isnan(bound):
        return f"{everyone} agree.{note}"
    drawing = listed([display_name(name) for name in engines if name not in points])
    of_whom = f" of the draws of {drawing}" if points else " compared"
    said = (
        f"{everyone} agree: none of {statistics} statistics{of_whom} differs by more than "
        f"{math.ceil(100 * bound) / 100:.2f} posterior standard deviations"
    )
    if placed:
        said += f", and the point of {placed} lies within their posterior"
    return f"{said}.{note}"


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

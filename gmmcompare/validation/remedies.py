"""What would settle an inconclusive validation, as data; `words.remedies` says it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gmmcompare.comparison.reasons import from_codes
from gmmcompare.comparison.remedies import rounded_up
from gmmcompare.validation.reasons import Code, Reason, Remedy

if TYPE_CHECKING:
    from gmmcompare.validation.verdict import Check, Validation

TIME_LIMIT = 900.0
"""Seconds for one validation, where nothing else is said."""
SPARE = 1.5
"""Time beyond that which seems needed."""
UNKNOWN = 4.0
"""Times the time that was too short, where nothing tells how much is needed."""


def remedies(found: Validation) -> tuple[Reason, ...]:
    """Return what to do about every check that was inconclusive; nothing where one failed."""
    if found.verdict != "inconclusive":
        return ()
    wanted: list[Reason] = []
    for check in found.checks:
        if check.verdict == "inconclusive":
            wanted += [r for r in _of_check(check, found) if r not in wanted]
    longest = max((_seconds(r) for r in wanted), default=0)
    return tuple(r for r in wanted if _seconds(r) in (0, longest))


def _seconds(remedy: Reason) -> int:
    return int(remedy.numbers["seconds"]) if remedy.code == Remedy.MORE_TIME else 0


def _of_check(check: Check, found: Validation) -> Iterator[Reason]:
    quick = any(bool(reason.numbers.get("quick")) for reason in found.untested)
    for reason in check.reasons:
        if reason.code == Code.OUT_OF_TIME:
            done, wanted = reason.numbers["done"], reason.numbers["wanted"]
            times = SPARE * wanted / done if done and wanted else UNKNOWN
            seconds = max(int(TIME_LIMIT), rounded_up(math.ceil(times * found.seconds)))
            yield Reason(Remedy.MORE_TIME, {"seconds": seconds})
        elif reason.code == Code.SUSPICIOUS:
            yield Reason(Remedy.OTHER_SEED, {"seed": found.seed + 1, "quick": quick})
        elif reason.code == Code.THIN_EVIDENCE:
            yield Reason(Remedy.TAKE_MORE, {"K": reason.numbers["K"]})
        elif reason.code == Code.NOT_SO_FEW:
            yield Reason(Remedy.TAKE_FEWER, {"observations": reason.numbers["observations"]})
        elif reason.code in (Code.CHAINS_STAND_STILL, Code.CHAINS_APART):
            yield Reason(Remedy.MOVE)
        elif reason.code == Code.ON_DATA:
            kept = check.data.get("remedies", ())
            yield from from_codes(kept)  # those of the comparison with NUTS

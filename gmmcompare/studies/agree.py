"""How often does `agree` err? Draws of known targets with 1 to 1,000 scalars, compared."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gmmcompare.comparison.agreed import agree_on
from gmmcompare.comparison.thresholds import MARGIN, UNREPEATED_ALPHA
from gmmcompare.runtime.store import Row
from gmmcompare.studies import markdown
from gmmcompare.studies.markdown import Frequency
from gmmcompare.studies.study import Found, Study
from gmmcompare.studies.targets import Chains, Target

SIZES = (1, 10, 100, 1000)
ALIKE = Chains(4, 1000, 0.3), Chains(4, 1000, 0.3)
UNLIKE = Chains(4, 1000, 0.0), Chains(2, 4000, 0.8)
SLOW = Chains(4, 2000, 0.9), Chains(8, 1000, 0.5)
LONG = Chains(4, 2000, 1 / 3), Chains(4, 2000, 1 / 3)
"""Both with an ESS of 4,000."""
RUNS = {"alike": ALIKE, "unlike": UNLIKE, "slow": SLOW}


@dataclass(frozen=True)
class Pair:
    """Two samplers, and the truth: whether their targets are equal."""

    key: str
    a: Target
    b: Target
    runs: tuple[Chains, Chains]

    @property
    def equal(self) -> bool:
        """Whether the targets are the same."""
        return self.a == self.b


def _equal_pairs() -> Iterator[Pair]:
    for d in SIZES:
        for shape, correlation in (("normal", 0.7), ("heavy", 0.0), ("bimodal", 0.0)):
            target = Target(shape, d, correlation)
            for how, runs in RUNS.items():
                yield Pair(f"equal {shape} {how} d={d}", target, target, runs)


def _unequal_pairs() -> Iterator[Pair]:
    for d in (2, 10):
        free, tied = Target("normal", d), Target("normal", d, 0.5)
        yield Pair(f"correlation 0.5 for 0 d={d}", free, tied, LONG)
        yield Pair(f"sign of correlation d={d}", tied, tied.changed(correlation=-0.5), LONG)
    for d in (1, 10):
        whole = Target("rare mode", d)
        yield Pair(f"mode of 5 % missing d={d}", whole, whole.changed(without_mode=True), LONG)
        for shift in (0.05, 0.1, 0.2, 0.5):
            base = Target("normal", d)
            yield Pair(f"shift of {shift} sd d={d}", base, base.changed(shift=shift), LONG)


PAIRS: Mapping[str, Pair] = {pair.key: pair for pair in (*_equal_pairs(), *_unequal_pairs())}
NEVER_AGREE = ("correlation", "sign", "mode")


@dataclass(frozen=True)
class AgreeStudy(Study):
    """Comparisons of draws that cannot be repeated, as of files.

    Equal targets are repeated as often as is asked for every size, all shapes and runs together;
    each difference a tenth as often.
    """

    name = "agree"

    def plan(self, repetitions: int) -> dict[str, int]:
        """Share repetitions of a size among its cases."""
        per_size = sum(pair.equal for pair in PAIRS.values()) // len(SIZES)
        few, fewer = -(-repetitions // per_size), -(-repetitions // 10)
        return {key: few if pair.equal else fewer for key, pair in PAIRS.items()}

    def repeat(self, case: str, number: int) -> Row:
        """Compare two samplers once."""
        pair = PAIRS[case]
        seed = [self.seed, zlib.crc32(case.encode()), number]
        draws = [
            target.draw(name, run, np.random.default_rng([*seed, i]))
            for i, (name, target, run) in enumerate(
                zip("ab", (pair.a, pair.b), pair.runs, strict=True)
            )
        ]
        return {"verdict": agree_on(draws).verdict}

    def page(self, found: Found) -> str:
        """Return the tables of equal targets and of differences."""
        return markdown.page(
            "# How often `agree` errs",
            self.origin(found, "comparisons of draws whose distribution is known"),
            "Draws cannot be run again, as those of files: a difference has to be as improbable as "
            f"{markdown.number(UNREPEATED_ALPHA)}, corrected for all statistics. To agree, every "
            f"statistic must be shown to differ by less than {MARGIN:g} posterior sd.",
            "## Equal targets",
            "Normal with correlations of 0.7, Student's t with 2 degrees of freedom, and two equal "
            "modes; "
            + "; ".join(f"*{name}*: {_said(*runs)}" for name, runs in RUNS.items())
            + ".",
            markdown.table(
                ["scalars", "comparisons", "agree", "inconclusive", "disagree", "% (95 %)"],
                [_size_cells(d, found) for d in SIZES if _of_size(d, found)],
            ),
            "## Every case",
            markdown.table(
                ["case", "comparisons", "agree", "inconclusive", "disagree"],
                [
                    [key, len(found[key]), *_counts(found[key])]
                    for key in PAIRS
                    if key in found
                ],
            ),
            "A correlation of 0.5 for none, one of the other sign and a missing mode must never "
            f"agree: {_never(found)}. Shifts below the margin are differences that a comparison "
            f"may call agreement; both samplers have an ESS of {LONG[0].ess:,.0f}.",
        )  # fmt: skip


def _said(a: Chains, b: Chains) -> str:
    each = [f"{r.chains} chains of {r.draws:,} with autocorrelation {r.rho:.2g}" for r in (a, b)]
    return " and ".join(dict.fromkeys(each))


def _counts(rows: Sequence[Row]) -> list[int]:
    return [
        sum(r["verdict"] == verdict for r in rows)
        for verdict in ("agree", "inconclusive", "disagree")
    ]


def _of_size(d: int, found: Found) -> list[Row]:
    return [
        row for key, pair in PAIRS.items() if pair.equal and pair.a.d == d
        for row in found.get(key, ())
    ]  # fmt: skip


def _size_cells(d: int, found: Found) -> list[object]:
    rows = _of_size(d, found)
    counts = _counts(rows)
    return [f"{d:,}", f"{len(rows):,}", *counts, Frequency(counts[-1], len(rows))]


def _never(found: Found) -> str:
    rows = [row for key in found if key.startswith(NEVER_AGREE) for row in found[key]]
    return f"{_counts(rows)[0]} of {len(rows):,} did"

"""How often is the verdict on a kernel correct? Planted faults and correct samplers, validated."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gmmcompare.runtime.errors import InputError
from gmmcompare.runtime.store import Row
from gmmcompare.studies import markdown
from gmmcompare.studies.galleries import NAMES, Gallery, gallery
from gmmcompare.studies.study import Found, Study
from gmmcompare.studies.validations import (
    caught_by,
    count,
    median_and_most,
    median_processor,
    replicates,
    validated,
)
from gmmcompare.validation import error_rates
from gmmcompare.validation.checks.invariance import FOLLOWED, QUICK, Plan
from gmmcompare.validation.checks.scenes import MixtureScene
from gmmcompare.validation.faults.catalogue import KERNEL_FAULTS


@dataclass(frozen=True)
class GalleryStudy(Study):
    """Validations of faults and of correct samplers; the first seed is the study's, then the next.

    Parameters
    ----------
    quick : bool
        Whether validations are quick ones; see `validate`.
    kernels : str
        One of `galleries.NAMES`; "" for mixtures as they come.
    """

    quick: bool = False
    kernels: str = ""

    name = "gallery"

    def __post_init__(self) -> None:
        """Check the name of the gallery.

        Raises
        ------
        InputError
            If there is none of that name.
        """
        super().__post_init__()
        if self.kernels and self.kernels not in NAMES:
            raise InputError(f"kernels are one of {', '.join(NAMES)}, found {self.kernels!r}")

    @property
    def settings(self) -> dict[str, object]:
        """Whether validations are quick, and the family of kernels if it is not the gallery's."""
        return {"quick": self.quick} | ({"kernels": self.kernels} if self.kernels else {})

    @property
    def command(self) -> str:
        """The command line, with its options."""
        options = f" --kernels {self.kernels}" * bool(self.kernels) + " --quick" * self.quick
        return super().command + options

    @property
    def gallery(self) -> Gallery:
        """The samplers."""
        return gallery(self.kernels)

    def plan(self, repetitions: int) -> dict[str, int]:
        """Repeat correct kernels most often: their rate of failures must be smallest."""
        shown, few, fewer = self.gallery, -(-repetitions // 5), -(-repetitions // 10)
        return {
            **dict.fromkeys(shown.faults, few),
            **dict.fromkeys(shown.correct, repetitions),
            **dict.fromkeys(shown.runs, fewer),
        }

    def repeat(self, case: str, number: int) -> Row:
        """Validate a sampler on one core."""
        name = self.gallery.short(case).partition("@")[0]
        quick = self.quick and case not in self.gallery.subtle
        return validated(case, name, quick=quick, seed=self.seed + number)

    def _how_long(self, shown: Gallery) -> str:
        """Say which validations are quick ones."""
        full = [f"`{shown.short(name)}`" for name in shown.subtle] if self.quick else []
        but = f" but those of {', '.join(full)}, which a quick one may not see," if full else ""
        return f"Every validation{but} is a {'quick' if self.quick else 'full'} one"

    def page(self, found: Found) -> str:
        """Return the tables of faults and of correct samplers."""
        shown = self.gallery
        return markdown.page(
            "# The gallery of faults: which are caught, by what, and how soon",
            f"{self.origin(found, 'validations')} "
            f"{self._how_long(shown)}, with a seed of its own. The study can be "
            "interrupted and continued; the tables say how many runs there are."
            f"{shown.of and ' '}{shown.of}",
            markdown.bullets(_headlines(found, shown)),
            _method(QUICK if self.quick else Plan(), shown.scenes),
            "## Faults",
            "Replicates are those until the verdict. Processor seconds are those of the whole "
            f"validation on one {platform.machine()} core, from starting Python's child processes "
            "to the diagnosis.",
            markdown.table(
                [
                    "fault", "runs", "failed", "caught by", "replicates: median, most",
                    "processor seconds: median",
                    *(["named first", "in first three"] if shown.named else []),
                ],
                [_fault_cells(name, found[name], shown) for name in shown.faults if name in found],
                "lrrlrrrr" if shown.named else "lrrlrr",
            ),
            "## Correct samplers",
            *(
                [
                    f"{' and '.join(f'`{name}`' for name in shown.runs)} are whole samplers: their "
                    "replicates are runs, ranked by SBC, with a false-positive rate of at most "
                    f"{markdown.number(error_rates.SBC_RANKS + error_rates.SBC_MEANS)}."
                ]
                if shown.runs
                else []
            ),
            markdown.table(
                [
                    "sampler", "runs", "passed", "failed", "replicates: median, most",
                    "processor seconds: median",
                ],
                [
                    _correct_cells(shown.short(name), found[name])
                    for name in (*shown.correct, *shown.runs)
                    if name in found
                ],
            ),
            "## What each fault is",
            _mistakes(shown),
        )  # fmt: skip


def _mistakes(shown: Gallery) -> str:
    """Return the table of what was done wrong, with its effects where they are described."""
    effects = any(effect for _, effect in shown.faults.values())
    return markdown.table(
        ["fault", "the mistake", *(["what it does"] if effects else [])],
        [
            (shown.short(name), f"`{mistake}`", *([effect] if effects else []))
            for name, (mistake, effect) in shown.faults.items()
        ],
        "lll" if effects else "ll",
    )


def _headlines(found: Found, shown: Gallery) -> Iterator[str]:
    planted = [row for name in shown.faults for row in found.get(name, ())]
    correct = [row for name in (*shown.correct, *shown.runs) for row in found.get(name, ())]
    yield (
        f"{count(planted, 'failed')} of {len(planted)} validations of a planted fault came out "
        "*failed*."
    )
    yield (
        f"{count(correct, 'passed')} of {len(correct)} validations of a correct sampler came out "
        f"*passed*, and {count(correct, 'failed')} *failed*."
    )
    if not shown.named:
        return
    caught = [r for r in planted if r["name"] in KERNEL_FAULTS and r["verdict"] == "failed"]
    broken = sum("contract" in r["caught_by"] for r in caught)
    of = len(caught)
    yield (
        f"The diagnosis named the planted fault first in {_named(caught, 1)} of {of} and "
        f"among the first three in {_named(caught, 3)} of {of} of the validations in which "
        f"a fault of a kernel was caught. In {broken} of these the kernel broke the contract, "
        "which ends a validation before there is a signature to compare. The stored signatures "
        "come from another seed."
    )


def _method(plan: Plan, first: Sequence[MixtureScene]) -> str:
    exponent = round(-np.log10(error_rates.INVARIANCE))
    rate = (
        "The false-positive rate of the invariance test is at most "
        f"{markdown.number(error_rates.INVARIANCE)} in all, however long it runs: it is a bet "
        "whose wealth a correct kernel multiplies by "
        f"10^{exponent} with probability at most 10^-{exponent} (Ville 1939)."
    )
    if not first:
        return rate
    scenes = ", ".join(f"{s.name} (K={s.K}, N={s.N}) {s.replicates(plan.base):,}" for s in first)
    return (
        f"{rate} These priors and sizes get replicates of 5 sweeps (of 1 with many observations): "
        f"{scenes}. Other sizes, units and given data come last. A prior "
        f"whose wealth is then above {1 / FOLLOWED:.0f} is followed to {plan.most // plan.base} "
        "times as many."
    )


def _fault_cells(name: str, rows: Sequence[Row], shown: Gallery) -> list[object]:
    return [
        shown.short(name),
        len(rows),
        count(rows, "failed"),
        caught_by(rows),
        median_and_most([r["replicates"] for r in rows]),
        median_processor(rows),
        *([_named(rows, 1), _named(rows, 3)] if shown.named else []),
    ]


def _correct_cells(name: str, rows: Sequence[Row]) -> list[object]:
    return [
        name,
        len(rows),
        count(rows, "passed"),
        count(rows, "failed"),
        median_and_most([replicates(r) for r in rows]),
        median_processor(rows),
    ]


def _named(rows: Sequence[Row], within: int) -> int:
    """Count diagnoses with the planted fault among so many suspects."""
    return sum(0 < r["rank"] <= within for r in rows)

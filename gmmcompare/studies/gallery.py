"""How often is the verdict on a kernel correct? Planted faults and correct samplers, validated."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gmmcompare.runtime.errors import InputError
from gmmcompare.runtime.store import Row
from gmmcompare.studies import markdown
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
from gmmcompare.validation.checks.scenes import FIELDS, MixtureScene, planned
from gmmcompare.validation.faults.catalogue import FAULTS, KERNEL_FAULTS, NOT_FAULTS, PREFIX
from gmmcompare.validation.faults.narrow import FAMILIES
from gmmcompare.validation.sandbox.target import KERNELS

PLANTED = tuple(PREFIX + name for name in FAULTS)
"""Samplers that must fail."""
CORRECT_KERNELS = (*KERNELS, *(PREFIX + name for name in NOT_FAULTS))
CORRECT_RUNS = ("engine:gibbs", "nuts")
"""Correct samplers too, but whole ones, which take minutes."""


@dataclass(frozen=True)
class GalleryStudy(Study):
    """Validations of faults and of correct samplers; the first seed is the study's, then the next.

    Parameters
    ----------
    quick : bool
        Whether validations are quick ones; see `validate`.
    kernels : str
        "" for the gallery as it is, or a family of kernels that take less: see
        `validation.faults.narrow`.
    """

    quick: bool = False
    kernels: str = ""

    name = "gallery"

    def __post_init__(self) -> None:
        """Check the family.

        Raises
        ------
        InputError
            If there is none of that name.
        """
        super().__post_init__()
        if self.kernels and self.kernels not in FAMILIES:
            raise InputError(f"kernels are one of {', '.join(FAMILIES)}, found {self.kernels!r}")

    @property
    def settings(self) -> dict[str, object]:
        """Whether validations are quick, and the family of kernels if it is not the gallery's."""
        return {"quick": self.quick} | ({"kernels": self.kernels} if self.kernels else {})

    @property
    def planted(self) -> tuple[str, ...]:
        """Samplers that must fail."""
        if not self.kernels:
            return PLANTED
        return tuple(f"{PREFIX}{name}@{self.kernels}" for name in KERNEL_FAULTS)

    @property
    def correct(self) -> tuple[str, ...]:
        """Samplers that must pass."""
        if not self.kernels:
            return (*CORRECT_KERNELS, *CORRECT_RUNS)
        return tuple(f"{PREFIX}{name}@{self.kernels}" for name in NOT_FAULTS)

    def plan(self, repetitions: int) -> dict[str, int]:
        """Repeat correct kernels most often: their rate of failures must be smallest."""
        few, fewer = -(-repetitions // 5), -(-repetitions // 10)
        return {
            **dict.fromkeys(self.planted, few),
            **{c: fewer if c in CORRECT_RUNS else repetitions for c in self.correct},
        }

    def repeat(self, case: str, number: int) -> Row:
        """Validate a sampler on one core."""
        name = case.removeprefix(PREFIX).partition("@")[0]
        return validated(case, name, quick=self.quick, seed=self.seed + number)

    def page(self, found: Found) -> str:
        """Return the tables of faults and of correct samplers."""
        return markdown.page(
            "# The gallery of faults: which are caught, by what, and how soon",
            f"{self.origin(found, 'validations')} Every validation is a "
            f"{'quick' if self.quick else 'full'} one, with a seed of its own. The study can be "
            f"interrupted and continued; the tables say how many runs there are.{self._family()}",
            markdown.bullets(_headlines(found, self.planted, self.correct)),
            _method(QUICK if self.quick else Plan(), _first_scenes(self.kernels)),
            "## Faults",
            "Replicates are those until the verdict. Processor seconds are those of the whole "
            f"validation on one {platform.machine()} core, from starting Python's child processes "
            "to the diagnosis.",
            markdown.table(
                [
                    "fault", "runs", "failed", "caught by", "replicates: median, most",
                    "processor seconds: median", "named first", "in first three",
                ],
                [_fault_cells(name, found[name]) for name in self.planted if name in found],
                "lrrlrrrr",
            ),
            "## Correct samplers",
            "`engine:gibbs` and `nuts` are whole samplers: their replicates are runs, ranked by "
            "SBC, with a false-positive rate of at most "
            f"{markdown.number(error_rates.SBC_RANKS + error_rates.SBC_MEANS)}.",
            markdown.table(
                [
                    "sampler", "runs", "passed", "replicates: median, most",
                    "processor seconds: median",
                ],
                [
                    _correct_cells(name, found[name])
                    for name in self.correct
                    if name in found
                ],
            ),
            "## What each fault is",
            markdown.table(
                ["fault", "the mistake", "what it does"],
                [(name, f"`{fault.mistake}`", fault.effect) for name, fault in FAULTS.items()],
                "lll",
            ),
        )  # fmt: skip

    def _family(self) -> str:
        """Say which kernels these are."""
        two, numbers = FAMILIES.get(self.kernels, (False, False))
        takes = " and ".join(
            [
                *(["two components"] if two else []),
                *(["priors as plain numbers"] if numbers else []),
            ]
        )
        return f" The kernels are written for {takes} alone." if takes else ""


def _first_scenes(kernels: str) -> list[MixtureScene]:
    """Return the scenes of a family's kernels."""
    two, numbers = FAMILIES.get(kernels, (False, False))
    K, sizes = (2, (2,)) if two else (3, (2, 3, 5))
    return [place[0] for place in planned(K, 12, sizes, () if numbers else FIELDS)]


def _headlines(found: Found, fail: Sequence[str], passing: Sequence[str]) -> Iterator[str]:
    planted = [row for name in fail for row in found.get(name, ())]
    correct = [row for name in passing for row in found.get(name, ())]
    caught_kernels = [r for r in planted if r["name"] in KERNEL_FAULTS and r["verdict"] == "failed"]
    broken = sum("contract" in r["caught_by"] for r in caught_kernels)
    of = len(caught_kernels)
    yield (
        f"{count(planted, 'failed')} of {len(planted)} validations of a planted fault came out "
        "*failed*."
    )
    yield (
        f"{count(correct, 'passed')} of {len(correct)} validations of a correct sampler came out "
        "*passed*."
    )
    yield (
        f"The diagnosis named the planted fault first in {_named(caught_kernels, 1)} of {of} and "
        f"among the first three in {_named(caught_kernels, 3)} of {of} of the validations in which "
        f"a fault of a kernel was caught. In {broken} of these the kernel broke the contract, "
        "which ends a validation before there is a signature to compare. The stored signatures "
        "come from another seed."
    )


def _method(plan: Plan, first: Sequence[MixtureScene]) -> str:
    scenes = ", ".join(f"{s.name} (K={s.K}, N={s.N}) {s.replicates(plan.base):,}" for s in first)
    exponent = round(-np.log10(error_rates.INVARIANCE))
    return (
        f"The false-positive rate of the invariance test is at most "
        f"{markdown.number(error_rates.INVARIANCE)} in all, however long it runs: it is a bet "
        "whose wealth a correct kernel multiplies by "
        f"10^{exponent} with probability at most 10^-{exponent} (Ville 1939). These priors and "
        f"sizes get replicates of 5 sweeps (of 1 with many observations): {scenes}. Other sizes, "
        "units and given data come last. A prior "
        f"whose wealth is then above {1 / FOLLOWED:.0f} is followed to {plan.most // plan.base} "
        "times as many."
    )


def _fault_cells(name: str, rows: Sequence[Row]) -> list[object]:
    return [
        name.removeprefix(PREFIX),
        len(rows),
        count(rows, "failed"),
        caught_by(rows),
        median_and_most([r["replicates"] for r in rows]),
        median_processor(rows),
        _named(rows, 1),
        _named(rows, 3),
    ]


def _correct_cells(name: str, rows: Sequence[Row]) -> list[object]:
    return [
        name.removeprefix(PREFIX),
        len(rows),
        count(rows, "passed"),
        median_and_most([replicates(r) for r in rows]),
        median_processor(rows),
    ]


def _named(rows: Sequence[Row], within: int) -> int:
    """Count diagnoses with the planted fault among so many suspects."""
    return sum(0 < r["rank"] <= within for r in rows)

"""Validate the whole gallery: every fault must fail, and what is no fault must pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from gmmcompare.runtime.tasks import Tasks
from gmmcompare.validation.faults.catalogue import FAULTS, NOT_FAULTS, PREFIX
from gmmcompare.validation.run import DEFAULT_SEED, validate
from gmmcompare.validation.verdict import Check, Validation


class Exhibit(NamedTuple):
    """One sampler of the gallery and what became of it.

    ``caught_by`` names the checks that failed; ``rank`` is the place of the planted fault in the
    diagnosis, from 1, or 0 where it is not named.
    """

    name: str
    is_fault: bool
    verdict: str
    caught_by: str
    replicates: int
    seconds: float
    rank: int


def run_gallery(
    *,
    quick: bool = False,
    seed: int = DEFAULT_SEED,
    jobs: int = 2,
    tasks: Tasks | None = None,
    names: Sequence[str] | None = None,
) -> Iterator[Exhibit]:
    """Validate every fault and every sampler that is none; yield each as it is done.

    Parameters
    ----------
    quick, seed, jobs, tasks
        As in `validate`.
    names : sequence of str, optional
        Some of the gallery instead.
    """
    for name in names or [*FAULTS, *NOT_FAULTS]:
        found = validate(PREFIX + name, quick=quick, seed=seed, jobs=jobs, tasks=tasks)
        yield exhibit(name, found)


def exhibit(name: str, found: Validation) -> Exhibit:
    """Summarise the validation of one sampler of the gallery."""
    failed = [c for c in found.checks if c.verdict == "failed"]
    first = next((c for c in failed if c.name == "invariance"), failed[0] if failed else None)
    named = [s.fault for s in found.diagnosis.suspects]
    return Exhibit(
        name,
        name in FAULTS,
        found.verdict,
        ", ".join(c.name for c in failed),
        sum(c.replicates for c in found.checks) if first is None else _until_caught(first),
        found.seconds,
        named.index(name) + 1 if name in named else 0,
    )


def _until_caught(check: Check) -> int:
    """Return the replicates at which a check failed, without those made for the diagnosis."""
    path = check.data.get("path", {}).get("replicates")
    return int(path[-1]) if path else check.replicates

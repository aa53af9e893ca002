"""The whole gallery in one go, the signatures of its faults, and a grader for a course.

``python -m gmmcompare.validation.faults.gallery signatures [FAULT ...]`` makes ``signatures.npz``
anew, or the signatures of some faults.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gmmcompare.model.params import Array
from gmmcompare.runtime.errors import GmmCompareError, InputError
from gmmcompare.runtime.files import replacing
from gmmcompare.runtime.tasks import TaskError, Tasks
from gmmcompare.validation.checks.invariance import Plan, check_invariance
from gmmcompare.validation.checks.scenes import SCENES
from gmmcompare.validation.diagnosis.suspects import SIGNATURES, load_signatures
from gmmcompare.validation.faults.catalogue import FAULTS, KERNEL_FAULTS, NOT_FAULTS, PREFIX
from gmmcompare.validation.run import DEFAULT_SEED, no_report, validate
from gmmcompare.validation.sandbox.sandbox import Sandbox
from gmmcompare.validation.sandbox.subject import Target
from gmmcompare.validation.verdict import Check, Validation

_SIGNATURE_REPLICATES = 4000
_SIGNATURE_SEED = 11
_STORED = tuple(scene for scene in SCENES if scene.main)


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

    @property
    def right(self) -> bool:
        """Whether the verdict is the one it deserves."""
        return self.verdict == ("failed" if self.is_fault else "passed")


def run_gallery(
    *,
    quick: bool = False,
    seed: int = DEFAULT_SEED,
    jobs: int = 2,
    tasks: Tasks | None = None,
    names: Sequence[str] | None = None,
) -> Iterator[Exhibit]:
    """Validate every fault and every sampler that is none; yield each as it is done."""
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


def grade(
    folder: str | Path,
    out: str | Path,
    *,
    function: str = "sweep",
    quick: bool = False,
    seed: int = DEFAULT_SEED,
    jobs: int = 2,
    tasks: Tasks | None = None,
    progress: Callable[[str, Validation | None], None] = lambda name, found: None,
) -> Path:
    """Validate every Python file of a folder and write one CSV row for each.

    Parameters
    ----------
    folder : path
        Submissions, ``*.py``; each defines ``function``, a kernel or a whole sampler.
    out : path
        The CSV: submission, verdict, seconds, first suspect, diagnosis.

    Raises
    ------
    InputError
        If the folder has no Python files.
    """
    files = sorted(Path(folder).glob("*.py"))
    if not files:
        raise InputError(f"{folder}: no Python files; give a folder of submissions, one file each")
    rows: list[tuple[object, ...]] = []
    for file in files:
        rows.append(_graded(file, function, quick, seed, jobs, tasks, progress))
    out = Path(out)
    with replacing(out) as partial, partial.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(("submission", "verdict", "seconds", "suspect", "diagnosis"))
        writer.writerows(rows)
    return out


def _graded(
    file: Path,
    function: str,
    quick: bool,
    seed: int,
    jobs: int,
    tasks: Tasks | None,
    progress: Callable[[str, Validation | None], None],
) -> tuple[object, ...]:
    progress(file.name, None)
    try:
        found = validate(f"{file}:{function}", quick=quick, seed=seed, jobs=jobs, tasks=tasks)
    except TaskError:
        raise
    except GmmCompareError as error:
        return file.stem, "failed", 0.0, "", str(error)
    progress(file.name, found)
    suspects = found.diagnosis.suspects
    said = {check.summary for check in found.checks}
    news = [finding for finding in found.diagnosis.findings if finding not in said]
    words = "; ".join([*found.reasons, *news])
    first = suspects[0].fault if suspects else ""
    return file.stem, found.verdict, round(found.seconds, 1), first, words


def write_signatures(
    path: Path = SIGNATURES, names: Sequence[str] = tuple(KERNEL_FAULTS), jobs: int = 2
) -> None:
    """Run kernel faults and store their effects; those not in ``names`` keep what is stored."""
    rows: dict[str, dict[str, Array]] = {}
    if path.is_file() and set(names) != set(KERNEL_FAULTS):
        known = load_signatures(path)
        for i, name in enumerate(known.faults):
            rows[name] = {scene: effects[i] for scene, effects in known.effects.items()}
    for name in names:
        rows[name] = _effects(name, jobs)
        print(name, file=sys.stderr)
    kept = [name for name in KERNEL_FAULTS if name in rows]
    arrays: dict[str, Any] = {
        scene.name: np.array([rows[name][scene.name] for name in kept], np.float32)
        for scene in _STORED
    }
    np.savez_compressed(path, faults=np.array(kept), n=np.array(_SIGNATURE_REPLICATES), **arrays)


def _effects(name: str, jobs: int) -> dict[str, Array]:
    """Return one fault's effects in every scene."""
    n = _SIGNATURE_REPLICATES
    with Sandbox(Target(PREFIX + name), jobs, 300.0) as sandbox:
        sandbox.start()
        plan = Plan(first=n, base=n, most=n)
        outcome = check_invariance(sandbox, _STORED, plan, _SIGNATURE_SEED, no_report)
    return {t.scene.name: t.wealth.effect for t in outcome.tests}


if __name__ == "__main__" and sys.argv[1:2] == ["signatures"]:
    write_signatures(names=sys.argv[2:] or tuple(KERNEL_FAULTS))

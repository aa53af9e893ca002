"""Grade a course: validate every file of a folder, one row of a table for each."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gmmcompare.runtime.errors import GmmCompareError, InputError
from gmmcompare.runtime.files import replacing
from gmmcompare.runtime.progress import Progress, no_progress
from gmmcompare.runtime.tasks import TaskError, Tasks
from gmmcompare.validation.feedback import cannot_run, for_student
from gmmcompare.validation.model_procedure import model_scene
from gmmcompare.validation.remedies import TIME_LIMIT
from gmmcompare.validation.run import DEFAULT_SEED, validate
from gmmcompare.validation.verdict import Validation

COLUMNS = (
    "submission", "verdict", "seconds", "rng", "suspect", "diagnosis", "tested", "notes",
    "feedback",
)  # fmt: skip


def grade(
    folder: str | Path,
    out: str | Path,
    *,
    function: str = "sweep",
    quick: bool = False,
    seed: int = DEFAULT_SEED,
    jobs: int = 2,
    tasks: Tasks | None = None,
    strict: bool = False,
    model: Any = None,
    time_limit: float = TIME_LIMIT,
    each: Callable[[str, Validation], None] | None = None,
    progress: Progress = no_progress,
) -> Path:
    """Validate every Python file of a folder and write one CSV row for each.

    Parameters
    ----------
    folder : path
        Submissions, ``*.py``; each defines ``function``.
    out : path
        The CSV: submission, verdict, seconds, whether it draws from ``rng`` (only, not only or
        never), first suspect, diagnosis, what was tested, what else was noticed, and what to
        tell the student (`feedback.for_student`).
    function : str
        The name of a kernel or a whole sampler.
    quick, seed, jobs, tasks, strict, model
        As in `validate`; a model is built once for all.
    time_limit : float
        Seconds for each submission.
    each : callable, optional
        Is given the name of each submission that could be validated and its validation, as to
        write a page of it.
    progress : callable
        Called with a file's name and 0 before it is validated, 1 afterwards.

    Returns
    -------
    Path
        The CSV.

    Raises
    ------
    InputError
        If the folder has no Python files.
    """
    files = sorted(Path(folder).glob("*.py"))
    if not files:
        raise InputError(f"{folder}: no Python files; give a folder of submissions, one file each")
    options: dict[str, Any] = {"quick": quick, "seed": seed, "jobs": jobs, "tasks": tasks}
    options["time_limit"] = time_limit
    options |= {"strict": strict, "model": None if model is None else model_scene(model, seed)}
    rows = [_row(file, function, options, progress, each) for file in files]
    out = Path(out)
    with replacing(out) as partial, partial.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    return out


def _row(
    file: Path,
    function: str,
    options: dict[str, Any],
    progress: Progress,
    each: Callable[[str, Validation], None] | None,
) -> tuple[object, ...]:
    progress(file.name, 0.0)
    try:
        found = validate(f"{file}:{function}", **options)
    except TaskError:
        raise
    except GmmCompareError as error:
        return file.stem, "failed", 0.0, "", "", str(error), "", "", cannot_run(str(error))
    finally:
        progress(file.name, 1.0)
    if each:
        each(file.stem, found)
    suspects = found.diagnosis.suspects
    first = suspects[0].fault if suspects else ""
    words = "; ".join([*found.reasons, *found.remedies, *found.news.findings])
    said = "; ".join(found.tested), "; ".join(found.notes)
    seconds = round(found.seconds, 1)
    return file.stem, found.verdict, seconds, found.stream, first, words, *said, for_student(found)

"""What a validation would have missed: it is made again of every mutant of the kernel's source."""

from __future__ import annotations

import inspect
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gmmcompare.model.params import Array
from gmmcompare.model.points import flat, one_of
from gmmcompare.runtime.errors import InputError
from gmmcompare.runtime.progress import no_progress
from gmmcompare.validation.checks.habits import path_of
from gmmcompare.validation.checks.scene import Scene
from gmmcompare.validation.checks.usage import RUN
from gmmcompare.validation.mutants import Mutant, mutants_of
from gmmcompare.validation.procedure import KERNEL_CALL_LIMIT, Procedure
from gmmcompare.validation.reasons import Code, Reason
from gmmcompare.validation.sandbox.child import Task
from gmmcompare.validation.sandbox.sandbox import Sandbox
from gmmcompare.validation.sandbox.subject import Subject
from gmmcompare.validation.verdict import Check

_SWEEPS = 40
_SAME = 1e-9
"""Relative difference of draws below which a mutant is the original."""


class Trial(NamedTuple):
    """What became of one mutant, and which checks it did not pass.

    "caught" (it does not pass), "equivalent" (it passes, with the draws of the original) or
    "missed".
    """

    mutant: Mutant
    outcome: str
    by: str = ""


def source_of(sampler: str | Callable[..., Any]) -> tuple[Path, str]:
    """Return the file and the name of the function that mutants are made of.

    Parameters
    ----------
    sampler : str or callable
        ``FILE.py:FUNC``, or a function that is defined in a file.

    Raises
    ------
    InputError
        If there is no such file.
    """
    if isinstance(sampler, str):
        place, _, name = sampler.rpartition(":")
        path = Path(place)
        if path.suffix == ".py" and path.is_file():
            return path, name
    else:
        file = inspect.getsourcefile(sampler) if inspect.isfunction(sampler) else None
        if file and Path(file).is_file():
            return Path(file), sampler.__name__
    raise InputError(
        f"{getattr(sampler, '__name__', sampler)}: mutants are made of a source file; name the "
        "kernel as FILE.py:FUNC"
    )


def check_mutants(procedure: Procedure, sampler: str | Callable[..., Any]) -> Check:
    """Validate every mutant of a kernel that did not fail.

    Parameters
    ----------
    procedure : Procedure
        That of the kernel itself, whose settings and scene all mutants share.
    sampler : str or callable

    Raises
    ------
    InputError
        If the kernel's source is not to be had.
    """
    started = time.perf_counter()
    path, name = source_of(sampler)
    source = path.read_text(encoding="utf-8")
    mutants = mutants_of(source, name, str(path))
    settings = procedure.settings
    alone = replace(settings, jobs=1, out=None, progress=no_progress, tasks=None)
    trials: list[Trial] = []
    with tempfile.TemporaryDirectory(prefix="gmmcompare-") as folder, _importable(path.parent):
        scene = procedure.first_scene
        original = _draws(procedure, scene)

        def tried(numbered: tuple[int, Mutant]) -> Trial:
            number, mutant = numbered
            file = Path(folder) / str(number) / path.name
            file.parent.mkdir()
            file.write_text(mutant.source, encoding="utf-8")
            target = replace(procedure.target, name=f"{file}:{name}", pickled=b"", source=b"")
            return _tried(mutant, procedure.anew(target, alone), scene, original)

        with ThreadPoolExecutor(settings.jobs) as pool:
            for trial in pool.map(tried, enumerate(mutants)):
                trials.append(trial)
                settings.progress("mutants", len(trials) / len(mutants))
    missed = [t.mutant for t in trials if t.outcome == "missed"]
    counted = [t for t in trials if t.outcome != "equivalent"]
    numbers = {
        "caught": len(counted) - len(missed),
        "counted": len(counted),
        "equivalent": len(trials) - len(counted),
        "missed": [
            {"file": path.name, "line": m.line, "change": m.change, "before": m.before,
             "after": m.after}
            for m in missed
        ],
    }  # fmt: skip
    data = {
        "rows": [
            {
                "line": t.mutant.line,
                "change": t.mutant.change,
                "before": t.mutant.before,
                "after": t.mutant.after,
                "outcome": t.outcome,
                "by": t.by,
            }
            for t in trials
        ]
    }
    return Check(
        "mutants",
        "passed",
        (Reason(Code.MUTANTS, numbers),),
        len(trials),
        time.perf_counter() - started,
        data=data,
    )


def _tried(mutant: Mutant, procedure: Procedure, scene: Scene, original: Array) -> Trial:
    found = procedure.validation()
    if found.verdict != "passed":
        by = [check.name for check in found.checks if check.verdict != "passed"]
        return Trial(mutant, "caught", ", ".join(by))
    draws = _draws(procedure, scene)
    same = draws.shape == original.shape and np.allclose(draws, original, _SAME, 0.0)
    return Trial(mutant, "equivalent" if same else "missed")


def _draws(procedure: Procedure, scene: Scene) -> Array:
    """Return where a sampler goes from a few points, with one random stream."""
    drawn = [scene.sample_joint(np.random.default_rng(i), 1) for i in range(3)]
    at = [(one_of(points, 0), one_of(y, 0)) for points, y in drawn]
    with Sandbox(procedure.target, 1, KERNEL_CALL_LIMIT) as sandbox:
        sandbox.start()
        return np.asarray(next(sandbox.run([Task(_paths, {"scene": scene, "at": at})])))


def _paths(subject: Subject, scene: Scene, at: list[tuple[Any, Any]]) -> Array:
    if subject.kind == "kernel":
        return np.vstack([path_of(subject, scene, point, y, 1, _SWEEPS) for point, y in at])
    rng = np.random.default_rng(1)
    return np.vstack([flat(scene.run(subject, y, **RUN, rng=rng)) for _, y in at])


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Let child processes import what lies beside the user's file."""
    sys.path.append(str(folder.resolve()))
    try:
        yield
    finally:
        sys.path.remove(str(folder.resolve()))

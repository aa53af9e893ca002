"""The contract of samplers of any model: they return points, use their data and change nothing.

The first calls find that out, in the child process.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from gmmcompare.model.points import mapped, one_of, same
from gmmcompare.validation.checks.habits import path_of
from gmmcompare.validation.checks.model_scene import ModelScene
from gmmcompare.validation.checks.usage import (
    LENGTHS,
    Usage,
    kernel_usage,
    sampler_usage,
    stream_note,
)
from gmmcompare.validation.reasons import Code, Reason
from gmmcompare.validation.sandbox.child import Task
from gmmcompare.validation.sandbox.model_subject import ModelSubject
from gmmcompare.validation.sandbox.sandbox import TaskRunner
from gmmcompare.validation.sandbox.streams import streams
from gmmcompare.validation.sandbox.subject import BrokenError, SubjectKind
from gmmcompare.validation.verdict import Check


@dataclass(frozen=True)
class ModelContract:
    """What the probes found out.

    Attributes
    ----------
    usage : Usage
    still : tuple of str
        Parameters that no sweep moved.
    """

    usage: Usage
    still: tuple[str, ...] = ()


def check_model_contract(
    sandbox: TaskRunner, kind: SubjectKind, scene: ModelScene, seed: int, strict: bool
) -> tuple[ModelContract, Check]:
    """Make the first calls; return what they found out, and the check.

    Parameters
    ----------
    sandbox : TaskRunner
        Where the sampler under test is called.
    kind : {"kernel", "sampler"}
    scene : ModelScene
    seed : int
    strict : bool
        Whether a sampler that draws from anything but ``rng`` fails.

    Raises
    ------
    BrokenError
        If the sampler breaks the contract.
    """
    started = time.perf_counter()
    at, y, other = scene.first_point(streams(seed, scene.key)[0])
    arguments = {"scene": scene, "at": at, "y": y, "other": other}
    probe = _probe_kernel if kind == "kernel" else _probe_sampler
    contract: ModelContract = next(sandbox.run([Task(probe, arguments)]))
    seconds = time.perf_counter() - started
    if strict and (note := stream_note(contract.usage)):
        return contract, Check("contract", "failed", (note,), seconds=seconds)
    kept = {
        "kind": kind,
        "reproducible": contract.usage.reproducible,
        "vectors": True,
        "stream": contract.usage.stream,
    }
    return contract, Check("contract", "passed", (Reason(Code.CONTRACT_KEPT, kept),), 0, seconds)


def _probe_kernel(
    subject: ModelSubject, scene: ModelScene, at: Any, y: Any, other: Any
) -> ModelContract:
    _check_leaves_theta(subject, at, one_of(y, 0))
    usage = kernel_usage(subject, scene, at, y, other)
    return ModelContract(usage, _still(subject, scene, at, one_of(y, 0)))


def _probe_sampler(
    subject: ModelSubject, scene: ModelScene, at: Any, y: Any, other: Any
) -> ModelContract:
    return ModelContract(sampler_usage(subject, scene, one_of(y, 0), other))


def _check_leaves_theta(subject: ModelSubject, at: Any, y: Any) -> None:
    """Raise if a kernel changes the theta that it is given, whose owner may still need it."""
    rng = np.random.default_rng(1)
    for _ in range(10):
        theta = {name: np.array(value, copy=True)[()] for name, value in at.items()}
        before = mapped(np.copy, theta)
        result = subject.called(np.size(y), theta, mapped(np.copy, y), rng)
        if not same(mapped(np.asarray, theta), before):
            raise BrokenError(
                f"{subject.name}: changes theta in place; work on a copy: theta = dict(theta), and "
                "copy an array before writing into it"
            )
        at = subject.checked(result, at, y)


def _still(subject: ModelSubject, scene: ModelScene, at: Any, y: Any) -> tuple[str, ...]:
    """Return the parameters of which no scalar ever moves."""
    path = path_of(subject, scene, at, y, 1, LENGTHS[-1])
    moved = (path != path[0]).any(axis=0)
    still, column = [], 0
    for name, value in scene.like.items():
        size = np.size(value)
        if not moved[column : column + size].any() and size:
            still.append(name)
        column += size
    return tuple(still)

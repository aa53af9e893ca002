"""The contract: a sampler takes what it is given, uses all of it, and returns valid values.

The first calls find that out, in the child process, and also what it takes (see `domain`): the
scenes of all further checks follow from that.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gmmcompare.model.params import Array, Params
from gmmcompare.validation.checks.domain import Attempt, Domain, Fitted, explore, fit
from gmmcompare.validation.checks.extremes import check_extreme_priors
from gmmcompare.validation.checks.habits import path_of, permutes_labels
from gmmcompare.validation.checks.scenes import MixtureScene, asymmetric
from gmmcompare.validation.checks.usage import (
    LENGTHS,
    RUN,
    Usage,
    ignored,
    kernel_usage,
    sampler_usage,
    stream_note,
)
from gmmcompare.validation.reasons import Code, Reason
from gmmcompare.validation.sandbox.child import Task
from gmmcompare.validation.sandbox.mixture_subject import MixtureSubject
from gmmcompare.validation.sandbox.sandbox import TaskRunner
from gmmcompare.validation.sandbox.streams import streams
from gmmcompare.validation.sandbox.subject import BrokenError, SubjectKind
from gmmcompare.validation.verdict import Check


@dataclass(frozen=True)
class Contract:
    """What the probes found out about a kernel or sampler that works.

    Attributes
    ----------
    scenes : tuple of MixtureScene
        The scenes of its plan in a form that it takes, the main ones first.
    domain : Domain
    refused : tuple of Reason
        What it does not take, and why.
    usage : Usage
    permutes : bool
        Whether components change places where no correct step leads from one to the other.
    """

    scenes: tuple[MixtureScene, ...]
    domain: Domain
    refused: tuple[Reason, ...]
    usage: Usage
    permutes: bool = False


def check_contract(
    sandbox: TaskRunner, kind: SubjectKind, seed: int, strict: bool = False
) -> tuple[Contract, Check]:
    """Make the first calls; return what they found out, and the check.

    Parameters
    ----------
    sandbox : TaskRunner
        Where the sampler under test is called.
    kind : {"kernel", "sampler"}
    seed : int
    strict : bool
        Whether a sampler that draws from anything but ``rng`` fails.

    Raises
    ------
    BrokenError
        If the sampler breaks the contract.
    """
    started = time.perf_counter()
    probe = probe_kernel if kind == "kernel" else probe_sampler
    contract: Contract = next(sandbox.run([Task(probe, {"seed": seed})]))
    seconds = time.perf_counter() - started
    if strict and (note := stream_note(contract.usage)):
        return contract, Check("contract", "failed", (note,), seconds=seconds)
    kept = {
        "kind": kind,
        "reproducible": contract.usage.reproducible,
        "vectors": any(scene.vector for scene in contract.scenes),
        "stream": contract.usage.stream,
    }
    reason = Reason(Code.CONTRACT_KEPT, kept)
    return contract, Check("contract", "passed", (reason,), seconds=seconds)


def probe_kernel(subject: MixtureSubject, seed: int) -> Contract:
    """Call a kernel a few times: see what it takes, and whether it keeps the contract.

    Parameters
    ----------
    subject : MixtureSubject
        A kernel.
    seed : int

    Raises
    ------
    BrokenError
        If it fails in every scene, does not use the state, the data, the priors or ``rng``, or
        replaces values of the priors by others.
    """
    attempt = _attempts(subject, seed)
    domain = explore(attempt)
    fitted = fit(attempt, domain, measured=subject.takes_errors)
    permutes = permutes_labels(subject, fitted.scenes, seed)
    if permutes:
        fitted = fit(attempt, domain, permutes=True, measured=subject.takes_errors)
    scene = fitted.scenes[0]
    ours, _ = streams(seed, scene.key)
    start, y = scene.sample_joint(ours, 2)
    at = Params(*(a[0] for a in start))

    def path(sweeps: int, data: Array, stream: int) -> Array:
        return path_of(subject, scene, at, data, stream, sweeps)

    _check_moves(subject.name, at, np.linspace(-2.0, 2.0, scene.N), path)
    usage = kernel_usage(subject, scene, at, y, y[1] + 5.0)
    if usage.reproducible and _ignores_priors(subject, fitted.scenes, at, y[0]):
        raise BrokenError(
            ignored(subject.name, "the priors") + ", or keeps those of its first call",
            "ignores the priors",
        )
    if usage.reproducible:
        check_extreme_priors(subject, fitted.scenes, seed)

    return Contract(fitted.scenes, domain, _refusals(domain, fitted), usage, permutes)


def probe_sampler(subject: MixtureSubject, seed: int) -> Contract:
    """Run a sampler a few times: see what it takes, and whether it keeps the contract.

    Parameters
    ----------
    subject : MixtureSubject
        A whole sampler.
    seed : int

    Raises
    ------
    BrokenError
        If it fails in every scene, or does not use the data or ``rng``.
    """
    attempt = _attempts(subject, seed)
    domain = explore(attempt, further=False)
    fitted = fit(attempt, domain, only_main=True, measured=subject.takes_errors)
    scene = fitted.scenes[0]
    ours, _ = streams(seed, scene.key)
    _, y = scene.sample_joint(ours, 2)

    usage = sampler_usage(subject, scene, y[0], y[1] + 5.0)
    return Contract(fitted.scenes, domain, _refusals(domain, fitted), usage)


def _attempts(subject: MixtureSubject, seed: int) -> Attempt:
    """Return the function that makes a first call in a scene; each scene is tried once."""
    known: dict[MixtureScene, BrokenError | None] = {}

    def attempt(scene: MixtureScene) -> BrokenError | None:
        if scene not in known:
            try:
                _try(subject, scene, seed)
                known[scene] = None
            except BrokenError as error:
                known[scene] = error
        return known[scene]

    return attempt


def _refusals(domain: Domain, fitted: Fitted) -> tuple[Reason, ...]:
    """Say what was refused and why: sizes, priors that differ, and places that nobody took."""
    reasons = []
    if domain.refused_sizes:
        error = domain.errors["K"]
        numbers = {"sizes": list(domain.refused_sizes), "what": error.what, "message": str(error)}
        reasons.append(Reason(Code.SIZES_REFUSED, numbers))
    if "vectors" in domain.errors:
        reasons.append(_refusal(asymmetric(domain.K), domain.errors["vectors"]))
    reasons += [_refusal(scene, error) for scene, error in fitted.refused]
    return tuple(reasons)


def _refusal(scene: MixtureScene, error: BrokenError) -> Reason:
    numbers = {"scene": scene.name, "vector": scene.vector}
    return Reason(Code.REFUSED, {**numbers, "what": error.what, "message": str(error)})


def _try(subject: MixtureSubject, scene: MixtureScene, seed: int) -> None:
    ours, theirs = streams(seed, scene.key, 0)
    at, y = scene.one_point(ours)
    if subject.kind == "kernel":
        scene.sweep(subject, at, y, theirs)
    else:
        scene.run(subject, y, **RUN, rng=theirs)


def _check_moves(name: str, at: Params, y: Array, path: Callable[[int, Array, int], Array]) -> None:
    for n in LENGTHS:
        moved = [
            (values != old).any() or (old == 1.0).all()  # the weight of one component
            for values, old in zip(path(n, y, 1).reshape(n, 3, -1).swapaxes(0, 1), at, strict=True)
        ]
        if all(moved):
            return
    parameter = at._fields[moved.index(False)]
    raise BrokenError(
        f"{name}: {LENGTHS[-1]} sweeps leave {parameter} exactly as it was; return the new "
        f"{parameter}, not the old one",
        "does not move",
    )


def _ignores_priors(
    subject: MixtureSubject, scenes: Sequence[MixtureScene], at: Params, y: Array
) -> bool:
    """Whether a chain is the same under another prior for the same number of components."""
    first = scenes[0]
    other = next((s for s in scenes[1:] if s.K == first.K), None)
    return other is not None and all(
        np.array_equal(path_of(subject, first, at, y, 1, n), path_of(subject, other, at, y, 1, n))
        for n in LENGTHS
    )

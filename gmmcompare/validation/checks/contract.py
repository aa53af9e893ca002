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
from gmmcompare.validation.checks.habits import (
    Stream,
    path_of,
    permutes_labels,
    remembers,
    stream_of,
)
from gmmcompare.validation.checks.scenes import Scene, asymmetric
from gmmcompare.validation.reasons import Code, Reason
from gmmcompare.validation.sandbox.child import Task
from gmmcompare.validation.sandbox.sandbox import TaskRunner
from gmmcompare.validation.sandbox.streams import seed_global_streams, streams
from gmmcompare.validation.sandbox.subject import BrokenError, Subject, SubjectKind
from gmmcompare.validation.verdict import Check

_FEW = 10
_LENGTHS = (1, 10, 500)


@dataclass(frozen=True)
class Contract:
    """What the probes found out about a kernel or sampler that works.

    Attributes
    ----------
    scenes : tuple of Scene
        The scenes of its plan in a form that it takes, the main ones first.
    domain : Domain
    refused : tuple of Reason
        What it does not take, and why.
    reproducible : bool
        Whether the same ``rng`` gives the same result.
    remembers : bool
        Whether a result depends on earlier calls.
    stream : "only", "not only" or "never"
        Whether it draws from ``rng``.
    permutes : bool
        Whether components change places where no correct step leads from one to the other.
    """

    scenes: tuple[Scene, ...]
    domain: Domain
    refused: tuple[Reason, ...] = ()
    reproducible: bool = True
    remembers: bool = False
    stream: Stream = "only"
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
    if strict and (note := stream_note(contract)):
        return contract, Check("contract", "failed", (note,), seconds=seconds)
    kept = {
        "kind": kind,
        "reproducible": contract.reproducible,
        "vectors": any(scene.vector for scene in contract.scenes),
        "stream": contract.stream,
    }
    reason = Reason(Code.CONTRACT_KEPT, kept)
    return contract, Check("contract", "passed", (reason,), seconds=seconds)


def stream_note(contract: Contract) -> Reason | None:
    """Say so where a sampler draws from anything but its ``rng``."""
    if contract.stream == "never":
        return Reason(Code.RNG_UNUSED)
    if not contract.reproducible:
        return Reason(Code.NOT_REPRODUCIBLE)
    return Reason(Code.RNG_NOT_ALONE) if contract.stream == "not only" else None


def probe_kernel(subject: Subject, seed: int) -> Contract:
    """Call a kernel a few times: see what it takes, and whether it keeps the contract.

    Parameters
    ----------
    subject : Subject
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
    fitted = fit(attempt, domain)
    permutes = permutes_labels(subject, fitted.scenes, seed)
    if permutes:
        fitted = fit(attempt, domain, permutes=True)
    scene = fitted.scenes[0]
    ours, _ = streams(seed, scene.key)
    start, y = scene.sample_joint(ours, 2)
    at = Params(*(a[0] for a in start))

    def path(sweeps: int, data: Array, stream: int) -> Array:
        return path_of(subject, scene, at, data, stream, sweeps)

    _check_moves(subject.name, at, np.linspace(-2.0, 2.0, scene.N), path)
    reproducible = np.array_equal(path(_FEW, y[0], 1), path(_FEW, y[0], 1))
    if _same(path, (y[0], 1), (y[0], 2)):
        raise BrokenError(_hidden_seed(subject.name), "hidden seed")
    if reproducible and _same(path, (y[0], 1), (y[1] + 5.0, 1)):
        raise BrokenError(_ignored(subject.name, "the data y"), "ignores the data")
    if reproducible and _ignores_priors(subject, fitted.scenes, at, y[0]):
        raise BrokenError(
            _ignored(subject.name, "the priors") + ", or keeps those of its first call",
            "ignores the priors",
        )
    if reproducible:
        check_extreme_priors(subject, fitted.scenes, seed)

    def few_sweeps(rng: np.random.Generator) -> Array:
        moved = at
        for _ in range(_FEW):
            moved = subject.sweep(moved, y[0].copy(), scene.priors, rng)
        return np.concatenate(moved)

    return Contract(
        fitted.scenes,
        domain,
        _refusals(domain, fitted),
        reproducible,
        reproducible and remembers(subject, scene, at, y),
        stream_of(few_sweeps, reproducible),
        permutes,
    )


def probe_sampler(subject: Subject, seed: int) -> Contract:
    """Run a sampler a few times: see what it takes, and whether it keeps the contract.

    Parameters
    ----------
    subject : Subject
        A whole sampler.
    seed : int

    Raises
    ------
    BrokenError
        If it fails in every scene, or does not use the data or ``rng``.
    """
    attempt = _attempts(subject, seed)
    domain = explore(attempt, further=False)
    fitted = fit(attempt, domain, only_main=True)
    scene = fitted.scenes[0]
    ours, _ = streams(seed, scene.key)
    _, y = scene.sample_joint(ours, 2)

    def run(data: Array, rng: np.random.Generator) -> Array:
        return np.concatenate(
            subject.run(data, scene.K, scene.priors, draws=40, warmup=20, chains=4, rng=rng)
        )

    def once(data: Array, stream: int) -> Array:
        seed_global_streams(np.random.default_rng(stream))
        return run(data, np.random.default_rng(stream))

    first, again, other = (once(y[0], stream) for stream in (1, 1, 2))
    reproducible = np.array_equal(first, again)
    if np.array_equal(first, other):
        raise BrokenError(_hidden_seed(subject.name), "hidden seed")
    if reproducible and np.array_equal(first, once(y[1] + 5.0, 1)):
        raise BrokenError(_ignored(subject.name, "the data y"), "ignores the data")
    stream = stream_of(lambda rng: run(y[0], rng), reproducible)
    refused = _refusals(domain, fitted)
    return Contract(fitted.scenes, domain, refused, reproducible, stream=stream)


def _attempts(subject: Subject, seed: int) -> Attempt:
    """Return the function that makes a first call in a scene; each scene is tried once."""
    known: dict[Scene, BrokenError | None] = {}

    def attempt(scene: Scene) -> BrokenError | None:
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


def _refusal(scene: Scene, error: BrokenError) -> Reason:
    numbers = {"scene": scene.name, "vector": scene.vector}
    return Reason(Code.REFUSED, {**numbers, "what": error.what, "message": str(error)})


def _try(subject: Subject, scene: Scene, seed: int) -> None:
    ours, theirs = streams(seed, scene.key, 0)
    at, y = scene.one_point(ours)
    if subject.kind == "kernel":
        subject.sweep(at, y, scene.priors, theirs)
    else:
        subject.run(y, scene.K, scene.priors, draws=40, warmup=20, chains=4, rng=theirs)


def _same(
    path: Callable[[int, Array, int], Array], one: tuple[Array, int], other: tuple[Array, int]
) -> bool:
    """Whether two chains stay the same; longer and longer, as a sweep may be a rejected step."""
    return all(np.array_equal(path(n, *one), path(n, *other)) for n in _LENGTHS)


def _check_moves(name: str, at: Params, y: Array, path: Callable[[int, Array, int], Array]) -> None:
    for n in _LENGTHS:
        moved = [
            (values != old).any() or (old == 1.0).all()  # the weight of one component
            for values, old in zip(path(n, y, 1).swapaxes(0, 1), at, strict=True)
        ]
        if all(moved):
            return
    parameter = at._fields[moved.index(False)]
    raise BrokenError(
        f"{name}: {_LENGTHS[-1]} sweeps leave {parameter} exactly as it was; return the new "
        f"{parameter}, not the old one",
        "does not move",
    )


def _ignored(name: str, what: str) -> str:
    return f"{name}: gives the same result whatever {what}: it does not use it"


def _ignores_priors(subject: Subject, scenes: Sequence[Scene], at: Params, y: Array) -> bool:
    """Whether a chain is the same under another prior for the same number of components."""
    first = scenes[0]
    other = next((s for s in scenes[1:] if s.K == first.K), None)
    return other is not None and all(
        np.array_equal(path_of(subject, first, at, y, 1, n), path_of(subject, other, at, y, 1, n))
        for n in _LENGTHS
    )


def _hidden_seed(name: str) -> str:
    return (
        f"{name}: gives the same draws for different rng: it has a seed of its own; draw from the "
        "rng it is given, and seed nothing inside"
    )

"""The contract: a sampler takes what it is given, uses all of it, and returns valid values.

The first calls find that out, in the child process, and also which scenes it accepts and in which
form: with numbers or with vectors as priors.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gmmcompare.model.params import Array, Params
from gmmcompare.validation.checks.scenes import SCENES, Scene
from gmmcompare.validation.reasons import Code, Reason
from gmmcompare.validation.sandbox.child import Task
from gmmcompare.validation.sandbox.sandbox import TaskRunner
from gmmcompare.validation.sandbox.streams import seed_global_streams, streams
from gmmcompare.validation.sandbox.subject import BrokenError, Subject, SubjectKind
from gmmcompare.validation.verdict import Check

_MEMORY_SWEEPS = 30
_FEW = 10
_LENGTHS = (1, 10, 500)


@dataclass(frozen=True)
class Contract:
    """What the probes found out about a kernel or sampler that works.

    Attributes
    ----------
    scenes : tuple of Scene
        The scenes in a form that it accepts.
    refused : tuple of Reason
        Scenes that it does not accept, and why.
    reproducible : bool
        Whether the same ``rng`` gives the same result.
    remembers : bool
        Whether a result depends on earlier calls.
    """

    scenes: tuple[Scene, ...]
    refused: tuple[Reason, ...] = ()
    reproducible: bool = True
    remembers: bool = False


def check_contract(sandbox: TaskRunner, kind: SubjectKind, seed: int) -> tuple[Contract, Check]:
    """Make the first calls; return what they found out, and the check.

    Parameters
    ----------
    sandbox : TaskRunner
        Where the sampler under test is called.
    kind : {"kernel", "sampler"}
    seed : int

    Raises
    ------
    BrokenError
        If the sampler breaks the contract.
    """
    started = time.perf_counter()
    probe = probe_kernel if kind == "kernel" else probe_sampler
    # To try a whole sampler on another size may mean to compile it again.
    scenes = SCENES if kind == "kernel" else tuple(s for s in SCENES if s.main)
    contract: Contract = next(sandbox.run([Task(probe, {"scenes": scenes, "seed": seed})]))
    kept = {
        "kind": kind,
        "reproducible": contract.reproducible,
        "vectors": any(scene.vector for scene in contract.scenes),
    }
    seconds = time.perf_counter() - started
    reason = Reason(Code.CONTRACT_KEPT, kept)
    return contract, Check("contract", "passed", (reason,), seconds=seconds)


def probe_kernel(subject: Subject, scenes: tuple[Scene, ...], seed: int) -> Contract:
    """Call a kernel a few times and see whether it keeps the contract.

    Parameters
    ----------
    subject : Subject
        A kernel.
    scenes : tuple of Scene
        Where it is tried.
    seed : int

    Raises
    ------
    BrokenError
        If it fails in every scene, or does not use the state, the data, the priors or ``rng``.
    """
    accepted, refused = _accepted(subject, scenes, seed)
    scene = accepted[0]
    ours, _ = streams(seed, scene.key)
    start, y = scene.sample_joint(ours, 2)
    at = Params(*(a[0] for a in start))

    def path(sweeps: int, data: Array, stream: int) -> Array:
        return _path(subject, scene, at, data, stream, sweeps)

    _check_moves(subject.name, at, path)
    reproducible = np.array_equal(path(_FEW, y[0], 1), path(_FEW, y[0], 1))
    if _same(path, (y[0], 1), (y[0], 2)):
        raise BrokenError(_hidden_seed(subject.name), "hidden seed")
    if reproducible and _same(path, (y[0], 1), (y[1] + 5.0, 1)):
        raise BrokenError(_ignored(subject.name, "the data y"), "ignores the data")
    if reproducible and _ignores_priors(subject, accepted, at, y[0]):
        raise BrokenError(
            _ignored(subject.name, "the priors") + ", or keeps those of its first call",
            "ignores the priors",
        )
    remembers = reproducible and _remembers(subject, scene, at, y)
    return Contract(tuple(accepted), tuple(refused), reproducible, remembers)


def probe_sampler(subject: Subject, scenes: tuple[Scene, ...], seed: int) -> Contract:
    """Run a sampler a few times and see whether it keeps the contract.

    Parameters
    ----------
    subject : Subject
        A whole sampler.
    scenes : tuple of Scene
        Where it is tried.
    seed : int

    Raises
    ------
    BrokenError
        If it fails in every scene, or does not use the data or ``rng``.
    """
    accepted, refused = _accepted(subject, scenes, seed)
    scene = accepted[0]
    ours, _ = streams(seed, scene.key)
    _, y = scene.sample_joint(ours, 2)

    def once(data: Array, stream: int) -> Array:
        rng = np.random.default_rng(stream)
        seed_global_streams(np.random.default_rng(stream))
        return np.concatenate(
            subject.run(data, scene.K, scene.priors, draws=40, warmup=20, chains=4, rng=rng)
        )

    first, again, other = (once(y[0], stream) for stream in (1, 1, 2))
    reproducible = np.array_equal(first, again)
    if np.array_equal(first, other):
        raise BrokenError(_hidden_seed(subject.name), "hidden seed")
    if reproducible and np.array_equal(first, once(y[1] + 5.0, 1)):
        raise BrokenError(_ignored(subject.name, "the data y"), "ignores the data")
    return Contract(tuple(accepted), tuple(refused), reproducible)


def _accepted(
    subject: Subject, scenes: tuple[Scene, ...], seed: int
) -> tuple[list[Scene], list[Reason]]:
    """Return each scene with numbers or vectors as priors, whichever is accepted, and the rest."""
    accepted: list[Scene] = []
    refused: list[Reason] = []
    first: BrokenError | None = None
    for scene in scenes:
        if scene.instead_of in {s.name for s in accepted}:
            continue
        forms = [scene] if scene.vector else [scene, scene.expanded()]
        for form in forms:
            try:
                _try(subject, form, seed)
                accepted.append(form)
                break
            except BrokenError as error:
                first = first or error
                if form is forms[-1]:
                    refused.append(_refusal(scene, error))
    if not accepted and first is not None:
        raise first
    return accepted, refused


def _refusal(scene: Scene, error: BrokenError) -> Reason:
    numbers = {"scene": scene.name, "vector": scene.vector}
    return Reason(Code.REFUSED, {**numbers, "what": error.what, "message": str(error)})


def _try(subject: Subject, scene: Scene, seed: int) -> None:
    ours, theirs = streams(seed, scene.key, 0)
    start, y = scene.sample_joint(ours, 1)
    if subject.kind == "kernel":
        subject.sweep(Params(*(a[0] for a in start)), y[0], scene.priors, theirs)
    else:
        subject.run(y[0], scene.K, scene.priors, draws=40, warmup=20, chains=4, rng=theirs)


def _path(
    subject: Subject, scene: Scene, at: Params, data: Array, stream: int, sweeps: int
) -> Array:
    """Return where so many sweeps lead, shape (sweeps, 3, K)."""
    rng = np.random.default_rng(stream)
    seed_global_streams(np.random.default_rng(stream))
    out = np.empty((sweeps, 3, scene.K))
    for i in range(sweeps):
        at = subject.sweep(at, data.copy(), scene.priors, rng)
        out[i] = at
    return out


def _same(
    path: Callable[[int, Array, int], Array], one: tuple[Array, int], other: tuple[Array, int]
) -> bool:
    """Whether two chains stay the same; longer and longer, as a sweep may be a rejected step."""
    return all(np.array_equal(path(n, *one), path(n, *other)) for n in _LENGTHS)


def _check_moves(name: str, at: Params, path: Callable[[int, Array, int], Array]) -> None:
    y = np.linspace(-2.0, 2.0, 12)
    for n in _LENGTHS:
        moved = [
            (values != old).any()
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
        np.array_equal(_path(subject, first, at, y, 1, n), _path(subject, other, at, y, 1, n))
        for n in _LENGTHS
    )


def _remembers(subject: Subject, scene: Scene, at: Params, y: Array) -> bool:
    """Whether some sweep of a chain differs from the same sweep made on its own."""

    def once(point: Params, data: Array, stream: int) -> Params:
        return Params(*_path(subject, scene, point, data, stream, 1)[0])

    for stream in range(_MEMORY_SWEEPS):
        there = once(at, y[0], 1000 + stream)
        in_chain = once(there, y[0], stream)
        once(at, y[1], stream)
        if not np.array_equal(in_chain, once(there, y[0], stream)):
            return True
        at = there
    return False


def _hidden_seed(name: str) -> str:
    return (
        f"{name}: gives the same draws for different rng: it has a seed of its own; draw from the "
        "rng it is given, and seed nothing inside"
    )

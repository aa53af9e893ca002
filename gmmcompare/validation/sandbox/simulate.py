"""What the child process does: probes of a sampler's contract, and replicates of the tests.

Every function takes the `Subject` first and arrays besides, and gives arrays back: what is made of
them is the parent's business.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gmmcompare.model.params import Array, Params
from gmmcompare.validation.checks.scenes import Scene
from gmmcompare.validation.sandbox.child import seed_global_streams
from gmmcompare.validation.sandbox.subject import BrokenError, Subject

_MEMORY_SWEEPS = 30
_FEW = 10
_LENGTHS = (1, 10, 500)


class Replicates(NamedTuple):
    """Draws of the joint distribution and where a kernel took them.

    ``start``, ``first`` and ``last`` are parameters (n, K) before, after one and after all sweeps;
    ``y`` is (n, N).
    """

    start: Params
    y: Array
    first: Params
    last: Params


@dataclass(frozen=True)
class Contract:
    """What the probes found out about a kernel or sampler that works.

    Attributes
    ----------
    scenes : tuple of Scene
        The scenes in a form that it accepts.
    refused : tuple of str
        Scenes that it does not accept, with the reason.
    reproducible : bool
        Whether the same ``rng`` gives the same result.
    remembers : bool
        Whether a result depends on earlier calls.
    """

    scenes: tuple[Scene, ...]
    refused: tuple[str, ...] = ()
    reproducible: bool = True
    remembers: bool = False


def streams(seed: int, *key: int) -> tuple[np.random.Generator, np.random.Generator]:
    """Return the test's own random stream and the sampler's, for one block of replicates."""
    children = np.random.SeedSequence(seed, spawn_key=key).spawn(2)
    return np.random.default_rng(children[0]), np.random.default_rng(children[1])


def kernel_replicates(subject: Subject, scene: Scene, seed: int, block: int, n: int) -> Replicates:
    """Make n replicates of the invariance test (Gandy and Scott 2020, algorithm 1)."""
    ours, theirs = streams(seed, _key(scene), block)
    seed_global_streams(ours)
    start, y = scene.sample_joint(ours, n)
    first, last = (Params(*(np.empty_like(a) for a in start)) for _ in range(2))
    for i in range(n):
        data = y[i].copy()
        at = Params(*(a[i] for a in start))
        for sweep in range(scene.sweeps):
            at = subject.sweep(at, data, scene.priors, theirs)
            if sweep == 0:
                _store(first, i, at)
        _store(last, i, at)
        if not np.array_equal(data, y[i]):
            raise BrokenError(_changes_y(subject.name))
    return Replicates(start, y, first, last)


def kernel_chains(
    subject: Subject, scene: Scene, y: Array, seed: int, block: int, n: int, warmup: int, draws: int
) -> Params:
    """Run n independent chains on one data set from draws of the prior; arrays (n, draws, K)."""
    ours, theirs = streams(seed, _key(scene), block)
    seed_global_streams(ours)
    start, _ = scene.sample_joint(ours, n)
    out = Params(*(np.empty((n, draws, scene.K)) for _ in Params._fields))
    for i in range(n):
        data = y.copy()
        at = Params(*(a[i] for a in start))
        for sweep in range(-warmup, draws):
            at = subject.sweep(at, data, scene.priors, theirs)
            if sweep >= 0:
                for kept, value in zip(out, at, strict=True):
                    kept[i, sweep] = value
        if not np.array_equal(data, y):
            raise BrokenError(_changes_y(subject.name))
    return out


def sampler_run(
    subject: Subject,
    scene: Scene,
    y: Array,
    seed: int,
    block: int,
    draws: int,
    warmup: int,
    chains: int,
) -> Params:
    """Make one whole run on given data; arrays (chains, draws, K)."""
    ours, theirs = streams(seed, _key(scene), block)
    seed_global_streams(ours)
    return subject.run(y, scene.K, scene.priors, draws, warmup, chains, theirs)


def probe_kernel(subject: Subject, scenes: tuple[Scene, ...], seed: int) -> Contract:
    """Call a kernel a few times and see whether it keeps the contract.

    Raises
    ------
    BrokenError
        If it fails in every scene, or does not use the state, the data, the priors or ``rng``.
    """
    accepted, refused = _accepted(subject, scenes, seed)
    scene = accepted[0]
    ours, _ = streams(seed, _key(scene))
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

    Raises
    ------
    BrokenError
        If it fails in every scene, or does not use the data or ``rng``.
    """
    accepted, refused = _accepted(subject, scenes, seed)
    scene = accepted[0]
    ours, _ = streams(seed, _key(scene))
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


def _key(scene: Scene) -> int:
    return int.from_bytes(scene.name.encode()[:4])


def _store(into: Params, i: int, at: Params) -> None:
    for array, value in zip(into, at, strict=True):
        array[i] = value


def _accepted(
    subject: Subject, scenes: tuple[Scene, ...], seed: int
) -> tuple[list[Scene], list[str]]:
    """Return each scene with numbers or vectors as priors, whichever is accepted, and the rest."""
    accepted: list[Scene] = []
    refused: list[str] = []
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
                    hint = "; priors may be arrays: use priors.mean_loc[k]" if scene.vector else ""
                    refused.append(f"the {scene.name} prior: {error}{hint}")
    if not accepted and first is not None:
        raise first
    return accepted, refused


def _try(subject: Subject, scene: Scene, seed: int) -> None:
    ours, theirs = streams(seed, _key(scene), 0)
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


def _changes_y(name: str) -> str:
    return f"{name}: changes y in place; work on a copy: y = y.copy()"


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

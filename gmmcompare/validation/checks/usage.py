"""How a sampler uses what it is given, whatever the model: seen in a few calls, in the child."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from gmmcompare.model.params import Array
from gmmcompare.model.points import flat, mapped, one_of
from gmmcompare.validation.checks.habits import Stream, path_of, remembers, stream_of
from gmmcompare.validation.checks.scene import Scene
from gmmcompare.validation.reasons import Code, Reason
from gmmcompare.validation.sandbox.streams import seed_global_streams
from gmmcompare.validation.sandbox.subject import BrokenError, Subject

_FEW = 10
LENGTHS = (1, 10, 500)
"""Longer and longer chains, as a sweep may be a step that is rejected."""
RUN = {"draws": 40, "warmup": 20, "chains": 4}
"""Of a whole sampler's first runs."""


class Usage(NamedTuple):
    """What a few calls showed.

    ``reproducible``: the same ``rng`` gives the same result; ``remembers``: a result depends on
    earlier calls; ``stream``: whether it draws from ``rng`` only, not only or never.
    """

    reproducible: bool = True
    remembers: bool = False
    stream: Stream = "only"


def stream_note(usage: Usage) -> Reason | None:
    """Say so where a sampler draws from anything but its ``rng``."""
    if usage.stream == "never":
        return Reason(Code.RNG_UNUSED)
    if not usage.reproducible:
        return Reason(Code.NOT_REPRODUCIBLE)
    return Reason(Code.RNG_NOT_ALONE) if usage.stream == "not only" else None


def kernel_usage(subject: Subject, scene: Scene, at: Any, y: Any, other: Any) -> Usage:
    """Call a kernel a few times.

    Parameters
    ----------
    subject : Subject
        A kernel.
    scene : Scene
    at : point
        Where it starts.
    y : two data sets
        A batch of them.
    other : one data set
        One that is quite different.

    Raises
    ------
    BrokenError
        If it uses a seed of its own or no data.
    """
    data = one_of(y, 0)

    def path(sweeps: int, data: Any, stream: int) -> Array:
        return path_of(subject, scene, at, data, stream, sweeps)

    reproducible = np.array_equal(path(_FEW, data, 1), path(_FEW, data, 1))
    if same_paths(path, (data, 1), (data, 2)):
        raise BrokenError(_hidden_seed(subject.name), "hidden seed")
    if reproducible and same_paths(path, (data, 1), (other, 1)):
        raise BrokenError(ignored(subject.name, "the data y"), "ignores the data")

    def few_sweeps(rng: np.random.Generator) -> Array:
        moved = at
        for _ in range(_FEW):
            moved = scene.sweep(subject, moved, mapped(np.copy, data), rng)
        return flat(mapped(lambda a: np.asarray(a)[None], moved))

    return Usage(
        reproducible,
        reproducible and remembers(subject, scene, at, y),
        stream_of(few_sweeps, reproducible),
    )


def sampler_usage(subject: Subject, scene: Scene, y: Any, other: Any) -> Usage:
    """Run a whole sampler a few times.

    Parameters
    ----------
    subject : Subject
        A whole sampler.
    scene : Scene
    y, other : one data set
        Two that are quite different.

    Raises
    ------
    BrokenError
        If it uses a seed of its own or no data.
    """

    def run(data: Any, rng: np.random.Generator) -> Array:
        return flat(scene.run(subject, data, **RUN, rng=rng))

    def once(data: Any, stream: int) -> Array:
        seed_global_streams(np.random.default_rng(stream))
        return run(data, np.random.default_rng(stream))

    first, again, another = (once(y, stream) for stream in (1, 1, 2))
    reproducible = np.array_equal(first, again)
    if np.array_equal(first, another):
        raise BrokenError(_hidden_seed(subject.name), "hidden seed")
    if reproducible and np.array_equal(first, once(other, 1)):
        raise BrokenError(ignored(subject.name, "the data y"), "ignores the data")
    return Usage(reproducible, stream=stream_of(lambda rng: run(y, rng), reproducible))


def same_paths(
    path: Callable[[int, Any, int], Array], one: tuple[Any, int], other: tuple[Any, int]
) -> bool:
    """Whether two chains stay the same however long they are.

    Parameters
    ----------
    path : callable
        ``path(sweeps, data, stream)``, where the sweeps lead.
    one, other : tuple
        Data and stream of each.
    """
    return all(np.array_equal(path(n, *one), path(n, *other)) for n in LENGTHS)


def ignored(name: str, what: str) -> str:
    """Say that a sampler does not use something."""
    return f"{name}: gives the same result whatever {what}: it does not use it"


def _hidden_seed(name: str) -> str:
    return (
        f"{name}: gives the same draws for different rng: it has a seed of its own; draw from the "
        "rng it is given, and seed nothing inside"
    )

"""What a sampler does that no theorem forbids but its users should know: seen in a few calls.

From which random stream it draws, what it keeps from call to call, and whether labels change places
inside a sweep.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from gmmcompare.model.params import Array
from gmmcompare.model.points import flat, mapped, one_of, same
from gmmcompare.validation.checks.scene import Scene
from gmmcompare.validation.checks.scenes import MixtureScene
from gmmcompare.validation.sandbox.mixture_subject import MixtureSubject
from gmmcompare.validation.sandbox.streams import seed_global_streams, streams
from gmmcompare.validation.sandbox.subject import BrokenError, Subject

_MEMORY_SWEEPS = 30
_LABEL_SWEEPS = 200

Stream = Literal["only", "not only", "never"]
"""Whether a sampler draws from ``rng`` only, from other streams as well, or never from it."""


def path_of(subject: Subject, scene: Scene, at: Any, data: Any, stream: int, sweeps: int) -> Array:
    """Return where so many sweeps lead, shape (sweeps, scalars).

    Parameters
    ----------
    subject : Subject
        A kernel.
    scene : Scene
    at : point
        Where it starts.
    data : one data set
    stream : int
        Seed of ``rng``, and of what it may draw from besides.
    sweeps : int

    Raises
    ------
    BrokenError
        If a sweep fails.
    """
    rng = np.random.default_rng(stream)
    seed_global_streams(np.random.default_rng(stream))
    out = []
    for _ in range(sweeps):
        at = scene.sweep(subject, at, mapped(np.copy, data), rng)
        out.append(flat(mapped(lambda a: np.asarray(a)[None], at))[0])
    return np.array(out)


def stream_of(draw: Callable[[np.random.Generator], Array], reproducible: bool) -> Stream:
    """Say whether draws come from the ``rng`` that is handed in, from others, or from both."""
    results, touched = [], False
    for elsewhere in (1, 2):
        seed_global_streams(np.random.default_rng(elsewhere))
        rng = np.random.default_rng(1)
        before = _state(rng)
        results.append(draw(rng))
        touched = touched or _state(rng) != before
    if not touched:
        return "never"
    return "only" if reproducible and np.array_equal(results[0], results[1]) else "not only"


def _state(rng: np.random.Generator) -> tuple[str, int]:
    """Return what changes when an ``rng`` draws, or has children that do."""
    seeds = rng.bit_generator.seed_seq
    return str(rng.bit_generator.state), int(getattr(seeds, "n_children_spawned", 0))


def permutes_labels(subject: MixtureSubject, scenes: Sequence[MixtureScene], seed: int) -> bool:
    """Whether components change places for no reason: where they are a thousand sds apart.

    A kernel that fails there is judged by the checks to come.

    Parameters
    ----------
    subject : Subject
        A kernel.
    scenes : sequence of Scene
        Of which that with given data is used.
    seed : int
    """
    scene = next((s for s in scenes if s.data), None)
    if scene is None or scene.K == 1:
        return False
    ours, _ = streams(seed, scene.key)
    at, y = scene.one_point(ours)
    try:
        path = path_of(subject, scene, at, y, 1, _LABEL_SWEEPS)
    except BrokenError:
        return False
    means = path[:, scene.K : 2 * scene.K]
    return len({tuple(order) for order in np.argsort(means, axis=1)}) > 1


def remembers(subject: Subject, scene: Scene, at: Any, y: Any) -> bool:
    """Whether some sweep of a chain differs from the same sweep made on its own.

    Parameters
    ----------
    subject : Subject
        A kernel that repeats its draws.
    scene : Scene
    at : point
        Where it starts.
    y : two data sets
        A batch of them.
    """
    one, other = one_of(y, 0), one_of(y, 1)

    def once(point: Any, data: Any, stream: int) -> Any:
        rng = np.random.default_rng(stream)
        seed_global_streams(np.random.default_rng(stream))
        return scene.sweep(subject, point, mapped(np.copy, data), rng)

    for stream in range(_MEMORY_SWEEPS):
        there = once(at, one, 1000 + stream)
        in_chain = once(there, one, stream)
        once(at, other, stream)
        if not same(in_chain, once(there, one, stream)):
            return True
        at = there
    return False

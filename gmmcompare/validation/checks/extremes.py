"""Whether a kernel uses a prior as it is, even one that is nearly improper.

Authors put limits under or over values that they think numerically unsafe: a var_shape of at least
0.01, a mean_sd of at most ten standard deviations of the data. Our default prior lies beyond both.
On most data the error is too small to be seen in draws, but it is certain: whatever the value
beyond the limit, the draws are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from gmmcompare.validation.checks.habits import path_of
from gmmcompare.validation.checks.scenes import MixtureScene
from gmmcompare.validation.sandbox.mixture_subject import MixtureSubject
from gmmcompare.validation.sandbox.streams import streams
from gmmcompare.validation.sandbox.subject import BrokenError

_SMALL_STEP = 1.001
_TRIES = 20
_LONG = 200


class _Step(NamedTuple):
    """A field of the prior, two values at the edge of what is usual, and one in the middle."""

    field: str
    edge: tuple[float, float]
    middle: float
    tied: bool = True


_STEPS = (
    _Step("weight_concentration", (0.01, 0.02), 2.0),
    _Step("mean_sd", (30.0, 60.0), 1.5, tied=False),
    _Step("var_shape", (1e-4, 9e-3), 3.0),
    _Step("var_scale", (1e-4, 9e-4), 1.0),
)
"""Of our default priors and a little further in; each step is a part in a thousand of what it is
added to or more, which single precision shows."""


def check_extreme_priors(
    subject: MixtureSubject, scenes: Sequence[MixtureScene], seed: int
) -> None:
    """Raise where a kernel replaces values of the prior that it thinks too small or too large.

    Its sweeps are then the same, bit for bit, for two values at the edge, though for any other
    value a step of a part in a thousand shows in every sweep. (In a Metropolis step, whose
    proposals are accepted or not, so small a step does not show; nothing is then said. Nor is it
    where a kernel does not take such values.)

    Parameters
    ----------
    subject : MixtureSubject
        A kernel that repeats its draws.
    scenes : sequence of MixtureScene
        In the form that it takes.
    seed : int

    Raises
    ------
    BrokenError
        If it replaces a value.
    """
    for step in _STEPS:
        scene = next((s for s in scenes if bool(s.data) == step.tied), None)
        if scene is None:
            continue
        middle = step.middle, step.middle * _SMALL_STEP
        with suppress(BrokenError):
            replaced = _insensitive(subject, scene, step.field, step.edge, seed) and not _any_equal(
                subject, scene, step.field, middle, seed
            )
            if replaced:
                break
    else:
        return
    one, other = step.edge
    raise BrokenError(
        f"{subject.name}: gives the same result for {step.field} = {one:g} and {other:g}, though "
        f"not for {middle[0]:g} and {middle[1]:g}: it replaces such values by another (a limit?); "
        "use priors as they are",
        "replaces a prior",
    )


def _insensitive(
    subject: MixtureSubject, scene: MixtureScene, field: str, values: tuple[float, float], seed: int
) -> bool:
    """Whether no sweep shows which of two values a field of the prior has."""
    return all(
        _alike(_under(scene, field, values), subject, seed, stream, sweeps)
        for stream, sweeps in [*((s, 1) for s in range(_TRIES)), (0, _LONG)]
    )


def _any_equal(
    subject: MixtureSubject, scene: MixtureScene, field: str, values: tuple[float, float], seed: int
) -> bool:
    """Whether some single sweep does not show it."""
    return any(
        _alike(_under(scene, field, values), subject, seed, stream, 1) for stream in range(_TRIES)
    )


def _under(scene: MixtureScene, field: str, values: tuple[float, float]) -> list[MixtureScene]:
    """Return a scene under two priors that differ in one field."""
    vector = np.ndim(getattr(scene.priors, field)) > 0
    priors = (
        replace(scene.priors, **{field: np.full(scene.K, v) if vector else v}) for v in values
    )
    return [replace(scene, priors=p) for p in priors]


def _alike(
    scenes: Sequence[MixtureScene], subject: MixtureSubject, seed: int, stream: int, sweeps: int
) -> bool:
    """Whether a chain is the same in two scenes, from one point with one random stream."""
    at, y = scenes[0].one_point(streams(seed, scenes[0].key)[0])
    one, other = (path_of(subject, scene, at, y, stream, sweeps) for scene in scenes)
    return np.array_equal(one, other)

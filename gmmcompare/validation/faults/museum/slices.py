"""Slice samplers with a bug, each beside the line as it should be (Neal 2003, Ann. Statist. 31)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gmmcompare.model.params import Array
from gmmcompare.model.points import Points
from gmmcompare.validation.faults.museum.models import Curve, Location, Square

_LOCATION, _SQUARE, _CURVE = Location(), Square(), Curve()
_WIDTH = 1.6


def _shrunk(
    x: float, left: float, right: float, inside: Callable[[float], bool], rng: np.random.Generator
) -> float:
    """Draw from an interval until a point lies in the slice, which is shrunk towards x."""
    while True:
        new = rng.uniform(left, right)
        if inside(new):
            return float(new)
        left, right = (new, right) if new < x else (left, new)


def _sliced(
    x: float,
    log_density: Callable[[float], float],
    rng: np.random.Generator,
    right_of: Callable[[float], float],
) -> float:
    """Make one update by stepping out and shrinking.

    Parameters
    ----------
    x : float
    log_density : callable
    rng : numpy.random.Generator
    right_of : callable
        Given u, which part of the first interval lies to the left of x, returns the part of a
        width that lies to its right.
    """
    level = log_density(x) - rng.exponential()
    u = rng.random()
    left, right = x - u * _WIDTH, x + right_of(u) * _WIDTH
    while log_density(left) > level:
        left -= _WIDTH
    while log_density(right) > level:
        right += _WIDTH
    return _shrunk(x, left, right, lambda at: log_density(at) > level, rng)


def lopsided_interval(
    theta: Points, y: Array, rng: np.random.Generator, repaired: bool = False
) -> dict[str, Any]:
    """Place the first interval at random about x, or with all its width to the right.

    Where the slice is one interval that does no harm: every point of it is as likely as any other.
    A sweep is three updates.
    """

    def right_of(u: float) -> float:
        return 1.0 - u if repaired else 1.0

    x = float(theta["x"])
    for _ in range(3):
        x = _sliced(x, lambda at: _SQUARE.log_density(at, y), rng, right_of)
    return {"x": x}


def accepted_again(
    theta: Points, y: Array, rng: np.random.Generator, repaired: bool = False
) -> dict[str, Any]:
    """Put the point of a slice to a Metropolis test as well, or keep it: it is a draw already."""
    x = float(theta["x"])

    def log_density(at: float) -> float:
        return _LOCATION.log_density(at, y)

    new = _sliced(x, log_density, rng, lambda u: 1.0 - u)
    ratio = log_density(new) - log_density(x)
    if repaired or np.log(rng.random()) < ratio:
        return {"x": new}
    return {"x": x}


def elliptical_joint(
    theta: Points, y: Array, rng: np.random.Generator, repaired: bool = False
) -> dict[str, Any]:
    """Draw from an ellipse by the joint density or by the likelihood, as the ellipse is the prior.

    Elliptical slice sampling (Murray, Adams and MacKay 2010, J. Mach. Learn. Res. W&CP 9).
    """
    f, nu = theta["f"], _CURVE.root @ rng.normal(size=4)

    def log_density(at: Array) -> float:
        points, data = {"f": at[None]}, y[None]
        likelihood = float(_CURVE.log_likelihood(points, data)[0])
        return likelihood if repaired else likelihood + float(_CURVE.log_prior(points)[0])

    def on_ellipse(angle: float) -> Array:
        return np.asarray(f * np.cos(angle) + nu * np.sin(angle))

    level = log_density(f) - rng.exponential()
    right = rng.uniform(0.0, 2.0 * np.pi)
    angle = _shrunk(
        0.0, right - 2.0 * np.pi, right, lambda a: log_density(on_ellipse(a)) > level, rng
    )
    return {"f": on_ellipse(angle)}

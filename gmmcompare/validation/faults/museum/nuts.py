"""A No-U-Turn sampler with a step size that is given, and two bugs that such samplers shipped with.

Hoffman and Gelman (2014, J. Mach. Learn. Res. 15) with multinomial sampling of the trajectory
(Betancourt 2017, arXiv:1701.02434, appendix A). Plain, and as slow as recursion in Python is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gmmcompare.model.params import Array
from gmmcompare.model.points import Points
from gmmcompare.validation.faults.museum.models import Space

_MAX_DEPTH = 6
_DIVERGED = 1000.0
_MODEL = Space()


@dataclass
class _State:
    """A point of the trajectory: position, momentum and gradient."""

    x: Array
    p: Array
    slope: Array


@dataclass
class _Tree:
    """Part of a trajectory, in the order of the steps that were taken.

    ``first`` is the state that its criterion takes for the first, ``rho`` the sum of momenta.
    """

    first: _State
    last: _State
    chosen: Array
    log_weight: float
    rho: Array
    whole: bool


class _Trajectory:
    """Builds subtrees from one starting energy.

    Parameters
    ----------
    y : ndarray
    energy : float
        At the start.
    step : float
        Size of a leapfrog step.
    own_boundaries : bool
        Whether a subtree is judged by its own states and momenta.
    rng : numpy.random.Generator
    """

    def __init__(
        self, y: Array, energy: float, step: float, own_boundaries: bool, rng: np.random.Generator
    ) -> None:
        self.y, self.energy, self.step, self.rng = y, energy, step, rng
        self.own_boundaries = own_boundaries

    def leapfrog(self, s: _State, sign: int) -> _State:
        """Make one step forwards or backwards in time."""
        step = sign * self.step
        half = s.p + 0.5 * step * s.slope
        x = s.x + step * half
        slope = _MODEL.gradient(x, self.y)
        return _State(x, half + 0.5 * step * slope, slope)

    def build(self, depth: int, start: _State, sign: int, before: Array | float = 0.0) -> _Tree:
        """Extend a trajectory beyond ``start`` by 2**depth states.

        ``before`` is the sum of momenta of the half that was built before this one, if any.
        """
        if depth == 0:
            s = self.leapfrog(start, sign)
            log_weight = self.energy - _energy(s, self.y)
            first = s if self.own_boundaries else start
            return _Tree(first, s, s.x, log_weight, s.p, log_weight > -_DIVERGED)
        left = self.build(depth - 1, start, sign)
        if not left.whole:
            return left
        right = self.build(depth - 1, left.last, sign, left.rho)
        rho = left.rho + right.rho
        judged_by = rho if self.own_boundaries else before + rho
        log_weight = float(np.logaddexp(left.log_weight, right.log_weight))
        takes_right = np.log(self.rng.random()) < right.log_weight - log_weight
        chosen = right.chosen if takes_right else left.chosen
        whole = right.whole and _goes_on(left.first.p, right.last.p, judged_by)
        return _Tree(left.first, right.last, chosen, log_weight, rho, whole)


def _energy(s: _State, y: Array) -> float:
    return float(0.5 * (s.p @ s.p)) - _MODEL.log_density(s.x, y)


def _goes_on(first: Array, last: Array, rho: Array) -> bool:
    """Whether neither end has turned back; the same seen from either end."""
    return bool(first @ rho > 0 and last @ rho > 0)


def _transition(
    x: Array,
    y: Array,
    rng: np.random.Generator,
    step: float,
    own_boundaries: bool,
    log_update: Callable[[float, float], float],
) -> Array:
    """Make one transition; ``log_update(new, old)`` is the log probability of moving to new."""
    s = _State(x, rng.normal(size=len(x)), _MODEL.gradient(x, y))
    trajectory = _Trajectory(y, _energy(s, y), step, own_boundaries, rng)
    ends = {1: s, -1: s}
    chosen, log_weight, rho = x, 0.0, s.p
    for depth in range(_MAX_DEPTH):
        sign = 1 if rng.random() < 0.5 else -1
        tree = trajectory.build(depth, ends[sign], sign)
        if not tree.whole:
            break
        ends[sign] = tree.last
        if np.log(rng.random()) < log_update(tree.log_weight, log_weight):
            chosen = tree.chosen
        log_weight = float(np.logaddexp(log_weight, tree.log_weight))
        rho = rho + tree.rho
        if not _goes_on(ends[-1].p, ends[1].p, rho):
            break
    return chosen


def borrowed_boundaries(
    theta: Points, y: Array, rng: np.random.Generator, repaired: bool = False
) -> dict[str, Any]:
    """Judge a subtree by its own states and momenta, or by some of its neighbour's.

    Whether a trajectory is continued must not depend on which of its states it was started from.
    """
    x = _transition(theta["x"], y, rng, 0.6, repaired, lambda new, old: new - old)
    return {"x": x}


def always_updated(
    theta: Points, y: Array, rng: np.random.Generator, repaired: bool = False
) -> dict[str, Any]:
    """Move to the new half with probability new / old, or, as new / new is one, always."""

    def log_update(new: float, old: float) -> float:
        return new - old if repaired else new - new

    return {"x": _transition(theta["x"], y, rng, 1.1, True, log_update)}

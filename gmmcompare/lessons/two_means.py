"""A posterior of two dimensions that can be drawn: two means, with weights and sds known.

Two routes over it: NUTS in its plainest form, with every leapfrog point kept, and Gibbs by the
readable sampler's own steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from gmmcompare.engines.gibbs import plain as gibbs_plain
from gmmcompare.model import mixture
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors

MAX_DEPTH = 8


@dataclass(frozen=True)
class TwoMeans:
    """Data y (N,), known weights w (2,) and sds sigma (2,), and a prior on the means."""

    y: Array
    w: Array
    sigma: Array
    priors: Priors

    def at(self, mu: Array) -> Params:
        """Return the mixtures with means mu, shape (..., 2)."""
        w, sigma = (np.broadcast_to(a, mu.shape) for a in (self.w, self.sigma))
        return Params(w, mu, sigma)

    @property
    def _prior(self) -> tuple[Array, Array]:
        p = self.priors.expanded(2)
        return np.asarray(p.mean_loc), np.asarray(p.mean_sd)

    def log_density(self, mu: Array) -> Array:
        """Return the log posterior of the means, allocations summed out, up to a constant."""
        loc, sd = self._prior
        pull = (mu - loc) / sd
        return np.asarray(
            mixture.log_density(self.y, self.at(mu)).sum(-1) - 0.5 * (pull**2).sum(-1)
        )

    def with_gradient(self, mu: Array) -> tuple[float, Array]:
        """Return log density and gradient at mu, shape (2,).

        The gradient is responsibilities times distances, and the prior's pull.
        """
        loc, sd = self._prior
        joint = mixture.log_joint(self.y, self.at(mu))
        each = np.logaddexp(joint[:, 0], joint[:, 1])
        r = np.exp(joint - each[:, None])
        pull = (mu - loc) / sd
        gradient = (r * (self.y[:, None] - mu)).sum(axis=0) / self.sigma**2
        return float(each.sum() - 0.5 * pull @ pull), gradient - pull / sd


@dataclass(frozen=True)
class State:
    """Position, momentum, and log density and gradient at the position."""

    q: Array
    p: Array
    height: float
    slope: Array

    @property
    def energy(self) -> float:
        """Kinetic plus potential; a perfect trajectory keeps it."""
        return float(0.5 * self.p @ self.p - self.height)


@dataclass
class Trajectory:
    """What one draw of NUTS visited.

    Attributes
    ----------
    points : list of ndarray, shape (2,)
        In the order in which they were computed; the first is where it started.
    forward : list of bool
        Whether each point extended the path forwards in time.
    energies : list of float
    chosen : int
        The point that became the draw.
    kept : int
        How many of the points the draw was chosen from; a last doubling that turns round within
        itself is left out.
    """

    points: list[Array] = field(default_factory=list)
    forward: list[bool] = field(default_factory=list)
    energies: list[float] = field(default_factory=list)
    chosen: int = 0
    kept: int = 0


def start_of(model: TwoMeans, q: Array, p: Array) -> State:
    """Return the state at a position with a momentum.

    Parameters
    ----------
    model : TwoMeans
    q, p : ndarray, shape (2,)
        Position and momentum.
    """
    return State(q, p, *model.with_gradient(q))


def leapfrog(model: TwoMeans, state: State, step: float) -> State:
    """Make one leapfrog step: half a kick, a drift, half a kick.

    Parameters
    ----------
    model : TwoMeans
    state : State
    step : float
        Its size; negative goes back in time.
    """
    p = state.p + 0.5 * step * state.slope
    q = state.q + step * p
    height, slope = model.with_gradient(q)
    return State(q, p + 0.5 * step * slope, height, slope)


def nuts_draw(model: TwoMeans, q: Array, step: float, rng: np.random.Generator) -> Trajectory:
    """Draw once by NUTS: double the path until it turns round, and choose a point of it.

    The path is doubled forwards or backwards by the toss of a coin (Hoffman and Gelman 2014). Of
    each new half one point is drawn in proportion to exp(-energy), and replaces the choice so far
    with probability min(1, weight of the new half / weight of the path so far), which favours
    points far from the start (Betancourt 2017, appendix A.3.2).

    Parameters
    ----------
    model : TwoMeans
    q : ndarray, shape (2,)
        Where the chain stands.
    step : float
        Size of a leapfrog step.
    rng : numpy.random.Generator
    """
    seen = Trajectory()
    path = [start_of(model, q, rng.standard_normal(2))]  # in order of time
    _note(seen, path[0], True)
    weight = 1.0  # of the path so far, relative to its first point
    for depth in range(MAX_DEPTH):
        forward = bool(rng.random() < 0.5)
        fresh = _extended(model, path[-1 if forward else 0], step if forward else -step, 2**depth)
        first = len(seen.points)
        for state in fresh:
            _note(seen, state, forward)
        ordered = fresh if forward else fresh[::-1]
        if _turns_within(ordered):
            break
        weights = np.exp(seen.energies[0] - np.array(seen.energies[first:]))
        candidate = first + int(rng.choice(weights.size, p=weights / weights.sum()))
        if rng.random() < weights.sum() / weight:
            seen.chosen = candidate
        weight += float(weights.sum())
        path = path + ordered if forward else ordered + path
        if _turns(path[0], path[-1]):
            break
    seen.kept = len(path)
    return seen


def _note(seen: Trajectory, state: State, forward: bool) -> None:
    seen.points.append(state.q)
    seen.forward.append(forward)
    seen.energies.append(state.energy)


def _extended(model: TwoMeans, end: State, step: float, n: int) -> list[State]:
    states = []
    for _ in range(n):
        end = leapfrog(model, end, step)
        states.append(end)
    return states


def _turns(first: State, last: State) -> bool:
    across = last.q - first.q
    return bool(across @ first.p < 0 or across @ last.p < 0)


def _turns_within(states: list[State]) -> bool:
    """Whether the segment, or any half, quarter ... of it, turns round."""
    if len(states) == 1:
        return False
    half = len(states) // 2
    return (
        _turns(states[0], states[-1])
        or _turns_within(states[:half])
        or _turns_within(states[half:])
    )


def gibbs_draw(model: TwoMeans, mu: Array, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Draw z and then both means; return them with the conditional's centre and sds, each (2,).

    Parameters
    ----------
    model : TwoMeans
    mu : ndarray, shape (2,)
        Where the chain stands.
    rng : numpy.random.Generator
    """
    z = gibbs_plain.draw_allocations(model.w, mu, model.sigma, model.y, rng.random(model.y.size))
    n_k = np.bincount(z, minlength=2).astype(float)
    sum_y = np.bincount(z, weights=model.y, minlength=2)
    centre, sd = gibbs_plain.means_conditional(n_k, sum_y, model.sigma, model.priors.expanded(2))
    return centre + sd * rng.standard_normal(2), centre, sd


def chain(draw: Callable[[Array], Array], start: Array, n: int) -> Array:
    """Return draws, each made from the last, shape (n, 2).

    Parameters
    ----------
    draw : callable
        Takes a point (2,) and returns the next.
    start : ndarray, shape (2,)
    n : int
        Number of draws.
    """
    out, here = np.empty((n, 2)), start
    for i in range(n):
        here = draw(here)
        out[i] = here
    return out

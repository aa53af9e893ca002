"""Bugs of Hamiltonian and Langevin samplers, each beside the line as it should be."""

from __future__ import annotations

from typing import Any

import numpy as np

from gmmcompare.model.params import Array
from gmmcompare.model.points import Points
from gmmcompare.validation.faults.museum.models import Cells, Plane

_PLANE = Plane()
_CELLS = Cells()
_STEP = 0.9
_STEPS = 2


def _leapfrog(x: Array, p: Array, y: Array, step: float, steps: int) -> tuple[Array, Array]:
    """Follow the dynamics for so many steps; return position and momentum."""
    p = p + 0.5 * step * _PLANE.gradient(x, y)
    for i in range(steps):
        x = x + step * p
        p = p + (0.5 if i == steps - 1 else 1.0) * step * _PLANE.gradient(x, y)
    return x, p


def _kinetic(p: Array) -> float:
    return float(0.5 * (p @ p))


def energy_of_position(
    theta: Points, y: Array, rng: np.random.Generator, repaired: bool = False
) -> dict[str, Any]:
    """Accept by a kinetic energy that is that of the position, or that of the momentum."""
    x, p = theta["x"], rng.normal(size=2)
    x_new, p_new = _leapfrog(x, p, y, _STEP, _STEPS)
    before = _kinetic(p if repaired else x) - _PLANE.log_density(x, y)
    after = _kinetic(p_new if repaired else x_new) - _PLANE.log_density(x_new, y)
    return {"x": x_new if np.log(rng.random()) < before - after else x}


def stale_energy(
    theta: Points, y: Array, rng: np.random.Generator, repaired: bool = False
) -> dict[str, Any]:
    """Compare with the energy before the momentum was drawn anew, or with that after; five times.

    The stale energy is remembered from transition to transition, so that a sweep is five of them.
    """
    x = theta["x"]
    energy = _kinetic(rng.normal(size=2)) - _PLANE.log_density(x, y)
    for _ in range(5):
        p = rng.normal(size=2)
        if repaired:
            energy = _kinetic(p) - _PLANE.log_density(x, y)
        x_new, p_new = _leapfrog(x, p, y, _STEP, _STEPS)
        energy_new = _kinetic(p_new) - _PLANE.log_density(x_new, y)
        if np.log(rng.random()) < energy - energy_new:
            x, energy = x_new, energy_new
    return {"x": x}


def rejections_dropped(
    theta: Points, y: Array, rng: np.random.Generator, repaired: bool = False
) -> dict[str, Any]:
    """Store accepted states alone, or the state there is after every transition."""
    x = theta["x"]
    while True:
        p = rng.normal(size=2)
        x_new, p_new = _leapfrog(x, p, y, 1.6, 2)
        gain = _PLANE.log_density(x_new, y) - _PLANE.log_density(x, y)
        accepted = np.log(rng.random()) < gain + _kinetic(p) - _kinetic(p_new)
        if accepted or repaired:
            return {"x": x_new if accepted else x}


def langevin_correction(
    theta: Points, y: Array, rng: np.random.Generator, repaired: bool = False
) -> dict[str, Any]:
    """Propose with drift tau / 2 and variance tau; correct for that, or for twice as much of both.

    The metropolis-adjusted Langevin algorithm (Roberts and Tweedie 1996, Bernoulli 2).
    """
    x, tau = theta["x"], 1.0
    x_new = x + 0.5 * tau * _PLANE.gradient(x, y) + np.sqrt(tau) * rng.normal(size=2)
    drift, variance = (0.5 * tau, tau) if repaired else (tau, 2.0 * tau)

    def log_proposal(new: Array, old: Array) -> float:
        away = new - old - drift * _PLANE.gradient(old, y)
        return float(-0.5 * (away @ away) / variance)

    ratio = _PLANE.log_density(x_new, y) - _PLANE.log_density(x, y)
    ratio += log_proposal(x, x_new) - log_proposal(x_new, x)
    return {"x": x_new if np.log(rng.random()) < ratio else x}


def mixed_correction(
    theta: Points, y: Array, rng: np.random.Generator, repaired: bool = False
) -> dict[str, Any]:
    """Move a label within a trajectory; correct by the change of potential or by another energy.

    A label has a kinetic energy of its own, which pays for its moves. A new cell is proposed in
    proportion to its probability given x, the present one excluded, and costs delta_e, which is
    the change of potential corrected for the proposal. What was paid for is not to be charged again
    at the end, where leapfrog errors alone decide: the change of potential is taken out, not
    delta_e (Zhou 2020, Adv. Neural Inf. Process. Syst. 33). With two cells both are the same.
    """
    z, x = int(theta["z"]), float(theta["x"])
    p, kinetic = rng.normal(), rng.exponential()
    start = _label_energy(z, x, y) + 0.5 * p**2
    paid = 0.0
    for _ in range(2):
        x, p = _one_leapfrog(z, x, p, y)
        log_prob = np.log(_CELLS.probs) - 0.5 * (x - _CELLS.locs) ** 2
        prob = np.exp(log_prob - np.logaddexp.reduce(log_prob))
        others = np.where(np.arange(4) == z, 0.0, prob)
        new = int(rng.choice(4, p=others / others.sum()))
        delta_u = log_prob[z] - log_prob[new]
        delta_e = np.log1p(-prob[new]) - np.log1p(-prob[z])
        if kinetic > delta_e:
            kinetic -= delta_e
            paid += delta_u if repaired else delta_e
            z = new
        x, p = _one_leapfrog(z, x, p, y)
    end = _label_energy(z, x, y) + 0.5 * p**2
    if np.log(rng.random()) < start - end + paid:
        return {"z": z, "x": x}
    return dict(theta)


def _label_energy(z: int, x: float, y: Array) -> float:
    return float(-np.log(_CELLS.probs[z]) + 0.5 * (x - _CELLS.locs[z]) ** 2 + 0.5 * (y[0] - x) ** 2)


def _one_leapfrog(z: int, x: float, p: float, y: Array) -> tuple[float, float]:
    """Make one leapfrog step with the label held fixed."""
    step = 0.6
    p -= 0.5 * step * (2.0 * x - _CELLS.locs[z] - y[0])
    x += step * p
    p -= 0.5 * step * (2.0 * x - _CELLS.locs[z] - y[0])
    return x, p

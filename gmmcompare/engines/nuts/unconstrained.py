"""The space that NUTS samples in, and the check that the density there is ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import log_softmax

from gmmcompare.engines.base import Problem
from gmmcompare.model.mixture import log_posterior
from gmmcompare.model.params import Array, Params

LogDensity = Callable[[Array], tuple[float, Array]]
"""From a point of the unconstrained space, shape (n,), to log density and gradient, shape (n,)."""

PARITY_POINTS = 3
PARITY_VALUES = 4096
"""How many points, and at most how many distinct values, the check before sampling uses."""


@dataclass(frozen=True)
class Coordinates:
    """The unconstrained space that PyMC samples in: x = (logits of w, mu, log sigma**2).

    The K - 1 logits are log w_k, k < K, less the mean over all K. With ``ordered``, mu is its first
    value and then the logarithms of its increments.
    """

    K: int
    ordered: bool = False

    def of(self, params: Params) -> Array:
        """Return x, shape (..., 3K - 1)."""
        log_w = np.log(params.w)
        logits = (log_w - log_w.mean(axis=-1, keepdims=True))[..., :-1]
        mu = params.mu
        if self.ordered:
            mu = np.concatenate([mu[..., :1], np.log(np.diff(mu, axis=-1))], axis=-1)
        return np.concatenate([logits, mu, 2.0 * np.log(params.sigma)], axis=-1)

    def params(self, x: Array) -> Params:
        """Return the parameters at x, arrays of shape (..., K)."""
        mu = x[..., self.K - 1 : 2 * self.K - 1]
        if self.ordered:
            mu = np.cumsum(np.concatenate([mu[..., :1], np.exp(mu[..., 1:])], axis=-1), axis=-1)
        return Params(np.exp(self._log_w(x)), mu, np.exp(0.5 * x[..., 2 * self.K - 1 :]))

    def log_jacobian(self, x: Array) -> Array:
        """Return log |d(w, mu, sigma**2) / dx| up to a constant, shape (...)."""
        increments = x[..., self.K : 2 * self.K - 1] if self.ordered else x[..., :0]
        log_var = x[..., 2 * self.K - 1 :]
        return np.asarray(self._log_w(x).sum(-1) + increments.sum(-1) + log_var.sum(-1))

    def _log_w(self, x: Array) -> Array:
        logits = x[..., : self.K - 1]
        every = np.concatenate([logits, -logits.sum(axis=-1, keepdims=True)], axis=-1)
        return np.asarray(log_softmax(every, axis=-1))


@dataclass(frozen=True)
class Parity:
    """How far a log density is from ours.

    Attributes
    ----------
    spread : float
        Largest less smallest difference of the two log densities over the points; 0 if they differ
        by one constant.
    gradient_error : float
        Largest error of the gradient, relative to its largest entry (or to 1, or to what
        differences of a large log density can resolve).
    scale : float
        Largest absolute log density, to which rounding errors are in proportion.
    """

    spread: float
    gradient_error: float
    scale: float

    @property
    def holds(self) -> bool:
        """Whether both agree up to rounding."""
        return self.spread <= 1e-8 + 1e-12 * self.scale and self.gradient_error <= 1e-6


def parity(
    log_density: LogDensity,
    problem: Problem,
    coordinates: Coordinates,
    rng: np.random.Generator,
    n_points: int = PARITY_POINTS,
) -> Parity:
    """Compare a log density over the unconstrained space with `mixture.log_posterior`.

    Parameters
    ----------
    log_density : callable
        What a sampler would be given for the problem.
    problem : Problem
        Data and priors; of the order of 1, since the points are.
    coordinates : Coordinates
    rng : numpy.random.Generator
        Draws the points: weights from the simplex, means about the data, sds within a factor of
        about 8 of the data's, whatever the priors.
    n_points : int
        At least 2.
    """
    sample, K = problem.sample, problem.K
    spread = sample.sd or 1.0

    def ours(x: Array) -> Array:
        density = log_posterior(sample, coordinates.params(x), problem.priors)
        return density + coordinates.log_jacobian(x)

    differences, errors, heights = [], [], []
    for _ in range(n_points):
        mu = np.sort(sample.mean + 1.5 * spread * rng.standard_normal(K))
        sigma = spread * np.exp(0.7 * rng.standard_normal(K))
        x = coordinates.of(Params(rng.dirichlet(np.ones(K)), mu, sigma))
        value, gradient = log_density(x)
        heights.append(float(ours(x)))
        differences.append(value - heights[-1])
        error = np.abs(gradient - _central_differences(ours, x)).max()
        errors.append(error / max(1.0, np.abs(gradient).max(), 1e-5 * abs(heights[-1])))
    return Parity(float(np.ptp(differences)), float(max(errors)), float(np.abs(heights).max()))


def _central_differences(f: Callable[[Array], Array], x: Array, step: float = 1e-3) -> Array:
    """Return the gradient of f at x, shape (n,), by differences of fourth order."""
    moves = step * np.eye(x.size)
    near, far = (np.array([f(x + m * d) - f(x - m * d) for d in moves]) for m in (1, 2))
    return np.asarray((8.0 * near - far) / (12.0 * step))


def thinned(problem: Problem) -> Problem:
    """Return the problem with at most `PARITY_VALUES` of its distinct values, evenly spaced."""
    sample = problem.sample
    every = -(-sample.n_distinct // PARITY_VALUES)
    few = replace(sample, values=sample.values[::every], counts=sample.counts[::every])
    return replace(problem, sample=few)

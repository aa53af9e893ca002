"""The check before sampling, by which the log density that a sampler is given is ours.

A sampler that follows a wrong density finds the wrong posterior faultlessly, so no diagnostic of
its chains can tell. The density itself can be compared at a few points.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from gmmcompare.engines.base import Problem
from gmmcompare.model.family import family_of
from gmmcompare.model.multivariate.params import MultivariateParams
from gmmcompare.model.multivariate.sample import VectorSample
from gmmcompare.model.params import Array, Params
from gmmcompare.runtime.errors import EngineError

LogDensity = Callable[[Array], tuple[float, Array]]
"""From a point of the unconstrained space, shape (n,), to log density and gradient, shape (n,)."""

PARITY_POINTS = 3
PARITY_VALUES = 4096
"""How many points, and at most how many distinct values, the check before sampling uses."""


class Space(Protocol):
    """The unconstrained space that a sampler moves in; x has shape (n,)."""

    def of(self, params: Params) -> Array:
        """Return x."""
        ...

    def params(self, x: Array) -> Params:
        """Return the parameters at x, arrays of shape (K,)."""
        ...

    def log_jacobian(self, x: Array) -> Array:
        """Return log |d(w, mu, sigma**2) / dx| up to a constant, shape ()."""
        ...


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
        return self.spread <= _rounding(self.scale) and self.gradient_error <= 1e-6


def parity(
    log_density: LogDensity,
    problem: Problem,
    coordinates: Space,
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
    coordinates : Space
        That the sampler moves in.
    rng : numpy.random.Generator
        Draws the points: weights from the simplex, means about the data, sds within a factor of
        about 8 of the data's, whatever the priors.
    n_points : int
        At least 2.
    """

    def ours(x: Array) -> Array:
        params = coordinates.params(x)
        density: Array = _log_likelihood(problem, params) + problem.priors.log_density(params)
        return density + coordinates.log_jacobian(x)

    differences, errors, heights = [], [], []
    for _ in range(n_points):
        x = coordinates.of(_random_point(problem, rng))
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
    return replace(problem, sample=sample.part(slice(None, None, every)))


def check_density(
    density: Callable[[Problem], LogDensity],
    problem: Problem,
    space: Space,
    rng: np.random.Generator,
    whose: tuple[str, str],
) -> Parity:
    """Compare a sampler's log density with ours, and stop where they differ.

    Parameters
    ----------
    density : callable
        From a problem's data and priors to the log density that the sampler would be given; it is
        also asked for a problem without data.
    problem : Problem
        Of the order of 1, as for `parity`; not all of its values are needed (see `thinned`).
    space : Space
        That the sampler moves in.
    rng : numpy.random.Generator
    whose : tuple of str and str
        Name of the engine, and of whoever computes the density.

    Returns
    -------
    Parity
        That holds.

    Raises
    ------
    EngineError
        If it does not; the message names the terms that are off.
    """
    few = thinned(problem)
    found = parity(density(few), few, space, rng)
    if not found.holds:
        engine, language = whose
        terms = _terms_off(density, few, space, rng) or ["the gradient"]
        raise EngineError(
            f"{engine}: {language}'s log density is not ours: they differ by {found.spread:.3g} "
            f"between points, their gradients by {found.gradient_error:.3g}; what is off is "
            f"{' and '.join(terms)}; the data cannot be the cause: report it, with the output of "
            "`gmmcompare engines`"
        )
    return found


def _terms_off(
    density: Callable[[Problem], LogDensity],
    problem: Problem,
    space: Space,
    rng: np.random.Generator,
) -> list[str]:
    """Return which terms of a log density are not ours.

    Without data the density is the prior's, a sum of three terms that have one block of parameters
    each: if the difference from ours changes as one block moves, that block's prior is off. What
    the data add to the density is the likelihood.
    """
    nobody = problem.sample.part(slice(0))
    prior, posterior = density(replace(problem, sample=nobody)), density(problem)
    here, there = _random_point(problem, rng), _random_point(problem, rng)

    def prior_excess(params: Params) -> float:
        x = space.of(params)
        return prior(x)[0] - float(problem.priors.log_density(params) + space.log_jacobian(x))

    def likelihood_excess(params: Params) -> float:
        x = space.of(params)
        return posterior(x)[0] - prior(x)[0] - float(_log_likelihood(problem, params))

    blocks = {
        "the prior of w": here._replace(w=there.w),
        "the prior of mu": here._replace(mu=there.mu),
        _last_prior(here): here._replace(**{here._fields[2]: there[2]}),
    }
    scale = max(abs(posterior(space.of(p))[0]) + abs(prior(space.of(p))[0]) for p in (here, there))
    off = [
        term
        for term, moved in blocks.items()
        if not abs(prior_excess(moved) - prior_excess(here)) <= _rounding(scale)
    ]
    if not abs(likelihood_excess(there) - likelihood_excess(here)) <= _rounding(scale):
        off.append("the likelihood")
    return off


def _log_likelihood(problem: Problem, params: Params) -> Array:
    found: Array = family_of(problem.priors).call("log_likelihood", problem.sample, params)
    return found


def _last_prior(params: Params) -> str:
    return f"the prior of {'sigma**2' if isinstance(params, Params) else params._fields[2]}"


def _random_point(problem: Problem, rng: np.random.Generator) -> Params:
    sample, K = problem.sample, problem.K
    if isinstance(sample, VectorSample):
        vectors: Any = _random_vectors(sample, K, rng)
        point: Params = vectors
        return point
    spread = sample.sd or 1.0
    mu = np.sort(sample.mean + 1.5 * spread * rng.standard_normal(K))
    sigma = spread * np.exp(0.7 * rng.standard_normal(K))
    kept: Params = problem.priors.kept(Params(rng.dirichlet(np.ones(K)), mu, sigma))
    return kept


def _random_vectors(sample: VectorSample, K: int, rng: np.random.Generator) -> Any:
    d, spread = sample.d, np.where(sample.sd > 0, sample.sd, 1.0)
    mu = sample.mean + 1.5 * spread * rng.standard_normal((K, d))
    root = np.tril(0.4 * rng.standard_normal((K, d, d)), -1)
    root += np.exp(0.7 * rng.standard_normal((K, d)))[:, :, None] * np.eye(d)
    root *= spread[:, None]
    return MultivariateParams(rng.dirichlet(np.ones(K)), mu, root @ np.swapaxes(root, -1, -2))


def _rounding(scale: float) -> float:
    return 1e-8 + 1e-12 * scale

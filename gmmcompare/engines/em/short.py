"""The best of short runs of EM from random starts (Biernacki, Celeux and Govaert 2003)."""

from __future__ import annotations

import numpy as np

from gmmcompare.engines.base import Problem
from gmmcompare.model.mixture import log_density, responsibilities, true_value_given
from gmmcompare.model.params import Array, Params

CANDIDATES = 20
MEASURED_CANDIDATES = 40
"""Where values were measured with errors."""
SHORT_STEPS = 30
SHORT_POINTS = 200
CLIMB_STEPS = 30
"""Accelerated, on all values, where they were measured with errors."""


def best_of_short_runs(problem: Problem, rng: np.random.Generator) -> Params:
    """Return the best of 20 short runs on 200 quantiles of the data.

    Values with errors need more. A component narrower than its errors adds little to the likelihood
    of 200 of them, and what starts without it does not find it: on the exoplanets, K = 3, every
    second chain stayed in a minor mode. So there are 40 runs, which know the errors, and each goes
    on for 30 accelerated steps on all values; the best is best on all.

    Parameters
    ----------
    problem : Problem
        Standardised.
    rng : numpy.random.Generator

    Returns
    -------
    Params
        Arrays of shape (K,).
    """
    sample = problem.sample
    at = sample.places((np.arange(SHORT_POINTS) + 0.5) / SHORT_POINTS)
    points, errors = sample.values[at], None if sample.errors is None else sample.errors[at]
    spread = float(points.std()) or 1.0
    n = CANDIDATES if errors is None else MEASURED_CANDIDATES
    starts = _random_points(points, spread, problem.K, rng, n)
    ends = _short_em(starts, points, spread, errors)
    heights = log_density(points, ends, errors).sum(axis=-1)
    if errors is not None:
        ends, heights = _climbed(ends, heights, problem, spread)
    return Params(*(a[int(np.argmax(heights))] for a in ends))


def _random_points(
    points: Array, spread: float, K: int, rng: np.random.Generator, n: int
) -> Params:
    """Return candidates, (n, K): means wider than the data, sds within a factor of 4."""
    shape = (n, K)
    mu = rng.choice(points, shape) + spread * rng.standard_normal(shape)
    sigma = spread * 2.0 ** rng.uniform(-2.0, 1.0, shape)
    return Params(rng.dirichlet(np.ones(K), n), mu, sigma)


def _short_em(start: Params, points: Array, spread: float, errors: Array | None) -> Params:
    """Take a few EM steps from every candidate; sds are kept above a hundredth of the spread."""
    params = start
    for _ in range(SHORT_STEPS):
        r = responsibilities(points, params, errors)
        n_k = r.sum(axis=-2) + 1e-3  # an empty component stays where it is
        w = n_k / n_k.sum(axis=-1, keepdims=True)
        if errors is None:
            mu = (np.einsum("cnk,n->ck", r, points) + 1e-3 * params.mu) / n_k
            squares = (points[:, None] - mu[:, None, :]) ** 2
        else:
            x, sd = true_value_given(points, params, errors)
            mu = (np.einsum("cnk,cnk->ck", r, x) + 1e-3 * params.mu) / n_k
            squares = (x - mu[:, None, :]) ** 2 + sd**2
        variance = np.einsum("cnk,cnk->ck", r, squares) / n_k
        params = Params(w, mu, np.sqrt(variance + (spread / 100.0) ** 2))
    return params


def _climbed(ends: Params, heights: Array, problem: Problem, spread: float) -> tuple[Params, Array]:
    """Go on with EM on all values, and return the new ends and their log-likelihoods.

    A component that collapses, and there may be no other end if values are few, goes no further;
    such ends are returned, with heights as they were, only if all are.
    """
    # Compiles, and only values with errors need it.
    from gmmcompare.engines.em.compiled import COLLAPSED, flat_prior
    from gmmcompare.engines.em.measured import measured_climb, smallest_gap

    sample, penalty = problem.sample, flat_prior(problem.K, problem.priors)
    found, reached = [], []
    for start in zip(*ends, strict=True):
        params, path = Params(*(a.copy() for a in start)), np.empty(CLIMB_STEPS)
        outcome, used = measured_climb(
            sample.values,
            sample.s,
            sample.counts.astype(float),
            *params,
            penalty,
            0.0,
            smallest_gap(sample),
            True,
            path,
        )
        if outcome != COLLAPSED:
            found.append(params._replace(sigma=np.hypot(params.sigma, spread / 100.0)))
            reached.append(path[used - 1])
    if not found:
        return ends, heights
    return Params(*(np.array(a) for a in zip(*found, strict=True))), np.array(reached)

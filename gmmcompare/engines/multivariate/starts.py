"""Where chains and climbs start: means at observations, covariances about those of the data."""

from __future__ import annotations

import numpy as np

from gmmcompare.engines.base import Problem
from gmmcompare.model.multivariate.density import responsibilities
from gmmcompare.model.multivariate.params import MultivariateParams

SHORT_STEPS = 15
CANDIDATES = 10


def random_start(problem: Problem, rng: np.random.Generator) -> MultivariateParams:
    """Return a mixture with means at observations chosen at random, far from one another.

    The next mean is chosen in proportion to the squared distance from the nearest chosen so far
    (Arthur and Vassilvitskii 2007); every component has the data's covariance, shrunk for K > 1.

    Parameters
    ----------
    problem : Problem
        Of standardised data.
    rng : numpy.random.Generator
    """
    K, sample = problem.K, problem.sample
    y, counts = sample.values, sample.counts
    chosen = [int(rng.choice(len(y), p=counts / sample.n))]
    for _ in range(1, K):
        distance = np.min([((y - y[i]) ** 2).sum(axis=1) for i in chosen], axis=0) * counts
        weight = distance / distance.sum() if distance.sum() > 0 else counts / sample.n
        chosen.append(int(rng.choice(len(y), p=weight)))
    cov = _floor(problem) + sample.cov / K  # type: ignore[attr-defined]
    return MultivariateParams(np.full(K, 1.0 / K), y[chosen], np.repeat(cov[None], K, axis=0))


def dispersed_start(problem: Problem, rng: np.random.Generator) -> MultivariateParams:
    """Return one chain's start: the best of short runs of EM, then moved about.

    As `engines.starts.start_point` does in one dimension: means move by about one sd, sds by up to
    a factor of two, weights half-way to a random point, and the order is random.

    Parameters
    ----------
    problem : Problem
        Of standardised data.
    rng : numpy.random.Generator
        The chain's own.
    """
    best, height = None, -np.inf
    for _ in range(CANDIDATES):
        params, log_lik = _short_em(problem, random_start(problem, rng))
        if best is None or log_lik > height:
            best, height = params, log_lik
    assert best is not None
    K, d = best.K, best.d
    order = rng.permutation(K)
    root = np.linalg.cholesky(best.cov)
    mu = best.mu + np.einsum("kij,kj->ki", root, rng.standard_normal((K, d)))
    factor = 2.0 ** rng.uniform(-1.0, 1.0, K)
    w = 0.5 * best.w + 0.5 * rng.dirichlet(np.ones(K))
    return MultivariateParams(w[order], mu[order], (best.cov * factor[:, None, None] ** 2)[order])


def _short_em(problem: Problem, params: MultivariateParams) -> tuple[MultivariateParams, float]:
    y, counts = problem.sample.values, problem.sample.counts.astype(float)
    if len(y) > 500:  # a few hundred rows tell where to start
        rows = np.linspace(0, len(y) - 1, 500).astype(int)
        y, counts = y[rows], counts[rows]
    floor = _floor(problem)
    for _ in range(SHORT_STEPS):
        r = responsibilities(y, params) * counts[:, None]
        n_k = r.sum(axis=0) + 1e-3
        mu = (r.T @ y + 1e-3 * params.mu) / n_k[:, None]
        deviation = y[:, None] - mu
        cov = np.einsum("nk,nki,nkj->kij", r, deviation, deviation) / n_k[:, None, None] + floor
        params = MultivariateParams(n_k / n_k.sum(), mu, cov)
    from gmmcompare.model.multivariate.density import log_density

    return params, float(log_density(y, params) @ counts)


def _floor(problem: Problem) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return a small covariance matrix that keeps components from collapsing at the start."""
    sd = np.where(problem.sample.sd > 0, problem.sample.sd, 1.0)
    return np.asarray(np.diag((1e-2 * sd) ** 2))

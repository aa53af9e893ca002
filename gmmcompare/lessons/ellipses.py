"""Data of the lesson on two dimensions: one correlation that is dragged, and draws to be named."""

from __future__ import annotations

from typing import Any

import numpy as np

from gmmcompare.comparison.labels import Reference, align
from gmmcompare.engines.base import Problem, no_progress
from gmmcompare.engines.multivariate.em import EmEngine
from gmmcompare.engines.multivariate.gibbs import GibbsEngine
from gmmcompare.model.card import EmSettings, GibbsSettings
from gmmcompare.model.multivariate.density import log_likelihood, simulate
from gmmcompare.model.multivariate.params import MultivariateParams
from gmmcompare.model.multivariate.priors import MultivariatePriors
from gmmcompare.model.multivariate.sample import VectorSample
from gmmcompare.model.params import Array
from gmmcompare.runtime.progress import Step

K = 2
SEED = 18
N = 150
TRUE = MultivariateParams.of(
    [0.55, 0.45],
    [[0.0, 1.0], [0.1, -1.0]],
    [[[0.81, 0.432], [0.432, 0.36]], [[0.81, -0.27], [-0.27, 0.36]]],
)
PRIORS = MultivariatePriors(1.0, 0.0, [[9.0, 0.0], [0.0, 9.0]], 4.0, [[0.5, 0.0], [0.0, 0.5]])
CORRELATIONS = np.linspace(-0.95, 0.95, 39)
CHAINS, DRAWS, THIN = 2, 1000, 8
COMMANDS: tuple[str, ...] = ()
FACTS = (
    f"Data: {N} points from two groups, simulated with seed {SEED}; the groups have nearly the "
    "same mean across and different means up.",
    "The ellipses where the page opens are those of maximum likelihood, by the EM engine. Dragging "
    "changes one correlation and leaves all else, so the height of the curve is a slice through "
    "the likelihood.",
    f"Draws: one in {THIN} of {CHAINS} × {DRAWS:,} of the Gibbs engine, under a Dirichlet(1, 1) "
    "prior of the weights, normal means with sds of 3, and inverse Wishart covariances with 4 "
    "degrees of freedom and scale 0.5 I.",
)


def data() -> Array:
    """Return the points, shape (N, 2)."""
    y, _ = simulate(TRUE, N, np.random.default_rng(SEED))
    return y


def best(y: Array) -> MultivariateParams:
    """Return the groups of maximum likelihood, the upper one first.

    Parameters
    ----------
    y : ndarray, shape (N, 2)
    """
    problem = Problem(VectorSample.of(y), K, PRIORS)
    found = EmEngine(EmSettings(starts=10, objective="ml")).run(problem, SEED, no_progress)
    params: MultivariateParams = found.params
    return params.permuted(np.argsort(-params.mu[:, 1]))


def with_correlation(at: MultivariateParams, rho: float) -> MultivariateParams:
    """Return the same groups, but the first with another correlation."""
    sds = np.sqrt(at.variances[0])
    cov = at.cov.copy()
    cov[0, 0, 1] = cov[0, 1, 0] = rho * sds[0] * sds[1]
    return MultivariateParams(at.w, at.mu, cov)


def drawn(y: Array, at: MultivariateParams) -> tuple[Array, Array]:
    """Return means of Gibbs draws as drawn and as aligned, shape (draws, K, 2) each.

    Parameters
    ----------
    y : ndarray, shape (N, 2)
    at : MultivariateParams
        What draws are aligned to.
    """
    sample = VectorSample.of(y)
    settings = GibbsSettings(chains=CHAINS, warmup=300, draws=DRAWS)
    found = GibbsEngine(settings).run(Problem(sample, K, PRIORS), SEED, no_progress).params
    fixed: Any = Reference.of(at, sample, PRIORS)  # type: ignore[arg-type]
    aligned: Any = align(found, fixed).params
    raw, named = (p.mu[:, ::THIN].reshape(-1, K, 2) for p in (found, aligned))
    if named[:, 0, 1].mean() < named[:, 1, 1].mean():
        named = named[:, ::-1]
    return raw, named


def compute(progress: Step) -> dict[str, Any]:
    """Return the points, the likelihood at each correlation, and draws under three names."""
    y = data()
    at = best(y)
    sample = VectorSample.of(y)
    progress(0.2)
    heights = [
        float(log_likelihood(sample, with_correlation(at, float(rho)))) for rho in CORRELATIONS
    ]
    raw, aligned = drawn(y, at)
    ways = {"across": _sorted(raw, 0), "up": _sorted(raw, 1), "aligned": aligned}
    progress(1.0)
    sds = np.sqrt(at.variances)
    return {
        "K": K,
        "y": y,
        "w": at.w,
        "mu": at.mu,
        "sds": sds,
        "correlations": CORRELATIONS,
        "best": at.correlations[:, 0, 1],
        "opens": int(np.argmin(np.abs(CORRELATIONS - at.correlations[0, 0, 1]))),
        "zero": int(np.argmin(np.abs(CORRELATIONS))),
        "heights": heights,
        "ways": {
            name: {
                "mu": mu,
                "mean": mu.mean(axis=0),
                "misnamed": float(np.mean(np.abs(mu - aligned).max(axis=(1, 2)) > 1e-9)),
            }
            for name, mu in ways.items()
        },
    }


def _sorted(mu: Array, dimension: int) -> Array:
    """Return draws with components numbered by one coordinate of the mean, the larger first."""
    order = np.argsort(-mu[:, :, dimension], axis=1)
    return np.take_along_axis(mu, order[:, :, None], axis=1)

"""The mixture of multivariate normals as a `Model`: its prior, its data and their densities.

Points are dictionaries of free coordinates: a covariance matrix is its ``variance`` (K, d) and its
``covariance`` (K, d (d - 1) / 2), the entries below the diagonal row by row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gmmcompare.model.multivariate.density import log_density
from gmmcompare.model.multivariate.params import MultivariateParams
from gmmcompare.model.multivariate.priors import MultivariatePriors, draw_points
from gmmcompare.model.multivariate.wishart import root_of
from gmmcompare.model.params import Array
from gmmcompare.model.points import Points


def to_points(params: Any) -> Points:
    """Return parameters of any leading shape as free coordinates by name."""
    below = np.tril_indices(params.mu.shape[-1], -1)
    return {
        "w": np.asarray(params.w),
        "mu": np.asarray(params.mu),
        "variance": np.asarray(np.diagonal(params.cov, axis1=-2, axis2=-1)),
        "covariance": np.asarray(params.cov[..., *below]),
    }


def to_params(theta: Points) -> MultivariateParams:
    """Return what `to_points` was made of."""
    w, mu, variance, covariance = (
        np.asarray(theta[name], dtype=float) for name in ("w", "mu", "variance", "covariance")
    )
    d = mu.shape[-1]
    cov = np.zeros((*mu.shape, d))
    below = np.tril_indices(d, -1)
    cov[..., *below] = covariance
    cov += np.swapaxes(cov, -1, -2)
    cov[..., np.arange(d), np.arange(d)] = variance
    return MultivariateParams(w, mu, cov)


@dataclass(frozen=True)
class MultivariateModel:
    """A mixture of K multivariate normals for N observations of d dimensions.

    Parameters
    ----------
    K, N : int
    priors : MultivariatePriors
    """

    K: int
    N: int
    priors: MultivariatePriors
    name: str = "mixture of multivariate normals"

    @property
    def parameters(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the coordinates."""
        K, d = self.K, self.priors.d
        shapes = {"w": (K,), "mu": (K, d), "variance": (K, d)}
        return {**shapes, "covariance": (K, d * (d - 1) // 2)} if d > 1 else shapes

    @property
    def symmetries(self) -> tuple[tuple[str, ...], ...]:
        """Components may be permuted where all have the same prior."""
        return (tuple(self.parameters),) if self.K > 1 and self.priors.exchangeable else ()

    def draw_prior(self, n: int, rng: np.random.Generator) -> Points:
        """Draw n points from the prior."""
        return to_points(draw_points(self.priors, n, rng, self.K))

    def draw_data(self, theta: Points, rng: np.random.Generator) -> Array:
        """Draw N observations for each point, shape (n, N, d)."""
        w, mu, cov = to_params(theta)
        n, d = len(w), self.priors.d
        passed = rng.random((n, self.N, 1)) > np.cumsum(w, axis=1)[:, None, :-1]
        z = passed.sum(axis=2)
        rows = np.arange(n)[:, None]
        root = np.linalg.cholesky(cov)[rows, z]
        return np.asarray(
            mu[rows, z] + np.einsum("nmij,nmj->nmi", root, rng.standard_normal((n, self.N, d)))
        )

    def log_prior(self, theta: Points) -> Array:
        """Return the log prior density of the coordinates, shape (n,)."""
        params = to_params(theta)
        inside = _inside(params)
        found = np.full(len(params.w), -np.inf)
        if inside.any():
            some = MultivariateParams(*(a[inside] for a in params))
            found[inside] = self.priors.log_density(some)
        return found

    def log_likelihood(self, theta: Points, y: Array) -> Array:
        """Return the log-likelihood of each point for its own data, labels summed out, (n,)."""
        params = to_params(theta)
        inside = _inside(params)
        found = np.full(len(params.w), -np.inf)
        if inside.any():
            some = MultivariateParams(*(a[inside] for a in params))
            own = np.asarray(y)[inside][:, None]
            found[inside] = log_density(own, some).sum(axis=-1)
        return found


def _inside(params: MultivariateParams) -> Any:
    definite = np.isfinite(root_of(params.cov)).all(axis=(1, 2, 3))
    return definite & (params.w >= 0).all(axis=1)

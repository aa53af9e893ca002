"""The mixture of normals as a `Model`: its prior, its data and their densities, for n points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gmmcompare.model.mixture import LOG_SQRT_2PI
from gmmcompare.model.params import Array, Params
from gmmcompare.model.points import Points
from gmmcompare.model.priors import Priors

_TINY = 1e-300


@dataclass(frozen=True)
class MixtureModel:
    """A mixture of K normals for N observations.

    Parameters
    ----------
    K, N : int
    priors : Priors
        The prior of the weights, means and standard deviations; see `log_prior` for the density.
    """

    K: int
    N: int
    priors: Priors

    @property
    def parameters(self) -> dict[str, tuple[int, ...]]:
        """Weights, means and standard deviations."""
        return dict.fromkeys(Params._fields, (self.K,))

    @property
    def symmetries(self) -> tuple[tuple[str, ...], ...]:
        """Components may be permuted where all have the same prior."""
        return (Params._fields,) if self.K > 1 and self.priors.exchangeable else ()

    def draw_prior(self, n: int, rng: np.random.Generator) -> Points:
        """Draw n points, ``{"w", "mu", "sigma"}`` of shape (n, K) each."""
        return self.priors.draw(n, rng, self.K)._asdict()

    def draw_data(self, theta: Points, rng: np.random.Generator) -> Array:
        """Draw N observations for each point, shape (n, N)."""
        w, mu, sigma = (np.asarray(theta[name]) for name in Params._fields)
        n = len(w)
        passed = rng.random((n, self.N, 1)) > np.cumsum(w, axis=1)[:, None, :-1]
        z = passed.sum(axis=2)
        rows = np.arange(n)[:, None]
        return rng.normal(mu[rows, z], sigma[rows, z])

    def log_prior(self, theta: Points) -> Array:
        """Return the log prior density of (w, mu, sigma), shape (n,).

        `Priors.log_density` is over sigma squared; a density over sigma has the factor 2 sigma.
        """
        w, mu, sigma = (np.asarray(theta[name], dtype=float) for name in Params._fields)
        inside = (sigma > 0).all(axis=1) & (w >= 0).all(axis=1)
        with np.errstate(all="ignore"):
            found = self.priors.expanded(self.K).log_density(Params(w, mu, sigma))
            found = found + np.log(2.0 * sigma).sum(axis=1)
        return np.where(inside, found, -np.inf)

    def log_likelihood(self, theta: Points, y: Array) -> Array:
        """Return the log-likelihood of each point for its own data, labels summed out, (n,)."""
        w, mu, sigma = (np.asarray(theta[name]) for name in Params._fields)
        joint = log_joints(Params(w, mu, sigma), y)
        return np.asarray(np.logaddexp.reduce(joint, axis=2).sum(axis=1))


def log_joints(params: Params, y: Array, errors: Array | None = None) -> Array:
    """Return log w_k + log Normal(y_i; mu_k, sigma_k) of each point for its own data.

    Parameters
    ----------
    params : Params
        Arrays of shape (n, K).
    y : ndarray, shape (n, N)
    errors : ndarray, shape (N,), optional
        Sds of the measurement errors of all data sets alike.

    Returns
    -------
    ndarray, shape (n, N, K)
    """
    w, mu, sigma = (a[:, None, :] for a in params)
    if errors is not None:
        sigma = np.hypot(sigma, errors[:, None])
    constant = np.log(np.maximum(w, _TINY)) - np.log(sigma) - LOG_SQRT_2PI
    return np.asarray(constant - 0.5 * ((y[:, :, None] - mu) / sigma) ** 2)

"""The mixture of multivariate normals: density, responsibilities, simulation. Symbols as `mixture`.

``y`` is (N, d), ``mu`` (K, d) and ``cov`` (K, d, d); a batch of parameters has leading axes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp

from gmmcompare.model.multivariate.params import MultivariateParams
from gmmcompare.model.multivariate.wishart import log_det_of, root_of, whitened
from gmmcompare.model.params import Array
from gmmcompare.model.sample import Sample

_LOG_2PI = float(np.log(2.0 * np.pi))


def log_joint(y: ArrayLike, params: MultivariateParams) -> Array:
    """Return log w_k + log Normal(y_i; mu_k, cov_k), shape (..., N, K).

    Points that have data of their own take ``y`` of shape (..., 1, N, d).
    """
    rows = np.asarray(y, dtype=float)
    root = root_of(params.cov)
    deviation = np.swapaxes(rows - params.mu[..., None, :], -1, -2)  # (..., K, d, N)
    distance = (whitened(root, deviation) ** 2).sum(-2)
    with np.errstate(divide="ignore"):  # log 0 = -inf is meant: an impossible component
        constant = np.log(params.w) - 0.5 * (log_det_of(root) + rows.shape[-1] * _LOG_2PI)
    return np.asarray(np.swapaxes(constant[..., None] - 0.5 * distance, -1, -2))


def log_density(y: ArrayLike, params: MultivariateParams) -> Array:
    """Return the log mixture density at each row of y, shape (..., N)."""
    return np.asarray(logsumexp(log_joint(y, params), axis=-1))


def log_likelihood(sample: Sample, params: MultivariateParams) -> Array:
    """Return the log-likelihood with labels summed out, shape (...)."""
    return np.asarray(log_density(sample.values, params) @ sample.counts)


def responsibilities(y: ArrayLike, params: MultivariateParams) -> Array:
    """Return P(z_i = k | y_i, params), shape (..., N, K); rows sum to one."""
    joint = log_joint(y, params)
    r = np.exp(joint - joint.max(axis=-1, keepdims=True))
    return np.asarray(r / r.sum(axis=-1, keepdims=True))


def simulate(
    params: MultivariateParams, n: int, rng: np.random.Generator
) -> tuple[Array, NDArray[np.int64]]:
    """Draw observations and their allocations.

    Parameters
    ----------
    params : MultivariateParams
        One point.
    n : int
        Number of observations.
    rng : numpy.random.Generator

    Returns
    -------
    y : ndarray, shape (n, d)
    z : ndarray of int, shape (n,)
    """
    z = rng.choice(params.K, size=n, p=params.w)
    root = np.linalg.cholesky(params.cov)
    normals = rng.standard_normal((n, params.d))
    return params.mu[z] + np.einsum("nij,nj->ni", root[z], normals), z

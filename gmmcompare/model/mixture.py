"""The mixture of normals: density, responsibilities, simulation.

Symbols, here, in the engines and in compiled loops:

======== ============== ============================================================
``y``    (N,)           observations; ``values`` (D,), ``counts`` (D,) when tied
``K``                   number of components, indexed by k
``w``    (K,)           weights, on the simplex
``mu``   (K,)           means
``sigma`` (K,)          standard deviations; a variance is written ``sigma**2``
``s``    (N,)           sds of measurement errors, ``errors`` (D,) when tied; see below
``z``    (N,)           allocations in 0..K-1
``r``    (N, K)         responsibilities P(z_i = k | y_i, w, mu, sigma); rows sum to one
``n_k``  (K,)           observations allocated to component k
``sum_y``, ``sum_sq``   (K,) sums of y, and of squares about the component's own mean
======== ============== ============================================================

Where observations were measured with known errors, y_i = x_i + e_i with e_i ~ Normal(0, s_i), the
mixture is that of the true values x, and y_i ~ sum_k w_k Normal(mu_k, sqrt(sigma_k^2 + s_i^2)).

Everything here is plain NumPy and takes `Params` of shape (K,) or a batch of shape (..., K). The
compiled loops over many draws are in `compiled`, and are held to these functions by tests.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp, ndtr

from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample

LOG_SQRT_2PI = 0.5 * float(np.log(2.0 * np.pi))


def log_joint(y: ArrayLike, params: Params, errors: ArrayLike | None = None) -> Array:
    """Return log w_k + log Normal(y_i; mu_k, sigma_k), shape (..., N, K).

    Parameters
    ----------
    y : array_like, shape (N,)
    params : Params
        Arrays of shape (..., K).
    errors : array_like, shape (N,), optional
        Sds of the measurement errors: the sd is then sqrt(sigma_k^2 + s_i^2).
    """
    y_column = np.asarray(y, dtype=float)[:, None]
    w, mu, sigma = (np.asarray(a)[..., None, :] for a in params)
    if errors is not None:
        sigma = np.hypot(sigma, np.asarray(errors, dtype=float)[:, None])
    with np.errstate(divide="ignore"):  # log 0 = -inf is meant: an impossible component
        constant = np.log(w) - np.log(sigma) - LOG_SQRT_2PI
    return np.asarray(constant - 0.5 * ((y_column - mu) / sigma) ** 2)


def log_density(y: ArrayLike, params: Params, errors: ArrayLike | None = None) -> Array:
    """Return the log mixture density at each y, shape (..., N).

    Parameters
    ----------
    y, params, errors
        As in `log_joint`.
    """
    return np.asarray(logsumexp(log_joint(y, params, errors), axis=-1))


def cdf(y: ArrayLike, params: Params, errors: ArrayLike | None = None) -> Array:
    """Return the mixture's distribution function at each y, shape (..., N).

    Parameters
    ----------
    y, params, errors
        As in `log_joint`.
    """
    w, mu, sigma = (np.asarray(a)[..., None, :] for a in params)
    if errors is not None:
        sigma = np.hypot(sigma, np.asarray(errors, dtype=float)[:, None])
    return np.asarray((w * ndtr((np.asarray(y, dtype=float)[:, None] - mu) / sigma)).sum(-1))


def log_likelihood(sample: Sample, params: Params) -> Array:
    """Return the log-likelihood with labels summed out, shape (...)."""
    return np.asarray(log_density(sample.values, params, sample.errors) @ sample.counts)


def log_posterior(sample: Sample, params: Params, priors: Priors) -> Array:
    """Return log-likelihood plus log prior, a density over (w, mu, sigma**2).

    Parameters
    ----------
    sample : Sample
    params : Params
        Arrays of shape (..., K), in the units of the sample.
    priors : Priors
        In the same units.

    Returns
    -------
    ndarray, shape (...)
        Not divided by the evidence.
    """
    return log_likelihood(sample, params) + priors.log_density(params)


def responsibilities(y: ArrayLike, params: Params, errors: ArrayLike | None = None) -> Array:
    """Return P(z_i = k | y_i, params), shape (..., N, K); rows sum to one.

    Parameters
    ----------
    y, params, errors
        As in `log_joint`.
    """
    joint = log_joint(y, params, errors)
    r = np.exp(joint - joint.max(axis=-1, keepdims=True))
    return np.asarray(r / r.sum(axis=-1, keepdims=True))


def true_value_given(y: ArrayLike, params: Params, errors: ArrayLike) -> tuple[Array, Array]:
    """Return mean and sd of the true value x_i given y_i, its component k and the parameters.

    Given its component a true value is normal, and so is the measurement given the true value: the
    mean lies between the two, where their precisions put it, ``mu + B (y - mu)`` with
    ``B = sigma^2 / (sigma^2 + s^2)``, and the sd is ``s sqrt(B)``.

    Parameters
    ----------
    y : array_like, shape (N,)
    params : Params
        Arrays of shape (..., K).
    errors : array_like, shape (N,)

    Returns
    -------
    tuple of two ndarrays, shape (..., N, K)
    """
    column, s = (np.asarray(a, dtype=float)[:, None] for a in (y, errors))
    _, mu, sigma = (np.asarray(a)[..., None, :] for a in params)
    root = 1.0 / np.hypot(1.0, s / sigma)  # B = root^2; 1 where sigma is infinite
    return mu + root**2 * (column - mu), s * root


def mean(params: Params) -> Array:
    """Return the mean of the mixture, shape (...)."""
    return np.asarray((params.w * params.mu).sum(-1))


def simulate(params: Params, n: int, rng: np.random.Generator) -> tuple[Array, NDArray[np.int64]]:
    """Draw observations and their allocations.

    Parameters
    ----------
    params : Params
        One point, arrays of shape (K,).
    n : int
        Number of observations N.
    rng : numpy.random.Generator

    Returns
    -------
    y : ndarray, shape (N,)
    z : ndarray of int, shape (N,)
        Allocations in 0..K-1.
    """
    z = rng.choice(params.K, size=n, p=params.w)
    return rng.normal(params.mu[z], params.sigma[z]), z

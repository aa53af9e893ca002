"""Steps of the sampler to read that other priors than `Priors` have in place of its own.

Under conjugate priors a component's mean and variance are drawn at once, the variance with the mean
integrated out (Gelman et al. 2013, section 3.3)::

    sigma_k^2 | z          ~ InverseGamma(a + n_k / 2, b + [SS_k + n_k k0 / (n_k + k0) d_k^2] / 2)
    mu_k | sigma_k^2, z    ~ Normal(m0 + n_k / (n_k + k0) d_k, sigma_k^2 / (n_k + k0))

with ``d_k`` the mean of the component's observations less m0, and ``SS_k`` their sum of squares
about it. One sd for all components gathers what all of them tell::

    sigma^2 | mu, z        ~ InverseGamma(a + N / 2, b + sum over k of sum_sq_k / 2)

Known sds and weights are not drawn.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gmmcompare.model.conjugate import ConjugatePriors
from gmmcompare.model.params import Array
from gmmcompare.model.priors import Priors, log_gamma_draws


def draw_conjugate(
    z: NDArray[np.int64], y: Array, priors: ConjugatePriors, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Draw sigma_k | z and then mu_k | sigma_k, z.

    Parameters
    ----------
    z : ndarray of int, shape (N,)
    y : ndarray, shape (N,)
    priors : ConjugatePriors
        Expanded to K components.
    rng : numpy.random.Generator

    Returns
    -------
    mu, sigma : ndarray, shape (K,)
    """
    m0, count = np.asarray(priors.mean_loc), np.asarray(priors.mean_count)
    K = m0.size
    n_k = np.bincount(z, minlength=K).astype(float)
    sum_y = np.bincount(z, weights=y, minlength=K)
    ybar = np.divide(sum_y, n_k, out=m0.copy(), where=n_k > 0)
    about_ybar = np.bincount(z, weights=(y - ybar[z]) ** 2, minlength=K)
    share = n_k / (n_k + count)
    shape = np.asarray(priors.var_shape) + n_k / 2
    sum_sq = about_ybar + count * share * (ybar - m0) ** 2
    log_variance = np.log(np.asarray(priors.var_scale) + sum_sq / 2) - log_gamma_draws(rng, shape)
    sigma = np.exp(0.5 * log_variance)
    noise = rng.standard_normal(K)
    return m0 + share * (ybar - m0) + sigma / np.sqrt(n_k + count) * noise, sigma


def draw_shared_sd(n_k: Array, sum_sq: Array, priors: Priors, rng: np.random.Generator) -> Array:
    """Draw the sd of all components given their means and allocations.

    Parameters
    ----------
    n_k : ndarray, shape (K,)
    sum_sq : ndarray, shape (K,)
        Sum of squares of each component's observations about mu_k.
    priors : Priors
        Expanded to K components, with one shape and one scale.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (K,)
        One number K times.
    """
    shape = np.asarray(priors.var_shape)[:1] + n_k.sum() / 2
    scale = np.asarray(priors.var_scale)[:1] + sum_sq.sum() / 2
    log_variance = np.log(scale) - log_gamma_draws(rng, shape)
    return np.repeat(np.exp(0.5 * log_variance), n_k.size)

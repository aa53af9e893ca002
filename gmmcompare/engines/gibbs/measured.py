"""The Gibbs sampler to read, for values that were measured with known errors.

With y_i = x_i + e_i, e_i ~ Normal(0, s_i), one sweep is::

    P(z_i = k | .)  proportional to  w_k Normal(y_i; mu_k, sqrt(sigma_k^2 + s_i^2))
    x_i | z_i = k, .  ~ Normal(mu_k + B (y_i - mu_k), s_i sqrt(B))
    w, mu, sigma | z, x   as in `plain`, with the true values x in place of y

with ``B = sigma_k^2 / (sigma_k^2 + s_i^2)``.

The order matters (van Dyk and Park 2008): z is drawn with x summed out, which moves farther than z
given x, and so x has to be drawn right after it. Drawn before, x would belong to the old z.
"""

from __future__ import annotations

import numpy as np

from gmmcompare.engines.gibbs.plain import Allocations, allocated, draw_parameters
from gmmcompare.model.mixture import responsibilities, true_value_given
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors


def sweep(
    w: Array,
    mu: Array,
    sigma: Array,
    y: Array,
    priors: Priors,
    rng: np.random.Generator,
    errors: Array,
) -> Params:
    """Make one sweep: z | w, mu, sigma, then x | z, and then w, mu and sigma given z and x.

    Parameters
    ----------
    w, mu, sigma : ndarray, shape (K,)
        Where the chain stands.
    y : ndarray, shape (N,)
    priors : Priors
    rng : numpy.random.Generator
    errors : ndarray, shape (N,)
        Sds of the measurement errors of y.

    Returns
    -------
    Params
        The new (w, mu, sigma), each of shape (K,).
    """
    z = draw_allocations(w, mu, sigma, y, errors, rng.random(y.size))
    x = draw_true_values(z, mu, sigma, y, errors, rng.standard_normal(y.size))
    return draw_parameters(z, sigma, x, priors, rng)


def draw_allocations(
    w: Array, mu: Array, sigma: Array, y: Array, errors: Array, u: Array
) -> Allocations:
    """Allocate each observation by one uniform, its true value summed out.

    Parameters
    ----------
    w, mu, sigma : ndarray, shape (K,)
    y, errors : ndarray, shape (N,)
    u : ndarray, shape (N,)
        Uniforms on [0, 1).

    Returns
    -------
    ndarray of int, shape (N,)
        In 0..K-1.
    """
    return allocated(responsibilities(y, Params(w, mu, sigma), errors), u)


def draw_true_values(
    z: Allocations, mu: Array, sigma: Array, y: Array, errors: Array, noise: Array
) -> Array:
    """Draw the true values given their components, by one standard normal each.

    Parameters
    ----------
    z : ndarray of int, shape (N,)
    mu, sigma : ndarray, shape (K,)
    y, errors : ndarray, shape (N,)
    noise : ndarray, shape (N,)
        Standard normal.

    Returns
    -------
    ndarray, shape (N,)
    """
    loc, sd = true_value_given(y, Params(np.ones_like(mu), mu, sigma), errors)
    own = np.arange(y.size), z
    return np.asarray(loc[own] + sd[own] * noise)

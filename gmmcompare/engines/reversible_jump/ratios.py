"""Acceptance ratios of reversible jump, term by term: what a split or a birth multiplies.

`compiled` says what is proposed. The log of a ratio is a sum of terms; `Terms` says with which
factor each enters. All are 1 in the correct sampler, but `as_printed`, which is 0. A fault of the
gallery is another factor, and nothing else.
"""

from __future__ import annotations

from math import lgamma, log
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gmmcompare.model.params import Array

LOG_SQRT_2PI = 0.5 * np.log(2.0 * np.pi)


class Terms(NamedTuple):
    """With which factor each term of a log acceptance ratio is counted."""

    jacobian: float = 1.0  # of the split
    birth_jacobian: float = 1.0  # of making room for the weight of a new component
    number: float = 1.0  # p(K + 1) / p(K)
    order: float = 1.0  # (K + 1)! / K! ways to number the components of a set
    attempt: float = 1.0  # how often the opposite moves are attempted
    division: float = 1.0  # how the observations were divided between the two
    proposal: float = 1.0  # density of u1, u2, u3
    weights: float = 1.0  # the weights' prior
    means: float = 1.0  # the means' prior
    variances: float = 1.0  # the variances' prior
    as_printed: float = 0.0  # of Richardson and Green's (1 - w)^K, in which one (1 - w) is too many
    which_empty: float = 1.0  # among how many empty components the dying one is chosen


class Model(NamedTuple):
    """Priors of one component, and what depends on K = 1..max_K, arrays of shape (max_K,)."""

    mean_loc: float
    mean_sd: float
    var_shape: float
    var_scale: float
    log_prob: Array
    concentration: Array


class State(NamedTuple):
    """Arrays with room for max_K components, of which the first K are in use; overwritten."""

    w: Array
    mu: Array
    sigma: Array
    n_k: Array
    z: NDArray[np.int64]  # (N,) in 0..K-1


@njit(inline="always")
def _log_beta_density(x: float, a: float, b: float) -> float:
    constant = lgamma(a + b) - lgamma(a) - lgamma(b)
    return float(constant + (a - 1.0) * log(x) + (b - 1.0) * np.log1p(-x))


@njit(inline="always")
def log_normal(y: float, mu: float, sigma: float) -> float:
    """Return the log density of a normal distribution.

    Parameters
    ----------
    y, mu, sigma : float
    """
    return float(-0.5 * ((y - mu) / sigma) ** 2 - np.log(sigma) - LOG_SQRT_2PI)


@njit(inline="always")
def _log_variance_prior(sigma: float, model: Model) -> float:
    a, b = model.var_shape, model.var_scale
    return float(a * log(b) - lgamma(a) - 2.0 * (a + 1.0) * np.log(sigma) - b / sigma**2)


@njit(inline="always")
def _log_dirichlet_constant(K: int, model: Model) -> float:
    c = model.concentration[K - 1]
    return lgamma(K * c) - K * lgamma(c)


@njit(inline="always")
def prob_up(K: int, max_K: int) -> float:
    """Return the probability of attempting a split, or a birth, rather than its opposite."""
    if K == 1:
        return 1.0
    return 0.0 if max_K == K else 0.5


@njit(cache=True, nogil=True, error_model="numpy")
def log_split_ratio(
    K: int,
    one: tuple[float, float, float, float],
    a: tuple[float, float, float, float],
    b: tuple[float, float, float, float],
    u: tuple[float, float, float],
    log_likelihood_ratio: float,
    log_division: float,
    others_log_w: float,
    model: Model,
    terms: Terms,
) -> float:
    """Return the log acceptance ratio of splitting one of K components; a merge has its negative.

    Parameters
    ----------
    K : int
        Number of components before the split.
    one, a, b : tuple of float
        (w, mu, sigma, number of observations) before, and of the two after.
    u : tuple of float
        u1, u2 and u3.
    log_likelihood_ratio : float
        Of the observations concerned, given their allocations.
    log_division : float
        Log probability of their division between the two.
    others_log_w : float
        Sum of log w of the other components.
    model : Model
    terms : Terms

    Returns
    -------
    float
    """
    (w, mu, sigma, n), (w1, mu1, sigma1, n1), (w2, mu2, sigma2, n2) = one, a, b
    u1, u2, u3 = u
    ratio = log_likelihood_ratio + n1 * log(w1) + n2 * log(w2) - n * log(w)
    ratio += terms.number * (model.log_prob[K] - model.log_prob[K - 1])
    ratio += terms.order * log(K + 1.0)
    c, c_more = model.concentration[K - 1], model.concentration[K]
    log_weights = _log_dirichlet_constant(K + 1, model) - _log_dirichlet_constant(K, model)
    log_weights += (c_more - 1.0) * (log(w1) + log(w2)) - (c - 1.0) * log(w)
    log_weights += (c_more - c) * others_log_w
    ratio += terms.weights * log_weights
    m0, s0 = model.mean_loc, model.mean_sd
    ratio += terms.means * (
        log_normal(mu1, m0, s0) + log_normal(mu2, m0, s0) - log_normal(mu, m0, s0)
    )
    ratio += terms.variances * (
        _log_variance_prior(sigma1, model)
        + _log_variance_prior(sigma2, model)
        - _log_variance_prior(sigma, model)
    )
    # Which component is split, 1 of K, and which neighbours are merged, 1 of K pairs, cancel.
    up, down = prob_up(K, model.log_prob.size), 1.0 - prob_up(K + 1, model.log_prob.size)
    ratio += terms.attempt * (log(down) - log(up))
    ratio -= terms.division * log_division
    ratio -= terms.proposal * (_log_beta_density(u1, 2.0, 2.0) + _log_beta_density(u2, 2.0, 2.0))
    log_jacobian = log(w) + log(mu2 - mu1) + 2.0 * (log(sigma1) + log(sigma2) - log(sigma))
    log_jacobian -= log(u2) + log(1.0 - u2**2) + log(u3) + log(1.0 - u3)
    return float(ratio + terms.jacobian * log_jacobian)


@njit(cache=True, nogil=True, error_model="numpy")
def log_birth_ratio(
    K: int, n: int, n_empty: int, new: float, others_log_w: float, model: Model, terms: Terms
) -> float:
    """Return the log acceptance ratio of the birth of an empty component; a death has its negative.

    Richardson and Green print the Jacobian (1 - w)^K; it is (1 - w)^(K - 1), as their corrigendum
    (1998) says. The new component's mean and sd come from their prior, and cancel.

    Parameters
    ----------
    K : int
        Number of components before the birth.
    n : int
        Number of observations.
    n_empty : int
        Number of empty components before the birth.
    new : float
        Weight of the new component, proposed from Beta(1, K).
    others_log_w : float
        Sum of log w of the others, before they make room for it.
    model : Model
    terms : Terms

    Returns
    -------
    float
    """
    log_rest = np.log1p(-new)
    ratio = n * log_rest + terms.number * (model.log_prob[K] - model.log_prob[K - 1])
    ratio += terms.order * log(K + 1.0)
    c, c_more = model.concentration[K - 1], model.concentration[K]
    log_weights = _log_dirichlet_constant(K + 1, model) - _log_dirichlet_constant(K, model)
    log_weights += (c_more - 1.0) * (log(new) + K * log_rest) + (c_more - c) * others_log_w
    ratio += terms.weights * log_weights
    up, down = prob_up(K, model.log_prob.size), 1.0 - prob_up(K + 1, model.log_prob.size)
    ratio += terms.attempt * (log(down) - log(up)) - terms.which_empty * log(n_empty + 1.0)
    ratio -= _log_beta_density(new, 1.0, float(K))
    return float(ratio + (terms.birth_jacobian * (K - 1) + terms.as_printed) * log_rest)

"""Reversible jump for a mixture of normals (Richardson and Green 1997), written to be read.

The state is a *set* of K components and the allocations z. One sweep draws z, then w, mu and sigma
given z, as Gibbs does; then it proposes to split a component or to merge two whose means are
neighbours, and at last the birth or death of an empty component.

A split turns (w, mu, sigma) into two components that have the same first two moments, by
u1, u2 ~ Beta(2, 2) and u3 ~ Uniform(0, 1)::

    w1 = w u1                              w2 = w (1 - u1)
    mu1 = mu - u2 sigma sqrt(w2 / w1)      mu2 = mu + u2 sigma sqrt(w1 / w2)
    sigma1^2 = u3 (1 - u2^2) sigma^2 w/w1  sigma2^2 = (1 - u3)(1 - u2^2) sigma^2 w/w2

and divides its observations between them as Gibbs would. The log of the acceptance ratio is a sum
of terms; `Terms` says with which factor each enters. All are 1 in the correct sampler, but
`as_printed`, which is 0. A fault of
the gallery is another factor, and nothing else.
"""

from __future__ import annotations

from math import lgamma, log
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gmmcompare.model.params import Array

LOG_SQRT_2PI = 0.5 * np.log(2.0 * np.pi)
MOVES = ("split", "merge", "birth", "death")


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
def _log_gamma_draw(a: float, rng: np.random.Generator) -> float:
    if a >= 1.0:
        return float(np.log(rng.standard_gamma(a)))
    return float(np.log(rng.standard_gamma(a + 1.0)) + np.log1p(-rng.random()) / a)


@njit(inline="always")
def _beta_draw(a: float, b: float, rng: np.random.Generator) -> float:
    x, y = _log_gamma_draw(a, rng), _log_gamma_draw(b, rng)
    return float(1.0 / (1.0 + np.exp(y - x)))


@njit(inline="always")
def _log_beta_density(x: float, a: float, b: float) -> float:
    constant = lgamma(a + b) - lgamma(a) - lgamma(b)
    return float(constant + (a - 1.0) * log(x) + (b - 1.0) * np.log1p(-x))


@njit(inline="always")
def _log_normal(y: float, mu: float, sigma: float) -> float:
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
def _prob_up(K: int, max_K: int) -> float:
    """Return the probability of attempting a split, or a birth, rather than its opposite."""
    if K == 1:
        return 1.0
    return 0.0 if max_K == K else 0.5


@njit(cache=True, nogil=True, error_model="numpy")
def draw_allocations(K: int, y: Array, state: State, rng: np.random.Generator) -> None:
    """Draw z given w, mu and sigma, and count.

    Parameters
    ----------
    K : int
        Number of components before.
    y : ndarray, shape (N,)
    state : State
        Overwritten.
    rng : numpy.random.Generator
    """
    cumulated = np.empty(K)
    state.n_k[:] = 0.0
    constant = np.empty(K)
    for k in range(K):
        constant[k] = np.log(state.w[k]) - np.log(state.sigma[k])
    for i in range(y.size):
        top = -np.inf
        for k in range(K):
            cumulated[k] = constant[k] - 0.5 * ((y[i] - state.mu[k]) / state.sigma[k]) ** 2
            top = max(top, cumulated[k])
        total = 0.0
        for k in range(K):
            total += np.exp(cumulated[k] - top)
            cumulated[k] = total
        u, k = rng.random() * total, 0
        while k < K - 1 and u >= cumulated[k]:
            k += 1
        state.z[i] = k
        state.n_k[k] += 1.0


@njit(cache=True, nogil=True, error_model="numpy")
def draw_parameters(K: int, y: Array, state: State, model: Model, rng: np.random.Generator) -> None:
    """Draw w, mu and sigma given z; empty components from their prior.

    Parameters
    ----------
    K : int
        Number of components before.
    y : ndarray, shape (N,)
    state : State
        Overwritten.
    model : Model
    rng : numpy.random.Generator
    """
    c = model.concentration[K - 1]
    sum_y, sum_sq = np.zeros(K), np.zeros(K)
    for i in range(y.size):
        sum_y[state.z[i]] += y[i]
    top = -np.inf
    for k in range(K):
        state.w[k] = _log_gamma_draw(c + state.n_k[k], rng)
        top = max(top, state.w[k])
    total = 0.0
    for k in range(K):
        state.w[k] = np.exp(state.w[k] - top)
        total += state.w[k]
    for k in range(K):
        state.w[k] /= total
        n, m0, s0 = state.n_k[k], model.mean_loc, model.mean_sd
        root_share = 1.0 / np.hypot(1.0, np.sqrt(n) * s0 / state.sigma[k])
        ybar = sum_y[k] / n if n > 0.0 else m0
        state.mu[k] = ybar + (m0 - ybar) * root_share**2 + s0 * root_share * rng.standard_normal()
    for i in range(y.size):
        sum_sq[state.z[i]] += (y[i] - state.mu[state.z[i]]) ** 2
    for k in range(K):
        log_g = _log_gamma_draw(model.var_shape + 0.5 * state.n_k[k], rng)
        state.sigma[k] = np.exp(0.5 * (log(model.var_scale + 0.5 * sum_sq[k]) - log_g))


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
        _log_normal(mu1, m0, s0) + _log_normal(mu2, m0, s0) - _log_normal(mu, m0, s0)
    )
    ratio += terms.variances * (
        _log_variance_prior(sigma1, model)
        + _log_variance_prior(sigma2, model)
        - _log_variance_prior(sigma, model)
    )
    # Which component is split, 1 of K, and which neighbours are merged, 1 of K pairs, cancel.
    up, down = _prob_up(K, model.log_prob.size), 1.0 - _prob_up(K + 1, model.log_prob.size)
    ratio += terms.attempt * (log(down) - log(up))
    ratio -= terms.division * log_division
    ratio -= terms.proposal * (_log_beta_density(u1, 2.0, 2.0) + _log_beta_density(u2, 2.0, 2.0))
    log_jacobian = log(w) + log(mu2 - mu1) + 2.0 * (log(sigma1) + log(sigma2) - log(sigma))
    log_jacobian -= log(u2) + log(1.0 - u2**2) + log(u3) + log(1.0 - u3)
    return float(ratio + terms.jacobian * log_jacobian)


@njit(cache=True, nogil=True, error_model="numpy")
def _others_log_w(K: int, skip_a: int, skip_b: int, w: Array) -> float:
    total = 0.0
    for k in range(K):
        if k not in (skip_a, skip_b):
            total += np.log(w[k])
    return total


@njit(inline="always")
def _divided(
    y: float, w1: float, mu1: float, sigma1: float, w2: float, mu2: float, sigma2: float
) -> tuple[float, float, float]:
    """Return log P(first | y) of two components, and the log densities of both."""
    first, second = _log_normal(y, mu1, sigma1), _log_normal(y, mu2, sigma2)
    gap = np.log(w2) + second - np.log(w1) - first
    return -np.logaddexp(0.0, gap), first, second


@njit(cache=True, nogil=True, error_model="numpy")
def split(
    K: int, y: Array, state: State, model: Model, terms: Terms, rng: np.random.Generator
) -> int:
    """Propose to split a component; return the number of components afterwards.

    Parameters
    ----------
    K : int
        Number of components before.
    y : ndarray, shape (N,)
    state : State
        Overwritten.
    model : Model
    terms : Terms
    rng : numpy.random.Generator
    """
    j = int(rng.random() * K)
    w, mu, sigma, n = state.w[j], state.mu[j], state.sigma[j], state.n_k[j]
    u1, u2, u3 = _beta_draw(2.0, 2.0, rng), _beta_draw(2.0, 2.0, rng), rng.random()
    w1, w2 = w * u1, w * (1.0 - u1)
    mu1, mu2 = mu - u2 * sigma * np.sqrt(w2 / w1), mu + u2 * sigma * np.sqrt(w1 / w2)
    left = (1.0 - u2**2) * sigma**2 * w
    sigma1, sigma2 = np.sqrt(u3 * left / w1), np.sqrt((1.0 - u3) * left / w2)
    for k in range(K):  # only neighbours can be merged
        if k != j and mu1 < state.mu[k] < mu2:
            return K
    if not (u3 > 0.0 and w1 > 0.0 and w2 > 0.0 and mu1 < mu2 and left < np.inf):
        return K
    to_second = np.zeros(y.size, dtype=np.bool_)
    log_ratio, log_division, n2 = 0.0, 0.0, 0.0
    for i in range(y.size):
        if state.z[i] != j:
            continue
        log_first, first, second = _divided(y[i], w1, mu1, sigma1, w2, mu2, sigma2)
        if rng.random() < np.exp(log_first):
            log_division += log_first
            log_ratio += first
        else:
            to_second[i] = True
            n2 += 1.0
            log_division += np.log(-np.expm1(log_first))
            log_ratio += second
        log_ratio -= _log_normal(y[i], mu, sigma)
    ratio = log_split_ratio(
        K,
        (w, mu, sigma, n),
        (w1, mu1, sigma1, n - n2),
        (w2, mu2, sigma2, n2),
        (u1, u2, u3),
        log_ratio,
        log_division,
        _others_log_w(K, j, j, state.w),
        model,
        terms,
    )
    if not np.log1p(-rng.random()) < ratio:
        return K
    state.w[j], state.mu[j], state.sigma[j], state.n_k[j] = w1, mu1, sigma1, n - n2
    state.w[K], state.mu[K], state.sigma[K], state.n_k[K] = w2, mu2, sigma2, n2
    for i in range(y.size):
        if to_second[i]:
            state.z[i] = K
    return K + 1


@njit(cache=True, nogil=True, error_model="numpy")
def merge(
    K: int, y: Array, state: State, model: Model, terms: Terms, rng: np.random.Generator
) -> int:
    """Propose to merge two components with neighbouring means; return their number afterwards.

    Parameters
    ----------
    K : int
        Number of components before.
    y : ndarray, shape (N,)
    state : State
        Overwritten.
    model : Model
    terms : Terms
    rng : numpy.random.Generator
    """
    order = np.argsort(state.mu[:K])
    at = int(rng.random() * (K - 1))
    a, b = order[at], order[at + 1]
    w1, mu1, sigma1, n1 = state.w[a], state.mu[a], state.sigma[a], state.n_k[a]
    w2, mu2, sigma2, n2 = state.w[b], state.mu[b], state.sigma[b], state.n_k[b]
    w = w1 + w2
    mu = (w1 * mu1 + w2 * mu2) / w
    within = (w1 * sigma1**2 + w2 * sigma2**2) / w
    sigma = np.sqrt(within + w1 * w2 * ((mu1 - mu2) / w) ** 2)
    u1 = w1 / w
    u2 = (mu - mu1) / (sigma * np.sqrt(w2 / w1))
    u3 = w1 * sigma1**2 / (w * within)
    if not (0.0 < u1 < 1.0 and 0.0 < u2 < 1.0 and 0.0 < u3 < 1.0 and sigma < np.inf):
        return K
    log_ratio, log_division = 0.0, 0.0
    for i in range(y.size):
        if state.z[i] not in (a, b):
            continue
        log_first, first, second = _divided(y[i], w1, mu1, sigma1, w2, mu2, sigma2)
        if state.z[i] == a:
            log_division += log_first
            log_ratio += first
        else:
            log_division += np.log(-np.expm1(log_first))
            log_ratio += second
        log_ratio -= _log_normal(y[i], mu, sigma)
    ratio = log_split_ratio(
        K - 1,
        (w, mu, sigma, n1 + n2),
        (w1, mu1, sigma1, n1),
        (w2, mu2, sigma2, n2),
        (u1, u2, u3),
        log_ratio,
        log_division,
        _others_log_w(K, a, b, state.w),
        model,
        terms,
    )
    if not np.log1p(-rng.random()) < -ratio:
        return K
    state.w[a], state.mu[a], state.sigma[a], state.n_k[a] = w, mu, sigma, n1 + n2
    for i in range(y.size):
        if state.z[i] == b:
            state.z[i] = a
    _remove(K, b, state)
    return K - 1


@njit(inline="always")
def _remove(K: int, k: int, state: State) -> None:
    """Put the last component in the place of component k."""
    last = K - 1
    state.w[k], state.mu[k], state.sigma[k] = state.w[last], state.mu[last], state.sigma[last]
    state.n_k[k] = state.n_k[last]
    if k != last:
        for i in range(state.z.size):
            if state.z[i] == last:
                state.z[i] = k


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
    up, down = _prob_up(K, model.log_prob.size), 1.0 - _prob_up(K + 1, model.log_prob.size)
    ratio += terms.attempt * (log(down) - log(up)) - terms.which_empty * log(n_empty + 1.0)
    ratio -= _log_beta_density(new, 1.0, float(K))
    return float(ratio + (terms.birth_jacobian * (K - 1) + terms.as_printed) * log_rest)


@njit(cache=True, nogil=True, error_model="numpy")
def birth(
    K: int, y: Array, state: State, model: Model, terms: Terms, rng: np.random.Generator
) -> int:
    """Propose an empty component; return the number of components afterwards.

    Parameters
    ----------
    K : int
        Number of components before.
    y : ndarray, shape (N,)
    state : State
        Overwritten.
    model : Model
    terms : Terms
    rng : numpy.random.Generator
    """
    new = _beta_draw(1.0, float(K), rng)
    mu = model.mean_loc + model.mean_sd * rng.standard_normal()
    sigma = np.exp(0.5 * (log(model.var_scale) - _log_gamma_draw(model.var_shape, rng)))
    u = np.log1p(-rng.random())
    if not 0.0 < new < 1.0:
        return K
    n_empty = np.count_nonzero(state.n_k[:K] == 0.0)
    others = _others_log_w(K, -1, -1, state.w)
    if not u < log_birth_ratio(K, y.size, n_empty, new, others, model, terms):
        return K
    state.w[:K] *= 1.0 - new
    state.w[K], state.mu[K], state.sigma[K], state.n_k[K] = new, mu, sigma, 0.0
    return K + 1


@njit(cache=True, nogil=True, error_model="numpy")
def death(
    K: int, y: Array, state: State, model: Model, terms: Terms, rng: np.random.Generator
) -> int:
    """Propose to remove an empty component; return the number of components afterwards.

    Parameters
    ----------
    K : int
        Number of components before.
    y : ndarray, shape (N,)
    state : State
        Overwritten.
    model : Model
    terms : Terms
    rng : numpy.random.Generator
    """
    empty = np.flatnonzero(state.n_k[:K] == 0.0)
    if empty.size == 0:
        return K
    k = empty[int(rng.random() * empty.size)]
    new = state.w[k]
    u = np.log1p(-rng.random())
    if not 0.0 < new < 1.0:
        return K
    others = _others_log_w(K, k, k, state.w) - (K - 1) * np.log1p(-new)
    if not u < -log_birth_ratio(K - 1, y.size, empty.size - 1, new, others, model, terms):
        return K
    _remove(K, k, state)
    state.w[: K - 1] /= 1.0 - new
    return K - 1


@njit(cache=True, nogil=True, error_model="numpy")
def advance(
    n_sweeps: int,
    K: int,
    y: Array,
    state: State,
    model: Model,
    terms: Terms,
    rng: np.random.Generator,
    at: int,
    every: int,
    out: tuple[Array, Array, Array, NDArray[np.int64], NDArray[np.int64]],
    counts: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> int:
    """Make whole sweeps; return K after the last.

    Parameters
    ----------
    n_sweeps : int
    K : int
        Where the chain stands.
    y : ndarray, shape (N,)
    state : State
        Overwritten.
    model : Model
    terms : Terms
    rng : numpy.random.Generator
    at : int
        Number of the first sweep; negative during warmup.
    every : int
        Sweeps 0, every, 2 every, ... are recorded.
    out : tuple of ndarray
        w, mu, sigma (n, max_K), full of NaN, K and K+ (n,); written to.
    counts : tuple of ndarray
        How often each of `MOVES` was proposed, and accepted, after warmup; added to.
    """
    w, mu, sigma, number, n_occupied = out
    proposed, accepted = counts
    max_K = model.log_prob.size
    for _ in range(n_sweeps):
        draw_allocations(K, y, state, rng)
        draw_parameters(K, y, state, model, rng)
        for pair in range(2 if max_K > 1 else 0):
            before = K
            up = rng.random() < _prob_up(K, max_K)
            if pair == 0 and up:
                K = split(K, y, state, model, terms, rng)
            elif pair == 0:
                K = merge(K, y, state, model, terms, rng)
            elif up:
                K = birth(K, y, state, model, terms, rng)
            else:
                K = death(K, y, state, model, terms, rng)
            if at >= 0:
                move = 2 * pair + (0 if up else 1)
                proposed[move] += 1
                accepted[move] += 1 if before != K else 0
        if at >= 0 and at % every == 0:
            draw = at // every
            w[draw, :K] = state.w[:K]
            mu[draw, :K] = state.mu[:K]
            sigma[draw, :K] = state.sigma[:K]
            number[draw] = K
            n_occupied[draw] = np.count_nonzero(state.n_k[:K] > 0.0)
        at += 1
    return K

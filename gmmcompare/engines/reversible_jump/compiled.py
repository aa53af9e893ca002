"""Reversible jump for a mixture of normals (Richardson and Green 1997), written to be read.

The state is a *set* of K components and the allocations z. One sweep draws z, then w, mu and sigma
given z, as Gibbs does; then it proposes to split a component or to merge two whose means are
neighbours, and at last the birth or death of an empty component.

A split turns (w, mu, sigma) into two components that have the same first two moments, by
u1, u2 ~ Beta(2, 2) and u3 ~ Uniform(0, 1)::

    w1 = w u1                              w2 = w (1 - u1)
    mu1 = mu - u2 sigma sqrt(w2 / w1)      mu2 = mu + u2 sigma sqrt(w1 / w2)
    sigma1^2 = u3 (1 - u2^2) sigma^2 w/w1  sigma2^2 = (1 - u3)(1 - u2^2) sigma^2 w/w2

and divides its observations between them as Gibbs would. Acceptance ratios are in `ratios`.
"""

from __future__ import annotations

from math import log

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gmmcompare.engines.reversible_jump.ratios import (
    Model,
    State,
    Terms,
    log_birth_ratio,
    log_normal,
    log_split_ratio,
    prob_up,
)
from gmmcompare.model.params import Array

MOVES = ("split", "merge", "birth", "death")


@njit(inline="always")
def _log_gamma_draw(a: float, rng: np.random.Generator) -> float:
    if a >= 1.0:
        return float(np.log(rng.standard_gamma(a)))
    return float(np.log(rng.standard_gamma(a + 1.0)) + np.log1p(-rng.random()) / a)


@njit(inline="always")
def _beta_draw(a: float, b: float, rng: np.random.Generator) -> float:
    x, y = _log_gamma_draw(a, rng), _log_gamma_draw(b, rng)
    return float(1.0 / (1.0 + np.exp(y - x)))


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
    first, second = log_normal(y, mu1, sigma1), log_normal(y, mu2, sigma2)
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
        log_ratio -= log_normal(y[i], mu, sigma)
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
        log_ratio -= log_normal(y[i], mu, sigma)
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
            up = rng.random() < prob_up(K, max_K)
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

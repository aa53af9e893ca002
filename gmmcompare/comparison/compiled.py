"""The compiled loops of `labels`, `functionals`, `equality` and `clustering`."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gmmcompare.model.compiled import TILE, any_joint_tile, normalise_tile
from gmmcompare.model.multivariate.compiled import vector_joint_tile, whiten
from gmmcompare.model.params import Array

_HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)


# --- Relabelling ----------------------------------------------------------------------------------


@njit(nogil=True, cache=True, error_model="numpy")
def label_costs(
    points: Array, errors: Array, log_q: Array, w: Array, mu: Array, sigma: Array
) -> Array:
    """Return ``-sum_i p_ik log q_ij`` for each draw, shape (n, K, K).

    p are the draw's responsibilities at the points. The divergence's other term, sum p log p, is
    the same for every permutation.

    Parameters
    ----------
    points : ndarray, shape (N,)
    errors : ndarray, shape (N,) or (0,)
        Sds of their measurement errors, if any.
    log_q : ndarray, shape (K, N)
        Log of the reference's responsibilities at the points.
    w, mu, sigma : ndarray, shape (n, K)
        Draws.
    """
    n_draws, K = w.shape
    n = points.size
    r = np.empty((K, n))
    top, total, inverse = np.empty(n), np.empty(n), np.empty(n)
    cost = np.empty((n_draws, K, K))
    for i in range(n_draws):
        any_joint_tile(points, errors, w[i], mu[i], sigma[i], r, top)
        normalise_tile(r, total, inverse, n)
        for k in range(K):
            for j in range(K):
                cost[i, k, j] = -_dot(r[k], log_q[j])
    return cost


@njit(nogil=True, cache=True, error_model="numpy")
def vector_label_costs(points: Array, log_q: Array, w: Array, mu: Array, cov: Array) -> Array:
    """Return what `label_costs` does, for mixtures of multivariate normals.

    Parameters
    ----------
    points : ndarray, shape (d, N)
    log_q : ndarray, shape (K, N)
    w, mu, cov : ndarray, shape (n, K), (n, K, d) and (n, K, d, d)
        Draws.
    """
    n_draws, K, d = mu.shape
    n = points.shape[1]
    r = np.empty((K, n))
    top, total, inverse_of, t = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    root, inverse, constant = np.empty((d, d)), np.empty((K, d, d)), np.empty(K)
    cost = np.zeros((n_draws, K, K))
    for i in range(n_draws):
        if not whiten(w[i], cov[i], root, inverse, constant):
            continue
        vector_joint_tile(points, mu[i], inverse, constant, r, top, t)
        normalise_tile(r, total, inverse_of, n)
        for k in range(K):
            for j in range(K):
                cost[i, k, j] = -_dot(r[k], log_q[j])
    return cost


@njit(fastmath={"reassoc", "contract"}, error_model="numpy")
def _dot(a: Array, b: Array) -> float:
    out = 0.0
    for i in range(a.size):
        out += a[i] * b[i]
    return out


@njit(nogil=True, cache=True, error_model="numpy")
def best_permutations(cost: Array, orders: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each draw the order with the least sum of ``cost[order[j], j]``, shape (n, K)."""
    n_draws, K = cost.shape[:2]
    out = np.empty((n_draws, K), dtype=np.int64)
    for i in range(n_draws):
        best, least = 0, np.inf
        for o in range(orders.shape[0]):
            total = 0.0
            for j in range(K):
                total += cost[i, orders[o, j], j]
            if total < least:
                best, least = o, total
        out[i] = orders[best]
    return out


# --- Functionals, held to `mixture` by a test -----------------------------------------------------


@njit(nogil=True, cache=True, error_model="numpy")
def evaluate(
    points: Array,
    errors: Array,
    n_at: int,
    pairs: NDArray[np.int64],
    w: Array,
    mu: Array,
    sigma: Array,
) -> Array:
    """Return functions of the mixture for each draw, shape (2 n_at + P, n).

    First the log density, then the distribution function, then for each pair the probability that
    observations there share a component.

    Parameters
    ----------
    points : ndarray, shape (n,)
    errors : ndarray, shape (n,) or (0,)
        Sds of the measurement errors of the points, if any; 0 where the density of true values is
        meant.
    n_at : int
        Density and distribution function are those at ``points[:n_at]``.
    pairs : ndarray of int, shape (P, 2)
        Indices of ``points``.
    w, mu, sigma : ndarray, shape (n, K)
        Draws.
    """
    n, K = w.shape
    out = np.empty((2 * n_at + pairs.shape[0], n))
    e = np.empty((K, points.size))
    top, total, inverse = np.empty((3, points.size))
    for i in range(n):
        any_joint_tile(points, errors, w[i], mu[i], sigma[i], e, top)
        normalise_tile(e, total, inverse, points.size)
        for d in range(n_at):
            out[d, i] = top[d] - _HALF_LOG_2PI + math.log(total[d])
            below = 0.0
            for k in range(K):
                wide = math.hypot(sigma[i, k], errors[d]) if errors.size else sigma[i, k]
                t = (mu[i, k] - points[d]) / wide
                below += w[i, k] * 0.5 * math.erfc(t * math.sqrt(0.5))
            out[n_at + d, i] = below
        for p in range(pairs.shape[0]):
            together = 0.0
            for k in range(K):
                together += e[k, pairs[p, 0]] * e[k, pairs[p, 1]]
            out[2 * n_at + p, i] = together
    return out


# --- Statistics of the pooled rank ----------------------------------------------------------------


@njit(nogil=True, cache=True, error_model="numpy")
def batch_sums(
    pooled: Array,
    order: NDArray[np.int64],
    batch: NDArray[np.int64],
    scores: Array,
    cuts: NDArray[np.int64],
    sums: Array,
) -> Array:
    """Add up statistics of the pooled rank over batches; return their sums of squares.

    Parameters
    ----------
    pooled : ndarray, shape (n,)
    order : ndarray of int, shape (n,)
        Sorts ``pooled``.
    batch : ndarray of int, shape (n,)
        The batch of each value.
    scores : ndarray, shape (2 n - 1,)
        The normal score of rank r (from 0, halves among ties) at index 2 r.
    cuts : ndarray of int
        Ascending positions in the sorted values; "below" means at most the value there.
    sums : ndarray, shape (2 + len(cuts), batches)
        Zero before; receives score, absolute score and indicators.
    """
    n = pooled.size
    squares = np.zeros(sums.shape[0])
    i = 0
    while i < n:
        j = i
        while j + 1 < n and pooled[order[j + 1]] == pooled[order[i]]:
            j += 1
        score = scores[i + j]
        first = 0  # of the cuts that this value is not above
        while first < cuts.size and i > cuts[first]:
            first += 1
        for at in range(i, j + 1):
            b = batch[order[at]]
            sums[0, b] += score
            sums[1, b] += abs(score)
            if first < cuts.size:
                sums[2 + first, b] += 1.0
        squares[0] += (j - i + 1) * score * score
        i = j + 1
    squares[1] = squares[0]
    for s in range(3, sums.shape[0]):  # below one cut is below the next as well
        for b in range(sums.shape[1]):
            sums[s, b] += sums[s - 1, b]
    for s in range(2, sums.shape[0]):
        squares[s] = sums[s].sum()
    return squares


# --- Allocation probabilities ---------------------------------------------------------------------


@njit(nogil=True, cache=True, error_model="numpy")
def add_responsibilities(
    v: Array, s: Array, w: Array, mu: Array, sigma: Array, total: Array
) -> None:
    """Add every draw's responsibilities at some values to ``total``.

    A tile of values stays in the processor's cache while all draws pass over it.

    Parameters
    ----------
    v : ndarray, shape (n,)
        The values.
    s : ndarray, shape (n,) or (0,)
        Sds of their measurement errors, if any.
    w, mu, sigma : ndarray, shape (m, K)
        Draws.
    total : ndarray, shape (K, n)
        Added to in place.
    """
    m, K = w.shape
    width = min(TILE, v.size)
    r = np.empty((K, width))
    top, inverse = np.empty(width), np.empty(width)
    for start in range(0, v.size, width):
        n = min(width, v.size - start)
        tile, out = v[start : start + n], total[:, start : start + n]
        for i in range(m):
            any_joint_tile(tile, s[start : start + n], w[i], mu[i], sigma[i], r, top)
            normalise_tile(r, top, inverse, n)
            for k in range(K):
                for d in range(n):
                    out[k, d] += r[k, d]


@njit(nogil=True, cache=True, error_model="numpy")
def add_true_moments(
    v: Array, s: Array, w: Array, mu: Array, sigma: Array, first: Array, second: Array
) -> None:
    """Add expectations of x - v and its square, x the true value, given every draw.

    Given its component, x - v is normal with mean ``A (mu - v)`` and variance ``s^2 (1 - A)``,
    ``A = s^2 / (sigma^2 + s^2)``; see `mixture.true_value_given`.

    Parameters
    ----------
    v, s : ndarray, shape (n,)
        The values, and the sds of their measurement errors.
    w, mu, sigma : ndarray, shape (m, K)
        Draws.
    first, second : ndarray, shape (n,)
        Added to in place.
    """
    m, K = w.shape
    width = min(TILE, v.size)
    r = np.empty((K, width))
    top, inverse = np.empty(width), np.empty(width)
    for start in range(0, v.size, width):
        n = min(width, v.size - start)
        tile, errors = v[start : start + n], s[start : start + n]
        one, two = first[start : start + n], second[start : start + n]
        for i in range(m):
            any_joint_tile(tile, errors, w[i], mu[i], sigma[i], r, top)
            normalise_tile(r, top, inverse, n)
            for k in range(K):
                for d in range(n):
                    variance = errors[d] * errors[d]
                    A = variance / (variance + sigma[i, k] * sigma[i, k]) if variance > 0.0 else 0.0
                    moved = A * (mu[i, k] - tile[d])
                    one[d] += r[k, d] * moved
                    two[d] += r[k, d] * (moved * moved + variance * (1.0 - A))

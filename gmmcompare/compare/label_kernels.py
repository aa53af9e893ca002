"""The compiled loops of `labels`."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gmmcompare.kernels import joint_tile, normalise_tile
from gmmcompare.params import Array


@njit(nogil=True, cache=True, error_model="numpy")
def label_costs(points: Array, log_q: Array, w: Array, mu: Array, sigma: Array) -> Array:
    """Return ``-sum_i p_ik log q_ij`` for each draw, shape (n, K, K).

    p are the draw's responsibilities at the points. The divergence's other term, sum p log p, is
    the same for every permutation.
    """
    n_draws, K = w.shape
    n = points.size
    r = np.empty((K, n))
    top, total, inverse = np.empty(n), np.empty(n), np.empty(n)
    cost = np.empty((n_draws, K, K))
    for i in range(n_draws):
        joint_tile(points, w[i], mu[i], sigma[i], r, top)
        normalise_tile(r, total, inverse, n)
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

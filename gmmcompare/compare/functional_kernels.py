"""The compiled loop of `functionals`; held to `mixture` by a test."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gmmcompare.kernels import joint_tile, normalise_tile
from gmmcompare.params import Array

_HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)


@njit(nogil=True, cache=True, error_model="numpy")
def evaluate(
    points: Array, n_at: int, pairs: NDArray[np.int64], w: Array, mu: Array, sigma: Array
) -> Array:
    """Return functions of the mixture for each draw, shape (2 n_at + len(pairs), n).

    First the log density at ``points[:n_at]``, then the distribution function there, then for each
    pair of indices of ``points`` the probability that observations there share a component.
    """
    n, K = w.shape
    out = np.empty((2 * n_at + pairs.shape[0], n))
    e = np.empty((K, points.size))
    top, total, inverse = np.empty((3, points.size))
    for i in range(n):
        joint_tile(points, w[i], mu[i], sigma[i], e, top)
        normalise_tile(e, total, inverse, points.size)
        for d in range(n_at):
            out[d, i] = top[d] - _HALF_LOG_2PI + math.log(total[d])
            below = 0.0
            for k in range(K):
                t = (mu[i, k] - points[d]) / sigma[i, k]
                below += w[i, k] * 0.5 * math.erfc(t * math.sqrt(0.5))
            out[n_at + d, i] = below
        for p in range(pairs.shape[0]):
            together = 0.0
            for k in range(K):
                together += e[k, pairs[p, 0]] * e[k, pairs[p, 1]]
            out[2 * n_at + p, i] = together
    return out

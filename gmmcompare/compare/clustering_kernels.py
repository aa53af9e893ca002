"""The compiled loop of `clustering`."""

from __future__ import annotations

import numpy as np
from numba import njit

from gmmcompare.kernels import TILE, joint_tile, normalise_tile
from gmmcompare.params import Array


@njit(nogil=True, cache=True, error_model="numpy")
def add_responsibilities(v: Array, w: Array, mu: Array, sigma: Array, total: Array) -> None:
    """Add every draw's responsibilities at values v (n,) to total (K, n); draws have shape (m, K).

    A tile of values stays in the processor's cache while all draws pass over it.
    """
    m, K = w.shape
    width = min(TILE, v.size)
    r = np.empty((K, width))
    top, inverse = np.empty(width), np.empty(width)
    for start in range(0, v.size, width):
        n = min(width, v.size - start)
        tile, out = v[start : start + n], total[:, start : start + n]
        for i in range(m):
            joint_tile(tile, w[i], mu[i], sigma[i], r, top)
            normalise_tile(r, top, inverse, n)
            for k in range(K):
                for d in range(n):
                    out[k, d] += r[k, d]

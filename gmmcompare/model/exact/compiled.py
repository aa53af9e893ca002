"""Compiled sums over subsets, coded as bit masks: bit i of a mask says that point i is in the set.

The subsets of all the subsets of N points are 3^N pairs. Weights come as logarithms, because those
of an outlier or under a strong prior may be beyond the range of a double.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gmmcompare.model.params import Array

_SAFE = 1e-250  # a sum above it lost at most 2^16 terms below 1e-308


@njit(cache=True, nogil=True)
def subset_convolution(log_a: Array, log_b: Array) -> Array:
    """Return log of the sum over T within S of a(T) b(S without T), for each S; shape (2^N,)."""
    scale = log_a.max() + log_b.max()
    a = np.exp(log_a - log_a.max())
    b = np.exp(log_b - log_b.max())
    out = np.empty(a.size)
    for s in range(a.size):
        total = a[0] * b[s]
        t = s
        while t != 0:
            total += a[t] * b[s ^ t]
            t = (t - 1) & s
        out[s] = scale + np.log(total) if total > _SAFE else _log_sum(s, log_a, log_b)
    return out


@njit(cache=True, nogil=True)
def _log_sum(s: int, log_a: Array, log_b: Array) -> float:
    """Return one sum of `subset_convolution`, taken relative to its largest term."""
    top = log_a[0] + log_b[s]
    t = s
    while t != 0:
        top = max(top, log_a[t] + log_b[s ^ t])
        t = (t - 1) & s
    if top == -np.inf:
        return -np.inf
    total = np.exp(log_a[0] + log_b[s] - top)
    t = s
    while t != 0:
        total += np.exp(log_a[t] + log_b[s ^ t] - top)
        t = (t - 1) & s
    return float(top + np.log(total))


@njit(cache=True, nogil=True)
def choose_subsets(
    sets: NDArray[np.int64], uniforms: Array, log_a: Array, log_b: Array, log_total: Array
) -> NDArray[np.int64]:
    """Draw, for each set S, a subset T with probability a(T) b(S without T) / total(S).

    Parameters
    ----------
    sets, uniforms : ndarray, shape (n,)
        In ascending order of set, then of uniform, so that the subsets of each distinct set are
        walked through once.
    log_a, log_b, log_total : ndarray, shape (2^N,)
        ``log_total`` is the `subset_convolution` of the other two.

    Returns
    -------
    ndarray, shape (n,)
    """
    out = np.empty(sets.size, dtype=np.int64)
    t = np.int64(0)
    below = 0.0
    for i in range(sets.size):
        s = sets[i]
        if i == 0 or s != sets[i - 1]:
            t = np.int64(0)
            below = np.exp(log_a[0] + log_b[s] - log_total[s])
        while uniforms[i] >= below and t != s:
            t = (t - s) & s
            below += np.exp(log_a[t] + log_b[s ^ t] - log_total[s])
        out[i] = t
    return out

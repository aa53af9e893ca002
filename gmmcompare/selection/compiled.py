"""Compiled loops of the bridge: allocations of many draws, and the symmetric proposal's density.

Symbols as in `mixture`; ``S`` counts draws, ``M`` points; ``u = log sigma**2``.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gmmcompare.model.params import Array

_TINY = 1e-290
"""A permanent below this may have lost terms to underflow and is computed again from logarithms."""
_NEGLIGIBLE = 60.0
"""Kernels so far below the best, in logarithm, add nothing that a double can hold."""


@njit(cache=True, error_model="numpy")
def allocate(
    rng: np.random.Generator,
    v: Array,
    c: NDArray[np.int64],
    log_w: Array,
    mu: Array,
    sigma: Array,
    sums: Array,
) -> None:
    """Draw allocations given each posterior draw, and add up what they say of each component.

    Parameters
    ----------
    rng : numpy.random.Generator
    v : ndarray, shape (D,)
        Distinct values.
    c : ndarray of int, shape (D,)
        Their counts.
    log_w, mu, sigma : ndarray, shape (S, K)
        Posterior draws.
    sums : ndarray, shape (3, S, K)
        n, sum y and sum y^2, added to in place.
    """
    S, K = mu.shape
    r = np.empty(K)
    for s in range(S):
        for d in range(v.size):
            top = -np.inf
            for k in range(K):
                r[k] = -np.inf  # an infinite sd leaves no density
                if sigma[s, k] < np.inf:
                    t = (v[d] - mu[s, k]) / sigma[s, k]
                    r[k] = log_w[s, k] - np.log(sigma[s, k]) - 0.5 * t * t
                top = max(top, r[k])
            total = 0.0
            for k in range(K):
                total += np.exp(r[k] - top)
                r[k] = total
            for _ in range(c[d]):
                x = rng.random() * total
                k = 0
                while k < K - 1 and r[k] <= x:
                    k += 1
                sums[0, s, k] += 1.0
                sums[1, s, k] += v[d]
                sums[2, s, k] += v[d] * v[d]


@njit(cache=True, error_model="numpy")
def allocate_measured(
    rng: np.random.Generator,
    v: Array,
    errors: Array,
    c: NDArray[np.int64],
    log_w: Array,
    mu: Array,
    sigma: Array,
    sums: Array,
) -> None:
    """Draw allocations and then true values, and add up what these say of each component.

    Parameters
    ----------
    rng : numpy.random.Generator
    v, errors : ndarray, shape (D,)
        Distinct values, and the sds of their measurement errors.
    c : ndarray of int, shape (D,)
        Their counts.
    log_w, mu, sigma : ndarray, shape (S, K)
        Posterior draws.
    sums : ndarray, shape (3, S, K)
        n, sum x and sum x^2 of the true values x, added to in place.
    """
    S, K = mu.shape
    r = np.empty(K)
    for s in range(S):
        for d in range(v.size):
            top = -np.inf
            for k in range(K):
                r[k] = -np.inf  # an infinite sd leaves no density
                if sigma[s, k] < np.inf:
                    wide = math.hypot(sigma[s, k], errors[d])
                    t = (v[d] - mu[s, k]) / wide
                    r[k] = log_w[s, k] - np.log(wide) - 0.5 * t * t
                top = max(top, r[k])
            total = 0.0
            for k in range(K):
                total += np.exp(r[k] - top)
                r[k] = total
            for _ in range(c[d]):
                u = rng.random() * total
                k = 0
                while k < K - 1 and r[k] <= u:
                    k += 1
                root = 1.0 / math.hypot(1.0, errors[d] / sigma[s, k])
                x = mu[s, k] + root * root * (v[d] - mu[s, k])
                x += errors[d] * root * rng.standard_normal()
                sums[0, s, k] += 1.0
                sums[1, s, k] += x
                sums[2, s, k] += x * x


@njit(cache=True, nogil=True, error_model="numpy")
def log_proposal(
    log_w: Array,
    mu: Array,
    u: Array,
    exponent: Array,
    n: Array,
    mean: Array,
    shape: Array,
    scale: Array,
    prior_mean: Array,
    prior_precision: Array,
    log_constant: Array,
    symmetric: bool,
    group: NDArray[np.int64],
    out: Array,
) -> None:
    """Fill ``out`` with the log of each group's summed kernels at M points.

    Kernel s has the density exp(log_constant[s]) times the permanent (``symmetric``) or the product
    of the diagonal of the matrix with entries ``w_j**exponent[s, k]`` times an inverse gamma
    density of sigma_j^2 with ``shape[s, k]`` and ``scale[s, k]`` (over u, without its constant)
    times a normal density of mu_j given sigma_j^2: component k of the kernel in place j.

    Parameters
    ----------
    log_w, mu, u : ndarray, shape (M, K)
        The points; u is log sigma^2.
    exponent : ndarray, shape (S, K)
    n, mean : ndarray, shape (S, K)
        Number and mean of the observations of each kernel's components.
    shape, scale : ndarray, shape (S, K)
    prior_mean, prior_precision : ndarray, shape (K,)
        Of mu.
    log_constant : ndarray, shape (S,)
    symmetric : bool
        Whether components are exchangeable.
    group : ndarray of int, shape (S,)
        To which group, from 0, each kernel belongs.
    out : ndarray, shape (M, G)
        Overwritten.
    """
    M, K = mu.shape
    matrix, entries, inverse = np.empty((K, K)), np.empty((K, K)), np.empty(K)
    sums = np.empty(1 << K)
    best, total = np.empty(out.shape[1]), np.empty(out.shape[1])
    for m in range(M):
        best[:] = -np.inf
        total[:] = 0.0
        inverse[:] = np.exp(-u[m])
        for s in range(n.shape[0]):
            for k in range(K):
                for j in range(K):
                    precision = prior_precision[k] + n[s, k] * inverse[j]
                    centre = prior_precision[k] * prior_mean[k] + n[s, k] * inverse[j] * mean[s, k]
                    matrix[k, j] = (
                        exponent[s, k] * log_w[m, j]
                        - shape[s, k] * u[m, j]
                        - scale[s, k] * inverse[j]
                        + 0.5 * np.log(precision)
                        - 0.5 * precision * (mu[m, j] - centre / precision) ** 2
                    )
            log_value = log_constant[s]
            if symmetric:
                floor = best.max() - _NEGLIGIBLE - log_value
                log_value += log_permanent(matrix, floor, entries, sums)
            else:
                log_value += np.trace(matrix)
            g = group[s]
            if log_value > best[g]:
                total[g] = total[g] * np.exp(best[g] - log_value) + 1.0
                best[g] = log_value
            elif log_value > -np.inf:
                total[g] += np.exp(log_value - best[g])
        for g in range(out.shape[1]):
            out[m, g] = best[g] + np.log(total[g]) if total[g] > 0.0 else -np.inf


@njit(cache=True, nogil=True, error_model="numpy")
def log_permanent(log_matrix: Array, floor: float, entries: Array, sums: Array) -> float:
    """Return the log of the permanent of ``exp(log_matrix)``.

    Row by row: ``sums[set]`` is the sum over all ways to give the first rows the columns of a set.
    Costs K 2^K instead of K!, and nothing cancels, for all terms are positive.

    Parameters
    ----------
    log_matrix : ndarray, shape (K, K)
    floor : float
        Where the answer is certainly below this it is -inf, without the work.
    entries : ndarray, shape (K, K)
        Scratch space.
    sums : ndarray, shape (2**K,)
        Scratch space.
    """
    K = log_matrix.shape[0]
    scale = 0.0
    for k in range(K):
        top = log_matrix[k].max()
        scale += top
        for j in range(K):
            entries[k, j] = np.exp(log_matrix[k, j] - top)
    if scale == -np.inf or scale + K * np.log(K) < floor:  # each row sums to at most K
        return -np.inf
    sums[:] = 0.0
    sums[0] = 1.0
    for taken in range(sums.size - 1):
        before = sums[taken]
        if before > 0.0:
            row = entries[_size(taken)]
            for j in range(K):
                if not taken >> j & 1:
                    sums[taken | 1 << j] += before * row[j]
    if sums[-1] > _TINY:
        return float(scale + np.log(sums[-1]))
    return float(_log_permanent_by_logs(log_matrix, sums))


@njit(cache=True, nogil=True, error_model="numpy")
def _log_permanent_by_logs(log_matrix: Array, sums: Array) -> float:
    """Return the same, five times slower, where rows compete for a column and terms underflow."""
    K = log_matrix.shape[0]
    sums[:] = -np.inf
    sums[0] = 0.0
    for taken in range(sums.size - 1):
        row = log_matrix[_size(taken)]
        for j in range(K):
            if not taken >> j & 1:
                one, other = sums[taken | 1 << j], sums[taken] + row[j]
                top = max(one, other)
                if top > -np.inf:
                    sums[taken | 1 << j] = top + np.log1p(np.exp(min(one, other) - top))
    return float(sums[-1])


@njit(nogil=True, inline="always")
def _size(subset: int) -> int:
    """Return how many bits are set."""
    size = 0
    while subset:
        size += subset & 1
        subset >>= 1
    return size

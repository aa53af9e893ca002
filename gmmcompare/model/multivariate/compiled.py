"""Compiled loops over distinct rows, shared by Gibbs, EM and the scoring of draws.

As `model.compiled`, for rows of d columns: ``y`` is (d, D), one row of memory a column, so that the
loops over observations are vectorised. Held to the plain functions of `density` by tests.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gmmcompare.model.compiled import (
    IN_ORDER,
    TILE,
    Scores,
    count_tile,
    exp_nonpositive,
    lightest,
    log_lik_tile,
    normalise_tile,
    prob_few,
    room_for,
    tally,
)
from gmmcompare.model.multivariate.params import MultivariateParams
from gmmcompare.model.params import Array
from gmmcompare.model.sample import Sample

_LOG_SQRT_2PI = 0.9189385332046727


@njit(error_model="numpy", cache=True)
def cholesky(A: Array, L: Array) -> bool:
    """Fill L with the lower Cholesky factor of A, shape (d, d); False if A is not positive."""
    d = A.shape[0]
    for i in range(d):
        for j in range(i + 1):
            s = A[i, j]
            for m in range(j):
                s -= L[i, m] * L[j, m]
            if i == j:
                if not s > 0.0:
                    return False
                L[i, i] = np.sqrt(s)
            else:
                L[i, j] = s / L[j, j]
        for j in range(i + 1, d):
            L[i, j] = 0.0
    return True


@njit(error_model="numpy", cache=True)
def invert_lower(L: Array, out: Array) -> None:
    """Fill out with the inverse of a lower triangular matrix, shape (d, d)."""
    d = L.shape[0]
    for j in range(d):
        for i in range(d):
            if i < j:
                out[i, j] = 0.0
            elif i == j:
                out[i, j] = 1.0 / L[i, i]
            else:
                s = 0.0
                for m in range(j, i):
                    s -= L[i, m] * out[m, j]
                out[i, j] = s / L[i, i]


@njit(error_model="numpy", cache=True)
def whiten(w: Array, cov: Array, root: Array, inverse: Array, constant: Array) -> bool:
    """Prepare a mixture for `vector_joint_tile`; False if a matrix is not positive definite.

    Parameters
    ----------
    w : ndarray, shape (K,)
    cov : ndarray, shape (K, d, d)
    root : ndarray, shape (d, d)
        Scratch space.
    inverse : ndarray, shape (K, d, d)
        Receives inverses of the Cholesky factors.
    constant : ndarray, shape (K,)
        Receives log w less half the log determinant, without -d log(2 pi) / 2.
    """
    for k in range(w.size):
        if not cholesky(cov[k], root):
            return False
        invert_lower(root, inverse[k])
        constant[k] = np.log(w[k]) if w[k] > 0.0 else -np.inf
        for i in range(root.shape[0]):
            constant[k] -= np.log(root[i, i])
    return True


@njit(fastmath=IN_ORDER, error_model="numpy", cache=True)
def vector_joint_tile(
    y: Array, mu: Array, inverse: Array, constant: Array, e: Array, top: Array, t: Array
) -> None:
    """Fill ``e[k] = exp(log(w_k N(y; mu_k, cov_k)) - top)`` with top the largest over k.

    Parameters
    ----------
    y : ndarray, shape (d, n)
        Rows of the tile.
    mu : ndarray, shape (K, d)
    inverse, constant : ndarray
        From `whiten`.
    e : ndarray, shape (K, n) or wider
        Overwritten.
    top : ndarray, shape (n,) or longer
        Overwritten; -d log(2 pi) / 2 is left out of it.
    t : ndarray, shape (n,) or longer
        Scratch space.
    """
    d, n = y.shape
    for k in range(constant.size):
        row = e[k]
        for m in range(n):
            row[m] = constant[k]
        for i in range(d):
            factor, centre, column = inverse[k, i, 0], mu[k, 0], y[0]
            for m in range(n):
                t[m] = factor * (column[m] - centre)
            for j in range(1, i + 1):
                factor, centre, column = inverse[k, i, j], mu[k, j], y[j]
                for m in range(n):
                    t[m] += factor * (column[m] - centre)
            for m in range(n):
                row[m] -= 0.5 * t[m] * t[m]
    for m in range(n):
        top[m] = e[0, m]
    for k in range(1, constant.size):
        row = e[k]
        for m in range(n):
            top[m] = row[m] if row[m] > top[m] else top[m]
    for k in range(constant.size):
        row = e[k]
        for m in range(n):
            row[m] = exp_nonpositive(row[m] - top[m])


def columns_of(sample: Sample) -> tuple[Array, Array]:
    """Return distinct rows as columns of memory, (d, D), and their counts as floats, (D,)."""
    return np.ascontiguousarray(sample.values.T), sample.counts.astype(float)


def score(sample: Sample, params: MultivariateParams) -> Scores:
    """Score draws (..., K) by the mixture likelihood, on all cores; see `model.compiled.score`."""
    K, d = params.K, params.d
    shape = params.w.shape[:-1]
    w = np.ascontiguousarray(params.w, dtype=float).reshape(-1, K)
    mu = np.ascontiguousarray(params.mu, dtype=float).reshape(-1, K, d)
    cov = np.ascontiguousarray(params.cov, dtype=float).reshape(-1, K, d, d)
    out = Scores(*(np.empty(len(w)) for _ in Scores._fields))
    y, counts = columns_of(sample)
    pieces = np.array_split(np.arange(len(w)), max(1, min(len(w), os.cpu_count() or 1)))

    def run(piece: NDArray[np.intp]) -> None:
        at = slice(piece[0], piece[-1] + 1)
        _score(y, counts, w[at], mu[at], cov[at], *(a[at] for a in out))

    with ThreadPoolExecutor(len(pieces)) as pool:
        list(pool.map(run, pieces))
    return Scores(*(a.reshape(shape) for a in out))


@njit(nogil=True, cache=True, error_model="numpy")
def _score(
    y: Array,
    c: Array,
    w: Array,
    mu: Array,
    cov: Array,
    log_lik: Array,
    prob_empty: Array,
    prob_small: Array,
) -> None:
    K, d, D = w.shape[1], mu.shape[2], y.shape[1]
    width = min(TILE, D)
    r = np.empty((K, D))
    e = np.empty((K, width))
    top, total, inverse_of, t = np.empty(width), np.empty(width), np.empty(width), np.empty(width)
    root, inverse, constant = np.empty((d, d)), np.empty((K, d, d)), np.empty(K)
    n_k = np.empty(K)
    missing = (d - 1) * _LOG_SQRT_2PI  # `log_lik_tile` is for one dimension
    for i in range(w.shape[0]):
        n_k[:] = 0.0
        log_lik[i] = 0.0
        if not whiten(w[i], cov[i], root, inverse, constant):
            log_lik[i], prob_empty[i], prob_small[i] = -np.inf, np.nan, np.nan
            continue
        for start in range(0, D, width):
            n = min(width, D - start)
            tile = y[:, start : start + n]
            tile_counts = c[start : start + n]
            vector_joint_tile(tile, mu[i], inverse, constant, e, top, t)
            normalise_tile(e, total, inverse_of, n)
            log_lik[i] += log_lik_tile(tile_counts, top, total)
            for m in range(n):
                log_lik[i] -= tile_counts[m] * missing
            count_tile(tile_counts, e, n_k)
            r[:, start : start + n] = e[:, :n]
        prob_empty[i], prob_small[i] = _occupancy(r, c, n_k)


@njit(nogil=True, cache=True, error_model="numpy")
def _occupancy(r: Array, c: Array, n_k: Array) -> tuple[float, float]:
    """Return P(some n_k = 0) and a bound on P(some n_k <= 1), given responsibilities (K, D).

    By inclusion and exclusion, as in `model.compiled`.
    """
    light = lightest(n_k)
    if light.size == 0:
        return 0.0, 0.0
    log_none, ratio, certain = room_for(light)
    for m in range(c.size):
        tally(r[:, m], c[m], light, log_none, ratio, certain)
    found: tuple[float, float] = prob_few(log_none, ratio, certain)
    return found

"""The compiled sweep of `plain`, and EM's two steps, over distinct rows with counts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from gmmcompare.model.compiled import TILE, log_lik_tile, normalise_tile
from gmmcompare.model.multivariate.compiled import (
    cholesky,
    invert_lower,
    vector_joint_tile,
    whiten,
)
from gmmcompare.model.multivariate.priors import MultivariatePriors
from gmmcompare.model.multivariate.wishart import SMALLEST
from gmmcompare.model.params import Array

_LOG_SQRT_2PI = 0.9189385332046727
_LOG_2 = 0.6931471805599453


class VectorPrior(NamedTuple):
    """Priors of K components; ``precision`` is inv(V0), ``pull`` inv(V0) m0."""

    weight_concentration: Array
    precision: Array
    pull: Array
    cov_df: Array
    cov_scale: Array


def prior_arrays(priors: MultivariatePriors, K: int) -> VectorPrior:
    """Return priors as the compiled sweep takes them."""
    full = priors.expanded(K)
    precision = np.linalg.inv(np.asarray(full.mean_cov))
    pull = np.einsum("kij,kj->ki", precision, np.asarray(full.mean_loc))
    fields = (full.weight_concentration, precision, pull, full.cov_df, full.cov_scale)
    return VectorPrior(*(np.ascontiguousarray(a, dtype=float) for a in fields))


@njit(inline="always", error_model="numpy")
def _log_gamma_draw(a: float, rng: np.random.Generator) -> float:
    """Draw log Gamma(a, 1) as `priors.log_gamma_draws` does."""
    if a >= 1.0:
        return float(np.log(rng.standard_gamma(a)))
    return float(np.log(rng.standard_gamma(a + 1.0)) + np.log1p(-rng.random()) / a)


@njit(nogil=True, cache=True, error_model="numpy")
def _draw_weights(n_k: Array, prior: VectorPrior, rng: np.random.Generator, w: Array) -> None:
    for k in range(w.size):
        w[k] = _log_gamma_draw(prior.weight_concentration[k] + n_k[k], rng)
    top = w.max()
    for k in range(w.size):
        w[k] = np.exp(w[k] - top)
    w /= w.sum()


@njit(nogil=True, cache=True, error_model="numpy")
def _draw_means(
    n_k: Array,
    sum_y: Array,
    inverse: Array,
    prior: VectorPrior,
    rng: np.random.Generator,
    mu: Array,
) -> None:
    """Draw mu_k | cov_k, z; ``inverse`` holds inverses of the Cholesky factors of cov."""
    K, d = mu.shape
    P, L, x = np.empty((d, d)), np.empty((d, d)), np.empty(d)
    normals = np.empty((K, d))
    for k in range(K):
        for j in range(d):
            normals[k, j] = rng.standard_normal()
    for k in range(K):
        for i in range(d):
            x[i] = prior.pull[k, i]
            for j in range(d):
                s = 0.0
                for m in range(max(i, j), d):
                    s += inverse[k, m, i] * inverse[k, m, j]
                P[i, j] = prior.precision[k, i, j] + n_k[k] * s
                x[i] += s * sum_y[k, j]
        cholesky(P, L)
        for i in range(d):  # solve L v = x, then L' mu = v + noise
            for j in range(i):
                x[i] -= L[i, j] * x[j]
            x[i] /= L[i, i]
        for i in range(d - 1, -1, -1):
            s = x[i] + normals[k, i]
            for j in range(i + 1, d):
                s -= L[j, i] * mu[k, j]
            mu[k, i] = s / L[i, i]


@njit(nogil=True, cache=True, error_model="numpy")
def _draw_covariances(
    n_k: Array, scatter: Array, prior: VectorPrior, rng: np.random.Generator, cov: Array
) -> None:
    """Draw cov_k by Bartlett's decomposition, in the order of `wishart.draw_inverse_wisharts`."""
    K, d = cov.shape[0], cov.shape[1]
    A, C, B = np.empty((d, d)), np.empty((d, d)), np.zeros((d, d))
    inverse, root = np.empty((d, d)), np.empty((d, d))
    for k in range(K):
        nu = prior.cov_df[k] + n_k[k]
        for i in range(d):
            log_diagonal = 0.5 * (_LOG_2 + _log_gamma_draw(0.5 * (nu - i), rng))
            B[i, i] = np.exp(max(log_diagonal, SMALLEST))
        for i in range(1, d):
            for j in range(i):
                B[i, j] = rng.standard_normal()
        for i in range(d):
            for j in range(d):
                A[i, j] = prior.cov_scale[k, i, j] + scatter[k, i, j]
        cholesky(A, C)
        invert_lower(B, inverse)
        for i in range(d):
            for j in range(d):
                s = 0.0
                for m in range(min(i, j) + 1):
                    s += C[i, m] * inverse[j, m]
                root[i, j] = s
        for i in range(d):
            for j in range(i + 1):
                s = 0.0
                for m in range(d):
                    s += root[i, m] * root[j, m]
                cov[k, i, j] = s
                cov[k, j, i] = s


@njit(nogil=True, cache=True, error_model="numpy")
def _allocate(
    y: Array,
    counts: Array,
    e: Array,
    rng: np.random.Generator,
    n_k: Array,
    sum_y: Array,
    square: Array,
) -> None:
    """Allocate the rows of a tile, and add them to the components' sums.

    Parameters
    ----------
    y : ndarray, shape (d, n)
    counts : ndarray, shape (n,)
    e : ndarray, shape (K, n) or wider
        Responsibilities.
    rng : numpy.random.Generator
        Gives one uniform for each observation.
    n_k, sum_y, square : ndarray, shape (K,), (K, d) and (K, d, d)
        Added to; of ``square`` the lower triangle.
    """
    K, d = sum_y.shape
    for m in range(y.shape[1]):
        for _ in range(int(counts[m])):
            u = rng.random()
            z, below = 0, 0.0
            for k in range(K - 1):
                below += e[k, m]
                z += u > below
            n_k[z] += 1.0
            for i in range(d):
                v = y[i, m]
                sum_y[z, i] += v
                for j in range(i + 1):
                    square[z, i, j] += v * y[j, m]


@njit(nogil=True, cache=True, error_model="numpy")
def about(n_k: Array, sum_y: Array, square: Array, mu: Array, scatter: Array) -> None:
    """Fill scatter with sums of squares and products about mu, from those about 0.

    Parameters
    ----------
    n_k, sum_y : ndarray, shape (K,) and (K, d)
    square : ndarray, shape (K, d, d)
        About 0; its lower triangle is used.
    mu : ndarray, shape (K, d)
    scatter : ndarray, shape (K, d, d)
        Overwritten.
    """
    K, d = mu.shape
    for k in range(K):
        for i in range(d):
            for j in range(i + 1):
                s = square[k, i, j] - mu[k, i] * sum_y[k, j] - mu[k, j] * sum_y[k, i]
                s += n_k[k] * mu[k, i] * mu[k, j]
                scatter[k, i, j] = s
                scatter[k, j, i] = s


@njit(nogil=True, cache=True, error_model="numpy")
def advance(
    y: Array,
    counts: Array,
    w: Array,
    mu: Array,
    cov: Array,
    prior: VectorPrior,
    of_allocations: np.random.Generator,
    of_parameters: np.random.Generator,
    kept: tuple[Array, Array, Array, Array],
    r_sum: Array,
) -> int:
    """Make as many sweeps as ``kept`` has room for, and record each.

    Parameters
    ----------
    y : ndarray, shape (d, D)
    counts : ndarray, shape (D,)
    w, mu, cov : ndarray, shape (K,), (K, d) and (K, d, d)
        Where the chain stands; overwritten.
    prior : VectorPrior
    of_allocations, of_parameters : numpy.random.Generator
    kept : tuple of ndarrays
        Receives w, mu, cov and n_k, each with a first axis of sweeps.
    r_sum : ndarray, shape (K, D)
        Allocation probabilities are added to it.

    Returns
    -------
    int
        Sweeps made: fewer if a covariance matrix was not positive definite in doubles.
    """
    K, d = mu.shape
    D = y.shape[1]
    width = min(TILE, D)
    e = np.empty((K, width))
    top, total, inverse_of, t = np.empty(width), np.empty(width), np.empty(width), np.empty(width)
    root, inverse, constant = np.empty((d, d)), np.empty((K, d, d)), np.empty(K)
    n_k, sum_y = np.empty(K), np.empty((K, d))
    square, scatter = np.empty((K, d, d)), np.empty((K, d, d))
    for i in range(kept[0].shape[0]):
        if not whiten(w, cov, root, inverse, constant):
            return i
        n_k[:] = 0.0
        sum_y[:] = 0.0
        square[:] = 0.0
        for start in range(0, D, width):
            n = min(width, D - start)
            tile = y[:, start : start + n]
            vector_joint_tile(tile, mu, inverse, constant, e, top, t)
            normalise_tile(e, total, inverse_of, n)
            r_sum[:, start : start + n] += e[:, :n]
            _allocate(tile, counts[start : start + n], e, of_allocations, n_k, sum_y, square)
        _draw_weights(n_k, prior, of_parameters, w)
        _draw_means(n_k, sum_y, inverse, prior, of_parameters, mu)
        about(n_k, sum_y, square, mu, scatter)
        _draw_covariances(n_k, scatter, prior, of_parameters, cov)
        kept[0][i] = w
        kept[1][i] = mu
        kept[2][i] = cov
        kept[3][i] = n_k
    return int(kept[0].shape[0])


@njit(nogil=True, cache=True, error_model="numpy")
def expectation(
    y: Array,
    counts: Array,
    w: Array,
    mu: Array,
    cov: Array,
    sums: tuple[Array, Array, Array],
) -> float:
    """Fill sums with expected n_k, sums and squares about 0, and return the log-likelihood.

    Parameters
    ----------
    y : ndarray, shape (d, D)
    counts : ndarray, shape (D,)
    w, mu, cov : ndarray, shape (K,), (K, d) and (K, d, d)
    sums : tuple of ndarrays
        Overwritten, shapes as of w, mu and cov.

    Returns
    -------
    float
        NaN if a matrix is not positive definite.
    """
    K, d = mu.shape
    D = y.shape[1]
    width = min(TILE, D)
    e = np.empty((K, width))
    top, total, inverse_of, t = np.empty(width), np.empty(width), np.empty(width), np.empty(width)
    root, inverse, constant = np.empty((d, d)), np.empty((K, d, d)), np.empty(K)
    n_k, sum_y, square = sums
    n_k[:] = 0.0
    sum_y[:] = 0.0
    square[:] = 0.0
    if not whiten(w, cov, root, inverse, constant):
        return np.nan
    log_lik = 0.0
    for start in range(0, D, width):
        n = min(width, D - start)
        tile, c = y[:, start : start + n], counts[start : start + n]
        vector_joint_tile(tile, mu, inverse, constant, e, top, t)
        normalise_tile(e, total, inverse_of, n)
        log_lik += log_lik_tile(c, top, total) - c.sum() * (d - 1) * _LOG_SQRT_2PI
        for k in range(K):
            row = e[k]
            for m in range(n):
                row[m] *= c[m]
            n_k[k] += row[:n].sum()
            for i in range(d):
                s = 0.0
                for m in range(n):
                    t[m] = row[m] * tile[i, m]
                    s += t[m]
                sum_y[k, i] += s
                for j in range(i + 1):
                    s = 0.0
                    for m in range(n):
                        s += t[m] * tile[j, m]
                    square[k, i, j] += s
    return log_lik


CONVERGED, OUT_OF_ITERATIONS, COLLAPSED = 0, 1, 2
SMALLEST_VARIANCE = 1e-10
"""Of standardised data: a component narrower than this in any direction, 1e-5 sds, collapsed."""


@njit(nogil=True, cache=True, error_model="numpy")
def maximisation(
    sums: tuple[Array, Array, Array],
    prior: VectorPrior,
    is_map: bool,
    w: Array,
    mu: Array,
    cov: Array,
) -> bool:
    """Move (w, mu, cov) to the maximum given expected sums; False if a component collapsed.

    Without priors mean and covariance matrix are those of the component's share. With priors mu
    is maximised given the old cov, then cov given the new mu, which never lowers the posterior
    density either (Meng and Rubin 1993).

    Parameters
    ----------
    sums : tuple of ndarrays
        From `expectation`.
    prior : VectorPrior
    is_map : bool
    w, mu, cov : ndarray, shape (K,), (K, d) and (K, d, d)
        Overwritten.
    """
    n_k, sum_y, square = sums
    K, d = mu.shape
    P, L, inverse, x = np.empty((d, d)), np.empty((d, d)), np.empty((d, d)), np.empty(d)
    scatter = np.empty((K, d, d))
    extra = 0.0
    for k in range(K):
        if not is_map:
            if n_k[k] < 1.0:
                return False
            mu[k] = sum_y[k] / n_k[k]
            w[k] = n_k[k]
            continue
        w[k] = max(n_k[k] + prior.weight_concentration[k] - 1.0, 0.0)
        if not cholesky(cov[k], L):
            return False
        invert_lower(L, inverse)
        for i in range(d):
            x[i] = prior.pull[k, i]
            for j in range(d):
                s = 0.0
                for m in range(max(i, j), d):
                    s += inverse[m, i] * inverse[m, j]
                P[i, j] = prior.precision[k, i, j] + n_k[k] * s
                x[i] += s * sum_y[k, j]
        cholesky(P, L)
        for i in range(d):
            for j in range(i):
                x[i] -= L[i, j] * x[j]
            x[i] /= L[i, i]
        for i in range(d - 1, -1, -1):
            s = x[i]
            for j in range(i + 1, d):
                s -= L[j, i] * mu[k, j]
            mu[k, i] = s / L[i, i]
    w /= w.sum()
    about(n_k, sum_y, square, mu, scatter)
    for k in range(K):
        for i in range(d):
            for j in range(d):
                if is_map:
                    extra = prior.cov_df[k] + d + 1.0
                    cov[k, i, j] = (prior.cov_scale[k, i, j] + scatter[k, i, j]) / (n_k[k] + extra)
                else:
                    cov[k, i, j] = scatter[k, i, j] / n_k[k]
        if not cholesky(cov[k], L):
            return False
        for i in range(d):
            if not is_map and L[i, i] * L[i, i] < SMALLEST_VARIANCE:
                return False
    return True


@njit(nogil=True, cache=True, error_model="numpy")
def log_penalty(w: Array, mu: Array, cov: Array, prior: VectorPrior) -> float:
    """Return the log prior density up to a constant.

    Parameters
    ----------
    w, mu, cov : ndarray, shape (K,), (K, d) and (K, d, d)
    prior : VectorPrior
    """
    K, d = mu.shape
    L, inverse = np.empty((d, d)), np.empty((d, d))
    out = 0.0
    for k in range(K):
        if prior.weight_concentration[k] != 1.0:
            out += (prior.weight_concentration[k] - 1.0) * np.log(w[k])
        cholesky(cov[k], L)
        invert_lower(L, inverse)
        for i in range(d):
            out -= (prior.cov_df[k] + d + 1.0) * np.log(L[i, i])
            out += prior.pull[k, i] * mu[k, i]
            for j in range(d):
                s = 0.0
                for m in range(max(i, j), d):
                    s += inverse[m, i] * inverse[m, j]
                out -= 0.5 * s * prior.cov_scale[k, i, j]
                out -= 0.5 * mu[k, i] * prior.precision[k, i, j] * mu[k, j]
    return out


@njit(nogil=True, cache=True, error_model="numpy")
def climb(
    y: Array,
    counts: Array,
    w: Array,
    mu: Array,
    cov: Array,
    prior: VectorPrior,
    is_map: bool,
    tolerance: float,
    path: Array,
) -> tuple[int, int]:
    """Take EM steps from (w, mu, cov), which are overwritten, until nothing is gained.

    Parameters
    ----------
    y : ndarray, shape (d, D)
    counts : ndarray, shape (D,)
    w, mu, cov : ndarray, shape (K,), (K, d) and (K, d, d)
    prior : VectorPrior
    is_map : bool
    tolerance : float
        A step that gains less ends the climb, if the one before did, too.
    path : ndarray
        Receives the objective at each iterate; its length is the most steps.

    Returns
    -------
    tuple of two ints
        The number of iterates, and CONVERGED, OUT_OF_ITERATIONS or COLLAPSED.
    """
    sums = (np.empty_like(w), np.empty_like(mu), np.empty_like(cov))
    calm = 0
    for i in range(path.size):
        value = expectation(y, counts, w, mu, cov, sums)
        if is_map:
            value += log_penalty(w, mu, cov, prior)
        path[i] = value
        if not np.isfinite(value):
            return i, COLLAPSED
        calm = calm + 1 if i > 0 and value - path[i - 1] < tolerance else 0
        if calm >= 2:
            return i + 1, CONVERGED
        if not maximisation(sums, prior, is_map, w, mu, cov):
            return i + 1, COLLAPSED
    return path.size, OUT_OF_ITERATIONS

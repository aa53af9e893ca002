"""EM for values that were measured with known errors (Bovy, Hogg and Roweis 2011, section 3).

The true values are missing as the allocations are. Given its component a true value is normal, of
mean ``mu + B (y - mu)`` and variance ``s^2 B`` with ``B = sigma^2 / (sigma^2 + s^2)``. The E-step
adds up their expected moments, and all the rest, M-step, acceleration, score and prior, is that of
EM without errors. With errors of 0, so are the sums.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.special import logsumexp

from gmmcompare.engines.em.compiled import (
    CLIMBING,
    Penalty,
    Sums,
    next_point,
    proceed,
    start_climb,
    start_sums,
)
from gmmcompare.engines.em.information import BLOCK, InformationSums
from gmmcompare.model.compiled import (
    TILE,
    VECTORISED,
    log_lik_tile,
    measured_joint_tile,
    normalise_tile,
)
from gmmcompare.model.mixture import log_joint
from gmmcompare.model.params import Array, Params
from gmmcompare.model.sample import Sample


def smallest_gap(sample: Sample) -> float:
    """Return the smallest gap between values that are exact: no component is narrower.

    Where no two values are exact the likelihood is bounded, and a component may have an sd of
    nearly 0: then its errors account for all of its spread.
    """
    exact = sample.values if sample.errors is None else sample.values[sample.errors == 0.0]
    gaps = np.diff(exact)
    none = np.inf if sample.errors is None else 0.0
    return float(gaps.min()) if gaps.size else none


@njit(fastmath=VECTORISED, error_model="numpy")
def _measured_sums_tile(
    v: Array, s: Array, c: Array, r: Array, mu: Array, sigma: Array, sums: Sums
) -> None:
    for k in range(sums.n_k.size):
        row, moved, inverse = r[k], mu[k] - sums.centre[k], 1.0 / sigma[k]
        n, total, squares = 0.0, 0.0, 0.0
        for d in range(v.size):
            m = c[d] * row[d]
            ratio = s[d] * inverse
            B = 1.0 / (1.0 + ratio * ratio)
            x = moved + B * (v[d] - mu[k])
            n += m
            total += m * x
            squares += m * (x * x + s[d] * s[d] * B)
        sums.n_k[k] += n
        sums.sum_d[k] += total
        sums.sum_sq[k] += squares


@njit(nogil=True, cache=True, error_model="numpy")
def measured_expectation(
    v: Array, s: Array, c: Array, w: Array, mu: Array, sigma: Array, sums: Sums
) -> float:
    """E-step: fill the sums of expected true values and return the log-likelihood.

    Parameters
    ----------
    v, s, c : ndarray, shape (D,)
        Values, ascending; the sds of their errors; their counts as floats.
    w, mu, sigma : ndarray, shape (K,)
        The point, in the units of ``v``.
    sums : Sums
        Overwritten.
    """
    start_sums(v[0], v[-1], mu, sums)
    width = min(TILE, v.size)
    e = np.empty((w.size, width))
    top, total, inverse = np.empty(width), np.empty(width), np.empty(width)
    log_lik = 0.0
    for start in range(0, v.size, width):
        n = min(width, v.size - start)
        tile, of_tile = v[start : start + n], s[start : start + n]
        counts = c[start : start + n]
        measured_joint_tile(tile, of_tile, w, mu, sigma, e, top)
        normalise_tile(e, total, inverse, n)
        log_lik += log_lik_tile(counts, top, total)
        _measured_sums_tile(tile, of_tile, counts, e, mu, sigma, sums)
    return log_lik


@njit(nogil=True, cache=True, error_model="numpy")
def measured_climb(
    v: Array,
    s: Array,
    c: Array,
    w: Array,
    mu: Array,
    sigma: Array,
    p: Penalty,
    tolerance: float,
    smallest_sigma: float,
    accelerate: bool,
    path: Array,
) -> tuple[int, int]:
    """Run EM in place, as `compiled.climb` does without errors.

    Parameters
    ----------
    v, s, c : ndarray, shape (D,)
        Values, ascending; the sds of their errors; their counts as floats.
    w, mu, sigma, p, tolerance, smallest_sigma, accelerate, path
        As in `compiled.climb`.

    Returns
    -------
    outcome, iterates : int
    """
    K = w.size
    sums = Sums(np.empty(K), np.empty(K), np.empty(K), np.empty(K))
    at = start_climb(w, mu, sigma, path)
    outcome = CLIMBING
    while outcome == CLIMBING:
        x = next_point(at)
        log_lik = measured_expectation(v, s, c, x[0], x[1], x[2], sums)
        outcome = proceed(at, log_lik, sums, p, tolerance, smallest_sigma, accelerate)
    return outcome, at.marks[0]


def measured_information_sums(
    values: Array, errors: Array, counts: NDArray[np.integer], params: Params
) -> InformationSums:
    """Return the sums of `information.information_sums` with true values missing as well.

    Parameters
    ----------
    values, errors : ndarray, shape (D,)
    counts : ndarray of int, shape (D,)
    params : Params
        One point, arrays of shape (K,).

    Returns
    -------
    InformationSums
    """
    total = _block_sums(values[:0], errors[:0], counts[:0], params)
    for start in range(0, values.size, BLOCK):
        at = slice(start, start + BLOCK)
        total = total.plus(_block_sums(values[at], errors[at], counts[at], params))
    return total


def _block_sums(v: Array, s: Array, c: NDArray[np.integer], params: Params) -> InformationSums:
    K, (_, mu, sigma) = params.K, params
    joint = log_joint(v, params, s)
    density = logsumexp(joint, axis=-1)
    r = np.exp(joint - density[:, None])
    # Moments of t = (x - mu) / sigma given y and the component: normal, mean B (y - mu) / sigma and
    # variance 1 - B.
    B = 1.0 / (1.0 + (s[:, None] / sigma) ** 2)
    m, q = B * (v[:, None] - mu) / sigma, 1.0 - B
    t = (m, m**2 + q, m**3 + 3.0 * m * q, m**4 + 6.0 * m**2 * q + 3.0 * q**2)
    expected = np.stack([c @ r, c @ (r * t[0]), c @ (r * t[1])])
    # Scores are 1, t / sigma and t^2 - 1; their expected products, and products of expectations.
    score = np.stack([np.ones_like(m), m / sigma, t[1] - 1.0])
    product = np.empty((3, *score.shape))
    product[0], product[:, 0] = score, score
    product[1, 1] = t[1] / sigma**2
    product[1, 2] = product[2, 1] = (t[2] - t[0]) / sigma
    product[2, 2] = t[3] - 2.0 * t[1] + 1.0
    own = np.einsum("d,dk,ijdk->ijk", c, r, product)
    second = np.zeros((3, K, 3, K))
    k = np.arange(K)
    second[:, k, :, k] = np.moveaxis(own, 2, 0)
    flat = np.moveaxis(r * score, 1, 0).reshape(v.size, 3 * K)
    covariance = second.reshape(3 * K, 3 * K) - (c[:, None] * flat).T @ flat
    entropy = -float(c @ np.sum(r * np.log(np.maximum(r, 1e-300)), axis=1))
    return InformationSums(expected, covariance, float(density @ c), entropy)

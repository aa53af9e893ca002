"""Compiled loops over distinct values, shared by Gibbs, EM and the scoring of draws.

Symbols as in `mixture`; here ``v`` (D,) are distinct values and ``c`` (D,) their counts. All of it
is held to the plain functions of `mixture` by tests. Compiled code is cached on disk.

Why the exponential is our own: Numba calls the C library once per element, which no compiler can
vectorise. `exp_nonpositive` and `log_positive` are a few multiplications without a branch, so LLVM
turns the loops over values into vector instructions, about ten times faster and as accurate
(relative error below 4e-16).
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from gmmcompare.model.params import Array, Params
from gmmcompare.model.sample import Sample

TILE = 1024
"""Values treated together: K rows of so many doubles stay in the processor's first-level cache."""

# Reordering sums lets them be vectorised; NaN never occurs (parameters are checked before).
VECTORISED = {"reassoc", "contract", "nnan", "nsz"}
# The bit tricks of exp and log need additions to stay where they are written.
IN_ORDER = {"contract", "nnan", "nsz"}

_LOG2_E = 1.4426950408889634
_LN2_HIGH = 6.93147180369123816490e-01
_LN2_LOW = 1.90821492927058770002e-10
_ROUND = 1.5 * 2.0**52
_SQRT2 = 1.4142135623730951
_HALF_LOG_2PI = 0.9189385332046727
_MANTISSA = (1 << 52) - 1
_ONE_BITS = 1023 << 52
_TWO_52_BITS = 1075 << 52
_TWO_52_BIAS = 2.0**52 + 1023.0
_FULL_OBSERVATIONS = 40.0
_MAX_SUBSETS = 8


@intrinsic
def _bits_of(typing_context: Any, x: Any) -> Any:
    """Reinterpret a double as an integer."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.IntType(64))

    return types.int64(types.float64), build


@intrinsic
def _double_of(typing_context: Any, bits: Any) -> Any:
    """Reinterpret an integer as a double."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.DoubleType())

    return types.float64(types.int64), build


@njit(inline="always", fastmath=IN_ORDER, error_model="numpy")
def exp_nonpositive(x: float) -> float:
    """Return exp(x) for x <= 0; below -708 the result is 3e-308 rather than smaller.

    ``exp(x) = 2**n * exp(r)`` with n the nearest integer to x / log 2, |r| < 0.35, by Taylor's
    series. Adding 1.5 * 2**52 rounds to an integer and leaves n in the lowest bits.
    """
    x = x if x > -708.0 else -708.0
    shifted = x * _LOG2_E + _ROUND
    n = shifted - _ROUND
    r = (x - n * _LN2_HIGH) - n * _LN2_LOW
    p = 1.0 / 479001600.0
    p = p * r + 1.0 / 39916800.0
    p = p * r + 1.0 / 3628800.0
    p = p * r + 1.0 / 362880.0
    p = p * r + 1.0 / 40320.0
    p = p * r + 1.0 / 5040.0
    p = p * r + 1.0 / 720.0
    p = p * r + 1.0 / 120.0
    p = p * r + 1.0 / 24.0
    p = p * r + 1.0 / 6.0
    p = p * r + 0.5
    p = p * r + 1.0
    p = p * r + 1.0
    power: float = _double_of((_bits_of(shifted) + 1023) << 52)
    return p * power


@njit(inline="always", fastmath=IN_ORDER, error_model="numpy")
def log_positive(x: float) -> float:
    """Return log(x) for a normal x > 0.

    ``x = 2**n * m`` with m between 0.71 and 1.41, and log m = 2 artanh(s), s = (m - 1) / (m + 1),
    by its series.
    """
    bits = _bits_of(x)
    m = _double_of((bits & _MANTISSA) | _ONE_BITS)
    n = _double_of((bits >> 52) | _TWO_52_BITS) - _TWO_52_BIAS
    large = m > _SQRT2
    m = 0.5 * m if large else m
    n = n + 1.0 if large else n
    s = (m - 1.0) / (m + 1.0)
    q = s * s
    p = 2.0 / 21.0
    p = p * q + 2.0 / 19.0
    p = p * q + 2.0 / 17.0
    p = p * q + 2.0 / 15.0
    p = p * q + 2.0 / 13.0
    p = p * q + 2.0 / 11.0
    p = p * q + 2.0 / 9.0
    p = p * q + 2.0 / 7.0
    p = p * q + 2.0 / 5.0
    p = p * q + 2.0 / 3.0
    log_x: float = n * _LN2_HIGH + (s * (p * q) + (n * _LN2_LOW + 2.0 * s))
    return log_x


@njit(fastmath=IN_ORDER, error_model="numpy")
def joint_tile(v: Array, w: Array, mu: Array, sigma: Array, e: Array, top: Array) -> None:
    """Fill ``e[k] = exp(log(w_k N(v; mu_k, sigma_k)) - top)`` with top the largest over k.

    Parameters
    ----------
    v : ndarray, shape (n,)
        Values of the tile.
    w, mu, sigma : ndarray, shape (K,)
    e : ndarray, shape (K, n) or wider
        Overwritten.
    top : ndarray, shape (n,) or longer
        Overwritten; the constant -log(2 pi)/2 is left out of it.
    """
    n = v.size
    for k in range(w.size):
        constant = np.log(w[k]) - np.log(sigma[k]) if w[k] > 0.0 else -np.inf
        centre = mu[k]
        inverse = 1.0 / sigma[k]
        row = e[k]
        for d in range(n):
            t = (v[d] - centre) * inverse
            row[d] = constant - 0.5 * t * t
    for d in range(n):
        top[d] = e[0, d]
    for k in range(1, w.size):
        row = e[k]
        for d in range(n):
            top[d] = row[d] if row[d] > top[d] else top[d]
    for k in range(w.size):
        row = e[k]
        for d in range(n):
            row[d] = exp_nonpositive(row[d] - top[d])


@njit(fastmath=IN_ORDER, error_model="numpy")
def measured_joint_tile(
    v: Array, s: Array, w: Array, mu: Array, sigma: Array, e: Array, top: Array
) -> None:
    """Do as `joint_tile` for values that were measured with errors: sd sqrt(sigma_k^2 + s^2).

    Where an error is 0 the result is that of `joint_tile`, up to rounding.

    Parameters
    ----------
    v, s : ndarray, shape (n,)
        Values of the tile, and sds of their errors.
    w, mu, sigma : ndarray, shape (K,)
    e : ndarray, shape (K, n) or wider
        Overwritten.
    top : ndarray, shape (n,) or longer
        Overwritten; the constant -log(2 pi)/2 is left out of it.
    """
    n = v.size
    for k in range(w.size):
        constant = np.log(w[k]) - np.log(sigma[k]) if w[k] > 0.0 else -np.inf
        centre = mu[k]
        inverse = 1.0 / sigma[k]
        row = e[k]
        for d in range(n):
            t = (v[d] - centre) * inverse
            ratio = s[d] * inverse
            wider = 1.0 + ratio * ratio
            row[d] = constant - 0.5 * log_positive(wider) - 0.5 * t * t / wider
    for d in range(n):
        top[d] = e[0, d]
    for k in range(1, w.size):
        row = e[k]
        for d in range(n):
            top[d] = row[d] if row[d] > top[d] else top[d]
    for k in range(w.size):
        row = e[k]
        for d in range(n):
            row[d] = exp_nonpositive(row[d] - top[d])


@njit(error_model="numpy")
def any_joint_tile(
    v: Array, s: Array, w: Array, mu: Array, sigma: Array, e: Array, top: Array
) -> None:
    """Do as `joint_tile`, or as `measured_joint_tile` where s is not of shape (0,).

    Parameters
    ----------
    v, s : ndarray, shape (n,)
        ``s`` of shape (0,) where values are exact.
    w, mu, sigma, e, top
        As in `joint_tile`.
    """
    if s.size == 0:
        joint_tile(v, w, mu, sigma, e, top)
    else:
        measured_joint_tile(v, s, w, mu, sigma, e, top)


@njit(fastmath=VECTORISED, error_model="numpy")
def normalise_tile(e: Array, total: Array, inverse: Array, n: int) -> None:
    """Turn what `joint_tile` left into responsibilities.

    One division per value and K products: a division takes as long as an exponential.

    Parameters
    ----------
    e : ndarray, shape (K, n) or wider
        Overwritten: its first n columns are made to sum to one.
    total : ndarray, shape (n,) or longer
        Receives what they summed to.
    inverse : ndarray, shape (n,) or longer
        Scratch space.
    n : int
        Number of values of the tile.
    """
    for d in range(n):
        total[d] = e[0, d]
    for k in range(1, e.shape[0]):
        row = e[k]
        for d in range(n):
            total[d] += row[d]
    for d in range(n):
        inverse[d] = 1.0 / total[d]
    for k in range(e.shape[0]):
        row = e[k]
        for d in range(n):
            row[d] *= inverse[d]


@njit(fastmath=VECTORISED, error_model="numpy")
def log_lik_tile(c: Array, top: Array, total: Array) -> float:
    """Return the tile's share of the log-likelihood.

    Parameters
    ----------
    c : ndarray, shape (n,)
        Counts of the tile's values.
    top, total : ndarray, shape (n,) or longer
        From `joint_tile` and `normalise_tile`.

    Returns
    -------
    float
    """
    out = 0.0
    for d in range(c.size):
        out += c[d] * (top[d] - _HALF_LOG_2PI + log_positive(total[d]))
    return out


@njit(fastmath=VECTORISED, error_model="numpy")
def count_tile(c: Array, r: Array, n_k: Array) -> None:
    """Add the tile's expected counts to those of the components.

    Parameters
    ----------
    c : ndarray, shape (n,)
        Counts of the tile's values.
    r : ndarray, shape (K, n) or wider
        Responsibilities.
    n_k : ndarray, shape (K,)
        Added to.
    """
    for k in range(n_k.size):
        row = r[k]
        s = 0.0
        for d in range(c.size):
            s += c[d] * row[d]
        n_k[k] += s


class Scores(NamedTuple):
    """What our own code says of each draw; arrays of the draws' shape.

    ``prob_empty`` is the probability, given the draw, that at least one component has no
    observation; ``prob_small`` bounds the probability that one has at most one.
    """

    log_lik: Array
    prob_empty: Array
    prob_small: Array


def score(sample: Sample, params: Params) -> Scores:
    """Score draws of shape (..., K) by the mixture likelihood, on all cores."""
    K = params.K
    shape = params.w.shape[:-1]
    w, mu, sigma = (np.ascontiguousarray(a, dtype=float).reshape(-1, K) for a in params)
    out = Scores(*(np.empty(len(w)) for _ in Scores._fields))
    values, errors, counts = sample.values, sample.s, sample.counts.astype(float)
    pieces = np.array_split(np.arange(len(w)), max(1, min(len(w), os.cpu_count() or 1)))

    def run(piece: NDArray[np.intp]) -> None:
        at = slice(piece[0], piece[-1] + 1)
        _score(values, errors, counts, w[at], mu[at], sigma[at], *(a[at] for a in out))

    if len(pieces) == 1:
        run(pieces[0])
    else:
        with ThreadPoolExecutor(len(pieces)) as pool:
            list(pool.map(run, pieces))
    return Scores(*(a.reshape(shape) for a in out))


@njit(nogil=True, cache=True, error_model="numpy")
def _score(
    v: Array,
    s: Array,
    c: Array,
    w: Array,
    mu: Array,
    sigma: Array,
    log_lik: Array,
    prob_empty: Array,
    prob_small: Array,
) -> None:
    K = w.shape[1]
    width = min(TILE, v.size)
    e = np.empty((K, width))
    top, total, inverse = np.empty(width), np.empty(width), np.empty(width)
    n_k = np.empty(K)
    for i in range(w.shape[0]):
        n_k[:] = 0.0
        log_lik[i] = 0.0
        for start in range(0, v.size, width):
            n = min(width, v.size - start)
            tile = v[start : start + n]
            tile_counts = c[start : start + n]
            any_joint_tile(tile, s[start : start + n], w[i], mu[i], sigma[i], e, top)
            normalise_tile(e, total, inverse, n)
            log_lik[i] += log_lik_tile(tile_counts, top, total)
            count_tile(tile_counts, e, n_k)
        prob_empty[i], prob_small[i] = _occupancy(v, s, c, w[i], mu[i], sigma[i], n_k)


@njit(nogil=True, cache=True, error_model="numpy")
def _occupancy(
    v: Array, s: Array, c: Array, w: Array, mu: Array, sigma: Array, n_k: Array
) -> tuple[float, float]:
    """Return P(some n_k = 0) and a bound on P(some n_k <= 1), given the parameters.

    By inclusion and exclusion over the components that may be empty at all: P(n_k = 0) is below
    exp(-E n_k), so those expecting 40 observations or more are left out (4e-18). Of more than
    eight, the eight lightest count.
    """
    light = lightest(n_k)
    if light.size == 0:
        return 0.0, 0.0
    log_none, ratio, certain = room_for(light)
    r = np.empty(w.size)
    for d in range(v.size):
        _responsibilities_at(v[d], s[d] if s.size else 0.0, w, mu, sigma, r)
        tally(r, c[d], light, log_none, ratio, certain)
    found: tuple[float, float] = prob_few(log_none, ratio, certain)
    return found


@njit(nogil=True, error_model="numpy")
def lightest(n_k: Array) -> NDArray[np.int64]:
    """Return the components that may be empty at all: few observations are expected of them."""
    light = np.argsort(n_k)[:_MAX_SUBSETS]
    return light[n_k[light] < _FULL_OBSERVATIONS]


@njit(nogil=True, error_model="numpy")
def room_for(light: NDArray[np.int64]) -> tuple[Array, Array, Array]:
    """Return what `tally` adds to: zeros.

    The log probability that no observation belongs to a subset of ``light``, (2^L,); the sum of
    r / (1 - r), for exactly one observation, (L,); and how many belong to it for sure, (L,).
    """
    return np.zeros(1 << light.size), np.zeros(light.size), np.zeros(light.size)


@njit(nogil=True, error_model="numpy")
def tally(
    r: Array,
    count: float,
    light: NDArray[np.int64],
    log_none: Array,
    ratio: Array,
    certain: Array,
) -> None:
    """Count an observation, for the probability that light components have none or one.

    Parameters
    ----------
    r : ndarray, shape (K,)
        Its responsibilities.
    count : float
        How often it occurs.
    light : ndarray of int, shape (L,)
    log_none, ratio, certain
        Of `room_for`; added to.
    """
    for subset in range(1, log_none.size):
        inside = 0.0
        for j in range(light.size):
            if subset >> j & 1:
                inside += r[light[j]]
        single = subset & (subset - 1) == 0
        if inside < 1.0:
            log_none[subset] += count * np.log1p(-inside)
        elif not single:
            log_none[subset] = -np.inf
    for j in range(light.size):
        p = r[light[j]]
        if p < 1.0:
            ratio[j] += count * p / (1.0 - p)
        else:
            certain[j] += count


@njit(nogil=True, error_model="numpy")
def prob_few(log_none: Array, ratio: Array, certain: Array) -> tuple[float, float]:
    """Return P(some n_k = 0) and a bound on P(some n_k <= 1).

    Parameters
    ----------
    log_none, ratio, certain
        What `tally` counted.
    """
    empty, small = 0.0, 0.0
    for subset in range(1, log_none.size):
        size = 0
        last = 0
        for j in range(ratio.size):
            if subset >> j & 1:
                size += 1
                last = j
        none = np.exp(log_none[subset])
        if size == 1:
            if certain[last] == 0.0:
                small += none * (1.0 + ratio[last])
            elif certain[last] == 1.0:
                small += none
            none = none if certain[last] == 0.0 else 0.0
        empty += none if size % 2 == 1 else -none
    return min(max(empty, 0.0), 1.0), min(small, 1.0)


@njit(nogil=True, cache=True, error_model="numpy")
def _responsibilities_at(y: float, s: float, w: Array, mu: Array, sigma: Array, r: Array) -> None:
    top = -np.inf
    for k in range(w.size):
        r[k] = np.log(w[k]) - np.log(sigma[k]) if w[k] > 0.0 else -np.inf
        wider = 1.0 + (s / sigma[k]) ** 2
        r[k] -= 0.5 * np.log(wider) + 0.5 * ((y - mu[k]) / sigma[k]) ** 2 / wider
        top = max(top, r[k])
    total = 0.0
    for k in range(w.size):
        r[k] = np.exp(r[k] - top)
        total += r[k]
    for k in range(w.size):
        r[k] /= total

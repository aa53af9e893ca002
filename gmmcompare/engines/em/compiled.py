"""The compiled EM iteration: E-step sums over distinct values, M-step, SQUAREM acceleration.

Maximum likelihood is the special case of flat priors (`flat_prior`), so there is one M-step.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gmmcompare.model.compiled import (
    TILE,
    VECTORISED,
    joint_tile,
    log_lik_tile,
    normalise_tile,
)
from gmmcompare.model.conjugate import ConjugatePriors
from gmmcompare.model.params import Array
from gmmcompare.model.priors import Priors

CONVERGED, OUT_OF_ITERATIONS, COLLAPSED = 0, 1, 2
CLIMBING = -1
_DONE, _PLAIN_STEPS, _TRYING = 0, 1, 2


class Penalty(NamedTuple):
    """Hyperparameters as arrays (K,): Dirichlet c, normal m0 and s0, inverse gamma a and b.

    Under conjugate priors ``mean_count`` stands for s0. What is known does not move, what is shared
    moves as one, in maximum likelihood as well.
    """

    c: Array
    m0: Array
    s0: Array
    a: Array
    b: Array
    mean_count: Array  # (K,) under conjugate priors, else (0,)
    sds: Array  # (K,) where they are known, else (0,)
    weights: Array  # likewise
    shared_sd: bool  # whether all components have one sd


def flat_prior(K: int, priors: Priors | None = None) -> Penalty:
    """Return the penalty that is none: maximum likelihood, given what priors know or share."""
    zero, none = np.zeros(K), np.empty(0)
    flat = np.ones(K), zero, np.full(K, np.inf), zero, zero, none
    return Penalty(*flat, *_restrictions(priors, K))


def penalty_of(priors: Priors | ConjugatePriors, K: int) -> Penalty:
    """Return the priors as a penalty: maximum a posteriori."""
    p: Any = priors.expanded(K)
    none = np.empty(0)
    if isinstance(priors, ConjugatePriors):
        location = (p.weight_concentration, p.mean_loc, np.full(K, np.inf))
        fields = (*location, p.var_shape, p.var_scale, p.mean_count)
    else:
        location = (p.weight_concentration, p.mean_loc, p.mean_sd)
        fields = (*location, p.var_shape, p.var_scale, none)
    c, m0, s0, a, b, count = (np.array(f, dtype=float) for f in fields)
    return Penalty(c, m0, s0, a, b, count, *_restrictions(priors, K))


def _restrictions(priors: Priors | ConjugatePriors | None, K: int) -> tuple[Array, Array, bool]:
    """Return sds and weights where they are known, and whether one sd is shared."""
    full: Any = priors.expanded(K) if priors is not None else None
    known = (getattr(full, name, None) for name in ("sds", "weights"))
    sds, weights = (np.empty(0) if k is None else np.array(k, dtype=float) for k in known)
    return sds, weights, bool(getattr(full, "shared_sd", False))


class Sums(NamedTuple):
    """Expected sufficient statistics (K,): counts, sums of y - centre_k and of its square.

    The centre is mu_k, or the nearest value where a start puts mu_k outside the data: about a mean
    far away the sum of squares would be all rounding.
    """

    centre: Array
    n_k: Array
    sum_d: Array
    sum_sq: Array


@njit(fastmath=VECTORISED, error_model="numpy")
def _sums_tile(v: Array, c: Array, r: Array, sums: Sums) -> None:
    for k in range(sums.n_k.size):
        row, centre = r[k], sums.centre[k]
        n, s, q = 0.0, 0.0, 0.0
        for d in range(v.size):
            m = c[d] * row[d]
            x = v[d] - centre
            n += m
            s += m * x
            q += m * x * x
        sums.n_k[k] += n
        sums.sum_d[k] += s
        sums.sum_sq[k] += q


@njit(nogil=True, cache=True, error_model="numpy")
def expectation(v: Array, c: Array, w: Array, mu: Array, sigma: Array, sums: Sums) -> float:
    """E-step: fill the sums at (w, mu, sigma) and return the log-likelihood there.

    Parameters
    ----------
    v, c : ndarray, shape (D,)
        Distinct values, ascending, and their counts as floats.
    w, mu, sigma : ndarray, shape (K,)
        The point, in the units of ``v``.
    sums : Sums
        Overwritten.
    """
    start_sums(v[0], v[-1], mu, sums)
    log_lik: float = add_expectation(v, c, w, mu, sigma, sums)
    return log_lik


@njit(nogil=True, cache=True, error_model="numpy")
def start_sums(low: float, high: float, mu: Array, sums: Sums) -> None:
    """Set the sums to zero, about the means as far as they lie within the data.

    Parameters
    ----------
    low, high : float
        The smallest and the largest of all values.
    mu : ndarray, shape (K,)
    sums : Sums
        Overwritten.
    """
    for a in sums:
        a[:] = 0.0
    for k in range(mu.size):
        sums.centre[k] = min(max(mu[k], low), high)


@njit(nogil=True, cache=True, error_model="numpy")
def add_expectation(v: Array, c: Array, w: Array, mu: Array, sigma: Array, sums: Sums) -> float:
    """Add the expected statistics of some values to the sums and return their log-likelihood.

    Parameters
    ----------
    v, c : ndarray, shape (D,)
        Values in any order, and their counts.
    w, mu, sigma : ndarray, shape (K,)
        The point, in the units of ``v``.
    sums : Sums
        About centres that `start_sums` has set.
    """
    width = min(TILE, v.size)
    e = np.empty((w.size, width))
    top, total, inverse = np.empty(width), np.empty(width), np.empty(width)
    log_lik = 0.0
    for start in range(0, v.size, width):
        n = min(width, v.size - start)
        tile, counts = v[start : start + n], c[start : start + n]
        joint_tile(tile, w, mu, sigma, e, top)
        normalise_tile(e, total, inverse, n)
        log_lik += log_lik_tile(counts, top, total)
        _sums_tile(tile, counts, e, sums)
    return log_lik


@njit(nogil=True, cache=True, error_model="numpy")
def maximisation(
    w: Array, mu: Array, sigma: Array, sums: Sums, p: Penalty, new: tuple[Array, Array, Array]
) -> None:
    """M-step: weights, then mu given the old sigma, then sigma given the new mu.

    Without a penalty this is the maximum; with one, each is the maximum given the others, which is
    enough for the objective never to fall (Meng and Rubin 1993, ECM).

    Parameters
    ----------
    w, mu, sigma : ndarray, shape (K,)
        The point at which the sums were taken.
    sums : Sums
    p : Penalty
    new : tuple of three ndarrays, shape (K,)
        Receives the new (w, mu, sigma).
    """
    total = sums.n_k.sum() + p.c.sum() - w.size
    all_n, all_sum_sq = 0.0, 0.0
    for k in range(w.size):
        n = sums.n_k[k]
        variance = sigma[k] ** 2
        new[0][k] = (n + p.c[k] - 1.0) / total
        share = variance / (variance + n * p.s0[k] ** 2) if n > 0.0 else 1.0
        if p.mean_count.size > 0:
            share = p.mean_count[k] / (n + p.mean_count[k])
        delta = sums.sum_d[k] / n if n > 0.0 else 0.0
        ybar = sums.centre[k] + delta
        new[1][k] = ybar + (p.m0[k] - ybar) * share
        about_ybar = max(sums.sum_sq[k] - n * delta * delta, 0.0)
        sum_sq = about_ybar + n * (new[1][k] - ybar) ** 2
        if p.mean_count.size > 0:
            n += 1.0
            sum_sq += p.mean_count[k] * (new[1][k] - p.m0[k]) ** 2
        new[2][k] = np.sqrt((p.b[k] + 0.5 * sum_sq) / (p.a[k] + 0.5 * n))
        all_n += n
        all_sum_sq += sum_sq
    _restrict(p, np.sqrt((p.b[0] + 0.5 * all_sum_sq) / (p.a[0] + 0.5 * all_n)), new)


@njit(error_model="numpy")
def _restrict(p: Penalty, shared: float, new: tuple[Array, Array, Array]) -> None:
    """Put in what is known, or the sd that all components share."""
    for k in range(new[0].size):
        if p.weights.size > 0:
            new[0][k] = p.weights[k]
        if p.sds.size > 0:
            new[2][k] = p.sds[k]
        if p.shared_sd:
            new[2][k] = shared


@njit(nogil=True, cache=True, error_model="numpy")
def log_penalty(w: Array, mu: Array, sigma: Array, p: Penalty) -> float:
    """Return the log prior over (w, mu, log sigma^2), up to its constant.

    Parameters
    ----------
    w, mu, sigma : ndarray, shape (K,)
    p : Penalty
        In the same units; with that of `flat_prior` the result is 0.
    """
    out = 0.0
    for k in range(w.size):
        if p.c[k] != 1.0 and p.weights.size == 0:
            out += (p.c[k] - 1.0) * np.log(w[k])
        out -= 0.5 * ((mu[k] - p.m0[k]) / p.s0[k]) ** 2
        if p.mean_count.size > 0:
            out -= 0.5 * p.mean_count[k] * ((mu[k] - p.m0[k]) / sigma[k]) ** 2 + np.log(sigma[k])
        if p.b[k] > 0.0 and p.sds.size == 0 and (k == 0 or not p.shared_sd):
            out -= 2.0 * p.a[k] * np.log(sigma[k]) + p.b[k] / sigma[k] ** 2
    return out


@njit(nogil=True, cache=True, error_model="numpy")
def largest_score(w: Array, mu: Array, sigma: Array, sums: Sums, p: Penalty) -> float:
    """Return the largest derivative of the objective in (logit w, mu / sigma, log sigma).

    In modulus, and free of units: a mean is known to a fraction of its component's sd.

    Parameters
    ----------
    w, mu, sigma : ndarray, shape (K,)
    sums : Sums
        Of the E-step at this point.
    p : Penalty
    """
    total = sums.n_k.sum() + p.c.sum() - w.size
    worst, all_log_sd = 0.0, 0.0
    for k in range(w.size):
        n, moved = sums.n_k[k], sums.centre[k] - mu[k]
        logit = n + p.c[k] - 1.0 - w[k] * total
        sum_d = sums.sum_d[k] + n * moved
        mean = sum_d / sigma[k] - sigma[k] * (mu[k] - p.m0[k]) / p.s0[k] ** 2
        sum_sq = sums.sum_sq[k] + moved * (sums.sum_d[k] + sum_d)
        log_sd = (sum_sq + 2.0 * p.b[k]) / sigma[k] ** 2 - n - 2.0 * p.a[k]
        if p.mean_count.size > 0:
            pull = (mu[k] - p.m0[k]) / sigma[k]
            mean -= p.mean_count[k] * pull
            log_sd += p.mean_count[k] * pull**2 - 1.0
        if p.shared_sd:  # its prior counts once
            log_sd += 0.0 if k == 0 else 2.0 * p.a[k] - 2.0 * p.b[k] / sigma[k] ** 2
            all_log_sd += log_sd
            log_sd = 0.0
        if p.sds.size > 0:
            log_sd = 0.0
        if p.weights.size > 0:
            logit = 0.0
        worst = max(worst, abs(logit), abs(mean), abs(log_sd))
    return max(worst, abs(all_log_sd))


@njit(nogil=True, cache=True, error_model="numpy")
def _extrapolate(
    old: tuple[Array, Array, Array],
    one: tuple[Array, Array, Array],
    two: tuple[Array, Array, Array],
    out: tuple[Array, Array, Array],
) -> None:
    """SQUAREM's third scheme (Varadhan and Roland 2008) in (log w, mu, log sigma)."""
    r2, v2 = 0.0, 0.0
    for block in range(3):
        for k in range(old[0].size):
            a, b, c = old[block][k], one[block][k], two[block][k]
            if block != 1:
                a, b, c = np.log(a), np.log(b), np.log(c)
            r2 += (b - a) ** 2
            v2 += (c - 2.0 * b + a) ** 2
    alpha = -max(np.sqrt(r2 / v2), 1.0) if v2 > 0.0 else -1.0
    for block in range(3):
        for k in range(old[0].size):
            a, b, c = old[block][k], one[block][k], two[block][k]
            if block != 1:
                a, b, c = np.log(a), np.log(b), np.log(c)
            x = a - 2.0 * alpha * (b - a) + alpha * alpha * (c - 2.0 * b + a)
            out[block][k] = x if block == 1 else np.exp(x)
    total = out[0].sum()
    for k in range(out[0].size):
        out[0][k] /= total


class Climb(NamedTuple):
    """Where EM is; points are (w, mu, sigma), each (K,), and all is overwritten in place."""

    here: tuple[Array, Array, Array]
    old: tuple[Array, Array, Array]
    step: tuple[Array, Array, Array]
    jump: tuple[Array, Array, Array]
    path: Array  # the objective at each iterate; its length is the most there may be
    objective: Array  # (1,) at here
    marks: NDArray[np.int64]  # (3,) iterates done, plain steps, whether the jump is being tried


@njit(nogil=True, cache=True, error_model="numpy")
def start_climb(w: Array, mu: Array, sigma: Array, path: Array) -> Climb:
    """Return a climb that begins at (w, mu, sigma).

    Parameters
    ----------
    w, mu, sigma : ndarray, shape (K,)
        The starting point; overwritten as the climb goes on.
    path : ndarray, shape (max_iterations,)
        Receives the objective at each iterate.
    """
    K = w.size
    return Climb(
        (w, mu, sigma),
        (np.empty(K), np.empty(K), np.empty(K)),
        (np.empty(K), np.empty(K), np.empty(K)),
        (np.empty(K), np.empty(K), np.empty(K)),
        path,
        np.zeros(1),
        np.zeros(3, dtype=np.int64),
    )


@njit(nogil=True, cache=True, error_model="numpy")
def next_point(at: Climb) -> tuple[Array, Array, Array]:
    """Return the point at which the climb needs the E-step."""
    return at.jump if at.marks[_TRYING] else at.here


@njit(error_model="numpy")
def _move(at: Climb, to: tuple[Array, Array, Array]) -> None:
    # By element: Numba takes seconds to compile the assignment of one array to another's slice.
    for block in range(3):
        for k in range(at.here[block].size):
            at.old[block][k] = at.here[block][k]
            at.here[block][k] = to[block][k]


@njit(nogil=True, cache=True, error_model="numpy")
def proceed(
    at: Climb,
    log_lik: float,
    sums: Sums,
    p: Penalty,
    tolerance: float,
    smallest_sigma: float,
    accelerate: bool,
) -> int:
    """Take one step, given the E-step at `next_point`; return the outcome, or CLIMBING.

    An extrapolated point is taken only if the objective is no lower there, so the path never falls.
    Without a prior on the variances a component with fewer than two observations, or an sd of at
    most ``smallest_sigma``, means collapse.

    Parameters
    ----------
    at : Climb
        Overwritten.
    log_lik : float
        At `next_point`.
    sums : Sums
        Of the E-step there.
    p : Penalty
    tolerance : float
        The climb has converged where `largest_score` is below it.
    smallest_sigma : float
        In the units of the climb.
    accelerate : bool
        Whether to try an extrapolated point (SQUAREM) after every second plain step.
    """
    w, mu, sigma = next_point(at)
    objective = log_lik + log_penalty(w, mu, sigma, p)
    if at.marks[_TRYING]:
        at.marks[_TRYING] = 0
        is_better = objective >= at.objective[0]
        _move(at, at.jump if is_better else at.step)
        if at.marks[_DONE] == at.path.size:
            return OUT_OF_ITERATIONS
        if not is_better:
            return CLIMBING
    w, mu, sigma = at.here
    at.objective[0] = objective
    at.path[at.marks[_DONE]] = objective
    at.marks[_DONE] += 1
    if largest_score(w, mu, sigma, sums, p) < tolerance:
        return CONVERGED
    maximisation(w, mu, sigma, sums, p, at.step)
    for k in range(w.size):
        few = sums.n_k[k] < 2.0 and not p.shared_sd
        if p.b[k] == 0.0 and p.sds.size == 0 and (few or not at.step[2][k] > smallest_sigma):
            return COLLAPSED
    at.marks[_PLAIN_STEPS] += 1
    if accelerate and at.marks[_PLAIN_STEPS] == 2:
        at.marks[_PLAIN_STEPS] = 0
        at.marks[_TRYING] = 1
        _extrapolate(at.old, at.here, at.step, at.jump)
        return CLIMBING
    _move(at, at.step)
    return CLIMBING if at.marks[_DONE] < at.path.size else OUT_OF_ITERATIONS


@njit(nogil=True, cache=True, error_model="numpy")
def climb(
    v: Array,
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
    """Run EM in place from (w, mu, sigma) until the score is below ``tolerance``.

    Parameters
    ----------
    v, c : ndarray, shape (D,)
        Distinct values, ascending, and their counts as floats.
    w, mu, sigma : ndarray, shape (K,)
        The starting point; overwritten by the end.
    p : Penalty
    tolerance, smallest_sigma, accelerate
        As in `proceed`.
    path : ndarray, shape (max_iterations,)
        Receives the objective at each iterate.

    Returns
    -------
    outcome, iterates : int
        How it ended, CONVERGED, OUT_OF_ITERATIONS or COLLAPSED, and how much of path is filled.
    """
    K = w.size
    sums = Sums(np.empty(K), np.empty(K), np.empty(K), np.empty(K))
    at = start_climb(w, mu, sigma, path)
    outcome = CLIMBING
    while outcome == CLIMBING:
        x = next_point(at)
        log_lik = expectation(v, c, x[0], x[1], x[2], sums)
        outcome = proceed(at, log_lik, sums, p, tolerance, smallest_sigma, accelerate)
    return outcome, at.marks[_DONE]

"""The compiled EM iteration: E-step sums over distinct values, M-step, SQUAREM acceleration.

Maximum likelihood is the special case of flat priors (`flat_prior`), so there is one M-step.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from gmmcompare.kernels import (
    TILE,
    VECTORISED,
    joint_tile,
    log_lik_tile,
    normalise_tile,
)
from gmmcompare.params import Array
from gmmcompare.priors import Priors

CONVERGED, OUT_OF_ITERATIONS, COLLAPSED = 0, 1, 2


class Penalty(NamedTuple):
    """Hyperparameters as arrays (K,): Dirichlet c, normal m0 and s0, inverse gamma a and b."""

    c: Array
    m0: Array
    s0: Array
    a: Array
    b: Array


def flat_prior(K: int) -> Penalty:
    """Return the penalty that is none: maximum likelihood."""
    zero = np.zeros(K)
    return Penalty(np.ones(K), zero, np.full(K, np.inf), zero, zero)


def penalty_of(priors: Priors, K: int) -> Penalty:
    """Return the priors as a penalty: maximum a posteriori."""
    p = priors.expanded(K)
    fields = (p.weight_concentration, p.mean_loc, p.mean_sd, p.var_shape, p.var_scale)
    return Penalty(*(np.array(f, dtype=float) for f in fields))


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
    """E-step: fill the sums at (w, mu, sigma) and return the log-likelihood there."""
    width = min(TILE, v.size)
    e = np.empty((w.size, width))
    top, total, inverse = np.empty(width), np.empty(width), np.empty(width)
    for a in sums:
        a[:] = 0.0
    for k in range(w.size):
        sums.centre[k] = min(max(mu[k], v[0]), v[-1])
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
    """M-step: mu given the old sigma, then sigma given the new mu; new = (w, mu, sigma)."""
    total = sums.n_k.sum() + p.c.sum() - w.size
    for k in range(w.size):
        n = sums.n_k[k]
        variance = sigma[k] ** 2
        new[0][k] = (n + p.c[k] - 1.0) / total
        share = variance / (variance + n * p.s0[k] ** 2) if n > 0.0 else 1.0
        delta = sums.sum_d[k] / n if n > 0.0 else 0.0
        ybar = sums.centre[k] + delta
        new[1][k] = ybar + (p.m0[k] - ybar) * share
        about_ybar = max(sums.sum_sq[k] - n * delta * delta, 0.0)
        sum_sq = about_ybar + n * (new[1][k] - ybar) ** 2
        new[2][k] = np.sqrt((p.b[k] + 0.5 * sum_sq) / (p.a[k] + 0.5 * n))


@njit(nogil=True, cache=True, error_model="numpy")
def log_penalty(w: Array, mu: Array, sigma: Array, p: Penalty) -> float:
    """Return the log prior over (w, mu, log sigma^2), up to its constant."""
    out = 0.0
    for k in range(w.size):
        if p.c[k] != 1.0:
            out += (p.c[k] - 1.0) * np.log(w[k])
        out -= 0.5 * ((mu[k] - p.m0[k]) / p.s0[k]) ** 2
        if p.b[k] > 0.0:
            out -= 2.0 * p.a[k] * np.log(sigma[k]) + p.b[k] / sigma[k] ** 2
    return out


@njit(nogil=True, cache=True, error_model="numpy")
def largest_score(w: Array, mu: Array, sigma: Array, sums: Sums, p: Penalty) -> float:
    """Return the largest derivative of the objective in (logit w, mu / sigma, log sigma).

    In modulus, and free of units: a mean is known to a fraction of its component's sd.
    """
    total = sums.n_k.sum() + p.c.sum() - w.size
    worst = 0.0
    for k in range(w.size):
        n, moved = sums.n_k[k], sums.centre[k] - mu[k]
        logit = n + p.c[k] - 1.0 - w[k] * total
        sum_d = sums.sum_d[k] + n * moved
        mean = sum_d / sigma[k] - sigma[k] * (mu[k] - p.m0[k]) / p.s0[k] ** 2
        sum_sq = sums.sum_sq[k] + moved * (sums.sum_d[k] + sum_d)
        log_sd = (sum_sq + 2.0 * p.b[k]) / sigma[k] ** 2 - n - 2.0 * p.a[k]
        worst = max(worst, abs(logit), abs(mean), abs(log_sd))
    return worst


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
    out[0][:] /= out[0].sum()


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

    Returns the outcome and the number of iterates; ``path`` receives the objective at each. An
    extrapolated point is taken only if the objective is no lower there, so the path never falls.
    Without a prior on the variances a component with fewer than two observations, or an sd of at
    most ``smallest_sigma``, means collapse.
    """
    K = w.size
    sums = Sums(np.empty(K), np.empty(K), np.empty(K), np.empty(K))
    old, here, step, jump = (
        (np.empty(K), np.empty(K), np.empty(K)),
        (w, mu, sigma),
        (np.empty(K), np.empty(K), np.empty(K)),
        (np.empty(K), np.empty(K), np.empty(K)),
    )
    done, plain_steps, objective, known = 0, 0, 0.0, False
    while done < path.size:
        if not known:
            objective = expectation(v, c, w, mu, sigma, sums) + log_penalty(w, mu, sigma, p)
        known = False
        path[done] = objective
        done += 1
        if largest_score(w, mu, sigma, sums, p) < tolerance:
            return CONVERGED, done
        maximisation(w, mu, sigma, sums, p, step)
        for k in range(K):
            if p.b[k] == 0.0 and (sums.n_k[k] < 2.0 or not step[2][k] > smallest_sigma):
                return COLLAPSED, done
        plain_steps += 1
        if accelerate and plain_steps == 2:
            plain_steps = 0
            _extrapolate(old, here, step, jump)
            there = expectation(v, c, jump[0], jump[1], jump[2], sums)
            there += log_penalty(jump[0], jump[1], jump[2], p)
            if there >= objective:
                objective, known = there, True
                for block in range(3):
                    step[block][:] = jump[block]
        for block in range(3):
            old[block][:] = here[block]
            here[block][:] = step[block]
    return OUT_OF_ITERATIONS, done

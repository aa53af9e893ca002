"""The compiled sweep for values with measurement errors, one observation at a time.

Pairs of a value and an error seldom repeat, so the sweep goes over all observations rather than
over distinct ones. The rest of a sweep, given the sums of true values, is that of `compiled`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gmmcompare.engines.gibbs.compiled import Prior, Recorder, Work, cumulate, draw_parameters
from gmmcompare.model.compiled import measured_joint_tile
from gmmcompare.model.params import Array

TILE = 512
"""Observations treated together."""


class Measured(NamedTuple):
    """All observations in ascending order: values, errors (N,), and which distinct pair each is."""

    y: Array
    s: Array
    pair: NDArray[np.int64]


@njit(error_model="numpy")
def _draw_tile(
    u: Array,
    noise: Array,
    v: Array,
    s: Array,
    z: NDArray[np.int8],
    work: Work,
) -> None:
    """Draw allocations and true values of a tile, and add the latter to the sums."""
    K = work.w.size
    measured_joint_tile(v, s, work.w, work.mu, work.sigma, work.e, work.top)
    cumulate(work.e, work.top, v.size)
    for i in range(v.size):
        k = 0
        for j in range(K - 1):
            k += 1 if u[i] > work.e[j, i] else 0
        z[i] = k
        ratio = s[i] / work.sigma[k]
        B = 1.0 / (1.0 + ratio * ratio)
        x = work.mu[k] - work.centre[k] + B * (v[i] - work.mu[k]) + s[i] * np.sqrt(B) * noise[i]
        work.n_k[k] += 1.0
        work.sum_d[k] += x
        work.sum_sq[k] += x * x


@njit(nogil=True, cache=True, error_model="numpy")
def advance_measured(
    u: Array,
    noise: Array,
    data: Measured,
    at: int,
    n: int,
    z: NDArray[np.int8],
    work: Work,
    prior: Prior,
    rng: np.random.Generator,
    draw: int,
    out: Recorder,
) -> int:
    """Work through n observations, finishing a sweep at each last one; return the next draw.

    Parameters
    ----------
    u, noise : ndarray, shape (n,)
        Uniforms on [0, 1) and standard normals, one for each observation.
    data : Measured
        In standardised units.
    at : int
        The first observation to work through.
    n : int
        How many, over the end of a sweep if need be.
    z : ndarray of int8, shape (N,)
        Receives the allocations.
    work : Work
        The chain's state; overwritten.
    prior : Prior
    rng : numpy.random.Generator
        Of the parameters.
    draw : int
        Where the sweep under way is recorded; negative during warmup.
    out : Recorder
        Overwritten.

    Returns
    -------
    int
    """
    N, used = data.y.size, 0
    while used < n:
        if at == 0:
            # True values of a component may lie anywhere between its mean and the data.
            for k in range(work.n_k.size):
                work.centre[k] = min(max(work.mu[k], data.y[0]), data.y[N - 1])
            work.n_k[:] = 0.0
            work.sum_d[:] = 0.0
            work.sum_sq[:] = 0.0
        m = min(TILE, N - at, n - used)
        a, b = at, at + m
        _draw_tile(
            u[used : used + m], noise[used : used + m], data.y[a:b], data.s[a:b], z[a:b], work
        )
        if draw >= 0 and out.allocations.size > 0:
            for i in range(a, b):
                out.allocations[z[i], data.pair[i]] += 1.0
        used += m
        at += m
        if at == N:
            at = 0
            draw_parameters(work, prior, rng)
            if draw >= 0:
                out.w[draw] = work.w
                out.mu[draw] = work.mu
                out.sigma[draw] = work.sigma
                out.n_k[draw] = work.n_k
            draw += 1
    return draw

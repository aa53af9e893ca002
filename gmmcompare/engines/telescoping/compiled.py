"""The compiled telescoping sampler: `plain`, on distinct values with counts.

Its allocations are those of the Gibbs sampler with known K, over the tiles of a `Layout`.
"""

from __future__ import annotations

from math import lgamma
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gmmcompare.engines.gibbs.compiled import (
    Prior,
    Work,
    allocate,
    draw_means,
    draw_sigmas,
    draw_weights,
)
from gmmcompare.engines.layout import Layout
from gmmcompare.model.params import Array


class Numbers(NamedTuple):
    """What depends on the number of components K = 1..max_K, arrays of shape (max_K,)."""

    log_prob: Array  # the prior
    concentration: Array  # of the weights given K


@njit(inline="always")
def _first(work: Work, K: int) -> Work:
    """Return a view of the first K components."""
    return Work(
        work.w[:K],
        work.mu[:K],
        work.sigma[:K],
        work.n_k[:K],
        work.centre[:K],
        work.sum_d[:K],
        work.sum_sq[:K],
        work.e[:K],
        work.top,
        work.beyond[: K + 1],
    )


@njit(inline="always")
def _occupied_first(work: Work, K: int) -> int:
    """Move the occupied components to the front, in their order; return how many there are."""
    occupied = 0
    for k in range(K):
        if work.n_k[k] > 0.0:
            for array in (
                work.mu,
                work.sigma,
                work.n_k,
                work.centre,
                work.sum_d,
                work.sum_sq,
            ):
                array[occupied] = array[k]
            occupied += 1
    return occupied


@njit(inline="always")
def _draw_number(n_k: Array, numbers: Numbers, log_p: Array, u: float) -> int:
    """Draw K given the sizes of the occupied components; ``log_p`` (max_K,) is scratch space."""
    occupied, max_K = n_k.size, log_p.size
    n = n_k.sum()
    top = -np.inf
    for K in range(occupied, max_K + 1):
        c = numbers.concentration[K - 1]
        value = numbers.log_prob[K - 1] + lgamma(K * c) - lgamma(n + K * c)
        value += lgamma(K + 1.0) - lgamma(K - occupied + 1.0)
        for k in range(occupied):
            value += lgamma(n_k[k] + c) - lgamma(c)
        log_p[K - 1] = value
        top = max(top, value)
    total = 0.0
    for K in range(occupied, max_K + 1):
        total += np.exp(log_p[K - 1] - top)
        log_p[K - 1] = total
    K = occupied
    while max_K > K and u * total >= log_p[K - 1]:
        K += 1
    return K


@njit(nogil=True, cache=True, error_model="numpy")
def advance(
    n_sweeps: int,
    K: int,
    layout: Layout,
    u: Array,
    work: Work,
    prior: Prior,
    numbers: Numbers,
    log_p: Array,
    of_allocations: np.random.Generator,
    of_parameters: np.random.Generator,
    at: int,
    every: int,
    out: tuple[Array, Array, Array, NDArray[np.int64], NDArray[np.int64]],
) -> int:
    """Make whole sweeps; return K after the last.

    Parameters
    ----------
    n_sweeps : int
    K : int
        Where the chain stands.
    layout : Layout
    u : ndarray, shape (N,)
        Scratch space for the uniforms of a sweep.
    work : Work
        The chain's state, with room for max_K components; overwritten.
    prior : Prior
        Arrays of shape (max_K,); the concentration is overwritten.
    numbers : Numbers
    log_p : ndarray, shape (max_K,)
        Scratch space.
    of_allocations, of_parameters : numpy.random.Generator
    at : int
        Number of the first sweep; negative during warmup.
    every : int
        Sweeps 0, every, 2 every, ... are recorded.
    out : tuple of ndarray
        w, mu, sigma (n, max_K), full of NaN, K and K+ (n,); written to.
    """
    w, mu, sigma, number, n_occupied = out
    for _ in range(n_sweeps):
        for i in range(u.size):
            u[i] = of_allocations.random()
        allocate(u, layout, 0, layout.heavy.size, _first(work, K))
        occupied = _occupied_first(work, K)
        draw_means(_first(work, occupied), prior, of_parameters)
        draw_sigmas(_first(work, occupied), prior, of_parameters)
        K = _draw_number(work.n_k[:occupied], numbers, log_p, of_parameters.random())
        prior.weight_concentration[:K] = numbers.concentration[K - 1]
        work.n_k[occupied:K] = 0.0
        empty = Work(
            work.w[occupied:K],
            work.mu[occupied:K],
            work.sigma[occupied:K],
            work.n_k[occupied:K],
            work.centre[occupied:K],
            work.sum_d[occupied:K],
            work.sum_sq[occupied:K],
            work.e,
            work.top,
            work.beyond,
        )
        draw_means(empty, prior, of_parameters)
        draw_sigmas(empty, prior, of_parameters)
        draw_weights(_first(work, K), prior, of_parameters)
        if at >= 0 and at % every == 0:
            draw = at // every
            w[draw, :K] = work.w[:K]
            mu[draw, :K] = work.mu[:K]
            sigma[draw, :K] = work.sigma[:K]
            number[draw] = K
            n_occupied[draw] = occupied
        at += 1
    return K

"""A Dirichlet process mixture by algorithm 8 of Neal (2000), written to be read.

The state is a cluster for every observation, and the mean and sd of every cluster that has one.
Each observation in turn leaves its cluster and chooses among those of the others, in proportion to
their size, and `AUXILIARY` new ones from the prior, in proportion to alpha / AUXILIARY, each times
its density there. If it was alone, its old cluster is one of the new ones. Then every cluster's
mean and sd are drawn given its observations, as Gibbs does.
"""

from __future__ import annotations

from math import log
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gmmcompare.model.params import Array

AUXILIARY = 3


class Model(NamedTuple):
    """Priors of one cluster, and the concentration of the process."""

    mean_loc: float
    mean_sd: float
    var_shape: float
    var_scale: float
    alpha: float


class State(NamedTuple):
    """Clusters with room for N + AUXILIARY, of which the first are in use; overwritten."""

    mu: Array
    sigma: Array
    n_k: Array
    z: NDArray[np.int64]  # (N,)


@njit(inline="always")
def _log_gamma_draw(a: float, rng: np.random.Generator) -> float:
    if a >= 1.0:
        return float(np.log(rng.standard_gamma(a)))
    return float(np.log(rng.standard_gamma(a + 1.0)) + np.log1p(-rng.random()) / a)


@njit(inline="always")
def _move(state: State, source: int, target: int) -> None:
    state.mu[target] = state.mu[source]
    state.sigma[target] = state.sigma[source]
    state.n_k[target] = state.n_k[source]


@njit(cache=True, nogil=True, error_model="numpy")
def choose_cluster(
    i: int, used: int, y: Array, state: State, model: Model, rng: np.random.Generator
) -> int:
    """Let observation i choose its cluster anew; return the number of clusters in use.

    Parameters
    ----------
    i : int
    used : int
        Number of clusters in use before.
    y : ndarray, shape (N,)
    state : State
        Overwritten.
    model : Model
    rng : numpy.random.Generator
    """
    old = state.z[i]
    state.n_k[old] -= 1.0
    fresh = 0
    if state.n_k[old] == 0.0:
        # It was alone: its cluster becomes the first new one, and the last takes its number.
        used -= 1
        mu, sigma = state.mu[old], state.sigma[old]
        if old != used:
            _move(state, used, old)
            for j in range(y.size):
                if state.z[j] == used:
                    state.z[j] = old
        state.mu[used], state.sigma[used] = mu, sigma
        fresh = 1
    for k in range(used + fresh, used + AUXILIARY):
        state.mu[k] = model.mean_loc + model.mean_sd * rng.standard_normal()
        log_g = _log_gamma_draw(model.var_shape, rng)
        state.sigma[k] = np.exp(0.5 * (log(model.var_scale) - log_g))
    cumulated = np.empty(used + AUXILIARY)
    top = -np.inf
    for k in range(used + AUXILIARY):
        size = state.n_k[k] if k < used else model.alpha / AUXILIARY
        distance = (y[i] - state.mu[k]) / state.sigma[k]
        cumulated[k] = log(size) - np.log(state.sigma[k]) - 0.5 * distance**2
        top = max(top, cumulated[k])
    total = 0.0
    for k in range(used + AUXILIARY):
        total += np.exp(cumulated[k] - top)
        cumulated[k] = total
    u, chosen = rng.random() * total, 0
    while chosen < used + AUXILIARY - 1 and u >= cumulated[chosen]:
        chosen += 1
    if chosen >= used:
        state.mu[used], state.sigma[used] = state.mu[chosen], state.sigma[chosen]
        state.n_k[used] = 0.0
        chosen = used
        used += 1
    state.z[i] = chosen
    state.n_k[chosen] += 1.0
    return used


@njit(cache=True, nogil=True, error_model="numpy")
def draw_parameters(
    used: int, y: Array, state: State, model: Model, rng: np.random.Generator
) -> None:
    """Draw every cluster's mean given its sd and then its sd given its mean.

    Parameters
    ----------
    used : int
        Number of clusters in use.
    y : ndarray, shape (N,)
    state : State
        Overwritten.
    model : Model
    rng : numpy.random.Generator
    """
    sum_y, sum_sq = np.zeros(used), np.zeros(used)
    for i in range(y.size):
        sum_y[state.z[i]] += y[i]
    for k in range(used):
        n, m0, s0 = state.n_k[k], model.mean_loc, model.mean_sd
        root_share = 1.0 / np.hypot(1.0, np.sqrt(n) * s0 / state.sigma[k])
        ybar = sum_y[k] / n
        state.mu[k] = ybar + (m0 - ybar) * root_share**2 + s0 * root_share * rng.standard_normal()
    for i in range(y.size):
        sum_sq[state.z[i]] += (y[i] - state.mu[state.z[i]]) ** 2
    for k in range(used):
        log_g = _log_gamma_draw(model.var_shape + 0.5 * state.n_k[k], rng)
        state.sigma[k] = np.exp(0.5 * (log(model.var_scale + 0.5 * sum_sq[k]) - log_g))


@njit(cache=True, nogil=True, error_model="numpy")
def advance(
    n_sweeps: int,
    used: int,
    y: Array,
    state: State,
    model: Model,
    rng: np.random.Generator,
    at: int,
    every: int,
    out: tuple[Array, Array, Array, NDArray[np.int64], NDArray[np.int64]],
) -> int:
    """Make whole sweeps; return the number of clusters after the last.

    Parameters
    ----------
    n_sweeps : int
    used : int
        Number of clusters at the start.
    y : ndarray, shape (N,)
    state : State
        Overwritten.
    model : Model
    rng : numpy.random.Generator
    at : int
        Number of the first sweep; negative during warmup.
    every : int
        Sweeps 0, every, 2 every, ... are recorded.
    out : tuple of ndarray
        Shares n_k / (N + alpha), mu, sigma (n, room), full of NaN, K and K+ (n,), both the number
        of clusters; written to. Of more clusters than there is room for, only the first are kept.
    """
    share, mu, sigma, number, n_occupied = out
    for _ in range(n_sweeps):
        for i in range(y.size):
            used = choose_cluster(i, used, y, state, model, rng)
        draw_parameters(used, y, state, model, rng)
        if at >= 0 and at % every == 0:
            draw = at // every
            kept = min(used, share.shape[1])
            share[draw, :kept] = state.n_k[:kept] / (y.size + model.alpha)
            mu[draw, :kept] = state.mu[:kept]
            sigma[draw, :kept] = state.sigma[:kept]
            number[draw] = n_occupied[draw] = used
        at += 1
    return used

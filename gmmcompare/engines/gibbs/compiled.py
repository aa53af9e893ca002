"""The compiled sweep of the fast Gibbs sampler, over the tiles of a `Layout`.

`advance` makes whole sweeps, for data that one machine holds. `allocate` does only the data's part
of a sweep and `draw_parameters` the rest, for data in partitions: the sums of allocations of all
partitions are added in between.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gmmcompare.engines.layout import HEAVY, Layout
from gmmcompare.model.compiled import VECTORISED, joint_tile
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors

MAX_SUMS = 3_000_000
"""Beyond so many numbers (24 MB a chain) sums of allocations are not kept."""


class Prior(NamedTuple):
    """The priors as plain arrays of shape (K,), which compiled code can take.

    ``mean_sd`` plays no part where ``mean_count`` is given.
    """

    weight_concentration: Array
    mean_loc: Array
    mean_sd: Array
    var_shape: Array
    var_scale: Array
    mean_count: Array  # (K,) under conjugate priors, else (0,)
    sds: Array  # (K,) where they are known, else (0,)
    weights: Array  # likewise
    shared_sd: bool  # whether all components have one sd


class Work(NamedTuple):
    """The chain's state and its scratch space; everything is overwritten in place."""

    w: Array  # (K,)
    mu: Array
    sigma: Array
    n_k: Array
    centre: Array  # (K,) mu_k, or the nearest value where it lies outside the data
    sum_d: Array  # (K,) sum of y - centre_k
    sum_sq: Array  # (K,) sum of (y - centre_k)**2, then about the new mu_k
    e: Array  # (K, width) probabilities, then cumulated
    top: Array  # (width,)
    beyond: Array  # (K + 1, width) observations of an entry allocated to component k or later


class Recorder(NamedTuple):
    """What a chain keeps: draws (n, K) and sums of allocations over them.

    The sums have shape (K, E), or (K, 0) where they would take more than `MAX_SUMS` numbers.
    """

    w: Array
    mu: Array
    sigma: Array
    n_k: Array
    allocations: NDArray[np.float64]

    @classmethod
    def of(cls, n_draws: int, K: int, n_entries: int) -> Recorder:
        """Return room for the draws of a chain, and for sums of its allocations.

        Parameters
        ----------
        n_draws : int
        K : int
        n_entries : int
            Entries E of the layout.

        Returns
        -------
        Recorder
            Draws not yet written; sums that are zero.
        """
        w, mu, sigma, n_k = (np.empty((n_draws, K)) for _ in range(4))
        sums = np.zeros((K, n_entries if K * n_entries <= MAX_SUMS else 0))
        return cls(w, mu, sigma, n_k, sums)


@njit(inline="always", error_model="numpy")
def _count_beyond(u: Array, layout: Layout, t: int, work: Work) -> None:
    """Count, for every entry of tile t and every k, the observations allocated to k or later.

    All are allocated to component 0 or later and none to K or later; in between, those whose
    uniform exceeds the cumulated probability of the components before k. Slices rather than sums of
    indices: Numba would test those for being negative at every step.
    """
    K = work.n_k.size
    split, n = layout.heavy[t], layout.first[t + 1] - layout.first[t]
    counts = layout.c[layout.first_c[t] : layout.first_c[t] + n]
    work.beyond[0, :n] = counts
    work.beyond[K, :n] = 0.0
    for k in range(1, K):
        at = 0
        for d in range(split):
            size = int(counts[d])
            work.beyond[k, d] = _number_above(u[at : at + size], work.e[k - 1, d])
            at += size
        threshold, beyond = work.e[k - 1, split:n], work.beyond[k, split:n]
        beyond[:] = 0.0
        for p in range(HEAVY):
            size = layout.at_least[t, p]
            if size == 0:
                break
            _add_where_above(u[at : at + size], threshold, beyond)
            at += size


@njit
def _number_above(u: Array, threshold: float) -> int:
    passed = 0
    for i in range(u.size):
        passed += 1 if u[i] > threshold else 0
    return passed


@njit
def _add_where_above(u: Array, threshold: Array, above: Array) -> None:
    for d in range(u.size):
        above[d] += 1.0 if u[d] > threshold[d] else 0.0


@njit(fastmath=VECTORISED, error_model="numpy")
def cumulate(e: Array, inverse: Array, n: int) -> None:
    """Turn weights of components into thresholds: e[k] becomes P(z <= k), for k < K - 1.

    Parameters
    ----------
    e : ndarray, shape (K, n) or wider
        Overwritten.
    inverse : ndarray, shape (n,) or longer
        Scratch space.
    n : int
        Number of values.
    """
    last = e.shape[0] - 1
    for k in range(1, last + 1):
        below, row = e[k - 1], e[k]
        for d in range(n):
            row[d] += below[d]
    for d in range(n):
        inverse[d] = 1.0 / e[last, d]
    for k in range(last):
        row = e[k]
        for d in range(n):
            row[d] *= inverse[d]


@njit(inline="always", error_model="numpy")
def _start_sums(layout: Layout, work: Work) -> None:
    """Set the sums to zero and choose what they are about.

    About the old mean nothing is lost to cancellation, unless that mean is far outside the data, as
    that of a component that was empty may be.
    """
    for k in range(work.n_k.size):
        work.centre[k] = min(max(work.mu[k], layout.low), layout.high)
    work.n_k[:] = 0.0
    work.sum_d[:] = 0.0
    work.sum_sq[:] = 0.0


@njit(fastmath=VECTORISED, error_model="numpy")
def _add_statistics(v: Array, work: Work) -> None:
    """Add a tile's counts, and sums of y - centre_k and its square."""
    for k in range(work.n_k.size):
        centre, from_k, from_next = work.centre[k], work.beyond[k], work.beyond[k + 1]
        n_k, sum_d, sum_sq = 0.0, 0.0, 0.0
        for d in range(v.size):
            m = from_k[d] - from_next[d]
            x = v[d] - centre
            n_k += m
            sum_d += m * x
            sum_sq += m * x * x
        work.n_k[k] += n_k
        work.sum_d[k] += sum_d
        work.sum_sq[k] += sum_sq


@njit(fastmath=VECTORISED, error_model="numpy")
def _add_allocations(beyond: Array, sums: Array) -> None:
    """Add a tile's allocations to their sums (K, n)."""
    for k in range(sums.shape[0]):
        row, from_k, from_next = sums[k], beyond[k], beyond[k + 1]
        for d in range(sums.shape[1]):
            row[d] += from_k[d] - from_next[d]


@njit(inline="always", error_model="numpy")
def _log_gamma_draw(a: float, rng: np.random.Generator) -> float:
    """Draw log Gamma(a, 1) as `priors.log_gamma_draws` does."""
    if a >= 1.0:
        return float(np.log(rng.standard_gamma(a)))
    return float(np.log(rng.standard_gamma(a + 1.0)) + np.log1p(-rng.random()) / a)


@njit(inline="always", error_model="numpy")
def draw_weights(work: Work, prior: Prior, rng: np.random.Generator) -> None:
    """Draw w | z ~ Dirichlet(c + n_k).

    Parameters
    ----------
    work : Work
        The chain's state; overwritten.
    prior : Prior
    rng : numpy.random.Generator
    """
    K = work.w.size
    if prior.weights.size > 0:
        for k in range(K):
            work.w[k] = prior.weights[k]
        return
    top = -np.inf
    for k in range(K):
        work.w[k] = _log_gamma_draw(prior.weight_concentration[k] + work.n_k[k], rng)
        top = max(top, work.w[k])
    total = 0.0
    for k in range(K):
        work.w[k] = np.exp(work.w[k] - top)
        total += work.w[k]
    for k in range(K):
        work.w[k] /= total


@njit(inline="always", error_model="numpy")
def draw_means(work: Work, prior: Prior, rng: np.random.Generator) -> None:
    """Draw mu_k | sigma_k, z ~ Normal; sum_sq moves from the centre to the new mean.

    Parameters
    ----------
    work : Work
        The chain's state; overwritten.
    prior : Prior
    rng : numpy.random.Generator
    """
    for k in range(work.mu.size):
        n, m0, s0 = work.n_k[k], prior.mean_loc[k], prior.mean_sd[k]
        noise = rng.standard_normal()
        if n == 0.0:
            work.mu[k] = m0 + s0 * noise
            work.sum_sq[k] = 0.0
            continue
        root_share = 1.0 / np.hypot(1.0, np.sqrt(n) * s0 / work.sigma[k])
        delta = work.sum_d[k] / n
        ybar = work.centre[k] + delta
        work.mu[k] = ybar + (m0 - ybar) * root_share**2 + s0 * root_share * noise
        # About ybar first: a sum of squares, so what rounding leaves below zero is zero.
        about_ybar = max(work.sum_sq[k] - n * delta * delta, 0.0)
        work.sum_sq[k] = about_ybar + n * (work.mu[k] - ybar) ** 2


@njit(inline="always", error_model="numpy")
def draw_sigmas(work: Work, prior: Prior, rng: np.random.Generator) -> None:
    """Draw sigma_k^2 | mu_k, z ~ InverseGamma(a + n_k / 2, b + sum_sq / 2).

    Parameters
    ----------
    work : Work
        The chain's state; overwritten.
    prior : Prior
    rng : numpy.random.Generator
    """
    if prior.sds.size > 0:
        for k in range(work.sigma.size):
            work.sigma[k] = prior.sds[k]
        return
    if prior.shared_sd:
        log_scale = np.log(prior.var_scale[0] + 0.5 * work.sum_sq.sum())
        log_g = _log_gamma_draw(prior.var_shape[0] + 0.5 * work.n_k.sum(), rng)
        for k in range(work.sigma.size):
            work.sigma[k] = np.exp(0.5 * (log_scale - log_g))
        return
    for k in range(work.sigma.size):
        log_scale = np.log(prior.var_scale[k] + 0.5 * work.sum_sq[k])
        log_g = _log_gamma_draw(prior.var_shape[k] + 0.5 * work.n_k[k], rng)
        work.sigma[k] = np.exp(0.5 * (log_scale - log_g))


@njit(error_model="numpy")
def _draw_conjugate(work: Work, prior: Prior, rng: np.random.Generator) -> None:
    """Draw sigma_k | z and then mu_k | sigma_k, z under conjugate priors; see `gibbs.families`."""
    for k in range(work.mu.size):
        n, count = work.n_k[k], prior.mean_count[k]
        delta = work.sum_d[k] / n if n > 0.0 else 0.0
        pull = work.centre[k] + delta - prior.mean_loc[k] if n > 0.0 else 0.0
        # About ybar first: a sum of squares, so what rounding leaves below zero is zero.
        about_ybar = max(work.sum_sq[k] - n * delta * delta, 0.0)
        share = n / (n + count)
        log_scale = np.log(prior.var_scale[k] + 0.5 * (about_ybar + count * share * pull**2))
        log_g = _log_gamma_draw(prior.var_shape[k] + 0.5 * n, rng)
        work.sigma[k] = np.exp(0.5 * (log_scale - log_g))
        work.mu[k] = prior.mean_loc[k] + share * pull
    for k in range(work.mu.size):
        count = work.n_k[k] + prior.mean_count[k]
        work.mu[k] += work.sigma[k] / np.sqrt(count) * rng.standard_normal()


@njit(inline="always", error_model="numpy")
def _draw_components(work: Work, prior: Prior, rng: np.random.Generator) -> None:
    """Draw means and sds given the sums."""
    if prior.mean_count.size > 0:
        _draw_conjugate(work, prior, rng)
    else:
        draw_means(work, prior, rng)
        draw_sigmas(work, prior, rng)


@njit(inline="always", error_model="numpy")
def _allocate_tile(u: Array, layout: Layout, t: int, work: Work) -> None:
    """Allocate the observations of tile t by its uniforms and add them to the sums."""
    v = layout.v[layout.first[t] : layout.first[t + 1]]
    joint_tile(v, work.w, work.mu, work.sigma, work.e, work.top)
    cumulate(work.e, work.top, v.size)
    _count_beyond(u, layout, t, work)
    _add_statistics(v, work)


@njit(nogil=True, cache=True, error_model="numpy")
def advance(
    u: Array,
    layout: Layout,
    tile: int,
    n_tiles: int,
    work: Work,
    prior: Prior,
    rng: np.random.Generator,
    draw: int,
    out: Recorder,
) -> int:
    """Work through tiles, finishing a sweep at each last one; return the index of the next draw.

    Parameters
    ----------
    u : ndarray
        Uniforms on [0, 1), one for each observation of these tiles, in the order of `Layout`.
    layout : Layout
    tile : int
        The first tile to work through.
    n_tiles : int
        How many, over the end of a sweep if need be.
    work : Work
        The chain's state, in the units of the layout; overwritten.
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
    at = 0
    for _ in range(n_tiles):
        if tile == 0:
            _start_sums(layout, work)
        _allocate_tile(u[at:], layout, tile, work)
        if draw >= 0 and out.allocations.size > 0:
            a, b = layout.first[tile], layout.first[tile + 1]
            _add_allocations(work.beyond, out.allocations[:, a:b])
        at += layout.first_u[tile + 1] - layout.first_u[tile]
        tile += 1
        if tile == layout.heavy.size:
            tile = 0
            draw_weights(work, prior, rng)
            _draw_components(work, prior, rng)
            if draw >= 0:
                out.w[draw] = work.w
                out.mu[draw] = work.mu
                out.sigma[draw] = work.sigma
                out.n_k[draw] = work.n_k
            draw += 1
    return draw


@njit(nogil=True, cache=True, error_model="numpy")
def allocate(u: Array, layout: Layout, tile: int, n_tiles: int, work: Work) -> None:
    """Do the data's part of a sweep for some tiles; the sums start anew at tile 0.

    Parameters
    ----------
    u : ndarray
        Uniforms on [0, 1), one for each observation of these tiles, in the order of `Layout`.
    layout : Layout
    tile : int
        The first tile to work through.
    n_tiles : int
        How many; not beyond the last.
    work : Work
        The parameters, in the units of the layout; its sums and scratch space are overwritten.
    """
    at = 0
    for t in range(tile, tile + n_tiles):
        if t == 0:
            _start_sums(layout, work)
        _allocate_tile(u[at:], layout, t, work)
        at += layout.first_u[t + 1] - layout.first_u[t]


@njit(nogil=True, cache=True, error_model="numpy")
def draw_parameters(work: Work, prior: Prior, rng: np.random.Generator) -> None:
    """Do the rest of a sweep: draw weights, means and sds given the sums of all observations.

    Parameters
    ----------
    work : Work
        With the sums of all observations; its parameters are overwritten.
    prior : Prior
        In the units of ``work``.
    rng : numpy.random.Generator
    """
    draw_weights(work, prior, rng)
    _draw_components(work, prior, rng)


def workspace(start: Params, width: int) -> Work:
    """Return a chain's state at its start, with scratch space for tiles of so many entries."""
    K = start.K
    state = [np.array(a, dtype=float) for a in start]
    sums = [np.zeros(K) for _ in range(4)]
    scratch = [np.empty((K, width)), np.empty(width), np.empty((K + 1, width))]
    return Work(*state, *sums, *scratch)


def prior_arrays(priors: Priors, K: int) -> Prior:
    """Return the priors as arrays of shape (K,), and (0,) for what they do not have."""
    full = priors.expanded(K)

    def array(name: str) -> Array:
        value = getattr(full, name, None)
        return np.empty(0) if value is None else np.array(value, dtype=float)

    arrays = {name: array(name) for name in Prior._fields if name != "shared_sd"}
    return Prior(**arrays, shared_sd=bool(getattr(full, "shared_sd", False)))

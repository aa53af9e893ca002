"""The fast Gibbs sampler: the sweep of `gibbs_plain`, compiled, over distinct values.

Four things make it fast, and none changes a draw:

- exponentials are taken once per distinct value, not once per observation;
- the loops have no branch that depends on the data, so they are vectorised: an observation's
  allocation is the number of cumulated probabilities its uniform exceeds, and only *how many*
  observations of a value exceed each is needed;
- uniforms are drawn in blocks by NumPy;
- nothing is allocated inside a sweep, and a chain holds no lock, so chains run on threads.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gmmcompare.card import GibbsSettings
from gmmcompare.engines.base import (
    Draws,
    Problem,
    Progress,
    Seconds,
    Streams,
    chain_streams,
    out_of_unit,
)
from gmmcompare.engines.layout import HEAVY, Layout, build_layout
from gmmcompare.engines.starts import start_point
from gmmcompare.kernels import VECTORISED, joint_tile
from gmmcompare.mixture import responsibilities
from gmmcompare.params import Array, Params
from gmmcompare.priors import Priors
from gmmcompare.sample import Sample, Standardisation

BLOCK = 65_536
"""Uniforms drawn at a time, 512 KiB: enough to hide NumPy's call, small enough for the cache."""
MAX_SUMS = 3_000_000
"""Beyond so many numbers (24 MB a chain) sums of allocations are not kept."""


class _Prior(NamedTuple):
    """The priors as plain arrays of shape (K,), which compiled code can take."""

    weight_concentration: Array
    mean_loc: Array
    mean_sd: Array
    var_shape: Array
    var_scale: Array


class _Work(NamedTuple):
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


def sweep(
    w: Array, mu: Array, sigma: Array, y: Array, priors: Priors, rng: np.random.Generator
) -> Params:
    """Make one sweep; the same kernel as `gibbs_plain.sweep`, with the same arguments.

    Its draws equal those of the plain one when y is given in the order of `Layout.observations`.
    """
    sample = Sample.of(y)
    layout = build_layout(sample)
    work = _workspace(layout, Params(w, mu, sigma))
    uniforms = rng.random(sample.n)
    out = _Recorder.of(1, w.size, layout.v.size)
    _advance(uniforms, layout, 0, layout.n_tiles, work, _prior(priors, w.size), rng, 0, out)
    return Params(work.w, work.mu, work.sigma)


class _Recorder(NamedTuple):
    """What a chain keeps: draws (n, K) and sums of allocations over them.

    The sums have shape (K, E), or (K, 0) where they would take more than `MAX_SUMS` numbers.
    """

    w: Array
    mu: Array
    sigma: Array
    n_k: Array
    allocations: NDArray[np.float64]

    @classmethod
    def of(cls, n_draws: int, K: int, n_entries: int) -> _Recorder:
        w, mu, sigma, n_k = (np.empty((n_draws, K)) for _ in range(4))
        sums = np.zeros((K, n_entries if K * n_entries <= MAX_SUMS else 0))
        return cls(w, mu, sigma, n_k, sums)


@njit(inline="always", error_model="numpy")
def _count_beyond(u: Array, layout: Layout, t: int, work: _Work) -> None:
    """Count, for every entry of tile t and every k, the observations allocated to k or later.

    All are allocated to component 0 or later and none to K or later; in between, those whose
    uniform exceeds the cumulated probability of the components before k. Slices rather than sums of
    indices: Numba would test those for being negative at every step.
    """
    K = work.n_k.size
    split, first = layout.heavy[t], layout.first[t]
    n = layout.first[t + 1] - first
    work.beyond[0, :n] = layout.c[first : first + n]
    work.beyond[K, :n] = 0.0
    for k in range(1, K):
        at = 0
        for d in range(split):
            size = int(layout.c[first + d])
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
def _cumulate(e: Array, inverse: Array, n: int) -> None:
    """Turn weights of components into thresholds: e[k] becomes P(z <= k), for k < K - 1."""
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
def _start_sums(layout: Layout, work: _Work) -> None:
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
def _add_statistics(v: Array, work: _Work) -> None:
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
def _draw_weights(work: _Work, prior: _Prior, rng: np.random.Generator) -> None:
    """Draw w | z ~ Dirichlet(c + n_k)."""
    K = work.w.size
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
def _draw_means(work: _Work, prior: _Prior, rng: np.random.Generator) -> None:
    """Draw mu_k | sigma_k, z ~ Normal; sum_sq moves from the centre to the new mean."""
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
def _draw_sigmas(work: _Work, prior: _Prior, rng: np.random.Generator) -> None:
    """Draw sigma_k^2 | mu_k, z ~ InverseGamma(a + n_k / 2, b + sum_sq / 2)."""
    for k in range(work.sigma.size):
        log_scale = np.log(prior.var_scale[k] + 0.5 * work.sum_sq[k])
        log_g = _log_gamma_draw(prior.var_shape[k] + 0.5 * work.n_k[k], rng)
        work.sigma[k] = np.exp(0.5 * (log_scale - log_g))


@njit(nogil=True, cache=True, error_model="numpy")
def _advance(
    u: Array,
    layout: Layout,
    tile: int,
    n_tiles: int,
    work: _Work,
    prior: _Prior,
    rng: np.random.Generator,
    draw: int,
    out: _Recorder,
) -> int:
    """Work through tiles, finishing a sweep at each last one; return the index of the next draw.

    ``u`` holds the uniforms of these tiles; ``draw`` is negative during warmup.
    """
    at = 0
    for _ in range(n_tiles):
        a, b = layout.first[tile], layout.first[tile + 1]
        v = layout.v[a:b]
        if tile == 0:
            _start_sums(layout, work)
        joint_tile(v, work.w, work.mu, work.sigma, work.e, work.top)
        _cumulate(work.e, work.top, v.size)
        _count_beyond(u[at:], layout, tile, work)
        _add_statistics(v, work)
        if draw >= 0 and out.allocations.size > 0:
            _add_allocations(work.beyond, out.allocations[:, a:b])
        at += layout.first_u[tile + 1] - layout.first_u[tile]
        tile += 1
        if tile == layout.heavy.size:
            tile = 0
            _draw_weights(work, prior, rng)
            _draw_means(work, prior, rng)
            _draw_sigmas(work, prior, rng)
            if draw >= 0:
                out.w[draw] = work.w
                out.mu[draw] = work.mu
                out.sigma[draw] = work.sigma
                out.n_k[draw] = work.n_k
            draw += 1
    return draw


def _workspace(layout: Layout, start: Params) -> _Work:
    K = start.K
    width = int(np.diff(layout.first).max())
    state = [np.array(a, dtype=float) for a in start]
    sums = [np.zeros(K) for _ in range(4)]
    scratch = [np.empty((K, width)), np.empty(width), np.empty((K + 1, width))]
    return _Work(*state, *sums, *scratch)


def _prior(priors: Priors, K: int) -> _Prior:
    full = priors.expanded(K)
    return _Prior(*(np.array(getattr(full, name), dtype=float) for name in _Prior._fields))


class GibbsEngine:
    """The fast Gibbs sampler as an engine; chains run on threads."""

    name = "gibbs"

    def __init__(self, settings: GibbsSettings) -> None:
        self._settings = settings

    @property
    def settings(self) -> Mapping[str, Any]:
        """Settings of the card."""
        return self._settings.model_dump()

    def run(self, problem: Problem, seed: int, progress: Progress) -> Draws:
        """Run all chains; the draws do not depend on the number of threads."""
        started = time.perf_counter()
        settings = self._settings
        unit_problem, unit = problem.standardised()
        layout = build_layout(unit_problem.sample)
        prior = _prior(unit_problem.priors, problem.K)
        streams = chain_streams(seed, settings.chains)
        starts = [
            start_point(settings.start, unit_problem, s.parameters, unit.scale) for s in streams
        ]
        _compile(layout, prior, starts[0])
        compiled = time.perf_counter()
        stop, done = threading.Event(), _Progress(settings, progress)
        with ThreadPoolExecutor(min(settings.chains, os.cpu_count() or 1)) as pool:
            try:
                running = [
                    pool.submit(_run_chain, layout, prior, start, own, settings, stop, done)
                    for start, own in zip(starts, streams, strict=True)
                ]
                chains = [chain.result() for chain in running]
            finally:
                stop.set()  # on Ctrl-C the chains end at their next block
        seconds = Seconds(compiled - started, time.perf_counter() - compiled)
        return _collected(chains, layout, unit_problem.sample, unit, seconds)


class _Progress:
    """Adds up the sweeps of all chains and reports the fraction done."""

    def __init__(self, settings: GibbsSettings, report: Progress) -> None:
        self._total = settings.chains * (settings.warmup + settings.draws)
        self._done, self._lock, self._report = 0.0, threading.Lock(), report

    def add(self, sweeps: float) -> None:
        """Count sweeps, whole or in part."""
        with self._lock:
            self._done += sweeps
            fraction = self._done / self._total
        self._report(min(fraction, 1.0))


class _Kept:
    """Keeps the allocations of every m-th draw, in the order of the sorted observations."""

    def __init__(self, layout: Layout, settings: GibbsSettings) -> None:
        self.every = settings.keep_allocations
        kept = -(-settings.draws // self.every) if self.every else 0
        n = int(layout.first_u[-1]) if kept else 0
        self.z = np.empty((kept, n), dtype=np.int8)
        if kept:
            self._first_u = layout.first_u
            self._y = layout.observations()
            # Observations of one value are interchangeable, so any order among them will do.
            self._rank = np.argsort(np.argsort(self._y, kind="stable"), kind="stable")

    def keep(self, draw: int, tile: int, used: int, work: _Work, u: Array) -> None:
        """Allocate the observations of these uniforms as the compiled sweep is about to do."""
        if draw < 0 or draw % self.every:
            return
        at = slice(self._first_u[tile], self._first_u[tile] + used)
        r = responsibilities(self._y[at], Params(work.w, work.mu, work.sigma))
        z = (u[:used, None] > np.cumsum(r, axis=1)[:, :-1]).sum(axis=1)
        self.z[draw // self.every, self._rank[at]] = z


class _Chain(NamedTuple):
    recorded: _Recorder
    kept: NDArray[np.int8]


def _run_chain(
    layout: Layout,
    prior: _Prior,
    start: Params,
    streams: Streams,
    settings: GibbsSettings,
    stop: threading.Event,
    progress: _Progress,
) -> _Chain:
    """Run one chain, a block of uniforms at a time: several sweeps, or a few tiles of one."""
    work = _workspace(layout, start)
    out = _Recorder.of(settings.draws, start.K, layout.v.size)
    kept = _Kept(layout, settings)
    sizes = np.diff(layout.first_u)
    tiles_at_once = max(1, BLOCK // int(sizes.max()))
    uniforms = np.empty(tiles_at_once * int(sizes.max()))
    tile, draw = 0, -settings.warmup
    while draw < settings.draws and not stop.is_set():
        left = (settings.draws - draw) * layout.n_tiles - tile
        # A block ends with the sweep where allocations are kept: they need the sweep's parameters.
        n = min(tiles_at_once, layout.n_tiles - tile if kept.every else left)
        used = int(sizes[(tile + np.arange(n)) % layout.n_tiles].sum())
        streams.allocations.random(out=uniforms[:used])
        if kept.every:
            kept.keep(draw, tile, used, work, uniforms)
        draw = _advance(
            uniforms[:used], layout, tile, n, work, prior, streams.parameters, draw, out
        )
        tile = (tile + n) % layout.n_tiles
        progress.add(n / layout.n_tiles)
    return _Chain(out, kept.z)


def _compile(layout: Layout, prior: _Prior, start: Params) -> None:
    """Load or build the compiled sweep before the clock of sampling starts."""
    out = _Recorder.of(1, start.K, layout.v.size)
    rng = np.random.Generator(np.random.SFC64(0))
    _advance(np.empty(0), layout, 0, 0, _workspace(layout, start), prior, rng, 0, out)


def _collected(
    chains: list[_Chain], layout: Layout, sample: Sample, unit: Standardisation, seconds: Seconds
) -> Draws:
    """Stack the chains; allocation sums become probabilities per distinct value."""
    stacked = [np.stack([getattr(c.recorded, f) for c in chains]) for f in _Recorder._fields[:4]]
    K, n_draws = stacked[0].shape[2], stacked[0].shape[1]
    extra: dict[str, NDArray[Any]] = {}
    if chains[0].recorded.allocations.size:
        sums = np.zeros((len(chains), K, sample.n_distinct))
        for c, chain in enumerate(chains):
            for k in range(K):
                np.add.at(sums[c, k], layout.entry_of, chain.recorded.allocations[k])
        probabilities = sums / sample.counts / n_draws  # counts * draws may overflow
        extra["allocation_probability"] = np.moveaxis(probabilities, 1, 2)
        extra["modal_allocation"] = probabilities.argmax(axis=1).astype(np.int8)
    if chains[0].kept.size:
        extra["allocations"] = np.stack([c.kept for c in chains])
    params = out_of_unit(Params(*stacked[:3]), unit)
    return Draws(params, seconds, {"n_k": stacked[3]}, extra)

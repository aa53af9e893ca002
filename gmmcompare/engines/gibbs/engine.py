"""The fast Gibbs sampler: the sweep of `gibbs.plain`, compiled, over distinct values.

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
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gmmcompare.engines.base import (
    Configured,
    Draws,
    Problem,
    Seconds,
    Step,
    Streams,
    chain_streams,
    into_unit,
    out_of_unit,
)
from gmmcompare.engines.gibbs.compiled import (
    Prior,
    Recorder,
    Work,
    advance,
    prior_arrays,
    workspace,
)
from gmmcompare.engines.gibbs.measured_chain import load_measured, run_measured_chain
from gmmcompare.engines.gibbs.plain import allocated
from gmmcompare.engines.layout import Layout, build_layout
from gmmcompare.engines.starts import start_point
from gmmcompare.model.card import GibbsSettings
from gmmcompare.model.mixture import responsibilities
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample, Standardisation

BLOCK = 65_536
"""Uniforms drawn at a time, 512 KiB: enough to hide NumPy's call, small enough for the cache."""


def sweep(
    w: Array, mu: Array, sigma: Array, y: Array, priors: Priors, rng: np.random.Generator
) -> Params:
    """Make one sweep; the same kernel as `gibbs.plain.sweep`, with the same arguments.

    Its draws equal those of the plain one when y is given in the order of `Layout.observations`.

    Parameters
    ----------
    w, mu, sigma : ndarray, shape (K,)
        Where the chain stands.
    y : ndarray, shape (N,)
    priors : Priors
    rng : numpy.random.Generator

    Returns
    -------
    Params
        The new (w, mu, sigma), each of shape (K,).

    Raises
    ------
    InputError
        If y is empty or has values that are not finite.
    """
    layout = _layout_of(np.asarray(y, dtype=float).tobytes())
    work = workspace(Params(w, mu, sigma), layout.width)
    uniforms = rng.random(y.size)
    out = Recorder.of(1, w.size, layout.v.size)
    advance(uniforms, layout, 0, layout.n_tiles, work, prior_arrays(priors, w.size), rng, 0, out)
    return Params(work.w, work.mu, work.sigma)


@lru_cache(maxsize=1)
def _layout_of(y: bytes) -> Layout:
    """Return the layout of data, most often those of the call before: to sort them takes long."""
    return build_layout(Sample.of(np.frombuffer(y)))


class GibbsEngine(Configured[GibbsSettings]):
    """The fast Gibbs sampler as an engine; chains run on threads."""

    name = "gibbs"

    def run(
        self,
        problem: Problem,
        seed: int,
        progress: Step,
        given: Sequence[Params] | None = None,
    ) -> Draws:
        """Run all chains; the draws do not depend on the number of threads.

        Parameters
        ----------
        problem : Problem
            Its ``starts`` play no part.
        seed : int
        progress : callable
            Called with the fraction of sweeps done, from the chains' threads.
        given : sequence of Params, optional
            Where each chain starts, in the units of the data, instead of where the settings say.

        Returns
        -------
        Draws
            ``stats`` has the counts ``n_k``; ``extra`` the allocation probabilities of the distinct
            values unless they take too much room, and allocations where the settings keep them.
        """
        started = time.perf_counter()
        settings = self._settings
        unit_problem, unit = problem.standardised()
        sample = unit_problem.sample
        layout = build_layout(sample) if sample.errors is None else None
        prior = prior_arrays(unit_problem.priors, problem.K)
        streams = chain_streams(seed, settings.chains)
        starts = [into_unit(start, unit) for start in given or ()] or [
            start_point(settings.start, unit_problem, s.parameters, unit.scale) for s in streams
        ]
        if layout is None:
            load_measured(sample, prior, starts[0])
        else:
            _compile(layout, prior, starts[0])
        compiled = time.perf_counter()
        stop, done = threading.Event(), _Progress(settings, progress)
        with ThreadPoolExecutor(min(settings.chains, os.cpu_count() or 1)) as pool:
            try:
                running = [
                    pool.submit(_run_any, sample, layout, prior, start, own, settings, stop, done)
                    for start, own in zip(starts, streams, strict=True)
                ]
                chains = [chain.result() for chain in running]
            finally:
                stop.set()  # on Ctrl-C the chains end at their next block
        seconds = Seconds(compiled - started, time.perf_counter() - compiled)
        found = _collected(chains, layout, sample, unit, seconds)
        return replace(found, params=problem.priors.kept(found.params))


class _Progress:
    """Adds up the sweeps of all chains and reports the fraction done."""

    def __init__(self, settings: GibbsSettings, report: Step) -> None:
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

    def keep(self, draw: int, tile: int, used: int, work: Work, u: Array) -> None:
        """Allocate the observations of these uniforms as the compiled sweep is about to do."""
        if draw < 0 or draw % self.every:
            return
        at = slice(self._first_u[tile], self._first_u[tile] + used)
        r = responsibilities(self._y[at], Params(work.w, work.mu, work.sigma))
        self.z[draw // self.every, self._rank[at]] = allocated(r, u[:used])


class _Chain(NamedTuple):
    recorded: Recorder
    kept: NDArray[np.int8]


def _run_any(
    sample: Sample,
    layout: Layout | None,
    prior: Prior,
    start: Params,
    streams: Streams,
    settings: GibbsSettings,
    stop: threading.Event,
    progress: _Progress,
) -> _Chain:
    """Run one chain over a layout, or, where there is none, over values with errors."""
    if layout is not None:
        return _run_chain(layout, prior, start, streams, settings, stop, progress)
    return _Chain(*run_measured_chain(sample, prior, start, streams, settings, stop, progress.add))


def _run_chain(
    layout: Layout,
    prior: Prior,
    start: Params,
    streams: Streams,
    settings: GibbsSettings,
    stop: threading.Event,
    progress: _Progress,
) -> _Chain:
    """Run one chain, a block of uniforms at a time: several sweeps, or a few tiles of one."""
    work = workspace(start, layout.width)
    out = Recorder.of(settings.draws, start.K, layout.v.size)
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
        draw = advance(uniforms[:used], layout, tile, n, work, prior, streams.parameters, draw, out)
        tile = (tile + n) % layout.n_tiles
        progress.add(n / layout.n_tiles)
    return _Chain(out, kept.z)


def _compile(layout: Layout, prior: Prior, start: Params) -> None:
    """Load or build the compiled sweep before the clock of sampling starts."""
    out = Recorder.of(1, start.K, layout.v.size)
    rng = np.random.Generator(np.random.SFC64(0))
    advance(np.empty(0), layout, 0, 0, workspace(start, layout.width), prior, rng, 0, out)


def _collected(
    chains: list[_Chain],
    layout: Layout | None,
    sample: Sample,
    unit: Standardisation,
    seconds: Seconds,
) -> Draws:
    """Stack the chains; allocation sums become probabilities per distinct value."""
    stacked = [np.stack([getattr(c.recorded, f) for c in chains]) for f in Recorder._fields[:4]]
    K, n_draws = stacked[0].shape[2], stacked[0].shape[1]
    extra: dict[str, NDArray[Any]] = {}
    if chains[0].recorded.allocations.size:
        sums = np.zeros((len(chains), K, sample.n_distinct))
        entry_of = np.arange(sample.n_distinct) if layout is None else layout.entry_of
        for c, chain in enumerate(chains):
            for k in range(K):
                np.add.at(sums[c, k], entry_of, chain.recorded.allocations[k])
        probabilities = sums / sample.counts / n_draws  # counts * draws may overflow
        extra["allocation_probability"] = np.moveaxis(probabilities, 1, 2)
        extra["modal_allocation"] = probabilities.argmax(axis=1).astype(np.int8)
    if chains[0].kept.size:
        extra["allocations"] = np.stack([c.kept for c in chains])
    params = out_of_unit(Params(*stacked[:3]), unit)
    return Draws(params, seconds, {"n_k": stacked[3]}, extra)

"""The fast Gibbs sampler over data in partitions, here or on Dask workers.

A sweep needs from each partition, for each component, how many of its observations were allocated
there, and the sums of their distances from a centre and of the squares. So only parameters travel
out and 3 K numbers back; they are added in the order of the partitions, and the parameters are
drawn here. Every partition has a random stream of its own in every sweep of every chain, made of
just these numbers: the draws depend on the seed and on how the data are cut, and on nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from gmmcompare.data.partitions.grid import PartitionedSample
from gmmcompare.data.partitions.pieces import sum_in_order
from gmmcompare.engines.base import Draws, Problem, Seconds, Step, out_of_unit
from gmmcompare.engines.checkpoint import Checkpoint
from gmmcompare.engines.gibbs.compiled import (
    Prior,
    Work,
    allocate,
    draw_parameters,
    prior_arrays,
    workspace,
)
from gmmcompare.engines.layout import Layout
from gmmcompare.engines.starts import start_point
from gmmcompare.model.card import GibbsSettings
from gmmcompare.model.params import Array, Params
from gmmcompare.runtime.errors import InputError

BLOCK = 65_536
"""Uniforms drawn at a time, as for data in one piece."""
_PARAMETERS = 0


def stream(seed: int, chain: int, sweep: int, partition: int | None) -> np.random.Generator:
    """Return the random stream of one partition in one sweep of one chain.

    Parameters
    ----------
    seed : int
    chain, sweep : int
        From 0; warmup counts.
    partition : int or None
        None for the stream of the parameters.

    Returns
    -------
    numpy.random.Generator
    """
    last = _PARAMETERS if partition is None else partition + 1
    key = np.random.SeedSequence(seed, spawn_key=(chain, sweep, last))
    return np.random.Generator(np.random.SFC64(key))


def allocation_sums(layout: Layout, index: int, seed: int, sweep: int, params: Params) -> Array:
    """Allocate a partition's observations in every chain.

    Parameters
    ----------
    layout : Layout
    index : int
        Of the partition.
    seed, sweep : int
    params : Params
        Arrays of shape (chains, K).

    Returns
    -------
    ndarray, shape (chains, 3, K)
        Counts, and sums of y - centre_k and of its square.
    """
    return np.stack(
        [
            _sums_of_chain(layout, stream(seed, chain, sweep, index), Params(*point))
            for chain, point in enumerate(zip(*params, strict=True))
        ]
    )


def _sums_of_chain(layout: Layout, rng: np.random.Generator, at: Params) -> Array:
    work = workspace(at, layout.width)
    sizes = np.diff(layout.first_u)
    tiles_at_once = max(1, BLOCK // int(sizes.max()))
    uniforms = np.empty(min(tiles_at_once, sizes.size) * int(sizes.max()))
    for tile in range(0, sizes.size, tiles_at_once):
        n = min(tiles_at_once, sizes.size - tile)
        used = uniforms[: sizes[tile : tile + n].sum()]
        rng.random(out=used)
        allocate(used, layout, tile, n, work)
    return np.stack([work.n_k, work.sum_d, work.sum_sq])


class _Run(NamedTuple):
    """All there is to a run in progress, as a checkpoint keeps it; arrays lead with the chain.

    ``w``, ``mu`` and ``sigma`` (chains, draws, K) and ``n_k`` are recorded draws in the units of
    the partitions; ``now`` (chains, 3, K) the present parameters; ``clock`` (2,) the number of
    sweeps done and the seconds they took.
    """

    w: Array
    mu: Array
    sigma: Array
    n_k: Array
    now: Array
    clock: Array


class PartitionedGibbsEngine:
    """The fast Gibbs sampler over partitions as an engine; see the module."""

    name = "gibbs"

    def __init__(self, settings: GibbsSettings, checkpoint: Checkpoint | None = None) -> None:
        self._settings, self._checkpoint = settings, checkpoint

    @property
    def settings(self) -> Mapping[str, Any]:
        """Settings of the card."""
        return self._settings.model_dump()

    def resuming(self, checkpoint: Checkpoint) -> PartitionedGibbsEngine:
        """Return the engine with a file from which it goes on, and in which it keeps its state."""
        return PartitionedGibbsEngine(self._settings, checkpoint)

    def run(self, problem: Problem, seed: int, progress: Step) -> Draws:
        """Run all chains side by side, one sweep of each at a time.

        Parameters
        ----------
        problem : Problem
            Its sample is a `PartitionedSample`.
        seed : int
            The same draws wherever the partitions are.
        progress : callable
            Called with the fraction done after every sweep.

        Returns
        -------
        Draws
            ``stats`` has the counts ``n_k``.

        Raises
        ------
        InputError
            If allocations are to be kept: there are too many.
        EngineError
            If the cluster is lost.
        """
        sample, settings = problem.sample, self._settings
        assert isinstance(sample, PartitionedSample)
        if settings.keep_allocations:
            raise InputError(
                "engines.gibbs.keep_allocations: allocations of data in partitions cannot be kept; "
                "set it to 0, or give one CSV file"
            )
        started = time.perf_counter()
        checkpoint = self._checkpoint or Checkpoint.nowhere()
        kept = checkpoint.load()
        run = _Run(**kept) if kept else _begin(problem, sample, settings, seed)
        ready = time.perf_counter()
        before = run.clock[1]
        unit_problem = _sketched(problem, sample)
        prior = prior_arrays(unit_problem.priors, problem.K)
        chains = [workspace(Params(*point), 0) for point in run.now]
        total = settings.warmup + settings.draws
        for sweep in range(int(run.clock[0]), total):
            now = Params(*np.moveaxis(run.now, 1, 0).copy())
            sums = sum_in_order(sample.partitions.collect(allocation_sums, seed, sweep, now))
            for chain, work in enumerate(chains):
                _finish_sweep(
                    work, sums[chain], sample.limits, prior, stream(seed, chain, sweep, None)
                )
                run.now[chain] = work.w, work.mu, work.sigma
                if sweep >= settings.warmup:
                    at = chain, sweep - settings.warmup
                    run.w[at], run.mu[at], run.sigma[at] = work.w, work.mu, work.sigma
                    run.n_k[at] = work.n_k
            run.clock[:] = sweep + 1, before + time.perf_counter() - ready
            checkpoint.save(run._asdict())
            progress((sweep + 1) / total)
        checkpoint.discard()
        params = out_of_unit(Params(run.w, run.mu, run.sigma), sample.unit)
        note = (
            f"every sweep went over all {sample.n:,} values, in {sample.partitions.size} partitions"
        )
        seconds = Seconds(ready - started, float(run.clock[1]))
        return Draws(params, seconds, {"n_k": run.n_k}, notes=(note,))


def _begin(problem: Problem, sample: PartitionedSample, settings: GibbsSettings, seed: int) -> _Run:
    """Return a run before its first sweep; chains start from the sketch of the data."""
    start_problem = _sketched(problem, sample)
    starts = [
        start_point(
            settings.start,
            start_problem,
            np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(chain,))),
            sample.unit.scale,
        )
        for chain in range(settings.chains)
    ]
    shape = (settings.chains, settings.draws, problem.K)
    w, mu, sigma, n_k = (np.zeros(shape) for _ in range(4))
    return _Run(w, mu, sigma, n_k, np.array([np.stack(start) for start in starts]), np.zeros(2))


def _sketched(problem: Problem, sample: PartitionedSample) -> Problem:
    """Return the problem of the sketch, in the units of the partitions."""
    return replace(problem, sample=sample.summary.sketch).in_unit(sample.unit)


def _finish_sweep(
    work: Work, sums: Array, limits: tuple[float, float], prior: Prior, rng: np.random.Generator
) -> None:
    """Draw the parameters given the sums over all partitions."""
    work.n_k[:], work.sum_d[:], work.sum_sq[:] = sums
    work.centre[:] = np.clip(work.mu, *limits)  # what every partition took
    draw_parameters(work, prior, rng)

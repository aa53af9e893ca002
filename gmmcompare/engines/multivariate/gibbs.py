"""The fast Gibbs sampler for multivariate normals: the sweep of `plain`, compiled."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from gmmcompare.engines.base import (
    Configured,
    Draws,
    Problem,
    Seconds,
    Step,
    Streams,
    chain_streams,
    out_of_unit,
)
from gmmcompare.engines.multivariate.compiled import VectorPrior, advance, prior_arrays
from gmmcompare.engines.multivariate.starts import dispersed_start
from gmmcompare.model.card import GibbsSettings
from gmmcompare.model.multivariate.compiled import columns_of
from gmmcompare.model.multivariate.params import MultivariateParams
from gmmcompare.model.multivariate.priors import MultivariatePriors
from gmmcompare.model.multivariate.sample import VectorSample
from gmmcompare.model.params import Array
from gmmcompare.runtime.errors import EngineError

SWEEPS_AT_A_TIME = 500


def sweep(
    w: Array,
    mu: Array,
    cov: Array,
    y: Array,
    priors: MultivariatePriors,
    rng: np.random.Generator,
) -> MultivariateParams:
    """Make one sweep; the same kernel as `plain.sweep`, with the same arguments.

    Its draws equal those of the plain one, up to rounding, when the rows of y are sorted.

    Parameters
    ----------
    w, mu, cov : ndarray, shape (K,), (K, d) and (K, d, d)
        Where the chain stands.
    y : ndarray, shape (N, d)
    priors : MultivariatePriors
    rng : numpy.random.Generator
    """
    columns, counts = columns_of(VectorSample.of(y))
    point = [np.array(a, dtype=float) for a in (w, mu, cov)]
    kept = _room(1, point[1].shape)
    r_sum = np.zeros((point[0].size, columns.shape[1]))
    prior = prior_arrays(priors, point[0].size)
    _checked(advance(columns, counts, *point, prior, rng, rng, kept, r_sum), 1)
    return MultivariateParams(*point)


class GibbsEngine(Configured[GibbsSettings]):
    """The fast Gibbs sampler as an engine; chains run on threads."""

    name = "gibbs"

    def run(self, problem: Problem, seed: int, progress: Step) -> Draws:
        """Run all chains; the draws do not depend on the number of threads.

        Parameters
        ----------
        problem : Problem
            Its ``starts`` play no part.
        seed : int
        progress : callable
            Called with the fraction of sweeps done, from the chains' threads.

        Returns
        -------
        Draws
            ``stats`` has the counts ``n_k``.

        Raises
        ------
        EngineError
            If a covariance matrix is no longer positive definite in doubles.
        """
        started = time.perf_counter()
        settings = self._settings
        unit_problem, unit = problem.standardised()
        columns, counts = columns_of(unit_problem.sample)
        prior = prior_arrays(unit_problem.priors, problem.K)
        streams = chain_streams(seed, settings.chains)
        starts = [dispersed_start(unit_problem, s.parameters) for s in streams]
        _compile(columns, counts, starts[0], prior)
        compiled = time.perf_counter()
        stop, done = threading.Event(), _Done(settings, progress)
        with ThreadPoolExecutor(min(settings.chains, os.cpu_count() or 1)) as pool:
            try:
                running = [
                    pool.submit(
                        _run_chain, columns, counts, start, prior, own, settings, stop, done
                    )
                    for start, own in zip(starts, streams, strict=True)
                ]
                chains = [chain.result() for chain in running]
            finally:
                stop.set()  # on Ctrl-C the chains end at their next block
        w, mu, cov, n_k = (np.stack(a) for a in zip(*chains, strict=True))
        seconds = Seconds(compiled - started, time.perf_counter() - compiled)
        return Draws(out_of_unit(MultivariateParams(w, mu, cov), unit), seconds, {"n_k": n_k})


class _Done:
    """Adds up the sweeps of all chains and reports the fraction done."""

    def __init__(self, settings: GibbsSettings, report: Step) -> None:
        self._total = settings.chains * (settings.warmup + settings.draws)
        self._done, self._lock, self._report = 0, threading.Lock(), report

    def add(self, sweeps: int) -> None:
        """Count sweeps."""
        with self._lock:
            self._done += sweeps
            fraction = self._done / self._total
        self._report(min(fraction, 1.0))


def _run_chain(
    columns: Array,
    counts: Array,
    start: MultivariateParams,
    prior: VectorPrior,
    streams: Streams,
    settings: GibbsSettings,
    stop: threading.Event,
    done: _Done,
) -> tuple[Array, ...]:
    point = [np.array(a) for a in start]
    total = settings.warmup + settings.draws
    out = _room(settings.draws, start.mu.shape)
    r_sum = np.zeros((start.K, columns.shape[1]))
    i = 0
    while i < total and not stop.is_set():
        limit = settings.warmup if i < settings.warmup else total
        n = min(SWEEPS_AT_A_TIME, limit - i)
        kept = (
            _room(n, start.mu.shape) if i < settings.warmup else _part(out, i - settings.warmup, n)
        )
        of_chain = (streams.allocations, streams.parameters)
        _checked(advance(columns, counts, *point, prior, *of_chain, kept, r_sum), n)
        i += n
        done.add(n)
    return out


def _compile(columns: Array, counts: Array, start: MultivariateParams, prior: VectorPrior) -> None:
    """Load the compiled code, by a sweep that counts for nothing."""
    rng = np.random.Generator(np.random.SFC64(0))
    point = [np.array(a) for a in start]
    r_sum = np.zeros((start.K, columns.shape[1]))
    advance(columns, counts, *point, prior, rng, rng, _room(1, start.mu.shape), r_sum)


def _room(n: int, shape: tuple[int, ...]) -> tuple[Array, Array, Array, Array]:
    K, d = shape
    return np.empty((n, K)), np.empty((n, K, d)), np.empty((n, K, d, d)), np.empty((n, K))


def _part(
    out: tuple[Array, Array, Array, Array], first: int, n: int
) -> tuple[Array, Array, Array, Array]:
    w, mu, cov, n_k = (a[first : first + n] for a in out)
    return w, mu, cov, n_k


def _checked(made: int, wanted: int) -> None:
    if made < wanted:
        raise EngineError(
            "gibbs: a covariance matrix is singular in double precision; make the prior of the "
            "covariance matrices less diffuse (a larger priors.cov_df or priors.cov_scale)"
        )

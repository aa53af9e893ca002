"""A chain of the fast Gibbs sampler on values with measurement errors, and its kernel."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gmmcompare.engines.base import Streams
from gmmcompare.engines.gibbs.compiled import Prior, Recorder, prior_arrays, workspace
from gmmcompare.engines.gibbs.measured_compiled import TILE, Measured, advance_measured
from gmmcompare.model.card import GibbsSettings
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample

BLOCK = 32_768
"""Uniforms, and as many normals, drawn at a time."""


def sweep(
    w: Array,
    mu: Array,
    sigma: Array,
    y: Array,
    priors: Priors,
    rng: np.random.Generator,
    errors: Array,
) -> Params:
    """Make one sweep; the same kernel as `measured.sweep`, with the same draws.

    Parameters
    ----------
    w, mu, sigma : ndarray, shape (K,)
        Where the chain stands.
    y : ndarray, shape (N,)
    priors : Priors
    rng : numpy.random.Generator
    errors : ndarray, shape (N,)
        Sds of the measurement errors of y.

    Returns
    -------
    Params
        The new (w, mu, sigma), each of shape (K,).
    """
    u, noise = rng.random(y.size), rng.standard_normal(y.size)
    # Sums are about values within the data, which are looked for at either end.
    order = np.argsort(y, kind="stable")
    data = Measured(y[order], np.asarray(errors, dtype=float)[order], np.arange(y.size))
    work, z = workspace(Params(w, mu, sigma), min(TILE, y.size)), np.empty(y.size, dtype=np.int8)
    out, prior = Recorder.of(1, w.size, 0), prior_arrays(priors, w.size)
    advance_measured(u[order], noise[order], data, 0, y.size, z, work, prior, rng, 0, out)
    return Params(work.w, work.mu, work.sigma)


def measured_of(sample: Sample) -> Measured:
    """Return all observations of a sample with errors, in ascending order."""
    pair = np.repeat(np.arange(sample.n_distinct), sample.counts)
    return Measured(sample.y, sample.s[pair], pair)


def run_measured_chain(
    sample: Sample,
    prior: Prior,
    start: Params,
    streams: Streams,
    settings: GibbsSettings,
    stop: threading.Event,
    progress: Callable[[float], None],
) -> tuple[Recorder, NDArray[np.int8]]:
    """Run one chain; return its draws, and allocations where the settings keep them.

    Parameters
    ----------
    sample : Sample
        With errors, in standardised units.
    prior : Prior
        Likewise.
    start : Params
        Likewise.
    streams : Streams
        The chain's own.
    settings : GibbsSettings
    stop : threading.Event
        Ends the chain at its next block.
    progress : callable
        Called with the number of sweeps done since the last call, whole or in part.

    Returns
    -------
    Recorder
    ndarray of int8, shape (kept, N)
        In ascending order of the observations.
    """
    data, every = measured_of(sample), settings.keep_allocations
    N = data.y.size
    work = workspace(start, min(TILE, N))
    out = Recorder.of(settings.draws, start.K, sample.n_distinct)
    kept = np.empty((-(-settings.draws // every) if every else 0, N), dtype=np.int8)
    z = np.empty(N, dtype=np.int8)
    sweeps = 1 if every else max(1, BLOCK // N)
    size = N * sweeps if N <= BLOCK else BLOCK
    u, noise = np.empty(size), np.empty(size)
    at, draw = 0, -settings.warmup
    while draw < settings.draws and not stop.is_set():
        left = (settings.draws - draw) * N - at
        n = min(size, left, N - at if every else left)
        streams.allocations.random(out=u[:n])
        streams.true_values.standard_normal(out=noise[:n])
        before = draw
        draw = advance_measured(
            u[:n], noise[:n], data, at, n, z, work, prior, streams.parameters, draw, out
        )
        if every and draw > before >= 0 and before % every == 0:
            kept[before // every] = z
        at = (at + n) % N
        progress(n / N)
    return out, kept


def load_measured(sample: Sample, prior: Prior, start: Params) -> None:
    """Load or build the compiled sweep.

    Parameters
    ----------
    sample : Sample
    prior : Prior
    start : Params
    """
    nothing, rng = np.empty(0), np.random.Generator(np.random.SFC64(0))
    out, z = Recorder.of(1, start.K, sample.n_distinct), np.empty(0, dtype=np.int8)
    work = workspace(start, 1)
    advance_measured(nothing, nothing, measured_of(sample), 0, 0, z, work, prior, rng, 0, out)

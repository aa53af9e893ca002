"""Do one function's values have the same distribution in two engines? Nine t tests.

The statistics are bounded functions of the pooled rank, so that no moment has to exist; standard
errors come from batch means within chains, about the grand mean of the engine (Flegal and Jones
2010), so that they carry autocorrelation and differences between chains alike. Batches are as long
as the engine's slowest combination of quantities asks for (`diagnostics.slowest`), since a slow
mode may have a small share in every quantity; and a test takes no error to be smaller than the
means of whole chains show it to be.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtri, ndtri, stdtr, stdtrit

from gmmcompare.comparison.compiled import batch_sums
from gmmcompare.comparison.functionals import POOLED_QUANTILES, STATISTICS
from gmmcompare.comparison.thresholds import MIN_TESTABLE
from gmmcompare.model.params import Array

MAX_BATCHES = 10
DRAWS_PER_BATCH = 20
"""Effective draws that a batch needs, lest its neighbours be correlated with it."""
CHAINS_APART = 0.01
"""Level at which chains' means are farther apart than batches say, and have an error of their own
with few degrees of freedom."""


@dataclass(frozen=True)
class Differences:
    """Of the nine statistics' means, in units of each statistic's pooled sd; arrays (9,).

    ``p`` is two-sided and not corrected. Its ``se`` is the larger of what batches and whole chains
    show: the difference of two engines must stand out from that of an engine's own chains.
    ``limit``, the one-sided 95 % confidence limit of the difference's size, has the error of the
    batches, which is known better; agreement is for engines whose chains are known to mix.
    """

    diff: Array
    se: Array
    se_of_batches: Array
    p: Array
    limit: Array


def batches_per_chain(shape: tuple[int, ...], ess: float) -> int:
    """Return into how many batches to cut each chain of draws of shape (chains, draws).

    Ten, but fewer where an engine has few effective draws: batches that are short for the
    autocorrelation understate the error, and chains that sit in different modes are one batch each.
    """
    chains, draws = shape
    by_ess = MAX_BATCHES if np.isnan(ess) else int(ess / (chains * DRAWS_PER_BATCH))
    fewest = -(-4 // chains)  # a variance needs a few batches, whatever they are worth
    return min(draws, MAX_BATCHES, max(fewest, by_ess))


def differences(
    a: Array, b: Array, ess: tuple[float, float], slowest: tuple[float, float] | None = None
) -> Differences | None:
    """Test whether two engines' values of one function differ in distribution.

    Parameters
    ----------
    a, b : ndarray, shapes (chains_a, draws_a) and (chains_b, draws_b)
        Infinite values and ties are allowed.
    ess : pair of float
        Effective draws of each, NaN where one stands still or has too few to tell. Where either
        has fewer than `MIN_TESTABLE`, a tail may not have been seen at all: no p-value is below 1.
    slowest : pair of float, optional
        Effective draws of each engine's slowest combination of quantities, by which batches are
        cut; by default those of this function.

    Returns
    -------
    Differences or None
        None where all values are equal.
    """
    pooled = np.concatenate([a.ravel(), b.ravel()])
    if not pooled.min() < pooled.max():
        return None
    per_chain = [batches_per_chain(x.shape, e) for x, e in zip((a, b), slowest or ess, strict=True)]
    batch_a, batch_b = (_batch_of(x, n) for x, n in zip((a, b), per_chain, strict=True))
    n_a = batch_a[-1] + 1
    sums = np.zeros((len(STATISTICS), n_a + batch_b[-1] + 1))
    squares = batch_sums(
        pooled,
        np.argsort(pooled),
        np.concatenate([batch_a, batch_b + n_a]),
        _normal_scores(pooled.size),
        _cuts(pooled.size),
        sums,
    )
    variance = squares / pooled.size - (sums.sum(axis=1) / pooled.size) ** 2
    # A cut inside the topmost tie leaves an indicator that is always 1.
    unit = np.sqrt(np.where(variance > 1e-12, variance, 1.0))
    sums /= unit[:, None]
    found = _welch(
        _mean(sums[:, :n_a], batch_a, per_chain[0], ess[0]),
        _mean(sums[:, n_a:], batch_b, per_chain[1], ess[1]),
    )
    fewest = min(x.size if np.isnan(e) else e for x, e in zip((a, b), ess, strict=True))
    return replace(found, p=np.ones_like(found.p)) if fewest < MIN_TESTABLE else found


def _batch_of(x: Array, per_chain: int) -> NDArray[np.int64]:
    """Return the batch of every value in flat order; sizes within a chain differ by at most one."""
    chains, draws = x.shape
    within = np.arange(draws) * per_chain // draws
    return np.asarray((np.arange(chains)[:, None] * per_chain + within).ravel())


class _Mean(NamedTuple):
    """One engine's means, each array (9,), and what is known of their errors.

    ``by_batches`` and ``error`` are variances of the mean, with degrees of freedom ``of_batches``
    (a number) and ``freedom``; ``error`` is the larger of those by batches and by whole chains.
    """

    value: Array
    by_batches: Array
    of_batches: int
    error: Array
    freedom: Array


def _mean(sums: Array, batch: NDArray[np.int64], per_chain: int, ess: float) -> _Mean:
    """Return the means of statistics from their sums (9, batches), batches chain by chain.

    Batches that saw no draw beyond a cut, or hardly one, seem to be sure of it. But a statistic in
    units of its sd has variance 1 / ESS, and half of that is the least to be believed.
    """
    n = sums.shape[1]
    least = 0.0 if np.isnan(ess) else 0.5 / ess
    size = np.bincount(batch)
    by_batches = np.maximum(_variance_of_mean(sums / size), least)
    chains = n // per_chain
    by_chains = _variance_of_mean(
        sums.reshape(-1, chains, per_chain).sum(-1) / size.reshape(chains, per_chain).sum(-1)
    )
    freedom = np.full(len(sums), max(n - 1, 1))
    if chains > 1 and per_chain > 1:  # else there is but one of the two
        apart = by_chains > by_batches * fdtri(chains - 1, n - chains, 1.0 - CHAINS_APART)
        freedom = np.where(apart, chains - 1, freedom)
    value = sums.sum(axis=1) / batch.size
    return _Mean(value, by_batches, max(n - 1, 1), np.maximum(by_batches, by_chains), freedom)


def _variance_of_mean(means: Array) -> Array:
    """Return the variance of the mean of independent means (9, n); 0 of a single one."""
    n = means.shape[1]
    return np.asarray(means.var(axis=1, ddof=1) / n if n > 1 else np.zeros(len(means)))


def _welch(a: _Mean, b: _Mean) -> Differences:
    diff = a.value - b.value
    size = np.abs(diff)
    se, df = _pooled(a.error, b.error, a.freedom, b.freedom)
    t = np.divide(size, se, out=np.where(size > 1e-12, np.inf, 0.0), where=se > 0)
    of_batches, its_df = _pooled(a.by_batches, b.by_batches, a.of_batches, b.of_batches)
    limit = size + stdtrit(its_df, 0.95) * of_batches
    return Differences(diff, se, of_batches, 2.0 * stdtr(df, -t), limit)


def _pooled(
    var_a: Array, var_b: Array, df_a: Array | int, df_b: Array | int
) -> tuple[Array, Array]:
    """Return the standard error of a difference, and its degrees of freedom after Welch."""
    var = var_a + var_b
    spread = var_a**2 / df_a + var_b**2 / df_b
    most = np.broadcast_to(np.asarray(df_a + df_b, dtype=float), var.shape).copy()
    return np.sqrt(var), np.divide(var**2, spread, out=most, where=var > 0)


@lru_cache(maxsize=4)
def _normal_scores(n: int) -> Array:
    """Return normal scores of ranks 0, 1/2, 1, ... n - 1; halves are means of tied ranks."""
    return np.asarray(ndtri((np.arange(2 * n - 1) + 1.0) / (2 * n)))


def _cuts(n: int) -> NDArray[np.int64]:
    return np.floor(np.array(POOLED_QUANTILES) * (n - 1)).astype(np.int64)

"""Do one function's values have the same distribution in two engines? Eleven t tests.

The statistics are bounded functions of the pooled rank, so that no moment has to exist; standard
errors come from batch means within chains, about the grand mean of the engine (Flegal and Jones
2010), so that they carry autocorrelation and differences between chains alike. Batches are as long
as the engine's slowest combination of quantities asks for (`diagnostics.slowest`), since a slow
mode may have a small share in every quantity; and a test takes no error to be smaller than the
means of whole chains show it to be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtri, ndtri, stdtr, stdtrit
from scipy.stats import rankdata

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


type Places = NDArray[np.intp]


@dataclass(frozen=True)
class Differences:
    """Of statistics' means, in units of each statistic's pooled sd; one entry for each.

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
    cut = _Cut.of((a.shape, b.shape), slowest or ess)
    sums = np.zeros((len(STATISTICS), cut.batch[-1] + 1))
    squares = batch_sums(
        pooled,
        np.argsort(pooled),
        cut.batch,
        _normal_scores(pooled.size),
        _cuts(pooled.size),
        sums,
    )
    return _tested(sums, squares, cut, (np.array([ess[0]]), np.array([ess[1]])))


def dependences(
    a: Sequence[Array],
    b: Sequence[Array],
    ess: tuple[Array, Array],
    slowest: tuple[float, float],
    pairs: tuple[Places, Places] | None = None,
) -> Differences:
    """Test whether two engines' functions depend on one another alike, two by two.

    Each pair's statistic is the product of the normal scores of their pooled ranks: functions may
    have the same distributions in both engines one by one, and not together.

    Parameters
    ----------
    a, b : sequence of ndarray, shapes (chains_a, draws_a) and (chains_b, draws_b)
        At least two functions.
    ess : pair of ndarray, shape (functions,)
        Effective draws of each function in each engine.
    slowest : pair of float
        As in `differences`.
    pairs : pair of ndarray of int, optional
        Places of the first and the second function of each pair; by default all pairs.

    Returns
    -------
    Differences
        Of these pairs; by default in the order of ``itertools.combinations``.
    """
    cut = _Cut.of((a[0].shape, b[0].shape), slowest)
    pooled = (np.concatenate([x.ravel(), y.ravel()]) for x, y in zip(a, b, strict=True))
    scores = np.stack([_scores(values) for values in pooled])
    first, second = pairs or np.triu_indices(len(a), 1)
    edges = np.flatnonzero(np.diff(cut.batch, prepend=-1, append=-1))
    parts = np.split(scores, edges[1:-1], axis=1)
    sums = np.stack([_products(part, first, second) for part in parts], axis=1)
    squares = _products(scores**2, first, second)
    least = [np.fmin(e[first], e[second]) for e in ess]
    return _tested(sums, squares, cut, (least[0], least[1]))


def _products(scores: Array, first: Places, second: Places) -> Array:
    """Return the inner product of each pair of rows; of few rows all are cheaper at once."""
    if len(first) > len(scores):
        return np.asarray((scores @ scores.T)[first, second])
    return np.asarray(np.einsum("ij,ij->i", scores[first], scores[second]))


@dataclass(frozen=True)
class _Cut:
    """How two engines' chains are cut into batches.

    ``batch`` is the batch of every value, a's in flat order and then b's; each chain is cut into as
    many batches as ``per_chain`` says for its engine, and ``of_a`` batches are a's.
    """

    batch: NDArray[np.int64]
    per_chain: tuple[int, int]
    of_a: int

    @classmethod
    def of(
        cls, shapes: tuple[tuple[int, ...], tuple[int, ...]], slowest: tuple[float, float]
    ) -> _Cut:
        """Cut chains of two engines by the ESS of each one's slowest combination."""
        n_a, n_b = (batches_per_chain(s, e) for s, e in zip(shapes, slowest, strict=True))
        of_a = shapes[0][0] * n_a
        batch = [_batch_of(shapes[0], n_a), _batch_of(shapes[1], n_b) + of_a]
        return cls(np.concatenate(batch), (n_a, n_b), of_a)


def _tested(sums: Array, squares: Array, cut: _Cut, ess: tuple[Array, Array]) -> Differences:
    """Test statistics of which sums (statistics, batches) and sums of squares are given."""
    n = cut.batch.size
    variance = squares / n - (sums.sum(axis=1) / n) ** 2
    # A cut inside the topmost tie leaves an indicator that is always 1.
    sums = sums / np.sqrt(np.where(variance > 1e-12, variance, 1.0))[:, None]
    size = np.bincount(cut.batch)
    found = _welch(
        _mean(sums[:, : cut.of_a], size[: cut.of_a], cut.per_chain[0], ess[0]),
        _mean(sums[:, cut.of_a :], size[cut.of_a :], cut.per_chain[1], ess[1]),
    )
    draws = size[: cut.of_a].sum(), size[cut.of_a :].sum()
    fewest = np.fmin(*(np.where(np.isnan(e), d, e) for d, e in zip(draws, ess, strict=True)))
    return replace(found, p=np.where(fewest < MIN_TESTABLE, 1.0, found.p))


def _batch_of(shape: tuple[int, ...], per_chain: int) -> NDArray[np.int64]:
    """Return the batch of every value in flat order; sizes within a chain differ by at most one."""
    chains, draws = shape
    within = np.arange(draws) * per_chain // draws
    return np.asarray((np.arange(chains)[:, None] * per_chain + within).ravel())


class _Mean(NamedTuple):
    """One engine's means, an array each, and what is known of their errors.

    ``by_batches`` and ``error`` are variances of the mean, with degrees of freedom ``of_batches``
    (a number) and ``freedom``; ``error`` is the larger of those by batches and by whole chains.
    """

    value: Array
    by_batches: Array
    of_batches: int
    error: Array
    freedom: Array


def _mean(sums: Array, size: NDArray[np.int64], per_chain: int, ess: Array) -> _Mean:
    """Return the means of statistics from their sums (statistics, batches) and the batches' sizes.

    Batches that saw no draw beyond a cut, or hardly one, seem to be sure of it. But a statistic in
    units of its sd has variance 1 / ESS, and half of that is the least to be believed.
    """
    n = sums.shape[1]
    least = np.where(np.isnan(ess), 0.0, 0.5 / ess)
    by_batches = np.maximum(_variance_of_mean(sums / size), least)
    chains = n // per_chain
    by_chains = _variance_of_mean(
        sums.reshape(-1, chains, per_chain).sum(-1) / size.reshape(chains, per_chain).sum(-1)
    )
    freedom = np.full(len(sums), max(n - 1, 1))
    if chains > 1 and per_chain > 1:  # else there is but one of the two
        apart = by_chains > by_batches * fdtri(chains - 1, n - chains, 1.0 - CHAINS_APART)
        freedom = np.where(apart, chains - 1, freedom)
    value = sums.sum(axis=1) / size.sum()
    return _Mean(value, by_batches, max(n - 1, 1), np.maximum(by_batches, by_chains), freedom)


def _variance_of_mean(means: Array) -> Array:
    """Return the variance of the mean of independent means (statistics, n); 0 of a single one."""
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


def _scores(pooled: Array) -> Array:
    """Return the normal score of every value's rank."""
    twice_from_0 = (2.0 * (rankdata(pooled) - 1.0)).astype(np.int64)
    return _normal_scores(pooled.size)[twice_from_0]


@lru_cache(maxsize=4)
def _normal_scores(n: int) -> Array:
    """Return normal scores of ranks 0, 1/2, 1, ... n - 1; halves are means of tied ranks."""
    return np.asarray(ndtri((np.arange(2 * n - 1) + 1.0) / (2 * n)))


def _cuts(n: int) -> NDArray[np.int64]:
    return np.floor(np.array(POOLED_QUANTILES) * (n - 1)).astype(np.int64)

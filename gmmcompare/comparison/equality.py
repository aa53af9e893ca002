"""Do one function's values have the same distribution in two engines? Nine t tests.

The statistics are bounded functions of the pooled rank, so that no moment has to exist; standard
errors come from batch means within chains, about the grand mean of the engine (Flegal and Jones
2010), so that they carry autocorrelation and differences between chains alike.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtr, stdtrit

from gmmcompare.comparison.compiled import batch_sums
from gmmcompare.comparison.functionals import POOLED_QUANTILES, STATISTICS
from gmmcompare.comparison.thresholds import MIN_TESTABLE
from gmmcompare.model.params import Array

MAX_BATCHES = 10
DRAWS_PER_BATCH = 20
"""Effective draws that a batch needs, lest its neighbours be correlated with it."""


@dataclass(frozen=True)
class Differences:
    """Of the nine statistics' means, in units of each statistic's pooled sd; arrays (9,).

    ``p`` is two-sided and not corrected; ``limit`` is ``|diff| + t_.95 se``, the one-sided 95 %
    confidence limit of the difference's size.
    """

    diff: Array
    se: Array
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


def differences(a: Array, b: Array, ess: tuple[float, float]) -> Differences | None:
    """Test whether two engines' values of one function differ in distribution.

    Parameters
    ----------
    a, b : ndarray, shapes (chains_a, draws_a) and (chains_b, draws_b)
        Infinite values and ties are allowed.
    ess : pair of float
        Effective draws of each, NaN where one stands still or has too few to tell. Where either
        has fewer than `MIN_TESTABLE`, a tail may not have been seen at all: no p-value is below 1.

    Returns
    -------
    Differences or None
        None where all values are equal.
    """
    pooled = np.concatenate([a.ravel(), b.ravel()])
    if not pooled.min() < pooled.max():
        return None
    batch_a, batch_b = (
        _batch_of(x, batches_per_chain(x.shape, e)) for x, e in zip((a, b), ess, strict=True)
    )
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
    mean_a, var_a = _batch_means(sums[:, :n_a] / unit[:, None], batch_a, ess[0])
    mean_b, var_b = _batch_means(sums[:, n_a:] / unit[:, None], batch_b, ess[1])
    found = _welch(mean_a - mean_b, var_a, var_b, n_a - 1, sums.shape[1] - n_a - 1)
    fewest = min(x.size if np.isnan(e) else e for x, e in zip((a, b), ess, strict=True))
    return replace(found, p=np.ones_like(found.p)) if fewest < MIN_TESTABLE else found


def _batch_of(x: Array, per_chain: int) -> NDArray[np.int64]:
    """Return the batch of every value in flat order; sizes within a chain differ by at most one."""
    chains, draws = x.shape
    within = np.arange(draws) * per_chain // draws
    return np.asarray((np.arange(chains)[:, None] * per_chain + within).ravel())


def _batch_means(sums: Array, batch: NDArray[np.int64], ess: float) -> tuple[Array, Array]:
    """Return means and the variances of those means, each (9,), from sums (9, batches).

    Batches that saw no draw beyond a cut, or hardly one, seem to be sure of it. But a statistic in
    units of its sd has variance 1 / ESS, and half of that is the least to be believed.
    """
    n = sums.shape[1]
    means = sums / np.bincount(batch)
    variances = means.var(axis=1, ddof=1) / n if n > 1 else np.zeros(len(sums))
    least = 0.0 if np.isnan(ess) else 0.5 / ess
    return sums.sum(axis=1) / batch.size, np.maximum(variances, least)


def _welch(diff: Array, var_a: Array, var_b: Array, df_a: int, df_b: int) -> Differences:
    var = var_a + var_b
    se = np.sqrt(var)
    varies = var > 0
    spread = var_a**2 / max(df_a, 1) + var_b**2 / max(df_b, 1)
    df = np.divide(
        var**2, spread, out=np.full(diff.shape, float(max(df_a + df_b, 1))), where=varies
    )
    size = np.abs(diff)
    t = np.divide(size, se, out=np.where(size > 1e-12, np.inf, 0.0), where=varies)
    return Differences(diff, se, 2.0 * stdtr(df, -t), size + stdtrit(df, 0.95) * se)


@lru_cache(maxsize=4)
def _normal_scores(n: int) -> Array:
    """Return normal scores of ranks 0, 1/2, 1, ... n - 1; halves are means of tied ranks."""
    return np.asarray(ndtri((np.arange(2 * n - 1) + 1.0) / (2 * n)))


def _cuts(n: int) -> NDArray[np.int64]:
    return np.floor(np.array(POOLED_QUANTILES) * (n - 1)).astype(np.int64)

"""Simultaneous bands for the distribution function of ranks (Sailynoja, Burkner, Vehtari 2022).

If N ranks are uniform on 0..R-1, the number below z R is binomial for each z. Pointwise intervals
with equal tails become simultaneous by the choice of their level; the probability that all counts
stay inside is computed exactly, going through the z in order: given the count so far, the next
increment is binomial too (their algorithm 2). The same recursion gives an exact p value.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gmmcompare.model.params import Array

GRID = 50


class Bands(NamedTuple):
    """Counts between which the ECDF stays, (GRID - 1,) each, at z = 1/GRID, ..., 1 - 1/GRID."""

    z: Array
    lower: NDArray[np.int64]
    upper: NDArray[np.int64]


def counts_below(ranks: NDArray[np.int64], n_ranks: int) -> NDArray[np.int64]:
    """Return how many ranks (N,) lie below z * n_ranks at each z of the grid.

    ``n_ranks``, the number of values a rank can take, must be a multiple of `GRID`.
    """
    edges = _grid() * n_ranks
    return np.searchsorted(np.sort(ranks), np.round(edges), side="left")


def uniformity_p(ranks: NDArray[np.int64], n_ranks: int) -> float:
    """Return the probability that N uniform ranks leave narrower bands than these do."""
    from scipy.stats import binom  # half a second, which a child process does not have

    n, z = len(ranks), _grid()
    counts = counts_below(ranks, n_ranks)
    tails = np.minimum(binom.cdf(counts, n, z), binom.sf(counts - 1, n, z))
    level = 2.0 * float(tails.min())
    return max(0.0, 1.0 - _coverage(_pointwise(n, level * (1.0 + 1e-9)), n))


def simultaneous_bands(n: int, alpha: float = 0.05) -> Bands:
    """Return bands that all counts of n uniform ranks stay within with probability 1 - alpha."""
    low, high = alpha / GRID / 10.0, alpha
    for _ in range(40):
        level = np.sqrt(low * high)
        if _coverage(_pointwise(n, level), n) >= 1.0 - alpha:
            low = level
        else:
            high = level
    return _pointwise(n, low)


def _grid() -> Array:
    return np.arange(1, GRID) / GRID


def _pointwise(n: int, level: float) -> Bands:
    """Return the counts whose tails, themselves included, both hold at least level / 2."""
    from scipy.stats import binom

    z = _grid()
    counts = np.arange(n + 1)[:, None]
    inside = np.minimum(binom.cdf(counts, n, z), binom.sf(counts - 1, n, z))
    inside = inside >= 0.5 * level
    return Bands(z, inside.argmax(axis=0), n - inside[::-1].argmax(axis=0))


def _coverage(bands: Bands, n: int) -> float:
    """Return the probability that all counts of uniform ranks stay within the bands."""
    from scipy.stats import binom

    reached, prob, before = np.array([0]), np.array([1.0]), 0.0
    for z, lower, upper in zip(*bands, strict=True):
        counts = np.arange(lower, upper + 1)
        step = counts[:, None] - reached
        rate = (z - before) / (1.0 - before)
        prob = binom.pmf(step, n - reached, rate) @ prob
        reached, before = counts, z
    return float(prob.sum())

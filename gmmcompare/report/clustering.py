"""Which component each observation most probably belongs to, averaged over the posterior."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gmmcompare.compare.comparison import Comparison
from gmmcompare.mixture import responsibilities
from gmmcompare.params import Array, Params

MAX_DRAWS = 1000
MAX_POINTS = 4000
_BLOCK = 50
CERTAIN = 0.9


@dataclass(frozen=True)
class Clustering:
    """Allocation probabilities at every distinct value, shape (D, K), and what follows."""

    probability: Array
    counts: Array

    @property
    def modal(self) -> Array:
        """Most probable component (from 0) of each distinct value, shape (D,)."""
        return np.asarray(self.probability.argmax(axis=1), dtype=float)

    @property
    def sizes(self) -> Array:
        """Observations whose modal allocation is each component, shape (K,)."""
        return np.bincount(
            self.modal.astype(int), weights=self.counts, minlength=self.probability.shape[1]
        )

    @property
    def share_certain(self) -> float:
        """Share of observations whose component has probability `CERTAIN` or more."""
        certain = self.probability.max(axis=1) >= CERTAIN
        return float(self.counts[certain].sum() / self.counts.sum())


def cluster(comparison: Comparison, engine: str) -> Clustering:
    """Average responsibilities over an engine's aligned draws, thinned to about `MAX_DRAWS`.

    With very many distinct values they are computed at `MAX_POINTS` of their quantiles, and each
    value takes those of the nearest at or above it: they are a smooth function of the value.
    """
    sample = comparison.sample
    points = sample.values
    if points.size > MAX_POINTS:
        points = np.unique(sample.quantiles((np.arange(MAX_POINTS) + 1.0) / MAX_POINTS))
    flat = Params(*(a.reshape(-1, comparison.K) for a in comparison.alignments[engine].params))
    step = max(1, len(flat.w) // MAX_DRAWS)
    thinned = Params(*(a[::step] for a in flat))
    total = np.zeros((points.size, comparison.K))
    for start in range(0, len(thinned.w), _BLOCK):
        block = Params(*(a[start : start + _BLOCK] for a in thinned))
        total += responsibilities(points, block).sum(axis=0)
    at = np.searchsorted(points, sample.values)
    return Clustering((total / len(thinned.w))[at], sample.counts.astype(float))


def share_alike(a: Clustering, b: Clustering) -> float:
    """Share of observations that two engines put into the same component."""
    return float(a.counts[a.modal == b.modal].sum() / a.counts.sum())

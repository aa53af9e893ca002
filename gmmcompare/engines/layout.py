"""The order in which a fast sweep goes through the data: tiles of distinct values."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gmmcompare.model.params import Array
from gmmcompare.model.sample import Sample

TILE_ENTRIES = 4096
TILE_OBSERVATIONS = 32_768
HEAVY = 32


class Layout(NamedTuple):
    """The sample cut into tiles that fit the cache, and the order in which uniforms are used.

    An entry is a distinct value with its count; a value that occurs more often than
    `TILE_OBSERVATIONS` times makes several entries. Within a tile the entries stand by falling
    count. First come the uniforms of the heavy entries (more than `HEAVY` observations), entry by
    entry; then, for p = 1, 2, ..., one for each light entry that has at least p observations, so
    that the loop over entries is dense and needs no index.
    """

    v: Array  # (E,) values of the entries
    c: NDArray[np.int32]  # (E,) their counts; of a `compact` layout, those of tiles with ties
    entry_of: NDArray[np.int32]  # (E,) index of the distinct value
    first: NDArray[np.int64]  # (T + 1,) first entry of each tile
    first_c: NDArray[np.int64]  # (T,) where each tile's counts begin in c
    heavy: NDArray[np.int64]  # (T,) number of heavy entries of each tile
    at_least: NDArray[np.int64]  # (T, HEAVY) light entries with at least p observations
    first_u: NDArray[np.int64]  # (T + 1,) first uniform of each tile
    low: float  # the smallest value
    high: float  # the largest

    @property
    def n_tiles(self) -> int:
        """Number of tiles T."""
        return self.heavy.size

    @property
    def width(self) -> int:
        """Number of entries of the largest tile."""
        return int(np.diff(self.first).max())

    def observations(self) -> Array:
        """Return y, shape (N,), in the order in which the uniforms are used."""
        return self.v[self.observation_entries()]

    def observation_entries(self) -> NDArray[np.int64]:
        """Return the entry of each observation, in the order in which the uniforms are used."""
        parts: list[NDArray[np.int64]] = []
        for t in range(self.n_tiles):
            entries = np.arange(self.first[t], self.first[t + 1])
            split, at = self.heavy[t], self.first_c[t]
            parts.append(np.repeat(entries[:split], self.c[at : at + split]))
            parts.extend(entries[split : split + m] for m in self.at_least[t] if m)
        return np.concatenate(parts)

    def tile(self, t: int) -> tuple[Array, NDArray[np.int32]]:
        """Return the values of a tile's entries, and their counts."""
        a, b, at = self.first[t], self.first[t + 1], self.first_c[t]
        return self.v[a:b], self.c[at : at + b - a]

    def compact(self) -> Layout:
        """Return the layout with 8 bytes for a value that occurs once, rather than 16.

        All tiles without ties share one row of ones, and nothing tells which distinct value an
        entry belongs to.
        """
        starts, ends = self.first[:-1], self.first[1:]
        tied = np.array([self.c[a] > 1 for a in starts])  # counts fall within a tile
        ones = np.ones(int((ends - starts)[~tied].max(initial=0)), dtype=np.int32)
        sizes = np.where(tied, ends - starts, 0)
        first_c = np.where(tied, ones.size + np.cumsum(sizes) - sizes, 0)
        pieces = [self.c[a:b] for a, b in zip(starts[tied], ends[tied], strict=True)]
        nothing = np.empty(0, dtype=np.int32)
        return self._replace(c=np.concatenate([ones, *pieces]), first_c=first_c, entry_of=nothing)


def build_layout(sample: Sample) -> Layout:
    """Cut a sample into tiles; see `Layout`."""
    c, entry_of = _entries(sample.counts)
    first = _tile_starts(c)
    heavy = np.empty(first.size - 1, dtype=np.int64)
    at_least = np.empty((heavy.size, HEAVY), dtype=np.int64)
    as_they_were = entry_of.size == sample.n_distinct
    for t, (a, b) in enumerate(pairwise(first)):
        if c[a:b].max() > c[a:b].min():
            order = np.argsort(-c[a:b], kind="stable")
            c[a:b], entry_of[a:b] = c[a:b][order], entry_of[a:b][order]
            as_they_were = False
        heavy[t] = np.count_nonzero(c[a:b] > HEAVY)
        light = c[a + heavy[t] : b]
        # Counts fall, so those that are at least p are the first ones.
        at_least[t] = light.size - np.searchsorted(light[::-1], np.arange(1, HEAVY + 1))
    per_tile = [int(c[a:b].sum()) for a, b in pairwise(first)]
    values = sample.values if as_they_were else sample.values[entry_of]
    first_u = np.concatenate([[0], np.cumsum(per_tile)])
    low, high = float(sample.values[0]), float(sample.values[-1])
    return Layout(values, c, entry_of, first, first[:-1], heavy, at_least, first_u, low, high)


def _entries(counts: NDArray[np.integer]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return counts of the entries and their distinct values' indices; large counts are split."""
    if counts.max() <= TILE_OBSERVATIONS:
        return counts.astype(np.int32), np.arange(counts.size, dtype=np.int32)
    pieces = -(-counts // TILE_OBSERVATIONS)
    entry_of = np.repeat(np.arange(counts.size, dtype=np.int32), pieces)
    c = np.full(entry_of.size, TILE_OBSERVATIONS, dtype=np.int32)
    c[np.cumsum(pieces) - 1] = counts - (pieces - 1) * TILE_OBSERVATIONS
    return c, entry_of


def _tile_starts(c: NDArray[np.int32]) -> NDArray[np.int64]:
    """Cut greedily: at most TILE_ENTRIES entries and TILE_OBSERVATIONS observations a tile."""
    starts = [0]
    while starts[-1] < c.size:
        a = starts[-1]
        ends = np.cumsum(c[a : a + TILE_ENTRIES], dtype=np.int64)
        starts.append(a + int(np.searchsorted(ends, TILE_OBSERVATIONS, side="right")))
    return np.array(starts, dtype=np.int64)

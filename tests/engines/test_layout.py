"""The order of a fast sweep: every observation once, tiles of bounded size."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmmcompare.engines import layout
from gmmcompare.engines.layout import HEAVY, TILE_ENTRIES, TILE_OBSERVATIONS, Layout, build_layout
from gmmcompare.model.sample import Sample

CASES = {
    "one observation": [1],
    "distinct": [1] * 10_000,
    "one value": [100_000],
    "a tile exactly": [1] * TILE_ENTRIES,
    "a tile and one": [1] * (TILE_ENTRIES + 1),
    "observations of a tile exactly": [TILE_OBSERVATIONS],
    "observations of a tile and one": [TILE_OBSERVATIONS + 1],
    "heavy or just not": [HEAVY, HEAVY + 1, 1, HEAVY - 1, 2 * HEAVY],
    "mixed": [1, 70_000, 3, 3, 32, 33, 500, *[2] * 5000, 40_000, 1],
}


def check(sample: Sample, made: Layout) -> None:
    np.testing.assert_array_equal(made.v, sample.values[made.entry_of])
    # The entries of a value add up to its count, and no entry is empty.
    counts = np.bincount(made.entry_of, weights=made.c, minlength=sample.n_distinct)
    np.testing.assert_array_equal(counts, sample.counts)
    assert made.c.min() >= 1
    np.testing.assert_array_equal(np.sort(made.observations()), sample.y)
    assert (made.first[0], made.first[-1]) == (0, made.v.size)
    assert (made.first_u[0], made.first_u[-1]) == (0, sample.n)
    assert (made.low, made.high) == (sample.values[0], sample.values[-1])
    order = made.observation_entries()
    for t, (a, b) in enumerate(pairwise(made.first)):
        own = made.c[a:b]
        assert 1 <= b - a <= layout.TILE_ENTRIES
        assert own.sum() <= layout.TILE_OBSERVATIONS
        assert (np.diff(own) <= 0).all()
        assert made.heavy[t] == (own > HEAVY).sum()
        light = own[own <= HEAVY]
        np.testing.assert_array_equal(
            made.at_least[t], [(light >= p).sum() for p in range(1, HEAVY + 1)]
        )
        # A tile's uniforms are those of its own entries: entry by entry, then in passes.
        uniforms = order[made.first_u[t] : made.first_u[t + 1]]
        heavy = np.repeat(np.arange(a, a + made.heavy[t]), own[: made.heavy[t]])
        passes = [i for p in range(1, HEAVY + 1) for i in range(a, b) if p <= made.c[i] <= HEAVY]
        np.testing.assert_array_equal(uniforms, [*heavy, *passes])


@pytest.mark.parametrize("counts", CASES.values(), ids=CASES)
def test_every_observation_has_one_uniform(counts):
    sample = Sample(np.arange(len(counts)) / 8, np.array(counts))
    check(sample, build_layout(sample))


def test_so_it_is_for_any_sample_and_small_tiles(monkeypatch):
    monkeypatch.setattr(layout, "TILE_ENTRIES", 5)
    monkeypatch.setattr(layout, "TILE_OBSERVATIONS", 50)

    @given(st.lists(st.one_of(st.integers(1, 4), st.integers(1, 120)), min_size=1, max_size=40))
    def holds(counts):
        sample = Sample(np.arange(len(counts)) / 8, np.array(counts))
        check(sample, build_layout(sample))

    holds()


def test_the_sample_is_left_as_it_was():
    counts = np.array([1, 5, 2, 9])
    sample = Sample(np.arange(4.0), counts.copy())
    build_layout(sample)
    np.testing.assert_array_equal(sample.counts, counts)
    np.testing.assert_array_equal(sample.values, np.arange(4.0))


@pytest.mark.parametrize("counts", CASES.values(), ids=CASES)
def test_a_compact_layout_says_the_same_in_less(counts):
    whole = build_layout(Sample(np.arange(len(counts)) / 8, np.array(counts)))
    compact = whole.compact()
    np.testing.assert_array_equal(compact.observations(), whole.observations())
    for t, (a, b) in enumerate(pairwise(whole.first)):
        at = compact.first_c[t]
        np.testing.assert_array_equal(compact.c[at : at + b - a], whole.c[a:b])
    if max(counts) == 1:
        assert compact.c.nbytes + compact.entry_of.nbytes <= 4 * TILE_ENTRIES

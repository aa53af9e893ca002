"""Simultaneous bands of ranks: coverage, and p values that are uniform."""

from __future__ import annotations

import numpy as np
import pytest

from gmmcompare.validation.ecdf import counts_below, simultaneous_bands, uniformity_p

N, RANKS = 200, 100


def test_bands_cover_as_often_as_they_say() -> None:
    # 4000 sets of uniform ranks, 5 % outside: binomial sd 0.34 %, six of them is a 2e-9 event.
    rng = np.random.default_rng(1)
    bands = simultaneous_bands(N, alpha=0.05)
    outside = [
        ((c < bands.lower) | (c > bands.upper)).any()
        for c in (counts_below(rng.integers(0, RANKS, N), RANKS) for _ in range(4000))
    ]
    # Counts are whole numbers, so the level reached is a little below 5 %.
    assert 0.03 - 6 * 0.0034 < np.mean(outside) < 0.05 + 6 * 0.0034


@pytest.mark.slow
def test_p_values_of_uniform_ranks_are_not_too_small() -> None:
    # P(p < 0.1) <= 0.1: of 500, more than 95 has probability below 1e-9.
    rng = np.random.default_rng(2)
    p = [uniformity_p(rng.integers(0, RANKS, N), RANKS) for _ in range(500)]
    assert sum(value < 0.1 for value in p) < 95
    assert sum(value < 0.5 for value in p) > 150


def test_ranks_off_uniform_are_found() -> None:
    rng = np.random.default_rng(3)
    assert uniformity_p((RANKS * rng.random(500) ** 1.5).astype(int), RANKS) < 1e-9
    assert uniformity_p((RANKS * rng.beta(2, 2, 500)).astype(int), RANKS) < 1e-9


def test_counts_below() -> None:
    counts = counts_below(np.array([0, 1, 2, 50, 99]), RANKS)
    assert counts[0] == 2  # ranks 0 and 1 are below 0.02 * 100
    assert counts[24] == 3  # rank 50 is not below 0.5 * 100
    assert counts[-1] == 4

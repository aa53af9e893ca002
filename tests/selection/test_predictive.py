"""Predictive checks pass the right model, and fail a wrong one."""

from __future__ import annotations

import numpy as np
import pytest

import gmmcompare as gc
from gmmcompare.selection.predictive import MAX_BINS, MIN_BINS, bin_edges, predictive_check
from gmmcompare.workflows.select import SelectionOutcome

pytestmark = pytest.mark.slow


def test_the_wrong_number_of_components_is_seen(chosen: SelectionOutcome) -> None:
    """Two heaps 12 sd apart under one component: no replicate is as far off."""
    found = chosen.selection.sampled("gibbs")
    assert found[1].predictive.p == 0.0
    assert found[1].predictive.n_outside > 4
    # Under the right model p is below 1e-3 about once in a thousand selections, far less here,
    # where it was fitted to these data.
    assert found[2].predictive.p > 1e-3
    assert found[1].loo.pit_p < 1e-6 < found[2].loo.pit_p


def test_every_observation_is_in_a_bin(heaps: gc.Sample, chosen: SelectionOutcome) -> None:
    check = chosen.selection.sampled("gibbs")[2].predictive
    assert check.observed.sum() == heaps.n
    assert (check.low <= check.high).all()


@pytest.mark.parametrize(("n", "bins"), [(20, MIN_BINS), (900, 30), (10**6, MAX_BINS)])
def test_bins_grow_with_the_data(n: int, bins: int) -> None:
    y = np.random.default_rng(1).normal(size=n)
    assert len(bin_edges(gc.Sample.of(y))) == bins + 1


def test_replicates_are_those_of_the_model() -> None:
    """Data drawn from the draws themselves: 100 p values are uniform, mean within 6 sd (2e-9)."""
    rng = np.random.default_rng(2)
    shape = (1, 200, 2)
    draws = gc.Params(np.full(shape, 0.5), np.tile([-2.0, 2.0], (1, 200, 1)), np.ones(shape))
    point = gc.Params(*(a[0, 0] for a in draws))
    p = []
    for _ in range(100):
        y = rng.normal(point.mu[rng.integers(2, size=300)], 1.0)
        sample = gc.Sample.of(y)
        p.append(predictive_check(draws, sample, bin_edges(sample), rng).p)
    # Edges that follow the data make the data fit a little better than replicates.
    assert abs(np.mean(p) - 0.5) < 6 * (1 / 12 / 100) ** 0.5

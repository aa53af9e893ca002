"""The grid that stands for data in partitions: its moments, and the bound of its error."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmmcompare.data.partitions.grid import (
    add_bins,
    bin_values,
    log_density_derivatives,
    quadrature,
)
from gmmcompare.model.mixture import log_density, log_likelihood
from gmmcompare.model.params import Params
from gmmcompare.model.sample import Sample

POINT = Params.of([0.5, 0.3, 0.2], [-1.0, 0.0, 4.0], [0.5, 1.0, 0.3])


def values(n: int, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    z = rng.choice(3, n, p=POINT.w)
    return rng.normal(POINT.mu[z], POINT.sigma[z])


def on_grid(y: np.ndarray, width: float):
    sample = Sample.of(y)
    return quadrature(bin_values(sample.values, sample.counts, width), width)


@given(
    st.lists(st.integers(-400, 400), min_size=1, max_size=60),
    st.sampled_from([0.3, 1.0, 7.0, 1000.0]),
)
def test_each_bin_keeps_its_count_mean_and_variance(numbers, width):
    y = np.array(numbers) / 8
    nodes = on_grid(y, width)
    assert nodes.counts.sum() == y.size
    assert nodes.counts.min() >= 1
    # Sums over all bins, and over the nodes of each bin alone.
    for power in (1, 2):
        np.testing.assert_allclose(
            np.sum(nodes.counts * nodes.values**power), np.sum(y**power), rtol=1e-9, atol=1e-6
        )
    for i in np.unique(np.floor(y / width)):
        own = y[np.floor(y / width) == i]
        if np.unique(own).size <= 2:  # so two values, however often each, are kept as they are
            for value in own:
                assert np.abs(nodes.values - value).min() < 1e-6 * width


def test_partitions_add_up_to_the_whole():
    y = values(5000)
    whole = bin_values(np.sort(y), np.ones(5000, dtype=int), 0.1)
    parts = [bin_values(part, np.ones(part.size, dtype=int), 0.1) for part in np.split(y, 5)]
    added = add_bins(parts)
    np.testing.assert_array_equal(added.number, whole.number)
    np.testing.assert_allclose(added.moments, whole.moments, atol=1e-9)


POINTS = {
    "the truth": POINT,
    "two that overlap": Params.of([0.5, 0.5], [-0.2, 0.3], [1.0, 1.4]),
    "one far away": Params.of([0.6, 0.4], [0.0, 60.0], [2.0, 0.4]),
    "a narrow one within a wide one": Params.of([0.9, 0.1], [0.0, 0.5], [2.0, 0.2]),
    "one of no weight": Params.of([1.0, 0.0], [0.0, 0.5], [2.0, 0.2]),
    "one of no shape": Params(np.array([0.9, 0.1]), np.array([0.0, 1.0]), np.array([2.0, np.inf])),
}


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
@pytest.mark.parametrize("part", [4, 16, 64])
def test_the_log_likelihood_is_within_its_bound(point, part):
    y = values(20_000)
    width = float(point.sigma.min()) / part
    nodes = on_grid(y, width)
    exact = float(log_likelihood(Sample.of(y), point))
    found = float(log_density(nodes.values, point) @ nodes.counts)
    third, fourth = log_density_derivatives(nodes.middle, width, point)
    bound = (nodes.third @ third) / 6 + (nodes.fourth @ fourth) / 24
    assert abs(found - exact) < bound + 1e-10 * abs(exact)
    if part == 64:
        assert bound < 0.05  # and it says something


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
def test_derivatives_are_within_their_bounds(point):
    """Central differences at the middle and both ends of the interval."""
    y = np.linspace(-6, 8, 57)
    h = 0.02
    third, fourth = log_density_derivatives(y, 0.1, point)
    for shift in (-0.05, 0.0, 0.05):
        f = [log_density(y + shift + i * h, point) for i in range(-2, 3)]
        own_third = (f[4] - 2 * f[3] + 2 * f[1] - f[0]) / (2 * h**3)
        own_fourth = (f[4] - 4 * f[3] + 6 * f[2] - 4 * f[1] + f[0]) / h**4
        assert (np.abs(own_third) <= third + 1e-6).all()
        assert (np.abs(own_fourth) <= fourth + 1e-4).all()

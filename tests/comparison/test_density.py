"""Densities of the data: against `mixture`, normalised, and their distances."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from gmmcompare.comparison.density import density_grid, distance, estimate_density
from gmmcompare.model import mixture
from gmmcompare.model.params import Params
from gmmcompare.model.sample import Sample

GRID = np.linspace(-12.0, 12.0, 2001)


def test_the_grid_reaches_half_an_sd_beyond_the_data():
    sample = Sample.of([0.0, 2.0, 4.0])
    grid = density_grid(sample)
    assert grid[0] == pytest.approx(-0.5 * sample.sd)
    assert grid[-1] == pytest.approx(4.0 + 0.5 * sample.sd)
    assert np.ptp(density_grid(Sample.of([3.0, 3.0]))) == 1.0


def test_mean_and_band_are_those_of_the_draws_densities():
    rng = np.random.default_rng(1)
    draws = Params(
        rng.dirichlet([5, 5], size=(2, 50)),
        rng.normal([-2, 2], 0.3, (2, 50, 2)),
        np.exp(0.1 * rng.standard_normal((2, 50, 2))),
    )
    found = estimate_density(draws, GRID)
    curves = np.exp(mixture.log_density(GRID, Params(*(a.reshape(-1, 2) for a in draws))))
    np.testing.assert_allclose(found.mean, curves.mean(axis=0))
    np.testing.assert_allclose(found.low, np.quantile(curves, 0.05, axis=0))
    np.testing.assert_allclose(found.high, np.quantile(curves, 0.95, axis=0))
    assert np.trapezoid(found.mean, GRID) == pytest.approx(1.0, abs=1e-6)
    np.testing.assert_allclose(found.components.sum(axis=0), found.plug_in)
    middle = Params(*(a.mean(axis=(0, 1)) for a in draws))
    np.testing.assert_allclose(found.plug_in, np.exp(mixture.log_density(GRID, middle)))


def test_a_point_has_no_band():
    point = Params(*(np.array([[[x]]]) for x in (1.0, 0.0, 1.0)))
    found = estimate_density(point, GRID)
    np.testing.assert_array_equal(found.low, found.high)
    np.testing.assert_allclose(found.mean, norm.pdf(GRID))


def test_an_sd_without_a_mean_takes_its_median():
    sigma = np.ones((1, 100, 2))
    sigma[0, :10, 0] = np.inf
    draws = Params(np.full((1, 100, 2), 0.5), np.zeros((1, 100, 2)), sigma)
    found = estimate_density(draws, GRID)
    np.testing.assert_allclose(found.plug_in, norm.pdf(GRID))
    assert np.isfinite(found.mean).all()


def test_distances_of_normals():
    a, b = norm.pdf(GRID), norm.pdf(GRID, 1.0)
    found = distance(a, b, GRID)
    assert found.total_variation == pytest.approx(2 * norm.cdf(0.5) - 1, abs=1e-5)
    assert found.kl_ab == pytest.approx(0.5, abs=1e-6)
    assert found.kl_ba == pytest.approx(0.5, abs=1e-6)
    same = distance(a, a, GRID)
    assert (same.total_variation, same.kl_ab, same.kl_ba) == (0.0, 0.0, 0.0)

"""The mixture's functions against SciPy, and what relabelling and units must not change."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from gmmcompare.model import mixture
from gmmcompare.model.params import Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample

ALPHA = 1e-9  # false-alarm rate of each comparison with random draws
POINT = Params.of([0.2, 0.5, 0.3], [-1.0, 0.5, 4.0], [0.3, 1.0, 2.0])
TIED = Sample.of([0.4, -1.1, 0.4, 2.0, 0.4, -1.1])


@st.composite
def problems(draw):
    """Return a sample with ties, a point and priors, all with K components."""
    K = draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    y = draw(st.lists(st.integers(-20, 20), min_size=1, max_size=30))
    point = Params(
        rng.dirichlet(np.ones(K)), rng.normal(scale=3.0, size=K), np.exp(rng.normal(size=K))
    )
    priors = Priors(*np.exp(rng.normal(size=(5, K))))
    return Sample.of(np.array(y) / 4), point, priors


def test_density_and_distribution_function_are_sums_of_normals():
    y = np.linspace(-8, 12, 41)
    pdf = norm.pdf(y[:, None], POINT.mu, POINT.sigma)
    np.testing.assert_allclose(np.exp(mixture.log_density(y, POINT)), pdf @ POINT.w, rtol=1e-12)
    cdf = norm.cdf(y[:, None], POINT.mu, POINT.sigma)
    np.testing.assert_allclose(mixture.cdf(y, POINT), cdf @ POINT.w, rtol=1e-12)
    joint = np.log(POINT.w) + norm.logpdf(y[:, None], POINT.mu, POINT.sigma)
    np.testing.assert_allclose(mixture.log_joint(y, POINT), joint, rtol=1e-12)
    r = pdf * POINT.w / (pdf @ POINT.w)[:, None]
    np.testing.assert_allclose(mixture.responsibilities(y, POINT), r, rtol=1e-11, atol=1e-300)
    assert mixture.mean(POINT) == pytest.approx(POINT.w @ POINT.mu)


@given(problems())
def test_likelihood_over_distinct_values_is_that_over_observations(problem):
    sample, point, priors = problem
    density = norm.pdf(sample.y[:, None], point.mu, point.sigma) @ point.w
    # Below the smallest normal number a density has few digits, and its logarithm no more.
    known = (density > np.finfo(float).tiny).all()
    expected = math.fsum(np.log(density)) if known else -math.inf
    if expected > -math.inf:
        assert float(mixture.log_likelihood(sample, point)) == pytest.approx(expected, rel=1e-10)
    expected = mixture.log_likelihood(sample, point) + priors.log_density(point)
    assert mixture.log_posterior(sample, point, priors) == expected


@given(problems(), st.randoms(use_true_random=False))
def test_labels_mean_nothing(problem, random):
    sample, point, priors = problem
    order = np.array(random.sample(range(point.K), point.K))
    turned = Params(*(a[order] for a in point))
    for function in (mixture.log_density, mixture.cdf):
        np.testing.assert_allclose(
            function(sample.values, turned), function(sample.values, point), rtol=1e-12
        )
    np.testing.assert_allclose(
        mixture.responsibilities(sample.values, turned),
        mixture.responsibilities(sample.values, point)[:, order],
        rtol=1e-10,
    )
    assert float(mixture.log_posterior(sample, turned, priors.permuted(order))) == pytest.approx(
        float(mixture.log_posterior(sample, point, priors)), rel=1e-12
    )


@given(problems(), st.sampled_from([-1e3, 0.0, 0.7, 4e5]), st.sampled_from([1e-3, 3.0, 2.0**40]))
def test_units_mean_nothing_when_priors_are_transformed_alike(problem, shift, scale):
    sample, point, priors = problem
    moved = Params(point.w, (point.mu - shift) / scale, point.sigma / scale)
    there = Sample.of((sample.y - shift) / scale)
    rounding = 1e-8 * (1 + abs(shift))  # of the shifted values, in units of the smallest sd
    np.testing.assert_allclose(
        mixture.responsibilities(there.y, moved),
        mixture.responsibilities(sample.y, point),
        atol=rounding,
    )
    # Densities of N observations, K means and K variances.
    log_jacobian = (sample.n + 3 * point.K) * math.log(scale)
    assert float(
        mixture.log_posterior(there, moved, priors.transformed(shift, scale))
    ) == pytest.approx(
        float(mixture.log_posterior(sample, point, priors)) + log_jacobian, rel=rounding
    )


def test_batches_are_points_side_by_side():
    rng = np.random.default_rng(1)
    points = Params(
        rng.dirichlet(np.ones(3), (2, 4)), rng.normal(size=(2, 4, 3)), rng.random((2, 4, 3)) + 0.1
    )
    one = Params(*(a[1, 2] for a in points))
    for function, shape in (
        (mixture.log_joint, (2, 4, 4, 3)),
        (mixture.log_density, (2, 4, 4)),
        (mixture.cdf, (2, 4, 4)),
        (mixture.responsibilities, (2, 4, 4, 3)),
    ):
        y = np.array([-1.0, 0.0, 0.4, 3.0])
        assert function(y, points).shape == shape
        np.testing.assert_allclose(function(y, points)[1, 2], function(y, one), rtol=1e-13)
    assert mixture.mean(points).shape == (2, 4)
    likelihoods = mixture.log_likelihood(TIED, points)
    assert likelihoods[1, 2] == pytest.approx(float(mixture.log_likelihood(TIED, one)), rel=1e-13)


def test_impossible_components_and_far_observations():
    point = Params.of([0.0, 0.5, 0.5], [0.0, 0.0, 1.0], [1.0, np.inf, 1.0])
    r = mixture.responsibilities([0.0, 40.0, -1e5], point)
    np.testing.assert_array_equal(r, [[0, 0, 1]] * 3)
    density = mixture.log_density([1e5], Params.of([0.5, 0.5], [0.0, 0.0], [1.0, 2.0]))
    assert density[0] == pytest.approx(math.log(0.5) + norm.logpdf(1e5, 0.0, 2.0), rel=1e-12)
    assert mixture.responsibilities([1e5], POINT).sum() == 1.0


def test_simulated_data_have_the_mixture_s_distribution():
    """Dvoretzky-Kiefer-Wolfowitz and Hoeffding bounds, each at rate ALPHA."""
    n = 100_000
    y, z = mixture.simulate(POINT, n, np.random.default_rng(2))
    assert y.shape == z.shape == (n,)
    bound = math.sqrt(math.log(2 / ALPHA) / (2 * n))
    steps = np.arange(1, n + 1) / n
    assert np.abs(mixture.cdf(np.sort(y), POINT) - steps).max() < bound
    assert np.abs(np.bincount(z, minlength=3) / n - POINT.w).max() < bound
    # Observations of one component are that component's.
    for k in range(3):
        own = np.sort(y[z == k])
        steps = np.arange(1, own.size + 1) / own.size
        bound = math.sqrt(math.log(2 / ALPHA) / (2 * own.size))
        assert np.abs(norm.cdf(own, POINT.mu[k], POINT.sigma[k]) - steps).max() < bound
    again, _ = mixture.simulate(POINT, 5, np.random.default_rng(2))
    assert not np.array_equal(again, mixture.simulate(POINT, 5, np.random.default_rng(3))[0])

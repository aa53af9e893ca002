"""Priors, parameters, data and density of multivariate normals, against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import dirichlet, invwishart, kstest, multivariate_normal, norm

import gmmcompare as gc
from gmmcompare.model.multivariate import density
from gmmcompare.model.multivariate.sample import VectorSample
from gmmcompare.runtime.errors import InputError

PRIORS = gc.MultivariatePriors(
    [0.7, 2.0],
    [[0.3, 0.0], [-1.0, 0.5]],
    [[2, 0.4], [0.4, 1]],
    [5.0, 3.5],
    [[[1.5, 0.2], [0.2, 0.8]], [[0.4, -0.1], [-0.1, 0.6]]],
)


def test_log_density_is_that_of_scipy():
    for seed in range(5):
        point = PRIORS.sample(np.random.default_rng(seed), 2)
        assert point.problem() == ""
        expected = dirichlet([0.7, 2.0]).logpdf(point.w)
        for k in range(2):
            m0, V0, nu, Psi = (
                np.asarray(getattr(PRIORS.expanded(2), f))[k]
                for f in ("mean_loc", "mean_cov", "cov_df", "cov_scale")
            )
            expected += multivariate_normal(m0, V0).logpdf(point.mu[k])
            expected += invwishart(nu, Psi).logpdf(point.cov[k])
        assert PRIORS.log_density(point) == pytest.approx(expected, rel=1e-12)


def test_prior_draws_have_the_prior_distribution():
    rng = np.random.default_rng(0)
    draws = [PRIORS.sample(rng, 2) for _ in range(2000)]
    expected = invwishart(3.5, [[0.4, -0.1], [-0.1, 0.6]]).rvs(20_000, random_state=1)
    for i, j in ((0, 0), (1, 0), (1, 1)):
        own = [point.cov[1, i, j] for point in draws]
        probability = np.searchsorted(np.sort(expected[:, i, j]), own) / len(expected)
        assert kstest(probability, "uniform").pvalue > 1e-7
    assert kstest([p.mu[1, 0] for p in draws], norm(-1.0, np.sqrt(2.0)).cdf).pvalue > 1e-7


def test_density_of_a_mixture_is_that_of_scipy():
    rng = np.random.default_rng(1)
    y = rng.normal(size=(7, 2))
    points = [PRIORS.sample(rng, 2) for _ in range(3)]
    batch = gc.MultivariateParams(*(np.stack(a) for a in zip(*points, strict=True)))
    expected = [
        logsumexp(
            [np.log(p.w[k]) + multivariate_normal(p.mu[k], p.cov[k]).logpdf(y) for k in range(2)],
            axis=0,
        )
        for p in points
    ]
    np.testing.assert_allclose(density.log_density(y, batch), expected, rtol=1e-11)
    np.testing.assert_allclose(density.responsibilities(y, batch).sum(-1), 1.0)


def test_in_other_units_a_mixture_is_the_same():
    point = PRIORS.sample(np.random.default_rng(2), 2)
    shift, scale = np.array([3.0, -1.0]), np.array([2.0, 0.1])
    moved, priors = point.transformed(shift, scale), PRIORS.transformed(shift, scale)
    y = np.array([[0.5, 0.2]])
    gain = density.log_density((y - shift) / scale, moved) - density.log_density(y, point)
    assert gain[0] == pytest.approx(np.log(scale).sum())
    # d for the mean and d (d + 1) / 2 for the matrix, each once a component
    jacobian = 2 * np.log(scale).sum() + 2 * 3 * np.log(scale).sum()
    assert priors.log_density(moved) - PRIORS.log_density(point) == pytest.approx(jacobian)
    for a, b in zip(moved.restored(shift, scale), point, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_rows_that_repeat_are_counted():
    sample = VectorSample.of([[1.0, 2.0], [0.0, -0.0], [1.0, 2.0], [1.0, 0.5], [0.0, 0.0]])
    assert (sample.n, sample.n_distinct) == (5, 3)
    np.testing.assert_array_equal(sample.values, [[0, 0], [1, 0.5], [1, 2]])
    np.testing.assert_array_equal(sample.counts, [2, 1, 2])
    np.testing.assert_allclose(sample.cov, np.cov(sample.y.T, bias=True))
    np.testing.assert_allclose(sample.sd**2, np.diag(sample.cov))
    assert sample.fingerprint == VectorSample.of(sample.y[::-1]).fingerprint
    assert sample.fingerprint != VectorSample.of(sample.y.reshape(-1, 1)).fingerprint


I2 = [[1.0, 0.0], [0.0, 1.0]]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ((1.0, (0, 0), [[1, 1], [1, 1]], 4, I2), "mean_cov must be positive definite"),
        ((1.0, (0, 0), I2, 4, [[1, 0], [0, 0]]), "cov_scale must be positive definite"),
        ((1.0, (0, 0), [[1, 0.5], [0, 1]], 4, I2), "mean_cov must be symmetric"),
        ((1.0, (0, 0), I2, 1.0, I2), "cov_df must be above d - 1 = 1, found 1"),
        ((1.0, (0, 0, 0), I2, 4, I2), r"mean_loc has shape \(3,\); with 2 dimensions"),
        ((1.0, (0, 0), I2, 4, [[1.0]]), r"cov_scale has shape \(1, 1\); with 2 dimensions"),
        ((0.0, (0, 0), I2, 4, I2), "weight_concentration must be positive"),
        ((1.0, (0, np.nan), I2, 4, I2), "mean_loc must be finite"),
        ((1.0, "zero", I2, 4, I2), "mean_loc must be numbers"),
    ],
)
def test_impossible_priors_are_refused(fields, says):
    with pytest.raises(InputError, match=says):
        gc.MultivariatePriors(*fields)


def test_priors_for_another_number_of_components_are_refused():
    with pytest.raises(InputError, match="given for 2 components but the mixture has 3"):
        PRIORS.expanded(3)
    assert not PRIORS.exchangeable
    assert PRIORS.groups(2) == ((0,), (1,))
    one = gc.MultivariatePriors(1.0, 0.0, I2, 4, I2)
    assert one.exchangeable
    assert one.groups(2) == ((0, 1),)
    assert one.is_same(one.expanded(2), 2)
    assert not one.is_same(PRIORS, 2)


@pytest.mark.parametrize(
    ("w", "mu", "cov", "says"),
    [
        ([0.5, 0.5], np.zeros((2, 2)), [I2, [[1, 2], [2, 1]]], "positive definite"),
        ([0.5, 0.5], np.zeros((2, 2)), [I2, [[1, 0.5], [0, 1]]], "symmetric"),
        ([0.5, 0.6], np.zeros((2, 2)), [I2, I2], "sum to 1"),
        ([1.0], np.zeros((1, 3)), [I2], "shapes differ"),
    ],
)
def test_what_is_no_mixture_is_refused(w, mu, cov, says):
    with pytest.raises(InputError, match=says):
        gc.MultivariateParams.of(w, mu, cov)

"""Kernels for vectors: what they are tried on, how they are known, and their faults."""

from __future__ import annotations

import numpy as np
import pytest

import gmmcompare as gc
from gmmcompare.engines.multivariate import plain
from gmmcompare.model.multivariate.density import log_likelihood
from gmmcompare.model.multivariate.model import to_params, to_points
from gmmcompare.model.multivariate.sample import VectorSample
from gmmcompare.runtime.errors import InputError
from gmmcompare.validation.faults.multivariate import FAULTS, PREFIX, VectorFault
from gmmcompare.validation.vectors import MODEL, PRIORS, VectorKernel, vector_kernel


def test_the_model_has_the_densities_of_the_family():
    rng = np.random.default_rng(0)
    theta = MODEL.draw_prior(4, rng)
    y = MODEL.draw_data(theta, rng)
    params = to_params(theta)
    np.testing.assert_allclose(MODEL.log_prior(theta), PRIORS.log_density(params), rtol=1e-12)
    for i in range(4):
        one = gc.MultivariateParams(*(a[i] for a in params))
        expected = log_likelihood(VectorSample.of(y[i]), one)
        assert MODEL.log_likelihood(theta, y)[i] == pytest.approx(float(expected))
    for name, values in to_points(params).items():
        np.testing.assert_array_equal(values, theta[name])


def test_the_name_cov_tells_a_kernel_for_vectors():
    assert isinstance(vector_kernel(plain.sweep), VectorKernel)
    assert isinstance(vector_kernel("gibbs_multivariate"), VectorKernel)
    assert vector_kernel("gibbs") is None
    assert vector_kernel(lambda w, mu, sigma, y, priors, rng: None) is None
    with pytest.raises(InputError, match="no such fault"):
        vector_kernel(f"{PREFIX}wishrat")


def test_a_fault_with_the_right_step_is_the_correct_sweep():
    nothing = VectorFault("none", "", "draw_weights", plain.draw_weights)
    point, y = (
        PRIORS.sample(np.random.default_rng(0), 2),
        np.random.default_rng(1).normal(size=(9, 2)),
    )
    right = plain.sweep(*point, y, PRIORS, np.random.default_rng(2))
    for a, b in zip(nothing(*point, y, PRIORS, np.random.default_rng(2)), right, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_every_fault_makes_other_draws_that_are_mixtures(fault):
    point, y = (
        PRIORS.sample(np.random.default_rng(0), 2),
        np.random.default_rng(1).normal(size=(60, 2)),
    )
    same = True
    for seed in range(20):
        right = plain.sweep(*point, y, PRIORS, np.random.default_rng(seed))
        wrong = fault(*point, y, PRIORS, np.random.default_rng(seed))
        assert wrong.problem() == ""
        same &= all(np.array_equal(a, b) for a, b in zip(right, wrong, strict=True))
        point = right
    assert not same


def test_what_a_kernel_returns_is_checked():
    theta = {
        name: values[0] for name, values in MODEL.draw_prior(1, np.random.default_rng(0)).items()
    }
    y = np.zeros((12, 2))
    for function, says in (
        (lambda w, mu, cov, y, priors, rng: w, "return w, mu and cov"),
        (lambda w, mu, cov, y, priors, rng: (w, mu, cov[0]), "cov of shape"),
        (lambda w, mu, cov, y, priors, rng: (w, mu, -cov), "positive definite"),
    ):
        with pytest.raises((TypeError, ValueError), match=says):
            VectorKernel(function, "some")(theta, y, np.random.default_rng(0))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sampler", "verdict"),
    [("gibbs_multivariate", "passed"), (f"{PREFIX}wishart", "failed")],
)
def test_verdicts(sampler, verdict):
    assert gc.validate(sampler, quick=True, jobs=2).verdict == verdict

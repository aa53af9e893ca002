"""Bounded quantities: in [-1, 1] for any point, and uniform where they should be."""

from __future__ import annotations

import numpy as np
import pytest

from gmmcompare.model.mixture import log_likelihood
from gmmcompare.model.params import Params
from gmmcompare.model.sample import Sample
from gmmcompare.validation.checks.mixture_quantities import evaluate, log_likelihoods, quantities
from gmmcompare.validation.checks.scenes import ASYMMETRIC, CALIBRATION, SPARSE, MixtureScene

SCENES = (CALIBRATION, ASYMMETRIC, SPARSE)


@pytest.mark.parametrize("scene", SCENES, ids=lambda s: s.name)
def test_draws_of_the_prior_are_uniform_in_their_prior(scene: MixtureScene) -> None:
    # Legendre polynomials of a uniform have mean 0; six standard errors for each of 36: below 1e-7.
    n = 20_000
    names = quantities(scene)
    values = evaluate(*scene.sample_joint(np.random.default_rng(1), n), scene)
    assert values.shape == (n, len(names))
    for q, column in zip(names, values.T, strict=True):
        if q.kind == "marginal":
            assert abs(column.mean()) < 6.0 * column.std() / np.sqrt(n), str(q)


@pytest.mark.parametrize("sigma", [1e-320, 1e-200, 1e-9, 1e9, 1e200])
def test_any_point_has_bounded_quantities(sigma: float) -> None:
    # NaN would make every wealth NaN, and a NaN is never above a threshold.
    params = Params(
        np.array([[1.0, 0.0, 0.0], [0.2, 0.3, 0.5]]),
        np.array([[0.0, 1e200, -1e9], [0.0, 1.0, 2.0]]),
        np.full((2, 3), sigma),
    )
    y = np.linspace(-3.0, 3.0, 24).reshape(2, 12)
    values = evaluate(params, y, CALIBRATION)
    assert np.isfinite(values).all()
    assert np.abs(values).max() <= 1.0


def test_log_likelihoods_are_those_of_the_mixture() -> None:
    params, y = ASYMMETRIC.sample_joint(np.random.default_rng(2), 5)
    each = [log_likelihood(Sample.of(y[i]), Params(*(a[i] for a in params))) for i in range(5)]
    np.testing.assert_allclose(log_likelihoods(params, y), each, rtol=1e-12)


def test_names_of_quantities_are_distinct() -> None:
    names = [str(q) for q in quantities(CALIBRATION)]
    assert len(set(names)) == len(names)

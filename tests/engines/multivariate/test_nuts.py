"""NUTS on multivariate normals: coordinates, the model's density, and its draws."""

from __future__ import annotations

import numpy as np
import pytest

import gmmcompare as gc
from gmmcompare.engines.base import Problem
from gmmcompare.engines.multivariate.nuts import VectorCoordinates, VectorNutsEngine
from gmmcompare.model.card import NutsSettings
from gmmcompare.model.multivariate.density import simulate
from gmmcompare.model.multivariate.sample import VectorSample
from gmmcompare.runtime.errors import EngineError, InputError
from gmmcompare.runtime.progress import no_progress

PRIORS = gc.MultivariatePriors(
    [0.7, 2.0], [[0.3, 0.0], [-1.0, 0.5]], [[2, 0.4], [0.4, 1]], 5.0, [[1.5, 0.2], [0.2, 0.8]]
)


def test_coordinates_go_there_and_back_with_the_right_jacobian():
    space, point = VectorCoordinates(2, 2), PRIORS.sample(np.random.default_rng(0), 2)
    x = space.of(point)
    for a, b in zip(space.params(x), point, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10)

    def flat(x):
        w, mu, cov = space.params(x)
        return np.concatenate([w[:-1], mu.ravel(), cov[:, *np.tril_indices(2)].ravel()])

    def log_volume(x):
        step = 1e-5 * np.eye(x.size)
        columns = [(flat(x + h) - flat(x - h)) / 2e-5 for h in step]
        return np.linalg.slogdet(np.array(columns))[1]

    y = x + 0.5 * np.random.default_rng(1).normal(size=x.size)
    difference = space.log_jacobian(y) - space.log_jacobian(x)
    assert difference == pytest.approx(log_volume(y) - log_volume(x), abs=1e-6)


def test_what_is_not_for_vectors_is_refused():
    y, _ = simulate(PRIORS.sample(np.random.default_rng(0), 2), 30, np.random.default_rng(1))
    problem = Problem(VectorSample.of(y), 2, PRIORS)
    for settings in (NutsSettings(identify="ordered"), NutsSettings(nuts_sampler="pymc")):
        with pytest.raises(InputError, match="vectors"):
            VectorNutsEngine(settings).run(problem, 0, no_progress)


@pytest.mark.slow
def test_the_density_is_ours_and_a_wrong_prior_is_noticed(monkeypatch):
    y, _ = simulate(PRIORS.sample(np.random.default_rng(0), 2), 30, np.random.default_rng(1))
    problem = Problem(VectorSample.of(y), 2, PRIORS)
    settings = NutsSettings(chains=2, warmup=200, draws=50)
    fit = VectorNutsEngine(settings).run(problem, 0, no_progress)
    assert fit.extra["parity_spread"] < 1e-8
    from gmmcompare.engines.multivariate import nuts

    right = nuts.model_inputs
    monkeypatch.setattr(
        nuts, "model_inputs", lambda p: {**right(p), "cov_df": right(p)["cov_df"] + 3.0}
    )
    with pytest.raises(EngineError, match="the prior of cov"):
        VectorNutsEngine(settings).run(problem, 0, no_progress)

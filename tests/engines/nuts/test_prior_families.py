"""NUTS' model under conjugate priors, and with known or shared parameters: parity, draws."""

from __future__ import annotations

import numpy as np
import pytest

from gmmcompare import ConjugatePriors, RestrictedPriors, Sample, exact_posterior
from gmmcompare.engines.base import Problem, no_progress
from gmmcompare.engines.nuts.engine import NutpieSampler, NutsEngine, PymcSampler
from gmmcompare.engines.nuts.unconstrained import Coordinates
from gmmcompare.engines.parity import parity
from gmmcompare.model.card import NutsSettings

Y = np.array([-1.3, -0.9, 0.8, 1.4, 1.0, 2.6, 0.2])
PRIORS = {
    "conjugate": ConjugatePriors([2.0, 1.0], 0.3, [0.4, 2.0], 3.0, [2.0, 1.0]),
    "sds": RestrictedPriors([2.0, 1.0], 0.3, 2.0, 3.0, 2.0, sds=[0.5, 0.9]),
    "shared": RestrictedPriors([2.0, 1.0], 0.3, 2.0, 3.0, 2.0, shared_sd=True),
    "weights": RestrictedPriors(2.0, [0.3, 1.0], 2.0, 3.0, 2.0, weights=[0.6, 0.4]),
    "two": RestrictedPriors(2.0, 0.3, [2.0, 1.0], 3.0, 2.0, shared_sd=True, weights=[0.6, 0.4]),
}


@pytest.mark.parametrize("name", PRIORS)
def test_coordinates_go_there_and_back(name):
    priors = PRIORS[name].expanded(2)
    space = Coordinates(2, False, priors)
    points = priors.draw(20, np.random.default_rng(0), 2)
    x = space.of(points)
    assert x.shape == (20, priors.free_weights + 2 + priors.free_sds(2).shape[1])
    for found, expected in zip(space.params(x), points, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert priors.broken_by(space.params(x)) == ""


@pytest.mark.slow
@pytest.mark.parametrize("name", PRIORS)
def test_density_and_gradient_are_ours(name):
    problem, _ = Problem(Sample.of(Y), 2, PRIORS[name]).standardised()
    for kind in (NutpieSampler, PymcSampler):
        sampler = kind(problem, NutsSettings())
        found = parity(
            sampler.density(problem),
            problem,
            Coordinates(2, False, problem.priors),
            np.random.default_rng(0),
        )
        assert found.holds, found


@pytest.mark.slow
def test_draws_are_those_of_the_exact_posterior():
    """Under the conjugate prior; six standard errors from 80 batches, a rate below 1e-6 each."""
    priors = PRIORS["conjugate"]
    settings = NutsSettings(warmup=800, draws=4000)
    found = NutsEngine(settings).run(Problem(Sample.of(Y), 2, priors), 1, no_progress).params
    exact = exact_posterior(Y, 2, priors)
    for parameter, values in found._asdict().items():
        at = np.quantile(values[..., 0], [0.2, 0.5, 0.8])
        batches = (values[..., 0][..., None] <= at).reshape(80, -1, 3).mean(axis=1)
        error = batches.std(axis=0, ddof=1) / np.sqrt(len(batches))
        off = batches.mean(axis=0) - exact.cdf(parameter, at, 0)
        assert (np.abs(off) < 6.0 * error + 1e-3).all(), parameter


@pytest.mark.slow
def test_pymc_s_own_sampler_keeps_to_what_is_known():
    for name in ("sds", "two"):
        settings = NutsSettings(warmup=100, draws=50, chains=1, nuts_sampler="pymc")
        found = NutsEngine(settings).run(Problem(Sample.of(Y), 2, PRIORS[name]), 1, no_progress)
        assert PRIORS[name].broken_by(found.params) == ""

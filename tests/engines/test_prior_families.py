"""Engines under conjugate priors, and with known or shared parameters."""

from __future__ import annotations

import numpy as np
import pytest

from gmmcompare import ConjugatePriors, Params, Priors, RestrictedPriors, Sample, exact_posterior
from gmmcompare.engines.base import OF_FAMILY, Problem, built_in_engine, no_progress
from gmmcompare.engines.em.engine import EmEngine
from gmmcompare.engines.gibbs import engine as fast
from gmmcompare.engines.gibbs import plain
from gmmcompare.engines.gibbs.engine import GibbsEngine
from gmmcompare.engines.layout import build_layout
from gmmcompare.model import mixture
from gmmcompare.model.card import EmSettings, GibbsSettings, StanSettings
from gmmcompare.runtime.errors import EngineError, InputError

Y = np.concatenate([centre + np.linspace(-1, 1, n) ** 3 for centre, n in ((0, 9), (4, 6), (9, 5))])
SHARED = RestrictedPriors(2.0, 3.0, 5.0, 3.0, 2.0, shared_sd=True)
PRIORS = {
    "conjugate": ConjugatePriors([2.0, 1.5, 1.0], 3.0, 0.2, 3.0, [2.0, 1.0, 0.5]),
    "sds": RestrictedPriors(2.0, 3.0, 5.0, 3.0, 2.0, sds=[0.7, 1.1, 0.4]),
    "shared": SHARED,
    "weights": RestrictedPriors(2.0, 3.0, 5.0, 3.0, 2.0, weights=[0.45, 0.3, 0.25]),
    "all known": RestrictedPriors(2.0, 3.0, 5.0, sds=0.6, weights=[0.45, 0.3, 0.25]),
}
ALPHA = 1e-7


@pytest.mark.parametrize("name", PRIORS)
def test_plain_and_fast_make_the_same_draws(name):
    priors, y = PRIORS[name], build_layout(Sample.of(Y)).observations()
    one, other = np.random.default_rng(0), np.random.default_rng(0)
    at = there = priors.sample(np.random.default_rng(1), 3)
    for _ in range(60):
        at = plain.sweep(*at, y, priors, one)
        there = fast.sweep(*there, y, priors, other)
        for a, b in zip(at, there, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9)
        assert priors.broken_by(at) == ""


@pytest.mark.parametrize("name", PRIORS)
def test_gibbs_draws_the_exact_posterior(name):
    """Of two components and six observations, by the frequency of w_1, mu_1 and sigma_1 below."""
    priors, y = _of_two(PRIORS[name]), Y[[0, 4, 8, 9, 11, 14]] / 3.0
    exact = exact_posterior(y, 2, priors)
    settings = GibbsSettings(warmup=500, draws=20_000)
    found = GibbsEngine(settings).run(Problem(Sample.of(y), 2, priors), 3, no_progress)
    assert priors.broken_by(found.params) == ""
    for parameter, values in found.params._asdict().items():
        own = values[..., 0]
        if np.ptp(own) > 0.0:
            at = np.quantile(own, [0.2, 0.5, 0.8])
            batches = (own[..., None] <= at).reshape(4 * 20, -1, 3).mean(axis=1)
            error = batches.std(axis=0, ddof=1) / np.sqrt(len(batches))
            # Six standard errors from 80 batches: a rate below 1e-6 for each of 3 x 3 numbers.
            off = batches.mean(axis=0) - exact.cdf(parameter, at, 0)
            assert (np.abs(off) < 6.0 * error + 1e-3).all(), parameter


def _of_two(priors):
    fields = {n: np.asarray(getattr(priors, n)) for n in priors.hyperparameters}
    cut = {n: v[:2] if v.ndim else v for n, v in fields.items()}
    if "weights" in cut:
        cut["weights"] = cut["weights"] / cut["weights"].sum()
    shared = {"shared_sd": True} if getattr(priors, "shared_sd", False) else {}
    return type(priors)(**cut, **shared)


@pytest.mark.parametrize("objective", ["ml", "map"])
@pytest.mark.parametrize("name", PRIORS)
def test_em_ends_at_a_maximum_and_knows_its_curvature(name, objective):
    priors, sample = PRIORS[name], Sample.of(Y)
    settings = EmSettings(objective=objective, starts=6)
    found = EmEngine(settings).run(Problem(sample, 3, priors), 1, no_progress)
    assert found.status == "ok"
    assert priors.broken_by(found.params) == ""
    free, weights = priors.free_sds(3), priors.free_weights

    def point(x: np.ndarray) -> Params:
        w, at = found.params.w, 0
        if weights:
            w, at = np.exp(np.append(x[:2], 0.0)) / np.exp(np.append(x[:2], 0.0)).sum(), 2
        sigma = np.exp(free @ x[at + 3 :]) if free.shape[1] else found.params.sigma
        return Params(w, x[at : at + 3], sigma)

    def objective_at(x: np.ndarray) -> float:
        value = float(mixture.log_likelihood(sample, point(x)))
        if objective == "map":
            value += float(priors.log_density(point(x)) + 2.0 * x[2 * weights + 3 :].sum())
        return value

    w, mu, sigma = found.params
    logits = np.log(w[:2] / w[2]) if weights else np.empty(0)
    log_sds = np.log(sigma) @ free / free.sum(axis=0) if free.shape[1] else np.empty(0)
    x = np.concatenate([logits, mu, log_sds])
    assert objective_at(x) == pytest.approx(found.extra["objective_path"][-1], abs=1e-9)
    steps = 1e-3 * np.eye(x.size)
    gradient = [(objective_at(x + h) - objective_at(x - h)) / 2e-3 for h in steps]
    assert np.abs(gradient).max() < 1e-4
    curvature = np.array(
        [
            [
                objective_at(x + a + b) - objective_at(x + a - b)
                - objective_at(x - a + b) + objective_at(x - a - b)
                for a in steps
            ]
            for b in steps
        ]
    )  # fmt: skip
    errors = np.sqrt(np.diag(np.linalg.inv(-curvature / 4e-6)))
    np.testing.assert_allclose(found.standard_errors.mu, errors[2 * weights :][:3], rtol=1e-3)
    on_sds = sigma * (free @ errors[2 * weights + 3 :])
    np.testing.assert_allclose(found.standard_errors.sigma, on_sds, rtol=1e-3)
    n_free = 3 + 2 * weights + free.shape[1]
    log_lik = float(mixture.log_likelihood(sample, found.params))
    assert found.extra["aic"] == pytest.approx(2 * n_free - 2 * log_lik, abs=1e-9)


def test_one_sd_for_all_does_not_collapse_where_single_ones_do():
    y = np.concatenate([np.zeros(3), np.linspace(5.0, 9.0, 8)])  # three equal values
    settings = EmSettings(starts=10)
    with pytest.raises(EngineError, match="starts collapsed"):
        EmEngine(settings).run(Problem(Sample.of(y), 2, Priors()), 1, no_progress)
    tied = EmEngine(settings).run(Problem(Sample.of(y), 2, SHARED), 1, no_progress)
    assert not any("collapsed" in note for note in tied.notes)
    assert np.ptp(tied.params.sigma) == 0.0


def test_engines_that_do_not_know_a_family_say_which_do():
    for family in ("normal-conjugate", "normal-restricted"):
        assert set(OF_FAMILY[family]) == {"em", "gibbs", "gibbs_plain", "nuts", "exact"}
        with pytest.raises(InputError, match=r"stan: does not fit components .* nuts, exact"):
            built_in_engine("stan", StanSettings(), family=family)


def test_measurement_errors_are_refused_in_one_line():
    measured = Sample.of(Y, errors=0.1)
    for name, priors in PRIORS.items():
        with pytest.raises(InputError, match="measurement errors are covered under"):
            Problem(measured, 3, priors)
        if name != "weights":  # which the exact posterior takes
            with pytest.raises(InputError, match="measurement errors with"):
                exact_posterior(Y[:5], 3, priors, errors=0.1)

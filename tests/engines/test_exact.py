"""The exact engine, and every engine that draws against the exact posterior."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t as student

from gmmcompare.engines.base import (
    WITH_ERRORS,
    Problem,
    built_in_engine,
    install_command,
    no_progress,
)
from gmmcompare.engines.check import check_engine
from gmmcompare.fitting.fit import Fit, build_fit, load_fit
from gmmcompare.model.card import (
    ExactSettings,
    GibbsSettings,
    JagsSettings,
    NumpyroSettings,
    StanSettings,
)
from gmmcompare.model.exact import ExactPosterior, exact_posterior
from gmmcompare.model.mixture import responsibilities
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample
from gmmcompare.runtime.errors import InputError

TIED = Sample.of([0.4, -1.1, 0.4, 2.0, 0.4])
GROUPS = Sample.of([-2.1, -1.9, -2.0, -1.9, -2.2, 1.0, 0.8, 1.1, 1.0, 3.0])
MEASURED = Sample.of(
    [-1.3, -0.9, -1.05, 0.8, 1.4, 1.4, 1.0], errors=[0.1, 1.3, 0.2, 0.0, 0.8, 0.8, 0.25]
)
CALIBRATION = Priors(2.0, 0.5, 1.5, 3.0, 1.0)
UNEQUAL = Priors([0.7, 2.0], [-1.0, 0.5], [1.0, 3.0], [3.0, 2.0], [1.0, 0.3])
PROBLEMS = {
    "ties": Problem(TIED, 2, CALIBRATION),
    "three components": Problem(TIED, 3, CALIBRATION),
    "two groups": Problem(GROUPS, 2, Priors(mean_sd=2.0, var_shape=3.0, var_scale=2.0)),
    "unequal priors": Problem(TIED, 2, UNEQUAL),
    "measured": Problem(MEASURED, 2, CALIBRATION),
    "measured, unequal priors": Problem(MEASURED, 2, UNEQUAL),
}
SETTINGS = {
    "exact": ExactSettings(),
    "gibbs": GibbsSettings(warmup=500, draws=20_000),
    "gibbs_plain": GibbsSettings(warmup=200, draws=2_000),
    "jags": JagsSettings(draws=10_000),
    "numpyro": NumpyroSettings(draws=5_000),
    "stan": StanSettings(draws=5_000),
}
_SELDOM = {(name, of) for name in ("numpyro", "stan") for of in ("two groups", "unequal priors")}
CASES = [
    pytest.param(
        name, problem, id=f"{name}-{of}", marks=pytest.mark.long if (name, of) in _SELDOM else ()
    )
    for name in SETTINGS
    for of, problem in PROBLEMS.items()
]
ALPHA = 1e-7  # false-alarm rate of each comparison, all its statistics together
BATCHES = 25  # of each chain


def fitted(name: str, problem: Problem, seed: int = 1) -> Fit:
    engine = built_in_engine(name, SETTINGS[name])
    return build_fit(engine, problem, seed, engine.run(problem, seed, no_progress))


def statistics(fit: Fit, problem: Problem, posterior: ExactPosterior):
    """Yield series of shape (chains, draws) with values in [0, 1], and their exact means."""
    params = fit.params
    yield fit.stat("prob_empty"), posterior.prob_empty
    if fit.has_stat("n_k"):
        n_occupied = (fit.stat("n_k") > 0).sum(axis=-1)
        for j in range(1, problem.K + 1):
            yield n_occupied == j, posterior.prob_occupied[j]
    r = responsibilities(problem.sample.y, params, problem.sample.y_errors)
    for i, j in zip(*np.triu_indices(problem.sample.n, 1), strict=True):
        yield (r[..., i, :] * r[..., j, :]).sum(axis=-1), posterior.coclustering[i, j]
    # Where to look is random, but does not depend on what is looked at.
    pilot = posterior.sample(1000, np.random.default_rng(99))
    for field, own in zip(params._fields, params, strict=True):
        for k in range(problem.K):
            for x in np.quantile(getattr(pilot, field)[:, k], [0.1, 0.5, 0.9]):
                exact = float(posterior.cdf(field, x, component=k))
                if problem.priors.exchangeable:
                    yield (own <= x).mean(axis=-1), exact
                else:
                    yield own[..., k] <= x, exact


def surprise(fit: Fit, problem: Problem) -> float:
    """Return the largest |t| of all statistics by batch means, as a multiple of the critical one.

    Above 1 the draws are not from the posterior, with a false-alarm rate of ALPHA (Bonferroni).
    """
    y, errors = problem.sample.y, problem.sample.y_errors
    posterior = exact_posterior(y, problem.K, problem.priors, errors)
    found = []
    for series, exact in statistics(fit, problem, posterior):
        batches = np.stack(np.split(series.astype(float), BATCHES, axis=1)).mean(axis=-1).ravel()
        found.append(abs(batches.mean() - exact) / (batches.std(ddof=1) / np.sqrt(batches.size)))
    critical = student.isf(ALPHA / (2 * len(found)), batches.size - 1)
    return float(max(found) / critical)


@pytest.mark.parametrize(("name", "problem"), CASES)
@pytest.mark.slow
def test_engines_draw_from_the_exact_posterior(name, problem):
    if command := install_command(name):
        pytest.skip(command)
    if problem.sample.errors is not None and name not in WITH_ERRORS:
        pytest.skip(f"{name} knows no measurement errors")
    assert surprise(fitted(name, problem), problem) < 1.0


@pytest.mark.parametrize("changed", [{"var_shape": 3.5}, {"mean_loc": 0.0}, {"mean_sd": 1.5**2}])
def test_a_sampler_with_a_wrong_prior_does_not(changed):
    right = PROBLEMS["ties"]
    wrong = Problem(TIED, 2, Priors(**{**CALIBRATION.to_dict(), **changed}))
    assert surprise(fitted("gibbs", wrong), right) > 1.0


def test_a_sampler_with_wrong_errors_does_not():
    right, errors = PROBLEMS["measured"], MEASURED.y_errors
    for wrong in (None, errors**2, 2.0 * errors):
        other = Problem(Sample.of(MEASURED.y, errors=wrong), 2, CALIBRATION)
        assert surprise(fitted("gibbs", other), right) > 1.0


def test_draws_are_what_an_engine_returns():
    problem = PROBLEMS["three components"]
    engine = built_in_engine("exact", ExactSettings(chains=3, draws=200))
    done: list[float] = []
    draws = engine.run(problem, 5, done.append)
    assert engine.name == "exact"
    assert engine.settings == {"chains": 3, "draws": 200}
    check_engine(draws.params._asdict(), K=3, chains=3, draws=200)
    assert done[-1] == 1.0
    np.testing.assert_array_equal(draws.stats["n_k"].sum(axis=-1), 5)
    posterior = exact_posterior(TIED.y, 3, CALIBRATION)
    assert draws.extra["log_evidence"] == posterior.log_evidence
    np.testing.assert_array_equal(draws.extra["coclustering"], posterior.coclustering)
    np.testing.assert_array_equal(draws.extra["prob_occupied"], posterior.prob_occupied)


def test_same_seed_same_draws():
    problem = PROBLEMS["ties"]
    engine = built_in_engine("exact", ExactSettings(chains=2, draws=50))
    one, again, other = (engine.run(problem, s, no_progress).params.mu for s in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert not np.isin(one, other).any()
    assert not np.isin(one[0], one[1]).any()


def test_an_exact_fit_is_saved_and_loaded(tmp_path):
    fit = fitted("exact", PROBLEMS["ties"])
    loaded = load_fit(fit.save(tmp_path / "exact.nc"))
    assert loaded == fit
    assert loaded.extra("log_evidence") == fit.extra("log_evidence")


def test_too_many_observations_are_refused():
    problem = Problem(Sample.of(np.arange(17.0)), 2, Priors())
    with pytest.raises(InputError, match="17 observations are too many"):
        built_in_engine("exact", ExactSettings()).run(problem, 1, no_progress)

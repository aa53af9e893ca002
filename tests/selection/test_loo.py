"""LOO with ties is LOO without, and is what ArviZ and exact answers say."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

import arviz as az
import numpy as np
import pytest
from scipy import stats

from gmmcompare.model.exact import exact_posterior
from gmmcompare.model.mixture import log_density, log_likelihood
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample
from gmmcompare.selection.loo import _efficiency, loo, loo_difference

PRIORS = Priors(2.0, 0.0, 2.0, 3.0, 2.0)
Y = (-1.3, -0.9, -1.0, -1.0, 0.8, 1.4, 1.0, 1.0, 1.0, 1.2)


def exact_draws(seed: int, y: tuple[float, ...] = Y, K: int = 2, n: int = 1000) -> Params:
    drawn = exact_posterior(y, K, PRIORS).sample(4 * n, np.random.default_rng(seed))
    return Params(*(a.reshape(4, n, K) for a in drawn))


def untied(draws: Params, y: Array, reff: float) -> az.ELPDData:
    """Return ArviZ's LOO of all N observations, one by one."""
    tree = az.from_dict(
        {"posterior": {"w": draws.w}, "log_likelihood": {"y": log_density(y, draws)}}
    )
    return az.loo(tree, pointwise=True, reff=reff)


def test_ties_count_as_often_as_they_occur() -> None:
    draws, sample = exact_draws(1), Sample.of(Y)
    log_lik = log_likelihood(sample, draws)
    found, plain = loo(draws, log_lik, sample), untied(draws, sample.y, _efficiency(log_lik))
    assert sample.n_distinct < sample.n
    assert found.elpd == pytest.approx(plain.elpd, abs=1e-6)
    assert found.se == pytest.approx(plain.se, abs=1e-6)
    assert found.p == pytest.approx(plain.p, abs=1e-6)
    np.testing.assert_allclose(np.repeat(found.elpd_i, sample.counts), plain.elpd_i, atol=1e-6)
    np.testing.assert_allclose(np.repeat(found.pareto_k, sample.counts), plain.pareto_k, atol=1e-6)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    draws, sample = exact_draws(2), Sample.of(Y)
    whole = loo(draws, log_likelihood(sample, draws), sample)
    monkeypatch.setattr(import_module("gmmcompare.selection.loo"), "_BLOCK", 5000)
    parts = loo(draws, log_likelihood(sample, draws), sample)
    np.testing.assert_allclose(parts.elpd_i, whole.elpd_i, rtol=1e-12)
    assert parts.mcse == pytest.approx(whole.mcse, rel=1e-9)


@pytest.fixture(scope="module")
def repeated() -> list[tuple[float, float]]:
    """Return LOO and its Monte Carlo error from 40 independent sets of exact draws."""
    sample = Sample.of(Y)
    found = []
    for seed in range(40):
        draws = exact_draws(seed)
        one = loo(draws, log_likelihood(sample, draws), sample)
        found.append((one.elpd, one.mcse))
    return found


def exact_elpd() -> float:
    """Each observation's density given the others is a ratio of two evidences."""
    whole = exact_posterior(Y, 2, PRIORS).log_evidence
    without = [Y[:i] + Y[i + 1 :] for i in range(len(Y))]
    return sum(whole - exact_posterior(rest, 2, PRIORS).log_evidence for rest in without)


@pytest.mark.slow
def test_agrees_with_exact_leave_one_out(repeated: list[tuple[float, float]]) -> None:
    """The mean of 40 within 6 of its standard errors (2e-9), plus a bias of a tenth of one run's.

    Smoothing trades variance for a bias that falls faster than the error of one run.
    """
    values, errors = np.array(repeated).T
    assert abs(values.mean() - exact_elpd()) < 6 * errors.mean() / 40**0.5 + 0.1 * errors.mean()


def test_monte_carlo_error_is_honest(repeated: list[tuple[float, float]]) -> None:
    """Variance over 40 runs by the mean squared error: within the 1e-7 tails of chi-squared."""
    values, errors = np.array(repeated).T
    low, high = stats.chi2.ppf([1e-7, 1 - 1e-7], 39) / 39
    assert low < values.var(ddof=1) / np.mean(errors**2) < high


def integral(density: Callable[[Array], Array], low: float, high: float) -> float:
    """Return the integral by Gauss and Legendre's rule, ten points in each of 40 panels."""
    at, weights = np.polynomial.legendre.leggauss(10)
    edges = np.linspace(low, high, 41)
    half = (edges[1] - edges[0]) / 2
    x = (edges[:-1, None] + half * (1 + at)).ravel()
    return float(half * (np.tile(weights, 40) * density(x)).sum())


@pytest.mark.slow
def test_pit_is_the_predictive_distribution_without_the_observation() -> None:
    """At both ends and in the middle, over 12 sets of draws: three t statistics with 11 degrees.

    Within 12 (4e-7 together), the bias of smoothing allowed for by 0.003; the posterior's own
    distribution function, which an error might put there, is ten times as far off at the ends.
    """
    sample = Sample.of(Y)
    found = []
    for seed in range(12):
        draws = exact_draws(seed)
        found.append(loo(draws, log_likelihood(sample, draws), sample).pit)
    pit, error = np.mean(found, axis=0), np.std(found, axis=0, ddof=1) / 12**0.5
    for i in (0, sample.n_distinct // 2, sample.n_distinct - 1):
        rest = list(Y)
        rest.remove(sample.values[i])
        below = integral(exact_posterior(rest, 2, PRIORS).predictive, -30.0, sample.values[i])
        assert abs(pit[i] - below) < 12 * error[i] + 0.003


def test_pit_ecdf_takes_the_middle_of_a_step() -> None:
    sample, draws = Sample.of(Y), exact_draws(4)
    pit, ecdf = loo(draws, log_likelihood(sample, draws), sample).pit_ecdf()
    assert (np.diff(pit) >= 0).all()
    counts = sample.counts  # the PIT rises with the value here
    np.testing.assert_allclose(ecdf, (np.cumsum(counts) - counts / 2) / sample.n)


def test_differences_are_paired() -> None:
    sample = Sample.of(Y)
    pairs = [exact_draws(5, K=K) for K in (1, 2)]
    one, two = (loo(d, log_likelihood(sample, d), sample) for d in pairs)
    pointwise = np.repeat(two.elpd_i - one.elpd_i, sample.counts)
    found = loo_difference(two, one)
    assert found.value == pytest.approx(pointwise.sum())
    assert found.se == pytest.approx((sample.n * pointwise.var(ddof=1)) ** 0.5)
    assert found.mcse == pytest.approx(np.hypot(one.mcse, two.mcse))
    assert found.se < np.hypot(one.se, two.se)


def test_an_observation_that_rules_the_posterior_is_reported() -> None:
    """One point of eight lies 15 sd away: without it the posterior is elsewhere."""
    y = (0.1, -0.2, 0.3, 0.0, -0.1, 0.2, 0.15, 5.0)
    priors = Priors(1.0, 0.0, 50.0, 1e-3, 1e-3)
    drawn = exact_posterior(y, 1, priors).sample(4000, np.random.default_rng(6))
    draws = Params(*(a.reshape(4, 1000, 1) for a in drawn))
    sample = Sample.of((*y, 5.0))  # the bad value counts twice
    found = loo(draws, log_likelihood(sample, draws), sample)
    assert found.pareto_k.argmax() == sample.n_distinct - 1
    assert found.n_bad == 2

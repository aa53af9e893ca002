"""Gibbs, EM and NUTS on values with measurement errors: twins, invariants, errors of zero."""

from __future__ import annotations

import numpy as np
import pytest

from gmmcompare.engines.base import Problem, no_progress
from gmmcompare.engines.em.compiled import Sums, climb, expectation, flat_prior, maximisation
from gmmcompare.engines.em.engine import EmEngine, _information_sums
from gmmcompare.engines.em.information import information_sums, observed_information
from gmmcompare.engines.em.measured import (
    measured_climb,
    measured_expectation,
    measured_information_sums,
    smallest_gap,
)
from gmmcompare.engines.gibbs import measured, measured_chain, plain
from gmmcompare.engines.gibbs.engine import GibbsEngine
from gmmcompare.engines.gibbs.plain import PlainGibbsEngine
from gmmcompare.fitting.requests import EngineRequest
from gmmcompare.model import mixture
from gmmcompare.model.card import EmSettings, GibbsSettings
from gmmcompare.model.params import Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample
from gmmcompare.runtime.errors import InputError

TRUTH = Params(
    np.array([0.6, 0.25, 0.15]), np.array([-0.7, 0.07, 0.03]), np.array([0.2, 0.05, 0.1])
)


def simulated(n: int = 400, digits: int = 2) -> Sample:
    """Values and errors that repeat, some of which are exact."""
    rng = np.random.default_rng(7)
    x, _ = mixture.simulate(TRUTH, n, rng)
    s = np.round(np.exp(rng.normal(np.log(0.04), 0.8, n)), digits)
    return Sample.of(np.round(x + s * rng.standard_normal(n), digits), errors=s)


SAMPLE = simulated()
EXACT = Sample(SAMPLE.values, SAMPLE.counts, np.zeros(SAMPLE.n_distinct))


@pytest.mark.parametrize("K", [1, 3, 8])
def test_fast_and_plain_sweeps_make_the_same_draws(K):
    y, s, priors = SAMPLE.y, SAMPLE.y_errors, Priors()
    order = np.random.default_rng(0).permutation(y.size)
    y, s = y[order], s[order]
    a = b = Params(np.full(K, 1 / K), np.linspace(-2, 2, K), np.full(K, 0.3))
    one, two = np.random.default_rng(3), np.random.default_rng(3)
    for _ in range(60):
        a, b = measured.sweep(*a, y, priors, one, s), measured_chain.sweep(*b, y, priors, two, s)
        for p, q in zip(a, b, strict=True):
            np.testing.assert_allclose(p, q, rtol=1e-8)
        if K == 3 and one.random() + 0.0 * two.random() < 0.2:  # an infinite sd among the places
            a = b = a._replace(sigma=a.sigma * np.array([np.inf, 1.0, 1.0]))


def test_fast_and_plain_engines_make_the_same_draws():
    settings = GibbsSettings(chains=2, warmup=5, draws=40, keep_allocations=3)
    problem = Problem(SAMPLE, 3, Priors())
    fast, slow = (e(settings).run(problem, 5, no_progress) for e in (GibbsEngine, PlainGibbsEngine))
    for a, b in zip(fast.params, slow.params, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-7)
    np.testing.assert_array_equal(fast.stats["n_k"], slow.stats["n_k"])
    kept = fast.extra["allocations"]
    n_k = (kept[..., None] == np.arange(3)).sum(axis=2)
    np.testing.assert_array_equal(n_k, fast.stats["n_k"][:, ::3])
    np.testing.assert_allclose(fast.extra["allocation_probability"].sum(axis=-1), 1.0)


def test_gibbs_with_errors_of_zero_makes_todays_draws():
    settings = GibbsSettings(chains=1, warmup=0, draws=50, start="lecture")
    today = PlainGibbsEngine(settings).run(Problem(Sample.of(EXACT.y), 3, Priors()), 5, no_progress)
    zeros = GibbsEngine(settings).run(Problem(EXACT, 3, Priors()), 5, no_progress)
    for a, b in zip(today.params, zeros.params, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-7)


def test_true_values_with_errors_of_zero_are_the_values():
    z = np.random.default_rng(1).integers(0, 3, SAMPLE.n)
    noise = np.ones(SAMPLE.n)
    x = measured.draw_true_values(z, TRUTH.mu, TRUTH.sigma, SAMPLE.y, 0.0 * SAMPLE.y, noise)
    np.testing.assert_allclose(x, SAMPLE.y, rtol=1e-14, atol=1e-16)


def bovy(y, s, start: Params, steps: int) -> Params:
    """Take steps of extreme deconvolution as Bovy, Hogg and Roweis (2011) write them, d = 1."""
    w, mu, sigma = start
    for _ in range(steps):
        T = sigma**2 + s[:, None] ** 2
        q = w * np.exp(-0.5 * (y[:, None] - mu) ** 2 / T) / np.sqrt(T)
        q /= q.sum(axis=1, keepdims=True)
        b = mu + sigma**2 / T * (y[:, None] - mu)
        B = sigma**2 - sigma**4 / T
        total = q.sum(axis=0)
        w, mu = total / y.size, (q * b).sum(axis=0) / total
        sigma = np.sqrt((q * ((b - mu) ** 2 + B)).sum(axis=0) / total)
    return Params(w, mu, sigma)


def test_em_takes_the_steps_of_bovy_hogg_and_roweis():
    at, c = TRUTH, SAMPLE.counts.astype(float)
    for _ in range(5):
        sums = Sums(*(np.empty(3) for _ in Sums._fields))
        log_lik = measured_expectation(SAMPLE.values, SAMPLE.errors, c, *at, sums)
        assert log_lik == pytest.approx(float(mixture.log_likelihood(SAMPLE, at)), rel=1e-12)
        new = Params(*(np.empty(3) for _ in range(3)))
        maximisation(*at, sums, flat_prior(3), tuple(new))
        at = new
    for a, b in zip(at, bovy(SAMPLE.y, SAMPLE.y_errors, TRUTH, 5), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9)


def test_em_with_errors_of_zero_is_todays():
    c, zeros = SAMPLE.counts.astype(float), np.zeros(SAMPLE.n_distinct)
    found = []
    for errors in (None, zeros):
        params, path = Params(*(a.copy() for a in TRUTH)), np.empty(2000)
        how = (flat_prior(3), 1e-6, 1e-9, True, path)
        if errors is None:
            _, used = climb(SAMPLE.values, c, *params, *how)
        else:
            _, used = measured_climb(SAMPLE.values, errors, c, *params, *how)
        found.append((params, path[:used].copy()))
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-9)
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-12)
    sums = [Sums(*(np.empty(3) for _ in Sums._fields)) for _ in range(2)]
    expectation(SAMPLE.values, c, *TRUTH, sums[0])
    measured_expectation(SAMPLE.values, zeros, c, *TRUTH, sums[1])
    np.testing.assert_allclose(sums[0], sums[1], rtol=1e-12)
    before = information_sums(SAMPLE.values, SAMPLE.counts, TRUTH)
    after = measured_information_sums(SAMPLE.values, zeros, SAMPLE.counts, TRUTH)
    np.testing.assert_allclose(before.covariance, after.covariance, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("objective", ["ml", "map"])
def test_em_ends_at_a_maximum_with_its_information(objective):
    priors = Priors(2.0, 0.5, 1.5, 3.0, 0.02)
    settings = EmSettings(starts=6, objective=objective)
    found = EmEngine(settings).run(Problem(SAMPLE, 2, priors), 1, no_progress)
    assert found.status == "ok"

    def height(x):
        w = 1.0 / (1.0 + np.exp(-x[0]))
        at = Params(np.array([w, 1 - w]), x[1:3], np.exp(x[3:]))
        out = float(mixture.log_likelihood(SAMPLE, at))
        if objective == "map":
            out += float(priors.expanded(2).log_density(at)) + 2.0 * x[3:].sum()
        return out

    w, mu, sigma = found.params
    x, h = np.r_[np.log(w[0] / w[1]), mu, np.log(sigma)], 2e-4
    step = np.eye(5) * h
    gradient = np.array([height(x + d) - height(x - d) for d in step]) / (2 * h)
    np.testing.assert_allclose(gradient / SAMPLE.n, 0.0, atol=1e-6)
    hessian = np.array(
        [
            [
                height(x + a + b) - height(x + a - b) - height(x - a + b) + height(x - a - b)
                for a in step
            ]
            for b in step
        ]
    ) / (4 * h * h)
    information = observed_information(
        found.params, _information_sums(SAMPLE, found.params), None if objective == "ml" else priors
    )
    if objective == "ml":  # under a concentration above 1 the mode has a further term in w
        np.testing.assert_allclose(information, -hessian, rtol=1e-4, atol=2e-2)
    assert np.isfinite(found.standard_errors).all()


def test_a_component_may_be_as_narrow_as_its_errors_allow():
    rng = np.random.default_rng(2)
    s = rng.uniform(0.2, 0.5, 300)
    y = 0.8 * s * rng.standard_normal(300)  # less spread than the errors alone would give
    found = EmEngine(EmSettings(starts=4)).run(
        Problem(Sample.of(y, errors=s), 1, Priors()), 1, no_progress
    )
    assert found.params.sigma[0] < 0.01


def test_smallest_gap_is_between_exact_values():
    values = [0.0, 0.0, 1.0, 1.25, 2.0]
    assert smallest_gap(Sample.of(values)) == 0.25
    assert smallest_gap(Sample.of(values, errors=[0.1, 0.0, 0.0, 0.1, 0.0])) == 1.0
    assert smallest_gap(Sample.of(values, errors=0.1)) == 0.0


@pytest.mark.slow
def test_nuts_has_our_density_and_agrees_with_gibbs():
    from gmmcompare.engines.nuts.engine import NutsEngine
    from gmmcompare.model.card import NutsSettings

    problem = Problem(SAMPLE, 2, Priors())
    em = EmEngine(EmSettings()).run(problem, 1, no_progress)
    problem = Problem(SAMPLE, 2, Priors(), em.solutions)
    nuts = NutsEngine(NutsSettings(warmup=500, draws=1000)).run(problem, 1, no_progress)
    gibbs = GibbsEngine(GibbsSettings(warmup=500, draws=5000)).run(problem, 1, no_progress)
    for a, b in zip(nuts.params, gibbs.params, strict=True):
        sorted_a, sorted_b = (
            np.take_along_axis(x, np.argsort(d.params.mu, axis=-1), axis=-1)
            for x, d in ((a, nuts), (b, gibbs))
        )
        spread = sorted_b.std(axis=(0, 1))
        off = sorted_a.mean(axis=(0, 1)) - sorted_b.mean(axis=(0, 1))
        assert (np.abs(off) < 0.3 * spread).all()  # six standard errors of 400 draws


def test_others_are_refused():
    for name in ("jags", "numpyro", "stan"):
        with pytest.raises(InputError, match="does not know measurement errors"):
            EngineRequest(name).refuse_errors()
    with pytest.raises(InputError, match="last argument named errors"):
        EngineRequest("mine", "own", function=plain.sweep).refuse_errors()
    EngineRequest("mine", "own", function=measured.sweep).refuse_errors()
    EngineRequest("gibbs").refuse_errors()

"""Nobody is accused of what he did not do: spikes, priors that move a point, trends, mixtures.

Seeds are fixed and were not chosen. Where a point lies inside or outside a posterior, it does so by
a factor that no Monte Carlo error makes up.
"""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from evidence import judge, make_evidence

import gmmcompare as gc
from gmmcompare.comparison.comparison import Comparison
from gmmcompare.comparison.reasons import Code
from gmmcompare.fitting.fit import Fit
from gmmcompare.model.params import Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample

THREE = Sample.of(
    np.random.default_rng(1).normal(np.repeat([0.0, 6.0, 12.0], 60), np.repeat([0.5, 1, 2], 60))
)


def given(fit_sample: Sample, params: Params, K: int, **options) -> Fit:
    """Return a fit, called mine, of an engine that returns these values."""

    def engine(y, K, priors, draws, warmup, chains, rng):
        return dict(zip(Params._fields, params, strict=True))

    return gc.fit(fit_sample, engine, components=K, name="mine", **options)


def codes(found: Comparison) -> set[Code]:
    return {reason.code for pair in found.pairs for reason in pair.reasons}


# --- spikes ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def four() -> Fit:
    return gc.fit(THREE, "gibbs", components=4, draws=2000, warmup=300)


def spiked(sample: Sample, value: float, sigma: float, weight: float = 1 / 180) -> Params:
    rest = (1 - weight) / 3
    return Params.of([weight, rest, rest, rest], [value, 0.0, 6.0, 12.0], [sigma, 0.5, 1.0, 2.0])


@pytest.mark.parametrize("sigma", [1e-4, 1e-9, 1e-100])
@pytest.mark.parametrize("at", [0, 90, -1])
@pytest.mark.slow
def test_a_spike_on_one_observation_is_called_one(four, at, sigma):
    point = given(THREE, spiked(THREE, THREE.values[at], sigma), 4)
    found = gc.compare([point, four])
    assert (found.verdict, found.suspects) == ("disagree", ("mine",))
    reason = found.pairs[0].reasons[0]
    assert (reason.code, reason.engine) == (Code.SPIKE, "mine")
    assert (reason.numbers["count"], reason.numbers["sigma"]) == (1, sigma)
    assert reason.numbers["value"] == THREE.values[at]
    assert found.pairs[0].numbers["density_gap"] > 1000


def test_a_spike_on_tied_observations_is_one():
    sample = Sample.of(np.concatenate([np.round(THREE.y, 1), np.full(9, 3.3)]))
    gibbs = gc.fit(sample, "gibbs", components=4, draws=1000, warmup=300)
    point = given(sample, spiked(sample, 3.3, 1e-6, weight=9 / 189), 4)
    found = gc.compare([point, gibbs])
    assert (found.verdict, found.suspects) == ("disagree", ("mine",))
    assert found.pairs[0].reasons[0].numbers["count"] >= 9


def test_a_narrow_component_of_many_values_is_no_spike():
    rng = np.random.default_rng(2)
    sample = Sample.of(np.concatenate([rng.normal(0, 1, 150), rng.normal(3, 1e-3, 50)]))
    em = gc.fit(sample, "em", components=2)
    gibbs = gc.fit(sample, "gibbs", components=2, draws=5000)
    assert gc.compare([em, gibbs]).verdict == "agree"


# --- a prior that moves the answer ----------------------------------------------------------------

INFORMATIVE = {
    "wide": Priors(var_shape=20.0, var_scale=60.0),
    "narrow": Priors(var_shape=60.0, var_scale=15.0),
    "both": Priors(weight_concentration=60.0, var_shape=30.0, var_scale=30.0),
}


@pytest.fixture(scope="module", params=INFORMATIVE)
def moved(request) -> tuple[Fit, Fit, Fit]:
    """Return the maxima of likelihood and posterior, and draws about the latter."""
    priors = INFORMATIVE[request.param]
    fits = {o: gc.fit(THREE, "em", components=3, priors=priors, objective=o) for o in ("ml", "map")}
    gibbs = gc.fit(THREE, "gibbs", components=3, priors=priors, draws=5000, warmup=1000)
    return fits["ml"], fits["map"], gibbs


def test_a_point_that_the_prior_moves_is_no_disagreement(moved):
    ml, _, gibbs = moved
    found = gc.compare([ml, gibbs])
    pair = found.pairs[0]
    assert pair.numbers["mahalanobis"] > pair.numbers["mahalanobis_limit"]
    assert found.verdict in ("agree", "inconclusive")
    assert Code.PRIOR_MOVES in codes(found)
    assert found.suspects == ()
    if not {Code.HIGH_RHAT, Code.LOW_ESS, Code.SLOW_COMBINATION, Code.RARE_EMPTY_STATES} & codes(
        found
    ):
        assert found.verdict == "agree"
        assert "because of the prior" in found.sentence()
        assert pair.reasons[0].numbers["sds"] > 1


def test_a_point_elsewhere_is_still_one(moved):
    """Neither likelihood nor posterior has a maximum there."""
    ml, _, gibbs = moved
    off = Params(ml.point.w, ml.point.mu * 1.02, ml.point.sigma * 1.02)
    found = gc.compare([given(THREE, off, 3, priors=gibbs.priors), gibbs])
    assert (found.verdict, found.suspects) == ("disagree", ("mine",))
    assert codes(found) & {Code.STOPPED_EARLY, Code.BELOW_A_DRAW}


def early_em(y, K, priors, draws, warmup, chains, rng):
    """Fit with scikit-learn, which stops early on components that overlap."""
    from sklearn.mixture import GaussianMixture

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = GaussianMixture(K, tol=0.05, random_state=1).fit(y[:, None])
    sd = np.sqrt(model.covariances_.ravel())
    return {"w": model.weights_, "mu": model.means_.ravel(), "sigma": sd}


@pytest.mark.slow
def test_an_early_stop_under_an_informative_prior_is_called():
    rng = np.random.default_rng(4)
    sample = Sample.of(rng.normal(np.repeat([0.0, 1.8, 3.0], [500, 300, 200]), 0.7))
    priors = Priors(var_shape=100.0, var_scale=20.0)
    gibbs = gc.fit(sample, "gibbs", components=3, priors=priors, draws=5000)
    found = gc.compare([gc.fit(sample, early_em, components=3, priors=priors, name="mine"), gibbs])
    assert (found.verdict, found.suspects) == ("disagree", ("mine",))


# --- what is called a mode ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def two_runs() -> tuple[Fit, Fit]:
    one, other = (
        gc.fit(THREE, "gibbs", components=3, draws=2500, warmup=500, seed=s) for s in (1, 2)
    )
    return one, other


def ordered(fit: Fit) -> list[np.ndarray]:
    """Return (w, mu, sigma) in ascending order of sigma, which is that of the means, too."""
    order = np.argsort(fit.params.sigma, axis=-1)
    return [np.take_along_axis(a, order, axis=-1) for a in fit.params]


@pytest.mark.parametrize("field", ["mu", "sigma"])
@pytest.mark.parametrize("order", [(2, 1, 0), (1, 0, 2), (1, 2, 0)])
@pytest.mark.slow
def test_a_field_in_another_order_mixes_components(two_runs, field, order):
    params = Params(*ordered(two_runs[1]))
    params = params._replace(**{field: getattr(params, field)[..., list(order)]})
    found = gc.compare([two_runs[0], given(THREE, params, 3, draws=2500)])
    (mixed,) = [r for r in found.pairs[0].reasons if r.code == Code.MIXED_COMPONENTS]
    assert mixed.engine == "mine"
    assert mixed.numbers["field"] in (field, "sigma" if field == "mu" else "mu")
    assert mixed.numbers["gap"] > 10 > mixed.numbers["restored"]
    assert Code.MINOR_MODE not in codes(found)
    assert found.verdict != "agree"


@pytest.mark.parametrize(("share", "depth"), [(0.1, 20.0), (0.3, 5.0), (0.5, 8.0)])
@pytest.mark.slow
def test_warm_up_that_was_left_in_is_a_trend(two_runs, share, depth):
    w, mu, sigma = ordered(two_runs[1])
    early = int(share * 2500)
    mu = mu.copy()
    mu[:, :early] += depth * np.linspace(1, 0, early)[:, None]
    found = gc.compare([two_runs[0], given(THREE, Params(w, mu, sigma), 3, draws=2500)])
    (trend,) = [r for r in found.pairs[0].reasons if r.code == Code.TREND]
    assert (trend.engine, trend.numbers["chains"]) == ("mine", (1, 2, 3, 4))
    assert Code.MINOR_MODE not in codes(found)
    assert (found.verdict, found.suspects) == ("inconclusive", ("mine",))


def test_a_minor_mode_is_still_one():
    found = judge(make_evidence("a", 1), make_evidence("b", 2, chain_log_lik=(0, 0, -20, 0)))
    assert found.reasons[0].code == Code.MINOR_MODE
    trend = make_evidence("b", 2)
    rising = trend.log_lik - 200.0 * (np.arange(2500) < 500)
    found = judge(make_evidence("a", 1), replace(trend, log_lik=rising))
    assert found.reasons[0].code == Code.TREND
    assert found.reasons[0].numbers["gap"] == pytest.approx(40, abs=1)


@pytest.mark.parametrize("priors", [Priors(), Priors(mean_sd=1.0, var_shape=3.0, var_scale=2.0)])
@pytest.mark.parametrize("sds", [82_000.0, 3000.0, -1e6])
@pytest.mark.slow
def test_a_prior_far_from_the_data_is_not_the_fault_of_gibbs(priors, sds):
    away = sds * float(np.asarray(priors.mean_sd))
    sample = Sample.of(THREE.y[:120] + away)
    em = gc.fit(sample, "em", components=2, priors=priors)
    gibbs = gc.fit(sample, "gibbs", components=2, priors=priors, draws=2000, warmup=500)
    found = gc.compare([em, gibbs])
    assert found.verdict in ("inconclusive", "agree")
    assert found.suspects == ()

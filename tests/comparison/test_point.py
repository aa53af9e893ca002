"""The verdict on a point estimate: stopped early, in a local mode, a maximum of either kind."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import gmmcompare as gc
from gmmcompare.comparison.comparison import compare_fits
from gmmcompare.comparison.point import _Cloud, _coordinates
from gmmcompare.comparison.reasons import Code, Reason
from gmmcompare.engines.base import Point, Problem, Seconds, no_progress
from gmmcompare.engines.em.engine import EmEngine
from gmmcompare.engines.gibbs.engine import GibbsEngine
from gmmcompare.fitting.fit import Fit, build_fit
from gmmcompare.model.card import EmSettings, GibbsSettings
from gmmcompare.model.params import Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample

SAMPLE = Sample.of(np.random.default_rng(1).normal(np.repeat([0.0, 5.0], [240, 160]), 1.0))
PROBLEM = Problem(SAMPLE, 2, Priors())


class Given:
    """An engine that returns the point it was given."""

    def __init__(self, params: Params, name: str = "mine", status: str = "ok") -> None:
        self.settings: dict[str, object] = {}
        self.name, self._params, self._status = name, params, status

    def run(self, problem, seed, progress):
        return Point(self._params, Seconds(0.0, 0.0), status=self._status)


def fitted(engine, problem: Problem = PROBLEM) -> Fit:
    return build_fit(engine, problem, 1, engine.run(problem, 1, no_progress))


def placed(params: Params, name: str = "mine", status: str = "ok") -> Fit:
    return fitted(Given(params, name, status))


@pytest.fixture(scope="module")
def gibbs() -> Fit:
    return fitted(GibbsEngine(GibbsSettings(chains=4, warmup=500, draws=5000)))


@pytest.fixture(scope="module")
def em() -> Fit:
    return fitted(EmEngine(EmSettings(starts=5)))


def judged(point: Fit, gibbs: Fit):
    (pair,) = compare_fits([point, gibbs]).pairs
    return pair


def test_the_maximum_of_the_likelihood_agrees(em, gibbs):
    found = judged(em, gibbs)
    assert found.verdict == "agree"
    assert found.numbers["log_lik_gap"] == 0.0
    assert found.numbers["mahalanobis"] < found.numbers["mahalanobis_limit"]


@pytest.mark.slow
def test_the_labels_of_a_point_do_not_matter(em, gibbs):
    swapped = placed(Params(*(a[::-1] for a in em.point)), "em")
    found, plain = judged(swapped, gibbs), judged(em, gibbs)
    assert found.verdict == "agree"
    assert found.numbers["mahalanobis"] == pytest.approx(plain.numbers["mahalanobis"], rel=1e-9)


def test_the_maximum_of_the_posterior_agrees_though_it_is_not_the_likeliest(gibbs):
    priors = Priors(mean_loc=2.5, mean_sd=1.0, var_shape=50.0, var_scale=50.0)
    problem = Problem(SAMPLE, 2, priors)
    sampler = fitted(GibbsEngine(GibbsSettings(chains=4, warmup=500, draws=5000)), problem)
    top = fitted(EmEngine(EmSettings(starts=5, objective="map")), problem)
    found = judged(top, sampler)
    assert found.verdict == "agree"
    assert found.numbers["density_gap"] == 0.0 < found.numbers["log_lik_gap"]
    assert found.reasons[0].code == Code.AT_MAXIMUM
    assert found.reasons[0].numbers["of"] == "density"


def test_a_point_that_stopped_early_is_called_out_with_the_gap(em, gibbs):
    w, mu, sigma = em.point
    point = placed(Params(w, mu + 0.5, sigma))
    found = judged(point, gibbs)
    gap = gibbs.stat("log_lik").max() - point.stat("log_lik").max()
    assert (found.verdict, found.suspect) == ("disagree", "mine")
    assert found.numbers["log_lik_gap"] == pytest.approx(gap)
    assert (found.reasons[0].code, found.reasons[0].engine) == (Code.BELOW_A_DRAW, "mine")
    assert found.reasons[0].numbers == {"gap": pytest.approx(gap), "best": "gibbs"}


def test_a_status_is_passed_on(em, gibbs):
    found = judged(placed(em.point, status="did not converge"), gibbs)
    assert (found.verdict, found.suspect) == ("inconclusive", "mine")
    assert Reason(Code.STATUS, {"status": "did not converge"}, engine="mine") in found.reasons


def test_a_point_far_from_where_the_posterior_is(gibbs):
    """A spike on one observation is likelier than any draw, and nowhere near them."""
    spike = Params.of([1e-3, 1 - 1e-3], [SAMPLE.values[0], 2.0], [1e-150, 2.65])
    found = judged(placed(spike), gibbs)
    assert found.verdict == "disagree"
    assert found.numbers["mahalanobis"] > found.numbers["mahalanobis_limit"]
    assert (found.reasons[0].code, found.reasons[0].engine) == (Code.SPIKE, "mine")
    assert found.reasons[0].numbers["component"] == 1


def test_mahalanobis_distances():
    rng = np.random.default_rng(2)
    n = 4000
    x = np.array([0.3, 0.0, 2.0, 0.0, 0.1]) + rng.standard_normal((n, 5)) @ rng.normal(size=(5, 5))
    w = 1 / (1 + np.exp(-x[:, 0]))
    draws = Params(np.stack([w, 1 - w], -1)[None], x[None, :, 1:3], np.exp(x[None, :, 3:]))
    np.testing.assert_allclose(_coordinates(draws)[0], x)
    place = Params(*(a[0, 7] for a in draws))
    centre, cov = x.mean(axis=0), np.cov(x.T, ddof=0)
    d = np.sqrt(np.einsum("ij,jk,ik->i", x - centre, np.linalg.inv(cov), x - centre))
    small = np.zeros((1, n))
    cloud = _Cloud.of(draws, small)
    found = cloud.distance(place), cloud.limit, cloud.share
    np.testing.assert_allclose(found, (d[7], np.quantile(d, 0.999), 1.0), rtol=1e-8)
    name, sds = cloud.furthest(place, place._replace(mu=place.mu + np.array([0.0, 9.0])))
    assert name == "mu[2]"
    assert sds == pytest.approx(9.0 / x[:, 2].std())
    # Draws with an empty component are left out.
    small[0, : n // 4] = 1.0
    assert _Cloud.of(draws, small).share == 0.75


def test_a_component_that_is_mostly_empty_has_no_ellipse(em, gibbs):
    tree = gibbs.tree.copy()
    tree["sample_stats"]["prob_small"][:] = 1.0
    empty = Fit(gibbs.kind, tree, gibbs.engine, gibbs.seed, gibbs.seconds)
    found = judged(em, empty)
    assert found.verdict == "inconclusive"
    assert Reason(Code.NO_ELLIPSE, {"share": 1.0}, engine="gibbs") in found.reasons


def test_two_points(em):
    same = judged(placed(em.point), em)
    assert same.verdict == "agree"
    lower = placed(Params(em.point.w, em.point.mu + 0.5, em.point.sigma), "lower")
    found = judged(em, lower)
    assert (found.verdict, found.suspect) == ("disagree", "lower")
    gap = found.numbers["log_lik_gap"]
    assert found.reasons == (
        Reason(Code.LOWER_MAXIMUM, {"gap": gap, "higher": "em"}, engine="lower"),
    )
    strong = Problem(SAMPLE, 2, Priors(mean_loc=2.5, mean_sd=0.1, var_shape=3.0, var_scale=3.0))
    likeliest = fitted(EmEngine(EmSettings(starts=5)), strong)
    densest = fitted(EmEngine(EmSettings(starts=5, objective="map")), strong)
    renamed = Fit("point", densest.tree, "map", densest.seed, densest.seconds)
    found = judged(likeliest, renamed)
    assert (found.verdict, found.suspect) == ("inconclusive", None)
    gap = found.numbers["log_lik_gap"]
    each = {"likelier": "em", "denser": "map", "gap": gap}
    assert found.reasons == (Reason(Code.DIFFERENT_OBJECTIVES, each),)


def sklearn_em(y, K, priors, draws, warmup, chains, rng):
    """Fit with scikit-learn's default tolerance: a user's own point engine."""
    from sklearn.mixture import GaussianMixture

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = GaussianMixture(K, random_state=int(rng.integers(2**31))).fit(y[:, None])
    sd = np.sqrt(model.covariances_.ravel())
    return {"w": model.weights_, "mu": model.means_.ravel(), "sigma": sd}


@pytest.mark.slow
def test_scikit_learns_default_tolerance_stops_early_on_the_exoplanets(exoplanets):
    settings = {"warmup": 1000, "draws": 2500}
    gibbs = gc.fit(exoplanets, "gibbs", components=3, seed=1, **settings)
    best = gc.fit(exoplanets, "em", components=3, seed=1, starts=10)
    early = gc.fit(exoplanets, sklearn_em, components=3, seed=1, name="sklearn")
    found = gc.compare([best, gibbs, early])
    verdicts = {frozenset((p.a, p.b)): p for p in found.pairs}
    against_gibbs = verdicts[frozenset(("sklearn", "gibbs"))]
    assert found.verdict == "disagree"
    assert found.suspects == ("sklearn",)
    assert against_gibbs.verdict == "disagree"
    assert verdicts[frozenset(("em", "gibbs"))].suspect != "em"
    # The optimum is near -702, and scikit-learn stops near -832.
    assert best.stat("log_lik").item() == pytest.approx(-702, abs=1)
    assert early.stat("log_lik").item() == pytest.approx(-832, abs=2)
    assert against_gibbs.numbers["log_lik_gap"] == pytest.approx(130 - 2, abs=5)
    assert against_gibbs.reasons[0].code == Code.BELOW_A_DRAW
    assert "sklearn" in found.sentence()

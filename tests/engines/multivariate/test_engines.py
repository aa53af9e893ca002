"""Gibbs, plain and fast, and EM for multivariate normals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest

import gmmcompare as gc
from gmmcompare.engines.base import Problem
from gmmcompare.engines.em.engine import EmEngine
from gmmcompare.engines.multivariate import em, gibbs, plain
from gmmcompare.model.card import EmSettings, GibbsSettings
from gmmcompare.model.multivariate.compiled import score
from gmmcompare.model.multivariate.density import log_likelihood, simulate
from gmmcompare.model.multivariate.sample import VectorSample
from gmmcompare.runtime.errors import EngineError
from gmmcompare.runtime.progress import no_progress

TRUE = gc.MultivariateParams.of(
    [0.5, 0.3, 0.2],
    [[0.0, 0.0, 1.0], [3.0, 1.0, 0.0], [-2.0, 4.0, 0.0]],
    [np.eye(3), [[1.0, 0.5, 0], [0.5, 1.0, 0.2], [0, 0.2, 0.5]], 0.3 * np.eye(3)],
)
PRIORS = gc.MultivariatePriors(1.0, 0.0, 9.0 * np.eye(3), 5, np.eye(3))


def problem(n: int = 80, seed: int = 0) -> Problem:
    y, _ = simulate(TRUE, n, np.random.default_rng(seed))
    return Problem(VectorSample.of(np.round(y, 1)), 3, PRIORS)


def test_the_fast_sweep_makes_the_draws_of_the_plain_one():
    point, y = TRUE, problem().sample.y
    for seed in range(5):
        slow = plain.sweep(*point, y, PRIORS, np.random.default_rng(seed))
        fast = gibbs.sweep(*point, y, PRIORS, np.random.default_rng(seed))
        for a, b in zip(slow, fast, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)
        point = slow


def test_both_engines_make_the_same_draws():
    settings = GibbsSettings(chains=2, warmup=3, draws=5)
    slow = plain.PlainGibbsEngine(settings).run(problem(), 1, no_progress)
    fast = gibbs.GibbsEngine(settings).run(problem(), 1, no_progress)
    for a, b in zip(slow.params, fast.params, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-9)
    np.testing.assert_array_equal(slow.stats["n_k"], fast.stats["n_k"])


def test_scores_are_those_of_the_plain_functions():
    draws = gibbs.GibbsEngine(GibbsSettings(chains=2, warmup=10, draws=20)).run(
        problem(), 1, no_progress
    )
    scores = score(problem().sample, draws.params)
    expected = log_likelihood(problem().sample, draws.params)
    np.testing.assert_allclose(scores.log_lik, expected, rtol=1e-12)
    assert ((scores.prob_empty >= 0) & (scores.prob_empty <= scores.prob_small)).all()


def test_gibbs_has_the_exact_posterior():
    """Thinned draws against exact ones; the false-alarm rate is 1e-6 for each of 15 functions."""
    y = np.array([[-1.0, 0.2], [-0.7, -0.4], [0.9, 1.1], [1.6, 0.8], [0.1, -2.0], [-1.0, 0.2]])
    priors = gc.MultivariatePriors(
        [0.7, 2.0],
        [[0.3, 0.0], [-1.0, 0.5]],
        [[2, 0.4], [0.4, 1]],
        [5.0, 4.5],
        [[[1.5, 0.2], [0.2, 0.8]], [[0.4, -0.1], [-0.1, 0.6]]],
    )
    exact = gc.exact_posterior(y, 2, priors).sample(4000, np.random.default_rng(0))
    engine = gibbs.GibbsEngine(GibbsSettings(chains=4, warmup=200, draws=40_000))
    draws = engine.run(Problem(VectorSample.of(y), 2, priors), 2, no_progress).params
    thinned = gc.MultivariateParams(*(a[:, ::40].reshape(-1, *a.shape[2:]) for a in draws))
    for theirs, ours in (
        (exact.w[:, 0], thinned.w[:, 0]),
        *((exact.mu[:, k, j], thinned.mu[:, k, j]) for k in range(2) for j in range(2)),
        *(
            (exact.cov[:, k, i, j], thinned.cov[:, k, i, j])
            for k in range(2)
            for i, j in ((0, 0), (0, 1), (1, 1))
        ),
    ):
        assert kstest(theirs, ours).pvalue > 1e-6


@pytest.mark.parametrize("objective", ["ml", "map"])
def test_em_never_descends_and_ends_where_nothing_is_gained(objective):
    point = em.EmEngine(EmSettings(starts=5, objective=objective)).run(problem(), 0, no_progress)
    gains = np.diff(point.extra["path"])
    assert (gains > -1e-9).all()
    assert point.status == "ok"
    sample = problem().sample

    def height(params: gc.MultivariateParams) -> float:
        prior = PRIORS.log_density(params) if objective == "map" else 0.0
        return float(log_likelihood(sample, params) + prior)

    top = height(point.params)
    rng = np.random.default_rng(1)
    for _ in range(20):
        noise = rng.normal(size=(3, 3, 3))
        w = point.params.w * np.exp(1e-3 * rng.normal(size=3))
        near = gc.MultivariateParams(
            w / w.sum(),
            point.params.mu + 1e-3 * rng.normal(size=(3, 3)),
            point.params.cov + 1e-4 * (noise + np.swapaxes(noise, -1, -2)),
        )
        assert height(near) < top


def test_em_on_old_faithful_is_the_published_maximum():
    """Fraley and Raftery's mclust has -1130.264 for two components of any shape (11 parameters)."""
    card = gc.load_card("faithful-k2")
    fit = gc.fit(card, "em")
    assert fit.stat("log_lik")[0, 0] == pytest.approx(-1130.264, abs=5e-4)


def test_a_collapse_is_no_solution():
    y = np.vstack([np.zeros((5, 2)), np.random.default_rng(0).normal(3, 1, (20, 2))])
    priors = gc.MultivariatePriors(1.0, 0.0, 9.0 * np.eye(2), 5, np.eye(2))
    tied = Problem(VectorSample.of(y), 2, priors)
    with pytest.raises(EngineError, match="all 3 starts collapsed"):
        em.EmEngine(EmSettings(starts=3)).run(tied, 0, no_progress)
    found = em.EmEngine(EmSettings(starts=3, objective="map")).run(tied, 0, no_progress)
    assert found.status == "ok"


def test_one_dimension_is_the_normal_family():
    """EM in one dimension, by both codes."""
    galaxies = gc.load_sample("galaxies", "velocity_1000km_s")
    normal = EmEngine(EmSettings()).run(Problem(galaxies, 3, gc.Priors()), 0, no_progress)
    priors = gc.MultivariatePriors(1.0, 0.0, [[900.0]], 2e-4, [[2e-4]])
    vectors = Problem(VectorSample.of(galaxies.y[:, None]), 3, priors)
    point = em.EmEngine(EmSettings(starts=30)).run(vectors, 0, no_progress)
    found, expected = point.params.ordered_by_mean(), normal.params.ordered_by_mean()
    np.testing.assert_allclose(found.mu[:, 0], expected.mu, rtol=1e-4)
    np.testing.assert_allclose(found.cov[:, 0, 0], expected.sigma**2, rtol=1e-3)

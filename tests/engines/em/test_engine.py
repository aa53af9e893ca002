"""EM: the optimum, how every start ended, and the errors of the estimates."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.mixture import GaussianMixture

from gmmcompare.engines.base import Point, Problem, no_progress
from gmmcompare.engines.em import engine as em
from gmmcompare.engines.em import information as em_information
from gmmcompare.engines.em.engine import EmEngine
from gmmcompare.engines.em.information import information_sums
from gmmcompare.model import mixture
from gmmcompare.model.card import EmSettings
from gmmcompare.model.params import Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample
from gmmcompare.runtime.errors import EngineError, InputError

TRUTH = Params.of([0.5, 0.3, 0.2], [-3.0, 0.5, 4.0], [0.5, 1.0, 0.7])
EASY = Sample.of(np.round(mixture.simulate(TRUTH, 1500, np.random.default_rng(1))[0], 2))
PRIORS = Priors([2.0, 1.0, 3.0], [0.0, 1.0, -1.0], [1.0, 5.0, 3.0], [3.0, 1e-4, 2.0], 0.7)


def run(sample: Sample, K: int = 3, priors: Priors | None = None, seed: int = 1, **chosen) -> Point:
    problem = Problem(sample, K, priors or Priors())
    return EmEngine(EmSettings(**chosen)).run(problem, seed, no_progress)


def coordinates(point: Params) -> np.ndarray:
    """Return logits of w with the last at 0, mu, and log sigma, shape (3K - 1,)."""
    log_w = np.log(point.w)
    return np.concatenate([(log_w - log_w[-1])[:-1], point.mu, np.log(point.sigma)])


def point_at(x: np.ndarray) -> Params:
    K = (x.size + 1) // 3
    w = np.exp(np.append(x[: K - 1], 0.0))
    return Params(w / w.sum(), x[K - 1 : 2 * K - 1], np.exp(x[2 * K - 1 :]))


def objective(x: np.ndarray, sample: Sample, priors: Priors | None = None) -> float:
    """Return the log-likelihood, or with priors the log density over (w, mu, log sigma^2)."""
    point = point_at(x)
    value = float(mixture.log_likelihood(sample, point))
    if priors is None:
        return value
    return value + float(priors.log_density(point)) + 2 * float(np.log(point.sigma).sum())


def steps(point: Params, size: float) -> np.ndarray:
    """Return a step for each coordinate: means move by a fraction of their component's sd."""
    return size * np.concatenate([np.ones(point.K - 1), point.sigma, np.ones(point.K)])


def numerical_score(point: Params, sample: Sample, priors: Priors | None = None) -> np.ndarray:
    """Differentiate the objective by Richardson's extrapolation of central differences.

    The derivative by a mean is taken per sd of its component.
    """
    x = coordinates(point)
    out = np.empty(x.size)
    for i, h in enumerate(steps(point, 1e-3)):
        e = np.zeros(x.size)
        e[i] = h
        wide = objective(x + 2 * e, sample, priors) - objective(x - 2 * e, sample, priors)
        near = objective(x + e, sample, priors) - objective(x - e, sample, priors)
        out[i] = (8 * near - wide) / 12 / 1e-3
    return out


def numerical_information(point: Params, sample: Sample, priors: Priors | None) -> np.ndarray:
    """Return minus the Hessian by central differences, (3K - 1, 3K - 1)."""
    x, h = coordinates(point), steps(point, 1e-3)
    n = x.size
    out = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            corners = [
                a
                * b
                * objective(x + a * h[i] * np.eye(n)[i] + b * h[j] * np.eye(n)[j], sample, priors)
                for a in (-1, 1)
                for b in (-1, 1)
            ]
            out[i, j] = -math.fsum(corners) / (4 * h[i] * h[j])
    return out


def test_it_finds_what_scikit_learn_finds():
    own = GaussianMixture(3, tol=1e-12, max_iter=5000, n_init=5, reg_covar=0.0, random_state=1)
    own.fit(EASY.y[:, None])
    expected = Params(
        own.weights_, own.means_[:, 0], np.sqrt(own.covariances_[:, 0, 0])
    ).ordered_by_mean()
    found = run(EASY).params.ordered_by_mean()
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
    assert mixture.log_likelihood(EASY, found) >= mixture.log_likelihood(EASY, expected) - 1e-9


@pytest.mark.parametrize("accelerate", [True, False])
@pytest.mark.parametrize("chosen", ["ml", "map"])
def test_the_objective_never_falls_and_ends_where_the_score_is_zero(chosen, accelerate):
    priors = PRIORS if chosen == "map" else None
    found = run(EASY, priors=priors, objective=chosen, accelerate=accelerate)
    path = found.extra["objective_path"]
    assert found.status == "ok"
    assert path.size > 5
    assert np.diff(path).min() > -1e-9 * abs(path[-1])
    assert np.abs(numerical_score(found.params, EASY, priors)).max() < 1e-6 * EASY.n
    # The path is the objective itself, in the units of the data.
    assert path[-1] == pytest.approx(objective(coordinates(found.params), EASY, priors), rel=1e-11)
    assert found.extra["start_objective"].max() == path[-1]


def test_acceleration_takes_fewer_iterations_to_the_same_end():
    plain, fast = (run(EASY, accelerate=a, starts=10) for a in (False, True))
    iterations = [np.median(p.extra["start_iterations"]) for p in (plain, fast)]
    assert iterations[1] < 0.7 * iterations[0]
    for a, b in zip(*(p.params.ordered_by_mean() for p in (plain, fast)), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_with_unequal_priors_the_map_is_stationary_and_no_maximum_likelihood():
    found = run(EASY, priors=PRIORS, objective="map").params
    assert np.abs(numerical_score(found, EASY, PRIORS)).max() < 1e-6 * EASY.n
    assert np.abs(numerical_score(found, EASY)).max() > 1.0
    # And no lower than nearby points: a maximum, not a saddle.
    x, rng = coordinates(found), np.random.default_rng(1)
    here = objective(x, EASY, PRIORS)
    nearby = [objective(x + 0.03 * rng.normal(size=x.size), EASY, PRIORS) for _ in range(50)]
    assert max(nearby) < here


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("seed", [0, 1, 2, 3, 4])
def test_real_exoplanets_from_any_seed(exoplanets, K, seed):
    found = run(exoplanets, K, seed=seed)
    best = float(mixture.log_likelihood(exoplanets, found.params))
    # Published to two decimals for K=3; for K=2 any point is a lower bound of the maximum.
    published = Params.of([0.3064, 0.6936], [0.0656, -0.7073], [0.0678, 0.2297])
    least = -702.035 if K == 3 else float(mixture.log_likelihood(exoplanets, published))
    assert best >= least
    assert found.status == "ok"
    assert np.abs(numerical_score(found.params, exoplanets)).max() < 1e-6 * exoplanets.n
    if seed == 0:
        return
    other = float(mixture.log_likelihood(exoplanets, run(exoplanets, K, seed=0).params))
    assert best == pytest.approx(other, abs=1e-4)


def test_real_exoplanets_are_as_published(exoplanets):
    w, mu, sigma = run(exoplanets).params.ordered_by_mean()
    np.testing.assert_allclose(w, [0.6715, 0.1405, 0.1880], atol=0.01)
    np.testing.assert_allclose(mu, [-0.7259, 0.0288, 0.0682], atol=0.004)
    np.testing.assert_allclose(sigma, [0.2063, 0.1426, 0.0261], atol=0.004)


def test_a_lecture_s_start_with_equal_means_is_recognised():
    found = run(EASY, start="lecture", starts=3)
    assert "all components are equal" in found.status
    assert "engines.em.start=spread" in found.status
    assert any("3 starts ended with all components equal" in note for note in found.notes)
    assert found.standard_errors is None
    assert found.solutions == ()
    np.testing.assert_array_equal(found.extra["start_outcome"], [em.EQUAL_MEANS] * 3)
    np.testing.assert_allclose(found.params.mu, EASY.mean, atol=1e-5)
    np.testing.assert_allclose(found.params.sigma, EASY.sd, rtol=1e-5)


def test_so_it_is_near_1e12_far_from_the_prior_means():
    far = Sample.of(1e12 + np.round(EASY.y * 64))
    found = run(far, start="lecture", starts=1)
    assert "all components are equal" in found.status
    np.testing.assert_allclose(found.params.sigma, far.sd, rtol=1e-5)


def test_the_saddle_of_equal_components_never_wins():
    """A sample of one normal, where many starts end there; a real maximum is better."""
    sample = Sample.of(np.random.default_rng(3).normal(size=200))
    found = run(sample, 2, starts=30)
    outcomes = found.extra["start_outcome"]
    assert (outcomes == em.CONVERGED).any()
    assert found.status == "ok"
    assert np.ptp(found.params.mu) + np.ptp(found.params.sigma) > 1e-3


def test_starts_that_collapse_on_repeated_values_are_counted_and_discarded():
    sample = Sample.of(np.r_[EASY.y, np.full(60, 1.5), np.full(40, -1.0)])
    found = run(sample, 4, starts=40)
    outcomes = found.extra["start_outcome"]
    collapsed = int((outcomes == em.COLLAPSED).sum())
    assert collapsed > 0
    assert any(f"{collapsed} starts collapsed onto one value" in note for note in found.notes)
    assert f"{(outcomes == em.CONVERGED).sum()} of 40 starts converged" in found.notes
    assert found.params.sigma.min() > np.diff(sample.values).min()
    assert outcomes.size == found.extra["start_iterations"].size == 40


@pytest.mark.parametrize(
    ("y", "K"), [([3.0, 3.0, 3.0, 4.0], 2), ([3.0] * 5, 1), ([3.0], 1), ([0.0, 1.0, 2.0], 3)]
)
def test_where_every_start_collapses_there_is_no_estimate(y, K):
    with pytest.raises(EngineError, match=r"all 20 starts collapsed: .*objective=map"):
        run(Sample.of(y), K)


def test_a_collapse_is_seen_though_two_values_are_all_but_equal():
    """Standardising rounds 1e-20 and 2e-20 to one value; their gap must not become zero."""
    y = np.r_[1e-20, 2e-20, np.random.default_rng(1).normal(size=20), [5.0] * 10]
    with pytest.raises(EngineError, match="all 20 starts collapsed"):
        run(Sample.of(y), 3)


@pytest.mark.parametrize("y", [[3.0] * 5, [3.0], [0.0, 1.0], [3.0, 3.0, 3.0, 4.0]])
def test_the_priors_keep_the_map_from_collapsing(y):
    priors = Priors(2.0, 0.5, 1.5, 3.0, 1.0)
    sample = Sample.of(y)
    for K in (1, 2):
        found = run(sample, K, priors=priors, objective="map")
        assert found.params.problem() == ""
        assert np.abs(numerical_score(found.params, sample, priors)).max() < 1e-6 * len(y)


@pytest.mark.parametrize("distance", [1e-6, 1e-4])
def test_narrow_components_converge_like_wide_ones(distance):
    """The score is free of units: a mean is known to a fraction of its own sd, however small."""
    rng = np.random.default_rng(2)
    y = np.r_[rng.normal(0, distance, 400), rng.normal(1, distance, 600)]
    found = run(Sample.of(y), 2, starts=6)
    assert found.status == "ok"
    ordered = found.params.ordered_by_mean()
    np.testing.assert_allclose(ordered.w, [0.4, 0.6], rtol=1e-9)
    np.testing.assert_allclose(ordered.sigma, [y[:400].std(), y[400:].std()], rtol=1e-6)


def test_one_component_is_the_mean_and_the_sd():
    found = run(EASY, 1)
    np.testing.assert_allclose(found.params.mu, EASY.mean, rtol=1e-12)
    np.testing.assert_allclose(found.params.sigma, EASY.sd, rtol=1e-9)
    np.testing.assert_allclose(found.standard_errors.mu, EASY.sd / math.sqrt(EASY.n), rtol=1e-6)
    expected = EASY.sd / math.sqrt(2 * EASY.n)
    np.testing.assert_allclose(found.standard_errors.sigma, expected, rtol=1e-6)
    np.testing.assert_allclose(found.standard_errors.w, 0.0, atol=1e-15)


@pytest.mark.parametrize("priors", [None, PRIORS], ids=["ml", "map"])
def test_standard_errors_are_those_of_the_hessian(priors):
    found = run(EASY, priors=priors, objective="map" if priors else "ml")
    point = found.params
    information = numerical_information(point, EASY, priors)
    sums = information_sums(EASY.values, EASY.counts, point)
    np.testing.assert_allclose(
        em_information.observed_information(point, sums, priors),
        information,
        rtol=1e-4,
        atol=1e-2,
    )
    covariance = np.linalg.inv(information)
    # The delta method by numerical differentiation of (w, mu, sigma).
    x, h = coordinates(point), 1e-6
    jacobian = np.stack(
        [
            (np.concatenate(point_at(x + h * e)) - np.concatenate(point_at(x - h * e))) / (2 * h)
            for e in np.eye(x.size)
        ],
        axis=1,
    )
    expected = np.sqrt(np.diag(jacobian @ covariance @ jacobian.T)).reshape(3, 3)
    for own, other in zip(found.standard_errors, expected, strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-4)


def test_standard_errors_do_not_depend_on_how_the_values_are_cut(monkeypatch):
    whole = information_sums(EASY.values, EASY.counts, TRUTH)
    monkeypatch.setattr(em_information, "BLOCK", 100)
    cut = information_sums(EASY.values, EASY.counts, TRUTH)
    for a, b in zip(whole, cut, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-9)


def test_criteria_by_hand():
    found = run(EASY)
    log_lik = float(mixture.log_likelihood(EASY, found.params))
    aic, bic, icl = (float(found.extra[name]) for name in ("aic", "bic", "icl"))
    assert aic == pytest.approx(2 * 8 - 2 * log_lik)
    assert bic == pytest.approx(8 * math.log(1500) - 2 * log_lik)
    r = mixture.responsibilities(EASY.y, found.params)
    entropy = -float(np.sum(r * np.log(np.where(r > 0, r, 1.0))))
    assert entropy > 1
    assert icl == pytest.approx(bic + 2 * entropy)


@pytest.mark.parametrize("power", [0, 6])
@pytest.mark.parametrize("chosen", ["ml", "map"])
def test_values_near_1e12(power, chosen):
    offsets = np.round(EASY.y[::4] * 16) / 16
    priors = Priors(2.0, 0.5, 8.0, 2.0, 0.5)
    moved = priors.transformed(-1e12 * 2.0**-power, 2.0**-power)
    far = Sample.of(1e12 + offsets * 2.0**power)
    here = run(Sample.of(offsets), priors=priors, objective=chosen)
    there = run(far, priors=moved, objective=chosen)
    assert there.status == "ok"
    near, distant = here.params.ordered_by_mean(), there.params.ordered_by_mean()
    np.testing.assert_allclose(distant.w, near.w, atol=1e-5)
    np.testing.assert_allclose(distant.sigma, near.sigma * 2.0**power, rtol=1e-4)
    np.testing.assert_allclose(distant.mu - 1e12, near.mu * 2.0**power, atol=1e-3 * 2.0**power)
    errors = here.standard_errors.ordered_by_mean(), there.standard_errors.ordered_by_mean()
    np.testing.assert_allclose(np.sort(errors[1].mu), np.sort(errors[0].mu) * 2.0**power, rtol=1e-3)


def test_a_map_with_a_concentration_below_one_is_refused():
    with pytest.raises(InputError, match=r"needs weight_concentration >= 1.*objective=ml"):
        run(EASY, priors=Priors(weight_concentration=[1.0, 0.5, 1.0]), objective="map")
    assert run(EASY, priors=Priors(weight_concentration=0.5)).status == "ok"


def test_running_out_of_iterations_is_said():
    found = run(EASY, starts=4, max_iterations=3)
    assert found.status == "did not converge: raise engines.em.max_iterations"
    assert "4 starts ran out of iterations" in found.notes
    assert (found.extra["start_iterations"] == 3).all()
    assert found.params.problem() == ""


def test_solutions_are_distinct_and_best_first():
    groups = np.repeat([0.0, 1.0, 2.2, 10.0, 11.5], [100, 80, 60, 90, 50])
    sample = Sample.of(groups + 0.2 * np.random.default_rng(0).normal(size=groups.size))
    found = run(sample, 3, starts=30)
    heights = [float(mixture.log_likelihood(sample, p)) for p in found.solutions]
    assert len(heights) > 1
    assert heights == sorted(heights, reverse=True)
    for a, b in zip(found.solutions[0], found.params, strict=True):
        np.testing.assert_array_equal(a, b)
    for i, one in enumerate(found.solutions):
        for other in found.solutions[:i]:
            apart = np.abs(np.array(one.ordered_by_mean()) - other.ordered_by_mean()).max()
            assert apart > 1e-3 or abs(heights[i] - heights[0]) > 1e-4


def test_the_same_seed_climbs_to_the_same_point():
    one, again = run(EASY, seed=5), run(EASY, seed=5)
    for a, b in zip(one.params, again.params, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(one.extra["start_iterations"], again.extra["start_iterations"])
    other = run(EASY, seed=6)
    assert not np.array_equal(one.extra["start_iterations"], other.extra["start_iterations"])


def test_a_fall_of_the_objective_would_be_reported():
    with pytest.raises(EngineError, match=r"fell by 0\.5, which EM never does"):
        em._assert_monotone(np.array([-10.0, -9.0, -9.5]))
    em._assert_monotone(np.array([-1e7, -1e7 - 1e-6]))


def test_progress_and_settings():
    done: list[float] = []
    engine = EmEngine(EmSettings(starts=4))
    engine.run(Problem(EASY, 2, Priors()), 1, done.append)
    assert done == [0.25, 0.5, 0.75, 1.0]
    assert engine.settings["starts"] == 4
    assert engine.name == "em"


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.integers(1, 4))
def test_em_climbs_on_any_data(seed, K):
    """Whatever it returns is a stationary point, or says why not."""
    rng = np.random.default_rng(seed)
    y = np.round(rng.standard_t(2, size=rng.integers(20, 200)) * 10, rng.integers(0, 4))
    sample = Sample.of(y)
    try:
        found = run(sample, K, starts=6)
    except EngineError:  # where every start collapsed, as above
        return
    assert found.params.problem() == ""
    if found.status == "ok":
        assert np.abs(numerical_score(found.params, sample)).max() < 1e-6 * sample.n
        assert np.diff(found.extra["objective_path"], prepend=-np.inf).min() > -1e-8

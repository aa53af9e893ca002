"""Priors: densities against SciPy and by integration, draws against distribution functions."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import dblquad
from scipy.special import gammaln
from scipy.stats import beta, dirichlet, gamma, invgamma, norm

from gmmcompare.model.params import Params
from gmmcompare.model.priors import Priors, log_gamma_draws
from gmmcompare.runtime.errors import InputError

ASYMMETRIC = Priors([0.7, 2.0, 4.0], [-1.0, 0.5, 20.0], [1.0, 3.0, 0.1], [3.0, 0.4, 9.0], 0.3)
ALPHA = 1e-9  # false-alarm rate of each comparison of draws with a distribution function


def distance(draws: np.ndarray, cdf: np.ndarray) -> float:
    """Return sup |F_n - F| as a multiple of its critical value at rate ALPHA.

    Dvoretzky-Kiefer-Wolfowitz (Massart 1990): P(sup |F_n - F| > e) <= 2 exp(-2 n e^2). ``cdf``
    holds F at the draws.
    """
    ordered = np.sort(cdf[np.argsort(draws, kind="stable")])
    steps = np.arange(draws.size + 1) / draws.size
    furthest = max(np.abs(ordered - steps[1:]).max(), np.abs(ordered - steps[:-1]).max())
    return float(furthest / math.sqrt(math.log(2 / ALPHA) / (2 * draws.size)))


def test_defaults_are_those_of_the_design():
    expected = {
        "weight_concentration": 1.0,
        "mean_loc": 0.0,
        "mean_sd": 30.0,
        "var_shape": 1e-4,
        "var_scale": 1e-4,
    }
    assert Priors().to_dict() == expected


def test_density_of_one_component_integrates_to_one():
    priors = Priors(2.0, 0.5, 1.5, 3.0, 1.0)

    def density(log_var: float, mu: float) -> float:
        point = Params.of([1.0], [mu], [math.exp(0.5 * log_var)])
        return math.exp(float(priors.log_density(point)) + log_var)

    total, _ = dblquad(density, 0.5 - 12.0, 0.5 + 12.0, -5.0, 12.0, epsabs=1e-9)
    assert total == pytest.approx(1.0, abs=1e-7)


def test_density_of_two_components_integrates_to_one():
    """In five dimensions: w (exact for a polynomial), both means and both log variances.

    The trapezoid rule converges exponentially for smooth integrands that vanish at the ends.
    """
    priors = Priors([2.0, 3.0], [0.5, -4.0], [1.5, 0.2], [3.0, 5.0], [1.0, 2.0])
    nodes, weights = np.polynomial.legendre.leggauss(4)
    standard = np.linspace(-6.6, 6.6, 13)
    log_var = np.linspace(-3.5, 9.8, 39)
    steps = (standard[1] - standard[0]) ** 2 * 1.5 * 0.2 * (log_var[1] - log_var[0]) ** 2
    grids = np.meshgrid(
        (nodes + 1) / 2,
        0.5 + 1.5 * standard,
        -4.0 + 0.2 * standard,
        log_var,
        log_var,
        indexing="ij",
    )
    w, mu_1, mu_2, v_1, v_2 = (g.ravel() for g in grids)
    points = Params(
        np.stack([w, 1 - w], axis=-1),
        np.stack([mu_1, mu_2], axis=-1),
        np.exp(0.5 * np.stack([v_1, v_2], axis=-1)),
    )
    density = np.exp(priors.log_density(points) + v_1 + v_2).reshape(grids[0].shape)
    total = np.tensordot(weights / 2, density.sum(axis=(1, 2, 3, 4)), 1) * steps
    assert total == pytest.approx(1.0, abs=1e-6)


positive = st.floats(1e-3, 1e3)


@st.composite
def priors_and_points(draw):
    K = draw(st.integers(1, 5))

    def field(element):
        return draw(st.one_of(element, st.lists(element, min_size=K, max_size=K)))

    centre = st.floats(-1e3, 1e3)
    priors = Priors(field(positive), field(centre), *(field(positive) for _ in range(3)))
    w = np.array(draw(st.lists(st.floats(0.01, 1.0), min_size=K, max_size=K)))
    mu = np.array(draw(st.lists(centre, min_size=K, max_size=K)))
    sigma = np.array(draw(st.lists(positive, min_size=K, max_size=K)))
    return priors, Params(w / w.sum(), mu, sigma)


@given(priors_and_points())
def test_density_is_the_product_that_scipy_knows(case):
    priors, point = case
    c, m0, s0, a, b = (np.asarray(v) for v in priors.expanded(point.K).to_dict().values())
    expected = dirichlet.logpdf(point.w, c) if point.K > 1 else 0.0
    expected += norm.logpdf(point.mu, m0, s0).sum()
    expected += invgamma.logpdf(point.sigma**2, a, scale=b).sum()
    assert float(priors.log_density(point)) == pytest.approx(expected, rel=1e-10, abs=1e-8)


@given(priors_and_points(), st.floats(-1e3, 1e3), st.floats(1e-2, 1e2))
def test_priors_of_transformed_data_differ_by_the_jacobian(case, shift, scale):
    priors, point = case
    moved = Params(point.w, (point.mu - shift) / scale, point.sigma / scale)
    there = priors.expanded(point.K).transformed(shift, scale).log_density(moved)
    # Each mean is divided by scale, each variance by its square.
    here = priors.log_density(point) + 3 * point.K * math.log(scale)
    assert float(there) == pytest.approx(float(here), rel=1e-8, abs=1e-6)


@given(priors_and_points(), st.randoms(use_true_random=False))
def test_permuted_priors_follow_the_components(case, random):
    priors, point = case
    order = np.array(random.sample(range(point.K), point.K))
    turned = Params(*(a[order] for a in point))
    permuted = priors.permuted(order).log_density(turned)
    assert float(permuted) == pytest.approx(float(priors.log_density(point)), rel=1e-12, abs=1e-9)


def test_density_takes_batches():
    rng = np.random.default_rng(1)
    points = Params(
        rng.dirichlet(np.ones(3), (2, 5)), rng.normal(size=(2, 5, 3)), rng.random((2, 5, 3)) + 0.1
    )
    density = ASYMMETRIC.log_density(points)
    assert density.shape == (2, 5)
    one = Params(*(a[1, 3] for a in points))
    assert density[1, 3] == ASYMMETRIC.log_density(one)
    assert density.std() > 0.1


def test_density_at_the_edges_of_the_space():
    infinite = Params.of([0.5, 0.5], [0.0, 0.0], [1.0, np.inf])
    assert Priors().log_density(infinite) == -np.inf
    tiny = Params.of([0.5, 0.5], [0.0, 0.0], [1.0, 1e-200])
    assert Priors().log_density(tiny) == -np.inf
    no_weight = Params.of([0.0, 1.0], [0.0, 0.0], [1.0, 1.0])
    assert np.isfinite(Priors().log_density(no_weight))
    assert Priors(weight_concentration=2.0).log_density(no_weight) == -np.inf


def test_draws_have_the_prior_distributions():
    """20,000 draws; each marginal, and the ratio of two weights, at rate ALPHA."""
    rng = np.random.default_rng(2)
    points = [ASYMMETRIC.sample(rng, 3) for _ in range(20_000)]
    w, mu, sigma = (np.array(a) for a in zip(*points, strict=True))
    np.testing.assert_allclose(w.sum(axis=1), 1.0, rtol=1e-14)
    c, m0, s0, a, b = (np.asarray(v) for v in ASYMMETRIC.expanded(3).to_dict().values())
    for k in range(3):
        assert distance(w[:, k], beta.cdf(w[:, k], c[k], c.sum() - c[k])) < 1
        assert distance(mu[:, k], norm.cdf(mu[:, k], m0[k], s0[k])) < 1
        variance = sigma[:, k] ** 2
        assert distance(variance, invgamma.cdf(variance, a[k], scale=b[k])) < 1
    ratio = w[:, 0] / (w[:, 0] + w[:, 1])
    assert distance(ratio, beta.cdf(ratio, c[0], c[1])) < 1
    # Means of different components, and means and sds, are independent.
    both = norm.cdf(mu[:, 0], m0[0], s0[0]) + norm.cdf(mu[:, 1], m0[1], s0[1])
    assert distance(both, np.where(both < 1, both**2 / 2, 1 - (2 - both) ** 2 / 2)) < 1
    both = norm.cdf(mu[:, 2], m0[2], s0[2]) + invgamma.cdf(sigma[:, 2] ** 2, a[2], scale=b[2])
    assert distance(both, np.where(both < 1, both**2 / 2, 1 - (2 - both) ** 2 / 2)) < 1


def test_the_distance_notices_a_shape_off_by_one_half():
    rng = np.random.default_rng(2)
    wrong = Priors(var_shape=3.5, var_scale=1.0)
    variance = np.array([wrong.sample(rng, 1).sigma[0] ** 2 for _ in range(20_000)])
    assert distance(variance, invgamma.cdf(variance, 3.0)) > 1


def test_log_gamma_draws_do_not_underflow():
    """At shape 1e-4 nearly every gamma variate is below the smallest double; rate ALPHA."""
    rng = np.random.default_rng(3)
    shapes = np.array([1e-4, 0.3, 1.0, 7.3])
    draws = np.array([log_gamma_draws(rng, shapes) for _ in range(20_000)])
    assert np.isfinite(draws).all()
    assert (draws[:, 0] < math.log(5e-324)).mean() > 0.9
    # Gamma(a, x) / x^a tends to 1 / a as x goes to 0: exact to rounding below exp(-50).
    log_x = draws[:, 0]
    lower = np.exp(1e-4 * log_x - gammaln(1.0 + 1e-4))
    cdf = np.where(log_x < -50, lower, gamma.cdf(np.exp(log_x), 1e-4))
    assert distance(log_x, cdf) < 1
    for j in (1, 2, 3):
        assert distance(draws[:, j], gamma.cdf(np.exp(draws[:, j]), shapes[j])) < 1


def test_draws_under_the_default_priors_are_points_though_sds_may_be_infinite():
    rng = np.random.default_rng(4)
    points = [Priors().sample(rng, 3) for _ in range(200)]
    assert all(point.problem() == "" for point in points)
    infinite = np.mean([np.isinf(point.sigma) for point in points])
    # log(b / G) exceeds 2 log(1.8e308) with probability about exp(-1e-4 * 1410) = 0.87; Hoeffding
    # puts 600 draws within 0.14 at a rate of 1e-9.
    assert abs(infinite - 0.87) < 0.14
    few = Priors(weight_concentration=1e-4).sample(rng, 4)
    assert few.problem() == ""


def test_fields_are_expanded_permuted_and_compared():
    full = ASYMMETRIC.expanded(3)
    np.testing.assert_array_equal(full.var_scale, [0.3, 0.3, 0.3])
    np.testing.assert_array_equal(full.mean_loc, [-1.0, 0.5, 20.0])
    assert full.permuted([2, 0, 1]).to_dict()["mean_sd"] == [0.1, 1.0, 3.0]
    assert full != ASYMMETRIC
    assert full == ASYMMETRIC.expanded(3)
    assert hash(full) == hash(ASYMMETRIC.expanded(3))
    assert Priors() != "priors"
    assert Priors(mean_sd=1) == Priors(mean_sd=1.0)
    assert Priors() != Priors(mean_loc=1e-9)


def test_exchangeable_means_that_components_have_equal_priors():
    assert Priors().exchangeable
    assert Priors(mean_sd=[2.0, 2.0]).exchangeable
    assert not ASYMMETRIC.exchangeable
    assert not Priors(var_scale=[1.0, 2.0]).exchangeable


def test_priors_cannot_be_changed():
    own = np.array([1.0, 2.0])
    priors = Priors(mean_loc=own)
    own[0] = 5.0
    assert priors.to_dict()["mean_loc"] == [1.0, 2.0]
    with pytest.raises(AttributeError):
        priors.mean_sd = 1.0
    with pytest.raises(ValueError, match="read-only"):
        priors.mean_loc[0] = 5.0


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"mean_sd": 0.0}, "priors.mean_sd must be positive, found 0"),
        ({"var_shape": -1.0}, "priors.var_shape must be positive, found -1"),
        ({"var_scale": [1.0, -0.5]}, "priors.var_scale must be positive, found -0.5"),
        ({"weight_concentration": 0}, "priors.weight_concentration must be positive"),
        ({"mean_loc": np.nan}, "priors.mean_loc must be finite, found nan"),
        ({"mean_sd": np.inf}, "priors.mean_sd must be finite, found inf"),
        ({"mean_loc": "wide"}, "priors.mean_loc must be a number or a list, found 'wide'"),
        ({"mean_loc": [[1.0]]}, r"found shape \(1, 1\)"),
        ({"mean_loc": []}, r"found shape \(0,\)"),
        ({"mean_loc": [1.0, [2.0]]}, "must be a number or a list"),
    ],
)
def test_bad_values_are_explained(fields, says):
    with pytest.raises(InputError, match=says):
        Priors(**fields)


def test_a_wrong_number_of_components_is_explained():
    with pytest.raises(InputError, match="mean_loc has 2 values but the mixture has 3 components"):
        Priors(mean_loc=[0.0, 1.0]).expanded(3)
    with pytest.raises(InputError, match="mean_loc has 2 values"):
        Priors(mean_loc=[0.0, 1.0]).log_density(Params.of([1.0], [0.0], [1.0]))
    with pytest.raises(InputError, match="at least 1, found 0"):
        Priors().expanded(0)


@settings(max_examples=20)
@given(st.integers(1, 6))
def test_a_density_of_no_observations_has_no_scale_of_its_own(K):
    """Scalars and their expansion are the same prior."""
    rng = np.random.default_rng(K)
    point = Params(rng.dirichlet(np.ones(K)), rng.normal(size=K), rng.random(K) + 0.1)
    assert Priors().log_density(point) == Priors().expanded(K).log_density(point)


def test_components_of_one_prior_form_a_group():
    assert Priors().groups(3) == ((0, 1, 2),)
    assert ASYMMETRIC.groups(3) == ((0,), (1,), (2,))
    assert Priors(mean_loc=[0.0, 5.0, 0.0]).groups(3) == ((0, 2), (1,))
    assert Priors(mean_loc=0.0).is_same(Priors(mean_loc=[0.0, 0.0]), 2)
    assert not Priors(mean_loc=0.0).is_same(Priors(mean_loc=[0.0, 1.0]), 2)


def test_the_favoured_order_has_the_highest_density():
    rng = np.random.default_rng(12)
    for _ in range(20):
        point = ASYMMETRIC.sample(rng, 3)
        density = {
            order: float(ASYMMETRIC.log_density(point.permuted(order)))
            for order in permutations(range(3))
        }
        assert tuple(ASYMMETRIC.favoured_order(point)) == max(density, key=density.__getitem__)

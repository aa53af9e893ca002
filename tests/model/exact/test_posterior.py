"""The exact posterior against enumeration, against another integral, and against its own draws."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import gammaincc, gammaln, logsumexp
from scipy.stats import beta

from gmmcompare.model import mixture
from gmmcompare.model.exact import component, exact_posterior, summed
from gmmcompare.model.exact.compiled import subset_convolution
from gmmcompare.model.exact.component import Component, Points
from gmmcompare.model.priors import Priors
from gmmcompare.runtime.errors import InputError

Y = (-1.3, -0.9, -1.05, 0.8, 1.4, 1.0)
TIED = (0.4, -1.1, 0.4, 2.0, 0.4)
MILD = Priors(mean_sd=2.0, var_shape=3.0, var_scale=2.0)


def unequal(K: int) -> Priors:
    """Priors that differ between components in every field."""
    return Priors(
        weight_concentration=[0.7, 2.0, 1.3][:K],
        mean_loc=[-1.0, 0.5, 2.0][:K],
        mean_sd=[1.0, 3.0, 0.5][:K],
        var_shape=[3.0, 2.0, 0.8][:K],
        var_scale=[1.0, 0.3, 2.0][:K],
    )


CALIBRATION = Priors(2.0, 0.5, 1.5, 3.0, 1.0)
PRIORS = {"default": Priors(), "calibration": CALIBRATION, "unequal": unequal(3)}
NAMES = ("w", "mu", "sigma")
AT = {"w": (0.05, 0.3, 0.8), "mu": (-1.2, 0.5, 3.0), "sigma": (0.02, 0.6, 1.5)}
ALPHA = 1e-7  # false-alarm rate of each comparison with random draws


class Enumerated:
    """The posterior, by summing over the K^N allocations."""

    def __init__(self, y: tuple[float, ...], K: int, priors: Priors) -> None:
        self.y, self.K, self.priors = np.array(y), K, priors.expanded(K)
        self.c = np.asarray(self.priors.weight_concentration)
        self.z = np.array(list(itertools.product(range(K), repeat=len(y))))
        self.n_k = (self.z[:, :, None] == np.arange(K)).sum(axis=1)
        log_p = (gammaln(self.n_k + self.c) - gammaln(self.c)).sum(axis=1)
        for k in range(K):
            log_p += [np.log(integral(s, *self.prior(k))) if s else 0.0 for s in self.sets(k)]
        log_dirichlet = gammaln(self.c.sum()) - gammaln(len(y) + self.c.sum())
        self.log_evidence = logsumexp(log_p) + log_dirichlet
        self.p = np.exp(log_p - logsumexp(log_p))

    def prior(self, k: int) -> tuple[float, float, float, float]:
        p = self.priors
        return tuple(float(a[k]) for a in (p.mean_loc, p.mean_sd, p.var_shape, p.var_scale))

    def sets(self, k: int) -> list[tuple[float, ...]]:
        return [tuple(self.y[z == k]) for z in self.z]

    def cdf(self, name: str, x: float, k: int) -> float:
        if name == "w":
            n, c, rest = self.n_k[:, k], self.c[k], self.c.sum() - self.c[k]
            return float(self.p @ beta.cdf(x, n + c, self.y.size - n + rest))
        limit = {"mu": {"upto": x}, "sigma": {"sigma_upto": x}}[name]
        return float(
            sum(
                p * integral(s, *self.prior(k), **limit) / integral(s, *self.prior(k))
                for p, s in zip(self.p, self.sets(k), strict=True)
            )
        )

    def predictive(self, x: float) -> float:
        total = 0.0
        for k in range(self.K):
            weight = self.p * (self.n_k[:, k] + self.c[k]) / (self.y.size + self.c.sum())
            total += sum(
                p * integral((*s, x), *self.prior(k)) / integral(s, *self.prior(k))
                for p, s in zip(weight, self.sets(k), strict=True)
            )
        return float(total)


@cache
def integral(
    y: tuple[float, ...],
    m0: float,
    sd: float,
    a: float,
    b: float,
    upto: float = math.inf,
    sigma_upto: float = math.inf,
) -> float:
    """Integrate prior times likelihood of one component over mu <= upto and sigma <= sigma_upto.

    The variance is integrated out in closed form, which leaves an integral over the mean: nothing
    is shared with `component`, which integrates over the log variance.
    """
    shape = a + len(y) / 2
    log_constant = a * math.log(b) - math.lgamma(a) + math.lgamma(shape)
    log_constant -= (len(y) + 1) / 2 * math.log(2 * math.pi) + math.log(sd)

    def integrand(mu: float) -> float:
        scale = b + 0.5 * sum((v - mu) ** 2 for v in y)
        part = 1.0 if math.isinf(sigma_upto) else float(gammaincc(shape, scale / sigma_upto**2))
        return part * math.exp(log_constant - shape * math.log(scale) - 0.5 * ((mu - m0) / sd) ** 2)

    # Quadrature has to be told where the integrand is narrow.
    ybar = sum(y) / len(y) if y else m0
    width = math.sqrt((b + 0.5 * sum((v - ybar) ** 2 for v in y)) / shape)
    steps = np.geomspace(1.0, 1e5, 9)
    offsets = np.concatenate([-steps, [0.0], steps])
    low, high = m0 - 12 * sd, min(m0 + 12 * sd, upto)
    cuts = np.concatenate([ybar + width * offsets, m0 + sd * offsets, [low, high]])
    cuts = np.unique(cuts[(cuts >= low) & (cuts <= high)])
    pieces = itertools.pairwise(cuts)
    return math.fsum(quad(integrand, *piece, epsabs=0.0, epsrel=1e-11)[0] for piece in pieces)


@pytest.mark.parametrize(
    ("priors", "log_evidence"), [(Priors(), -23.192480144401), (MILD, -10.863586392887)]
)
def test_log_evidence_of_the_published_case(priors, log_evidence):
    assert exact_posterior(Y, 2, priors).log_evidence == pytest.approx(log_evidence, abs=1e-9)


@pytest.mark.parametrize("priors", PRIORS.values(), ids=PRIORS)
@pytest.mark.parametrize("y", [Y, (*TIED, -0.2)], ids=["distinct", "tied"])
def test_sums_over_allocations_equal_enumeration(y, priors):
    posterior, brute = exact_posterior(y, 3, priors), Enumerated(y, 3, priors)
    occupied = (brute.n_k > 0).sum(axis=1)
    together = brute.z[:, :, None] == brute.z[:, None, :]
    prob_occupied = np.bincount(occupied, weights=brute.p, minlength=4)
    assert posterior.log_evidence == pytest.approx(brute.log_evidence, abs=1e-10)
    np.testing.assert_allclose(posterior.prob_occupied, prob_occupied, rtol=1e-10)
    assert posterior.prob_empty == pytest.approx(prob_occupied[:3].sum(), rel=1e-10)
    np.testing.assert_allclose(
        np.broadcast_to(posterior.prob_component_empty, 3), brute.p @ (brute.n_k == 0), rtol=1e-10
    )
    np.testing.assert_allclose(
        posterior.coclustering, np.tensordot(brute.p, together, 1), rtol=1e-10
    )


@pytest.mark.parametrize("priors", PRIORS.values(), ids=PRIORS)
def test_marginals_and_predictive_equal_enumeration(priors):
    posterior, brute = exact_posterior(TIED, 3, priors), Enumerated(TIED, 3, priors)
    for name, k in itertools.product(NAMES, range(3)):
        expected = [brute.cdf(name, x, k) for x in AT[name]]
        np.testing.assert_allclose(posterior.cdf(name, AT[name], component=k), expected, atol=1e-10)
    x = (-3.0, 0.4, 1.0)
    expected = [brute.predictive(v) for v in x]
    np.testing.assert_allclose(posterior.predictive(x), expected, rtol=1e-9)


@pytest.mark.parametrize(
    ("y", "m0", "sd", "a", "b"),
    [
        (Y, 0.0, 1.0, 5000.0, 4000.0),  # a variance that is all but known
        (Y, 1e4, 1.0, 3.0, 1.0),  # points far from where the prior wants the mean
        (Y, 300.0, 10.0, 1e-4, 1e-4),  # two modes in log variance
        (Y, 0.0, 1e-3, 1e-4, 1e-4),  # a mean that is all but known
        ((0.3,) * 6, 0.0, 30.0, 1e-4, 1e-8),  # ties: no sum of squares
        ((0.3,), 0.0, 1e4, 1e-4, 1e-8),
    ],
)
def test_integral_over_log_variance_under_extreme_priors(y, m0, sd, a, b):
    component = Component(m0, sd**2, a, b)
    points = Points(np.array([len(y)]), np.array([np.mean(y)]), np.array([np.var(y) * len(y)]))
    log_variance = np.log(b / a + np.var(y)) + np.array([-1.0, -0.01, 0.0, 0.01, 1.0, 8.0])
    total = integral(y, m0, sd, a, b)
    expected = [integral(y, m0, sd, a, b, sigma_upto=math.exp(v / 2)) for v in log_variance]
    assert component.log_marginal(points)[0] == pytest.approx(math.log(total), abs=1e-9)
    np.testing.assert_allclose(
        component.log_var_cdf(points, np.ones(1), log_variance),
        np.array(expected) / total,
        atol=1e-9,
    )


@pytest.mark.parametrize("priors", PRIORS.values(), ids=PRIORS)
def test_distribution_functions_rise_from_zero_to_one(priors):
    posterior = exact_posterior(Y, 3, priors)
    grids = {
        "w": np.linspace(0.0, 1.0, 201),
        "mu": np.r_[-np.inf, np.linspace(-400.0, 400.0, 801), np.inf],
        "sigma": np.r_[-1.0, 0.0, np.geomspace(1e-6, 1e9, 400), np.inf],
    }
    for name, x in grids.items():
        values = posterior.cdf(name, x, component=1)
        assert values.shape == x.shape
        assert values[0] == 0.0
        assert values[-1] == pytest.approx(1.0, abs=1e-12)
        assert np.diff(values).min() > -1e-13  # rounding


def test_predictive_density_integrates_to_one():
    posterior = exact_posterior(TIED, 2, MILD)
    x, step = np.linspace(-60.0, 60.0, 6_001, retstep=True)
    assert posterior.predictive(x).sum() * step == pytest.approx(1.0, abs=1e-6)
    np.testing.assert_array_equal(posterior.predictive([-np.inf, np.inf]), 0.0)


@pytest.mark.parametrize("priors", PRIORS.values(), ids=PRIORS)
def test_draws_have_the_exact_marginals(priors):
    """Dvoretzky-Kiefer-Wolfowitz (Massart 1990): P(sup |F_n - F| > e) <= 2 exp(-2 n e^2)."""
    posterior, n = exact_posterior(Y, 3, priors), 20_000
    draws = posterior.sample(n, np.random.default_rng(1))
    assert draws.problem() == ""
    bound = math.sqrt(math.log(2 * 9 / ALPHA) / (2 * n))
    for name, values in draws._asdict().items():
        for k in range(3):
            ordered = np.sort(values[:, k])[:: n // 100]
            empirical = np.searchsorted(np.sort(values[:, k]), ordered, side="right") / n
            expected = posterior.cdf(name, ordered, component=k)
            assert np.abs(empirical - expected).max() < bound, (name, k)


@pytest.mark.parametrize("priors", PRIORS.values(), ids=PRIORS)
def test_draws_have_the_exact_joint_distribution(priors):
    """Means of functions with values in [0, 1] of all parameters, or of allocations, at once.

    Hoeffding: P(|mean - expectation| > e) <= 2 exp(-2 n e^2).
    """
    posterior, n = exact_posterior(Y, 3, priors), 20_000
    draws, z = posterior.sample_with_allocations(n, np.random.default_rng(2))
    bound = math.sqrt(math.log(2 * 80 / ALPHA) / (2 * n))
    together = (z[:, :, None] == z[:, None, :]).mean(axis=0)
    assert np.abs(together - posterior.coclustering).max() < bound
    r = mixture.responsibilities(Y, draws)
    together = np.einsum("nik,njk->ij", r, r) / n
    np.fill_diagonal(together, 1.0)  # an observation is in one component with itself
    assert np.abs(together - posterior.coclustering).max() < bound
    n_occupied = np.array([np.unique(row).size for row in z])
    frequency = np.bincount(n_occupied, minlength=4) / n
    assert np.abs(frequency - posterior.prob_occupied).max() < bound
    low, high = -0.5, 1.1
    inside = np.diff(mixture.cdf([low, high], draws), axis=-1).mean()
    expected = quad(posterior.predictive, low, high, epsabs=1e-9, points=Y[3:], limit=200)[0]
    assert abs(inside - expected) < bound


def test_draws_are_reproducible_and_differ_between_generators():
    posterior = exact_posterior(Y, 2, MILD)
    one, again, other = (posterior.sample(50, np.random.default_rng(s)).mu for s in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert not np.isin(one, other).any()


@settings(max_examples=30)
@given(data=st.data(), K=st.integers(1, 3), equal=st.booleans())
def test_order_of_data_and_components_and_units_of_data_mean_nothing(data, K, equal):
    y = np.array(data.draw(st.lists(st.integers(-8, 8), min_size=1, max_size=6))) / 4
    order = np.array(data.draw(st.permutations(range(y.size))))
    turn = np.array(data.draw(st.permutations(range(K))))
    shift, scale = data.draw(st.sampled_from([(0.0, 3.0), (-250.0, 0.01), (1e5, 7e3)]))
    priors = CALIBRATION if equal else unequal(K)
    one = exact_posterior(y, K, priors)
    other_priors = priors.expanded(K).permuted(turn).transformed(shift, scale)
    other = exact_posterior((y[order] - shift) / scale, K, other_priors)
    log_evidence = one.log_evidence + y.size * math.log(scale)
    assert other.log_evidence == pytest.approx(log_evidence, abs=1e-8)
    np.testing.assert_allclose(other.coclustering, one.coclustering[order][:, order], atol=1e-8)
    np.testing.assert_allclose(other.prob_occupied, one.prob_occupied, atol=1e-8)
    for k in range(K):
        for name, x, moved in (
            ("w", 0.4, 0.4),
            ("mu", 0.2, (0.2 - shift) / scale),
            ("sigma", 0.7, 0.7 / scale),
        ):
            expected = one.cdf(name, x, component=turn[k])
            assert other.cdf(name, moved, component=k) == pytest.approx(expected, abs=1e-8)
    expected = one.predictive([-1.0, 0.6])
    at = (np.array([-1.0, 0.6]) - shift) / scale
    np.testing.assert_allclose(other.predictive(at) / scale, expected, atol=1e-8)


def test_one_component_is_one_integral():
    posterior = exact_posterior(Y, 1, MILD)
    assert posterior.log_evidence == pytest.approx(math.log(integral(Y, 0.0, 2.0, 3.0, 2.0)))
    np.testing.assert_array_equal(posterior.prob_occupied, [0.0, 1.0])
    np.testing.assert_array_equal(posterior.cdf("w", [0.0, 0.99, 1.0, 2.0]), [0, 0, 1, 1])
    assert posterior.prob_component_empty == 0.0
    np.testing.assert_array_equal(posterior.sample(5, np.random.default_rng(1)).w, 1.0)


def test_more_components_than_observations():
    posterior, brute = exact_posterior((0.3, 0.9), 4, MILD), Enumerated((0.3, 0.9), 4, MILD)
    assert posterior.log_evidence == pytest.approx(brute.log_evidence, abs=1e-10)
    assert posterior.prob_occupied.shape == (5,)
    np.testing.assert_array_equal(posterior.prob_occupied[[0, 3, 4]], 0.0)
    assert posterior.prob_empty == pytest.approx(1.0)


def test_sixteen_observations_and_four_components():
    y = np.round(np.random.default_rng(5).normal(size=16), 1)
    posterior = exact_posterior(y, 4, Priors())
    assert posterior.prob_occupied.sum() == pytest.approx(1.0, abs=1e-12)
    together = posterior.coclustering
    np.testing.assert_array_equal(together, together.T)
    np.testing.assert_array_equal(np.diag(together), 1.0)
    assert ((together > 0.0) & (together <= 1.0)).all()
    assert 0.0 < posterior.prob_component_empty < posterior.prob_empty < 1.0
    draws, z = posterior.sample_with_allocations(500, np.random.default_rng(6))
    assert draws.problem() == ""
    assert np.unique(z).tolist() == [0, 1, 2, 3]


def test_results_do_not_depend_on_how_the_work_is_cut(monkeypatch):
    def everything():
        posterior = exact_posterior(Y, 2, Priors())
        curves = [posterior.cdf(name, AT[name]) for name in NAMES]
        return np.r_[posterior.log_evidence, *curves, posterior.predictive(AT["mu"])]

    whole = everything()
    monkeypatch.setattr(component, "_BLOCK", 700)
    monkeypatch.setattr(summed, "_BLOCK", 100)
    np.testing.assert_allclose(everything(), whole, atol=1e-11)


@pytest.mark.parametrize("spread", [1.0, 3000.0])
def test_subset_convolution_beyond_the_range_of_a_double(spread):
    rng = np.random.default_rng(7)
    log_a, log_b = rng.normal(scale=spread, size=(2, 64))
    log_a[rng.random(64) < 0.2] = -np.inf
    subsets = [[t for t in range(64) if t & s == t] for s in range(64)]
    expected = [logsumexp([log_a[t] + log_b[s ^ t] for t in sub]) for s, sub in enumerate(subsets)]
    np.testing.assert_allclose(subset_convolution(log_a, log_b), expected, rtol=1e-13)


def test_distant_groups_under_a_tight_prior_do_not_underflow():
    """Each allocation alone has a probability that no double can hold."""
    y = (-900.0, -899.0, 0.0, 1.0, 900.0, 901.0)
    tight = Priors(mean_sd=1.0, var_shape=5e4, var_scale=5e4)
    posterior = exact_posterior(y, 2, tight)
    assert posterior.log_evidence < -1e5
    assert posterior.prob_occupied.sum() == pytest.approx(1.0)
    draws, z = posterior.sample_with_allocations(200, np.random.default_rng(8))
    together = (z[:, :, None] == z[:, None, :]).mean(axis=0)
    # Hoeffding, as above.
    bound = math.sqrt(math.log(2 * 15 / ALPHA) / (2 * 200))
    assert np.abs(together - posterior.coclustering).max() < bound
    assert draws.problem() == ""


@pytest.mark.parametrize(
    ("y", "K", "priors", "says"),
    [
        (np.zeros(17), 2, Priors(), "17 observations are too many .* at most 16"),
        ([1.0, np.nan], 2, Priors(), "observation 2 is nan"),
        ([1.0, np.inf], 2, Priors(), "observation 2 is inf"),
        ([], 2, Priors(), "one non-empty column"),
        ([[1.0]], 2, Priors(), "one non-empty column"),
        (["x"], 2, Priors(), "must be numbers"),
        ([1.0], 0, Priors(), "at least 1, found 0"),
        ([1.0], 2, unequal(3), "3 values but the mixture has 2"),
    ],
)
def test_bad_input_is_explained(y, K, priors, says):
    with pytest.raises(InputError, match=says):
        exact_posterior(y, K, priors)


def test_bad_questions_are_explained():
    posterior = exact_posterior(Y, 3, unequal(3))
    with pytest.raises(InputError, match="say which one"):
        posterior.cdf("mu", 0.0)
    with pytest.raises(InputError, match="no component 3: the first is 0 of 3"):
        posterior.cdf("mu", 0.0, component=3)
    with pytest.raises(InputError, match="give w, mu or sigma"):
        posterior.cdf("tau", 0.0, component=0)
    with pytest.raises(InputError, match="NaN"):
        posterior.cdf("mu", [0.0, np.nan], component=0)
    with pytest.raises(InputError, match="NaN"):
        posterior.predictive(np.nan)


def test_importing_it_does_not_import_numba():
    code = "import sys, gmmcompare.model.exact; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

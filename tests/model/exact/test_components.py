"""The exact posterior of K against a sum over all partitions, and against `exact_posterior`."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import exp, factorial, lgamma, log

import numpy as np
import pytest
from partitions import partitions, summed
from scipy.integrate import quad
from scipy.stats import multivariate_normal, multivariate_t

from gmmcompare.model.conjugate import ConjugatePriors
from gmmcompare.model.exact import exact_components, exact_dirichlet_process, exact_posterior
from gmmcompare.model.multivariate.priors import MultivariatePriors
from gmmcompare.model.prior_on_k import PriorOnK
from gmmcompare.model.priors import Priors
from gmmcompare.model.restricted import RestrictedPriors
from gmmcompare.runtime.errors import InputError

Y = (-1.3, -0.9, -1.05, 0.8, 1.4, 1.0)
PLANE = MultivariatePriors(1.0, 0.0, np.eye(2), 4.0, np.eye(2))
MILD = Priors(mean_sd=2.0, var_shape=3.0, var_scale=2.0)
POISSON = [exp(-1.0) / factorial(k) for k in range(4)]


@cache
def marginal(block: tuple[int, ...], m0: float, s0: float, a: float, b: float) -> float:
    """Return the density of a block's observations by SciPy's quadrature over the variance."""
    y = np.array(Y)[list(block)]
    n, mean = y.size, y.mean()
    sum_sq = ((y - mean) ** 2).sum()

    def given(v: float) -> float:
        spread = v + n * s0**2
        inverse_gamma = a * log(b) - lgamma(a) - (a + 1) * log(v) - b / v
        normal = -0.5 * n * log(2 * np.pi * v) - sum_sq / (2 * v)
        return exp(
            inverse_gamma + normal + 0.5 * log(v / spread) - n * (mean - m0) ** 2 / (2 * spread)
        )

    return quad(lambda u: given(exp(u)) * exp(u), -8, 12, epsabs=0, epsrel=1e-12, limit=400)[0]


KNOWN_SD, COUNT = 0.4, 0.5
SHAPE, SCALE = 3.0, 2.0


def known_sd_marginal(block: tuple[int, ...]) -> float:
    n = len(block)
    cov = KNOWN_SD**2 * np.eye(n) + 4.0
    return float(multivariate_normal(np.zeros(n), cov).logpdf(np.array(Y)[list(block)]))


def conjugate_marginal(block: tuple[int, ...]) -> float:
    """Return the log density of a Student's t, which is that of a block."""
    n = len(block)
    shape = SCALE / SHAPE * (np.eye(n) + 1.0 / COUNT)
    student = multivariate_t(np.zeros(n), shape, df=2 * SHAPE)
    return float(student.logpdf(np.array(Y)[list(block)]))


@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize(
    ("priors", "log_marginal"),
    [
        (Priors(0.7, 0.0, 2.0, 3.0, 2.0), lambda block: log(marginal(block, 0.0, 2.0, 3.0, 2.0))),
        (RestrictedPriors(0.7, 0.0, 2.0, sds=KNOWN_SD), known_sd_marginal),
        (ConjugatePriors(0.7, 0.0, COUNT, SHAPE, SCALE), conjugate_marginal),
    ],
    ids=["normal", "known sd", "conjugate"],
)
def test_the_sum_over_all_203_partitions_of_six_points(
    priors: Priors, log_marginal: Callable[[tuple[int, ...]], float], dynamic: bool
) -> None:
    assert len(list(partitions(6))) == 203
    on_K = np.array(POISSON) / sum(POISSON)
    joint, by_blocks, together = summed(6, log_marginal, on_K, 0.7, dynamic)
    exact = exact_components(Y, priors, "poisson", on_K.size, dynamic)
    total = joint.sum()
    np.testing.assert_allclose(exact.prob, joint / total, rtol=1e-10)
    np.testing.assert_allclose(exact.prob_occupied, by_blocks / total, rtol=1e-10, atol=1e-15)
    np.testing.assert_allclose(exact.coclustering, together / total, rtol=1e-10)
    np.testing.assert_allclose(exact.log_evidence, np.log(joint / on_K), rtol=0, atol=1e-10)


def test_the_values_of_the_design() -> None:
    exact = exact_components(Y, MILD)
    assert exact.log_evidence[1] == pytest.approx(-10.863586392887, abs=1e-10)
    assert exact.log_evidence[2] == pytest.approx(-10.776594100351, abs=1e-10)
    process = exact_dirichlet_process(Y, MILD, 1.0)
    assert process.log_evidence == pytest.approx(-10.879152567497, abs=1e-10)
    assert process.prob_occupied.sum() == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("K", [1, 3])
@pytest.mark.parametrize("dynamic", [False, True])
def test_a_prior_on_one_number_gives_the_posterior_given_that_number(K: int, dynamic: bool) -> None:
    only = exact_components(Y, MILD, np.eye(K)[-1], max_K=5, dynamic=dynamic)
    c = 1.0 / K if dynamic else 1.0
    fixed = exact_posterior(Y, K, Priors(c, 0.0, 2.0, 3.0, 2.0))
    x = [-1.0, 0.3, 7.0, np.inf]
    assert only.prob[K - 1] == pytest.approx(1.0)
    assert only.log_evidence[K - 1] == pytest.approx(fixed.log_evidence, abs=1e-12)
    np.testing.assert_allclose(only.prob_occupied[: K + 1], fixed.prob_occupied, atol=1e-13)
    np.testing.assert_allclose(only.coclustering, fixed.coclustering, atol=1e-12)
    np.testing.assert_allclose(only.predictive(x), fixed.predictive(x), atol=1e-12)


def test_the_predictive_density_is_the_evidence_with_one_more_observation_over_that_without() -> (
    None
):
    x = 0.37
    for make in (
        lambda y: exact_components(y, MILD, "bnb", 4),
        lambda y: exact_components(y, MILD, "bnb", 4, dynamic=True),
        lambda y: exact_dirichlet_process(y, MILD, 0.6),
    ):
        before, after = make(Y), make((*Y, x))
        ratio = np.exp(_log_density(after) - _log_density(before))
        assert float(before.predictive(x)) == pytest.approx(ratio, rel=1e-10)


def _log_density(exact: object) -> float:
    on_K = getattr(exact, "on_k", None)
    if on_K is None:
        return float(exact.log_evidence)  # type: ignore[attr-defined]
    return float(np.log(np.exp(exact.log_evidence) @ on_K.prob))  # type: ignore[attr-defined]


def test_units_of_the_data_play_no_part_but_in_the_density() -> None:
    y = 1e3 * np.array(Y) + 2e4
    scaled = Priors(mean_loc=2e4, mean_sd=2e3, var_shape=3.0, var_scale=2e6)
    far, near = exact_components(y, scaled), exact_components(Y, MILD)
    np.testing.assert_allclose(far.prob, near.prob, rtol=1e-9)
    np.testing.assert_allclose(far.log_evidence, near.log_evidence - 6 * np.log(1e3), atol=1e-9)


def test_priors_on_k() -> None:
    np.testing.assert_allclose(PriorOnK.of("uniform", 4).prob, 0.25)
    poisson = PriorOnK.of("poisson(3)", 60).prob
    assert poisson @ np.arange(60) == pytest.approx(3.0)
    bnb = PriorOnK.of("bnb(1,4,3)", 100_000).prob
    np.testing.assert_allclose(bnb, PriorOnK.of("beta-negative-binomial", 100_000).prob)
    # p(1) = B(5, 3) / B(4, 3) and a mean of K - 1 of 1 * 3 / (4 - 1).
    assert bnb[0] == pytest.approx(4 / 7, rel=1e-9)
    assert bnb @ np.arange(bnb.size) == pytest.approx(1.0, rel=1e-3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prior_on_K": "geometric"}, "there is no prior on K called 'geometric'"),
        ({"prior_on_K": "poisson(-1)"}, "takes one positive number"),
        ({"prior_on_K": [0.5, -0.5]}, "none negative"),
        ({"prior_on_K": [1.0] * 11}, "at most max_K = 10"),
        ({"max_K": 0}, "max_K must be a whole number"),
        ({"y": np.arange(15.0)}, "15 observations are too many"),
        ({"y": [0.0, np.nan]}, "drop missing"),
        ({"priors": Priors(mean_loc=[0.0, 1.0])}, "all must have the same prior"),
        ({"priors": RestrictedPriors(sds=[1.0, 2.0])}, "all must have the same prior"),
        ({"priors": RestrictedPriors(shared_sd=True)}, "no prior of its own: leave it out"),
        ({"priors": RestrictedPriors(weights=[0.5, 0.5])}, "no prior of its own: leave it out"),
        ({"priors": PLANE}, "must be rows of one or more columns"),
    ],
)
def test_what_cannot_be_summed_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message.replace("(", r"\(")):
        exact_components(**{"y": Y, "priors": MILD} | change)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="alpha must be"):
        exact_dirichlet_process(Y, MILD, 0.0)

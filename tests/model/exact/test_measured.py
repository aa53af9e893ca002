"""The exact posterior of measured data against enumeration with a quadrature of its own."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.special import gammaln, logsumexp
from scipy.stats import invgamma, norm

from gmmcompare.model.exact import exact_posterior
from gmmcompare.model.exact.component import Component, all_subsets
from gmmcompare.model.exact.measured import MeasuredComponent, all_measured_subsets
from gmmcompare.model.priors import Priors
from gmmcompare.runtime.errors import InputError

Y = np.array([-1.3, -0.9, -1.05, 0.8, 1.4, 1.0])
S = np.array([0.1, 0.3, 0.2, 0.05, 0.4, 0.25])
MILD = Priors(mean_sd=2.0, var_shape=3.0, var_scale=2.0)
UNEQUAL = Priors(
    weight_concentration=[0.7, 2.0],
    mean_loc=[-1.0, 0.5],
    mean_sd=[1.0, 3.0],
    var_shape=[3.0, 2.0],
    var_scale=[1.0, 0.3],
)
ALPHA = 1e-7  # false-alarm rate of each comparison with random draws


def test_check_of_the_design():
    assert exact_posterior(Y, 2, MILD, errors=S).log_evidence == pytest.approx(
        -10.844831931409, abs=1e-10
    )


class Enumerated:
    """The posterior by all 2^6 allocations and a grid over mean and log variance of each set."""

    def __init__(self, priors: Priors) -> None:
        p = priors.expanded(2)
        mu, u = np.linspace(-16.0, 16.0, 641), np.linspace(-7.0, 16.0, 116)
        self.mu, variance = mu, np.exp(u)
        like = norm.pdf(Y[:, None, None], mu[:, None], np.sqrt(variance + S[:, None, None] ** 2))
        z = np.array(list(itertools.product(range(2), repeat=6)))
        c = np.asarray(p.weight_concentration)
        n_k = (z[:, :, None] == np.arange(2)).sum(axis=1)
        log_p = (gammaln(n_k + c) - gammaln(c)).sum(axis=1)
        log_p += gammaln(c.sum()) - gammaln(6 + c.sum())
        self.mean_cdf_first, self.true = np.empty(len(z)), np.empty((len(z), 6))
        at = np.searchsorted(mu, 0.4)
        for j, row in enumerate(z):
            for k in range(2):
                fields = (p.mean_loc, p.mean_sd, p.var_shape, p.var_scale)
                m0, sd, a, b = (float(np.asarray(f)[k]) for f in fields)
                density = norm.pdf(mu, m0, sd)[:, None] * (invgamma.pdf(variance, a, scale=b))
                joint = density * variance * like[row == k].prod(axis=0)
                total = joint.sum()
                log_p[j] += np.log(total * (mu[1] - mu[0]) * (u[1] - u[0]))
                if k == 0:
                    below = joint[: at + 1].sum() - 0.5 * joint[at].sum()
                    self.mean_cdf_first[j] = below / total
                for i in np.flatnonzero(row == k):
                    pull = variance / (variance + S[i] ** 2)
                    x = mu[:, None] + pull * (Y[i] - mu[:, None])
                    self.true[j, i] = (joint * x).sum() / total
        self.log_evidence = logsumexp(log_p)
        self.p, self.n_k, self.z = np.exp(log_p - self.log_evidence), n_k, z
        self.at = mu[at]


@pytest.mark.parametrize("priors", [MILD, UNEQUAL], ids=["equal", "unequal"])
def test_equals_enumeration(priors):
    found, brute = exact_posterior(Y, 2, priors, errors=S), Enumerated(priors)
    assert found.log_evidence == pytest.approx(brute.log_evidence, abs=2e-6)
    occupied = np.bincount((brute.n_k > 0).sum(axis=1), weights=brute.p, minlength=3)
    np.testing.assert_allclose(found.prob_occupied, occupied, atol=1e-6)
    together = np.einsum("z,zi,zj->ij", brute.p, brute.z, brute.z)
    together += np.einsum("z,zi,zj->ij", brute.p, 1 - brute.z, 1 - brute.z)
    np.testing.assert_allclose(found.coclustering, together, atol=1e-6)
    component = None if found._priors.exchangeable else 0
    cdf = float(found.cdf("mu", brute.at, component))
    assert cdf == pytest.approx(float(brute.p @ brute.mean_cdf_first), abs=1e-4)
    mean, sd = found.true_values()
    np.testing.assert_allclose(mean, brute.p @ brute.true, atol=1e-5)
    assert ((sd > 0) & (sd < S + 1e-12)).all()


@pytest.mark.parametrize("priors", [Priors(), MILD], ids=["default", "mild"])
def test_without_errors_sets_have_todays_marginals(priors):
    component = Component.of(priors.expanded(1), 0)
    measured = MeasuredComponent.of(priors.expanded(1), 0)
    sets = all_measured_subsets(Y, np.zeros(6))
    np.testing.assert_allclose(
        measured.log_marginal(sets), component.log_marginal(all_subsets(Y)), rtol=0, atol=1e-10
    )
    prob = np.full(64, 1 / 64)
    x = np.array([-np.inf, -2.0, -0.3, 1.1, 4.0, np.inf])
    for name in ("mean_cdf", "log_var_cdf"):
        ours = getattr(measured, name)(sets, prob, x)
        np.testing.assert_allclose(
            ours, getattr(component, name)(all_subsets(Y), prob, x), rtol=0, atol=1e-10
        )
    at = x[1:-1]
    np.testing.assert_allclose(
        measured.density(sets, prob, at),
        component.density(all_subsets(Y), prob, at),
        rtol=1e-9,
        atol=1e-10,
    )


def test_errors_of_zero_are_none():
    plain, zero = exact_posterior(Y, 2, MILD), exact_posterior(Y, 2, MILD, errors=np.zeros(6))
    assert plain.log_evidence == zero.log_evidence
    np.testing.assert_array_equal(zero.true_values(), [Y, np.zeros(6)])


def test_order_units_and_one_error_for_all():
    found = exact_posterior(Y, 2, MILD, errors=S)
    order = [3, 1, 5, 0, 4, 2]
    moved = exact_posterior(Y[order], 2, MILD, errors=S[order])
    assert moved.log_evidence == pytest.approx(found.log_evidence, abs=1e-12)
    np.testing.assert_allclose(moved.true_values(), np.array(found.true_values())[:, order])
    far = MILD.transformed(-5.0, 0.01)
    scaled = exact_posterior(100.0 * (Y + 5.0) - 0.0, 2, far, errors=100.0 * S)
    assert scaled.log_evidence == pytest.approx(found.log_evidence - 6 * np.log(100.0), abs=1e-9)
    one = exact_posterior(Y, 2, MILD, errors=0.2).log_evidence
    assert one == exact_posterior(Y, 2, MILD, errors=np.full(6, 0.2)).log_evidence


def test_draws_have_the_exact_distribution_functions():
    found = exact_posterior(Y, 2, MILD, errors=S)
    n, rng = 4_000, np.random.default_rng(16)
    draws, z = found.sample_with_allocations(n, rng)
    margin = np.sqrt(-np.log(ALPHA / 2) / (2 * n))  # Massart's bound
    for name, points in (
        ("w", np.linspace(0.05, 0.95, 9)),
        ("mu", np.linspace(-2, 2, 9)),
        ("sigma", np.linspace(0.3, 2.5, 9)),
    ):
        below = (getattr(draws, name)[:, 0, None] <= points).mean(axis=0)
        assert np.abs(below - found.cdf(name, points)).max() < margin
    together = (z[:, :, None] == z[:, None, :]).mean(axis=0)
    assert np.abs(together - found.coclustering).max() < margin


def test_predictive_density_is_a_density_of_true_values():
    found = exact_posterior(Y, 2, MILD, errors=S)
    x = np.linspace(-30.0, 30.0, 1201)
    assert np.trapezoid(found.predictive(x), x) == pytest.approx(1.0, abs=2e-3)  # heavy tails


@pytest.mark.parametrize(
    ("errors", "message"),
    [
        ([0.1, 0.2], "errors of shape"),
        (-S, "error 1 is -0.1"),
        (np.where(Y < 0, np.nan, S), "error 1 is nan"),
        ("some", "errors must be numbers"),
    ],
)
def test_bad_errors_are_refused_in_one_line(errors, message):
    with pytest.raises(InputError, match=message) as caught:
        exact_posterior(Y, 2, MILD, errors=errors)
    assert "\n" not in str(caught.value)

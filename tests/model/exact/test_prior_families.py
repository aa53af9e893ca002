"""Exact posteriors of the other families, against brute force with quadrature of its own.

All K^N allocations are enumerated. Given sigma the points of a component are jointly normal; over
log variance a composite Gauss-Legendre rule integrates.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.special import gammaln, logsumexp
from scipy.stats import beta, invgamma, norm

from gmmcompare import ConjugatePriors, Priors, RestrictedPriors, exact_posterior
from gmmcompare.model.exact.marginals import subset_marginals
from gmmcompare.runtime.errors import InputError

Y = np.array([-1.3, -0.9, 0.8, 1.4, 1.0])
AT = {"w": (0.2, 0.5), "mu": (-1.2, 0.7), "sigma": (0.45, 1.1)}
NORMAL = {"mean_sd": [2.0, 1.5, 1.0], "var_shape": 3.0, "var_scale": 2.0}
COMMON = {"weight_concentration": [0.7, 2.0, 1.3], "mean_loc": [-0.3, 0.5, 0.1]}
CASES = {
    "conjugate": (ConjugatePriors, {"mean_count": [0.3, 2.0, 0.5], "var_shape": 1.5}),
    "sds": (RestrictedPriors, NORMAL | {"sds": [0.4, 0.9, 1.2]}),
    "shared": (RestrictedPriors, NORMAL | {"shared_sd": True}),
    "weights": (RestrictedPriors, NORMAL | {"weights": [0.5, 0.3, 0.2]}),
    "shared, weights": (RestrictedPriors, NORMAL | {"shared_sd": True, "weights": [0.5, 0.3, 0.2]}),
}


def priors_of(case: str, K: int):
    make, fields = CASES[case]
    cut = {n: v[:K] if isinstance(v, list) else v for n, v in (COMMON | fields).items()}
    if "weights" in cut:
        cut["weights"] = list(np.array(cut["weights"]) / np.sum(cut["weights"]))
    return make(**cut)


class Enumerated:
    """The posterior by summing over the allocations and integrating over log variances."""

    def __init__(self, case: str, K: int) -> None:
        self.priors, self.K = priors_of(case, K).expanded(K), K
        self.shared, self.known = "shared" in case, case == "sds"
        self.z = np.array(list(itertools.product(range(K), repeat=Y.size)))
        self.n_k = (self.z[:, :, None] == np.arange(K)).sum(axis=1)
        self.c = np.asarray(self.priors.weight_concentration)
        if "weights" in case:
            self.w = np.asarray(self.priors.weights)
            self.log_z = self.n_k @ np.log(self.w)
        else:
            self.w = None
            self.log_z = gammaln(self.c.sum()) - gammaln(Y.size + self.c.sum())
            self.log_z = self.log_z + (gammaln(self.n_k + self.c) - gammaln(self.c)).sum(axis=1)
        self.total = self.integral()

    def mean_variance(self, k: int, variance: np.ndarray) -> np.ndarray:
        if isinstance(self.priors, ConjugatePriors):
            return variance / self.priors.mean_count[k]
        return np.full(variance.shape, self.priors.mean_sd[k] ** 2)

    def given(self, k: int, members: tuple, mu: float, variance: np.ndarray) -> np.ndarray:
        """Density of component k's points given each variance, times P(mean < mu)."""
        points, m0 = Y[np.array(members)], self.priors.mean_loc[k]
        n, v0 = points.size, self.mean_variance(k, variance)
        cov = variance[:, None, None] * np.eye(n) + v0[:, None, None]
        off = np.tile(points - m0, (variance.size, 1))
        squares = np.einsum("ui,ui->u", off, np.linalg.solve(cov, off[..., None])[..., 0])
        log_density = -0.5 * (n * np.log(2 * np.pi) + np.linalg.slogdet(cov)[1] + squares)
        precision = n / variance + 1.0 / v0
        centre = (points.sum() / variance + m0 / v0) / precision
        return np.exp(log_density) * norm.cdf((mu - centre) * np.sqrt(precision))

    def nodes(self, k: int, sigma: float) -> tuple[np.ndarray, np.ndarray]:
        """Variances up to sigma**2 and their weights under the prior: Gauss and Legendre's rule."""
        if self.known:
            known = self.priors.sds[k] ** 2
            return np.array([known]), np.array([float(sigma**2 >= known)])
        x, weight = np.polynomial.legendre.leggauss(40)
        edges = np.linspace(-7.0, min(26.0, 2.0 * np.log(sigma)), 20)
        half = 0.5 * np.diff(edges)[:, None]
        u = (0.5 * (edges[:-1] + edges[1:])[:, None] + half * x).ravel()
        prior = invgamma.pdf(np.exp(u), self.priors.var_shape[k], scale=self.priors.var_scale[k])
        return np.exp(u), (half * weight).ravel() * prior * np.exp(u)

    def each(self, first: int, mu: float, sigma: float) -> np.ndarray:
        """p(y, z) of each allocation, with parameters of component ``first`` below these."""
        factors = np.ones((len(self.z), 1))
        for k in range(self.K):
            limits = (mu, sigma) if k == first else (np.inf, np.inf)
            variance, weight = self.nodes(k, sigma if self.shared else limits[1])
            by_set = {
                members: self.given(k, members, limits[0], variance)
                for members in itertools.product((False, True), repeat=Y.size)
            }
            density = np.array([by_set[tuple(z == k)] for z in self.z])
            factors = factors * (density if self.shared else (density @ weight)[:, None])
        return np.exp(self.log_z) * (factors @ weight if self.shared else factors[:, 0])

    def integral(self, of=None, first: int = 0, mu: float = np.inf, sigma: float = np.inf) -> float:
        """Sum over allocations of ``of`` times p(y, z), with component ``first`` restricted."""
        each = self.each(first, mu, sigma)
        return float(each.sum() if of is None else of @ each)

    def prob(self, of) -> float:
        return self.integral(np.asarray(of, dtype=float)) / self.total

    def cdf(self, name: str, x: float, k: int) -> float:
        if name == "w":
            if self.w is not None:
                return float(x >= self.w[k])
            rest = self.c.sum() - self.c[k]
            n = self.n_k[:, k]
            return self.prob(beta.cdf(x, n + self.c[k], Y.size - n + rest))
        return self.integral(first=k, **{name: x}) / self.total


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("case", CASES)
def test_all_is_what_enumeration_gives(case, K):
    found, expected = exact_posterior(Y, K, priors_of(case, K)), Enumerated(case, K)
    assert found.log_evidence == pytest.approx(np.log(expected.total), abs=1e-10)
    occupied = (expected.n_k > 0).sum(axis=1)
    for j in range(K + 1):
        assert found.prob_occupied[j] == pytest.approx(expected.prob(occupied == j), abs=1e-10)
    for i, j in ((0, 1), (1, 3)):
        together = expected.z[:, i] == expected.z[:, j]
        assert found.coclustering[i, j] == pytest.approx(expected.prob(together), abs=1e-10)
    k = K - 1
    empty = found.prob_component_empty[k]
    assert empty == pytest.approx(expected.prob(expected.n_k[:, k] == 0), abs=1e-10)
    for name, values in AT.items():
        for x in values:
            assert found.cdf(name, x, k) == pytest.approx(expected.cdf(name, x, k), abs=1e-9), name


@pytest.mark.parametrize("case", CASES)
def test_draws_follow_the_distribution_functions(case):
    """Of every parameter that is not known; the rate is below 1e-8 for each case."""
    found = exact_posterior(Y, 2, priors_of(case, 2))
    params, z = found.sample_with_allocations(20_000, np.random.default_rng(8))
    assert priors_of(case, 2).broken_by(params) == ""
    for name, draws in params._asdict().items():
        for k in range(2):
            if np.ptp(draws[:, k]) > 1e-9:
                at = np.quantile(draws[::7, k], [0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98])
                near((draws[:, k, None] <= at).mean(axis=0), found.cdf(name, at, k), len(z))
    together = (z[:, :, None] == z[:, None, :]).mean(axis=0)
    near(together, found.coclustering, len(z))


def near(frequency: np.ndarray, probability: np.ndarray, n: int) -> None:
    """Binomial frequencies: seven standard errors, and a little for probabilities near 0 and 1."""
    error = np.sqrt(probability * (1.0 - probability) / n)
    assert (np.abs(frequency - probability) < 7.0 * error + 10.0 / n).all()


@pytest.mark.parametrize("case", CASES)
def test_the_predictive_density_is_a_ratio_of_evidences(case):
    priors, at = priors_of(case, 2), (-1.1, 0.3)
    found = exact_posterior(Y, 2, priors)
    for x, density in zip(at, found.predictive(np.array(at)), strict=True):
        with_it = exact_posterior(np.append(Y, x), 2, priors).log_evidence
        assert np.log(density) == pytest.approx(with_it - found.log_evidence, abs=1e-10)


def test_nothing_depends_on_the_unit():
    for case in CASES:
        priors = priors_of(case, 2)
        here, there = (
            exact_posterior(y, 2, p)
            for y, p in ((Y, priors), ((Y - 7.0) / 3.0, priors.transformed(7.0, 3.0)))
        )
        jacobian = Y.size * np.log(3.0)
        assert there.log_evidence == pytest.approx(here.log_evidence + jacobian, abs=1e-10)
        inside = there.cdf("sigma", 1.0 / 3.0 + 1e-9, 1)
        assert inside == pytest.approx(here.cdf("sigma", 1.0 + 3e-9, 1), abs=1e-9)


def test_a_finer_grid_changes_nothing(monkeypatch):
    priors = RestrictedPriors(shared_sd=True)  # the widest grid: a nearly improper prior
    coarse = exact_posterior(Y, 2, priors)
    monkeypatch.setattr("gmmcompare.model.exact.shared._MAX_STEP", 0.07)
    fine = exact_posterior(Y, 2, priors)
    assert len(fine._u) > 1.5 * len(coarse._u)
    assert fine.log_evidence == pytest.approx(coarse.log_evidence, abs=1e-11)
    at = np.array([0.05, 0.4, 1.0, 30.0])
    for name in ("mu", "sigma"):
        assert fine.cdf(name, at) == pytest.approx(coarse.cdf(name, at), abs=1e-10)


def test_restrictions_that_say_nothing_leave_the_posterior_as_it_is():
    """One component shares its sd with itself; the limits of restrictions are free priors."""
    free = {"mean_sd": 2.0, "var_shape": 3.0, "var_scale": 2.0}
    alone = exact_posterior(Y, 1, RestrictedPriors(**free, shared_sd=True))
    assert alone.log_evidence == exact_posterior(Y, 1, Priors(**free)).log_evidence
    # A Dirichlet with a huge concentration is a point mass at its mean.
    heavy = exact_posterior(Y, 2, Priors(weight_concentration=[3e6, 7e6], **free))
    fixed = exact_posterior(Y, 2, RestrictedPriors(**free, weights=[0.3, 0.7]))
    assert heavy.log_evidence == pytest.approx(fixed.log_evidence, abs=1e-5)


def test_the_marginals_of_all_sets_come_from_one_function():
    for priors in (ConjugatePriors(2.0, 0.5, 0.3, 3.0, 2.0), RestrictedPriors(sds=0.8)):
        found = subset_marginals(Y, priors, 16)
        for s in (1, 6, 31):
            rows = [i for i in range(Y.size) if s >> i & 1]
            alone = exact_posterior(Y[rows], 1, priors).log_evidence
            assert found.log_marginal[s] == pytest.approx(alone, abs=1e-11)
    for tied in ({"shared_sd": True}, {"weights": [1.0]}):
        with pytest.raises(InputError, match="no prior of its own"):
            subset_marginals(Y, RestrictedPriors(**tied), 16)


def test_enumeration_sums_to_itself():
    """The oracle's own arithmetic: allocations' prior probabilities sum to 1."""
    for case in ("conjugate", "weights"):
        assert logsumexp(Enumerated(case, 2).log_z) == pytest.approx(0.0, abs=1e-12)

"""The exact posterior of multivariate normals against enumeration, d = 1, and its own draws."""

from __future__ import annotations

import itertools
from functools import cache

import numpy as np
import pytest
from partitions import summed
from scipy.special import gammaln, logsumexp, multigammaln
from scipy.stats import invwishart, kstest, multivariate_normal

from gmmcompare.model.exact import exact_components, exact_posterior
from gmmcompare.model.exact.marginals import subset_marginals
from gmmcompare.model.multivariate.density import log_density
from gmmcompare.model.multivariate.priors import MultivariatePriors
from gmmcompare.model.priors import Priors
from gmmcompare.runtime.errors import InputError

Y = np.array([[-1.0, 0.2], [-0.7, -0.4], [0.9, 1.1], [1.6, 0.8], [0.1, -2.0], [-1.0, 0.2]])
PRIORS = MultivariatePriors(1.5, (0.3, 0.0), [[2, 0.4], [0.4, 1]], 5, [[1.5, 0.2], [0.2, 0.8]])
UNEQUAL = MultivariatePriors(
    [0.7, 2.0],
    [[0.3, 0.0], [-1.0, 0.5]],
    [[[2, 0.4], [0.4, 1]], [[1.0, 0.0], [0.0, 3.0]]],
    [5.0, 3.5],
    [[[1.5, 0.2], [0.2, 0.8]], [[0.4, -0.1], [-0.1, 0.6]]],
)
ALPHA = 1e-7  # false-alarm rate of each comparison with random draws


@cache
def integral(rows: tuple[int, ...], k: int, priors: MultivariatePriors) -> float:
    """Log of the integral of prior times likelihood of one component over its mean, on a grid.

    The covariance matrix is integrated out in closed form. Nothing is shared with the code under
    test, which integrates over a mixing variable.
    """
    p = priors.expanded(2)
    m0, V0, nu, Psi = (np.asarray(f)[k] for f in (p.mean_loc, p.mean_cov, p.cov_df, p.cov_scale))
    y, d = Y[list(rows)], 2
    n = len(y)
    step = 0.04
    axes = [m0[j] + np.arange(-9.5, 9.5, step) * np.sqrt(V0[j, j]) for j in range(d)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    cell = step**2 * np.sqrt(V0[0, 0] * V0[1, 1])
    about = np.broadcast_to(Psi, (*grid.shape[:-1], d, d)).copy()
    for row in y:
        delta = row - grid
        about += delta[..., :, None] * delta[..., None, :]
    log_det = np.log(about[..., 0, 0] * about[..., 1, 1] - about[..., 0, 1] ** 2)
    log_f = multivariate_normal(m0, V0).logpdf(grid) - (nu + n) / 2 * log_det
    constant = nu / 2 * np.linalg.slogdet(Psi)[1] - n * d / 2 * np.log(np.pi)
    constant += multigammaln((nu + n) / 2, d) - multigammaln(nu / 2, d)
    return float(logsumexp(log_f) + np.log(cell) + constant)


def enumerated(K: int, priors: MultivariatePriors) -> tuple[float, np.ndarray, np.ndarray]:
    """Return log evidence, P(occupied) and co-clustering by a sum over all K^N allocations."""
    c = np.asarray(priors.expanded(K).weight_concentration)
    unequal = not priors.exchangeable
    z = np.array(list(itertools.product(range(K), repeat=len(Y))))
    n_k = (z[:, :, None] == np.arange(K)).sum(axis=1)
    log_p = (gammaln(n_k + c) - gammaln(c)).sum(axis=1)
    log_p += gammaln(c.sum()) - gammaln(len(Y) + c.sum())
    for k in range(K):
        own = k if unequal else 0
        sets = [tuple(map(int, np.flatnonzero(row == k))) for row in z]
        log_p += [integral(s, own, priors) if s else 0.0 for s in sets]
    log_evidence = float(logsumexp(log_p))
    p = np.exp(log_p - log_evidence)
    occupied = np.bincount((n_k > 0).sum(axis=1), weights=p, minlength=K + 1)
    together = np.einsum("s,sij->ij", p, (z[:, :, None] == z[:, None, :]).astype(float))
    return log_evidence, occupied, together


def test_marginal_of_the_published_case():
    y = np.random.default_rng(1).normal(size=(4, 2)) + np.array([1, -0.5])
    priors = MultivariatePriors(1.0, (0.3, 0), [[2, 0.4], [0.4, 1]], 5, [[1.5, 0.2], [0.2, 0.8]])
    assert subset_marginals(y, priors, 16).log_marginal[-1] == pytest.approx(
        -13.285016991278, abs=1e-10
    )
    assert exact_posterior(y, 1, priors).log_evidence == pytest.approx(-13.285016991278, abs=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("K", "priors"), [(2, PRIORS), (3, PRIORS), (2, UNEQUAL)], ids=["2", "3", "unequal"]
)
def test_sums_over_allocations_equal_enumeration_by_another_integral(K, priors):
    posterior = exact_posterior(Y, K, priors)
    log_evidence, occupied, together = enumerated(K, priors)
    assert posterior.log_evidence == pytest.approx(log_evidence, abs=1e-10)
    np.testing.assert_allclose(posterior.prob_occupied, occupied, rtol=1e-10, atol=1e-15)
    np.testing.assert_allclose(posterior.coclustering, together, rtol=1e-10)


@pytest.mark.parametrize("rows", [(0,), (1, 3), (0, 2, 5)])
@pytest.mark.parametrize("k", [0, 1])
def test_marginals_of_a_few_sets_equal_another_integral(rows, k):
    one = MultivariatePriors(*(np.asarray(getattr(UNEQUAL, f))[k] for f in UNEQUAL.to_dict()))
    marginals = subset_marginals(Y, one, 16).log_marginal
    mask = sum(1 << row for row in rows)
    assert marginals[mask] == pytest.approx(integral(rows, k, UNEQUAL), abs=1e-10)
    assert marginals[0] == 0.0


@pytest.mark.slow
@pytest.mark.parametrize("dynamic", [False, True])
def test_components_are_summed_over_the_203_partitions_of_six_rows(dynamic):
    on_K = np.array([0.4, 0.3, 0.2, 0.1])
    joint, by_blocks, together = summed(
        6, lambda block: integral(block, 0, PRIORS), on_K, 1.5, dynamic
    )
    exact = exact_components(Y, PRIORS, on_K, 4, dynamic)
    total = joint.sum()
    np.testing.assert_allclose(exact.prob, joint / total, rtol=1e-10)
    np.testing.assert_allclose(exact.prob_occupied, by_blocks / total, rtol=1e-10, atol=1e-15)
    np.testing.assert_allclose(exact.coclustering, together / total, rtol=1e-10)
    np.testing.assert_allclose(exact.log_evidence, np.log(joint / on_K), rtol=0, atol=1e-10)


@pytest.mark.parametrize("dynamic", [False, True])
def test_the_density_of_one_more_row_is_a_ratio_of_evidences(dynamic):
    x = np.array([[0.4, -0.3], [3.0, 1.0], [np.inf, 0.0]])
    on_K = np.array([0.4, 0.3, 0.2, 0.1])

    def log_density(rows):
        found = exact_components(rows, PRIORS, on_K, 4, dynamic).log_evidence
        return logsumexp(found, b=on_K)

    before = exact_components(Y, PRIORS, on_K, 4, dynamic)
    expected = [np.exp(log_density([*Y, row]) - log_density(Y)) for row in x[:2]]
    np.testing.assert_allclose(before.predictive(x), [*expected, 0.0], rtol=1e-10)
    assert before.predictive(x[0]).shape == ()
    with pytest.raises(InputError, match="of 2 columns"):
        before.predictive([0.0, 1.0, 2.0])


@pytest.mark.parametrize("priors", [Priors(), Priors(1.5, 0.5, 1.5, 3.0, 1.0)])
def test_one_dimension_equals_the_normal_family(priors):
    y = np.array([-1.3, -0.9, -1.05, 0.8, 1.4, 1.0])
    same = MultivariatePriors(
        priors.weight_concentration,
        priors.mean_loc,
        np.asarray(priors.mean_sd) ** 2,
        2 * np.asarray(priors.var_shape),
        2 * np.asarray(priors.var_scale),
    )
    one, many = exact_posterior(y, 2, priors), exact_posterior(y[:, None], 2, same)
    assert many.log_evidence == pytest.approx(one.log_evidence, abs=1e-10)
    np.testing.assert_allclose(many.coclustering, one.coclustering, atol=1e-10)
    np.testing.assert_allclose(many.prob_occupied, one.prob_occupied, atol=1e-10)
    x = np.array([-3.0, -1.0, 0.2, 2.0])
    for name in ("w", "mu"):
        np.testing.assert_allclose(many.cdf(name, x), one.cdf(name, x), atol=1e-10)
    np.testing.assert_allclose(many.predictive(x[:, None]), one.predictive(x), rtol=1e-10)


def test_units_and_the_order_of_rows_change_nothing():
    posterior = exact_posterior(Y, 2, PRIORS)
    shift, scale = np.array([1e5, -3.0]), np.array([7.0, 1e-4])
    moved = exact_posterior(Y * scale + shift, 2, PRIORS.transformed(-shift / scale, 1 / scale))
    log_jacobian = len(Y) * np.log(scale).sum()
    assert moved.log_evidence + log_jacobian == pytest.approx(posterior.log_evidence, abs=1e-7)
    order = [3, 0, 5, 2, 1, 4]
    mixed = exact_posterior(Y[order], 2, PRIORS)
    np.testing.assert_allclose(
        mixed.coclustering, posterior.coclustering[np.ix_(order, order)], rtol=1e-10
    )


def test_draws_have_the_marginals_and_the_density_of_the_posterior():
    posterior = exact_posterior(Y, 2, UNEQUAL)
    draws = posterior.sample(4000, np.random.default_rng(2))
    for k in range(2):
        assert kstest(draws.w[:, k], lambda x, k=k: posterior.cdf("w", x, k)).pvalue > ALPHA
        for j in range(2):
            cdf = np.interp(
                draws.mu[:, k, j],
                grid := np.linspace(-12, 12, 801),
                posterior.cdf("mu", grid, k, j),
            )
            assert kstest(cdf, "uniform").pvalue > ALPHA
    at = np.array([[0.0, 0.0], [1.2, 1.0]])
    density = np.exp(log_density(at, draws))
    error = density.std(axis=0) / np.sqrt(len(density))
    assert (np.abs(density.mean(axis=0) - posterior.predictive(at)) < 5.4 * error).all()


def test_draws_of_an_empty_component_are_of_the_prior():
    priors = MultivariatePriors(1e-3, (0.0, 1.0), np.eye(2), 6, [[1.0, 0.3], [0.3, 2.0]])
    draws, z = exact_posterior(Y[:1], 2, priors).sample_with_allocations(
        3000, np.random.default_rng(3)
    )
    empty = draws.cov[z[:, 0] == 1, 0]
    own = invwishart(6, np.asarray(priors.cov_scale)).rvs(20_000, random_state=1)
    for i, j in ((0, 0), (0, 1), (1, 1)):
        probability = np.searchsorted(np.sort(own[:, i, j]), empty[:, i, j]) / len(own)
        assert kstest(probability, "uniform").pvalue > ALPHA


@pytest.mark.parametrize(
    ("y", "K", "says"),
    [
        (Y[:, 0], 2, r"rows of one or more columns, \(N, d\), found shape \(6,\)"),
        (Y[:, :1], 2, "1 columns but the priors are of 2 dimensions"),
        (np.repeat(Y, 3, axis=0), 2, "18 observations are too many"),
        (Y * [1, np.nan], 2, "observation 1, column 2, is nan"),
        (Y, 0, "components must be at least 1"),
    ],
)
def test_what_cannot_be_summed_is_refused(y, K, says):
    with pytest.raises(InputError, match=says):
        exact_posterior(y, K, PRIORS)

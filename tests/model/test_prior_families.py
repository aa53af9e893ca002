"""Priors beside the first: densities against SciPy, draws, restrictions and their messages."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from scipy.stats import dirichlet, invgamma, kstest, norm, t

from gmmcompare import ConjugatePriors, Params, Priors, RestrictedPriors
from gmmcompare.runtime.errors import InputError

ALPHA = 1e-7
CONJUGATE = ConjugatePriors([0.7, 2.0], [-1.0, 0.5], [0.3, 4.0], [3.0, 0.6], [0.3, 2.0])
POINT = Params(np.array([0.3, 0.7]), np.array([0.4, -2.0]), np.array([1.5, 0.6]))
NORMAL = {
    "weight_concentration": [0.7, 2.0],
    "mean_loc": [-1.0, 0.5],
    "mean_sd": [2.0, 3.0],
    "var_shape": 3.0,
    "var_scale": 2.0,
}


def test_the_conjugate_density_is_the_product_that_scipy_knows():
    w, mu, sigma = POINT
    expected = dirichlet.logpdf(w, [0.7, 2.0])
    expected += norm.logpdf(mu, [-1.0, 0.5], sigma / np.sqrt([0.3, 4.0])).sum()
    expected += invgamma.logpdf(sigma**2, [3.0, 0.6], scale=[0.3, 2.0]).sum()
    assert float(CONJUGATE.log_density(POINT)) == pytest.approx(expected, abs=1e-12)


def restricted_cases():
    w, mu, sigma = POINT
    means = norm.logpdf(mu, [-1.0, 0.5], [2.0, 3.0]).sum()
    weights = dirichlet.logpdf(w, [0.7, 2.0])
    variance = invgamma.logpdf(sigma**2, 3.0, scale=2.0)
    yield {"sds": [1.5, 0.6]}, POINT, weights + means
    yield {"weights": [0.3, 0.7]}, POINT, means + variance.sum()
    yield {"sds": [1.5, 0.6], "weights": [0.3, 0.7]}, POINT, means
    shared = POINT._replace(sigma=np.array([1.5, 1.5]))
    yield {"shared_sd": True}, shared, weights + means + variance[0]


@pytest.mark.parametrize(("restriction", "point", "expected"), list(restricted_cases()))
def test_a_restricted_density_is_over_what_is_left(restriction, point, expected):
    priors = RestrictedPriors(**NORMAL, **restriction)
    assert float(priors.log_density(point)) == pytest.approx(expected, abs=1e-12)
    assert priors.broken_by(point) == ""
    off = point._replace(w=point.w[::-1].copy(), sigma=np.array([2.0, 1.0]))
    assert float(priors.log_density(off)) == -np.inf
    assert priors.broken_by(off)
    # In another unit the density differs by the Jacobian of what is free.
    moved = priors.transformed(3.0, 2.0)
    there = Params(point.w, (point.mu - 3.0) / 2.0, point.sigma / 2.0)
    n_sds = 0 if priors.sds is not None else 1 if priors.shared_sd else 2
    jacobian = (2 + 2 * n_sds) * np.log(2.0)
    assert float(moved.log_density(there)) == pytest.approx(expected + jacobian, abs=1e-12)


def test_conjugate_draws_have_the_prior_distributions():
    """The mean's marginal is Student's; single draws and batches alike; rate 8 x 1e-7."""
    rng = np.random.default_rng(5)
    priors = ConjugatePriors(2.0, [-1.0, 0.5], [0.3, 4.0], [3.0, 0.6], [0.3, 2.0])
    singly = [priors.sample(rng, 2) for _ in range(2000)]
    batches = priors.draw(20_000, rng, 2), Params(*map(np.stack, zip(*singly, strict=True)))
    for draws in batches:
        for k in range(2):
            a, b = np.array([3.0, 0.6])[k], np.array([0.3, 2.0])[k]
            count, loc = np.array([0.3, 4.0])[k], np.array([-1.0, 0.5])[k]
            mean = t(2 * a, loc, np.sqrt(b / (a * count)))
            assert kstest(draws.mu[:, k], mean.cdf).pvalue > ALPHA
            assert kstest(draws.sigma[:, k] ** 2, invgamma(a, scale=b).cdf).pvalue > ALPHA


def test_restricted_draws_keep_to_what_is_known():
    rng = np.random.default_rng(6)
    for restriction, _, _ in restricted_cases():
        priors = RestrictedPriors(**NORMAL, **restriction)
        for draws in (priors.sample(rng, 2), priors.draw(500, rng, 2)):
            assert not priors.broken_by(draws)
            assert np.isfinite(priors.log_density(draws)).all()
        if priors.sds is None:
            variances = priors.draw(20_000, rng, 2).sigma[:, 1] ** 2
            assert kstest(variances, invgamma(3.0, scale=2.0).cdf).pvalue > ALPHA


def test_known_values_tell_components_apart():
    free = Priors(2.0, 0.0, 1.0, 3.0, 1.0)
    plain = dict(zip(free.hyperparameters, free.to_dict().values(), strict=True))
    sds = RestrictedPriors(**plain, sds=[1.0, 2.0, 1.0])
    weights = RestrictedPriors(**plain, weights=[0.5, 0.3, 0.2])
    assert sds.groups(3) == ((0, 2), (1,))
    assert not sds.exchangeable
    assert weights.groups(3) == ((0,), (1,), (2,))
    assert RestrictedPriors(**plain, sds=1.5).exchangeable
    assert RestrictedPriors(**plain, shared_sd=True).exchangeable
    point = Params(np.array([0.2, 0.5, 0.3]), np.array([1.0, 2.0, 3.0]), np.array([1.0, 1.0, 2.0]))
    assert weights.favoured_order(point).tolist() == [1, 2, 0]
    assert sds.favoured_order(point)[1] == 2
    assert weights.permuted([2, 0, 1]).to_dict()["weights"] == [0.2, 0.5, 0.3]
    assert sds.expanded(3) == sds.permuted([0, 1, 2])


def test_every_family_has_its_own_key():
    """Equality, hashes and what enters cache keys; those of today's priors stay as they are."""
    free = Priors(2.0, 0.0, 1.0, 3.0, 1.0)
    plain = free.to_dict()
    families = [
        free,
        RestrictedPriors(**plain, sds=1.0),
        RestrictedPriors(**plain, shared_sd=True),
        RestrictedPriors(**plain, weights=[0.5, 0.5]),
        ConjugatePriors(2.0, 0.0, 1.0, 3.0, 1.0),
    ]
    keys = [str(p.expanded(2).to_dict()) for p in families]
    assert len(set(keys)) == len(set(families)) == len(families)
    assert RestrictedPriors(**plain, sds=1.0) == RestrictedPriors(**plain, sds=1.0)
    assert list(plain) == ["weight_concentration", "mean_loc", "mean_sd", "var_shape", "var_scale"]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: ConjugatePriors(mean_count=0.0), "priors.mean_count must be positive, found 0"),
        (lambda: ConjugatePriors(var_shape=[1.0, -2.0]), "priors.var_shape must be positive"),
        (lambda: RestrictedPriors(sds=[1.0, 0.0]), "mixture.sds must be positive, found 0"),
        (lambda: RestrictedPriors(sds="a"), "mixture.sds must be a number or a list"),
        (
            lambda: RestrictedPriors(sds=1.0, shared_sd=True),
            "give mixture.sds or mixture.shared_sd",
        ),
        (lambda: RestrictedPriors(shared_sd=True, var_shape=[1, 2]), "var_shape differs between"),
        (lambda: RestrictedPriors(weights=0.5), "mixture.weights must be a list, one for"),
        (lambda: RestrictedPriors(weights=[0.5, 0.6]), "weights must sum to 1, found a sum of 1.1"),
        (lambda: RestrictedPriors(weights=[0.5, 0.5]).expanded(3), "weights has 2 values but"),
        (lambda: RestrictedPriors(sds=[0.5, 0.5]).expanded(3), "sds has 2 values but the mixture"),
    ],
)
def test_bad_values_are_explained(make, says):
    with pytest.raises(InputError) as error:
        make()
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_fields_of_other_families_are_named_where_they_are_missed():
    with pytest.raises(AttributeError, match="tested by --family normal-conjugate"):
        Priors().mean_count  # noqa: B018
    with pytest.raises(AttributeError, match=r"sigma / sqrt\(mean_count\)"):
        ConjugatePriors().mean_sd  # noqa: B018
    assert getattr(Priors(), "weights", None) is None
    assert pickle.loads(pickle.dumps(ConjugatePriors())) == ConjugatePriors()
    assert copy.deepcopy(Priors(2.0).expanded(3)) == Priors(2.0).expanded(3)

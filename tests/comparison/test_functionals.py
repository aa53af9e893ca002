"""Functions of a draw: against `mixture`, and free of labels where they should be."""

from __future__ import annotations

import numpy as np
import pytest

from gmmcompare.comparison.functionals import DATA_QUANTILES, PAIRS, functionals
from gmmcompare.comparison.labels import permuted
from gmmcompare.model import mixture
from gmmcompare.model.params import Params
from gmmcompare.model.sample import Sample

SAMPLE = Sample.of(np.round(np.random.default_rng(1).normal(np.repeat([0.0, 4.0], 60)), 1))


def some_draws(K: int, seed: int = 2) -> tuple[Params, np.ndarray]:
    rng = np.random.default_rng(seed)
    shape = (3, 20)
    draws = Params(
        rng.dirichlet(np.ones(K), size=shape),
        rng.normal(2.0, 2.0, (*shape, K)),
        np.exp(rng.standard_normal((*shape, K))),
    )
    return draws, mixture.log_likelihood(SAMPLE, draws)


def by_name(draws: Params, log_lik: np.ndarray) -> dict[str, np.ndarray]:
    return {f.name: f.values for f in functionals(draws, log_lik, SAMPLE)}


@pytest.mark.parametrize("K", [1, 3])
def test_values_are_those_of_the_mixture(K):
    draws, log_lik = some_draws(K)
    found = by_name(draws, log_lik)
    at = SAMPLE.quantiles(DATA_QUANTILES)
    for i, q in enumerate(DATA_QUANTILES.tolist()):
        density, below = mixture.log_density(at[[i]], draws), mixture.cdf(at[[i]], draws)
        np.testing.assert_allclose(found[f"log_density[q{q:.2g}]"], density[..., 0], rtol=1e-12)
        np.testing.assert_allclose(found[f"cdf[q{q:.2g}]"], below[..., 0], rtol=1e-12, atol=1e-300)
    for p, q in PAIRS:
        r = mixture.responsibilities(SAMPLE.quantiles([p, q]), draws)
        together = sum(r[..., 0, k] * r[..., 1, k] for k in range(K))
        np.testing.assert_allclose(found[f"coclustering[q{p:g},q{q:g}]"], together, rtol=1e-11)
    np.testing.assert_allclose(found["mean"], (draws.w * draws.mu).sum(-1))
    np.testing.assert_array_equal(found["log_lik"], log_lik)
    np.testing.assert_array_equal(found["sorted_w[1]"], draws.w.max(axis=-1))
    np.testing.assert_array_equal(found[f"sorted_w[{K}]"], draws.w.min(axis=-1))
    for k in range(K):
        np.testing.assert_array_equal(found[f"w[{k + 1}]"], draws.w[..., k])
        np.testing.assert_array_equal(found[f"mu[{k + 1}]"], draws.mu[..., k])
        np.testing.assert_array_equal(found[f"log_sigma[{k + 1}]"], np.log(draws.sigma[..., k]))
    assert len(found) == 2 + 2 * 9 + len(PAIRS) + 4 * K


def test_label_free_means_free_of_labels():
    draws, log_lik = some_draws(3)
    order = np.broadcast_to([2, 0, 1], draws.w.shape)
    plain = functionals(draws, log_lik, SAMPLE)
    other = functionals(permuted(draws, order), log_lik, SAMPLE)
    for one, two in zip(plain, other, strict=True):
        same = np.allclose(one.values, two.values, rtol=1e-11, atol=1e-300)
        assert same == one.label_free, one.name


def test_an_empty_component_leaves_numbers():
    draws = Params(np.array([[[0.0, 1.0]]]), np.array([[[50.0, 2.0]]]), np.array([[[np.inf, 1.0]]]))
    found = by_name(draws, mixture.log_likelihood(SAMPLE, draws))
    for name, values in found.items():
        assert not np.isnan(values).any(), name
    assert np.isposinf(found["log_sigma[1]"]).all()

"""Relabelling: against brute force, on components that cross in mean, and as a user calls it."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from scipy.special import ndtri

from gmmcompare.comparison.labels import Reference, align, permuted, sort_by_mean
from gmmcompare.engines.base import Problem, no_progress
from gmmcompare.engines.gibbs.engine import GibbsEngine
from gmmcompare.fitting.fit import Fit, build_fit
from gmmcompare.model.card import GibbsSettings
from gmmcompare.model.mixture import log_joint
from gmmcompare.model.params import Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample
from gmmcompare.runtime.errors import InputError


def near(K: int, rng: np.random.Generator, shape: tuple[int, ...] = (2, 40)) -> Params:
    """Return draws about a mixture of K components that overlap."""
    w = rng.dirichlet(np.full(K, 20.0), size=shape)
    mu = 1.5 * np.arange(K) + 0.3 * rng.standard_normal((*shape, K))
    return Params(w, mu, np.exp(0.2 * rng.standard_normal((*shape, K))))


def shuffled(draws: Params, rng: np.random.Generator) -> tuple[Params, np.ndarray]:
    labels = rng.permuted(np.broadcast_to(np.arange(draws.K), draws.w.shape), axis=-1)
    return permuted(draws, labels), labels


def the_reference(K: int) -> tuple[Reference, Sample]:
    rng = np.random.default_rng(K)
    sample = Sample.of(rng.normal(1.5 * rng.integers(K, size=700), 1.0))
    centre = Params(np.full(K, 1 / K), 1.5 * np.arange(K), np.ones(K))
    return Reference.of(centre, sample), sample


@pytest.mark.parametrize("K", [1, 2, 3, 6])
def test_each_draw_takes_the_cheapest_of_all_permutations(K):
    reference, _ = the_reference(K)
    draws, _ = shuffled(near(K, np.random.default_rng(1), (1, 25)), np.random.default_rng(2))
    found = align(draws, reference).params
    joint = log_joint(reference.points, draws)[0]
    r = np.exp(joint - np.logaddexp.reduce(joint, axis=-1, keepdims=True))
    for i in range(25):
        cost = {
            order: -sum(float(r[i][:, k] @ reference.log_q[j]) for j, k in enumerate(order))
            for order in permutations(range(K))
        }
        best = list(min(cost, key=cost.__getitem__))
        for field, aligned in zip(draws, found, strict=True):
            np.testing.assert_array_equal(aligned[0, i], field[0, i, best])


@pytest.mark.parametrize("K", [2, 3, 5, 6])
def test_permuted_draws_align_back_exactly(K):
    reference, _ = the_reference(K)
    draws = near(K, np.random.default_rng(3))
    mixed, labels = shuffled(draws, np.random.default_rng(4))
    plain, back = align(draws, reference), align(mixed, reference)
    for one, other in zip(plain.params, back.params, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(np.take_along_axis(labels, back.labels, axis=-1), plain.labels)


def test_triples_move_together():
    reference, _ = the_reference(3)
    draws = near(3, np.random.default_rng(5))
    mixed, _ = shuffled(draws, np.random.default_rng(6))
    found = align(mixed, reference)
    for field, aligned in zip(mixed, found.params, strict=True):
        np.testing.assert_array_equal(np.take_along_axis(field, found.labels, -1), aligned)


def test_switch_rate_is_the_share_of_steps_that_change_labels():
    reference, _ = the_reference(2)
    draws = near(2, np.random.default_rng(7), (2, 11))
    order = np.zeros((2, 11, 2), dtype=np.int64)
    order[..., 1] = 1
    order[1, 4:8] = [1, 0]  # there and back: two of ten steps
    calm = align(draws, reference).params
    found = align(permuted(calm, order), reference)
    np.testing.assert_allclose(found.switch_rate, [0.0, 0.2])
    one_draw = Params(*(a[:, :1] for a in draws))
    np.testing.assert_array_equal(align(one_draw, reference).switch_rate, [0.0, 0.0])


# --- components that cross in mean ---------------------------------------------------------------

CROSSING = Params.of([0.5, 0.5], [0.05, 0.06], [0.14, 0.026])
"""A wide and a narrow component at nearly one mean, 100 observations each."""


@pytest.fixture(scope="module")
def crossing() -> tuple[Fit, Sample]:
    """Return draws for data at the components' own quantiles, so that no seed matters."""
    z = ndtri((np.arange(100) + 0.5) / 100)
    sample = Sample.of((CROSSING.mu + z[:, None] * CROSSING.sigma).ravel())
    engine = GibbsEngine(GibbsSettings(chains=2, warmup=500, draws=4000))
    problem = Problem(sample, 2, Priors())
    return build_fit(engine, problem, 1, engine.run(problem, 1, no_progress)), sample


def test_stephens_recovers_what_sorting_by_mean_mislabels(crossing):
    fit, _ = crossing
    by_stephens = align(fit, CROSSING)
    by_mean = sort_by_mean(fit.params)
    wrong = {
        name: float((a.params.sigma[..., 0] < a.params.sigma[..., 1]).mean())
        for name, a in (("stephens", by_stephens), ("mean", by_mean))
    }
    # The difference of the means has posterior mean 0.01 and sd near sqrt(.14**2 + .026**2) / 10 =
    # 0.014, so about one draw in four crosses; ESS is above 500, so 0.1 is five standard errors.
    assert wrong["stephens"] == 0.0
    assert 0.05 < wrong["mean"] < 0.5


# --- as a user calls it --------------------------------------------------------------------------


def test_a_fit_aligns_to_a_point_by_its_own_data(crossing):
    fit, sample = crossing
    direct = align(fit.params, Reference.of(CROSSING, sample))
    for call in (align(fit, CROSSING), align(fit.params, CROSSING, sample)):
        np.testing.assert_array_equal(call.labels, direct.labels)


def test_draws_of_one_chain_need_no_chain_axis():
    reference, _ = the_reference(3)
    draws, _ = shuffled(near(3, np.random.default_rng(8), (1, 30)), np.random.default_rng(9))
    flat = Params(*(a[0] for a in draws))
    found = align(flat, reference)
    np.testing.assert_array_equal(found.labels, align(draws, reference).labels[0])
    assert found.params.w.shape == (30, 3)
    assert found.switch_rate.shape == (1,)


def test_the_reference_numbers_components_by_mean():
    _, sample = the_reference(2)
    backwards = Params.of([0.3, 0.7], [1.5, 0.0], [1.0, 1.0])
    np.testing.assert_array_equal(Reference.of(backwards, sample).params.mu, [0.0, 1.5])


def test_a_mixture_without_data_is_no_reference():
    draws = near(2, np.random.default_rng(10))
    with pytest.raises(InputError, match="give the sample as well"):
        align(draws, Params.of([0.5, 0.5], [0.0, 1.5], [1.0, 1.0]))


def test_numbers_of_components_must_be_equal():
    reference, _ = the_reference(3)
    with pytest.raises(InputError, match="draws have 2 components and the reference 3"):
        align(near(2, np.random.default_rng(11)), reference)


def test_an_empty_component_with_an_infinite_sd_has_a_place():
    reference, _ = the_reference(2)
    draws = Params(np.array([[[0.0, 1.0]]]), np.array([[[1e3, 0.7]]]), np.array([[[np.inf, 1.0]]]))
    found = align(draws, reference)
    assert sorted(found.labels[0, 0]) == [0, 1]
    assert not any(np.isnan(a).any() for a in found.params)

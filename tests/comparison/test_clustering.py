"""Clusterings against brute force over every draw, the exact posterior, and scikit-learn."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import adjusted_rand_score

import gmmcompare as gc
from gmmcompare.comparison import clustering
from gmmcompare.comparison.clustering import (
    Allocation,
    Clustering,
    adjusted_rand,
    allocate,
    between_components,
    coclustering,
    contingency,
    names_in,
)
from gmmcompare.comparison.labels import align
from gmmcompare.model.params import Params

Y = np.array([0.3, -1.3, 0.3, 2.2, 5.0, 2.2, 2.2, -0.7])


def draws_of(rng: np.random.Generator, chains: int = 2, n: int = 15, K: int = 3) -> Params:
    shape = (chains, n, K)
    w = rng.dirichlet(np.ones(K), shape[:2])
    return Params(w, rng.normal(0, 3, shape), rng.uniform(0.3, 2, shape))


def by_brute_force(y: np.ndarray, draws: Params) -> np.ndarray:
    """Average every observation's responsibilities over every draw, one at a time."""
    total = np.zeros((y.size, draws.K))
    for c, d in np.ndindex(draws.w.shape[:2]):
        w, mu, sigma = (a[c, d] for a in draws)
        for i, value in enumerate(y):
            joint = w * norm.pdf(value, mu, sigma)
            total[i] += joint / joint.sum()
    return total / draws.w[..., 0].size


def test_probabilities_are_responsibilities_averaged_over_every_draw() -> None:
    draws, sample = draws_of(np.random.default_rng(1)), gc.Sample.of(Y)
    found = allocate(draws, sample)
    expected = by_brute_force(Y, draws)
    at = np.searchsorted(sample.values, Y)
    assert np.allclose(found.probability[at], expected, rtol=1e-12, atol=1e-14)
    assert np.array_equal(found.modal[at], expected.argmax(axis=1))
    assert np.allclose(found.entropy[at], -(expected * np.log(expected)).sum(axis=1), atol=1e-12)
    assert (found.n_draws, found.n_available) == (30, 30)
    assert found.sizes.sum() == Y.size


def test_an_empty_component_with_an_infinite_sd_takes_no_observation() -> None:
    draws = Params(*(np.array([[row]]) for row in ([0.6, 0.4], [0.0, 1e200], [1.0, np.inf])))
    found = allocate(draws, gc.Sample.of(Y))
    assert np.allclose(found.probability, [1.0, 0.0], rtol=0, atol=1e-300)
    assert np.allclose(found.entropy, 0.0, rtol=0, atol=1e-300)


def test_draws_are_thinned_evenly_where_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clustering, "EVALUATIONS", 5 * 7)
    monkeypatch.setattr(clustering, "FEWEST_DRAWS", 2)
    draws, sample = draws_of(np.random.default_rng(2)), gc.Sample.of(Y)
    found = allocate(draws, sample)
    flat = Params(*(a.reshape(-1, 3)[::5][None] for a in draws))
    assert (found.n_draws, found.n_available) == (6, 30)
    assert np.allclose(found.probability, allocate(flat, sample).probability, rtol=1e-12)


def test_memory_is_that_of_the_result_and_not_of_the_draws() -> None:
    rng = np.random.default_rng(3)
    sample, draws = gc.Sample.of(rng.normal(size=100_000)), draws_of(rng, 2, 2000)
    allocate(Params(*(a[:, :1] for a in draws)), sample)  # compile
    tracemalloc.start()
    found = allocate(draws, sample)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.n_draws < found.n_available
    assert peak < 4 * found.probability.nbytes


def test_coclustering_by_brute_force() -> None:
    draws = draws_of(np.random.default_rng(4))
    points = np.array([-1.0, 0.3, 2.2, 2.2])
    expected = np.zeros((4, 4))
    for c, d in np.ndindex(draws.w.shape[:2]):
        w, mu, sigma = (a[c, d] for a in draws)
        joint = w * norm.pdf(points[:, None], mu, sigma)
        r = joint / joint.sum(axis=1, keepdims=True)
        expected += r @ r.T / 30
    assert np.allclose(coclustering(draws, points), expected, rtol=1e-12)
    swapped = Params(*(a[..., [2, 0, 1]] for a in draws))
    assert np.allclose(coclustering(swapped, points), expected, rtol=1e-12)


def test_coclustering_of_exact_draws_is_the_exact_one() -> None:
    """Independent draws: each mean of values in [0, 1] is within 0.5 z / sqrt(n) of the truth.

    With z = 6.5 and 15 pairs the false-alarm rate is below 15 * 8e-11, about 1e-9.
    """
    y, n = np.array([-1.3, -0.9, -1.05, 0.8, 1.4, 1.0]), clustering.GRID_DRAWS
    exact = gc.exact_posterior(y, 2, gc.Priors(mean_sd=2.0, var_shape=3.0, var_scale=2.0))
    draws = exact.sample(n, np.random.default_rng(5))
    found = coclustering(Params(*(a[None] for a in draws)), y)
    apart = np.triu_indices(y.size, 1)
    assert np.abs(found - exact.coclustering)[apart].max() < 6.5 * 0.5 / np.sqrt(n)


@pytest.mark.slow
def test_gibbs_own_allocations_have_the_same_probabilities() -> None:
    """The sampler's sums of allocations are an independent estimate of the same probabilities.

    Batch means of 20 pieces give its error; |t| of 19 degrees of freedom is below 9 but for 3e-8,
    times 8 values.
    """
    rng = np.random.default_rng(6)
    y = np.round(np.r_[rng.normal(-3, 1, 40), rng.normal(3, 1, 40)], 1)
    fit = gc.fit(gc.Sample.of(y), "gibbs", components=2, draws=5000, keep_allocations=1)
    aligned = align(fit, gc.fit(fit.sample, "em", components=2).point)
    found = allocate(aligned.params, fit.sample)
    z = fit.extra("allocations")  # (chains, draws, N), of the sorted observations
    first = aligned.labels[..., :1]  # the engine's own label of component 0
    first_of = np.searchsorted(fit.sample.y, fit.sample.values)
    middle = np.argsort(np.abs(fit.sample.values))[:8]
    own = (z[..., first_of[middle]] == first).reshape(20, -1, 8).mean(axis=1)
    error = own.std(axis=0, ddof=1) / np.sqrt(20)
    assert (error > 0).any()
    gap = np.abs(own.mean(axis=0) - found.probability[middle, 0])
    assert (gap <= 9 * error + 1e-4).all()


@pytest.mark.parametrize("seed", range(5))
def test_the_rand_index_is_scikit_learns(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 4, 200)
    b = np.where(rng.random(200) < 0.2 * seed, rng.integers(0, 4, 200), a)
    table = np.zeros((4, 4))
    np.add.at(table, (a, b), 1)
    assert adjusted_rand(table) == pytest.approx(adjusted_rand_score(a, b), abs=1e-12)


@pytest.mark.parametrize(("a", "b"), [([0, 0], [0, 0]), ([0, 1, 2], [0, 1, 2]), ([0], [0])])
def test_the_rand_index_of_equal_clusterings_is_one(a: list[int], b: list[int]) -> None:
    table = np.zeros((3, 3))
    np.add.at(table, (a, b), 1)
    assert adjusted_rand(table) == adjusted_rand_score(a, b) == 1.0


def test_the_contingency_table_counts_observations_and_not_values() -> None:
    counts = np.array([5, 1, 2])
    a = Allocation(np.eye(2)[[0, 1, 1]], counts, 1, 1)
    b = Allocation(np.eye(2)[[0, 0, 1]], counts, 1, 1)
    assert contingency(a, b).tolist() == [[5, 0], [1, 2]]


def test_doubtful_values_are_grouped_by_their_two_components() -> None:
    p = [[0.97, 0.02, 0.01], [0.6, 0.4, 0], [0.5, 0.5, 0], [0, 0.3, 0.7], [0.01, 0.04, 0.95]]
    allocation = Allocation(np.array(p), np.array([1, 2, 3, 4, 5]), 1, 1)
    values = np.arange(5.0)
    names = {2.0: ["a", "b", "c", "d"], 3.0: ["e"]}
    first, second = between_components(allocation, values, names)
    assert (first.components, first.n) == ((0, 1), 5)
    assert [one.value for one in first.worst] == [2.0, 1.0]
    assert [one.names for one in first.worst] == [("a", "b", "c"), ()]
    assert first.worst[0].n == 3
    assert first.worst[0].entropy == pytest.approx(np.log(2))
    assert (second.components, second.n, second.worst[0].names) == ((1, 2), 4, ("e",))


def test_ties_are_one_value_in_the_list_of_doubtful_ones() -> None:
    draws = Params(*(np.array([[row]]) for row in ([0.5, 0.5], [-1.0, 1.0], [1.0, 1.0])))
    sample = gc.Sample.of([0.0] * 50 + [0.01] * 30 + [-0.02])
    (group,) = between_components(allocate(draws, sample), sample.values, {})
    assert [(one.value, one.n) for one in group.worst] == [(0.0, 50), (0.01, 30), (-0.02, 1)]
    assert group.n == 81


def test_one_component_leaves_no_doubt() -> None:
    draws = Params(np.ones((1, 1, 1)), np.zeros((1, 1, 1)), np.ones((1, 1, 1)))
    found = Clustering.of({"a": draws, "b": draws}, gc.Sample.of(Y), "a", {})
    assert found.between == []
    assert found.alike[0].adjusted_rand == found.alike[0].same_mode == 1.0
    assert found.allocations["a"].share_certain == 1.0
    assert names_in(found.to_dict()) == {}


def test_names_come_back_from_the_dictionary() -> None:
    rng = np.random.default_rng(7)
    names = {float(v): [f"planet {v}"] for v in Y}
    found = Clustering.of({"a": draws_of(rng)}, gc.Sample.of(Y), "a", names)
    back = names_in(found.to_dict())
    assert back
    assert all(back[value] == tuple(names[value]) for value in back)
    again = Clustering.of({"a": draws_of(np.random.default_rng(7))}, gc.Sample.of(Y), "a", back)
    assert again.between == found.between

"""Compiled loops against the plain functions of `mixture`, and against enumeration."""

from __future__ import annotations

import itertools
import math
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from gmmcompare.model import compiled as kernels
from gmmcompare.model import mixture
from gmmcompare.model.compiled import TILE, score
from gmmcompare.model.params import Params
from gmmcompare.model.sample import Sample

FINER = np.longdouble


@njit
def exponentials(x):
    out = np.empty_like(x)
    for i in range(x.size):
        out[i] = kernels.exp_nonpositive(x[i])
    return out


@njit
def logarithms(x):
    out = np.empty_like(x)
    for i in range(x.size):
        out[i] = kernels.log_positive(x[i])
    return out


def relative_error(found: np.ndarray, exact: np.ndarray) -> float:
    wrong = found != exact  # log 1 is 0
    return float(np.max(np.abs(found[wrong] / exact[wrong] - 1), initial=0.0))


needs_long_double = pytest.mark.skipif(
    np.finfo(FINER).eps > 1e-18, reason="long double is no finer than double here"
)


@needs_long_double
def test_exponential_to_the_last_bit_or_two():
    rng = np.random.default_rng(1)
    x = np.r_[
        -708.0 * rng.random(500_000),
        -(10.0 ** rng.uniform(-20, 0, 200_000)),
        -np.arange(708) * math.log(2) / 1.0,
        0.0,
        -0.0,
    ]
    x = x[x > -708.0]
    assert relative_error(exponentials(x), np.exp(x.astype(FINER))) <= 4e-16


def test_exponential_far_below_is_small_and_positive():
    x = np.array([-708.0, -709.0, -1e5, -1e300, -np.inf])
    found = exponentials(x)
    np.testing.assert_allclose(found, math.exp(-708.0), rtol=1e-15)
    assert (found > 0).all()


@needs_long_double
def test_logarithm_to_the_last_bit_or_two():
    rng = np.random.default_rng(2)
    x = np.r_[
        1.0 + rng.random(300_000) * 63,
        rng.random(300_000),
        1.0 + 10.0 ** rng.uniform(-16, -1, 200_000),
        1.0 - 10.0 ** rng.uniform(-16, -1, 200_000),
        10.0 ** rng.uniform(-307, 308, 200_000),
        2.0 ** np.arange(-1022, 1024),
        np.nextafter(math.sqrt(2.0), [0, 2, 3]),
        np.finfo(float).max,
        np.finfo(float).tiny,
        1.0,
    ]
    found = logarithms(x)
    assert found[-1] == 0.0
    assert relative_error(found, np.log(x.astype(FINER))) <= 4e-16


def draws(rng: np.random.Generator, shape: tuple[int, ...], K: int) -> Params:
    return Params(
        rng.dirichlet(np.ones(K), shape),
        rng.normal(scale=2.0, size=(*shape, K)),
        np.exp(rng.normal(size=(*shape, K))),
    )


@pytest.mark.parametrize("D", [1, 2, TILE - 1, TILE, TILE + 1, 2 * TILE, 2 * TILE + 1])
@pytest.mark.parametrize("K", [1, 3, 20])
def test_log_likelihood_is_that_of_the_plain_function(D, K):
    rng = np.random.default_rng(D)
    sample = Sample(np.sort(rng.normal(size=D)), rng.integers(1, 9, size=D))
    params = draws(rng, (5,), K)
    expected = mixture.log_likelihood(sample, params)
    np.testing.assert_allclose(score(sample, params).log_lik, expected, rtol=1e-12)


@given(st.lists(st.integers(-12, 12), min_size=1, max_size=20), st.integers(0, 2**32))
def test_so_it_is_for_extreme_draws(y, seed):
    """Components beyond the range of a double, impossible ones, and infinite sds."""
    rng = np.random.default_rng(seed)
    params = draws(rng, (4,), 3)
    params.mu[0, 1] = 1e9
    params.sigma[1, 2] = np.inf
    params.w[2] = [0.0, 0.4, 0.6]
    params.sigma[3] = [1e-9, 1e-2, 50.0]
    sample = Sample.of(np.array(y) / 4)
    found = score(sample, params)
    np.testing.assert_allclose(found.log_lik, mixture.log_likelihood(sample, params), rtol=1e-9)
    assert (found.prob_empty >= 0).all()
    assert (found.prob_empty <= 1).all()
    assert found.prob_empty[2] == pytest.approx(1.0, abs=1e-12)  # a weight of zero


def test_an_impossible_sample_has_no_likelihood():
    nowhere = Params.of([0.5, 0.5], [0.0, 1.0], [np.inf, np.inf])
    assert score(Sample.of([0.3, 0.7]), nowhere).log_lik == -np.inf


@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 5), (2, 3, 4)])
def test_scores_have_the_shape_of_the_draws(shape):
    sample = Sample.of([0.0, 0.5, 0.5])
    params = draws(np.random.default_rng(3), shape, 2)
    found = score(sample, params)
    assert all(np.shape(a) == shape for a in found)
    np.testing.assert_allclose(found.log_lik, mixture.log_likelihood(sample, params), rtol=1e-12)


def test_scores_do_not_depend_on_the_number_of_threads(monkeypatch):
    sample = Sample.of(np.random.default_rng(4).normal(size=50))
    params = draws(np.random.default_rng(5), (2, 7), 3)
    several = score(sample, params)
    for cores in (None, 1, 3, 100):
        monkeypatch.setattr(os, "cpu_count", lambda cores=cores: cores)
        for a, b in zip(several, score(sample, params), strict=True):
            np.testing.assert_array_equal(a, b)


def enumerated(sample: Sample, point: Params) -> tuple[float, float, float]:
    """Return P(some n_k = 0), P(some n_k <= 1) and the sum of P(n_k <= 1), over all allocations."""
    r = mixture.responsibilities(sample.y, point)
    empty = small = bound = 0.0
    for z in itertools.product(range(point.K), repeat=sample.n):
        p = math.prod(r[i, k] for i, k in enumerate(z))
        n_k = np.bincount(z, minlength=point.K)
        empty += p * (n_k.min() == 0)
        small += p * (n_k.min() <= 1)
        bound += p * (n_k <= 1).sum()
    return empty, small, bound


@settings(max_examples=60)
@given(
    st.integers(1, 3),
    st.lists(st.integers(-4, 4), min_size=1, max_size=6),
    st.integers(0, 2**32),
    st.sampled_from([0.02, 0.3, 1.0, 3.0]),
)
def test_occupancy_is_that_of_enumeration(K, y, seed, width):
    rng = np.random.default_rng(seed)
    sample = Sample.of(np.array(y) / 2)
    point = Params(
        rng.dirichlet(np.ones(K)), rng.choice(np.arange(-4, 5) / 2, K), np.full(K, width)
    )
    empty, small, bound = enumerated(sample, point)
    found = score(sample, point)
    # What an exponential below 1e-308 leaves, and rounding of alternating sums.
    assert float(found.prob_empty) == pytest.approx(empty, abs=1e-12)
    assert float(found.prob_small) == pytest.approx(min(bound, 1.0), abs=1e-12)
    assert float(found.prob_small) >= small - 1e-12


@pytest.mark.parametrize("counts", [[1, 1], [1, 2], [3, 1], [2, 2]])
def test_observations_that_are_certain(counts):
    """Two components so far apart that every responsibility is 0 or 1."""
    sample = Sample(np.array([0.0, 100.0]), np.array(counts))
    point = Params.of([0.5, 0.5], [0.0, 100.0], [1.0, 1.0])
    found = score(sample, point)
    assert found.prob_empty == 0.0
    assert found.prob_small == min(1, sum(c == 1 for c in counts))
    both_near = Params.of([0.5, 0.5], [0.0, 1e6], [60.0, 1.0])
    found = score(sample, both_near)
    assert found.prob_empty == 1.0
    assert found.prob_small == 1.0


def test_occupancy_of_many_components():
    """Ten equal components and n observations: inclusion and exclusion over the eight that count.

    P(one of eight given ones is empty), where each observation falls on each of ten alike.
    """
    K, n = 10, 30
    sample = Sample(np.array([0.0, 1.0]), np.array([n - 7, 7]))
    point = Params(np.full(K, 1 / K), np.zeros(K), np.full(K, 2.0))
    expected = sum(-((-1) ** j) * math.comb(8, j) * (1 - j / K) ** n for j in range(1, 9))
    assert float(score(sample, point).prob_empty) == pytest.approx(expected, abs=1e-12)
    full = Params(np.full(3, 1 / 3), np.zeros(3), np.ones(3))
    many = Sample(np.array([0.0]), np.array([10_000]))
    assert score(many, full)[1:] == (0.0, 0.0)

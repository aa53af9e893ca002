"""`Params`: what is accepted as a mixture, and how its refusal is explained."""

from __future__ import annotations

import numpy as np
import pytest

from gmmcompare.model.params import Params
from gmmcompare.runtime.errors import InputError


def test_numbers_and_lists_become_one_point():
    point = Params.of([0.25, 0.75], [1, -2], [0.5, 3])
    assert point.K == 2
    assert [a.dtype for a in point] == [np.float64] * 3
    np.testing.assert_array_equal(point.mu, [1.0, -2.0])
    assert Params.of(1, 0, 2).w.shape == (1,)


def test_a_batch_of_points_is_checked_point_by_point():
    w = np.full((4, 5, 2), 0.5)
    mu, sigma = np.zeros((4, 5, 2)), np.ones((4, 5, 2))
    assert Params(w, mu, sigma).problem() == ""
    assert Params(w, mu, sigma).K == 2
    w[2, 3] = [0.5, 0.6]
    assert "furthest off by 0.1" in Params(w, mu, sigma).problem()


def test_an_infinite_sd_and_a_weight_of_zero_are_points():
    assert Params.of([0.0, 1.0], [0.0, 1.0], [np.inf, 1.0]).problem() == ""


@pytest.mark.parametrize(
    ("w", "mu", "sigma", "says"),
    [
        ([0.5, 0.5], [0.0], [1.0, 1.0], r"shapes differ: w \(2,\), mu \(1,\), sigma \(2,\)"),
        ([0.5, 0.5], [0.0, np.nan], [1.0, 1.0], "mu has 1 NaN of 2 values"),
        ([np.nan, np.nan], [0.0, 1.0], [1.0, 1.0], "w has 2 NaN of 2 values"),
        ([0.5, 0.5], [0.0, 1.0], [np.nan, 1.0], "sigma has 1 NaN"),
        ([0.5, 0.5], [0.0, -np.inf], [1.0, 1.0], "mu has infinite values"),
        ([1.5, -0.5], [0.0, 1.0], [1.0, 1.0], "must not be negative: smallest is -0.5"),
        ([0.5, 0.6], [0.0, 1.0], [1.0, 1.0], "must sum to 1: furthest off by 0.1"),
        ([np.inf, 0.0], [0.0, 1.0], [1.0, 1.0], "must sum to 1: furthest off by inf"),
        ([0.5, 0.5], [0.0, 1.0], [1.0, 0.0], "sigma must be positive .* smallest is 0"),
        ([0.5, 0.5], [0.0, 1.0], [-1.0, 1.0], "sigma must be positive .* smallest is -1"),
        ([], [], [], "there are no values"),
        (["a"], [0.0], [1.0], "must be numbers"),
    ],
)
def test_what_is_no_mixture_is_explained(w, mu, sigma, says):
    with pytest.raises(InputError, match=says):
        Params.of(w, mu, sigma)


def test_no_draws_are_no_mixture():
    none = np.empty((4, 0, 2))
    assert "no values, shape (4, 0, 2)" in Params(none, none, none).problem()


def test_weights_off_by_rounding_are_accepted():
    assert Params.of([0.5, 0.5 + 9e-7], [0, 0], [1, 1]).K == 2
    with pytest.raises(InputError, match="sum to 1"):
        Params.of([0.5, 0.5 + 2e-6], [0, 0], [1, 1])


def test_order_by_mean_moves_whole_components_and_keeps_ties_in_place():
    point = Params.of([0.1, 0.2, 0.3, 0.4], [2.0, -1.0, 2.0, 0.0], [1.0, 2.0, 3.0, 4.0])
    ordered = point.ordered_by_mean()
    np.testing.assert_array_equal(ordered.mu, [-1.0, 0.0, 2.0, 2.0])
    np.testing.assert_array_equal(ordered.w, [0.2, 0.4, 0.1, 0.3])
    np.testing.assert_array_equal(ordered.sigma, [2.0, 4.0, 1.0, 3.0])


def test_permuted_components_keep_together():
    point = Params.of([0.2, 0.3, 0.5], [1.0, 2.0, 3.0], [4.0, 5.0, 6.0])
    moved = point.permuted([2, 0, 1])
    for new, old in zip(moved, point, strict=True):
        assert new.tolist() == [old[2], old[0], old[1]]

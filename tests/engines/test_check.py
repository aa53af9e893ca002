"""`check_engine`: every way in which a result can be wrong, and what it says."""

from __future__ import annotations

import re
import time

import numpy as np
import pytest

import gmmcompare
from gmmcompare.engines.check import check_engine, copied_chains
from gmmcompare.model.params import Params
from gmmcompare.runtime.errors import EngineError


def good(chains: int = 3, draws: int = 40, K: int = 2) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    shape = (chains, draws, K)
    return {
        "w": rng.dirichlet(np.ones(K), (chains, draws)),
        "mu": rng.normal(size=shape),
        "sigma": rng.random(shape) + 0.1,
    }


def test_good_draws_come_back_as_parameters():
    result = good()
    params = check_engine(result, K=2, chains=3, draws=40)
    assert isinstance(params, Params)
    np.testing.assert_array_equal(params.mu, result["mu"])
    assert check_engine(good(K=1), K=1).K == 1
    assert gmmcompare.check_engine is check_engine


def test_lists_are_arrays_and_other_keys_are_ignored():
    point = check_engine({"w": [0.5, 0.5], "mu": [0, 1], "sigma": [1, 2], "lp": "?"}, K=2)
    assert point.w.shape == (2,)


def test_infinite_sds_pass():
    result = good()
    result["sigma"][0, :3, 0] = np.inf
    check_engine(result)


def changed(key: str, value: object) -> dict[str, object]:
    return {**good(), key: value}


def with_value(key: str, value: float) -> dict[str, np.ndarray]:
    result = good()
    result[key][1, 7, 1] = value
    return result


BAD = {
    "tuple": ((1, 2, 3), {}, "mine: returned tuple; return a dict with arrays w, mu and sigma"),
    "nothing": (None, {}, "mine: returned NoneType; return a dict"),
    "no w": (
        {"mu": 1, "s": 2},
        {},
        "returned no w and no sigma; keys are mu, s, wanted w, mu, sigma",
    ),
    "empty": ({}, {}, "returned no w and no mu and no sigma; keys are none"),
    "words": (changed("mu", "high"), {}, "mine: mu is not an array of numbers"),
    "ragged": (changed("mu", [[1.0], [1.0, 2.0]]), {}, "mu is not an array of numbers"),
    "one shape differs": (
        changed("sigma", np.ones((3, 40))),
        {},
        "shapes differ: w (3, 40, 2), mu (3, 40, 2), sigma (3, 40); give all three the same shape",
    ),
    "two axes": (
        {k: v[0] for k, v in good().items()},
        {},
        "arrays have shape (40, 2); a sampler returns (chains, draws, K) and a point estimate (K,)",
    ),
    "numbers": ({"w": 1.0, "mu": 0.0, "sigma": 1.0}, {}, "arrays have shape ()"),
    "K": (good(), {"K": 3}, "2 components where 3 were asked for, shape (3, 40, 2)"),
    "K of a point": (
        {"w": [1.0], "mu": [0.0], "sigma": [1.0]},
        {"K": 2},
        "1 components where 2 were asked for, shape (1,)",
    ),
    "chains": (
        good(),
        {"chains": 4},
        "3 chains where 4 were asked for, shape (3, 40, 2); the axes",
    ),
    "warmup left in": (
        good(),
        {"draws": 20},
        "40 draws where 20 were asked for, shape (3, 40, 2); le",
    ),
    "no draws": (good(draws=0), {}, "there are no values, shape (3, 0, 2)"),
    "NaN": (with_value("mu", np.nan), {}, "mine: mu has 1 NaN of 240 values"),
    "infinite mean": (with_value("mu", np.inf), {}, "mine: mu has infinite values"),
    "weights": (with_value("w", 0.9999), {}, "mine: weights must sum to 1: furthest off by"),
    "negative weight": (
        with_value("w", -0.1),
        {},
        "weights must not be negative: smallest is -0.1",
    ),
    "variance zero": (with_value("sigma", 0.0), {}, "sigma must be positive (it is a standard dev"),
}


@pytest.mark.parametrize(("result", "asked", "says"), BAD.values(), ids=BAD)
def test_what_is_wrong_is_said_in_one_line(result, asked, says):
    with pytest.raises(EngineError, match=re.escape(says)) as caught:
        check_engine(result, name="mine", **asked)
    assert str(caught.value).startswith("mine: ")
    assert "\n" not in str(caught.value)


def test_copied_chains_are_named():
    result = good(chains=4)
    for array in result.values():
        array[3] = array[1]
    says = "chains 1 and 3 are copies of each other: give each chain its own random stream"
    with pytest.raises(EngineError, match=says):
        check_engine(result)
    assert copied_chains(Params(**result)) == [(1, 3)]


def test_chains_that_become_copies_are_noticed():
    """One seed and different starts: a Gibbs sampler's chains soon coincide."""
    result = good(chains=2)
    for array in result.values():
        array[1, 15:] = array[0, 15:] * (1 + 1e-15)
    with pytest.raises(EngineError, match="copies"):
        check_engine(result)


def test_chains_that_share_a_few_draws_are_no_copies():
    result = good(chains=2)
    for array in result.values():
        array[1, 20:29] = array[0, 20:29]  # 9 of the last 20
    check_engine(result)


def test_one_chain_cut_into_pieces_that_overlap_is_noticed():
    result = good(chains=2, draws=60)
    for array in result.values():
        array[1] = np.roll(array[0], 3, axis=0) * (1 + 1e-15)
    with pytest.raises(EngineError, match="copies"):
        check_engine(result)


def test_chains_with_the_same_values_in_other_components_are_no_copies():
    result = good(chains=2)
    for array in result.values():
        array[1] = array[0, :, ::-1]
    check_engine(result)


def test_chains_with_very_large_or_infinite_sds_are_no_copies():
    result = good(chains=2)
    result["sigma"][:, :, 0] = np.inf
    check_engine(result)
    result["sigma"][:, :, 0] = 1e308 * (1 + 0.5 * result["w"][:, :, 0])
    check_engine(result)


def test_chains_that_never_move_are_another_trouble():
    """A sampler that is stuck is for the diagnostics to tell, not a matter of random streams."""
    still = {k: np.broadcast_to(v[:1, :1], (2, 40, 2)) for k, v in good().items()}
    assert copied_chains(check_engine(still)) == []


def test_a_chain_that_stands_where_another_passes_is_no_copy():
    result = good(chains=2)
    for array in result.values():
        array[1, :] = array[0, 30]
    check_engine(result)


def test_one_component_s_weight_is_no_copy():
    assert copied_chains(Params(**good(chains=3, K=1))) == []


def test_means_near_1e12_are_no_copies():
    result = good()
    result["mu"] += 1e12
    check_engine(result)


@pytest.mark.parametrize("decimals", [1, 2])
def test_rounded_draws_of_one_component_are_no_copies(decimals):
    """As from a text file: there are few values, and every chain has been at each."""
    result = good(chains=4, draws=2000, K=1)
    rounded = {name: np.round(a, decimals) for name, a in result.items()}
    rounded["sigma"] += 0.1
    assert copied_chains(check_engine(rounded)) == []
    for array in rounded.values():
        array[3] = np.roll(array[1], 5, axis=0)
    assert copied_chains(Params(**rounded)) == [(1, 3)]


def test_many_chains_are_compared_at_once():
    """All pairs of 2,000 chains would take minutes."""
    result = good(chains=2000, draws=40)
    for array in result.values():
        array[1999] = array[7]
    started = time.process_time()
    assert copied_chains(Params(**result)) == [(7, 1999)]
    assert time.process_time() - started < 5

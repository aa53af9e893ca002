"""The wealth of bets: exact false-alarm rate, and power where a mean is off."""

from __future__ import annotations

import numpy as np
import pytest

from gmmcompare.validation.betting import Wealth


def played(d: np.ndarray, rounds: int = 8) -> Wealth:
    wealth = Wealth(d.shape[1])
    for part in np.array_split(d, rounds):
        wealth.add(part)
    return wealth


def skewed(rng: np.random.Generator, n: int, m: int) -> np.ndarray:
    """Mean zero, strongly skewed: 0.9 with probability 0.1, else -0.1."""
    return np.where(rng.random((n, m)) < 0.1, 0.9, -0.1)


def test_wealth_is_one_on_average_for_mean_zero() -> None:
    # The mean of a nonnegative martingale is 1; each run's wealth is below 1e3 nearly always.
    # 400 runs; by Markov's inequality their mean passes 20 with probability below 1/20 only, so the
    # bound is on the median: P(wealth > 2) <= 1/2, 400 runs, P(more than 260 of them) < 1e-8.
    rng = np.random.default_rng(1)
    high = sum(played(skewed(rng, 400, 5)).log_wealth > np.log(2.0) for _ in range(400))
    assert high <= 260


def test_wealth_of_one_bet_is_a_martingale() -> None:
    # All sequences of three signs, each with its probability: the mean wealth is exactly 1.
    signs = np.array(np.meshgrid(*[[-1.0, 1.0]] * 3)).reshape(3, -1).T
    totals = []
    for path in signs:
        wealth = Wealth(1)
        for step in path:
            wealth.add(np.array([[0.7 * step]]))
        totals.append(np.exp(wealth.log_single))
    np.testing.assert_allclose(np.mean(totals, axis=0), 1.0, rtol=1e-12)


def test_a_mean_off_zero_is_found() -> None:
    rng = np.random.default_rng(2)
    d = skewed(rng, 4000, 30)
    assert played(d).log_wealth < np.log(1e5)  # false alarm 1e-5
    d[:, 7] += 0.05
    assert played(np.clip(d, -1, 1)).log_wealth > np.log(1e5)


def test_learned_directions_find_what_no_single_quantity_shows() -> None:
    # Thirty quantities, each off by 0.02 standard deviations: z is about 2 for each.
    rng = np.random.default_rng(3)
    d = rng.uniform(-1.0, 1.0, size=(12_000, 30)) * 0.9 + 0.02
    wealth = played(d, rounds=12)
    assert wealth.log_learned.max() > wealth.log_single.max() > 0.0
    assert wealth.log_wealth > np.log(1e5)


def test_stakes_never_lose_everything() -> None:
    wealth = Wealth(3)
    for _ in range(5):
        wealth.add(np.full((500, 3), -1.0))
    assert np.isfinite(wealth.log_wealth)
    assert wealth.log_wealth > np.log(1e5)


@pytest.mark.parametrize("n", [1, 63, 64, 65, 1000])
def test_wealth_is_the_product_of_one_plus_stake_times_outcome(n: int) -> None:
    d = np.random.default_rng(1).uniform(-1.0, 1.0, (n, 3))
    wealth = Wealth(3)
    stakes = np.array(wealth._single_stakes())
    wealth.add(d)
    expected = np.log1p(stakes[:, None, :] * d).sum(axis=1).T
    np.testing.assert_allclose(wealth.log_single, expected, rtol=0, atol=1e-12)

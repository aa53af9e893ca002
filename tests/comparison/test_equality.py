"""The tests of equality: against a plain version, sizes that are known, and honest errors."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal, stats

from gmmcompare.comparison.equality import MAX_BATCHES, batches_per_chain, differences
from gmmcompare.comparison.functionals import POOLED_QUANTILES, STATISTICS


def plain(a: np.ndarray, b: np.ndarray, ess: tuple[float, float]):
    """Compute the same in the most direct way."""
    pooled = np.concatenate([a.ravel(), b.ravel()])
    score = stats.norm.ppf((stats.rankdata(pooled) - 0.5) / pooled.size)
    rows = [score, np.abs(score)]
    rows += [pooled <= np.quantile(pooled, q, method="lower") for q in POOLED_QUANTILES]
    result = []
    for row in rows:
        row = np.asarray(row, dtype=float)
        row = row / (row.std() or 1.0)
        means, by_batches, batch_df, variances, dfs = [], [], [], [], []
        parts = row[: a.size].reshape(a.shape), row[a.size :].reshape(b.shape)
        for x, effective in zip(parts, ess, strict=True):
            n = batches_per_chain(x.shape, effective)
            cut = np.arange(x.shape[1]) * n // x.shape[1]
            each = [chain[cut == i].mean() for chain in x for i in range(n)]
            means.append(x.mean())
            by_batches.append(max(np.var(each, ddof=1) / len(each), 0.5 / effective))
            batch_df.append(len(each) - 1)
            by_chains = np.var(x.mean(axis=1), ddof=1) / len(x)
            apart = stats.f.sf(by_chains / by_batches[-1], len(x) - 1, len(each) - len(x)) < 0.01
            variances.append(max(by_batches[-1], by_chains))
            dfs.append(len(x) - 1 if apart else len(each) - 1)
        diff = means[0] - means[1]
        se, df = welch(variances, dfs)
        se_of_batches, its_df = welch(by_batches, batch_df)
        p = 2 * stats.t.sf(abs(diff) / se, df)
        result.append((diff, se, p, abs(diff) + stats.t.ppf(0.95, its_df) * se_of_batches))
    return np.array(result).T


def welch(variances: list[float], dfs: list[int]) -> tuple[float, float]:
    var = sum(variances)
    return np.sqrt(var), var**2 / sum(v**2 / d for v, d in zip(variances, dfs, strict=True))


MANY = (1e4, 1e4)
CASES = {
    "plain": lambda x: x,
    "ties": lambda x: np.round(x),
    "infinite": lambda x: np.where(x > 1.5, np.inf, x),
}


@pytest.mark.parametrize("change", CASES.values(), ids=CASES)
def test_against_the_plain_version(change):
    rng = np.random.default_rng(1)
    a, b = change(rng.standard_normal((4, 203))), change(0.3 + rng.standard_normal((3, 150)))
    found = differences(a, b, (812.0, 250.0))
    diff, se, p, limit = plain(a, b, (812.0, 250.0))
    np.testing.assert_allclose(found.diff, diff, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.se, se, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.p, p, rtol=1e-7)
    np.testing.assert_allclose(found.limit, limit, rtol=1e-9, atol=1e-12)
    assert found.diff.shape == (len(STATISTICS),)


def test_swapping_engines_turns_the_sign_and_nothing_else():
    rng = np.random.default_rng(2)
    a, b = rng.standard_normal((4, 100)), rng.standard_normal((4, 200))
    one, other = differences(a, b, (400, 800)), differences(b, a, (800, 400))
    np.testing.assert_allclose(one.diff, -other.diff, atol=1e-14)
    np.testing.assert_allclose(one.p, other.p, rtol=1e-9)


def test_only_ranks_matter():
    rng = np.random.default_rng(3)
    a, b = rng.standard_normal((4, 100)), rng.standard_normal((4, 100))
    plain_, warped = (
        differences(a, b, MANY),
        differences(np.exp(9 * a), np.exp(9 * b), MANY),
    )
    np.testing.assert_array_equal(plain_.diff, warped.diff)
    np.testing.assert_array_equal(plain_.p, warped.p)


def test_sizes_are_in_posterior_sds():
    # A shift by 0.2 of a normal is 0.2 in its score, to within 1 % (the pooled sd is larger) and
    # five standard errors of sqrt(2 / 400,000) = 0.0022; a false alarm has probability 6e-7.
    rng = np.random.default_rng(4)
    a, b = rng.standard_normal((4, 100_000)), 0.2 + rng.standard_normal((4, 100_000))
    found = differences(a, b, MANY)
    assert STATISTICS[int(np.argmin(found.p))] == "location"
    assert found.diff[0] == pytest.approx(-0.2, abs=0.002 + 5 * 0.0022)
    assert found.p[0] < 1e-10


def test_p_values_are_honest_for_equal_chains():
    # 400 tests of equal AR(1) chains (tau = 3) of 2,000 draws. As the larger of two errors counts,
    # p-values may be too large, never too small; the one-sided Kolmogorov-Smirnov test of
    # independent p-values is exact: one false alarm in 1e6.
    noise = np.random.default_rng(5).standard_normal((400, 8, 2050))
    x = signal.lfilter([np.sqrt(0.75)], [1.0, -0.5], noise)[..., 50:]
    p = [differences(pair[:4], pair[4:], MANY).p[0] for pair in x]
    assert stats.kstest(p, "uniform", alternative="greater").pvalue > 1e-6
    assert np.mean(p) < 0.65  # and not by much: uniform ones have 0.5


def test_nothing_to_test_where_nothing_varies():
    assert differences(np.ones((2, 30)), np.ones((3, 30)), MANY) is None


def test_engines_that_stand_still_at_different_values_differ_beyond_doubt():
    found = differences(np.zeros((4, 50)), np.ones((4, 50)), (float("nan"), float("nan")))
    assert found.p.min() == 0.0
    assert found.diff[0] < 0


def test_few_effective_draws_may_not_have_seen_a_tail():
    rng = np.random.default_rng(7)
    a, b = rng.standard_normal((4, 5)), rng.standard_normal((4, 5000))
    assert a.max() < np.quantile(b, 0.95)  # so all twenty say: always below
    assert differences(a, b, (20.0, 2e4)).p.min() == 1.0
    # With a few more, a tail that was not seen is not certain either: the variance has a floor.
    a = np.minimum(rng.standard_normal((4, 50)), 1.6)
    found = differences(a, b, (200.0, 2e4))
    assert found.se[-1] >= np.sqrt(0.5 / 200)
    assert found.p[-1] > 1e-4


def test_fewer_batches_where_few_draws_are_effective():
    assert batches_per_chain((4, 5000), 10_000) == MAX_BATCHES
    assert batches_per_chain((4, 5000), float("nan")) == MAX_BATCHES
    assert batches_per_chain((4, 5000), 200) == 2
    assert batches_per_chain((4, 5000), 5) == 1  # chains in different modes
    assert batches_per_chain((1, 5000), 5) == 4  # a variance needs a few
    assert batches_per_chain((4, 3), 10_000) == 3  # never more than draws


def test_chains_in_different_modes_are_not_precise():
    # Whole chains show it, whatever the ESS is thought to be.
    rng = np.random.default_rng(6)
    a, b = rng.standard_normal((4, 1000)), rng.standard_normal((4, 1000))
    b[:3] += 10.0
    for ess in (4000, 120):
        found = differences(a, b, (4000, ess))
        assert found.p.min() > 1e-4
        assert found.se[0] > 0.2


def test_batches_are_as_long_as_the_slowest_combination_asks_for():
    rng = np.random.default_rng(8)
    a, b = rng.standard_normal((4, 1000)), np.cumsum(rng.standard_normal((4, 1000)), axis=1)
    naive, honest = differences(a, b, MANY), differences(a, b, MANY, (1e4, 80.0))
    scores = stats.norm.ppf((stats.rankdata(np.concatenate([a, b])) - 0.5) / 8000).reshape(8, 1000)
    whole = np.var((scores / scores.std())[4:].mean(axis=1), ddof=1) / 4  # a batch is a chain
    own = np.sqrt(honest.se_of_batches[0] ** 2 - whole)
    assert 0.003 < own < 0.03  # what is left is a's: its standard error is 0.0158 / sqrt(2)
    assert naive.se_of_batches[0] < honest.se_of_batches[0]
    assert naive.se[0] == pytest.approx(honest.se[0], rel=0.1)  # whole chains show it anyway

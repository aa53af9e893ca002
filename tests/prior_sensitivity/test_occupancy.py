"""Odds of occupied components under a changed prior, against the exact posterior."""

from __future__ import annotations

import numpy as np
import pytest

import gmmcompare as gc
from gmmcompare.prior_sensitivity.occupancy import occupied_shares, odds_factors

Y = np.array([-1.3, -0.9, -1.05, 0.8, 1.4, 1.0])
BEFORE = gc.Priors([1.0, 0.7, 1.2], 0.2, 2.0, [2.0, 2.5, 1.5], 0.6)


@pytest.fixture(scope="module")
def fit() -> gc.Fit:
    sample = gc.Sample.of(Y)
    return gc.fit(sample, "gibbs", components=3, priors=BEFORE, draws=20_000, warmup=500)


def test_shares_are_the_exact_probabilities(fit: gc.Fit) -> None:
    """Each share is off by at most 0.5 z / sqrt(ESS); with z = 6.5 and ESS 1000, 8e-11."""
    exact = gc.exact_posterior(Y, 3, BEFORE).prob_occupied
    for m, share in occupied_shares(fit).items():
        assert share == pytest.approx(exact[m], abs=6.5 * 0.5 / np.sqrt(1000))
    assert sum(occupied_shares(fit).values()) == pytest.approx(1)


@pytest.mark.parametrize(
    "after",
    [
        gc.Priors([1.0, 0.7, 1.2], 0.2, 2.0, [2.0, 2.5, 1.5], 1.2),
        gc.Priors([1.0, 0.7, 1.2], 0.2, 2.0, [1.0, 1.25, 0.75], 0.6),
        gc.Priors([0.5, 0.35, 0.6], 0.2, 2.0, [2.0, 2.5, 1.5], 0.6),
        gc.Priors([1.0, 0.7, 1.2], 1.0, 1.5, [2.0, 2.5, 1.5], 0.6),
    ],
    ids=["var_scale", "var_shape", "weight_concentration", "mean"],
)
def test_odds_change_as_the_exact_ones_do(fit: gc.Fit, after: gc.Priors) -> None:
    """Twenty batches: |t| of 19 degrees of freedom is below 8 but for 2e-7, times 2 factors."""
    old, new = (gc.exact_posterior(Y, 3, p).prob_occupied for p in (BEFORE, after))
    found = odds_factors(fit, BEFORE, after)
    assert [f.occupied for f in found] == [2, 3]
    for f in found:
        m = f.occupied
        exact = (new[m] / new[m - 1]) / (old[m] / old[m - 1])
        assert 0 < f.error < 0.1 * f.factor
        assert abs(f.factor - exact) < 8 * f.error


def test_an_unchanged_prior_changes_no_odds(fit: gc.Fit) -> None:
    assert all((f.factor, f.error) == (1.0, 0.0) for f in odds_factors(fit, BEFORE, BEFORE))


def test_nothing_is_said_of_states_that_were_hardly_seen(fit: gc.Fit) -> None:
    far_apart = gc.Sample.of(np.r_[np.linspace(-9, -8, 30), np.linspace(8, 9, 30)])
    sure = gc.fit(
        far_apart,
        "gibbs",
        components=2,
        draws=300,
        warmup=50,
        priors=gc.Priors(var_shape=2, var_scale=1),
    )
    assert occupied_shares(sure) == {2: 1.0}
    assert odds_factors(sure, gc.Priors(var_shape=2, var_scale=1), gc.Priors()) == []

"""What parameters do together, and in their tails: faults that no quantity shows by itself.

Evidence is independent draws, so that the truth is known. Seeds are fixed and were not chosen.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from evidence import judge, make_evidence
from scipy import stats

import gmmcompare as gc
from gmmcompare.comparison.equality import dependences
from gmmcompare.comparison.evidence import Evidence
from gmmcompare.comparison.functionals import STATISTICS
from gmmcompare.comparison.labels import Reference, align
from gmmcompare.model.params import Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample


def dependent(name: str, seed: int, one: str, other: str, correlation: float, **size) -> Evidence:
    """Return evidence in which one quantity's correlation with another is not 0."""
    found = make_evidence(name, seed, **size)
    values = {f.name: f.values for f in found.functionals}
    values[other] = correlation * values[one] + np.sqrt(1 - correlation**2) * values[other]
    return replace(
        found, functionals=tuple(replace(f, values=values[f.name]) for f in found.functionals)
    )


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize(
    ("one", "other"), [("w[1]", "mu[1]"), ("mu[1]", "log_sigma[1]"), ("w[1]", "log_sigma[1]")]
)
def test_a_correlation_that_the_other_engine_has_not_is_a_difference(one, other, sign):
    # 0.3 of 1.04 sd at ESS 10,000 is 20 standard errors.
    def refit(name: str, this_round: int) -> Evidence:
        draws = 2500 * 4 ** (this_round - 1)
        if name == "mine":
            return dependent(name, 10 + this_round, one, other, 0.3 * sign, draws=draws)
        return make_evidence(name, 20 + this_round, draws=draws)

    found = judge(refit("gibbs", 1), refit("mine", 1), refit)
    assert (found.verdict, found.rounds) == ("disagree", 2)
    numbers = found.reasons[0].numbers
    assert (numbers["functional"], numbers["statistic"]) == (
        f"dependence[{one},{other}]",
        "dependence",
    )
    assert numbers["diff"] == pytest.approx(-0.29 * sign, abs=0.04)


@pytest.mark.parametrize("size", [1000, 4000])
def test_nor_is_it_ever_agreement_with_fewer_draws(size):
    found = judge(
        make_evidence("gibbs", 1, draws=size),
        dependent("mine", 2, "w[1]", "mu[1]", 0.3, draws=size),
    )
    assert found.verdict == "disagree"


def test_what_both_engines_have_is_no_difference():
    a, b = (dependent(n, s, "w[1]", "mu[1]", 0.7) for n, s in (("gibbs", 1), ("mine", 2)))
    found = judge(a, b)
    assert found.verdict == "agree"
    assert found.functionals[-1].statistics == 3
    assert found.statistics == 6 * 11 + 3
    assert found.reasons[0].numbers["statistics"] == found.statistics


def test_dependences_against_a_plain_version():
    rng = np.random.default_rng(3)
    a, b = rng.standard_normal((3, 4, 203)), rng.standard_normal((3, 3, 150))
    b[1] = np.round(b[0] + b[1])  # and ties
    ess = np.array([800.0, 700.0, 600.0]), np.array([400.0, 450.0, 300.0])
    found = dependences(a, b, ess, (812.0, 250.0))
    pooled = np.concatenate([a.reshape(3, -1), b.reshape(3, -1)], axis=1)
    score = stats.norm.ppf((stats.rankdata(pooled, axis=1) - 0.5) / pooled.shape[1])
    for at, (i, j) in enumerate(((0, 1), (0, 2), (1, 2))):
        product = score[i] * score[j]
        means = product[: 4 * 203].mean(), product[4 * 203 :].mean()
        assert found.diff[at] == pytest.approx((means[0] - means[1]) / product.std())
    assert found.p.argmin() == 0


# --- tails ---------------------------------------------------------------------------------------


def test_the_shares_of_either_hundredth_are_among_the_statistics():
    assert {"below q0.01", "below q0.99"} <= set(STATISTICS)
    assert len(STATISTICS) == 11


@pytest.mark.parametrize("factor", [1.5, 2.0, 3.0])
@pytest.mark.parametrize("side", [-1, 1])
def test_a_tail_that_is_too_long_is_no_agreement(side, factor):
    # Beyond the 95 % point, 1.5 times: a share of 0.7 % or 1.5 % beyond the pooled 99 % point,
    # 0.075 of its sd. With an ESS of 60,000 each that is 13 standard errors.
    a, b = (make_evidence(n, s, draws=15_000) for n, s in (("gibbs", 1), ("mine", 2)))
    edge = float(stats.norm.ppf(0.95))
    stretched = tuple(
        replace(
            f,
            values=side
            * np.where(
                side * f.values > edge, edge + factor * (side * f.values - edge), side * f.values
            ),
        )
        if f.name == "log_sigma[1]"
        else f
        for f in b.functionals
    )
    found = judge(a, replace(b, functionals=stretched))
    assert found.verdict == "disagree"
    assert found.reasons[0].numbers["functional"] == "log_sigma[1]"


# --- whole draws ----------------------------------------------------------------------------------

SAMPLE = Sample.of([-1.3, -0.9, -1.05, -1.6, -0.7, -1.2, 0.8, 1.4, 1.0, 1.3, 0.5, 1.1])
PRIORS = Priors(5.0, 0.0, 2.0, 3.0, 0.5)


@pytest.mark.slow
def test_a_sampler_whose_sigma_has_too_long_a_tail_does_not_agree():
    a, b = (
        gc.fit(SAMPLE, "exact", components=2, priors=PRIORS, draws=10_000, seed=s) for s in (1, 2)
    )
    aligned = align(b.params, Reference.of(a.point, SAMPLE)).params
    edge = np.quantile(aligned.sigma, 0.95, axis=(0, 1))
    sigma = np.where(aligned.sigma > edge, edge + 1.5 * (aligned.sigma - edge), aligned.sigma)
    wrong = Given(Params(aligned.w, aligned.mu, sigma))
    found = gc.compare(
        [a, gc.fit(SAMPLE, wrong, components=2, priors=PRIORS, name="mine", draws=10_000)]
    )
    assert found.verdict == "disagree"
    assert "below q0.99" in found.pairs[0].reasons[0].numbers["statistic"]


class Given:
    """A sampler that returns the draws it was given."""

    def __init__(self, params: Params) -> None:
        self.params = params

    def __call__(self, y, K, priors, draws, warmup, chains, rng):
        return dict(zip(Params._fields, self.params, strict=True))

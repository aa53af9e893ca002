"""Chains that are not independent though no draw is a copy; and honest ones, which are left alone.

The false-alarm rate of a comparison is about 1e-6, so that of the 250 here about 3e-4 in all.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from evidence import judge, make_evidence
from scipy import signal

import gmmcompare as gc
from gmmcompare.comparison.dependent import dependent_chains, dependent_engines
from gmmcompare.comparison.evidence import Evidence
from gmmcompare.comparison.labels import permuted
from gmmcompare.comparison.reasons import Code
from gmmcompare.model.params import Params
from gmmcompare.model.sample import Sample


def ar1(rng: np.random.Generator, rho: float, chains: int, draws: int) -> np.ndarray:
    noise = rng.standard_normal((chains, draws))
    noise[:, 1:] *= np.sqrt(1 - rho**2)
    return signal.lfilter([1.0], [1.0, -rho], noise, axis=1)


def sticky(rng: np.random.Generator, x: np.ndarray, stay: float) -> np.ndarray:
    """Let chains stand still, as a Metropolis sampler that rejects nearly everything does."""
    moves = rng.random(x.shape) > stay
    moves[:, 0] = True
    at = np.maximum.accumulate(np.where(moves, np.arange(x.shape[1]), 0), axis=1)
    return np.take_along_axis(x, at, axis=1)


HONEST = {
    "autocorrelated": lambda rng, x: x,
    "with a slow part": lambda rng, x: x + 0.5 * rng.standard_normal(x.shape),
    "sticky": lambda rng, x: sticky(rng, x, 0.97),
    "heavy-tailed": lambda rng, x: np.exp(3 * x),
    "infinite at times": lambda rng, x: np.where(x > 1, np.inf, x),
}


@pytest.mark.parametrize("rho", [-0.6, 0.0, 0.9, 0.999, 0.9999])
@pytest.mark.parametrize("kind", HONEST)
def test_honest_chains_are_independent(kind, rho):
    rng = np.random.default_rng([len(kind), int(1e4 * (1 + rho))])
    for draws in (60, 150, 600, 2500):
        for _ in range(2):
            x = HONEST[kind](rng, ar1(rng, rho, 6, draws))
            assert dependent_chains([x, np.sin(np.minimum(x, 9.0))]) == []


# --- near copies ----------------------------------------------------------------------------------


@pytest.mark.parametrize("rho", [0.0, 0.9, 0.999])
@pytest.mark.parametrize("noise", [1e-9, 1e-6, 1e-3])
def test_near_copies(rho, noise):
    rng = np.random.default_rng(1)
    x = ar1(rng, rho, 1, 2500) * (1 + noise * rng.standard_normal((8, 2500)))
    found = dependent_chains([x])
    assert len(found) == 28
    assert {d.shift for d in found} == {0}


@pytest.mark.parametrize("late", [1, 40, 700])
def test_near_copies_at_another_time(late):
    rng = np.random.default_rng(2)
    long = ar1(rng, 0.9, 1, 2500 + late)[0]
    pair = np.stack([long[late:], long[:2500]]) * (1 + 1e-6 * rng.standard_normal((2, 2500)))
    other = ar1(rng, 0.9, 1, 2500)
    (found,) = dependent_chains([np.concatenate([pair[:1], other, pair[1:]])])
    assert (found.a, found.b, found.shift) == (0, 2, late)


def test_chains_that_share_part_of_their_randomness():
    rng = np.random.default_rng(3)
    shared, own = ar1(rng, 0.5, 1, 2500), ar1(rng, 0.5, 4, 2500)
    assert len(dependent_chains([shared + own])) == 6  # correlation 0.5
    assert len(dependent_chains([np.concatenate([own, -own])])) == 4  # antithetic, chain by chain


def with_chains(evidence: Evidence, change) -> Evidence:
    functionals = tuple(replace(f, values=change(f.values)) for f in evidence.functionals)
    return replace(evidence, functionals=functionals, log_lik=functionals[0].values)


@pytest.mark.parametrize("seed", range(5))
def test_an_engine_of_near_copies_is_not_judged(seed):
    rng = np.random.default_rng(seed)
    mine = with_chains(
        make_evidence("mine", 50 + seed, chains=8),
        lambda v: v[:1] * (1 + 1e-6 * rng.standard_normal(v.shape)),
    )
    found = judge(make_evidence("gibbs", seed), mine)
    assert (found.verdict, found.suspect, found.functionals) == ("inconclusive", "mine", ())
    assert found.reasons[0].code == Code.DEPENDENT_CHAINS
    assert len(found.reasons[0].numbers["pairs"]) == 28
    assert found.reasons[0].numbers["shift"] == 0


@pytest.mark.slow
def test_copies_with_other_labels_are_not_judged():
    sample = Sample.of(np.random.default_rng(4).normal(np.repeat([0.0, 3.0, 6.0], 60), 1.0))
    gibbs = gc.fit(sample, "gibbs", components=3, draws=2000, warmup=300)
    rng = np.random.default_rng(5)
    one = Params(*(np.repeat(a[:1], 4, axis=0) for a in gibbs.params))
    labels = np.repeat(np.stack([rng.permutation(3) for _ in range(4)])[:, None], 2000, axis=1)
    labels[:2] = [[[0, 1, 2]], [[1, 2, 0]]]

    def sampler(y, K, priors, draws, warmup, chains, rng):
        return dict(zip(Params._fields, permuted(one, labels), strict=True))

    mine = gc.fit(sample, sampler, components=3, name="mine", draws=2000)
    (found,) = gc.compare([gc.fit(sample, "gibbs", components=3, draws=2000, seed=9), mine]).pairs
    assert (found.verdict, found.suspect) == ("inconclusive", "mine")
    assert Code.DEPENDENT_CHAINS in {reason.code for reason in found.reasons}


# --- two engines ----------------------------------------------------------------------------------


def test_two_engines_that_hold_the_same_draws_are_told():
    a = make_evidence("gibbs", 1)
    found = judge(a, replace(a, name="mine"))
    assert found.verdict == "agree"
    remark = found.reasons[-1]
    assert remark.code == Code.SAME_DRAWS
    assert remark.numbers["pairs"] == ((1, 1), (2, 2), (3, 3), (4, 4))
    assert remark.numbers["correlation"] == pytest.approx(1.0)


@pytest.mark.parametrize("noise", [1e-6, 1e-3])
def test_also_where_they_are_in_another_order_and_rounded(noise):
    rng = np.random.default_rng(6)
    a = make_evidence("gibbs", 1)
    mine = with_chains(a, lambda v: v[[2, 3, 0, 1]] * (1 + noise * rng.standard_normal(v.shape)))
    found = judge(a, replace(mine, name="mine"))
    assert found.reasons[-1].numbers["pairs"] == ((1, 3), (2, 4), (3, 1), (4, 2))


@pytest.mark.slow
def test_the_sentence_on_all_engines_says_it():
    sample = Sample.of([-1.3, -0.9, -1.05, -1.6, -0.7, -1.2, 0.8, 1.4, 1.0, 1.3, 0.5, 1.1])
    fit = gc.fit(sample, "exact", components=2, priors=gc.Priors(5.0, 0.0, 2.0, 3.0, 0.5))
    found = gc.compare([fit, replace(fit, engine="mine")])
    assert found.verdict == "agree"
    assert "hold the same draws" in found.sentence()


def test_engines_of_other_lengths_are_independent():
    rng = np.random.default_rng(7)
    for draws in (200, 1000, 4000):
        for _ in range(4):
            a, b = ar1(rng, 0.99, 4, 1000), ar1(rng, 0.99, 6, draws)
            assert dependent_engines([a], [b]) == []

"""Where chains start."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from gmmcompare.engines.base import Problem, chain_streams, into_unit, out_of_unit
from gmmcompare.engines.em.engine import climb_from
from gmmcompare.engines.starts import start_point
from gmmcompare.model import mixture
from gmmcompare.model.params import Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample, Standardisation

TRUTH = Params.of([0.6, 0.4], [-2.0, 3.0], [0.5, 1.0])
SAMPLE = Sample.of(mixture.simulate(TRUTH, 500, np.random.default_rng(1))[0])
PROBLEM = Problem(SAMPLE, 2, Priors(mean_loc=[1.0, -4.0]))


@cache
def overdispersed(n: int, problem: Problem = PROBLEM) -> list[Params]:
    """Return the starts of n chains."""
    streams = chain_streams(5, n)
    return [start_point("overdispersed", problem, s.parameters) for s in streams]


def test_a_lecture_starts_at_the_prior_means():
    start = start_point("lecture", PROBLEM, np.random.default_rng(1), scale=4.0)
    np.testing.assert_array_equal(start.w, [0.5, 0.5])
    np.testing.assert_array_equal(start.mu, [1.0, -4.0])
    np.testing.assert_array_equal(start.sigma, [0.5, 0.5])  # 2 in units of the data


def test_overdispersed_starts_are_wide_of_the_posterior_but_near_the_data():
    starts = overdispersed(40)
    assert all(start.problem() == "" for start in starts)
    best = float(mixture.log_likelihood(SAMPLE, TRUTH))
    heights = np.array([float(mixture.log_likelihood(SAMPLE, start)) for start in starts])
    one_normal = Params.of([1.0], [SAMPLE.mean], [SAMPLE.sd])
    # A posterior's log-likelihoods lie within about ten of the best; the means move by an sd.
    assert np.median(heights) < best - 50
    assert np.median(heights) > float(mixture.log_likelihood(SAMPLE, one_normal)) - 500
    means = np.array([start.ordered_by_mean().mu for start in starts])
    standard_errors = TRUTH.sigma / np.sqrt(SAMPLE.n * TRUTH.w)
    assert (means.std(axis=0) > 5 * standard_errors).all()


def test_every_chain_has_its_own_start_and_order():
    starts = overdispersed(40)
    assert np.unique([start.mu for start in starts]).size == 80
    ascending = np.mean([start.mu[0] < start.mu[1] for start in starts])
    assert 0.05 < ascending < 0.95  # outside with probability below 1e-9
    again = overdispersed(8)[7]  # of any number of chains
    np.testing.assert_array_equal(again.mu, starts[7].mu)


@pytest.mark.parametrize("y", [[2.0] * 6, [0.0, 1.0], [1.0, 2.0, 3.0, 1e6], [1e12, 1e12 + 1]])
@pytest.mark.parametrize("K", [1, 4])
def test_there_is_a_start_for_any_data(y, K):
    problem, _ = Problem(Sample.of(y), K, Priors()).standardised()
    for start in overdispersed(5, problem):
        assert start.problem() == ""
        assert start.w.shape == (K,)


@pytest.mark.parametrize("y", [[2.0] * 6, [0.0, 1.0], [1.0, 2.0, 3.0, 1e6]])
@pytest.mark.parametrize("errors", [0.5, [0.0] + [1e3] * 5])
@pytest.mark.parametrize("K", [1, 4])
def test_there_is_a_start_for_any_data_with_errors(y, errors, K):
    given = errors if np.isscalar(errors) else errors[: len(y)]
    problem, _ = Problem(Sample.of(y, errors=given), K, Priors()).standardised()
    for start in overdispersed(3, problem):
        assert start.problem() == ""
        assert start.w.shape == (K,)


def test_chains_start_where_a_component_narrower_than_the_errors_is_found():
    # As K = 3 of the exoplanets, whose second component is as wide as the median error.
    truth = Params.of([0.68, 0.11, 0.21], [-0.745, -0.653, 0.05], [0.21, 0.032, 0.11])
    rng = np.random.default_rng(1)
    x, _ = mixture.simulate(truth, 4000, rng)
    s = 0.035 * np.exp(rng.standard_normal(4000))
    sample = Sample.of(x + s * rng.standard_normal(4000), errors=s)
    problem, unit = Problem(sample, 3, Priors()).standardised()
    there = into_unit(truth, unit)
    starts = overdispersed(8, problem)
    ends = [climb_from(replace(problem, starts=(start,)), "ml") for start in starts]
    heights = [mixture.log_likelihood(problem.sample, end) for end in ends]
    lost = float(mixture.log_likelihood(problem.sample, there)) - np.array(heights)
    assert (lost < 0.0).sum() == 8  # the maximum is above the truth, minor modes are below


def test_units_and_back():
    unit = Standardisation(3.0, 0.5)
    there = into_unit(TRUTH, unit)
    np.testing.assert_array_equal(there.mu, [-10.0, 0.0])
    np.testing.assert_array_equal(there.sigma, [1.0, 2.0])
    for a, b in zip(out_of_unit(there, unit), TRUTH, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_standardised_problem_is_the_same_problem():
    problem = Problem(SAMPLE, 2, PROBLEM.priors, (TRUTH,))
    there, unit = problem.standardised()
    assert abs(there.sample.mean) < 1e-12
    assert there.K == 2
    log_jacobian = (SAMPLE.n + 3 * 2) * np.log(unit.scale)
    moved = there.starts[0]
    np.testing.assert_allclose(
        mixture.log_posterior(there.sample, moved, there.priors),
        mixture.log_posterior(SAMPLE, TRUTH, PROBLEM.priors) + log_jacobian,
        rtol=1e-12,
    )


def test_streams_are_independent_of_their_number():
    few, many = chain_streams(3, 2), chain_streams(3, 5)
    for a, b in zip(few, many[:2], strict=True):
        assert a.allocations.random() == b.allocations.random()
        assert a.parameters.random() == b.parameters.random()
    drawn = [g.random() for s in chain_streams(3, 5) for g in (s.allocations, s.parameters)]
    assert len(set(drawn)) == 10

"""Both Gibbs samplers: one makes the draws of the other, and both leave the posterior invariant."""

from __future__ import annotations

import math
import os
import signal
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gmmcompare.engines.base import Problem, chain_streams, no_progress, out_of_unit
from gmmcompare.engines.gibbs import compiled as gibbs_kernel
from gmmcompare.engines.gibbs import engine as gibbs
from gmmcompare.engines.gibbs import plain as gibbs_plain
from gmmcompare.engines.gibbs.engine import GibbsEngine
from gmmcompare.engines.gibbs.plain import PlainGibbsEngine, draw_allocations, draw_parameters
from gmmcompare.engines.layout import build_layout
from gmmcompare.engines.starts import start_point
from gmmcompare.model import mixture
from gmmcompare.model.card import GibbsSettings
from gmmcompare.model.exact import exact_posterior
from gmmcompare.model.params import Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample

ALPHA = 1e-8  # false-alarm rate of each comparison with random draws
CALIBRATION = Priors(2.0, 0.5, 1.5, 3.0, 1.0)
SWEEPS = {"fast": gibbs.sweep, "plain": gibbs_plain.sweep}


def assert_same(a: Params, b: Params, rtol: float = 1e-10) -> None:
    for one, other in zip(a, b, strict=True):
        np.testing.assert_allclose(one, other, rtol=rtol, atol=rtol)


def both_sweeps(point: Params, sample: Sample, priors: Priors, seed: int, sweeps: int = 3) -> None:
    """Hold every sweep of the fast sampler to the plain one's."""
    y = build_layout(sample).observations()
    one, other = np.random.default_rng(seed), np.random.default_rng(seed)
    for _ in range(sweeps):
        fast = gibbs.sweep(*point, y, priors, one)
        plain = gibbs_plain.sweep(*point, y, priors, other)
        assert_same(fast, plain)
        assert one.bit_generator.state == other.bit_generator.state
        point = plain


@st.composite
def cases(draw):
    """Return a point, a sample with ties, and priors.

    Where an observation is t sds away from every component, its probabilities carry a relative
    error of about t^2 1e-16, and allocations could differ with that probability; t stays below 800.
    """
    K = draw(st.sampled_from([1, 2, 3, 8, 20]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    y = draw(st.lists(st.integers(-20, 20), min_size=2, max_size=80))
    copies = draw(st.sampled_from([1, 1, 7, 40]))
    w = rng.dirichlet(np.full(K, draw(st.sampled_from([0.1, 1.0, 10.0]))))
    mu = rng.normal(scale=3.0, size=K)
    sigma = 0.05 + np.exp(rng.normal(size=K))
    if K > 1 and draw(st.booleans()):  # components that hold nothing
        mu[-1], sigma[-1] = 1e6, draw(st.sampled_from([1.0, np.inf]))
    fields = np.exp(rng.normal(size=(5, K)))
    priors = draw(st.sampled_from([Priors(), CALIBRATION, Priors(*fields), Priors(1e-4)]))
    return Params(w, mu, sigma), Sample.of(np.repeat(np.array(y) / 4, copies)), priors


@settings(max_examples=150)
@given(cases(), st.integers(0, 2**32))
def test_a_fast_sweep_makes_the_draws_of_a_plain_one(case, seed):
    both_sweeps(*case, seed)


ODD = {
    "N=2": [0.3, 1.5],
    "two equal values": [0.3, 0.3],
    "all equal": np.full(50, -1.25),
    "one value 100,000 times": np.r_[np.full(100_000, 0.5), np.linspace(-2, 2, 300)],
    "several tiles": np.random.default_rng(1).normal(size=9001),
    "several tiles with ties": np.round(np.random.default_rng(1).normal(size=60_000), 4),
}


@pytest.mark.parametrize("K", [1, 3, 20])
@pytest.mark.parametrize("y", ODD.values(), ids=ODD)
def test_so_it_does_for_odd_data(y, K):
    rng = np.random.default_rng(K)
    point = Params(rng.dirichlet(np.ones(K)), rng.normal(size=K), np.exp(rng.normal(size=K)))
    both_sweeps(point, Sample.of(y), CALIBRATION, seed=K)


@pytest.mark.parametrize("distance", [1e3, 1e6, 1e10])
def test_a_component_that_comes_from_far_away_loses_no_digits(distance):
    """About a mean so far away the sum of squares of its observations would be all rounding."""
    sample = Sample.of(np.round(np.random.default_rng(1).normal(size=60), 2))
    point = Params.of([0.5, 0.5], [0.0, distance], [0.01, distance])
    both_sweeps(point, sample, Priors(), seed=1, sweeps=1)


def test_sweeps_leave_their_arguments_alone():
    y = np.array([0.0, 1.0, 1.0])
    for sweep in SWEEPS.values():
        point = Params.of([0.5, 0.5], [0.0, 1.0], [1.0, 2.0])
        kept = Params(*(a.copy() for a in point))
        sweep(*point, y, Priors(), np.random.default_rng(1))
        for now, before in zip(point, kept, strict=True):
            np.testing.assert_array_equal(now, before)
        np.testing.assert_array_equal(y, [0.0, 1.0, 1.0])


PROBLEM = Problem(
    Sample.of(np.round(np.r_[np.random.default_rng(2).normal(size=300), [2.5] * 90, 40.0], 1)),
    3,
    Priors([1.0, 2.0, 0.5], 0.5, [3.0, 30.0, 5.0], 1e-4, 1e-4),
)
SETTINGS = GibbsSettings(chains=2, warmup=20, draws=100)


def plain_run(problem: Problem, settings: GibbsSettings, seed: int, point: Params | None = None):
    """Run the plain algorithm, in the units of the data and in the fast sampler's order.

    Returns draws (chains, draws, K) and allocations (chains, draws, N) in the order of
    ``Layout.observations``.
    """
    unit_problem, unit = problem.standardised()
    y = build_layout(unit_problem.sample).observations() * unit.scale + unit.shift
    points, allocations = [], []
    for streams in chain_streams(seed, settings.chains):
        rule = settings.start
        start = start_point(rule, unit_problem, streams.parameters, unit.scale)
        here = point or out_of_unit(start, unit)
        for i in range(settings.warmup + settings.draws):
            z = draw_allocations(*here, y, streams.allocations.random(y.size))
            here = draw_parameters(z, here.sigma, y, problem.priors, streams.parameters)
            if i >= settings.warmup:
                points.append(here)
                allocations.append(z)
    shape = (settings.chains, settings.draws, -1)
    draws = Params(*(np.reshape(a, shape) for a in zip(*points, strict=True)))
    return draws, np.reshape(allocations, shape), y


@pytest.mark.parametrize("start", ["overdispersed", "lecture"])
def test_a_whole_run_is_the_plain_algorithm_in_the_units_of_the_data(start):
    chosen = SETTINGS.model_copy(update={"start": start, "keep_allocations": 7})
    found = GibbsEngine(chosen).run(PROBLEM, 3, no_progress)
    draws, z, y = plain_run(PROBLEM, chosen, 3)
    assert_same(found.params, draws, rtol=1e-8)
    n_k = (z[..., None] == np.arange(3)).sum(axis=2)
    np.testing.assert_array_equal(found.stats["n_k"], n_k)
    # Allocations are kept in the order of the sorted observations; equal ones are interchangeable.
    order = np.argsort(y, kind="stable")
    for value in np.unique(PROBLEM.sample.y):
        here = np.isclose(PROBLEM.sample.y, value, rtol=0, atol=0.01)
        kept = np.sort(found.extra["allocations"][:, :, here], axis=-1)
        np.testing.assert_array_equal(kept, np.sort(z[:, ::7][:, :, order][:, :, here], axis=-1))
    # Shares of allocations, for each distinct value.
    shares = (z[:, :, order][..., None] == np.arange(3)).mean(axis=1)
    first = np.r_[0, np.cumsum(PROBLEM.sample.counts)[:-1]]
    shares = np.add.reduceat(shares, first, axis=1) / PROBLEM.sample.counts[:, None]
    np.testing.assert_allclose(found.extra["allocation_probability"], shares, atol=1e-12)
    np.testing.assert_array_equal(found.extra["modal_allocation"], shares.argmax(axis=-1))


def test_the_lecture_starts_at_the_prior_means_with_sds_of_two():
    chosen = SETTINGS.model_copy(update={"start": "lecture", "warmup": 0})
    third = np.full(3, 1 / 3)
    start = Params(third, np.full(3, 0.5), np.full(3, 2.0))
    draws, _, _ = plain_run(PROBLEM, chosen, 3, start)
    assert_same(GibbsEngine(chosen).run(PROBLEM, 3, no_progress).params, draws, rtol=1e-8)


def test_the_plain_engine_is_its_sweep_over_sorted_data():
    found = PlainGibbsEngine(SETTINGS).run(PROBLEM, 3, no_progress)
    problem, unit = PROBLEM.standardised()
    streams = chain_streams(3, 2)[1]
    here = start_point("overdispersed", problem, streams.parameters, unit.scale)
    for _ in range(SETTINGS.warmup + 1):
        u = streams.allocations.random(problem.sample.n)
        z = draw_allocations(*here, problem.sample.y, u)
        here = draw_parameters(z, here.sigma, problem.sample.y, problem.priors, streams.parameters)
    first = Params(*(a[1, 0] for a in found.params))
    assert_same(first, out_of_unit(here, unit), rtol=1e-14)
    np.testing.assert_array_equal(found.stats["n_k"][1, 0], np.bincount(z, minlength=3))
    np.testing.assert_array_equal(found.stats["n_k"].sum(axis=-1), PROBLEM.sample.n)


@pytest.mark.parametrize("n", [391, 9000])
def test_draws_depend_on_the_seed_alone(monkeypatch, n):
    problem = Problem(Sample.of(np.random.default_rng(2).normal(size=n)), 3, Priors())
    run = GibbsEngine(SETTINGS).run
    one = run(problem, 3, no_progress)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    alone = run(problem, 3, no_progress)
    monkeypatch.setattr(gibbs, "BLOCK", 1000)
    small_blocks = run(problem, 3, no_progress)
    kept = GibbsEngine(SETTINGS.model_copy(update={"keep_allocations": 10}))
    with_allocations = kept.run(problem, 3, no_progress)
    for other in (alone, small_blocks, with_allocations):
        for a, b in zip(one.params, other.params, strict=True):
            np.testing.assert_array_equal(a, b)
        for name in one.extra:
            np.testing.assert_array_equal(one.extra[name], other.extra[name])
    assert not np.isin(run(problem, 4, no_progress).params.mu, one.params.mu).any()
    assert not np.isin(one.params.mu[0], one.params.mu[1]).any()


@pytest.mark.parametrize("every", [1, 3])
def test_kept_allocations_are_those_of_their_draw(every):
    """With several tiles to a sweep, and several blocks of uniforms."""
    sample = Sample.of(np.round(np.random.default_rng(5).normal(size=90_000), 4))
    assert build_layout(sample).n_tiles > 2
    chosen = GibbsSettings(chains=2, warmup=3, draws=7, keep_allocations=every)
    found = GibbsEngine(chosen).run(Problem(sample, 3, Priors()), 1, no_progress)
    z = found.extra["allocations"]
    assert z.shape == (2, -(-7 // every), 90_000)
    n_k = np.array([[np.bincount(row, minlength=3) for row in chain] for chain in z])
    np.testing.assert_array_equal(n_k, found.stats["n_k"][:, ::every])
    # They belong to the sorted observations: components differ in mean.
    shares = (z[..., None] == np.arange(3)).mean(axis=1)
    first = np.r_[0, np.cumsum(sample.counts)[:-1]]
    shares = np.add.reduceat(shares, first, axis=1) / sample.counts[:, None]
    if every == 1:
        np.testing.assert_allclose(found.extra["allocation_probability"], shares, atol=1e-12)


def test_allocation_probabilities_are_mean_responsibilities():
    """Allocation less responsibility is a martingale difference within [-1, 1].

    Azuma: P(|mean over n| > e) <= 2 exp(-n e^2 / 2). The first draw's own responsibilities are not
    known, which is worth 1/n at most.
    """
    chosen = GibbsSettings(chains=2, warmup=100, draws=4000)
    found = GibbsEngine(chosen).run(PROBLEM, 6, no_progress)
    values = PROBLEM.sample.values
    statistics = 2 * values.size * 3
    bound = math.sqrt(2 * math.log(2 * statistics / ALPHA) / 4000) + 1 / 4000
    for chain in range(2):
        previous = Params(*(a[chain, :-1] for a in found.params))
        r = mixture.responsibilities(values, previous).mean(axis=0)
        assert np.abs(found.extra["allocation_probability"][chain] - r).max() < bound
    np.testing.assert_allclose(found.extra["allocation_probability"].sum(axis=-1), 1.0, rtol=1e-12)


def test_shares_of_a_value_that_occurs_very_often():
    """Counts times draws exceed 32 bits."""
    sample = Sample.of(np.r_[np.full(10**6, 1.0), 3.0])
    layout = build_layout(sample)
    out = gibbs.Recorder.of(5000, 1, layout.v.size)
    out.allocations[:] = layout.c * 5000.0
    for array in out[:4]:
        array[:] = 1.0
    unit = Problem(sample, 1, Priors()).standardised()[1]
    chain = gibbs._Chain(out, np.empty((0, 0), dtype=np.int8))
    seconds = gibbs.Seconds(0.0, 0.0)
    found = gibbs._collected([chain], layout, sample, unit, seconds)
    np.testing.assert_array_equal(found.extra["allocation_probability"], 1.0)


def test_many_values_keep_no_shares(monkeypatch):
    monkeypatch.setattr(gibbs_kernel, "MAX_SUMS", 100)
    found = GibbsEngine(SETTINGS).run(PROBLEM, 3, no_progress)
    assert "allocation_probability" not in found.extra
    draws, _, _ = plain_run(PROBLEM, SETTINGS, 3)
    assert_same(found.params, draws, rtol=1e-8)


@pytest.mark.parametrize("engine", [GibbsEngine, PlainGibbsEngine])
@pytest.mark.parametrize("power", [0, 5])
def test_values_near_1e12_make_the_same_draws(engine, power):
    """Scaled by a power of two and shifted, data of exact mean: nothing is rounded but mu."""
    offsets = np.round(np.random.default_rng(8).normal(size=64) * 64) / 64
    far = 1e12 + offsets * 2.0**power
    assert np.unique(far).size == np.unique(offsets).size
    priors = Priors(1.0, 0.5, 8.0, 2.0, 0.5)
    moved = priors.transformed(-1e12 * 2.0**-power, 2.0**-power)
    chosen = GibbsSettings(chains=2, warmup=10, draws=50)
    here = engine(chosen).run(Problem(Sample.of(offsets), 3, priors), 1, no_progress)
    there = engine(chosen).run(Problem(Sample.of(far), 3, moved), 1, no_progress)
    np.testing.assert_array_equal(there.params.w, here.params.w)
    np.testing.assert_array_equal(there.params.sigma, here.params.sigma * 2.0**power)
    expected = here.params.mu * 2.0**power
    np.testing.assert_allclose(there.params.mu - 1e12, expected, rtol=0, atol=1.3e-4)


@pytest.mark.parametrize("y", [[0.3, 1.5], [2.0] * 7, [1e12] * 3 + [1e12 + 1]])
def test_engines_run_on_few_or_equal_values(y):
    for engine in (GibbsEngine, PlainGibbsEngine):
        for K in (1, 3):
            found = engine(SETTINGS).run(Problem(Sample.of(y), K, CALIBRATION), 1, no_progress)
            assert found.params.problem() == ""
            np.testing.assert_array_equal(found.stats["n_k"].sum(axis=-1), len(y))


def test_progress_ends_at_one():
    for engine in (GibbsEngine, PlainGibbsEngine):
        done: list[float] = []
        engine(SETTINGS).run(PROBLEM, 1, done.append)
        assert done[-1] == pytest.approx(1.0)
        assert all(0 < fraction <= 1 + 1e-12 for fraction in done)
        assert engine(SETTINGS).settings["draws"] == 100


def test_ctrl_c_ends_all_chains_at_their_next_block():
    """Even where it comes while chains are being started; else all sweeps would be made."""
    problem = Problem(Sample.of(np.random.default_rng(1).normal(size=2000)), 1, Priors())
    done: list[float] = []

    def interrupt(fraction: float) -> None:
        if not done:
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        done.append(fraction)

    engine = GibbsEngine(GibbsSettings(chains=2, warmup=0, draws=200_000))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            engine.run(problem, 1, interrupt)
    finally:
        signal.signal(signal.SIGINT, before)
    assert 0 < done[-1] < 0.9


TIED = (0.4, -1.1, 0.4, 2.0, 0.4)
INVARIANT = {
    "default priors": (2, Priors()),  # sigma of an empty component is infinite more often than not
    "three components": (3, CALIBRATION),
    "unequal priors": (
        2,
        Priors([0.7, 2.0], [-1.0, 0.5], [1.0, 3.0], [3.0, 2.0], [1.0, 0.3]),
    ),
}


def surprise(sweep, K: int, priors: Priors, sweeps_with: Priors, n: int = 5000) -> float:
    """Sweep from n independent exact posterior draws; are they still that? A multiple of critical.

    Means of independent variables within [0, 1], compared with their exact expectations. Hoeffding:
    P(|mean - expectation| > e) <= 2 exp(-2 n e^2), over all statistics at rate ALPHA. A chain would
    need 1e5 sweeps to leave an empty state under the default priors; here none has to mix.
    """
    posterior = exact_posterior(TIED, K, priors)
    rng = np.random.default_rng(11)
    starts = posterior.sample(n, rng)
    y = np.array(TIED)
    ends = []
    for point in zip(*starts, strict=True):
        ends.append(sweep(*point, y, sweeps_with, rng))
    found = Params(*(np.array(a) for a in zip(*ends, strict=True)))
    assert found.problem() == ""
    r = mixture.responsibilities(y, found)
    gaps = []
    for i, j in zip(*np.triu_indices(y.size, 1), strict=True):
        together = (r[:, i] * r[:, j]).sum(axis=-1).mean()
        gaps.append(together - posterior.coclustering[i, j])
    pilot = posterior.sample(500, np.random.default_rng(99))
    for name in Params._fields:
        for k in range(K):
            x = np.quantile(getattr(pilot, name)[:, k], [0.05, 0.3, 0.7, 0.95], method="lower")
            x = x[np.isfinite(x)]
            exact = posterior.cdf(name, x, component=k)
            gaps.extend((getattr(found, name)[:, [k]] <= x).mean(axis=0) - exact)
    empty = np.prod(1.0 - r, axis=1)
    gaps.extend(empty.mean(axis=0) - posterior.prob_component_empty)
    bound = math.sqrt(math.log(2 * len(gaps) / ALPHA) / (2 * n))
    return float(np.abs(gaps).max() / bound)


@pytest.mark.parametrize("name", SWEEPS)
@pytest.mark.parametrize("case", INVARIANT.values(), ids=INVARIANT)
def test_a_sweep_leaves_the_exact_posterior_as_it_is(case, name):
    K, priors = case
    assert surprise(SWEEPS[name], K, priors, priors) < 1


@pytest.mark.parametrize("changed", [{"var_shape": 3.5}, {"mean_loc": -0.5}, {"mean_sd": 4.0}])
def test_a_sweep_with_another_prior_does_not(changed):
    wrong = Priors(**{**CALIBRATION.to_dict(), **changed})
    assert surprise(gibbs.sweep, 3, CALIBRATION, wrong) > 1

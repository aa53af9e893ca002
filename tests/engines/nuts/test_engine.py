"""NUTS: its density is ours, its draws are the posterior's, and its failures are told."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student

from gmmcompare.engines.base import Problem, no_progress
from gmmcompare.engines.check import check_engine
from gmmcompare.engines.near import starting_points
from gmmcompare.engines.nuts import engine as nuts
from gmmcompare.engines.nuts.engine import NutpieSampler, NutsEngine, PymcSampler
from gmmcompare.engines.nuts.unconstrained import Coordinates
from gmmcompare.engines.parity import (
    PARITY_VALUES,
    parity,
    thinned,
)
from gmmcompare.fitting.fit import build_fit, load_fit
from gmmcompare.model.card import NutsSettings
from gmmcompare.model.exact import exact_posterior
from gmmcompare.model.mixture import responsibilities
from gmmcompare.model.params import Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample
from gmmcompare.runtime.errors import EngineError, InputError

pytestmark = pytest.mark.slow

SMALL = Sample.of([0.4, -1.1, 0.4, 2.0, 0.4])
MANY = Sample.of(np.round(np.random.default_rng(3).normal(0.0, 1.0, 500), 2))
CALIBRATION = Priors(2.0, 0.5, 1.5, 3.0, 1.0)
UNEQUAL = Priors(
    [0.7, 2.0, 3.5], [-1.0, 0.5, 2.0], [1.0, 3.0, 0.3], [3.0, 2.0, 0.1], [1.0, 0.3, 2.0]
)
QUICK = NutsSettings(chains=2, warmup=200, draws=100)


@pytest.fixture(scope="module", autouse=True)
def compiled_once() -> Iterator[None]:
    """Give all of PyMC's runs one model for each K, with their data and priors put in.

    PyMC compiles a density whenever it is asked for one, twice in every run. As with nutpie, data
    and priors are shared variables, so that one compilation serves them all.
    """

    @cache
    def built(K: int, ordered: bool):
        placeholder = Problem(Sample.of([-1.0, 0.0, 1.0]), K, Priors())
        model, shared = nuts.build_model(nuts.model_inputs(placeholder), ordered)
        model.logp_dlogp_function = cache(model.logp_dlogp_function)
        return model, shared

    def model_of(self: PymcSampler, problem: Problem):
        model, shared = built(problem.K, self._settings.identify == "ordered")
        for name, array in nuts.model_inputs(problem).items():
            shared[name].set_value(array)
        return model

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PymcSampler, "_model", model_of)
        yield


def density_of(problem: Problem, sampler: str = "nutpie", identify: str = "none"):
    kind = {"nutpie": NutpieSampler, "pymc": PymcSampler}[sampler]
    settings = NutsSettings(identify=identify, nuts_sampler=sampler)
    return kind(problem, settings).density(problem)


# --- the space ------------------------------------------------------------------------------------


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("K", [1, 2, 5])
def test_coordinates_there_and_back(K: int, ordered: bool) -> None:
    rng = np.random.default_rng(K)
    x = rng.normal(size=(7, 3 * K - 1))
    coordinates = Coordinates(K, ordered)
    params = coordinates.params(x)
    assert params.problem() == ""
    assert params.w.shape == (7, K)
    assert np.allclose(coordinates.of(params), x, rtol=0, atol=1e-12)
    assert not ordered or (np.diff(params.mu, axis=-1) > 0).all()


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("K", [1, 3])
def test_jacobian_is_that_of_the_map(K: int, ordered: bool) -> None:
    coordinates = Coordinates(K, ordered)

    def image(x):
        w, mu, sigma = coordinates.params(x)
        return np.concatenate([w[..., :-1], mu, sigma**2], axis=-1)

    def log_determinant(x, step=1e-5):
        moves = step * np.eye(x.size)
        return np.linalg.slogdet((image(x + moves) - image(x - moves)) / (2 * step))[1]

    a, b = np.random.default_rng(1).normal(size=(2, 3 * K - 1))
    expected = log_determinant(a) - log_determinant(b)
    found = coordinates.log_jacobian(a) - coordinates.log_jacobian(b)
    assert found == pytest.approx(expected, abs=1e-7)


# --- parity ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("priors", [Priors(), UNEQUAL], ids=["default", "unequal"])
@pytest.mark.parametrize("sampler", ["nutpie", "pymc"])
def test_pymc_density_less_ours_is_one_constant(priors: Priors, sampler: str) -> None:
    problem = Problem(MANY, 3, priors)
    found = parity(
        density_of(problem, sampler), problem, Coordinates(3), np.random.default_rng(0), 100
    )
    assert found.spread < 1e-8
    assert found.gradient_error < 1e-6
    assert found.holds


@pytest.mark.parametrize(("K", "identify"), [(1, "none"), (2, "ordered")])
def test_parity_of_the_other_models(K: int, identify: str) -> None:
    problem = Problem(MANY, K, CALIBRATION)
    density = density_of(problem, identify=identify)
    coordinates = Coordinates(K, identify == "ordered")
    found = parity(density, problem, coordinates, np.random.default_rng(0), 100)
    assert found.spread < 1e-8
    assert found.gradient_error < 1e-6


@pytest.mark.parametrize(
    "field", ["weight_concentration", "mean_loc", "mean_sd", "var_shape", "var_scale"]
)
def test_parity_sees_one_hyperparameter_changed_in_one_place(field: str) -> None:
    changed = getattr(UNEQUAL, field) * [1.0, 1.001, 1.0]
    problem = Problem(MANY, 3, UNEQUAL)
    other = replace(problem, priors=replace(UNEQUAL, **{field: changed}))
    found = parity(density_of(problem), other, Coordinates(3), np.random.default_rng(0))
    assert found.spread > 1e-6
    assert not found.holds


def test_parity_sees_a_count_changed() -> None:
    counts = MANY.counts.copy()
    counts[17] += 1
    problem = Problem(MANY, 3, Priors())
    other = replace(problem, sample=replace(MANY, counts=counts))
    found = parity(density_of(problem), other, Coordinates(3), np.random.default_rng(0))
    assert not found.holds


def test_parity_sees_a_wrong_gradient() -> None:
    problem = Problem(MANY, 3, Priors())
    right = density_of(problem)

    def wrong(x):
        value, gradient = right(x)
        gradient[4] *= 1.0001
        return value, gradient

    found = parity(wrong, problem, Coordinates(3), np.random.default_rng(0))
    assert found.spread < 1e-8
    assert not found.holds


def test_a_run_stops_when_the_density_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = nuts.model_inputs

    def dishonest(problem):
        inputs = honest(problem)
        inputs["hyperparameters"][4, 2] *= 1.01
        return inputs

    monkeypatch.setattr(nuts, "model_inputs", dishonest)
    with pytest.raises(EngineError, match="log density is not ours"):
        NutsEngine(QUICK).run(Problem(MANY, 3, CALIBRATION), 1, no_progress)


def test_far_from_every_component_the_density_does_not_underflow() -> None:
    problem = Problem(Sample.of([-3.0, 0.0, 400.0]), 3, CALIBRATION)
    x = Coordinates(3).of(Params.of([0.2, 0.3, 0.5], [-1.0, 0.0, 1.0], [0.1, 0.2, 0.3]))
    value, gradient = density_of(problem)(x)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


def test_parity_allows_for_rounding_of_huge_log_densities() -> None:
    far = Priors(mean_loc=1e12)
    problem = Problem(MANY, 3, far)
    found = parity(density_of(problem), problem, Coordinates(3), np.random.default_rng(0))
    assert found.scale > 1e20
    assert found.holds


def test_the_check_before_a_run_is_cheap_on_large_data() -> None:
    large = Sample.of(np.arange(3 * PARITY_VALUES + 1.0))
    few = thinned(Problem(large, 2, Priors())).sample
    assert PARITY_VALUES / 2 < few.n_distinct <= PARITY_VALUES
    assert few.values[0] == 0.0
    assert thinned(Problem(MANY, 2, Priors())).sample == MANY


# --- draws ----------------------------------------------------------------------------------------

ALPHA = 1e-7  # false-alarm rate of each comparison with the exact posterior
BATCHES = 25  # of each chain


def statistics(params: Params, problem: Problem):
    """Yield series of shape (chains, draws) with values in [0, 1], and their exact means."""
    posterior = exact_posterior(problem.sample.y, problem.K, problem.priors)
    r = responsibilities(problem.sample.y, params)
    for i, j in zip(*np.triu_indices(problem.sample.n, 1), strict=True):
        if problem.K > 1:
            yield (r[..., i, :] * r[..., j, :]).sum(axis=-1), posterior.coclustering[i, j]
    pilot = posterior.sample(1000, np.random.default_rng(99))  # only says where to look
    for field, own in zip(params._fields, params, strict=True):
        for k in range(problem.K if field != "w" or problem.K > 1 else 0):
            for x in np.quantile(getattr(pilot, field)[:, k], [0.1, 0.5, 0.9]):
                exact = float(posterior.cdf(field, x, component=k))
                if problem.priors.exchangeable:
                    yield (own <= x).mean(axis=-1), exact
                else:
                    yield own[..., k] <= x, exact


FEW = NutsSettings(chains=4, warmup=500, draws=10_000, target_accept=0.95)
THREE_UNEQUAL = Priors(
    [0.7, 2.0, 1.5], [-1.0, 0.5, 1.0], [1.0, 2.0, 1.5], [3.0, 2.0, 4.0], [1.0, 0.5, 2.0]
)
CASES = {
    "one component": (1, CALIBRATION, {}),
    "one component, PyMC": (1, CALIBRATION, {"nuts_sampler": "pymc", "draws": 500}),
    "two components, ordered": (2, CALIBRATION, {"identify": "ordered"}),
    "three components": (3, CALIBRATION, {}),
    "three with unequal priors": (3, THREE_UNEQUAL, {}),
}


@pytest.mark.parametrize(("K", "priors", "changes"), CASES.values(), ids=CASES)
def test_draws_follow_the_exact_posterior(K: int, priors: Priors, changes: dict) -> None:
    """All statistics together alarm falsely with probability ALPHA (Bonferroni, batch means)."""
    problem = Problem(SMALL, K, priors)
    params = NutsEngine(FEW.model_copy(update=changes)).run(problem, 1, no_progress).params
    if changes.get("identify") == "ordered":
        assert (np.diff(params.mu, axis=-1) > 0).all()
    found = []
    for series, exact in statistics(params, problem):
        batches = np.stack(np.split(series.astype(float), BATCHES, axis=1)).mean(axis=-1).ravel()
        found.append(abs(batches.mean() - exact) / (batches.std(ddof=1) / np.sqrt(batches.size)))
    critical = student.isf(ALPHA / (2 * len(found)), batches.size - 1)
    assert max(found) < critical


def test_same_seed_same_draws_and_chains_of_their_own() -> None:
    engine, problem = NutsEngine(QUICK), Problem(MANY, 3, CALIBRATION)
    first, again, other = (engine.run(problem, seed, no_progress) for seed in (1, 1, 2))
    for a, b, c in zip(first.params, again.params, other.params, strict=True):
        assert np.array_equal(a, b)
        assert not np.array_equal(a, c)
    assert check_engine(first.params._asdict(), 3, QUICK.chains, QUICK.draws) is not None


def test_one_chain_is_the_same_in_any_company(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = Problem(MANY, 3, CALIBRATION)
    engine = NutsEngine(QUICK)
    side_by_side = engine.run(problem, 1, no_progress).params
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    in_turn = engine.run(problem, 1, no_progress).params
    assert np.array_equal(side_by_side.mu, in_turn.mu)


@pytest.mark.parametrize("sampler", ["nutpie", "pymc"])
def test_a_run_reports_and_its_fit_survives_the_file(
    sampler: str, tmp_path, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = QUICK.model_copy(update={"nuts_sampler": sampler})
    engine, problem = NutsEngine(settings), Problem(MANY, 3, CALIBRATION)
    seen: list[float] = []
    result = engine.run(problem, 1, seen.append)
    assert seen == sorted(seen)
    assert seen[0] >= 0
    assert seen[-1] == 1.0
    assert set(result.stats) == set(nuts.STATISTICS)  # by ArviZ's names
    assert all(s.shape == (QUICK.chains, QUICK.draws) for s in result.stats.values())
    assert (result.stats["n_steps"] >= 1).all()
    assert (result.stats["acceptance_rate"] >= 0).all()
    assert result.seconds.prepare > 0
    assert result.seconds.sample > 0
    fit = build_fit(engine, problem, 1, result)
    assert load_fit(fit.save(tmp_path / "nuts.nc")) == fit
    assert any(str(v).startswith("nutpie ") for v in fit.extra("versions"))
    assert engine.settings["nuts_sampler"] == sampler
    assert capfd.readouterr() == ("", "")


# --- starts ---------------------------------------------------------------------------------------


def test_chains_start_near_the_solutions_in_turn() -> None:
    """A start is 2 sds wide, so 14 of them never happen (false-alarm rate below 1e-10)."""
    one = Params.of([0.5, 0.3, 0.2], [-2.0, 0.0, 2.0], [0.5, 0.5, 0.5])
    two = Params.of([0.2, 0.3, 0.5], [-1.0, 0.0, 1.0], [0.1, 1.0, 2.0])
    problem = Problem(MANY, 3, Priors(), (one, two))
    points = starting_points(problem, np.random.default_rng(0).spawn(4))
    for point, centre in zip(points, (one, two, one, two), strict=True):
        assert point.problem() == ""
        width = centre.sigma / np.sqrt(MANY.n * centre.w)
        assert (np.abs(point.mu - centre.mu) < 14 * width).all()
    assert not np.array_equal(points[0].mu, points[2].mu)


def test_starts_take_the_labels_that_the_priors_favour() -> None:
    solution = Params.of([0.5, 0.3, 0.2], [-50.0, 0.0, 50.0], [1.0, 1.0, 1.0])
    priors = Priors(mean_loc=[0.0, 50.0, -50.0], mean_sd=5.0)
    problem = Problem(MANY, 3, priors, (solution,))
    (point,) = starting_points(problem, np.random.default_rng(0).spawn(1))
    assert np.allclose(point.mu, [0.0, 50.0, -50.0], atol=2.0)


def test_a_solution_with_an_empty_component_can_be_a_start() -> None:
    solution = Params.of([1.0, 0.0, 0.0], [0.0, 1.0, 1.0], [1.0, 1.0, 1.0])
    settings = QUICK.model_copy(update={"draws": 10})
    result = NutsEngine(settings).run(Problem(MANY, 3, CALIBRATION, (solution,)), 1, no_progress)
    assert np.isfinite(result.params.mu).all()


def test_nutpies_own_starts_scatter_about_the_priors_centre() -> None:
    problem = Problem(SMALL, 3, Priors(2.0, 1000.0, 1.0, 3.0, 1.0))
    first, second = NutpieSampler(problem, QUICK).own_starts([1, 2])
    for x in (first, second):
        mu = Coordinates(3).params(x).mu
        assert (np.abs(mu - 1000.0) <= 1.0).all()
    assert not np.isclose(first, second).any()


@pytest.mark.parametrize("sampler", ["nutpie", "pymc"])
def test_a_run_from_the_samplers_own_starts(sampler: str) -> None:
    settings = QUICK.model_copy(update={"start": "default", "nuts_sampler": sampler})
    elsewhere = Params.of([1.0, 0.0, 0.0], [1e6, 1e6, 1e6], [1.0, 1.0, 1.0])
    with_starts = Problem(MANY, 3, CALIBRATION, (elsewhere,))
    without = replace(with_starts, starts=())
    a, b = (NutsEngine(settings).run(p, 1, no_progress).params for p in (with_starts, without))
    assert np.array_equal(a.mu, b.mu)


# --- manners --------------------------------------------------------------------------------------


def test_ordered_means_need_equal_priors() -> None:
    engine = NutsEngine(NutsSettings(identify="ordered"))
    with pytest.raises(InputError, match='identify = "ordered" needs the same priors'):
        engine.run(Problem(MANY, 3, UNEQUAL), 1, no_progress)


@pytest.mark.parametrize("sampler", ["nutpie", "pymc"])
def test_a_start_without_density_is_one_clear_error(
    sampler: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    nowhere = Params(np.full(3, 1 / 3), np.full(3, np.nan), np.ones(3))
    monkeypatch.setattr(nuts, "starting_points", lambda *_: [nowhere] * QUICK.chains)
    settings = QUICK.model_copy(update={"nuts_sampler": sampler})
    with pytest.raises(EngineError, match=r"^nuts: \w+ stopped: [^\n]*; check that[^\n]*$"):
        NutsEngine(settings).run(Problem(MANY, 3, CALIBRATION), 1, no_progress)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("sampler", ["nutpie", "pymc"])
def test_ctrl_c_stops_all_chains_at_once(
    sampler: str, capfd: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
    timer = threading.Timer(0.2, signal.raise_signal, [signal.SIGINT])
    begun: list[float] = []

    def progress(fraction: float) -> None:
        if not begun:
            timer.start()
        begun.append(fraction)

    endless = NutsSettings(chains=4, warmup=100, draws=1_000_000, nuts_sampler=sampler)
    with pytest.raises(KeyboardInterrupt):
        NutsEngine(endless).run(Problem(MANY, 3, CALIBRATION), 1, progress)
    timer.join()
    assert begun[-1] < 0.5
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(
    "GMMCOMPARE_EXOPLANETS" not in os.environ, reason="GMMCOMPARE_EXOPLANETS is not set"
)
def test_exoplanets_as_published() -> None:
    radii = pd.read_csv(os.environ["GMMCOMPARE_EXOPLANETS"])["pl_radj"].dropna()
    start = Params.of([0.67, 0.19, 0.14], [-0.726, 0.068, 0.028], [0.206, 0.026, 0.144])
    problem = Problem(Sample.of(np.log10(radii)), 3, Priors(), (start,))
    settings = NutsSettings(chains=2, warmup=500, draws=1000)
    result = NutsEngine(settings).run(problem, 1, no_progress)
    order = np.argsort(result.params.mu.mean(axis=(0, 1)))
    w, mu, sigma = (a.mean(axis=(0, 1))[order] for a in result.params)
    assert w == pytest.approx([0.6711, 0.1403, 0.1886], abs=0.01)
    assert mu == pytest.approx([-0.7260, 0.0281, 0.0682], abs=0.004)
    assert sigma == pytest.approx([0.2063, 0.1435, 0.0262], abs=0.004)
    assert not result.stats["diverging"].any()

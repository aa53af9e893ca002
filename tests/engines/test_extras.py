"""What the three engines that are extras have in common, and what is said where one is missing."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import gmmcompare as gc
from gmmcompare.cli import app
from gmmcompare.engines import stan
from gmmcompare.engines.base import EXTRAS, Problem, built_in_engine, install_command, no_progress
from gmmcompare.engines.check import check_engine
from gmmcompare.engines.jags import JagsEngine, model_text, try_text
from gmmcompare.engines.parity import parity
from gmmcompare.engines.trial import terms_off_by_draws
from gmmcompare.model.card import EngineSection
from gmmcompare.model.exact import exact_posterior
from gmmcompare.model.params import Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample
from gmmcompare.runtime.errors import EngineError, InputError

PRIORS = Priors(2.0, 0.5, 1.5, 3.0, 1.0)
TWO = Sample.of([100.1, 100.2, 100.1, 100.3, 107.0, 107.1, 107.3, 107.1, 106.9])


@pytest.fixture(params=EXTRAS)
def extra(request: pytest.FixtureRequest) -> str:
    """Name each engine that is an extra and is installed."""
    name: str = request.param
    if command := install_command(name):
        pytest.skip(command)
    return name


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide what the extras need."""
    there = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *more: None if name in EXTRAS.values() else there(name, *more),
    )


def drawn(name: str, problem: Problem, seed: int = 1, **settings: object):
    few = {"chains": 2, "warmup": 100, "draws": 60, **settings}
    section = getattr(EngineSection(), name).model_copy(update=few)
    return built_in_engine(name, section).run(problem, seed, no_progress)


@pytest.mark.slow
def test_draws_are_in_the_units_of_the_data_and_repeat_with_the_seed(extra: str) -> None:
    problem = Problem(TWO, 2, Priors(2.0, 103.0, 4.0, 3.0, 1.0))
    done: list[float] = []
    section = getattr(EngineSection(), extra).model_copy(
        update={"chains": 2, "warmup": 100, "draws": 60}
    )
    draws = built_in_engine(extra, section).run(problem, 1, done.append)
    check_engine(draws.params._asdict(), K=2, chains=2, draws=60)
    assert draws.params.mu.min() > 95
    assert draws.params.mu.max() < 112
    assert done == sorted(done)
    assert done[-1] == 1.0
    assert all(values.shape == (2, 60) for values in draws.stats.values())
    again, other = (drawn(extra, problem, seed).params.mu for seed in (1, 2))
    np.testing.assert_array_equal(draws.params.mu, again)
    assert not np.isin(draws.params.mu, other).any()
    assert not np.isin(draws.params.mu[0], draws.params.mu[1]).any()


@pytest.mark.slow
def test_one_component_one_chain_and_its_own_start(extra: str) -> None:
    draws = drawn(extra, Problem(TWO, 1, PRIORS), chains=1, start="default")
    check_engine(draws.params._asdict(), K=1, chains=1, draws=60)
    assert (draws.params.w == 1.0).all()


@pytest.mark.slow
@pytest.mark.parametrize("K", [1, 3])
def test_density_is_ours(K: int) -> None:
    """Of Stan's and NumPyro's models, over many points and under unequal priors."""
    unequal = Priors(*(np.arange(1.0, K + 1) * x for x in (0.7, -0.4, 1.3, 2.1, 0.6)))
    problem = Problem(Sample.of([0.4, -1.1, 0.4, 2.0]), K, unequal)
    models = []
    if not install_command("numpyro"):
        import jax

        from gmmcompare.engines.numpyro import NumpyroModel, mixture

        with jax.enable_x64(True):
            model = NumpyroModel(problem, mixture)
            found = parity(model.density(problem), problem, model, np.random.default_rng(0), 30)
        models.append(found)
    if not install_command("stan"):
        compiled = stan.StanModel(problem, stan.PROGRAM)
        models.append(
            parity(compiled.density(problem), problem, compiled, np.random.default_rng(0), 30)
        )
    if not models:
        pytest.skip("neither NumPyro nor Stan is installed")
    assert all(found.holds for found in models), models


@pytest.mark.slow
def test_a_trial_of_exact_draws_finds_nothing() -> None:
    def exact(problem: Problem) -> Params:
        rng = np.random.default_rng(5)
        if problem.sample.n_distinct:
            posterior = exact_posterior(problem.sample.y, problem.K, problem.priors)
            flat = posterior.sample(20_000, rng)
        else:
            one = [problem.priors.sample(rng, problem.K) for _ in range(20_000)]
            flat = Params(*(np.stack(a) for a in zip(*one, strict=True)))
        return Params(*(a.reshape(4, 5000, problem.K) for a in flat))

    assert terms_off_by_draws(exact, 1) == []
    assert terms_off_by_draws(exact, 2) == []


def test_a_text_is_tried_once(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyjags", reason="pip install 'gmmcompare[jags]'")
    calls: list[int] = []
    monkeypatch.setattr(
        "gmmcompare.engines.jags.terms_off_by_draws", lambda draw, K: calls.append(K) or []
    )
    text = model_text(2) + "# of this test\n"
    monkeypatch.setattr("gmmcompare.engines.jags._tried", set())
    try_text(text, 2)
    try_text(text, 2)
    monkeypatch.setattr("gmmcompare.engines.jags._tried", set())  # another process
    try_text(text, 3)
    assert calls == [2]
    assert len(list((own_cache / "jags").iterdir())) == 1


def test_jags_says_why_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyjags", reason="pip install 'gmmcompare[jags]'")
    monkeypatch.setattr("gmmcompare.engines.jags.try_text", lambda text, K: None)
    monkeypatch.setattr("gmmcompare.engines.jags.model_text", lambda K: "model { y ~ dnorm(0 }")
    with pytest.raises(EngineError, match=r"jags: JAGS stopped: .*check that the priors"):
        JagsEngine().run(Problem(TWO, 2, PRIORS), 1, no_progress)


@pytest.mark.slow
def test_stan_says_why_a_program_is_not_compiled() -> None:
    pytest.importorskip("httpstan", reason="pip install 'gmmcompare[stan]'")
    with pytest.raises(EngineError, match=r"stan: the program cannot be compiled: .*compiler"):
        stan.StanModel(Problem(TWO, 2, PRIORS), "parameters { real x }")


@pytest.mark.usefixtures("nothing_installed")
@pytest.mark.parametrize("name", EXTRAS)
def test_a_missing_extra_is_one_line(name: str) -> None:
    result = CliRunner().invoke(app, ["compare", "galaxies-k4", "--engines", f"em,{name}"])
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert f"pip install 'gmmcompare[{name}]'" in result.stderr
    with pytest.raises(InputError, match=rf"gmmcompare\[{name}\]"):
        gc.fit(TWO.y, name, components=2)


@pytest.mark.usefixtures("nothing_installed")
def test_the_list_of_engines_says_how_to_install_the_rest() -> None:
    result = CliRunner().invoke(app, ["engines"])
    assert result.exit_code == 0
    for name in EXTRAS:
        assert f"not installed: pip install 'gmmcompare[{name}]'" in result.stdout

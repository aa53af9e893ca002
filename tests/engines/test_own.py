"""A user's own sampler: found, told apart, run, and its failures explained."""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import re
import sys
import threading

import numpy as np
import pytest
from numba import njit

from gmmcompare.engines.base import Draws, Point, Problem, no_progress
from gmmcompare.engines.gibbs import plain as gibbs_plain
from gmmcompare.engines.own import ENTRY_POINTS, OwnEngine, kind_of, resolve, source_digest
from gmmcompare.model.card import SamplerSettings
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample
from gmmcompare.runtime.errors import EngineError, InputError

PROBLEM = Problem(Sample.of([0.1, 0.5, 0.5, 2.0, 2.2]), 2, Priors(2.0, 0.5, 1.5, 3.0, 1.0))
SETTINGS = SamplerSettings(chains=2, warmup=3, draws=8)


def run(function, settings=SETTINGS, folder=None, seed=1, progress=no_progress):
    return OwnEngine("mine", function, settings, folder).run(PROBLEM, seed, progress)


def sampler(y, K, priors, draws, warmup, chains, rng):
    return {
        "w": rng.dirichlet(np.ones(K), (chains, draws)),
        "mu": y.mean() + rng.normal(size=(chains, draws, K)),
        "sigma": np.ones((chains, draws, K)),
    }


# --- running -------------------------------------------------------------------------------------


def test_a_sampler_is_called_with_the_problem_and_the_settings():
    seen = {}

    def recording(y, K, priors, draws, warmup, chains, rng):
        seen.update(locals())
        return sampler(y, K, priors, draws, warmup, chains, rng)

    found = run(recording)
    assert isinstance(found, Draws)
    np.testing.assert_array_equal(seen["y"], PROBLEM.sample.y)
    assert (seen["K"], seen["draws"], seen["warmup"], seen["chains"]) == (2, 8, 3, 2)
    assert seen["priors"] == PROBLEM.priors
    assert found.params.mu.shape == (2, 8, 2)
    assert found.seconds.sample > 0
    np.testing.assert_array_equal(run(sampler).params.mu, found.params.mu)
    assert not np.isin(run(sampler, seed=2).params.mu, found.params.mu).any()


def test_a_kernel_is_run_sweep_by_sweep():
    calls = []

    def sweep(w, mu, sigma, y, priors, rng):
        calls.append((w.copy(), mu.copy(), sigma.copy(), rng))
        assert w.shape == mu.shape == sigma.shape == (2,)
        new = gibbs_plain.sweep(w, mu, sigma, y, priors, rng)
        mu[:] = np.nan  # whatever it does to its arguments is its own affair
        return list(new)

    done: list[float] = []
    found = run(sweep, progress=done.append)
    assert isinstance(found, Draws)
    assert len(calls) == 2 * (3 + 8)
    # Warmup is left out; the state goes from sweep to sweep, and starts anew for each chain.
    np.testing.assert_array_equal(found.params.mu[0, 0], calls[4][1])
    np.testing.assert_array_equal(found.params.mu[0, 6], calls[10][1])
    assert calls[0][3] is calls[10][3]
    assert calls[0][3] is not calls[11][3]
    assert not np.isin(calls[11][1], found.params.mu[0]).any()
    assert done == sorted(done)
    assert found.params.problem() == ""


def test_arrays_of_shape_k_are_a_point_estimate():
    def estimate(y, K, priors, draws, warmup, chains, rng):
        return {"w": np.full(K, 1 / K), "mu": np.arange(K), "sigma": np.ones(K)}

    found = run(estimate)
    assert isinstance(found, Point)
    np.testing.assert_array_equal(found.params.mu, [0.0, 1.0])


def test_compiled_functions_are_welcome():
    @njit
    def sweep(w, mu, sigma, y, priors, rng):
        return w, mu + 1.0, sigma

    # Numba cannot take the priors; that they are passed is what counts here.
    assert kind_of(sweep) == "kernel"
    assert kind_of(functools.partial(sampler, rng=None)) == "sampler"


def test_what_user_code_prints_is_no_result(capsys):
    def chatty(y, K, priors, draws, warmup, chains, rng):
        print("sweep 1 of many")
        return sampler(y, K, priors, draws, warmup, chains, rng)

    run(chatty)
    out, err = capsys.readouterr()
    assert out == ""
    assert "sweep 1 of many" in err


def test_settings_say_which_code_was_run(tmp_path):
    engine = OwnEngine("mine", sampler, SETTINGS)
    assert engine.name == "mine"
    assert engine.settings["draws"] == 8
    assert engine.settings["source_sha256"] == source_digest(sampler)
    path = tmp_path / "mine.py"
    path.write_text("def sweep(w, mu, sigma, y, priors, rng): return w, mu, sigma\n")
    before = source_digest(resolve(f"{path}:sweep"))
    assert before == source_digest(resolve(f"{path}:sweep"))
    path.write_text("def sweep(w, mu, sigma, y, priors, rng): return w, 2 * mu, sigma\n")
    assert source_digest(resolve(f"{path}:sweep")) != before
    assert source_digest(len) != source_digest(min)


def test_functions_of_one_file_and_closures_of_one_function_are_told_apart():
    def shifted_by(shift, lock=None):
        def sweep(w, mu, sigma, y, priors, rng):
            with lock or contextlib.nullcontext():
                return w, mu + shift, sigma

        return sweep

    assert source_digest(sampler) != source_digest(shifted_by)
    assert source_digest(shifted_by(1.0)) == source_digest(shifted_by(1.0))
    assert source_digest(shifted_by(1.0)) != source_digest(shifted_by(2.0))
    # What cannot be pickled is like nothing else.
    one, other = shifted_by(1.0, threading.Lock()), shifted_by(1.0, threading.Lock())
    assert source_digest(one) == source_digest(one) != source_digest(other)
    # Defined without a file, as in a notebook.
    defined = [{}, {}, {}]
    for scope, factor in zip(defined, (1, 1, 2), strict=True):
        exec(f"def sweep(w, mu, sigma, y, priors, rng): return w, {factor} * mu, sigma", scope)
    first, same, another = (source_digest(scope["sweep"]) for scope in defined)
    assert first == same != another


# --- failing -------------------------------------------------------------------------------------


def test_what_is_raised_is_named_with_its_place_and_its_log(tmp_path):
    def failing(y, K, priors, draws, warmup, chains, rng):
        raise ZeroDivisionError("no\n  observations")

    says = r"mine: raised ZeroDivisionError: no observations \(test_own\.py, line \d+\); its traceb"
    with pytest.raises(EngineError, match=says) as caught:
        run(failing, folder=tmp_path / "logs")
    assert str(tmp_path / "logs" / "mine.log") in str(caught.value)
    assert "\n" not in str(caught.value)
    log = (tmp_path / "logs" / "mine.log").read_text()
    assert "Traceback" in log
    assert 'raise ZeroDivisionError("no' in log


def test_without_a_folder_the_log_goes_to_a_temporary_one():
    def failing(w, mu, sigma, y, priors, rng):
        raise RuntimeError

    with pytest.raises(EngineError, match=r"mine: raised RuntimeError \(test_own") as caught:
        run(failing)
    path = re.search(r"is in (\S+)$", str(caught.value)).group(1)
    with open(path) as log:
        assert "RuntimeError" in log.read()


def test_code_that_exits_is_an_error_and_ctrl_c_is_not(tmp_path):
    def leaving(w, mu, sigma, y, priors, rng):
        sys.exit(3)

    with pytest.raises(EngineError, match="mine: raised SystemExit: 3"):
        run(leaving, folder=tmp_path)

    def interrupted(w, mu, sigma, y, priors, rng):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(interrupted)


@pytest.mark.parametrize(
    ("result", "says"),
    [
        (None, "mine: a sweep returned NoneType; return the new (w, mu, sigma)"),
        ((1.0, 2.0), "mine: a sweep returned tuple; return the new (w, mu, sigma)"),
        (("a", "b", "c"), "mine: a sweep returned tuple"),
        (
            (np.ones(2), np.ones(3), 1.0),
            "mine: a sweep returned shapes (2,), (3,), (); return (w, mu, sigma), each of shape (2",
        ),
        ((np.ones(2), np.ones(2), np.ones(2)), "mine: weights must sum to 1"),
        ((np.full(2, 0.5), np.full(2, np.nan), np.ones(2)), "mine: mu has 32 NaN of 32 values"),
    ],
)
def test_a_kernel_that_returns_something_else(result, says):
    def sweep(w, mu, sigma, y, priors, rng):
        return result

    with pytest.raises(EngineError, match=re.escape(says)) as caught:
        run(sweep)
    assert str(caught.value).startswith(says)


def test_a_sampler_that_returns_something_else():
    def short(y, K, priors, draws, warmup, chains, rng):
        return sampler(y, K, priors, draws + warmup, warmup, chains, rng)

    with pytest.raises(EngineError, match="mine: 11 draws where 8 were asked for"):
        run(short)

    def copies(y, K, priors, draws, warmup, chains, rng):
        one = sampler(y, K, priors, draws, warmup, 1, rng)
        return {name: np.repeat(a, chains, axis=0) for name, a in one.items()}

    with pytest.raises(EngineError, match="mine: chains 0 and 1 are copies"):
        run(copies)


# --- finding -------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "my_gibbs.py"
    path.write_text(
        "from neighbour import answer\n"
        "def sampler(y, K, priors, draws, warmup, chains, rng): return answer\n"
        "def sweep(w, mu, sigma, y, priors, rng): return w, mu, sigma\n"
        "def other(a, b): return a\n"
        "number = 3\n"
    )
    (tmp_path / "neighbour.py").write_text("answer = 42\n")
    yield path
    sys.modules.pop("neighbour", None)


def test_a_function_in_a_file(file):
    before = list(sys.path)
    assert resolve(f"{file}:sampler")(*range(7)) == 42  # it can import its neighbours
    assert kind_of(resolve(f"{file}:sampler")) == "sampler"
    assert kind_of(resolve(f"{file}:sweep")) == "kernel"
    assert sys.path == before


def test_files_of_one_name_are_two_files(tmp_path):
    found = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        path = tmp_path / folder / "mine.py"
        path.write_text(f"def sweep(w, mu, sigma, y, priors, rng): return '{folder}'\n")
        found.append(resolve(f"{path}:sweep"))
    assert [f(*range(6)) for f in found] == ["a", "b"]


def test_a_function_in_a_module():
    assert resolve("gmmcompare.engines.gibbs.plain:sweep") is gibbs_plain.sweep


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("{folder}/my_gibs.py:sampler", "my_gibs.py: no such file (did you mean 'my_gibbs.py'?)"),
        ("{folder}/none/x.py:sampler", "x.py: no such file"),
        (
            "{file}:samplr",
            "no function 'samplr' (did you mean 'sampler'?); it has: sampler, sweep,",
        ),
        ("{file}:number", "no function 'number'; it has: sampler, sweep, other"),
        ("{file}:", "no function ''"),
        ("{folder}/broken.py:f", "broken.py: fails to import: SyntaxError: "),
        ("{folder}/raises.py:f", "fails to import: ValueError: two lines (raises.py, line 1)"),
        ("{folder}/leaves.py:f", "leaves.py: fails to import: SystemExit: 1 (leaves.py, line 1)"),
        ("{folder}/empty.py:f", "empty.py: no function 'f'; it has: no functions"),
        (
            "no_such_module:f",
            "no_such_module: fails to import: ModuleNotFoundError: No module named",
        ),
        (":f", ": fails to import: ValueError: Empty module name"),
        ("my_gibbs.py", "my_gibbs.py: name the function as well, as in my_gibbs.py:sweep"),
    ],
)
def test_what_cannot_be_found_is_explained(file, spec, says):
    folder = file.parent
    (folder / "broken.py").write_text("def f(:\n")
    (folder / "raises.py").write_text("raise ValueError('two\\nlines')\n")
    (folder / "leaves.py").write_text("raise SystemExit(1)\n")
    (folder / "empty.py").write_text("")
    with pytest.raises(InputError, match=re.escape(says)) as caught:
        resolve(spec.format(file=file, folder=folder))
    assert "\n" not in str(caught.value)


def test_a_module_that_exits_is_explained(file, monkeypatch):
    monkeypatch.syspath_prepend(str(file.parent))
    (file.parent / "leaving_script.py").write_text("import sys; sys.exit(2)\n")
    says = "leaving_script: fails to import: SystemExit: 2 .*; name a function in a file as"
    with pytest.raises(InputError, match=says):
        resolve("leaving_script:f")


class Installed:
    """What importlib.metadata finds of entry points, for the test."""

    def __init__(self, **points: str) -> None:
        entry = importlib.metadata.EntryPoint
        self.points = importlib.metadata.EntryPoints(
            entry(name, value, ENTRY_POINTS) for name, value in points.items()
        )

    def __call__(self, group: str) -> importlib.metadata.EntryPoints:
        assert group == ENTRY_POINTS
        return self.points


def test_entry_points(monkeypatch):
    points = Installed(lecture="gmmcompare.engines.gibbs.plain:sweep", gone="no_such_module:f")
    monkeypatch.setattr(importlib.metadata, "entry_points", points)
    assert resolve("lecture") is gibbs_plain.sweep
    with pytest.raises(InputError, match="gone: fails to import: ModuleNotFoundError"):
        resolve("gone")
    says = r"lectur: no such engine \(did you mean 'lecture'\?\);.*installed ones: lecture, gone"
    with pytest.raises(InputError, match=says):
        resolve("lectur")


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (
            lambda a, b: a,
            "<lambda>(a, b): the arguments tell what a function is; name them (w, mu,",
        ),
        (
            lambda w, mu, sigma, data, priors, rng: w,
            "(w, mu, sigma, data, priors, rng): the arguments",
        ),
        (
            lambda w, mu, Sigma, X, priors, rng: w,
            "data have one dimension here: y is (N,), mu and sigma are (K,)",
        ),
        (lambda w, mu, cov, y, priors, rng: w, "data have one dimension here"),
        (lambda X, K, draws: X, "data have one dimension here"),
        (lambda: None, "<lambda>(): the arguments tell"),
        (min, "min(?): the arguments tell what a function is"),
    ],
)
def test_other_arguments_are_explained(function, says):
    with pytest.raises(InputError, match=re.escape(says)):
        kind_of(function)
    with pytest.raises(InputError, match=re.escape("(y, K, priors, draws, warmup, chains, rng)")):
        OwnEngine("mine", function, SETTINGS)


def test_more_arguments_may_follow():
    def sweep(w, mu, sigma, y, priors, rng, temperature=1.0):
        return w, mu, sigma

    assert kind_of(sweep) == "kernel"


def test_no_line_of_ours_is_named(tmp_path):
    """A call with arguments that a function does not take is raised in our code."""

    def sampler(y, K, priors, draws, warmup, chains, rng, /):
        return {}

    engine = OwnEngine("mine", sampler, SamplerSettings(), tmp_path)
    with pytest.raises(EngineError, match=r"raised TypeError: .*; its traceback is in") as caught:
        engine.run(PROBLEM, 1, no_progress)
    assert "own.py" not in str(caught.value)


def test_the_user_s_own_line_is_named_where_numpy_raises(tmp_path):
    def sampler(y, K, priors, draws, warmup, chains, rng):
        return np.linalg.inv(np.zeros((2, 2)))

    engine = OwnEngine("mine", sampler, SamplerSettings(), tmp_path)
    with pytest.raises(EngineError, match=r"LinAlgError: .* \(test_own\.py, line \d+\); its"):
        engine.run(PROBLEM, 1, no_progress)

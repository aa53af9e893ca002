"""Fits made or found, the same wherever engines run; one that fails does not stop the others."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ledger import Ledger

from gmmcompare.fitting.cache import NOTHING_KEPT, FitCache
from gmmcompare.fitting.fit import load_fit
from gmmcompare.fitting.requests import EngineRequest, engine_requests, engine_seed
from gmmcompare.fitting.runner import Runner, _Watch, fit_together
from gmmcompare.model.card import load_card, validated_card
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample
from gmmcompare.runtime.errors import EngineError, GmmCompareError, InputError
from gmmcompare.runtime.progress import Progress, no_progress
from gmmcompare.runtime.tasks import InProcess, Tasks, open_tasks
from gmmcompare.workflows.load import load

SETTINGS = [
    "engines.em.starts=3",
    "engines.gibbs.draws=200",
    "engines.gibbs.warmup=50",
    "engines.gibbs_plain.draws=50",
    "engines.gibbs_plain.warmup=10",
    "engines.custom.draws=50",
    "engines.custom.warmup=10",
]
FILE = """
import numpy as np
from gmmcompare.engines.gibbs import plain as gibbs_plain

SCALE = 1.0

def shifted(w, mu, sigma, y, priors, rng):
    return w, mu + 0.1, sigma

def step(*state):
    return gibbs_plain.sweep(*state)

def sweep(w, mu, sigma, y, priors, rng):
    return step(w, SCALE * mu, sigma, y, priors, rng)

def broken(w, mu, sigma, y, priors, rng):
    raise ValueError("lost")
"""


@pytest.fixture(scope="module")
def dask() -> Iterator[Tasks]:
    with open_tasks(workers=2) as tasks:
        yield tasks


def runner(
    tasks: Tasks | None = None,
    folder: Path | None = None,
    cache: FitCache = NOTHING_KEPT,
    progress: Progress = no_progress,
) -> Runner:
    card = load_card("galaxies-k4", SETTINGS)
    return Runner(card, load(card).sample, folder, cache, progress, tasks or InProcess())


class TestFit:
    def test_a_fit_is_made_once_and_delivered(self, tmp_path: Path) -> None:
        ledger = Ledger()
        wanted = runner(None, tmp_path / "out", FitCache(tmp_path / "cache"), ledger)
        fit = wanted.fit(EngineRequest("gibbs"))
        assert wanted.fit(EngineRequest("gibbs")) is fit
        assert fit.seed == engine_seed(wanted.card.run.seed, "gibbs")
        assert (ledger.begun, ledger.reused, ledger.open) == (["gibbs"], [], [])
        assert load_fit(tmp_path / "out" / "fits" / "gibbs.nc") == fit
        assert (tmp_path / "cache" / f"{fit.key}.nc").is_file()

    def test_another_runner_finds_it_whatever_its_folder_is(self, tmp_path: Path) -> None:
        cache = FitCache(tmp_path / "cache")
        fit = runner(None, tmp_path / "a", cache).fit(EngineRequest("em"))
        ledger = Ledger()
        assert runner(None, tmp_path / "b", cache, ledger).fit(EngineRequest("em")) == fit
        assert (ledger.begun, ledger.reused) == ([], ["em"])
        assert load_fit(tmp_path / "b" / "fits" / "em.nc") == fit
        assert runner(None, None, FitCache(), ledger).fit(EngineRequest("em")).key == fit.key
        assert ledger.begun == ["em"]

    def test_a_damaged_fit_is_one_warning_and_made_again(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        cache = FitCache(tmp_path / "cache")
        fit = runner(None, None, cache).fit(EngineRequest("gibbs"))
        kept = tmp_path / "cache" / f"{fit.key}.nc"
        kept.write_bytes(kept.read_bytes()[:1000])
        with caplog.at_level(logging.WARNING, logger="gmmcompare"):
            again = runner(None, None, cache).fit(EngineRequest("gibbs"))
        assert len(caplog.records) == 1
        np.testing.assert_array_equal(again.params.mu, fit.params.mu)
        assert load_fit(kept) == again

    def test_a_second_round_has_a_fresh_seed_and_four_times_the_draws(self, tmp_path: Path) -> None:
        ledger = Ledger()
        wanted = runner(None, tmp_path, progress=ledger)
        first = wanted.fit(EngineRequest("gibbs"))
        second = wanted.refit("gibbs", 2)
        assert second is not None
        assert second.seed == engine_seed(wanted.card.run.seed, "gibbs", 2) != first.seed
        assert second.tree["posterior"].sizes["draw"] == 4 * 200
        assert ledger.begun == ["gibbs", "gibbs, repeated with a fresh seed"]
        assert load_fit(tmp_path / "fits" / "gibbs-round2.nc") == second

    def test_draws_from_a_file_cannot_be_repeated(self, tmp_path: Path) -> None:
        runner(None, tmp_path).fit(EngineRequest("gibbs"))
        request = EngineRequest("theirs", "draws", str(tmp_path / "fits" / "gibbs.nc"))
        wanted = runner()
        assert wanted.fit(request).engine == "theirs"
        assert wanted.refit("theirs", 2) is None

    def test_an_error_is_raised_whenever_the_fit_is_asked_for(self, tmp_path: Path) -> None:
        file = tmp_path / "mine.py"
        file.write_text(FILE)
        (request,) = engine_requests((), [f"mine={file}:broken"])
        ledger = Ledger()
        wanted = runner(None, tmp_path / "out", progress=ledger)
        for _ in range(2):
            with pytest.raises(EngineError, match=r"mine: raised ValueError: lost"):
                wanted.fit(request)
        assert ledger.begun == ["mine"]  # not run again
        assert ledger.open == []
        assert list((tmp_path / "out" / "logs").iterdir())

    def test_two_functions_of_one_file_have_two_keys(self, tmp_path: Path) -> None:
        """As have two closures of one function."""
        file = tmp_path / "mine.py"
        file.write_text(FILE)
        cache = FitCache(tmp_path / "cache")
        fits = [
            runner(None, None, cache).fit(engine_requests((), [f"mine={file}:{name}"])[0])
            for name in ("sweep", "shifted")
        ]
        made = [closure(0.0), closure(0.1)]
        fits += [
            runner(None, None, cache).fit(EngineRequest.of(function, "mine")) for function in made
        ]
        assert len({fit.key for fit in fits}) == 4
        again = runner(None, None, cache).fit(EngineRequest.of(closure(0.1), "mine"))
        assert again == fits[3]

    def test_fewer_values_than_components_are_refused_before_any_work(self) -> None:
        card = load_card("galaxies-k4")
        with pytest.raises(InputError, match="3 distinct values are fewer than 4 components"):
            Runner(card, Sample.of([1.0, 2.0, 3.0, 3.0]))


def closure(shift: float) -> Callable[..., Any]:
    def sweep(w, mu, sigma, y, priors, rng):  # type: ignore[no-untyped-def]
        return w, mu + shift, sigma

    return sweep


@pytest.mark.slow
def test_fits_are_the_same_wherever_engines_run(dask: Tasks, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(FILE)
    requests = engine_requests(("em", "gibbs", "gibbs_plain"), [f"mine={file}:sweep"])
    here, there = runner(), runner(dask, tmp_path / "there")
    fit_together([(there, request) for request in requests], dask)
    file.unlink()  # a file of the user's is sent as code
    for request in requests[:3]:
        a, b = here.fit(request), there.fit(request)
        assert a.key == b.key
        for name in ("w", "mu", "sigma"):
            np.testing.assert_array_equal(a.tree["posterior"][name], b.tree["posterior"][name])
        assert (tmp_path / "there" / "fits" / f"{request.name}.nc").is_file()
    assert there.fit(requests[3]).engine == "mine"
    again = there.refit("gibbs", 2)
    assert again is not None
    assert again.tree["posterior"].sizes["draw"] == 800
    np.testing.assert_array_equal(
        again.tree["posterior"]["mu"],
        runner().fit(requests[1], 2).tree["posterior"]["mu"],
    )


def test_em_is_fitted_before_what_starts_there() -> None:
    ran: list[list[str]] = []

    class Noted(InProcess):
        def run(self, function, items, **options):  # type: ignore[no-untyped-def]
            ran.append([item.engine.name for item in items])
            if "em" in ran[-1]:
                yield from super().run(function, items, **options)

    tasks = Noted()
    wanted = runner(tasks)
    assert not wanted.starts_at_em(EngineRequest("gibbs"))
    fit_together([(wanted, EngineRequest(name)) for name in ("gibbs", "nuts", "em")], tasks)
    assert [names for names in ran if names] == [["em"], ["gibbs", "nuts"]]


def test_one_that_fails_does_not_stop_the_others(dask: Tasks, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(FILE)
    requests = engine_requests(("gibbs",), [f"mine={file}:broken"])
    ledger, cache = Ledger(), FitCache(tmp_path / "cache")
    there = runner(dask, tmp_path / "there", cache, ledger)
    fit_together([(there, request) for request in requests], dask)
    assert there.fit(requests[0]).status == "ok"
    with pytest.raises(EngineError, match=r"mine: raised ValueError: lost"):
        there.fit(requests[1])
    assert ledger.open == []
    assert sorted(ledger.begun) == ["gibbs", "mine"]
    later = Ledger()
    fit_together([(runner(dask, None, cache, later), requests[0])], dask)
    assert (later.begun, later.reused) == ([], ["gibbs"])


def test_runs_of_several_runners_are_shown_together(dask: Tasks) -> None:
    ledger = Ledger()
    request = EngineRequest("gibbs_plain")
    card = load_card("galaxies-k4", [*SETTINGS, "engines.gibbs_plain.draws=400"])
    sample = load(card).sample

    def labelled(K: int) -> Progress:
        return lambda name, fraction: ledger(f"K={K} {name}", fraction)

    runners = [
        Runner(card.changed({"mixture.components": K}), sample, progress=labelled(K), tasks=dask)
        for K in (2, 3)
    ]
    fit_together([(r, request) for r in runners], dask)
    assert [r.fit(request).tree["posterior"].sizes["component"] for r in runners] == [2, 3]
    assert ledger.most == 2
    assert ledger.open == []


def test_what_cannot_be_sent_is_said(dask: Tasks) -> None:
    lock = threading.Lock()

    def sweep(w, mu, sigma, y, priors, rng):  # type: ignore[no-untyped-def]
        with lock:
            return w, mu, sigma

    own = EngineRequest("own", "own", function=sweep)
    with pytest.raises(InputError, match=r"own: cannot be sent to a worker .*leave out --workers"):
        runner(dask).fit(own)


def test_news_of_a_run_that_has_ended_are_dropped() -> None:
    told: list[float] = []
    watch = _Watch([told.append])
    watch(0, 0.0)
    watch(0, 1.0)  # the engine is done; its fit is not at hand yet
    watch(0, 0.5)
    watch.end(0)
    watch(0, 0.7)
    assert told == [0.0, 0.5, 1.0]


@pytest.mark.parametrize(
    ("own", "draws", "said"),
    [
        (["mine=none.py:sweep"], [], "none.py: no such file"),
        (["mine=a.py:swep"], [], r"a.py: no function 'swep' \(did you mean 'sweep'\?\)"),
        (["mine=a.py:other"], [], "the arguments tell what a function is"),
        ([], ["stan=none/"], "no such file or folder of draws"),
        ([], ["stan=a.npz"], "2 components where 1 were asked for"),
    ],
)
@pytest.mark.slow
def test_what_the_user_brings_is_checked_before_anything_is_fitted(
    tmp_path, monkeypatch, own, draws, said
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.py").write_text(
        "def sweep(w, mu, sigma, y, priors, rng): pass\ndef other(x): pass\n"
    )
    point = {"w": [[[0.5, 0.5]]] * 4, "mu": [[[0.0, 1.0]]] * 4, "sigma": [[[1.0, 1.0]]] * 4}
    np.savez(tmp_path / "a.npz", **{n: np.repeat(a, 5, axis=1) for n, a in point.items()})
    content = {
        "title": "t",
        "data": {"path": "none"},
        "mixture": {"components": 1},
        "priors": Priors().to_dict(),
    }
    card = validated_card(content, tmp_path / "card.toml")
    asked = []
    runner = Runner(card, Sample.of([0.0, 1.0, 2.0]), progress=lambda name, f: asked.append(name))
    with pytest.raises(GmmCompareError, match=said):
        runner.check(engine_requests(["em", "gibbs"], own, draws))
    assert not {"em", "gibbs"} & set(asked)

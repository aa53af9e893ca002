"""Engines as tasks: the same fits wherever they run, one that fails does not stop the others."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from gmmcompare.engines.base import Progress
from gmmcompare.fitting.runner import EngineRequest, Runner, engine_requests, fit_together
from gmmcompare.model.card import load_card
from gmmcompare.runtime.errors import EngineError, InputError
from gmmcompare.runtime.tasks import InProcess, Tasks, open_tasks
from gmmcompare.workflows.compare import card_sample

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


class Watched:
    """Notes which bars are open, and what they are told."""

    def __init__(self) -> None:
        self.open: list[str] = []
        self.seen: list[str] = []
        self.most = 0

    @contextmanager
    def fitting(self, name: str) -> Iterator[Progress]:
        self.open.append(name)
        self.seen.append(name)
        self.most = max(self.most, len(self.open))
        yield lambda fraction: None
        self.open.remove(name)

    def reused(self, name: str) -> None:
        self.seen.append(f"{name} reused")


def runner(tasks: Tasks, folder: Path | None = None, watcher: Watched | None = None) -> Runner:
    card = load_card("galaxies-k4", SETTINGS)
    return Runner(card, card_sample(card), folder, watcher=watcher or Watched(), tasks=tasks)


def test_fits_are_the_same_wherever_engines_run(dask: Tasks, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(FILE)
    requests = engine_requests(("em", "gibbs", "gibbs_plain"), [f"mine={file}:sweep"])
    here, there = runner(InProcess()), runner(dask, tmp_path / "there")
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
        runner(InProcess()).fit(requests[1], 2).tree["posterior"]["mu"],
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
    watched = Watched()
    there = runner(dask, tmp_path / "there", watched)
    fit_together([(there, request) for request in requests], dask)
    assert there.fit(requests[0]).status == "ok"
    with pytest.raises(EngineError, match=r"mine: raised ValueError: lost"):
        there.fit(requests[1])
    assert watched.open == []
    assert sorted(watched.seen) == ["gibbs", "mine"]
    later = Watched()
    fit_together([(runner(dask, tmp_path / "there", later), requests[0])], dask)
    assert later.seen == ["gibbs reused"]


def test_runs_of_several_runners_are_shown_together(dask: Tasks) -> None:
    watched = Watched()
    request = EngineRequest("gibbs_plain")
    card = load_card("galaxies-k4", [*SETTINGS, "engines.gibbs_plain.draws=400"])
    sample = card_sample(card)
    runners = [
        Runner(card.changed({"mixture.components": K}), sample, watcher=watched, tasks=dask)
        for K in (2, 3)
    ]
    fit_together([(r, request) for r in runners], dask)
    assert [r.fit(request).tree["posterior"].sizes["component"] for r in runners] == [2, 3]
    assert watched.most == 2


def test_what_cannot_be_sent_is_said(dask: Tasks) -> None:
    lock = threading.Lock()

    def sweep(w, mu, sigma, y, priors, rng):  # type: ignore[no-untyped-def]
        with lock:
            return w, mu, sigma

    own = EngineRequest("own", "own", function=sweep)
    with pytest.raises(InputError, match=r"own: cannot be sent to a worker .*leave out --workers"):
        runner(dask).fit(own)

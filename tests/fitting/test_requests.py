"""What is asked of the command line and from Python, and the seed of each engine."""

from __future__ import annotations

import re

import pytest

from gmmcompare.engines.imported.engine import ImportedEngine
from gmmcompare.engines.own import OwnEngine
from gmmcompare.fitting.requests import EngineRequest, engine_requests, engine_seed
from gmmcompare.model.card import EngineSection, SamplerSettings
from gmmcompare.runtime.errors import InputError

SEED_OF_GIBBS = 856232644


def sweep(w, mu, sigma, y, priors, rng):  # type: ignore[no-untyped-def]
    return w, mu, sigma


def test_em_comes_first_and_the_rest_as_asked() -> None:
    found = engine_requests(("nuts", "em", "gibbs"), ["mine=a.py:sweep"], ["stan=out"])
    assert [r.name for r in found] == ["em", "nuts", "gibbs", "mine", "stan"]
    assert [r.origin for r in found] == ["built-in"] * 3 + ["own", "draws"]
    assert (found[3].spec, found[4].spec) == ("a.py:sweep", "out")
    assert [r.name for r in engine_requests()] == ["em", "gibbs", "nuts"]


@pytest.mark.parametrize(
    ("engines", "own", "draws", "said"),
    [
        (["gibs"], [], [], "gibs: no such engine (did you mean 'gibbs'?); built in are em"),
        (["gibs"], [], [], "add your own by --engine NAME=FILE.py:FUNC"),
        ([], ["a.py:sweep"], [], "--engine a.py:sweep: write NAME=FILE.py:FUNC, as in mine="),
        ([], [], ["=out"], "--draws =out: write NAME=FILE"),
        ([], ["../mine=a.py:sweep"], [], "'../mine' cannot name a file"),
        (["em"], ["em=a.py:sweep"], [], "em: two engines have this name"),
        ([], [], [], "no engine to run"),
    ],
)
def test_what_cannot_be_asked_for_is_one_line(
    engines: list[str], own: list[str], draws: list[str], said: str
) -> None:
    with pytest.raises(InputError, match=re.escape(said)) as error:
        engine_requests(engines, own, draws)
    assert "\n" not in str(error.value)


def test_python_asks_by_name_by_file_or_with_a_function() -> None:
    assert EngineRequest.of("gibbs") == EngineRequest("gibbs")
    assert EngineRequest.of(sweep) == EngineRequest("sweep", "own", function=sweep)
    assert EngineRequest.of(sweep, "mine").name == "mine"
    assert EngineRequest.of("my/a.py:step") == EngineRequest("step", "own", "my/a.py:step")
    with pytest.raises(InputError, match=r"did you mean 'gibbs'.*your own is a function or FILE"):
        EngineRequest.of("gibs")


def test_a_request_becomes_an_engine_with_the_settings_of_a_card() -> None:
    settings = EngineSection(custom=SamplerSettings(chains=2, warmup=3, draws=5))
    mine = EngineRequest.of(sweep, "mine").build(settings)
    assert isinstance(mine, OwnEngine)
    assert (mine.name, mine.settings["draws"]) == ("mine", 5)
    assert EngineRequest("gibbs").build(settings).settings["draws"] == settings.gibbs.draws
    assert isinstance(EngineRequest("theirs", "draws", "x.nc").build(settings), ImportedEngine)


@pytest.mark.parametrize("request_", [EngineRequest.of(sweep), EngineRequest("gibbs_plain")])
def test_what_needs_all_values_is_refused_for_partitions(request_: EngineRequest) -> None:
    with pytest.raises(InputError, match=r"data\.subsample"):
        request_.build(EngineSection(), partitioned=True)


def test_seeds_differ_by_name_round_and_card_and_stay_what_they_were() -> None:
    seeds = [engine_seed(s, n, r) for s in (4, 5) for n in ("em", "gibbs") for r in (1, 2)]
    assert len(set(seeds)) == 8
    assert engine_seed(4, "gibbs") == SEED_OF_GIBBS  # reproducing older results rests on it

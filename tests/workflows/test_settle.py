"""An inconclusive comparison is made again with the settings it names, up to a limit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import gmmcompare as gc
from gmmcompare.comparison.reasons import Code, Remedy
from gmmcompare.fitting.requests import engine_requests
from gmmcompare.model.card import Card
from gmmcompare.runtime.errors import InputError
from gmmcompare.workflows.compare import compare_card
from gmmcompare.workflows.load import load
from gmmcompare.workflows.outcome import load_outcome

SAMPLE = gc.Sample.of(np.round(np.random.default_rng(1).normal(np.repeat([0.0, 6.0], 50)), 1))
PRIORS = gc.Priors(mean_sd=10.0, var_shape=2.0, var_scale=1.0)
CARD = """
title = "Small"
[data]
path = "small.csv"
[mixture]
components = 2
[priors]
weight_concentration = 1.0
mean_loc = 0.0
mean_sd = 10.0
var_shape = 2.0
var_scale = 1.0
[engines.em]
max_iterations = 2
accelerate = false
[engines.gibbs]
warmup = 100
draws = 150
"""


def fitted(engine: object, **settings: object) -> gc.Fit:
    return gc.fit(SAMPLE, engine, components=2, priors=PRIORS, seed=4, **settings)  # type: ignore[arg-type]


def short(draws: int, chains: int = 4) -> list[gc.Fit]:
    return [fitted("em"), fitted("gibbs", warmup=100, draws=draws, chains=chains)]


@pytest.fixture
def card(tmp_path: Path) -> Card:
    (tmp_path / "small.csv").write_text("x\n" + "\n".join(map(str, SAMPLE.y)) + "\n")
    (tmp_path / "small.toml").write_text(CARD)
    return gc.load_card(tmp_path / "small.toml")


@pytest.mark.slow
def test_too_few_draws_and_chains_become_enough() -> None:
    fits = short(draws=150, chains=2)
    assert gc.compare(fits).verdict == "inconclusive"
    found = gc.compare(fits, settle=True)
    assert found.verdict == "agree"
    assert found.remedies == ()
    assert found.fits["gibbs"].params.w.shape[0] == 4
    assert found.fits["gibbs"].params.w.shape[1] > 150
    assert found.fits["em"].seed == fits[0].seed  # it lacked nothing, and was not run again
    assert {step.code for step in found.followed} == {Remedy.FOLLOWED}


def test_what_is_conclusive_is_left_alone() -> None:
    fits = short(draws=3000)
    found = gc.compare(fits, settle=True)
    assert (found.verdict, found.followed) == ("agree", ())


def test_it_stops_at_two_rounds_and_sixteen_times_the_draws() -> None:
    found = gc.compare(short(draws=5), settle=True)
    assert found.verdict == "inconclusive"
    assert 1 <= len(found.followed) <= 2
    assert found.fits["gibbs"].params.w.shape[1] == 16 * 5
    assert found.remedies  # what would be needed is still said


def test_samplers_of_ones_own_cannot_be_run_again_from_their_fits() -> None:
    def sweep(w, mu, sigma, y, priors, rng):  # type: ignore[no-untyped-def]
        return w, mu + 0.01 * rng.standard_normal(mu.shape), sigma

    mine = fitted(sweep, draws=20, warmup=5)
    found = gc.compare([fitted("em"), mine], settle=True)
    assert found.verdict == "inconclusive"
    assert found.followed == ()
    (remedy,) = [r for r in found.remedies if r.engine == "sweep"]
    assert set(remedy.numbers["settings"]) >= {"engines.custom.draws"}


def test_fits_of_an_earlier_version_are_refused_with_a_reason() -> None:
    from dataclasses import replace

    fits = [replace(fit, settings={}) for fit in short(draws=50)]
    with pytest.raises(InputError, match="did not keep their settings; fit again"):
        gc.compare(fits, settle=True)


@pytest.mark.slow
def test_a_card_is_settled_and_its_record_says_how(card: Card, tmp_path: Path) -> None:
    folder, requests, data = tmp_path / "out", engine_requests(["em", "gibbs"]), load(card)
    open_ = compare_card(card, data, requests).comparison
    assert Code.STATUS in {reason.code for pair in open_.pairs for reason in pair.reasons}
    told: list[str] = []
    outcome = compare_card(
        card,
        data,
        requests,
        folder=folder,
        settling=True,
        progress=lambda name, _: told.append(name),
    )
    assert outcome.comparison.verdict == "agree"
    assert {"gibbs, to settle it", "em, to settle it"} <= set(told)
    used = outcome.provenance.card.engines
    assert used.em.max_iterations > 2
    assert used.gibbs.draws > 150
    again = load_outcome(folder)
    assert again.comparison.followed == outcome.comparison.followed
    assert again.comparison.verdict == "agree"

"""Every bug of the museum has a report, a model, and a twin that differs by its repair."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from gmmcompare.model.points import mapped, one_of, same
from gmmcompare.model.protocol import check_model
from gmmcompare.runtime.errors import InputError
from gmmcompare.validation.faults.museum import models, nuts
from gmmcompare.validation.faults.museum.catalogue import PIECES, Piece, is_piece, piece, sampler
from gmmcompare.validation.model_procedure import model_scene
from gmmcompare.validation.run import validate
from gmmcompare.validation.sandbox.model_subject import ModelSubject
from gmmcompare.validation.sandbox.target import Target

every = pytest.mark.parametrize("row", PIECES.values(), ids=PIECES)
MODELS = tuple(dict.fromkeys(row.model for row in PIECES.values()))


def test_there_are_ten_at_least_and_each_has_a_report_of_its_own() -> None:
    assert len(PIECES) >= 10
    reports = [row.report for row in PIECES.values()]
    assert len(set(reports)) == len(reports)
    assert all(re.fullmatch(r"https://[\w.-]+/\S+", report) for report in reports)
    for row in PIECES.values():
        assert re.search(r"\d{4}", row.title), f"{row.name}: says when"


def run(row: Piece, repaired: bool, seed: int) -> Any:
    """Return where a sampler goes from a draw of the joint distribution."""
    model, rng = row.model(), np.random.default_rng(seed)
    points = model.draw_prior(1, rng)
    y = one_of(model.draw_data(points, rng), 0)
    function = row.build(repaired)
    if row.whole:
        return function(y, 30, 5, 2, rng)
    at = mapped(lambda a: np.asarray(a)[()], one_of(points, 0))
    before = mapped(np.copy, at)
    path = []
    for _ in range(30):
        path.append(function(at, y, rng))
        assert same(mapped(np.asarray, at), before)
        at, before = path[-1], mapped(np.copy, path[-1])
    return {name: np.array([p[name] for p in path]) for name in model.parameters}


@every
def test_a_sampler_and_its_twin_take_the_same_path_until_the_repair_matters(row: Piece) -> None:
    differ = 0
    for seed in range(5):
        wrong, right = run(row, False, seed), run(row, True, seed)
        shapes = row.model().parameters
        for path in (wrong, right):
            found = {name: a.shape[a.ndim - len(shapes[name]) :] for name, a in path.items()}
            assert found == dict(shapes)
            assert all(np.isfinite(a).all() for a in path.values())
        differ += not same(wrong, right)
    assert differ > 0


@every
def test_it_is_told_by_its_arguments_what_it_is(row: Piece) -> None:
    kind = ModelSubject.kind_of(row.build())
    assert kind == ("sampler" if row.whole else "kernel")


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_models_keep_the_contract(model: Any) -> None:
    check_model(model(), model.__name__)


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_densities_are_those_of_the_draws(model: Any) -> None:
    # A correct model is accused with probability 3e-6.
    model_scene(model, 1)


def test_names() -> None:
    assert piece("museum:walk-in-logs") == (PIECES["walk-in-logs"], False)
    assert piece("walk-in-logs/repaired") == (PIECES["walk-in-logs"], True)
    assert sampler("museum:walk-in-logs/repaired").keywords == {"repaired": True}  # type: ignore[attr-defined]
    assert Target("museum:walk-in-logs").load().keywords == {"repaired": False}  # type: ignore[attr-defined]
    assert is_piece("museum:x")
    assert not is_piece("fault:x")
    assert not is_piece(len)


def test_an_unknown_name_is_bad_input() -> None:
    with pytest.raises(InputError, match="did you mean 'elliptical-joint'"):
        piece("museum:eliptical-joint")
    with pytest.raises(InputError, match="a piece is museum:walk-in-logs or museum:walk-in-logs/r"):
        piece("museum:walk-in-logs/")
    with pytest.raises(InputError, match="brings its own model"):
        validate("museum:walk-in-logs", model=models.Rate)


@pytest.mark.slow
def test_a_posterior_sd_is_too_small_as_it_was_in_stan() -> None:
    # 80,000 numbers, nearly independent: the relative error of the sd is below 0.004, so that 0.98
    # is five errors away from either value.
    y, sd = np.zeros(5), (1.0 + models.Space.noise**-2) ** -0.5
    found = {}
    for repaired in (False, True):
        rng, at = np.random.default_rng(1), {"x": np.zeros(5)}
        path = []
        for _ in range(40_000):
            at = nuts.borrowed_boundaries(at, y, rng, repaired)
            path.append(at["x"])
        found[repaired] = np.std(path) / sd
    assert found[False] < 0.98
    assert found[True] == pytest.approx(1.0, abs=0.02)


@pytest.mark.slow
@every
def test_a_bug_is_found_and_its_twin_passes(row: Piece) -> None:
    # Twins fail with probability 1e-5; reports/museum.md has more seeds, and full validations.
    assert validate(f"museum:{row.name}", jobs=1).verdict == "failed"
    assert validate(f"museum:{row.name}/repaired", quick=True, jobs=1).verdict == "passed"

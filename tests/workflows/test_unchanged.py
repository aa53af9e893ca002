"""A folder whose comparison was made from the same is not made again, and any change is seen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gmmcompare.data import Rows
from gmmcompare.fitting.requests import engine_requests
from gmmcompare.model.card import Card, load_card
from gmmcompare.workflows.load import Data
from gmmcompare.workflows.unchanged import NOTE, made_from, record, unchanged


def data_of(values: list[float], names: list[str] | None = None) -> Data:
    rows = Rows.of(values, names)
    return Data(rows.sample, rows)


CARD = load_card("galaxies-k4")
DATA = data_of([1.0, 2.0, 3.0, 5.0, 8.0], list("abcde"))
REQUESTS = engine_requests(["em", "gibbs"])
KEY = made_from(CARD, DATA, REQUESTS)


def kernel(tmp_path: Path, body: str) -> str:
    file = tmp_path / "mine.py"
    file.write_text(
        f"def sweep(w, mu, sigma, y, priors, rng):\n    {body}\n    return w, mu, sigma\n"
    )
    return made_from(CARD, DATA, engine_requests(["em"], [f"mine={file}:sweep"]))


@pytest.mark.parametrize(
    ("card", "data", "engines", "settling"),
    [
        (CARD.changed({"engines.gibbs.draws": 21}), DATA, ["em", "gibbs"], False),
        (CARD.changed({"run.seed": 5}), DATA, ["em", "gibbs"], False),
        (CARD.changed({"title": "Another"}), DATA, ["em", "gibbs"], False),
        (CARD, data_of([1.0, 2.0, 3.0, 5.0, 9.0], list("abcde")), ["em", "gibbs"], False),
        (CARD, data_of([1.0, 2.0, 3.0, 5.0, 8.0], list("abcdf")), ["em", "gibbs"], False),
        (CARD, data_of([8.0, 2.0, 3.0, 5.0, 1.0], list("abcde")), ["em", "gibbs"], False),
        (CARD, DATA, ["em", "nuts"], False),
        (CARD, DATA, ["em", "gibbs"], True),
    ],
)
def test_whatever_a_page_shows_is_part_of_the_key(
    card: Card, data: Data, engines: list[str], settling: bool
) -> None:
    assert made_from(card, data, engine_requests(engines), settling) != KEY


def test_the_same_has_the_same_key() -> None:
    again = data_of([1.0, 2.0, 3.0, 5.0, 8.0], list("abcde"))
    assert made_from(load_card("galaxies-k4"), again, engine_requests(["em", "gibbs"])) == KEY


def test_an_edited_kernel_is_seen(tmp_path: Path) -> None:
    before = kernel(tmp_path, "mu = mu + 1")
    assert kernel(tmp_path, "mu = mu + 2") != before
    assert kernel(tmp_path, "mu = mu + 1") == before


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "fits").mkdir()
    for name in ("index.html", "allocations.csv", "fits/em.nc"):
        (tmp_path / name).write_text(name)
    (tmp_path / "comparison.json").write_text(json.dumps({"verdict": "agree"}))
    record(tmp_path, KEY)
    return tmp_path


def test_a_folder_as_it_was_left_is_unchanged(folder: Path) -> None:
    assert unchanged(folder, KEY) == {"verdict": "agree"}
    assert unchanged(folder, "another key") is None
    assert unchanged(folder / "fits", KEY) is None  # nothing was ever made here


@pytest.mark.parametrize(
    "name", ["index.html", "allocations.csv", "fits/em.nc", "comparison.json", NOTE]
)
@pytest.mark.parametrize("content", [None, "edited"])
def test_a_file_that_is_gone_or_edited_is_made_again(
    folder: Path, name: str, content: str | None
) -> None:
    file = folder / name
    file.unlink()
    if content:
        file.write_text(content)
    assert unchanged(folder, KEY) is None

"""Columns of measurement errors: read, carried through transforms, refused in one line."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from gmmcompare.data import load_rows, load_sample
from gmmcompare.model.card import validated_card
from gmmcompare.model.priors import Priors
from gmmcompare.runtime.bundled import bundled
from gmmcompare.runtime.errors import InputError
from gmmcompare.workflows.load import load

TABLE = """name,x,err,low,high
a,10,1,-1,2
b,2,0.1,-0.1,0.1
c,5,,-1,
d,,1,-1,1
e,2,0.2,-0.2,0.2
f,2,0.1,-0.1,0.1
g,4,0,-0.5,0.5
"""


@pytest.fixture
def table(tmp_path) -> Path:
    path = tmp_path / "table.csv"
    path.write_text(TABLE)
    return path


def test_rows_without_an_error_are_dropped_and_counted(table, caplog):
    with caplog.at_level(logging.WARNING, "gmmcompare"):
        rows = load_rows(table, "x", name_column="name", error="err")
    assert rows.names == ("a", "b", "e", "f", "g")
    assert rows.errors.tolist() == [1.0, 0.1, 0.2, 0.1, 0.0]
    assert (rows.origin.n_missing, rows.origin.n_without_error) == (1, 1)
    assert "1 of 6 values have no error and are dropped" in caplog.text
    assert "1 of 5 errors are 0" in caplog.text
    sample = rows.sample
    assert sample.counts.tolist() == [2, 1, 1, 1]
    assert sample.errors.tolist() == [0.1, 0.2, 0.0, 1.0]
    assert rows.names_by_value()[2.0, 0.1] == ["b", "f"]
    assert sample.find(rows.y, rows.errors).tolist() == [3, 0, 1, 0, 2]
    part = rows.random_part(3, 1)
    assert part.errors.size == 3


def test_or_are_given_one_after_the_transform(table):
    rows = load_rows(table, "x", "log10", error="err", error_missing=0.05)
    assert rows.y.size == 6
    expected = np.array([1 / 10, 0.1 / 2, np.nan, 0.2 / 2, 0.1 / 2, 0.0]) / np.log(10)
    np.testing.assert_allclose(rows.errors, np.where(np.isnan(expected), 0.05, expected))
    assert rows.origin.n_without_error == 1


def test_the_mean_of_lower_and_upper_is_said_aloud(table, caplog):
    with caplog.at_level(logging.WARNING, "gmmcompare"):
        rows = load_rows(table, "x", error=["low", "high"])
    assert rows.errors.tolist() == [1.5, 0.1, 0.2, 0.1, 0.5]
    assert "mean of 'low' and 'high'; in 1 of 5 rows" in caplog.text


def test_the_size_of_the_delta_method_is_said(tmp_path, caplog):
    path = tmp_path / "x.csv"
    path.write_text("x,e\n1,0.5\n2,0.2\n4,8\n")
    with caplog.at_level(logging.WARNING, "gmmcompare"):
        rows = load_rows(path, "x", "log", error="e")
    np.testing.assert_allclose(rows.errors, [0.5, 0.1, 2.0])
    assert "2 of 3 errors exceed 30 % of their value" in caplog.text
    assert "200 %, becomes 2, and is 1.1 above and all the way down to 0 below" in caplog.text
    assert "1 of 3 errors exceed the spread" in caplog.text


def test_errors_wider_than_the_spread_are_warned_of(tmp_path, caplog):
    path = tmp_path / "x.csv"
    path.write_text("x,e\n1,50\n2,20\n4,80\n")
    with caplog.at_level(logging.WARNING, "gmmcompare"):
        load_rows(path, "x", error="e")
    assert "3 of 3 errors exceed the spread" in caplog.text
    assert "are they standard deviations" in caplog.text


@pytest.mark.parametrize(
    ("cells", "error", "message"),
    [
        ("1,-0.5\n2,0.2", "e", "has -0.5 in row 1 below the header"),
        ("1,-0.5\n2,0.2", ["e", "e"], "has -0.5 in row 1"),
        ("1,inf\n2,0.2", "e", "infinite in row 1"),
        ("1,high\n2,0.2", "e", "has text in row 1"),
        ("1,\n2,", "e", "no value of column 'x' has an error"),
        ("1,1\n2,1", "s", "no column 's'"),
    ],
)
def test_bad_columns_are_refused_in_one_line(tmp_path, cells, error, message):
    path = tmp_path / "x.csv"
    path.write_text(f"x,e\n{cells}\n")
    with pytest.raises(InputError, match=message) as caught:
        load_rows(path, "x", error=error)
    assert "\n" not in str(caught.value)


def card(**data):
    content = {
        "title": "t",
        "data": {"path": "x.csv", "column": "x", **data},
        "mixture": {"components": 2},
        "priors": Priors().to_dict(),
    }
    return validated_card(content, Path("card.toml"))


def test_cards_name_errors(table):
    found = load(card(path=str(table), error=["low", "high"], error_missing=0.3))
    assert found.sample.errors is not None
    assert found.sample.n == 6
    for bad in ({"error": ["one"]}, {"error_missing": 0.1}, {"error": "e", "error_missing": -1.0}):
        with pytest.raises(InputError) as caught:
            card(**bad)
        assert "\n" not in str(caught.value)


def test_partitions_refuse_errors(tmp_path):
    for i in range(2):
        (tmp_path / f"p{i}.csv").write_text(TABLE)
    with pytest.raises(InputError, match=r"data\.error is for one file"):
        load(card(path=str(tmp_path / "p*.csv"), error="err"))


def test_the_stand_in_has_errors_like_the_archive():
    sample = load_sample(
        "exoplanets-errors-simulated", transform="log10", error=["pl_radjerr2", "pl_radjerr1"]
    )
    assert (sample.n, sample.origin.n_without_error) == (4333, 1867)
    low, middle, high = np.quantile(sample.y_errors, [0.05, 0.5, 0.95])
    assert 0.005 < low < 0.012
    assert 0.03 < middle < 0.04
    assert 0.13 < high < 0.21


def test_the_stand_in_can_be_drawn_again(tmp_path, monkeypatch):
    import runpy
    import sys

    folder = bundled("data")
    monkeypatch.syspath_prepend(str(folder))
    target = tmp_path / "again.csv"
    monkeypatch.setattr(sys, "argv", ["simulate", str(target)])
    runpy.run_path(str(folder / "simulate_exoplanets_errors.py"), run_name="__main__")
    assert target.read_bytes() == (folder / "exoplanets-errors-simulated.csv").read_bytes()

"""Bad measurement errors on the command line: one line and exit code 2, or a note."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from gmmcompare.cli import app

CARD = """
title = "Small"
[data]
path = "small.csv"
column = "x"
error = "e"
[mixture]
components = 1
[priors]
weight_concentration = 1.0
mean_loc = 0.0
mean_sd = 10.0
var_shape = 2.0
var_scale = 1.0
"""
X = (0.1, 0.4, 0.9, 1.3, 1.4, 2.0)


def fitted(folder: Path, errors: list[object]) -> Result:
    rows = "\n".join(f"{x},{e}" for x, e in zip(X, errors, strict=True))
    (folder / "small.csv").write_text(f"x,e\n{rows}\n")
    (folder / "card.toml").write_text(CARD)
    command = ["fit", str(folder / "card.toml"), "--engine", "em", "--out", str(folder / "out")]
    return CliRunner().invoke(app, [*command, "--set", "engines.em.starts=1"])


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        ([0.1, -0.5, 0.1, 0.1, 0.1, 0.1], "has -0.5 in row 2"),
        ([0.1, "wide", 0.1, 0.1, 0.1, 0.1], "has text in row 2"),
        ([0.1, "inf", 0.1, 0.1, 0.1, 0.1], "infinite in row 2"),
        ([""] * 6, "has an error"),
    ],
)
def test_bad_errors_are_one_line(tmp_path: Path, errors: list[object], said: str) -> None:
    result = fitted(tmp_path, errors)
    assert result.exit_code == 2
    (line,) = result.stderr.strip().splitlines()
    assert said in line


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        ([0, 0.1, 0.1, 0.1, 0.1, 0.1], "1 of 6 errors are 0: those values are taken as exact"),
        ([9.0] * 6, "6 of 6 errors exceed the spread"),
    ],
)
def test_odd_errors_are_used_and_noted_in_one_line(
    tmp_path: Path, errors: list[object], said: str
) -> None:
    result = fitted(tmp_path, errors)
    assert result.exit_code == 0, result.output
    assert [said in line for line in result.stderr.splitlines()].count(True) == 1

"""A course is graded: one row a submission, whatever it does."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from gmmcompare.runtime.errors import InputError
from gmmcompare.validation import grade
from gmmcompare.validation.grading import COLUMNS

SAMPLERS = Path(__file__).with_name("samplers.py")


@pytest.mark.slow
def test_a_folder_of_submissions_is_graded(tmp_path: Path) -> None:
    source = SAMPLERS.read_text(encoding="utf-8")
    (tmp_path / "ann.py").write_text(source + "\nsweep = raises\n", encoding="utf-8")
    (tmp_path / "bob.py").write_text(source + "\nsweep = rate_passed_as_scale\n", encoding="utf-8")
    (tmp_path / "cyd.py").write_text("def sweep(: pass", encoding="utf-8")
    seen: list[tuple[str, float]] = []
    pages: dict[str, str] = {}
    out = grade(
        tmp_path,
        tmp_path / "out.csv",
        quick=True,
        progress=lambda *news: seen.append(news),
        each=lambda name, found: pages.update({name: found.verdict}),
    )
    with out.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert [row["submission"] for row in rows] == ["ann", "bob", "cyd"]
    assert [row["verdict"] for row in rows] == ["failed", "failed", "failed"]
    assert rows[0]["diagnosis"].count("ZeroDivisionError") == 1  # said by the check, not again
    assert rows[1]["suspect"] == "rate-for-scale"
    assert "sigma is" in rows[1]["diagnosis"]
    assert "SyntaxError" in rows[2]["diagnosis"]
    assert pages == {"ann": "failed", "bob": "failed"}  # cyd's cannot be read
    assert seen == [(f"{name}.py", done) for name in ("ann", "bob", "cyd") for done in (0.0, 1.0)]


@pytest.mark.slow
@pytest.mark.parametrize("strict", [False, pytest.param(True, marks=pytest.mark.long)])
def test_a_column_tells_who_draws_from_numpy(tmp_path: Path, strict: bool) -> None:
    source = SAMPLERS.read_text(encoding="utf-8")
    for name, kernel in (("ann", "draws_from_numpy"), ("bob", "rate_passed_as_scale")):
        (tmp_path / f"{name}.py").write_text(f"{source}\nsweep = {kernel}\n", encoding="utf-8")
    out = grade(tmp_path, tmp_path / "out.csv", quick=True, strict=strict, jobs=1)
    with out.open(encoding="utf-8") as file:
        ann, bob = csv.DictReader(file)
    assert (ann["rng"], bob["rng"]) == ("never", "only")
    assert ann["verdict"] == ("failed" if strict else "passed")
    assert "it never touches rng" in ann["notes"]
    assert "tested with K = 2" in ann["tested"]


def test_an_empty_folder_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no Python files"):
        grade(tmp_path, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.slow
def test_each_submission_has_the_time_that_is_set(tmp_path: Path) -> None:
    source = SAMPLERS.read_text(encoding="utf-8")
    (tmp_path / "ann.py").write_text(source + "\nsweep = right\n", encoding="utf-8")
    out = grade(tmp_path, tmp_path / "out.csv", time_limit=1.0)
    with out.open(encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert row["verdict"] == "inconclusive"
    assert "out of time" in row["diagnosis"]

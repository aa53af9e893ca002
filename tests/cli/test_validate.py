"""`gmmcompare validate` as a user types it: what is asked of the checks, printed and returned."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from gmmcompare.cli import app
from gmmcompare.model.card import Card
from gmmcompare.validation import gallery, grading
from gmmcompare.validation.faults.museum.catalogue import PIECES
from gmmcompare.validation.reasons import Code, Reason
from gmmcompare.validation.verdict import Check, Diagnosis, Suspect, Validation, Verdict
from gmmcompare.workflows import validate as workflow


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["validate", *map(str, arguments)])


def validation(verdict: Verdict = "failed") -> Validation:
    wrong = Reason(Code.WRONG_DRAWS, {"conditional": "means"})
    check = Check("conditionals", verdict, (wrong,), 2000, 0.5, 1e-6)
    suspects = (Suspect("mean-loc-ignored", 0.9),)
    return Validation("own.py:sweep", "kernel", (check,), Diagnosis((), suspects), (), (), 1, 0.5)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return what the checks are asked for; they find nothing but what `validation` says."""
    asked: dict[str, Any] = {}

    def no_checks(sampler: str, card: Card | None, **options: Any) -> Validation:
        asked.update(options, sampler=sampler)
        return validation(asked.pop("verdict", "failed"))

    monkeypatch.setattr(workflow, "validate_sampler", no_checks)
    return asked


@pytest.mark.parametrize(("verdict", "code"), [("passed", 0), ("failed", 1), ("inconclusive", 3)])
def test_the_exit_code_is_the_verdict(asked: dict[str, Any], verdict: Verdict, code: int) -> None:
    asked["verdict"] = verdict
    assert run("own.py:sweep").exit_code == code


def test_the_verdict_comes_first_then_what_it_rests_on(asked: dict[str, Any]) -> None:
    lines = run("own.py:sweep", "--quick", "--seed", 7).stdout.splitlines()
    assert (asked["sampler"], asked["quick"], asked["seed"]) == ("own.py:sweep", True, 7)
    assert lines[0] == "own.py:sweep: failed (0.5 s)"
    assert lines[1].split(": ")[0].split() == ["failed", "conditionals"]
    assert lines[2].strip() == "false-positive rate at most 1e-6"
    assert any("1. mean-loc-ignored" in line for line in lines)


@pytest.mark.usefixtures("asked")
def test_json_is_all_that_is_printed() -> None:
    found = json.loads(run("own.py:sweep", "--json").stdout)
    assert found["verdict"] == "failed"
    assert found["checks"][0]["codes"][0]["code"] == "wrong-draws"


@pytest.mark.usefixtures("asked")
def test_a_page_is_written_where_it_is_asked_for(tmp_path: Path) -> None:
    result = run("own.py:sweep", "--out", tmp_path)
    assert f"page: {tmp_path / 'index.html'}" in result.stdout
    assert "Failed" in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_the_old_name_of_posterior_sbc_works_with_a_note(asked: dict[str, Any]) -> None:
    assert "--posterior-sbc" not in run("own.py:sweep", "--posterior-sbc").stderr
    assert asked["posterior_sbc"] is True
    run("own.py:sweep")
    assert asked["posterior_sbc"] is False
    assert "--around is now called --posterior-sbc" in run("own.py:sweep", "--around").stderr
    assert asked["posterior_sbc"] is True


def test_one_thing_is_validated_at_a_time(tmp_path: Path) -> None:
    for arguments in (
        (),
        ("own.py:sweep", "--gallery"),
        ("--gallery", "--grade", tmp_path),
        ("own.py:sweep", "--museum"),
    ):
        result = run(*arguments)
        assert result.exit_code == 2
        assert "give one of SAMPLER, --gallery, --museum or --grade DIR" in result.stderr


def test_the_gallery_is_a_line_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery, "validate", lambda name, **options: validation())
    heading, *lines = run("--gallery").stdout.splitlines()
    assert heading.split()[:2] == ["sampler", "verdict"]
    assert len(lines) == 42
    (named,) = [line for line in lines if line.startswith("mean-loc-ignored")]
    assert named.split()[1:] == ["failed", "conditionals", "2,000", "0.5", "first"]
    assert next(line for line in lines if line.startswith("correct")).endswith("correct: no fault")


def test_the_museum_is_a_line_for_each() -> None:
    lines = run("--museum").stdout.splitlines()
    listed = [line.split()[0] for line in lines if line.strip().startswith("museum:")]
    assert listed == [f"museum:{name}" for name in PIECES]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("museum:slice-accepted",), "did you mean 'slice-accepted-again'?"),
        (("museum:walk-in-logs/mended",), "or museum:walk-in-logs/repaired"),
        (("museum:walk-in-logs", "--model", "m.py:M"), "brings its own model"),
        (("museum:walk-in-logs", "--card", "galaxies-k4"), "give a card or a model, not both"),
    ],
)
def test_a_piece_of_the_museum_that_is_none(arguments: tuple[str, ...], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr


def test_an_empty_folder_of_submissions_is_bad_input(tmp_path: Path) -> None:
    result = run("--grade", tmp_path)
    assert result.exit_code == 2
    assert "no Python files" in result.stderr


def test_grading_writes_a_page_for_each_within_the_time_that_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []

    def judged(name: str, **options: Any) -> Validation:
        asked.append(options)
        return validation()

    monkeypatch.setattr(grading, "validate", judged)
    for name in ("ann", "bob"):
        (tmp_path / f"{name}.py").write_text("def sweep(): ...", encoding="utf-8")
    result = run("--grade", tmp_path, "--out", tmp_path / "out", "--time-limit", 77)
    assert result.exit_code == 0, result.output
    assert sorted(p.name for p in (tmp_path / "out" / "pages").iterdir()) == [
        "ann.html",
        "bob.html",
    ]
    assert [options["time_limit"] for options in asked] == [77.0, 77.0]


def test_strictness_is_handed_on(asked: dict[str, Any]) -> None:
    run("own.py:sweep", "--strict")
    assert asked["strict"]
    run("own.py:sweep")
    assert not asked["strict"]

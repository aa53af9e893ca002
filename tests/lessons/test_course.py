"""The course: complete, its notebooks run, its exercises are graded, and failing is explained."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

import gmmcompare.lessons.course as course
from gmmcompare.lessons.course import EXERCISES, SESSIONS, exercise_start, write_course
from gmmcompare.lessons.notebook import notebook_of

REFERENCE = (Path(course.__file__).parent / "reference.py").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a course without its pages."""
    folder = tmp_path_factory.mktemp("course")
    write_course(folder, pages=False)
    return folder


def test_all_that_the_syllabus_names_is_there(folder: Path) -> None:
    text = (folder / "README.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:notebooks|exercises)/[\w./]+)`", text)
    assert len(named) == len(SESSIONS) + len(EXERCISES)
    assert [path for path in named if not (folder / path).exists()] == []
    assert len(re.findall(r"^\| \d\.", text, re.M)) == 6


@pytest.mark.parametrize("name", SESSIONS)
def test_a_notebook_is_valid_and_draws(name: str) -> None:
    notebook = notebook_of(course.session_script(name))
    nbformat.validate(nbformat.from_dict(notebook))
    code = ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code"]
    assert any("plt." in cell or "gc.plot" in cell for cell in code)
    assert all(cell for cell in code)


@pytest.mark.slow
@pytest.mark.parametrize("name", SESSIONS)
def test_a_notebook_runs(name: str, tmp_path: Path) -> None:
    from nbclient import NotebookClient

    written = json.dumps(notebook_of(course.session_script(name)))
    notebook = nbformat.reads(written, as_version=4)  # as a program that opens it reads it
    done = NotebookClient(notebook, timeout=600, resources={"metadata": {"path": tmp_path}})
    done.execute()
    printed = [o for cell in notebook.cells for o in cell.get("outputs", ())]
    assert any("image/png" in o.get("data", {}) for o in printed)
    if name == "6_is_it_correct":
        text = "".join(o.get("text", "") for o in printed)
        assert text.index("failed") < text.index("passed")


@pytest.mark.parametrize("name", EXERCISES)
def test_an_exercise_begins_from_a_file_that_defines_its_function(name: str) -> None:
    namespace: dict[str, object] = {}
    exec(exercise_start(name), namespace)
    assert callable(namespace[EXERCISES[name]])


def graded(folder: Path, exercise: str, **submissions: str) -> dict[str, dict[str, str]]:
    """Grade submissions of an exercise by the script that a teacher runs."""
    place = folder / "exercises" / exercise
    for name, text in submissions.items():
        (place / "submissions" / f"{name}.py").write_text(text, encoding="utf-8")
    script = folder / "exercises" / "grade.py"
    subprocess.run(
        [sys.executable, script, place, "--jobs", "1"], check=True, capture_output=True, text=True
    )
    with (place / "grades.csv").open(encoding="utf-8") as file:
        return {row["submission"]: row for row in csv.DictReader(file)}


@pytest.mark.slow
def test_a_step_is_graded_and_a_student_is_told_where_to_look(folder: Path) -> None:
    """A correct step fails with probability below 2e-5."""
    right = REFERENCE
    wrong = REFERENCE.replace("sum_sq / 2.0", "sum_sq")
    assert wrong != right
    rows = graded(folder, "3_sigmas", ann=right, bob=wrong)
    assert {name: row["verdict"] for name, row in rows.items()} == {
        "ann": "passed", "bob": "failed", "start": "failed",
    }  # fmt: skip
    assert "Correct, as far as" in rows["ann"]["feedback"]
    assert "the standard deviations sigma" in rows["bob"]["feedback"]
    for row in rows.values():
        assert not re.search(r"wealth|10\^|1e-|stake|p =|martingale", row["feedback"])
        assert "wealth" not in row["diagnosis"]

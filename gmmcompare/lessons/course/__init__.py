"""A course on mixtures in six sessions: syllabus, notebooks, exercises and what grades them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from gmmcompare._version import __version__
from gmmcompare.lessons.notebook import notebook_of
from gmmcompare.runtime.files import make_folder, write_text
from gmmcompare.runtime.progress import Progress, no_progress

_HERE = files("gmmcompare.lessons.course")

SESSIONS: Mapping[str, str] = {
    "1_two_components": "A Gibbs sampler for two components",
    "2_how_many": "Any number of components: K = 2, 3, 4, and the clusters",
    "3_em": "EM, its trap, and EM over Gibbs",
    "4_nuts": "NUTS, and whether all three agree",
    "5_labels_and_priors": "Labels mean nothing, and the prior says a lot",
    "6_is_it_correct": "Is your sampler correct?",
}
"""Notebooks by name, in the order of the sessions, with their titles."""

EXERCISES: Mapping[str, str] = {
    "1_weights": "draw_weights",
    "2_means": "draw_means",
    "3_sigmas": "draw_sigmas",
    "4_sweep": "sweep",
}
"""Exercises by name, and the function that each asks for."""


def write_course(out: Path, *, pages: bool = True, progress: Progress = no_progress) -> list[Path]:
    """Write the folder of a course.

    Parameters
    ----------
    out : Path
        Made if there is none. Files of these names are replaced, others left alone.
    pages : bool
        Write the interactive lesson pages as well, into ``lessons/``; they are computed.
    progress : callable
        Is told of each page.

    Returns
    -------
    list of Path
        ``README.md`` (the syllabus), ``notebooks/*.ipynb``, ``exercises/NAME/`` with the task and a
        file to begin from, ``grade.py``, and the pages.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    make_folder(out)
    written = []

    def write(path: str, text: str) -> None:
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        write_text(out / path, text)
        written.append(out / path)

    write("README.md", _text("syllabus.md").replace("VERSION", __version__))
    for name in SESSIONS:
        content = notebook_of(session_script(name))
        write(f"notebooks/{name}.ipynb", json.dumps(content, indent=1) + "\n")
    for name in EXERCISES:
        write(f"exercises/{name}/README.md", _text(f"exercises/{name}.md"))
        write(f"exercises/{name}/submissions/start.py", exercise_start(name))
    write("exercises/grade.py", _text("exercises/grade.py"))
    if pages:
        from gmmcompare.lessons import write_lessons

        written += write_lessons(None, out / "lessons", progress=progress)
    return written


def session_script(name: str) -> str:
    """Return the cells of a session's notebook, as a script."""
    return _text(f"sessions/{name}.py")


def exercise_start(name: str) -> str:
    """Return the file from which a student begins an exercise."""
    return _text(f"exercises/{name}.py")


def _text(name: str) -> str:
    return _HERE.joinpath(name).read_text(encoding="utf-8")

"""Lessons: one page, one idea, one thing to drag; every number in them is an engine's.

Each lesson is a module that computes its data, a template, a script of the same name, and a script
of cells that becomes a notebook. `pages` puts them together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from gmmcompare.runtime.progress import Progress, no_progress

LESSONS: Mapping[str, str] = {
    "em": "EM climbs from where you put it",
    "gibbs": "Gibbs wanders, and that is the point",
    "nuts": "NUTS rolls where Gibbs hops",
    "labels": "Labels mean nothing",
    "broken": "The broken sampler that looks perfect",
    "priors": "The prior that says nothing says a lot",
    "shrinkage": "Planets shrink towards their groups",
    "number": "Same data, eight priors, eight answers",
    "ellipses": "Two dimensions: an ellipse is a covariance",
}
"""Titles by name, in the order in which a course would take them."""

SHORT_TITLES: Mapping[str, str] = {
    "em": "EM",
    "gibbs": "Gibbs",
    "nuts": "NUTS",
    "labels": "Labels",
    "broken": "A broken sampler",
    "priors": "Priors",
    "shrinkage": "Shrinkage",
    "number": "How many?",
    "ellipses": "Ellipses",
}
"""What the navigation has room for."""


def write_lessons(
    names: Sequence[str] | None,
    out: Path,
    notebook: bool = False,
    progress: Progress = no_progress,
) -> list[Path]:
    """Compute lessons and write each as one self-contained page.

    Parameters
    ----------
    names : sequence of str or None
        Names from `LESSONS`; None or nothing means all of them.
    out : Path
        The folder; made if there is none.
    notebook : bool
        Write beside each page a Jupyter notebook of the same steps.
    progress : callable

    Returns
    -------
    list of Path
        The files written: ``NAME.html`` and, if asked for, ``NAME.ipynb``.

    Raises
    ------
    InputError
        If there is no lesson of a name, or the folder cannot be written.
    """
    from gmmcompare.lessons.pages import write_pages

    return write_pages(list(names or LESSONS), Path(out), notebook, progress)

"""``course``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gmmcompare.cli.application import app


@app.command()
def course(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the course.")] = Path(
        "course"
    ),
    pages: Annotated[
        bool, typer.Option("--pages/--no-pages", help="Compute the interactive pages as well.")
    ] = True,
) -> None:
    """Write a course: syllabus of six sessions, notebooks, exercises, and what grades them."""
    from gmmcompare.cli.progress import Bars
    from gmmcompare.lessons.course import write_course
    from gmmcompare.runtime.files import alone_in

    with alone_in(out), Bars(transient=True) as bars:
        written = write_course(out, pages=pages, progress=bars)
    for path in written:
        typer.echo(path)

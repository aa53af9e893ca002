"""``lesson``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gmmcompare.cli.application import app


@app.command()
def lesson(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME...]", help="All lessons if none is named.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR")] = Path("reports/lessons"),
    notebook: Annotated[
        bool, typer.Option("--notebook", help="Write a Jupyter notebook beside each page.")
    ] = False,
) -> None:
    """Write interactive lesson pages: how EM, Gibbs and NUTS differ, and how each can fail."""
    from gmmcompare.cli.progress import Bars
    from gmmcompare.lessons import write_lessons
    from gmmcompare.runtime.files import alone_in

    with alone_in(out), Bars(transient=True) as bars:
        pages = write_lessons(names, out, notebook, bars)
    for page in pages:
        typer.echo(page)

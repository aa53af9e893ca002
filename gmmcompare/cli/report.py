"""``report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gmmcompare.cli.application import app
from gmmcompare.cli.options import FiguresOption
from gmmcompare.comparison.reasons import Code
from gmmcompare.runtime.errors import InputError

_EARLIER = (
    "written by an earlier version, which kept reasons as sentences only and called co-clustering "
    "'together'; the next version will not read it: run `gmmcompare compare` again"
)


@app.command()
def report(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Finished comparisons.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="DIR", help="Folder of the index (that of the first folder)."
        ),
    ] = None,
    figures: FiguresOption = False,
) -> None:
    """Write report pages again from finished fits, and an index over several."""
    from gmmcompare.report import write_index, write_paper, write_report
    from gmmcompare.runtime.files import alone_in
    from gmmcompare.workflows.outcome import load_outcome

    if out and out.suffix in (".html", ".htm"):
        raise InputError(f"--out {out}: give a folder; the index is its index.html")

    outcomes = [load_outcome(folder) for folder in folders]
    for folder, outcome in zip(folders, outcomes, strict=True):
        if any(r.code == Code.EARLIER_VERSION for p in outcome.comparison.pairs for r in p.reasons):
            typer.echo(f"{folder}: {_EARLIER}", err=True)
        with alone_in(folder):
            typer.echo(write_report(outcome, folder / "index.html"))
            if figures:
                write_paper(outcome, folder)
    if len(outcomes) > 1 or out:
        index = out or folders[0].parent
        with alone_in(index):
            typer.echo(write_index(outcomes, index / "index.html"))

"""``agree``: whether draws come from the same posterior."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from gmmcompare.cli.application import EXIT_CODES, app
from gmmcompare.cli.options import command_line, listed


@app.command()
def agree(
    draws: Annotated[
        list[str],
        typer.Argument(
            metavar="[NAME=]FILE ...",
            help="Draws of two samplers or more: NetCDF, Zarr, CSV, Stan's folder, npz.",
        ),
    ],
    only: Annotated[
        str, typer.Option("--vars", metavar="NAME,...", help="Compare these parameters alone.")
    ] = "",
    model: Annotated[
        str | None,
        typer.Option(
            "--model", metavar="FILE.py:NAME", help="Compare its log joint density as well."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Write a page and the results.")
    ] = None,
) -> None:
    """Say whether draws made by different samplers are of one posterior, whatever the model."""
    from gmmcompare.cli.show import print_agreement
    from gmmcompare.report import write_agreement
    from gmmcompare.runtime.files import alone_in
    from gmmcompare.workflows.agree import agree_files

    with alone_in(out) if out else nullcontext():
        found = agree_files(draws, listed(only), model, command=command_line())
        page = None
        if out:
            found.save(out)
            page = write_agreement(found, out / "index.html")
    print_agreement(found, as_json, page)
    raise typer.Exit(EXIT_CODES[found.agreement.verdict])

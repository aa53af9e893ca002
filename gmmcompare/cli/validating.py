"""``validate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gmmcompare.cli.application import EXIT_CODES, app
from gmmcompare.cli.options import JobsOption
from gmmcompare.errors import InputError


@app.command()
def validate(
    sampler: Annotated[
        str | None,
        typer.Argument(metavar="SAMPLER", help="FILE.py:FUNC, fault:NAME or a built-in engine."),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Only what takes a few seconds.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Keep validation.json there.")
    ] = None,
    gallery: Annotated[
        bool, typer.Option("--gallery", help="Validate every fault of the gallery instead.")
    ] = False,
    grade: Annotated[
        Path | None,
        typer.Option("--grade", metavar="DIR", help="Validate every Python file of a folder."),
    ] = None,
    function: Annotated[
        str, typer.Option("--function", help="With --grade: what each file defines.")
    ] = "sweep",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Same seed, same verdict.")] = 1,
    jobs: JobsOption = 2,
    time_limit: Annotated[
        float, typer.Option("--time-limit", min=1, help="Seconds for everything.")
    ] = 900.0,
) -> None:
    """Find out whether a sampler is right. Its code runs with your rights."""
    from gmmcompare.progress import FractionBar
    from gmmcompare.show import print_gallery, print_grades, print_validation
    from gmmcompare.validate import grade as grade_folder
    from gmmcompare.validate import run_gallery
    from gmmcompare.validate import validate as run_checks

    if (sampler is not None) + gallery + (grade is not None) != 1:
        raise InputError("validate: give one of SAMPLER, --gallery or --grade DIR")
    if gallery:
        print_gallery(run_gallery(quick=quick, seed=seed, jobs=jobs))
        return
    if grade is not None:
        table = out or grade / "grades.csv"
        print_grades(
            grade_folder(grade, table, function=function, quick=quick, seed=seed, jobs=jobs)
        )
        return
    with FractionBar() as bar:
        found = run_checks(
            str(sampler), quick=quick, seed=seed, out=out, jobs=jobs, time_limit=time_limit,
            progress=bar.show,
        )  # fmt: skip
    print_validation(found, as_json)
    raise typer.Exit(EXIT_CODES[found.verdict])

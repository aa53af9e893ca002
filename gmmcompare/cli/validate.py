"""``validate``."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gmmcompare.cli.application import EXIT_CODES, app
from gmmcompare.cli.options import (
    DataOption,
    JobsOption,
    OfflineOption,
    SchedulerOption,
    SetOption,
    WorkersOption,
    chosen_card,
    chosen_tasks,
    command_line,
)
from gmmcompare.runtime.errors import InputError

if TYPE_CHECKING:
    from gmmcompare.cli.progress import Bars
    from gmmcompare.fitting.cache import FitCache
    from gmmcompare.model.card import Card
    from gmmcompare.validation.verdict import Validation
    from gmmcompare.workflows.load import Data


@app.command()
def validate(
    sampler: Annotated[
        str | None,
        typer.Argument(
            metavar="SAMPLER", help="FILE.py:FUNC, fault:NAME, museum:NAME or a built-in engine."
        ),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Only what takes a few seconds.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Write a page and the results there."),
    ] = None,
    gallery: Annotated[
        bool, typer.Option("--gallery", help="Validate every fault of the gallery instead.")
    ] = False,
    museum: Annotated[
        bool, typer.Option("--museum", help="List real bugs of samplers that shipped instead.")
    ] = False,
    grade: Annotated[
        Path | None,
        typer.Option(
            "--grade",
            metavar="DIR",
            help="Validate every Python file of a folder: a table, a page for each.",
        ),
    ] = None,
    function: Annotated[
        str, typer.Option("--function", help="With --grade: what each file defines.")
    ] = "sweep",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Same seed, same verdict.")] = 1,
    jobs: JobsOption = 2,
    time_limit: Annotated[
        float,
        typer.Option("--time-limit", min=1, help="Seconds for everything (of each file: --grade)."),
    ] = 900.0,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Fail a sampler that draws from anything but its rng."),
    ] = False,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            metavar="FILE.py:NAME",
            help="The sampler's model, if it is no mixture: a PyMC model or an object with "
            "draw_prior and draw_data.",
        ),
    ] = None,
    nuts: Annotated[
        bool,
        typer.Option(
            "--nuts",
            help="With --model of PyMC: compare whole chains with a long run of NUTS on its data, "
            "too.",
        ),
    ] = False,
    family: Annotated[
        str | None,
        typer.Option(
            "--family",
            metavar="FAMILY",
            help="The priors of a mixture's sampler, if they are others: normal-conjugate, "
            "known-sds, shared-sd or fixed-weights.",
        ),
    ] = None,
    mutants: Annotated[
        bool,
        typer.Option(
            "--mutants", help="Change its source, one place at a time: which would be caught?"
        ),
    ] = False,
    card: Annotated[
        str | None,
        typer.Option("--card", metavar="CARD", help="Compare with NUTS on this card's data, too."),
    ] = None,
    posterior_sbc: Annotated[
        bool, typer.Option("--posterior-sbc", help="With --card: calibrate around its data, too.")
    ] = False,
    around: Annotated[bool, typer.Option("--around", hidden=True)] = False,
    data: DataOption = None,
    set_: SetOption = None,
    offline: OfflineOption = False,
    geweke: Annotated[
        bool, typer.Option("--geweke", help="Make Geweke's joint distribution test, too.")
    ] = False,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
) -> None:
    """Test whether a sampler is correct. Its code runs with your permissions."""
    from gmmcompare.cli.progress import Bars
    from gmmcompare.cli.show import (
        print_gallery,
        print_grades,
        print_museum,
        print_validation,
    )
    from gmmcompare.runtime.files import alone_in
    from gmmcompare.validation import grade as grade_folder
    from gmmcompare.validation import run_gallery

    if around:
        print("validate: --around is now called --posterior-sbc", file=sys.stderr)
    if (sampler is not None) + gallery + museum + (grade is not None) != 1:
        raise InputError("validate: give one of SAMPLER, --gallery, --museum or --grade DIR")
    if museum:
        print_museum()
        return
    if gallery:
        with chosen_tasks(workers, scheduler) as tasks:
            print_gallery(run_gallery(quick=quick, seed=seed, jobs=jobs, tasks=tasks))
        return
    if grade is not None:
        folder = out or grade
        table = folder / "grades.csv"

        from gmmcompare.report import write_validation

        def page_of(submission: str, found: Validation) -> None:
            write_validation(found, folder / "pages" / f"{submission}.html", command_line())

        with (
            alone_in(folder) if folder.is_dir() or out else nullcontext(),
            chosen_tasks(workers, scheduler) as tasks,
            Bars(transient=True) as bars,
        ):
            grade_folder(
                grade, table, function=function, quick=quick, seed=seed, jobs=jobs, tasks=tasks,
                strict=strict, model=model, time_limit=time_limit, each=page_of, progress=bars,
            )  # fmt: skip
        print_grades(table)
        return
    from gmmcompare.workflows.validate import validate_sampler

    chosen = chosen_card(card, set_, None) if card else None
    with alone_in(out) if out else nullcontext():
        with chosen_tasks(workers, scheduler) as tasks, Bars(transient=True) as bars:
            found = validate_sampler(
                str(sampler), chosen, model=model,
                data=_loaded(chosen, data, offline, bars) if chosen else None,
                posterior_sbc=posterior_sbc or around, nuts=nuts, out=out,
                cache=_user_cache() if chosen else None,
                progress=bars, tasks=tasks, quick=quick, seed=seed, jobs=jobs,
                time_limit=time_limit, geweke=geweke, strict=strict, mutants=mutants, family=family,
            )  # fmt: skip
        page = _page(found, out) if out else None
    print_validation(found, as_json, page)
    raise typer.Exit(EXIT_CODES[found.verdict])


def _loaded(card: Card, source: str | None, offline: bool, bars: Bars) -> Data:
    from gmmcompare.workflows.load import load

    return load(card, source, offline=offline, progress=bars)


def _user_cache() -> FitCache:
    from gmmcompare.fitting.cache import user_cache  # xarray takes a second to import

    return user_cache()


def _page(found: Validation, out: Path) -> Path:
    from gmmcompare.report import write_validation  # Matplotlib takes a second to import

    return write_validation(found, out / "index.html", command_line())

"""The command line: arguments and exit codes, nothing else.

Every import beyond typer waits until its command runs, so that ``gmmcompare --help`` is quick.
"""

from __future__ import annotations

import os
import shlex
import sys
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from gmmcompare import __version__
from gmmcompare.errors import GmmCompareError, InputError

if TYPE_CHECKING:
    from gmmcompare.card import Card
    from gmmcompare.sample import Sample

EXIT_CODES = {"agree": 0, "passed": 0, "disagree": 1, "failed": 1, "inconclusive": 3}
BAD_INPUT = 2
INTERRUPTED = 130


class _Commands(TyperGroup):
    """Turns our errors into one line on stderr and the exit code that goes with them."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except GmmCompareError as error:
            _complain(str(error))
            raise typer.Exit(BAD_INPUT) from None
        except KeyboardInterrupt:
            _complain("interrupted; what was finished is kept and will be reused")
            raise typer.Exit(INTERRUPTED) from None
        except (typer.Exit, typer.Abort):
            raise
        except Exception as error:
            # Not the user's fault, but a traceback would not help the user either.
            if type(error).__module__.startswith(("click", "typer")):
                raise
            _complain(
                f"internal error, please report it: {type(error).__name__}: {error}; "
                f"its traceback is in {_traceback_file(error)}"
            )
            raise typer.Exit(BAD_INPUT) from None


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Gibbs, EM and NUTS for Gaussian mixtures side by side, and whether a sampler is right.",
    epilog="Exit codes: 0 agree or passed, 1 disagree or failed, 3 inconclusive, 2 bad input, "
    "130 interrupted.",
)
data_app = typer.Typer(no_args_is_help=True, help="Data sets, their sources and the cache.")
app.add_typer(data_app, name="data")
study_app = typer.Typer(no_args_is_help=True, help="Repeated comparisons: measured error rates.")
app.add_typer(study_app, name="study")


def main() -> None:
    """Run the command line."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")  # chains are the parallel unit
    app()


def _complain(message: str) -> None:
    typer.echo(f"gmmcompare: {message}", err=True)


def _traceback_file(error: Exception) -> str:
    with tempfile.NamedTemporaryFile(
        "w", prefix="gmmcompare-", suffix=".log", delete=False
    ) as file:
        file.write("".join(traceback.format_exception(error)))
    return file.name


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gmmcompare {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    from gmmcompare.progress import show_notices

    show_notices()


CardArgument = Annotated[
    str, typer.Argument(metavar="CARD", help="A model card: a TOML file or a bundled short name.")
]
EnginesOption = Annotated[
    str, typer.Option("--engines", help="Built-in engines to run, separated by commas.")
]
OwnOption = Annotated[
    list[str] | None,
    typer.Option("--engine", metavar="NAME=FILE.py:FUNC", help="A sampler of your own."),
]
DrawsOption = Annotated[
    list[str] | None,
    typer.Option("--draws", metavar="NAME=FILE", help="Draws made elsewhere: NetCDF, Zarr, Stan."),
]
DataOption = Annotated[
    str | None,
    typer.Option("--data", metavar="CSV", help="Use this file instead of the card's data."),
]
OutOption = Annotated[
    Path | None, typer.Option("--out", metavar="DIR", help="Output folder (reports/CARD).")
]
SeedOption = Annotated[int | None, typer.Option("--seed", min=0, help="Override the card's seed.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a field of the card."),
]
OfflineOption = Annotated[
    bool, typer.Option("--offline", help="Do not use the network; stand-in data if need be.")
]
JobsOption = Annotated[int, typer.Option("--jobs", min=1, help="Processes.")]
FreshOption = Annotated[bool, typer.Option("--fresh", help="Fit again what is already fitted.")]


def _card(name: str, overrides: list[str] | None, seed: int | None) -> Card:
    from gmmcompare.card import load_card

    changes = list(overrides or [])
    if seed is not None:
        changes.append(f"run.seed={seed}")
    return load_card(name, changes)


def _sample(card: Card, data: str | None, offline: bool) -> Sample:
    from gmmcompare.run import card_sample

    return card_sample(card, data, offline)


@app.command()
def compare(
    card: CardArgument,
    engines: EnginesOption = "em,gibbs,nuts",
    engine: OwnOption = None,
    draws: DrawsOption = None,
    data: DataOption = None,
    out: OutOption = None,
    seed: SeedOption = None,
    set_: SetOption = None,
    offline: OfflineOption = False,
    fresh: FreshOption = False,
) -> None:
    """Fit the engines, compare them, and write a report."""
    from gmmcompare.progress import RichWatcher
    from gmmcompare.report import write_report
    from gmmcompare.run import compare_card
    from gmmcompare.runner import engine_requests
    from gmmcompare.show import print_comparison

    chosen = _card(card, set_, seed)
    requests = engine_requests(_listed(engines), engine or (), draws or ())
    folder = out or Path("reports") / chosen.name
    outcome = compare_card(
        chosen,
        requests,
        sample=_sample(chosen, data, offline),
        folder=folder,
        fresh=fresh,
        watcher=RichWatcher(),
        command=_command_line(),
    )
    page = write_report(outcome, folder / "index.html")
    print_comparison(outcome, page)
    raise typer.Exit(EXIT_CODES[outcome.comparison.verdict])


@app.command()
def fit(
    card: CardArgument,
    engine: Annotated[
        str,
        typer.Option("--engine", metavar="NAME", help="A built-in engine, or NAME=FILE.py:FUNC."),
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the engine's entry of comparison.json.")
    ] = False,
    data: DataOption = None,
    out: OutOption = None,
    seed: SeedOption = None,
    set_: SetOption = None,
    offline: OfflineOption = False,
    fresh: FreshOption = False,
) -> None:
    """Fit one engine."""
    from gmmcompare.progress import RichWatcher
    from gmmcompare.run import compare_card
    from gmmcompare.runner import engine_requests
    from gmmcompare.show import print_fit

    chosen = _card(card, set_, seed)
    own = [engine] if "=" in engine else []
    request = engine_requests([] if own else [engine], own)
    outcome = compare_card(
        chosen,
        request,
        sample=_sample(chosen, data, offline),
        folder=out or Path("reports") / chosen.name,
        fresh=fresh,
        watcher=RichWatcher(),
        command=_command_line(),
        write_comparison=False,
    )
    print_fit(outcome.comparison, as_json)


@app.command()
def report(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Finished comparisons.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Index page (index.html beside the first folder).")
    ] = None,
) -> None:
    """Write report pages again from finished fits, and an index over several."""
    from gmmcompare.report import write_index, write_report
    from gmmcompare.run import load_outcome

    outcomes = [load_outcome(folder) for folder in folders]
    for folder, outcome in zip(folders, outcomes, strict=True):
        typer.echo(write_report(outcome, folder / "index.html"))
    if len(outcomes) > 1 or out:
        typer.echo(write_index(outcomes, out or folders[0].parent / "index.html"))


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
    from gmmcompare.lessons import write_lessons
    from gmmcompare.progress import FractionBar

    with FractionBar() as bar:
        pages = write_lessons(names, out, notebook, bar.show)
    for page in pages:
        typer.echo(page)


@study_app.command("verdict")
def study_verdict(
    repetitions: Annotated[
        int, typer.Option("--repetitions", min=1, help="Of each case with a promised error rate.")
    ] = 1000,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where outcomes are kept.")
    ] = Path("reports/verdict-study"),
    jobs: JobsOption = 2,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 4,
) -> None:
    """Measure how often the verdict errs; a rerun continues. Writes DIR.md and a figure."""
    from gmmcompare.progress import FractionBar
    from gmmcompare.studies import run_verdict_study, write_verdict_study

    with FractionBar() as bar:
        run_verdict_study(
            out, repetitions, jobs, seed, lambda fraction: bar.show("verdict study", fraction)
        )
    page, figure = out.with_suffix(".md"), out.parent / "figures" / f"{out.name}.svg"
    write_verdict_study(out, page, figure)
    typer.echo(page)


@app.command()
def engines() -> None:
    """List what can be compared here, and with which versions."""
    from gmmcompare.show import print_engines

    print_engines()


@data_app.command("list")
def data_list() -> None:
    """List data sets: where they come from and whether they are at hand."""
    from gmmcompare.data import list_datasets
    from gmmcompare.show import print_datasets

    print_datasets(list_datasets())


@data_app.command("fetch")
def data_fetch(name: Annotated[str, typer.Argument(help="A data set's name.")]) -> None:
    """Fetch a data set into the cache."""
    from gmmcompare.data import fetch
    from gmmcompare.progress import working

    with working(f"fetching {name}"):
        path = fetch(name)
    typer.echo(path)


@data_app.command("show")
def data_show(name: Annotated[str, typer.Argument(help="A data set's name.")]) -> None:
    """Show a data set: source, licence, size, range."""
    from gmmcompare.data import describe
    from gmmcompare.show import print_description

    print_description(describe(name))


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _command_line() -> str:
    return shlex.join(["gmmcompare", *sys.argv[1:]])


__all__ = ["InputError", "app", "main"]

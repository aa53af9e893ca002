"""Options that several commands share, and what is made of them."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gmmcompare.model.card import Card
    from gmmcompare.runtime.tasks import Tasks

CardArgument = Annotated[
    str, typer.Argument(metavar="CARD", help="A model card: a TOML file or a bundled short name.")
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="FILE.py:NAME",
        help="In place of a card: a PyMC model, beside --engine or --draws.",
    ),
]
OptionalCardArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="CARD", help="A model card: a TOML file or a bundled short name. Or give --model."
    ),
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
    typer.Option(
        "--draws", metavar="NAME=FILE", help="Draws made elsewhere: NetCDF, Zarr, CSV, npz, Stan."
    ),
]
RenameOption = Annotated[
    str | None,
    typer.Option(
        "--rename", metavar="w=theta,...", help="What draws made elsewhere call w, mu and sigma."
    ),
]
DataOption = Annotated[
    str | None,
    typer.Option("--data", metavar="FILE", help="Use this file (or glob) instead of the card's."),
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
WorkersOption = Annotated[
    int | None,
    typer.Option("--workers", metavar="N", help="Work on N Dask workers started here."),
]
SchedulerOption = Annotated[
    str | None,
    typer.Option("--scheduler", metavar="ADDRESS", help="Work on the Dask cluster at tcp://..."),
]
MemoryOption = Annotated[
    str | None,
    typer.Option("--memory", metavar="SIZE", help="Limit of each worker started here, as 2GB."),
]
JobsOption = Annotated[
    int, typer.Option("--jobs", min=1, help="Processes, where Dask is not used.")
]
FiguresOption = Annotated[
    bool,
    typer.Option(
        "--figures", help="Write tables.tex, and figures as SVG and PDF, beside the page."
    ),
]
FreshOption = Annotated[bool, typer.Option("--fresh", help="Fit again what is already fitted.")]


def chosen_card(name: str, overrides: list[str] | None, seed: int | None) -> Card:
    """Return the card of a command, with what its options override.

    Parameters
    ----------
    name : str
        Of a bundled card, or a file.
    overrides : list of str or None
        Each ``KEY=VALUE``.
    seed : int or None
        Overrides the card's.
    """
    from gmmcompare.model.card import load_card

    changes = list(overrides or [])
    if seed is not None:
        changes.append(f"run.seed={seed}")
    return load_card(name, changes)


@contextmanager
def chosen_tasks(
    workers: int | None, scheduler: str | None, memory: str | None = None
) -> Iterator[Tasks | None]:
    """Yield where the work of a command is done if its options say so, else None.

    Parameters
    ----------
    workers : int or None
        Dask workers to start here.
    scheduler : str or None
        Address of a Dask cluster.
    memory : str, optional
        Limit of each worker started here, such as "2GB".
    """
    if workers is None and scheduler is None:
        yield None
        return
    from gmmcompare.runtime.tasks import open_tasks

    with open_tasks(workers, scheduler, memory=memory) as tasks:
        yield tasks


def named(options: list[str], which: str) -> dict[str, str]:
    """Return what options of the form NAME=WHAT say.

    Raises
    ------
    InputError
        If one has no name, or two have the same.
    """
    from gmmcompare.runtime.errors import InputError

    found: dict[str, str] = {}
    for text in options:
        name, equals, what = text.partition("=")
        if not equals or not name or not what:
            raise InputError(f"{which} {text}: write NAME=WHAT, as in {which} mine={text}")
        if name in found:
            raise InputError(f"{which} {text}: two have the name {name}")
        found[name] = what
    return found


def listed(text: str) -> list[str]:
    """Return the parts of a list that is separated by commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def command_line() -> str:
    """Return the command as it was typed, for the provenance."""
    return shlex.join(["gmmcompare", *sys.argv[1:]])

"""``data``: data sets, their sources and the cache."""

from __future__ import annotations

from typing import Annotated

import typer

from gmmcompare.cli.application import app

data_app = typer.Typer(no_args_is_help=True, help="Data sets, their sources and the cache.")
app.add_typer(data_app, name="data")


@data_app.command("list")
def data_list() -> None:
    """List data sets: where they come from and whether they are at hand."""
    from gmmcompare.cli.show import print_datasets
    from gmmcompare.data import list_datasets

    print_datasets(list_datasets())


@data_app.command("fetch")
def data_fetch(name: Annotated[str, typer.Argument(help="A data set's name.")]) -> None:
    """Fetch a data set into the cache."""
    from gmmcompare.cli.progress import working
    from gmmcompare.data import fetch

    with working(f"fetching {name}"):
        path = fetch(name)
    typer.echo(path)


@data_app.command("show")
def data_show(name: Annotated[str, typer.Argument(help="A data set's name.")]) -> None:
    """Show a data set: source, licence, size, range."""
    from gmmcompare.cli.show import print_description
    from gmmcompare.data import describe

    print_description(describe(name))

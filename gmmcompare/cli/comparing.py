"""``compare``, ``fit``, ``report`` and ``engines``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gmmcompare.cli.application import EXIT_CODES, app
from gmmcompare.cli.options import (
    CardArgument,
    DataOption,
    DrawsOption,
    EnginesOption,
    FreshOption,
    MemoryOption,
    OfflineOption,
    OutOption,
    OwnOption,
    SchedulerOption,
    SeedOption,
    SetOption,
    WorkersOption,
    chosen_card,
    chosen_client,
    chosen_data,
    command_line,
)


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
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
    memory: MemoryOption = None,
) -> None:
    """Fit the engines, compare them, and write a report."""
    from gmmcompare.progress import RichWatcher
    from gmmcompare.report import write_report
    from gmmcompare.run import compare_card
    from gmmcompare.runner import engine_requests
    from gmmcompare.show import print_comparison
    from gmmcompare.tasks import on_client

    chosen = chosen_card(card, set_, seed)
    requests = engine_requests(_listed(engines), engine or (), draws or ())
    folder = out or Path("reports") / chosen.name
    with chosen_client(workers, scheduler, memory) as client:
        outcome = compare_card(
            chosen,
            requests,
            **chosen_data(chosen, data, offline, client),
            tasks=on_client(client),
            folder=folder,
            fresh=fresh,
            watcher=RichWatcher(),
            command=command_line(),
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
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
    memory: MemoryOption = None,
) -> None:
    """Fit one engine."""
    from gmmcompare.progress import RichWatcher
    from gmmcompare.run import compare_card
    from gmmcompare.runner import engine_requests
    from gmmcompare.show import print_fit
    from gmmcompare.tasks import on_client

    chosen = chosen_card(card, set_, seed)
    own = [engine] if "=" in engine else []
    request = engine_requests([] if own else [engine], own)
    with chosen_client(workers, scheduler, memory) as client:
        outcome = compare_card(
            chosen,
            request,
            **chosen_data(chosen, data, offline, client),
            tasks=on_client(client),
            folder=out or Path("reports") / chosen.name,
            fresh=fresh,
            watcher=RichWatcher(),
            command=command_line(),
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
def engines() -> None:
    """List what can be compared here, and with which versions."""
    from gmmcompare.show import print_engines

    print_engines()


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]

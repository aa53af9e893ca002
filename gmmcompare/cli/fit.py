"""``fit``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gmmcompare.cli.application import app
from gmmcompare.cli.options import (
    CardArgument,
    DataOption,
    FreshOption,
    MemoryOption,
    OfflineOption,
    OutOption,
    SchedulerOption,
    SeedOption,
    SetOption,
    WorkersOption,
    chosen_card,
    chosen_data,
    chosen_tasks,
    command_line,
)


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
    from gmmcompare.cli.progress import RichWatcher
    from gmmcompare.cli.show import print_fit
    from gmmcompare.fitting.runner import engine_requests
    from gmmcompare.workflows.compare import compare_card

    chosen = chosen_card(card, set_, seed)
    own = [engine] if "=" in engine else []
    request = engine_requests([] if own else [engine], own)
    with chosen_tasks(workers, scheduler, memory) as tasks:
        outcome = compare_card(
            chosen,
            request,
            **chosen_data(chosen, data, offline, tasks),
            tasks=tasks,
            folder=out or Path("reports") / chosen.name,
            fresh=fresh,
            watcher=RichWatcher(),
            command=command_line(),
            write_comparison=False,
        )
    print_fit(outcome.comparison, as_json)

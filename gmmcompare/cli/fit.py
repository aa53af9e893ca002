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
    chosen_tasks,
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
    from gmmcompare.cli.progress import Bars
    from gmmcompare.cli.show import print_fit
    from gmmcompare.comparison.compared import compared
    from gmmcompare.fitting.cache import user_cache
    from gmmcompare.fitting.requests import engine_requests
    from gmmcompare.runtime.files import alone_in
    from gmmcompare.workflows.fit import fit_card
    from gmmcompare.workflows.load import load

    chosen = chosen_card(card, set_, seed)
    folder = out or Path("reports") / chosen.name
    own = [engine] if "=" in engine else []
    (request,) = engine_requests([] if own else [engine], own)
    with (
        alone_in(folder),
        chosen_tasks(workers, scheduler, memory) as tasks,
        Bars() as bars,
    ):
        loaded = load(chosen, data, offline=offline, tasks=tasks, progress=bars)
        found = fit_card(
            chosen,
            request,
            data=loaded,
            folder=folder,
            cache=user_cache(fresh),
            progress=bars,
            tasks=tasks,
        )
    print_fit(compared([found], loaded.sample, names=chosen.dimensions or None), as_json)

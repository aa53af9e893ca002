"""``compare``."""

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
    RenameOption,
    SchedulerOption,
    SeedOption,
    SetOption,
    WorkersOption,
    chosen_card,
    chosen_tasks,
    command_line,
    listed,
)


@app.command()
def compare(
    card: CardArgument,
    engines: EnginesOption = "em,gibbs,nuts",
    engine: OwnOption = None,
    draws: DrawsOption = None,
    rename: RenameOption = None,
    data: DataOption = None,
    out: OutOption = None,
    seed: SeedOption = None,
    set_: SetOption = None,
    offline: OfflineOption = False,
    fresh: FreshOption = False,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
    memory: MemoryOption = None,
    settle: Annotated[
        bool,
        typer.Option(
            "--settle",
            help="While inconclusive, run engines again with the settings it names: at most twice, "
            "and 16 times the draws.",
        ),
    ] = False,
) -> None:
    """Fit the engines, compare them, and write a report."""
    from gmmcompare.cli.progress import Bars
    from gmmcompare.cli.show import print_comparison
    from gmmcompare.fitting.cache import user_cache
    from gmmcompare.fitting.requests import engine_requests
    from gmmcompare.report import write_report
    from gmmcompare.runtime.files import alone_in
    from gmmcompare.workflows.compare import compare_card
    from gmmcompare.workflows.load import load

    chosen = chosen_card(card, set_, seed)
    requests = engine_requests(listed(engines), engine or (), draws or (), rename)
    folder = out or Path("reports") / chosen.name
    with alone_in(folder):
        with chosen_tasks(workers, scheduler, memory) as tasks, Bars() as bars:
            outcome = compare_card(
                chosen,
                load(chosen, data, offline=offline, tasks=tasks, progress=bars),
                requests,
                folder=folder,
                cache=user_cache(fresh),
                progress=bars,
                command=command_line(),
                tasks=tasks,
                settling=settle,
            )
        page = write_report(outcome, folder / "index.html")
    print_comparison(outcome, page)
    raise typer.Exit(EXIT_CODES[outcome.comparison.verdict])

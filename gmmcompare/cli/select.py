"""``select``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gmmcompare.cli.application import app
from gmmcompare.cli.options import (
    CardArgument,
    DataOption,
    FreshOption,
    OfflineOption,
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
def select(
    card: CardArgument,
    components: Annotated[
        str, typer.Option("--components", metavar="1-6", help="Numbers to try: 1-6 or 2,3,5.")
    ] = "1-6",
    engines: Annotated[
        str, typer.Option("--engines", help="Built-in engines to run, separated by commas.")
    ] = "em,gibbs,nuts",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print selection.json instead of a table.")
    ] = False,
    data: DataOption = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Output folder (reports/CARD/select)."),
    ] = None,
    seed: SeedOption = None,
    set_: SetOption = None,
    offline: OfflineOption = False,
    fresh: FreshOption = False,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
) -> None:
    """Fit several numbers of components, and say which each criterion prefers."""
    from gmmcompare.cli.progress import Bars
    from gmmcompare.cli.show import print_selection
    from gmmcompare.fitting.cache import user_cache
    from gmmcompare.fitting.requests import engine_requests
    from gmmcompare.report import write_selection
    from gmmcompare.runtime.files import alone_in, to_json
    from gmmcompare.selection.selection import parse_components
    from gmmcompare.workflows.load import load
    from gmmcompare.workflows.select import select_card, selection_json

    numbers = parse_components(components)
    chosen = chosen_card(card, set_, seed)
    requests = engine_requests(listed(engines))
    folder = out or Path("reports") / chosen.name / "select"
    with alone_in(folder):
        with chosen_tasks(workers, scheduler) as tasks, Bars() as bars:
            outcome = select_card(
                chosen,
                numbers,
                requests,
                data=load(chosen, data, offline=offline, progress=bars),
                folder=folder,
                cache=user_cache(fresh),
                progress=bars,
                command=command_line(),
                tasks=tasks,
            )
        page = write_selection(outcome, folder / "index.html")
    if as_json:
        typer.echo(to_json(selection_json(outcome)), nl=False)
    else:
        print_selection(outcome.selection, page)

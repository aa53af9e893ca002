"""``components``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gmmcompare.cli.application import EXIT_CODES, app
from gmmcompare.cli.options import (
    CardArgument,
    DataOption,
    FreshOption,
    OfflineOption,
    SeedOption,
    SetOption,
    chosen_card,
    command_line,
    listed,
)


@app.command()
def components(
    card: CardArgument,
    engines: Annotated[
        str | None,
        typer.Option(
            "--engines",
            help="Of exact, telescoping, reversible_jump, bridge and dirichlet_process, "
            "separated by commas.",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print components.json instead of a table.")
    ] = False,
    data: DataOption = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Output folder (reports/CARD/components)."),
    ] = None,
    seed: SeedOption = None,
    set_: SetOption = None,
    offline: OfflineOption = False,
    fresh: FreshOption = False,
) -> None:
    """Sample the number of components in several ways, and say how probable each is."""
    from gmmcompare.cli.progress import Bars
    from gmmcompare.cli.show import print_components
    from gmmcompare.fitting.cache import user_cache
    from gmmcompare.report import write_components
    from gmmcompare.runtime.files import alone_in, cache_folder, to_json
    from gmmcompare.workflows.components import components_card
    from gmmcompare.workflows.load import load

    chosen = chosen_card(card, set_, seed)
    folder = out or Path("reports") / chosen.name / "components"
    with alone_in(folder):
        with Bars() as bars:
            outcome = components_card(
                chosen,
                listed(engines) if engines is not None else None,
                data=load(chosen, data, offline=offline, progress=bars),
                folder=folder,
                cache=user_cache(fresh),
                kept=None if fresh else cache_folder() / "components",
                progress=bars,
                command=command_line(),
            )
        page = write_components(outcome, folder / "index.html")
    if as_json:
        typer.echo(to_json(outcome.to_dict()), nl=False)
    else:
        print_components(outcome.components, page)
    if outcome.components.pairs:
        raise typer.Exit(EXIT_CODES[outcome.components.verdict])

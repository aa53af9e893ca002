"""``sensitivity``."""

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
    SeedOption,
    SetOption,
    chosen_card,
    command_line,
)


@app.command()
def sensitivity(
    card: CardArgument,
    subsample: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Use N of the observations, at random: data.subsample."
        ),
    ] = None,
    factor: Annotated[
        float, typer.Option(help="Divide and multiply each hyperparameter by this.")
    ] = 2.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print sensitivity.json.")] = False,
    data: DataOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="DIR", help="Output folder (reports/CARD/sensitivity[-SUBSAMPLE])."
        ),
    ] = None,
    seed: SeedOption = None,
    set_: SetOption = None,
    offline: OfflineOption = False,
    fresh: FreshOption = False,
) -> None:
    """Find out which prior matters, by power-scaling and by ten more Gibbs fits."""
    from gmmcompare.cli.progress import Bars
    from gmmcompare.cli.show import print_sensitivity
    from gmmcompare.fitting.cache import user_cache
    from gmmcompare.report import write_sensitivity
    from gmmcompare.runtime.files import alone_in
    from gmmcompare.workflows.sensitivity import check_sensitivity

    chosen = chosen_card(card, set_, seed)
    name = "sensitivity"
    if subsample is not None:
        chosen = chosen.changed({"data.subsample": subsample})
        name = f"sensitivity-{subsample}"
    folder = out or Path("reports") / chosen.name / name
    with alone_in(folder):
        with Bars() as bars:
            found = check_sensitivity(
                chosen,
                source=data,
                factor=factor,
                offline=offline,
                folder=folder,
                cache=user_cache(fresh),
                progress=bars,
                command=command_line(),
            )
        page = write_sensitivity(found, folder / "index.html")
    print_sensitivity(found, page, as_json)

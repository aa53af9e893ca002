"""``compare``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gmmcompare.cli.application import EXIT_CODES, app
from gmmcompare.cli.options import (
    DataOption,
    DrawsOption,
    EnginesOption,
    FreshOption,
    MemoryOption,
    ModelOption,
    OfflineOption,
    OptionalCardArgument,
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
    named,
)
from gmmcompare.runtime.errors import InputError


@app.command()
def compare(
    card: OptionalCardArgument = None,
    model: ModelOption = None,
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

    if (card is None) == (model is None):
        raise InputError("compare: give a CARD, or a PyMC model by --model FILE.py:NAME")
    if model is not None:
        _compare_model(model, engine or [], draws or [], out, seed, set_ or [])
        return
    assert card is not None
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


def _compare_model(
    model: str,
    engine: list[str],
    draws: list[str],
    out: Path | None,
    seed: int | None,
    overrides: list[str],
) -> None:
    """Run NUTS on a PyMC model beside the user's samplers and draws."""
    from gmmcompare.cli.progress import Bars
    from gmmcompare.cli.show import print_agreement
    from gmmcompare.report import write_agreement
    from gmmcompare.runtime.files import alone_in
    from gmmcompare.workflows.compare_model import compare_model, model_settings

    own, elsewhere = named(engine, "--engine"), named(draws, "--draws")
    if not own and not elsewhere:
        raise InputError(
            "compare --model: give a sampler of yours by --engine NAME=FILE.py:FUNC, or draws by "
            "--draws NAME=FILE, to compare NUTS with"
        )
    nuts, custom = model_settings(overrides)
    folder = out or Path("reports") / Path(model.partition(":")[0]).stem
    with alone_in(folder):
        with Bars() as bars:
            found = compare_model(
                model, own, elsewhere, nuts=nuts, custom=custom, folder=folder,
                seed=4 if seed is None else seed, command=command_line(), progress=bars,
            )  # fmt: skip
        found.save(folder)
        page = write_agreement(found, folder / "index.html")
    print_agreement(found, False, page)
    raise typer.Exit(EXIT_CODES[found.agreement.verdict])

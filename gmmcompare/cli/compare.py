"""``compare``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gmmcompare.cli.application import EXIT_CODES, app
from gmmcompare.cli.options import (
    DataOption,
    DrawsOption,
    EnginesOption,
    FiguresOption,
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

if TYPE_CHECKING:
    from gmmcompare.cli.progress import Bars
    from gmmcompare.fitting.requests import EngineRequest
    from gmmcompare.model.card import Card
    from gmmcompare.runtime.tasks import Tasks
    from gmmcompare.workflows.load import Data


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
    figures: FiguresOption = False,
) -> None:
    """Fit the engines, compare them, and write a report."""
    from gmmcompare.cli.progress import Bars
    from gmmcompare.cli.show import print_comparison
    from gmmcompare.fitting.requests import engine_requests
    from gmmcompare.runtime.files import alone_in
    from gmmcompare.workflows.load import load
    from gmmcompare.workflows.unchanged import PAGE, made_from, record, unchanged

    if (card is None) == (model is None):
        raise InputError("compare: give a CARD, or a PyMC model by --model FILE.py:NAME")
    if model is not None:
        if figures:
            raise InputError("compare --model: has no figures for --figures; see the page")
        _compare_model(model, engine or [], draws or [], out, seed, set_ or [])
        return
    assert card is not None
    chosen = chosen_card(card, set_, seed)
    requests = engine_requests(listed(engines), engine or (), draws or (), rename)
    folder = out or Path("reports") / chosen.name
    with alone_in(folder), chosen_tasks(workers, scheduler, memory) as tasks, Bars() as bars:
        rows = load(chosen, data, offline=offline, tasks=tasks, progress=bars)
        key = made_from(chosen, rows, requests, settle)
        content = None if fresh else unchanged(folder, key)
        if content is None:
            content = _compared(chosen, rows, requests, folder, fresh, settle, bars, tasks)
            record(folder, key)
        for request in requests:
            bars(request.name, 1.0)
        if figures:
            _write_figures(folder)
    print_comparison(content, folder / PAGE)
    raise typer.Exit(EXIT_CODES[content["verdict"]])


def _write_figures(folder: Path) -> None:
    from gmmcompare.report import write_paper
    from gmmcompare.workflows.outcome import load_outcome

    write_paper(load_outcome(folder), folder)


def _compared(
    card: Card,
    data: Data,
    requests: Sequence[EngineRequest],
    folder: Path,
    fresh: bool,
    settle: bool,
    bars: Bars,
    tasks: Tasks | None,
) -> Mapping[str, Any]:
    """Fit, compare, write the page, and return what ``comparison.json`` has."""
    from gmmcompare.fitting.cache import user_cache
    from gmmcompare.report import write_report
    from gmmcompare.workflows.compare import compare_card
    from gmmcompare.workflows.outcome import comparison_json
    from gmmcompare.workflows.unchanged import PAGE

    outcome = compare_card(
        card,
        data,
        requests,
        folder=folder,
        cache=user_cache(fresh),
        progress=bars,
        command=command_line(),
        tasks=tasks,
        settling=settle,
    )
    write_report(outcome, folder / PAGE)
    return comparison_json(outcome)


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

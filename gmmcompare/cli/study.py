"""``study``: repeated comparisons."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gmmcompare.cli.application import app
from gmmcompare.cli.options import JobsOption, SchedulerOption, WorkersOption, chosen_tasks

study_app = typer.Typer(no_args_is_help=True, help="Repeated comparisons: measured error rates.")
app.add_typer(study_app, name="study")


@study_app.command("verdict")
def study_verdict(
    repetitions: Annotated[
        int, typer.Option("--repetitions", min=1, help="Of each case with a promised error rate.")
    ] = 1000,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where outcomes are kept.")
    ] = Path("reports/verdict-study"),
    jobs: JobsOption = 2,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 4,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
) -> None:
    """Measure how often the verdict errs; a rerun continues. Writes DIR.md and a figure."""
    from gmmcompare.cli.progress import FractionBar
    from gmmcompare.studies.verdict import run_verdict_study, write_verdict_study

    with chosen_tasks(workers, scheduler) as tasks, FractionBar() as bar:
        run_verdict_study(
            out, repetitions, jobs, seed, lambda done: bar.show("verdict study", done), tasks
        )
    page, figure = out.with_suffix(".md"), out.parent / "figures" / f"{out.name}.svg"
    write_verdict_study(out, page, figure)
    typer.echo(page)


@study_app.command("evidence")
def study_evidence(
    repetitions: Annotated[int, typer.Option("--repetitions", min=2)] = 100,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 4,
) -> None:
    """Hold estimates of the log evidence against exact ones; prints a page in Markdown."""
    from gmmcompare.cli.progress import FractionBar
    from gmmcompare.studies.evidence import study_evidence as study
    from gmmcompare.studies.evidence import study_page

    with FractionBar() as bar:
        found = study(
            repetitions, seed, progress=lambda fraction: bar.show("evidence study", fraction)
        )
    typer.echo(study_page(found), nl=False)

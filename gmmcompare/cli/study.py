"""``study``: how often our own verdicts err, measured."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gmmcompare.cli.application import app
from gmmcompare.cli.options import JobsOption, SchedulerOption, WorkersOption

if TYPE_CHECKING:
    from gmmcompare.studies.study import Study

study_app = typer.Typer(
    no_args_is_help=True,
    help="Measure how often our own verdicts err. An interrupted study is continued by a rerun.",
)
app.add_typer(study_app, name="study")

RepetitionsOption = Annotated[
    int,
    typer.Option("--repetitions", min=1, help="Of each case; less often where not so many matter."),
]
StudyOption = Annotated[
    Path, typer.Option("--out", metavar="DIR", help="Where outcomes are kept; writes DIR.md.")
]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="Same seed, same outcomes.")]


@study_app.command("verdict")
def study_verdict(
    repetitions: RepetitionsOption = 1000,
    out: StudyOption = Path("reports/verdict-study"),
    seed: SeedOption = 4,
    jobs: JobsOption = 2,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
) -> None:
    """Measure how often the verdict errs, with simulated engines whose difference is known."""
    from gmmcompare.studies.verdict import VerdictStudy

    _carry_out(VerdictStudy(out, seed), repetitions, jobs, workers, scheduler)


@study_app.command("agree")
def study_agree(
    repetitions: RepetitionsOption = 1000,
    out: StudyOption = Path("reports/agree-study"),
    seed: SeedOption = 5001,
    jobs: JobsOption = 2,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
) -> None:
    """Measure how often `agree` errs, on targets of 1 to 1,000 scalars that are known."""
    from gmmcompare.studies.agree import AgreeStudy

    _carry_out(AgreeStudy(out, seed), repetitions, jobs, workers, scheduler)


@study_app.command("evidence")
def study_evidence(
    repetitions: RepetitionsOption = 100,
    out: StudyOption = Path("reports/evidence-study"),
    seed: SeedOption = 4,
    jobs: JobsOption = 2,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
) -> None:
    """Measure whether standard errors of the log evidence are calibrated, against exact values."""
    from gmmcompare.studies.evidence import EvidenceStudy

    _carry_out(EvidenceStudy(out, seed), repetitions, jobs, workers, scheduler)


@study_app.command("gallery")
def study_gallery(
    repetitions: RepetitionsOption = 100,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="DIR",
            help="As elsewhere; reports/fault-gallery, or reports/gallery-KERNELS.",
        ),
    ] = None,
    seed: SeedOption = 1001,
    quick: Annotated[bool, typer.Option("--quick", help="Quick validations.")] = False,
    kernels: Annotated[
        str,
        typer.Option(
            "--kernels",
            metavar="NAME",
            help="Another gallery: for two components alone (two), priors as numbers (numbers), "
            "both (two-numbers), families, multivariate, measured or components.",
        ),
    ] = "",
    jobs: JobsOption = 2,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
) -> None:
    """Measure how often planted faults are caught, by what and how soon, and correct ones pass."""
    from gmmcompare.studies.gallery import GalleryStudy

    folder = out or Path(f"reports/gallery-{kernels}" if kernels else "reports/fault-gallery")
    _carry_out(GalleryStudy(folder, seed, quick, kernels), repetitions, jobs, workers, scheduler)


@study_app.command("museum")
def study_museum(
    repetitions: RepetitionsOption = 100,
    out: StudyOption = Path("reports/museum"),
    seed: SeedOption = 3001,
    jobs: JobsOption = 2,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
) -> None:
    """Measure how often bugs of samplers that shipped are found, and their repaired twins pass."""
    from gmmcompare.studies.museum import MuseumStudy

    _carry_out(MuseumStudy(out, seed), repetitions, jobs, workers, scheduler)


@study_app.command("shelf")
def study_shelf(
    repetitions: RepetitionsOption = 250,
    out: StudyOption = Path("reports/shelf"),
    seed: SeedOption = 4001,
    shelf: Annotated[
        Path, typer.Option("--shelf", metavar="DIR", help="Models and samplers, a file each.")
    ] = Path("examples/shelf"),
    jobs: JobsOption = 2,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
) -> None:
    """Measure how often a quick validation fails a correct sampler of any model."""
    from gmmcompare.studies.shelf import ShelfStudy

    _carry_out(ShelfStudy(out, seed, shelf), repetitions, jobs, workers, scheduler)


def _carry_out(
    study: Study, repetitions: int, jobs: int, workers: int | None, scheduler: str | None
) -> None:
    """Run what is missing and write all up; print the page's path."""
    from gmmcompare.cli.progress import Bars
    from gmmcompare.runtime.files import alone_in
    from gmmcompare.runtime.tasks import open_tasks

    with alone_in(study.folder):
        with open_tasks(workers, scheduler, jobs) as tasks, Bars(transient=True) as bars:
            study.run(repetitions, tasks, partial(bars, f"{study.name} study"))
        typer.echo(study.write())

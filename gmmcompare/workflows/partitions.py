"""Data in partitions: read, check and reduce them all, and lay the grid over them."""

from __future__ import annotations

from dataclasses import replace

from gmmcompare.data.partitions.grid import (
    Bins,
    PartitionedSample,
    add_bins,
    bin_values,
    grid_sample,
)
from gmmcompare.data.partitions.pieces import PartitionedFiles, Summary, summary_of
from gmmcompare.engines.base import Problem, no_progress, out_of_unit
from gmmcompare.engines.em.engine import EmEngine
from gmmcompare.engines.layout import Layout, build_layout
from gmmcompare.model.card import EmSettings
from gmmcompare.model.params import Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Origin, Sample, Standardisation
from gmmcompare.runtime.errors import InputError
from gmmcompare.runtime.tasks import Held, InProcess, Tasks

COARSEST, FINEST = 16, 1024
"""A bin's width is the smallest sd divided by a power of two between these."""
PILOT_STEPS = 200
"""Steps of EM from which the smallest sd is known well enough, also where EM would take long."""
MAX_ERROR = 0.1
"""The grid is refined until log-likelihoods are as near as this to those of all values."""


def open_partitions(
    files: PartitionedFiles, components: int, tasks: Tasks | None = None
) -> PartitionedSample:
    """Read every partition, keep it where it was read, and return what all can work on.

    Parameters
    ----------
    files : PartitionedFiles
    components : int
        K: the grid is finer than the smallest sd of so many components (maximum likelihood on the
        sketch of the data).
    tasks : Tasks, optional
        Where partitions are kept and worked on; by default in this process.

    Raises
    ------
    InputError
        If a file cannot be used, or all need too much memory; the message names the file. Every
        partition is read and checked before this returns.
    EngineError
        If the cluster is lost.
    """
    tasks = tasks or InProcess()
    _check_memory(files, tasks.memory)
    read = files.read(tasks)
    summary = summary_of(read)
    held = read.then(_in_kept_form, summary.unit, summary.low, summary.high)
    sample, part = _fine_grid(held, summary, _pilot(summary, components))
    return replace(sample, origin=_origin(files, sample, part))


def _check_memory(files: PartitionedFiles, there: float) -> None:
    """Refuse what cannot be held in so many bytes, rather than be killed over it.

    Raises
    ------
    InputError
        If the values alone would take more memory than there is.
    """
    needed = 8.0 * files.rows
    if needed > there:
        raise InputError(
            f"{files.pattern}: its values take {needed / 1e9:,.1f} GB of memory and there are "
            f"{there / 1e9:,.1f} GB; use more workers (--scheduler tcp://HOST:PORT), or a random "
            "part (--set data.subsample=1000000)"
        )


def _in_kept_form(
    sample: Sample, index: int, unit: Standardisation, low: float, high: float
) -> Layout:
    """Return a partition in the form and units in which it is kept, 8 bytes for each value.

    ``low`` and ``high`` are those of all data: sums are about the same centres everywhere.
    """
    layout = build_layout(unit.apply(sample)).compact()
    return layout._replace(low=unit.of_value(low), high=unit.of_value(high))


def _bins_of(layout: Layout, index: int, width: float) -> Bins:
    """Sort a partition's values into bins, tile by tile."""
    return add_bins([bin_values(*layout.tile(t), width) for t in range(layout.n_tiles)])


def _pilot(summary: Summary, components: int) -> Params:
    """Return a rough maximum likelihood fit to the sketch, in the units of the data."""
    unit = summary.unit
    problem = Problem(unit.apply(summary.sketch), components, Priors())
    pilot: Params = out_of_unit(
        EmEngine(EmSettings(starts=10, max_iterations=PILOT_STEPS))
        .run(problem, 0, no_progress)
        .params,
        unit,
    )
    return pilot


def _fine_grid(held: Held, summary: Summary, pilot: Params) -> tuple[PartitionedSample, int]:
    """Refine the grid until it is near enough; return it and into what part it cuts the sd."""
    part = COARSEST
    while True:
        width = float(pilot.sigma.min()) / summary.unit.scale / part
        sample = grid_sample(add_bins(held.collect(_bins_of, width)), width, held, summary)
        if part == FINEST or sample.log_lik_error(pilot) < MAX_ERROR:
            return sample, part
        part *= 2


def _origin(files: PartitionedFiles, sample: PartitionedSample, part: int) -> Origin:
    summary = sample.summary
    return Origin(
        name=files.name,
        source=(
            f"{files.pattern}: {sample.partitions.size} partitions; compared on a grid of "
            f"{sample.n_distinct:,} points, bins 1/{part} of the smallest sd wide"
        ),
        n_missing=summary.n_missing,
        sha256=summary.sha256,
        label=files.label,
    )

"""Data in partitions: what is measured, and a cost model held to the measurements.

``python -m tests.benchmarks.scaling`` writes ``reports/scaling.md``.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from gmmcompare.runtime.files import write_text
from gmmcompare.runtime.tasks import on_dask
from gmmcompare.runtime.tasks.cluster import open_client
from gmmcompare.studies import markdown
from gmmcompare.workflows.provenance import versions
from tests.benchmarks.scaling_runs import (
    CHAINS,
    FILES,
    MEMORY,
    OTHER_SWEEPS,
    ROUNDS,
    ROWS,
    SWEEPS,
    TASKS,
    WORKERS,
    Measured,
    Model,
    measure,
    write_stars,
)

REPORT = Path("reports/scaling.md")
type Fits = dict[int, list[Measured]]
"""What was measured, by the number of workers."""


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="gmmcompare-scaling-") as name:
        folder = Path(name)
        write_stars(folder, max(FILES))
        with ExitStack() as stack:
            clients = {w: stack.enter_context(open_client(w, None, MEMORY)) for w in WORKERS}
            found = [
                measure(folder, files, workers, client)
                for files in FILES
                for workers, client in clients.items()
            ]
        fits = {workers: [m for m in found if m.workers == workers] for workers in WORKERS}
        model = Model.measured(folder)
    write_text(REPORT, page(fits, model))
    print(REPORT)


def page(fits: Fits, model: Model) -> str:
    return markdown.page(
        *_head(), *_measurements(fits), *_model_check(fits, model), *_extrapolation(model)
    )


def _head() -> list[str]:
    load = ", ".join(f"{x:.1f}" for x in os.getloadavg())
    return [
        "# Scaling of data in partitions",
        f"Written by `make scaling` on {datetime.now(UTC):%Y-%m-%d}; do not edit. Simulated values "
        f"in Parquet files of {ROWS:,}, K = 3, {CHAINS} chain, {OTHER_SWEEPS} Gibbs sweeps, "
        f"{SWEEPS[max(FILES)]} of the largest; local Dask "
        f"workers of one thread and at most {MEMORY} each, at which Dask ends a worker. "
        f"{os.cpu_count()} cores, load average {load} at the end (others were at work; so the "
        "fastest sweep is given beside the median, and the processor time of the workers).",
        ", ".join(f"{k} {v}" for k, v in versions().items()) + ".",
    ]


def _measurements(fits: Fits) -> list[str]:
    head = [
        "workers", "N", "partitions", "tasks", "opening, s", "sweep, fastest, ms", "median, ms",
        "workers' processor time, ns a value", "sent a sweep, kB", "held, bytes a value",
        "peak of a worker, MB",
    ]  # fmt: skip
    rows = [
        [
            workers, f"{r.n:,}", r.partitions, r.tasks, f"{r.opening:.1f}", f"{1e3 * r.sweep:,.0f}",
            f"{1e3 * r.middle:,.0f}", f"{1e9 * r.busy / r.n:.1f}", f"{r.sent / 1e3:,.1f}",
            f"{r.held:.2f}", f"{r.peak / 1e6:,.0f}",
        ]
        for workers, measured in fits.items()
        for r in measured
    ]  # fmt: skip
    return [
        "## Measured",
        markdown.table(head, rows, "r" * len(head)),
        "\n".join(_growth(workers, measured) for workers, measured in fits.items()),
        *(_climbed(r) for measured in fits.values() for r in measured if r.em),
    ]


def _growth(workers: int, measured: list[Measured]) -> str:
    n, seconds = (np.log([getattr(r, of) for r in measured]) for of in ("n", "sweep"))
    return (
        f"On {workers} worker{'s' if workers > 1 else ''} the fastest sweep grows as "
        f"N^{np.polyfit(n, seconds, 1)[0]:.2f}."
    )


def _climbed(r: Measured) -> str:
    assert r.em is not None
    return (
        f"EM on {r.n:,} values, {r.workers} workers: score below 1e-8 N after "
        f"{r.em[0]} passes over all data in {r.em[1]:.1f} s; {r.em[2]:.0f} s with the starts "
        "on the sketch and one pass for standard errors and criteria."
    )


def _model_check(fits: Fits, model: Model) -> list[str]:
    head = [
        "workers", "N", "workers' processor time, ms: model", "measured", "ratio",
        "scheduler's, ms: model", "measured", "ratio", "elapsed, ms: model", "fastest", "ratio",
    ]  # fmt: skip
    return [
        "## Cost model",
        "In processor time a sweep costs the workers *value* x N x chains + *task* x tasks, "
        "and the process with scheduler and client *scheduling* x tasks + *round*. On free "
        "processors it takes the busiest worker's part, then the scheduler's, and the *latency* of "
        "a round. Each term is measured on its own: one partition of a million in this process, "
        f"and {ROUNDS} rounds each of {', '.join(map(str, TASKS))} tasks that hold no values.",
        markdown.table(
            ["value", "task", "scheduling", "round", "latency", "bytes a task"],
            [
                [
                    f"{1e9 * model.value:.2f} ns", f"{1e3 * model.task:.2f} ms",
                    f"{1e3 * model.scheduling:.2f} ms", f"{1e3 * model.round:.1f} ms",
                    f"{1e3 * model.latency:.1f} ms", f"{model.message:,.0f}",
                ]
            ],
            "rrrrrr",
        ),
        markdown.table(
            head,
            [_check(model, workers, r) for workers, measured in fits.items() for r in measured],
            "r" * len(head),
        ),
        "The scheduler's measured time also has heartbeats and clean-up for as long as a sweep "
        "lasts, which the rounds without values hardly see. "
        "Elapsed times exceed the model where other programs took the processors: with "
        f"{os.cpu_count()} cores and the load given above they had to.",
    ]  # fmt: skip


def _check(model: Model, workers: int, r: Measured) -> list[object]:
    pairs = (
        (model.busy(r.n, r.tasks), r.busy),
        (model.here(r.tasks), r.here),
        (float(model.terms(r.n, workers, r.tasks).sum()), r.sweep),
    )
    cells = [(f"{1e3 * a:,.0f}", f"{1e3 * b:,.0f}", f"{b / a:.2f}") for a, b in pairs]
    return [workers, f"{r.n:,}", *(cell for pair in cells for cell in pair)]


def _extrapolation(model: Model) -> list[str]:
    n, chains = 1e9, 4
    names = ("values", "tasks", "latency")
    each = on_dask.TASKS_PER_THREAD

    def row(workers: int) -> list[object]:
        terms = model.terms(n, workers, each * workers, chains)
        seconds = [f"{t:.3g}" for t in (*terms, terms.sum())]
        return [workers, each * workers, *seconds, names[int(terms.argmax())]]

    at_64 = model.terms(n, 64, each * 64, chains)
    apart = model.terms(n, 64, 1000, chains)
    best = np.sqrt(model.value * n * chains / (each * model.scheduling))
    least = model.terms(n, round(best), round(each * best), chains).sum()
    return [
        f"## 1e9 values, {chains} chains",
        "Extrapolated by the model, for processors like these. All chains of a partition are one "
        "task, so that more chains cost values and not tasks.",
        markdown.table(
            ["workers", "tasks", "values, s", "tasks, s", "latency, s", "sweep, s", "dominant"],
            map(row, (1, 16, 64, 256, 1024)),
            "rrrrrrl",
        ),
        f"With 64 workers, {each} tasks for each, a sweep takes {at_64.sum():.2f} s: "
        f"{at_64[0]:.2f} s over values and {at_64[1]:.2f} s over tasks, "
        f"{model.here(each * 64):.2f} s of it in the scheduler, which handles one after another: "
        f"{names[int(at_64.argmax())]} dominate. (With a task for each of 1,000 partitions it "
        f"would take {apart.sum():.2f} s.) Time falls up to {best:,.0f} workers, to {least:.2f} s; "
        "beyond that every worker costs the scheduler more than it saves, and the way on would be "
        "to add sums up on the workers first. Messages are no limit: "
        f"{each * 64 * model.message / 1e6:.1f} MB a sweep for 64 workers, each of which holds "
        f"{8 * n / 64 / 1e6:,.0f} MB of values.",
    ]


if __name__ == "__main__":
    main()

"""Time, traffic and memory of data in partitions, and a cost model held to the measurements.

``python -m tests.benchmarks.scaling`` writes ``reports/scaling.md``.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from gmmcompare.data.partitions.grid import PartitionedSample
from gmmcompare.engines.base import Draws, Problem
from gmmcompare.engines.em.partitioned import PartitionedEmEngine
from gmmcompare.engines.gibbs.partitioned import PartitionedGibbsEngine, allocation_sums
from gmmcompare.model.card import EmSettings, GibbsSettings
from gmmcompare.model.mixture import simulate
from gmmcompare.model.params import Params
from gmmcompare.model.priors import Priors
from gmmcompare.runtime.tasks import OnDask, on_dask
from gmmcompare.runtime.tasks.cluster import open_client
from gmmcompare.workflows.compare import versions
from gmmcompare.workflows.open_partitions import open_partitions
from tests.benchmarks.growth import TRUTH

REPORT = Path("reports/scaling.md")
ROWS = 1_000_000
FILES = (1, 4, 14, 50)
WORKERS = (1, 2)
MEMORY = "1500MB"
SWEEPS = {50: 50}
OTHER_SWEEPS = 20
"""Of data of fewer files."""
CHAINS = 1
TASKS = (4, 64, 256)
"""Numbers of empty partitions from which the cost of a task is read."""
ROUNDS = 30


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
    REPORT.write_text("\n".join(report(fits, model)) + "\n", encoding="utf-8")
    print(REPORT)


def write_stars(folder: Path, files: int) -> None:
    """Write simulated values, a million to a file, and a folder of links for each size."""
    for i in range(files):
        y = simulate(TRUTH, ROWS, np.random.default_rng([4, i]))[0]
        path = folder / f"{i:03}.parquet"
        pq.write_table(pa.table({"mag": y}), path)
        for size in FILES:
            if i < size:
                (folder / str(size)).mkdir(exist_ok=True)
                (folder / str(size) / path.name).symlink_to(path)


@dataclass(frozen=True)
class Measured:
    """One data set on one number of workers."""

    n: int
    partitions: int
    workers: int
    opening: float  # seconds, all partitions read, checked and reduced, and the grid laid
    sweep: float  # seconds of wall time, the fastest of all
    middle: float  # and the median
    busy: float  # seconds of the workers' processor time a sweep
    here: float  # and of the process with the client and the scheduler
    sent: float  # bytes through the loopback a sweep
    held: float  # bytes of a partition's values, counts and tiles, a value
    peak: float  # bytes of the largest worker's memory
    em: tuple[int, float, float] | None  # passes over the data, their seconds, and of all

    @property
    def tasks(self) -> int:
        return min(self.partitions, on_dask.TASKS_PER_THREAD * self.workers)


def measure(folder: Path, files: int, workers: int, client: Any) -> Measured:
    """Measure one size on so many workers; with EM to convergence if it is the largest on most."""
    client.run(_forget_peak)
    started = time.perf_counter()
    sample = open_partitions(folder / str(files) / "*.parquet", 3, tasks=OnDask(client))
    opening = time.perf_counter() - started
    gibbs(sample, 2)  # loads compiled code
    before = Clock.of(client)
    moved = Loopback()
    sweeps = SWEEPS.get(files, OTHER_SWEEPS)
    times = gibbs(sample, sweeps, moved.mark)
    spent = Clock.of(client).since(before)
    held = sum(sample.partitions.collect(_bytes_held)) / sample.n
    em = climb(sample) if (files, workers) == (max(FILES), max(WORKERS)) else None
    found = Measured(
        sample.n,
        sample.partitions.size,
        workers,
        opening,
        float(np.min(times)),
        float(np.median(times)),
        spent.workers / sweeps,
        spent.here / sweeps,
        moved.least(),
        held,
        max(client.run(_peak_memory).values()),
        em,
    )
    print(found, file=sys.stderr)
    return found


def gibbs(sample: PartitionedSample, sweeps: int, mark: Callable[[], None] | None = None) -> Any:
    """Return the seconds of each sweep."""
    stamps = [time.perf_counter()]

    def progress(fraction: float) -> None:
        stamps.append(time.perf_counter())
        if mark:
            mark()
        _show("gibbs", sample.n, fraction)

    engine = PartitionedGibbsEngine(GibbsSettings(chains=CHAINS, warmup=0, draws=sweeps))
    drawn = engine.run(Problem(sample, 3, Priors()), 4, progress)
    assert isinstance(drawn, Draws)
    return np.diff(stamps)


def climb(sample: PartitionedSample) -> tuple[int, float, float]:
    """Run EM to convergence; return passes over all data, their seconds, and those of all."""
    passes: list[float] = []

    def progress(fraction: float) -> None:
        passes.append(fraction)
        _show("em", sample.n, fraction)

    started = time.perf_counter()
    point = PartitionedEmEngine(EmSettings()).run(Problem(sample, 3, Priors()), 4, progress)
    assert point.status == "ok"
    return len(passes) - 1, point.seconds.sample, time.perf_counter() - started


@dataclass(frozen=True)
class Clock:
    """Processor time: what other programs take does not count, as it does in elapsed time."""

    here: float
    workers: float

    @classmethod
    def of(cls, client: Any) -> Clock:
        return cls(time.process_time(), sum(client.run(time.process_time).values()))

    def since(self, before: Clock) -> Clock:
        return Clock(self.here - before.here, self.workers - before.workers)


class Loopback:
    """Bytes that went through the loopback, sweep by sweep; others may use it too."""

    def __init__(self) -> None:
        self._marks = [self._now()]

    def mark(self) -> None:
        self._marks.append(self._now())

    def least(self) -> float:
        """Return the quietest tenth of the sweeps: what others send only adds."""
        return float(np.quantile(np.diff(self._marks), 0.1))

    @staticmethod
    def _now() -> int:
        return int(psutil.net_io_counters(pernic=True)["lo"].bytes_sent)


@dataclass(frozen=True)
class Model:
    """Processor seconds of a sweep: of a value, of a task on its worker and in the scheduler.

    ``round`` is what the scheduler and the client spend on a sweep beyond its tasks, ``latency``
    the least elapsed time of a round of few tasks, and ``message`` the bytes of a task.
    """

    value: float
    task: float
    scheduling: float
    round: float
    latency: float
    message: float

    @classmethod
    def measured(cls, folder: Path) -> Model:
        """Measure each term on its own, the tasks without any values."""
        usual = on_dask.TASKS_PER_THREAD
        sample = open_partitions(folder / str(FILES[0]) / "*.parquet", 3)
        value = min(
            min(sample.partitions.collect(_processor_seconds, TRUTH_IN_CHAIN)) for _ in range(9)
        )
        found = []
        with open_client(1, None, MEMORY) as client:
            for tasks in TASKS:
                # On one worker, as many tasks as items.
                on_dask.TASKS_PER_THREAD = tasks
                empty = OnDask(client).hold(range(tasks)).then(_nothing)
                empty.collect(_sums_of_nothing, 4, 0, TRUTH_IN_CHAIN)
                before, moved, times = Clock.of(client), Loopback(), []
                for sweep in range(ROUNDS):
                    started = time.perf_counter()
                    empty.collect(_sums_of_nothing, 4, sweep, TRUTH_IN_CHAIN)
                    times.append(time.perf_counter() - started)
                    moved.mark()
                spent = Clock.of(client).since(before)
                each = spent.workers / ROUNDS, spent.here / ROUNDS
                found.append((*each, moved.least(), min(times)))
        on_dask.TASKS_PER_THREAD = usual
        print(value, found, file=sys.stderr)
        workers, here, sent, elapsed = (np.array(column) for column in zip(*found, strict=True))
        scheduling, first = np.polyfit(TASKS, here, 1)
        return cls(
            value / ROWS,
            float(np.polyfit(TASKS, workers, 1)[0]),
            float(scheduling),
            max(float(first), 0.0),
            float(elapsed[0]),
            float(np.polyfit(TASKS, sent, 1)[0]),
        )

    def busy(self, n: float, tasks: int, chains: int = CHAINS) -> float:
        """Return processor seconds of all workers in a sweep."""
        return self.value * n * chains + self.task * tasks

    def here(self, tasks: int) -> float:
        """Return processor seconds of scheduler and client in a sweep."""
        return self.round + self.scheduling * tasks

    def terms(self, n: float, workers: int, tasks: int, chains: int = CHAINS) -> np.ndarray:
        """Return seconds of a sweep on free processors: over values, over tasks, and latency."""
        busiest = np.ceil(tasks / workers)  # tasks of the worker that has most
        return np.array(
            [
                self.value * n * chains * busiest / tasks,
                self.task * busiest + self.here(tasks),
                self.latency,
            ]
        )


TRUTH_IN_CHAIN = Params(*(a[None] for a in TRUTH))


def _processor_seconds(layout: Any, index: int, params: Params) -> float:
    started = time.thread_time()
    allocation_sums(layout, index, 4, 0, params)
    return time.thread_time() - started


def _nothing(item: int, index: int) -> int:
    return index


def _sums_of_nothing(item: int, index: int, seed: int, sweep: int, params: Params) -> np.ndarray:
    return np.zeros((1, 3, 3))


def _bytes_held(layout: Any, index: int) -> int:
    return sum(a.nbytes for a in layout if isinstance(a, np.ndarray))


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _peak_memory() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return 1024.0 * int(line.split()[1])
    raise RuntimeError("no VmHWM: this benchmark needs Linux")


def _show(what: str, n: int, fraction: float) -> None:
    print(f"\r{what}, N = {n:,}: {100 * fraction:3.0f} %  ", end="", file=sys.stderr, flush=True)


def report(fits: dict[int, list[Measured]], model: Model) -> Iterator[str]:
    """Yield the lines of the page."""
    yield from _head()
    yield from _measurements(fits)
    yield from _model_check(fits, model)
    yield from _extrapolation(model)


def _head() -> Iterator[str]:
    load = ", ".join(f"{x:.1f}" for x in os.getloadavg())
    yield "# Scaling of data in partitions"
    yield ""
    yield (
        f"Written by `make scaling` on {datetime.now(UTC):%Y-%m-%d}; do not edit. Simulated values "
        f"in Parquet files of {ROWS:,}, K = 3, {CHAINS} chain, {OTHER_SWEEPS} Gibbs sweeps, "
        f"{SWEEPS[max(FILES)]} of the largest; local Dask "
        f"workers of one thread and at most {MEMORY} each, at which Dask ends a worker. "
        f"{os.cpu_count()} cores, load average {load} at the end (others were at work; so the "
        "fastest sweep is given beside the median, and the processor time of the workers)."
    )
    yield ""
    yield ", ".join(f"{k} {v}" for k, v in versions().items()) + "."
    yield ""


def _measurements(fits: dict[int, list[Measured]]) -> Iterator[str]:
    yield "## Measured"
    yield ""
    yield (
        "| workers | N | partitions | tasks | opening, s | sweep, fastest, ms | median, ms "
        "| workers' processor time, ns a value | sent a sweep, kB | held, bytes a value "
        "| peak of a worker, MB |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|"
    for workers, rows in fits.items():
        for r in rows:
            yield (
                f"| {workers} | {r.n:,} | {r.partitions} | {r.tasks} | {r.opening:.1f} "
                f"| {1e3 * r.sweep:,.0f} | {1e3 * r.middle:,.0f} | {1e9 * r.busy / r.n:.1f} "
                f"| {r.sent / 1e3:,.1f} | {r.held:.2f} | {r.peak / 1e6:,.0f} |"
            )
    yield ""
    for workers, rows in fits.items():
        slope = np.polyfit(np.log([r.n for r in rows]), np.log([r.sweep for r in rows]), 1)[0]
        yield (
            f"On {workers} worker{'s' if workers > 1 else ''} the fastest sweep grows as "
            f"N^{slope:.2f}."
        )
    yield ""
    for r in (r for rows in fits.values() for r in rows if r.em):
        assert r.em is not None
        yield (
            f"EM on {r.n:,} values, {r.workers} workers: score below 1e-8 N after "
            f"{r.em[0]} passes over all data in {r.em[1]:.1f} s; {r.em[2]:.0f} s with the starts "
            "on the sketch and one pass for standard errors and criteria."
        )
    yield ""


def _model_check(fits: dict[int, list[Measured]], model: Model) -> Iterator[str]:
    yield "## Cost model"
    yield ""
    yield (
        "In processor time a sweep costs the workers *value* x N x chains + *task* x tasks, "
        "and the process with scheduler and client *scheduling* x tasks + *round*. On free "
        "processors it takes the busiest worker's part, then the scheduler's, and the *latency* of "
        "a round. Each term is measured on its own: one partition of a million in this process, "
        f"and {ROUNDS} rounds each of {', '.join(map(str, TASKS))} tasks that hold no values."
    )
    yield ""
    yield "| value | task | scheduling | round | latency | bytes a task |"
    yield "|---|---|---|---|---|---|"
    yield (
        f"| {1e9 * model.value:.2f} ns | {1e3 * model.task:.2f} ms "
        f"| {1e3 * model.scheduling:.2f} ms | {1e3 * model.round:.1f} ms "
        f"| {1e3 * model.latency:.1f} ms | {model.message:,.0f} |"
    )
    yield ""
    yield (
        "| workers | N | workers' processor time, ms: model | measured | ratio "
        "| scheduler's, ms: model | measured | ratio | elapsed, ms: model | fastest | ratio |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|"
    for workers, rows in fits.items():
        for r in rows:
            pairs = (
                (model.busy(r.n, r.tasks), r.busy),
                (model.here(r.tasks), r.here),
                (float(model.terms(r.n, workers, r.tasks).sum()), r.sweep),
            )
            cells = " | ".join(f"{1e3 * a:,.0f} | {1e3 * b:,.0f} | {b / a:.2f}" for a, b in pairs)
            yield f"| {workers} | {r.n:,} | {cells} |"
    yield ""
    yield (
        "The scheduler's measured time also has heartbeats and clean-up for as long as a sweep "
        "lasts, which the rounds without values hardly see. "
        "Elapsed times exceed the model where other programs took the processors: with "
        f"{os.cpu_count()} cores and the load given above they had to."
    )
    yield ""


def _extrapolation(model: Model) -> Iterator[str]:
    n, chains = 1e9, 4
    yield f"## 1e9 values, {chains} chains"
    yield ""
    yield (
        "Extrapolated by the model, for processors like these. All chains of a partition are one "
        "task, so that more chains cost values and not tasks."
    )
    yield ""
    yield "| workers | tasks | values, s | tasks, s | latency, s | sweep, s | dominant |"
    yield "|---|---|---|---|---|---|---|"
    names = ("values", "tasks", "latency")
    each = on_dask.TASKS_PER_THREAD
    for workers in (1, 16, 64, 256, 1024):
        terms = model.terms(n, workers, each * workers, chains)
        cells = " | ".join(f"{t:.3g}" for t in terms)
        yield (
            f"| {workers} | {each * workers} | {cells} | {terms.sum():.3g} "
            f"| {names[int(terms.argmax())]} |"
        )
    yield ""
    at_64 = model.terms(n, 64, each * 64, chains)
    apart = model.terms(n, 64, 1000, chains)
    best = np.sqrt(model.value * n * chains / (each * model.scheduling))
    least = model.terms(n, round(best), round(each * best), chains).sum()
    yield (
        f"With 64 workers, {each} tasks for each, a sweep takes {at_64.sum():.2f} s: "
        f"{at_64[0]:.2f} s over values and {at_64[1]:.2f} s over tasks, "
        f"{model.here(each * 64):.2f} s of it in the scheduler, which handles one after another: "
        f"{names[int(at_64.argmax())]} dominate. (With a task for each of 1,000 partitions it "
        f"would take {apart.sum():.2f} s.) Time falls up to {best:,.0f} workers, to {least:.2f} s; "
        "beyond that every worker costs the scheduler more than it saves, and the way on would be "
        "to add sums up on the workers first. Messages are no limit: "
        f"{each * 64 * model.message / 1e6:.1f} MB a sweep for 64 workers, each of which holds "
        f"{8 * n / 64 / 1e6:,.0f} MB of values."
    )


if __name__ == "__main__":
    main()

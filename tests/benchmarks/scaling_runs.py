"""Time, traffic and memory of data in partitions, measured, and a cost model; see `scaling`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from gmmcompare.data.partitions.grid import PartitionedSample
from gmmcompare.data.partitions.pieces import PartitionedFiles
from gmmcompare.engines.base import Draws, Problem
from gmmcompare.engines.em.partitioned import PartitionedEmEngine
from gmmcompare.engines.gibbs.partitioned import PartitionedGibbsEngine, allocation_sums
from gmmcompare.model.card import EmSettings, GibbsSettings
from gmmcompare.model.mixture import simulate
from gmmcompare.model.params import Params
from gmmcompare.model.priors import Priors
from gmmcompare.runtime.tasks import OnDask, on_dask
from gmmcompare.runtime.tasks.cluster import open_client
from gmmcompare.workflows.partitions import open_partitions
from tests.benchmarks.growth import TRUTH

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
    sample = open_partitions(
        PartitionedFiles.find(folder / str(files) / "*.parquet"), 3, OnDask(client)
    )
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
        sample = open_partitions(PartitionedFiles.find(folder / str(FILES[0]) / "*.parquet"), 3)
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

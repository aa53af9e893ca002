"""Time, traffic and memory of data in partitions, and a cost model held to the measurements.

``python -m tests.benchmarks.scaling`` writes ``reports/scaling.md``.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from gmmcompare.card import EmSettings, GibbsSettings
from gmmcompare.cluster import open_client
from gmmcompare.engines.base import Draws, Problem
from gmmcompare.engines.em_partitioned import PartitionedEmEngine
from gmmcompare.engines.gibbs_partitioned import PartitionedGibbsEngine, allocation_sums
from gmmcompare.grid import PartitionedSample
from gmmcompare.mixture import simulate
from gmmcompare.params import Params
from gmmcompare.placement import place
from gmmcompare.priors import Priors
from gmmcompare.run import versions
from gmmcompare.survey import open_partitions
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


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="gmmcompare-scaling-") as name:
        folder = Path(name)
        write_stars(folder, max(FILES))
        fits = {workers: measure(folder, workers) for workers in WORKERS}
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
    sent: float  # bytes through the loopback a sweep
    held: float  # bytes of a partition's values, counts and tiles, a value
    peak: float  # bytes of the largest worker's memory
    em: tuple[int, float] | None  # passes over the data, seconds


def measure(folder: Path, workers: int) -> list[Measured]:
    """Measure every size on so many workers, the largest with EM to convergence."""
    found = []
    with open_client(workers, None, MEMORY) as client:
        for files in FILES:
            client.run(_forget_peak)
            started = time.perf_counter()
            sample = open_partitions(folder / str(files) / "*.parquet", 3, client=client)
            opening = time.perf_counter() - started
            gibbs(sample, 2)  # loads compiled code
            before = sum(client.run(time.process_time).values())
            moved = Loopback()
            sweeps = SWEEPS.get(files, OTHER_SWEEPS)
            times = gibbs(sample, sweeps, moved.mark)
            busy = sum(client.run(time.process_time).values()) - before
            held = sum(sample.placement.collect(_bytes_held)) / sample.n
            em = climb(sample) if (files, workers) == (max(FILES), max(WORKERS)) else None
            found.append(
                Measured(
                    sample.n,
                    sample.placement.size,
                    workers,
                    opening,
                    float(np.min(times)),
                    float(np.median(times)),
                    busy / sweeps,
                    moved.least(),
                    held,
                    max(client.run(_peak_memory).values()),
                    em,
                )
            )
            print(found[-1], file=sys.stderr)
            del sample  # the workers forget its partitions
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


def climb(sample: PartitionedSample) -> tuple[int, float]:
    """Run EM to convergence; return the passes over all data and their seconds."""
    passes: list[float] = []

    def progress(fraction: float) -> None:
        passes.append(fraction)
        _show("em", sample.n, fraction)

    point = PartitionedEmEngine(EmSettings()).run(Problem(sample, 3, Priors()), 4, progress)
    assert point.status == "ok"
    return len(passes) - 1, point.seconds.sample


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
    """Seconds of a value, a task and a round of tasks in a sweep; bytes of a task."""

    value: float
    task: float
    round: float
    message: float

    @classmethod
    def measured(cls, folder: Path) -> Model:
        """Measure each term on its own."""
        sample = open_partitions(folder / str(FILES[0]) / "*.parquet", 3)
        seconds = min(
            min(sample.placement.collect(_processor_seconds, TRUTH_IN_CHAIN)) for _ in range(5)
        )
        rounds, sizes = [], []
        with open_client(1, None, MEMORY) as client:
            for tasks in TASKS:
                empty = place(list(range(tasks)), client).then(_nothing)
                empty.collect(_sums_of_nothing, 4, 0, TRUTH_IN_CHAIN)
                times, moved = [], Loopback()
                for sweep in range(30):
                    started = time.perf_counter()
                    empty.collect(_sums_of_nothing, 4, sweep, TRUTH_IN_CHAIN)
                    times.append(time.perf_counter() - started)
                    moved.mark()
                rounds.append(float(np.min(times)))
                sizes.append(moved.least())
        task, first = np.polyfit(TASKS, rounds, 1)
        message = np.polyfit(TASKS, sizes, 1)[0]
        print(seconds / ROWS, rounds, sizes, file=sys.stderr)
        return cls(seconds / ROWS, float(task), max(float(first), 0.0), float(message))

    def terms(self, n: float, workers: int, partitions: int, chains: int = 1) -> np.ndarray:
        """Return seconds of a sweep of all chains: over values, over tasks, and of the round."""
        busiest = np.ceil(partitions / workers) / partitions  # share of the data
        return np.array([self.value * n * chains * busiest, self.task * partitions, self.round])


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
        "| workers | N | partitions | opening, s | sweep, fastest, ms | median, ms "
        "| processor time, ns a value | sent a sweep, kB | held, bytes a value "
        "| peak of a worker, MB |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for workers, rows in fits.items():
        for r in rows:
            yield (
                f"| {workers} | {r.n:,} | {r.partitions} | {r.opening:.1f} | {1e3 * r.sweep:,.0f} "
                f"| {1e3 * r.middle:,.0f} | {1e9 * r.busy / r.n:.1f} | {r.sent / 1e3:,.1f} "
                f"| {r.held:.2f} | {r.peak / 1e6:,.0f} |"
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
            f"EM on {r.n:,} values, {r.workers} workers: converged (score below 1e-8 N) after "
            f"{r.em[0]} passes over all data in {r.em[1]:.0f} s, standard errors included."
        )
    yield ""


def _model_check(fits: dict[int, list[Measured]], model: Model) -> Iterator[str]:
    yield "## Cost model"
    yield ""
    yield (
        "A sweep takes *value* x N x chains / workers + *task* x partitions + *round*, each "
        "measured on its own: the processor time of one partition of a million in this process; "
        f"and the time of rounds of {', '.join(map(str, TASKS))} tasks that do nothing. The worker "
        "with most partitions counts."
    )
    yield ""
    yield "| value | task | round | bytes a task |"
    yield "|---|---|---|---|"
    yield (
        f"| {1e9 * model.value:.2f} ns | {1e3 * model.task:.3f} ms | {1e3 * model.round:.2f} ms "
        f"| {model.message:,.0f} |"
    )
    yield ""
    yield "| workers | N | predicted, ms | measured, fastest, ms | measured / predicted |"
    yield "|---|---|---|---|---|"
    for workers, rows in fits.items():
        for r in rows:
            predicted = float(model.terms(r.n, workers, r.partitions, CHAINS).sum())
            yield (
                f"| {workers} | {r.n:,} | {1e3 * predicted:,.0f} | {1e3 * r.sweep:,.0f} "
                f"| {r.sweep / predicted:.2f} |"
            )
    yield ""


def _extrapolation(model: Model) -> Iterator[str]:
    n, chains = 1e9, 4
    yield "## 1e9 values, 4 chains"
    yield ""
    yield (
        "Extrapolated by the model. All chains of a partition are one task, so that chains cost "
        "values and not tasks."
    )
    yield ""
    yield "| workers | partitions | values, s | tasks, s | round, s | sweep, s | dominant |"
    yield "|---|---|---|---|---|---|---|"
    names = ("values", "tasks", "round")
    for workers in (1, 16, 64, 256, 1024):
        for partitions in (1000, 4 * workers):
            terms = model.terms(n, workers, partitions, chains)
            cells = " | ".join(f"{t:.3g}" for t in terms)
            yield (
                f"| {workers} | {partitions} | {cells} | {terms.sum():.3g} "
                f"| {names[int(terms.argmax())]} |"
            )
    yield ""
    at_64 = model.terms(n, 64, 1000, chains)
    fixed = at_64[1] + at_64[2]
    stops = model.value * n * chains / fixed
    best = np.sqrt(model.value * n * chains / (4 * model.task))
    yield (
        f"With 64 workers and 1,000 partitions of a million a sweep takes {at_64.sum():.2f} s: "
        f"{at_64[0]:.2f} s over values and {fixed:.2f} s in the scheduler, which handles one task "
        f"after another. Beyond {stops:,.0f} workers the scheduler takes longer than the workers, "
        "and more of them do not help. With four partitions for each worker instead, time falls "
        f"up to {best:,.0f} workers, where a sweep takes "
        f"{model.terms(n, round(best), round(4 * best), chains).sum():.2f} s: so write row groups "
        f"of N / (4 x workers) values, {n / 256:,.0f} for 64. Messages are no limit: "
        f"{1000 * model.message / 1e6:.1f} MB a sweep for 1,000 partitions. A worker holds "
        f"{8 * n / 64 / 1e6:,.0f} MB of values."
    )


if __name__ == "__main__":
    main()

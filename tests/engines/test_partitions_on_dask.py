"""The same draws on any number of Dask workers, also when one is killed; errors in one line."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

distributed = pytest.importorskip("distributed")

import dask  # noqa: E402
from partitioned import values, write_parquet  # noqa: E402

from gmmcompare.data.partitions.pieces import PartitionedFiles  # noqa: E402
from gmmcompare.engines.base import Problem, no_progress  # noqa: E402
from gmmcompare.engines.checkpoint import Checkpoint  # noqa: E402
from gmmcompare.engines.em.partitioned import PartitionedEmEngine  # noqa: E402
from gmmcompare.engines.gibbs.partitioned import PartitionedGibbsEngine  # noqa: E402
from gmmcompare.model.card import EmSettings, GibbsSettings  # noqa: E402
from gmmcompare.model.params import Params  # noqa: E402
from gmmcompare.model.priors import Priors  # noqa: E402
from gmmcompare.runtime.errors import EngineError, InputError  # noqa: E402
from gmmcompare.runtime.progress import Step  # noqa: E402
from gmmcompare.runtime.tasks import OnDask, Tasks, open_tasks  # noqa: E402
from gmmcompare.runtime.tasks.cluster import open_client  # noqa: E402
from gmmcompare.runtime.tasks.on_dask import TASKS_PER_THREAD  # noqa: E402
from gmmcompare.workflows.partitions import open_partitions  # noqa: E402

pytestmark = pytest.mark.slow

SETTINGS = GibbsSettings(chains=2, warmup=5, draws=20)


@pytest.fixture(scope="module")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Eleven partitions, more than there are tasks on two workers."""
    return write_parquet(tmp_path_factory.mktemp("stars"), values(11_000), 11)


@pytest.fixture(scope="module")
def two_workers() -> Iterator[Any]:
    with open_client(2, None) as client:
        yield client


def gibbs(
    pattern: str,
    tasks: Tasks | None,
    progress: Step = no_progress,
    checkpoint: Checkpoint | None = None,
) -> Params:
    sample = open_partitions(PartitionedFiles.find(pattern), 3, tasks)
    engine = PartitionedGibbsEngine(SETTINGS, checkpoint)
    return engine.run(Problem(sample, 3, Priors()), 3, progress).params


def assert_equal(a: Params, b: Params) -> None:
    for one, other in zip(a, b, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.fixture(scope="module")
def here(pattern: str) -> Params:
    return gibbs(pattern, None)


def test_one_worker_makes_the_draws_made_here(pattern, here):
    with open_tasks(1) as one_worker:
        assert_equal(gibbs(pattern, one_worker), here)


def test_two_workers_make_the_draws_made_here(pattern, here, two_workers):
    assert_equal(gibbs(pattern, OnDask(two_workers)), here)


def test_the_draws_stay_when_a_worker_is_killed(pattern, here, two_workers):
    killed: list[int] = []

    def kill_one(fraction: float) -> None:
        if not killed and fraction > 0.4:
            where = two_workers.has_what()
            holder = max(where, key=lambda worker: len(where[worker]))
            assert where[holder]  # so that partitions are lost
            killed.append(two_workers.run(os.getpid)[holder])
            os.kill(killed[0], signal.SIGKILL)

    assert_equal(gibbs(pattern, OnDask(two_workers), kill_one), here)
    assert killed


def test_workers_keep_partitions_and_nothing_else(pattern, two_workers):
    two_workers.wait_for_workers(2)  # one may have been killed just before
    sample = open_partitions(PartitionedFiles.find(pattern), 3, OnDask(two_workers))
    tasks = 2 * TASKS_PER_THREAD
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        kept = [key for keys in two_workers.has_what().values() for key in keys]
        if len(kept) == tasks:
            break
        time.sleep(0.1)
    assert len(kept) == tasks
    assert sample.partitions.size == 11


def test_em_climbs_to_the_same_point_on_workers(pattern, two_workers):
    def em(tasks: Tasks | None) -> Params:
        sample = open_partitions(PartitionedFiles.find(pattern), 3, tasks)
        problem = Problem(sample, 3, Priors())
        return PartitionedEmEngine(EmSettings(starts=4)).run(problem, 3, no_progress).params

    assert_equal(em(OnDask(two_workers)), em(None))


def test_a_bad_file_is_named_from_a_worker_too(tmp_path, two_workers):
    pattern = write_parquet(tmp_path, values(3000), 3)
    path = tmp_path / "001.parquet"
    path.write_bytes(path.read_bytes()[:4] + bytes(20_000) + path.read_bytes()[20_004:])
    with pytest.raises(InputError, match=re.escape(str(path))):
        open_partitions(PartitionedFiles.find(pattern, "mag"), 3, OnDask(two_workers))


def hungry(item: str, index: int) -> list[np.ndarray]:
    taken: list[np.ndarray] = []
    while index == 1:
        taken.append(np.ones(2_000_000))
        time.sleep(0.01)
    return taken


def test_a_partition_too_large_for_a_worker_is_named():
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        open_tasks(1, memory="400MB") as tasks,
    ):
        held = tasks.hold(["a.parquet", "b.parquet"]).then(hungry)
        with pytest.raises(EngineError, match=r"[ab].parquet: workers were killed .*; give them"):
            held.collect(hungry)


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Start a scheduler and a worker in processes of their own."""
    told = tmp_path / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    module = [sys.executable, "-m"]
    head = subprocess.Popen(
        [*module, "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0",
         "--no-dashboard", "--scheduler-file", str(told)], **quiet
    )  # fmt: skip
    worker = subprocess.Popen(
        [*module, "distributed.cli.dask_worker", "--scheduler-file", str(told), "--nthreads", "1",
         "--no-dashboard", "--no-nanny", "--death-timeout", "60"], **quiet
    )  # fmt: skip
    try:
        with distributed.Client(scheduler_file=str(told), timeout=60) as client:
            client.wait_for_workers(1, timeout=60)
            address = client.scheduler.address
        yield address, head
    finally:
        for process in (worker, head):
            process.kill()
            process.wait()


def test_a_run_whose_scheduler_goes_away_goes_on_later(pattern, here, scheduler, tmp_path, capfd):
    address, head = scheduler
    path = tmp_path / "gibbs.checkpoint.npz"

    def kill_scheduler(fraction: float) -> None:
        if fraction > 0.4:
            head.kill()
            head.wait()

    with (
        dask.config.set({"distributed.comm.timeouts.connect": "1s"}),
        open_tasks(scheduler=address) as tasks,
        pytest.raises(EngineError, match=r"scheduler went away .* goes on from its last"),
    ):
        gibbs(pattern, tasks, kill_scheduler, Checkpoint(path, "key", every=0.0))
    assert not capfd.readouterr().err  # the error's one line is all there is to say
    done: list[float] = []
    assert_equal(gibbs(pattern, None, done.append, Checkpoint(path, "key")), here)
    assert done[0] > 0.4

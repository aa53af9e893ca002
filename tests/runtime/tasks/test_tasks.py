"""Tasks give the same results wherever they run, and none is dropped in silence."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import errands
import pytest

from gmmcompare.runtime.errors import InputError
from gmmcompare.runtime.tasks import (
    InProcess,
    OnDask,
    OutOfTimeError,
    Processes,
    TaskError,
    Tasks,
    in_order,
    open_tasks,
)
from gmmcompare.runtime.tasks.base import RETRIES
from gmmcompare.runtime.tasks.on_dask import MOST_FAILED


@pytest.fixture(scope="module")
def dask() -> Iterator[Tasks]:
    with open_tasks(workers=2) as tasks:
        yield tasks


@pytest.fixture(params=["here", "processes", "dask"])
def tasks(request: pytest.FixtureRequest) -> Tasks:
    if request.param == "dask":
        return request.getfixturevalue("dask")
    return InProcess() if request.param == "here" else Processes(2)


def test_each_option_names_a_place() -> None:
    with open_tasks() as here, open_tasks(jobs=3) as processes:
        assert isinstance(here, InProcess)
        assert isinstance(processes, Processes)
        assert (here.width, processes.width) == (1, 3)


def test_results_come_with_their_index(tasks: Tasks) -> None:
    items = [5, 3, 8, 1] * 6
    assert sorted(tasks.run(errands.square, items)) == [(i, x * x) for i, x in enumerate(items)]
    assert list(in_order(tasks.run(errands.square, items))) == [x * x for x in items]
    assert list(tasks.run(errands.square, [])) == []


def test_results_in_order_wait_for_those_before() -> None:
    given = iter([(2, "c"), (0, "a"), (1, "b"), (3, "d")])
    results = in_order(given)
    assert next(results) == "a"
    assert next(given) == (1, "b")  # only what came before the first was asked for
    assert list(in_order(iter([(1, "b"), (0, "a")]))) == ["a", "b"]


def test_an_error_for_the_user_is_raised_as_it_is(tasks: Tasks) -> None:
    with pytest.raises(InputError, match=r"^three: is not allowed; give another$"):
        list(tasks.run(errands.refuse_three, range(6)))


def test_tasks_left_early_do_not_answer_later_ones(tasks: Tasks) -> None:
    results = tasks.run(errands.square, range(100))
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert sorted(tasks.run(errands.square, [7])) == [(0, 49)]


def test_time_is_limited(tasks: Tasks) -> None:
    began = time.monotonic()
    with pytest.raises(OutOfTimeError):
        list(tasks.run(errands.nap, range(200), deadline=began + 0.5))
    assert time.monotonic() - began < 30.0


def test_a_task_that_times_out_is_not_the_end_of_the_time_allowed(tasks: Tasks) -> None:
    with pytest.raises((TimeoutError, TaskError), match="no answer"):
        list(tasks.run(errands.hang_up, [1], deadline=time.monotonic() + 600.0))


def test_functions_go_to_what_is_held(tasks: Tasks) -> None:
    held = tasks.hold(range(100, 111))
    assert held.size == 11
    once = held.then(errands.indexed_sum, 5)
    assert once.size == 11
    assert once.collect(errands.last) == list(range(105, 116))
    twice = once.then(errands.last).collect(errands.indexed_sum, 1)
    assert twice == [[105 + i, i, 106 + i] for i in range(11)]
    assert tasks.memory > 1e6


@pytest.mark.parametrize("place", ["here", "dask"])
def test_progress_is_told(place: str, request: pytest.FixtureRequest) -> None:
    tasks = InProcess() if place == "here" else request.getfixturevalue("dask")
    seen: list[tuple[int, float]] = []
    dict(tasks.run(errands.slow_square, range(2), watch=lambda *told: seen.append(told)))
    assert {index for index, _ in seen} == {0, 1}
    assert max(fraction for _, fraction in seen) > 0.0


def test_a_task_that_fails_is_tried_again(dask: Tasks, tmp_path: Path) -> None:
    assert dict(dask.run(errands.fail_once, [tmp_path / "a"])) == {0: RETRIES + 1}


def test_a_task_that_always_fails_is_reported_after_the_others(dask: Tasks) -> None:
    results = dask.run(errands.fail_on_three, range(20))
    assert sorted(islice(results, 19)) == [(i, i) for i in range(20) if i != 3]
    with pytest.raises(TaskError, match=r"1 of 20 tasks failed .* task 3: ValueError: three"):
        next(results)


def test_where_all_fail_not_all_are_tried(dask: Tasks) -> None:
    with pytest.raises(TaskError, match=f"{MOST_FAILED + 1} of 500 tasks failed"):
        list(dask.run(errands.fail, range(500)))


@pytest.mark.parametrize("place", ["processes", "dask"])
def test_tasks_of_a_process_that_was_killed_run_again(
    place: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    tasks = Processes(2) if place == "processes" else request.getfixturevalue("dask")
    names = ["a", "b", "deadly", "c", "d", "e"]
    found = tasks.run(errands.die_once, [tmp_path / name for name in names])
    assert list(in_order(found)) == names
    assert (tmp_path / "deadly").exists()


def test_processes_that_always_die_are_reported() -> None:
    with pytest.raises(TaskError, match=r"a process ended without an answer, 3 times; .* of 4"):
        list(Processes(2).run(errands.always_die, range(4)))


def test_workers_are_tidied_up(dask: Tasks) -> None:
    dask._client.wait_for_workers(2)  # type: ignore[attr-defined]  # one was killed just before
    dask.everywhere(errands.keep, "x")
    for _, found in dask.run(errands.kept, range(8)):
        assert found == ["x"]


@pytest.mark.slow
def test_a_cluster_that_goes_away_is_reported(tmp_path: Path) -> None:
    script = tmp_path / "scheduler.py"
    script.write_text(
        "from distributed import LocalCluster\n"
        "if __name__ == '__main__':\n"
        "    cluster = LocalCluster(n_workers=1, dashboard_address=None, host='127.0.0.1')\n"
        "    print(cluster.scheduler_address, flush=True)\n"
        "    input()\n"
    )
    command = [sys.executable, str(script)]
    paths = [str(Path(errands.__file__).parent), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
    ) as cluster:
        assert cluster.stdout is not None
        address = cluster.stdout.readline().strip()
        with open_tasks(scheduler=address) as tasks:
            assert isinstance(tasks, OnDask)
            results = tasks.run(errands.nap, range(50))
            next(results)
            cluster.kill()
            with pytest.raises(TaskError, match="the cluster is gone"):
                list(results)

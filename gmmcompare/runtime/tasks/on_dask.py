"""Work on the workers of a Dask cluster."""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from typing import TYPE_CHECKING, Any

import cloudpickle

from gmmcompare.runtime.errors import GmmCompareError
from gmmcompare.runtime.progress import Step, no_progress
from gmmcompare.runtime.tasks.base import (
    RETRIES,
    TaskError,
    Watch,
    in_time,
    one_line,
    seconds_left,
)
from gmmcompare.runtime.tasks.cluster import cluster_lost
from gmmcompare.runtime.tasks.held import HeldOnDask

if TYPE_CHECKING:
    from distributed import Client, Future

TASKS_PER_THREAD = 4
"""Enough for all to have about the same to do, and for none to wait for its next task."""
MOST_FAILED = 10
"""Failed tasks after which the others are not waited for."""
_SECONDS_BETWEEN_REPORTS = 0.2


class OnDask:
    """Tasks and data on the workers of a cluster.

    A task that fails is tried again, elsewhere if its worker died.

    Parameters
    ----------
    client : distributed.Client
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    @property
    def width(self) -> int:
        """Threads of all workers, now."""
        threads: Mapping[str, int] = self._client.nthreads()
        return max(1, sum(threads.values()))

    @property
    def memory(self) -> float:
        """Bytes of memory of all workers together; infinite where they have no limit."""
        workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        limits = [worker["memory_limit"] for worker in workers]
        return float(sum(limits)) if all(limits) else math.inf

    def run[Item, Result](
        self,
        function: Callable[[Item, Step], Result],
        items: Sequence[Item],
        *,
        watch: Watch = no_progress,
        deadline: float = math.inf,
    ) -> Iterator[tuple[int, Result]]:
        """Yield results. A few tasks for each thread are under way at a time.

        Parameters
        ----------
        function, items, watch, deadline
            As for `Tasks.run`.
        """
        from distributed import as_completed

        finished = as_completed(loop=self._client.loop, timeout=seconds_left(deadline))
        name = f"{function.__name__}-{uuid.uuid4().hex}"
        waiting = iter(enumerate(items))
        running: dict[Future, int] = {}
        failed: list[str] = []

        def send(n: int) -> None:
            for index, item in islice(waiting, n):
                # Pickled here, so that what does not pickle is told by its own error, not Dask's.
                task = cloudpickle.dumps((function, item))
                future = self._client.submit(
                    _attempt, task, topic, index,
                    key=f"{name}-{index}", retries=RETRIES, pure=False,
                )  # fmt: skip
                running[future] = index
                finished.add(future)

        with cluster_lost(self._client, TaskError), self._listening(watch) as topic:
            try:
                send(TASKS_PER_THREAD * self.width)
                for future in in_time(finished):
                    index, failure = running.pop(future), future.exception()
                    if failure is None:
                        value, error = future.result()
                        send(1)
                        if error is not None:
                            raise error
                        yield index, value
                    else:
                        failed.append(
                            f"task {index}: {type(failure).__name__}: {one_line(failure)}"
                        )
                        if len(failed) > MOST_FAILED:
                            break
                        send(1)
            finally:
                self._cancel(list(running))
        if failed:
            raise TaskError(
                f"{len(failed)} of {len(items)} tasks failed on the cluster every time they were "
                f"tried, the first: {failed[0]}; what is finished is kept: give the command again "
                "to try these again"
            )

    def hold(self, items: Sequence[Any]) -> HeldOnDask:
        """Return items that go out with the first function of them."""
        return HeldOnDask.of(items, self._client, TASKS_PER_THREAD * self.width)

    def everywhere(self, function: Callable[[str], Any], argument: str) -> None:
        """Call a function once on every worker."""
        self._client.run(function, argument)

    @contextmanager
    def _listening(self, watch: Watch) -> Iterator[str]:
        """Yield the topic on which tasks tell their progress; none where nobody listens."""
        if watch is no_progress:
            yield ""
            return
        topic = f"gmmcompare-{uuid.uuid4().hex}"
        self._client.subscribe_topic(topic, lambda event: watch(*event[1]))
        try:
            yield topic
        finally:
            self._client.unsubscribe_topic(topic)

    def _cancel(self, futures: list[Future]) -> None:
        """Drop what is under way; a task that has begun ends by itself."""
        if futures:
            with suppress(Exception):  # where the cluster is gone there is nothing to cancel
                self._client.cancel(futures, reason="no longer wanted")


def _attempt(task: bytes, topic: str, index: int) -> tuple[Any, GmmCompareError | None]:
    """Do one task on a worker; an error meant for the user is an answer, and not tried again."""
    function, item = cloudpickle.loads(task)
    report = _reporter(topic, index)
    report(0.0)
    try:
        return function(item, report), None
    except GmmCompareError as error:
        return None, error


def _reporter(topic: str, index: int) -> Step:
    """Return what sends a task's progress to the client, a few times a second."""
    if not topic:
        return lambda fraction: None
    from distributed import get_worker

    worker = get_worker()
    last = 0.0

    def report(fraction: float) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last > _SECONDS_BETWEEN_REPORTS:
            last = now
            worker.log_event(topic, (index, fraction))

    return report

"""Tasks on the workers of a Dask cluster."""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from itertools import islice
from typing import TYPE_CHECKING, Any

import cloudpickle

from gmmcompare.runtime.errors import GmmCompareError
from gmmcompare.runtime.tasks.base import (
    RETRIES,
    OutOfTimeError,
    Progress,
    TaskError,
    Watch,
    check_time,
    ignore,
)

if TYPE_CHECKING:
    from distributed import Client, Future

MOST_FAILED = 10
"""Failed tasks after which the others are not waited for."""
_IN_FLIGHT = 4
_SECONDS_BETWEEN_REPORTS = 0.2


class OnDask:
    """Tasks on the workers of a cluster.

    A task that fails is tried again, elsewhere if its worker died; a few more tasks than there are
    workers are under way, so that none waits for the next.

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

    def run[Item, Result](
        self,
        function: Callable[[Item, Progress], Result],
        items: Sequence[Item],
        *,
        watch: Watch = ignore,
        deadline: float = math.inf,
    ) -> Iterator[tuple[int, Result]]:
        """Yield results; see `Tasks.run`."""
        with self._watching(watch) as topic:
            under_way = _UnderWay(self._client, function, items, topic, deadline)
            try:
                under_way.submit(_IN_FLIGHT * self.width)
                while under_way:
                    yield from under_way.next()
                under_way.raise_failures()
            finally:
                under_way.cancel()

    def everywhere(self, function: Callable[[str], Any], argument: str) -> None:
        """Call a function once on every worker."""
        self._client.run(function, argument)

    @contextmanager
    def _watching(self, watch: Watch) -> Iterator[str]:
        """Yield the topic on which tasks tell their progress; none where nobody listens."""
        if watch is ignore:
            yield ""
            return
        topic = f"gmmcompare-{uuid.uuid4().hex}"
        self._client.subscribe_topic(topic, lambda event: watch(*event[1]))
        try:
            yield topic
        finally:
            self._client.unsubscribe_topic(topic)


class _UnderWay:
    """The tasks of one run that are on the cluster, and those that wait for their turn."""

    def __init__(
        self,
        client: Client,
        function: Callable[..., Any],
        items: Sequence[Any],
        topic: str,
        deadline: float,
    ) -> None:
        from distributed import as_completed as as_completed_on_dask

        check_time(deadline)
        self._client, self._function, self._topic = client, function, topic
        self._waiting = iter(enumerate(items))
        self._total = len(items)
        self._key = f"{function.__name__}-{uuid.uuid4().hex}"
        self._running: dict[str, tuple[int, Future]] = {}
        self._failed: list[str] = []
        left = None if math.isinf(deadline) else deadline - time.monotonic()
        self._finished = as_completed_on_dask(timeout=left)

    def __len__(self) -> int:
        return len(self._running)

    def submit(self, n: int) -> None:
        """Send at most n tasks."""
        for index, item in islice(self._waiting, n):
            # Pickled here, so that what does not pickle is told by its own error, not by Dask's.
            task = cloudpickle.dumps((self._function, item))
            future = self._client.submit(
                _attempt, task, self._topic, index,
                key=f"{self._key}-{index}", retries=RETRIES, pure=False,
            )  # fmt: skip
            self._running[future.key] = index, future
            self._finished.add(future)

    def next(self) -> Iterator[tuple[int, Any]]:
        """Wait for one task, send another, and yield the result unless the task failed."""
        with _cluster_gone():
            future = next(self._finished)
            index, _ = self._running.pop(future.key)
            failure = future.exception()
            answer = future.result() if failure is None else None
        if failure is not None:
            self._failed.append(f"task {index}: {_one_line(failure)}")
            if len(self._failed) > MOST_FAILED:
                self.raise_failures()
        self.submit(1)
        if answer is not None:
            value, error = answer
            if error is not None:
                raise error
            yield index, value

    def raise_failures(self) -> None:
        """Report the tasks that failed, if any did."""
        if self._failed:
            raise TaskError(
                f"{len(self._failed)} of {self._total} tasks failed on the cluster every time they "
                f"were tried, the first: {self._failed[0]}; what is finished is kept: give the "
                "command again to try these again"
            )

    def cancel(self) -> None:
        """Drop what is under way; a task that has begun ends by itself."""
        futures = [future for _, future in self._running.values()]
        self._running.clear()
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


def _reporter(topic: str, index: int) -> Progress:
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


@contextmanager
def _cluster_gone() -> Iterator[None]:
    """Say in one line that the scheduler no longer answers, or that time is up."""
    try:
        yield
    except TimeoutError:
        raise OutOfTimeError("the time allowed is used up") from None
    except (OSError, CancelledError):
        raise TaskError(
            "the cluster is gone: its scheduler no longer answers; what is finished is kept: give "
            "the command again once it is back"
        ) from None


def _one_line(error: BaseException | None) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"

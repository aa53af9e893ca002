"""Tasks in this process, or on processes of this machine."""

from __future__ import annotations

import math
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import partial
from typing import Any

from gmmcompare.runtime.tasks.base import (
    RETRIES,
    OutOfTimeError,
    Progress,
    TaskError,
    Watch,
    check_time,
    ignore,
)


class InProcess:
    """Tasks one after another, here."""

    width = 1

    def run[Item, Result](
        self,
        function: Callable[[Item, Progress], Result],
        items: Sequence[Item],
        *,
        watch: Watch = ignore,
        deadline: float = math.inf,
    ) -> Iterator[tuple[int, Result]]:
        """Yield results; see `Tasks.run`. An error is raised as it comes: nothing is retried."""
        for index, item in enumerate(items):
            check_time(deadline)
            watch(index, 0.0)
            yield index, function(item, partial(watch, index))

    def everywhere(self, function: Callable[[str], Any], argument: str) -> None:
        """Call a function once, here."""
        function(argument)


class Processes:
    """Tasks on processes of this machine that end with each run; they do not tell progress.

    Parameters
    ----------
    jobs : int
        Number of processes.
    """

    def __init__(self, jobs: int) -> None:
        self.width = jobs

    def run[Item, Result](
        self,
        function: Callable[[Item, Progress], Result],
        items: Sequence[Item],
        *,
        watch: Watch = ignore,
        deadline: float = math.inf,
    ) -> Iterator[tuple[int, Result]]:
        """Yield results; see `Tasks.run`. Only the end of a process makes its tasks run again."""
        left = dict(enumerate(items))
        for _ in range(1 + RETRIES):
            with suppress(BrokenProcessPool):
                for index, result in self._once(function, left, deadline):
                    del left[index]
                    yield index, result
                return
        raise TaskError(
            f"a process ended without an answer, {1 + RETRIES} times; {len(left)} of {len(items)} "
            "tasks are not done: is memory short? try --jobs 1"
        )

    def _once[Item, Result](
        self, function: Callable[[Item, Progress], Result], left: dict[int, Item], deadline: float
    ) -> Iterator[tuple[int, Result]]:
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(self.width, mp_context=context)
        try:
            running = {pool.submit(_unwatched, function, left[i]): i for i in left}
            seconds = None if math.isinf(deadline) else max(0.0, deadline - time.monotonic())
            for future in as_completed(running, seconds):
                yield running[future], future.result()
        except TimeoutError:
            raise OutOfTimeError("the time allowed is used up") from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def everywhere(self, function: Callable[[str], Any], argument: str) -> None:
        """Do nothing: the processes have ended."""


def _unwatched[Item, Result](function: Callable[[Item, Progress], Result], item: Item) -> Result:
    return function(item, lambda fraction: None)

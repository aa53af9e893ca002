"""Work in this process, or on processes of this machine."""

from __future__ import annotations

import math
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import partial
from typing import Any

from gmmcompare.runtime.progress import Step, no_progress
from gmmcompare.runtime.tasks.base import (
    RETRIES,
    TaskError,
    Watch,
    in_time,
    seconds_left,
)
from gmmcompare.runtime.tasks.held import HeldHere


class InProcess:
    """Tasks one after another, here; one thread for each core works on what is held."""

    width = 1

    @property
    def memory(self) -> float:
        """Bytes of memory of this machine."""
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))

    def run[Item, Result](
        self,
        function: Callable[[Item, Step], Result],
        items: Sequence[Item],
        *,
        watch: Watch = no_progress,
        deadline: float = math.inf,
    ) -> Iterator[tuple[int, Result]]:
        """Yield results. An error is raised as it comes: nothing is retried.

        Parameters
        ----------
        function, items, watch, deadline
            As for `Tasks.run`.
        """
        for index, item in enumerate(items):
            seconds_left(deadline)
            watch(index, 0.0)
            yield index, function(item, partial(watch, index))

    def hold(self, items: Sequence[Any]) -> HeldHere:
        """Return items that stay in this process."""
        return HeldHere(list(items))

    def everywhere(self, function: Callable[[str], Any], argument: str) -> None:
        """Call a function once, here."""
        function(argument)


class Processes(InProcess):
    """Tasks on processes of this machine that end with each run; they do not tell progress.

    What is held is held in this process.

    Parameters
    ----------
    jobs : int
        Number of processes.
    """

    def __init__(self, jobs: int) -> None:
        self.width = jobs

    def run[Item, Result](
        self,
        function: Callable[[Item, Step], Result],
        items: Sequence[Item],
        *,
        watch: Watch = no_progress,
        deadline: float = math.inf,
    ) -> Iterator[tuple[int, Result]]:
        """Yield results. Only the end of a process makes its tasks run again.

        Parameters
        ----------
        function, items, watch, deadline
            As for `Tasks.run`.
        """
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
        self, function: Callable[[Item, Step], Result], left: dict[int, Item], deadline: float
    ) -> Iterator[tuple[int, Result]]:
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(self.width, mp_context=context)
        try:
            running = {pool.submit(_unwatched, function, left[i]): i for i in left}
            for future in in_time(as_completed(running, seconds_left(deadline))):
                yield running.pop(future), future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def everywhere(self, function: Callable[[str], Any], argument: str) -> None:
        """Do nothing: the processes have ended."""


def _unwatched[Item, Result](function: Callable[[Item, Step], Result], item: Item) -> Result:
    return function(item, lambda fraction: None)

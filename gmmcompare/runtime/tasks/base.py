"""What a place for tasks is, and what can go wrong there."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from gmmcompare.runtime.errors import GmmCompareError

Progress = Callable[[float], None]
"""Called by a task with the fraction of it that is done."""
Watch = Callable[[int, float], None]
"""Called with a task's index and the fraction of it that is done."""

RETRIES = 2
"""How often a task is tried again."""


class TaskError(GmmCompareError):
    """Tasks could not be done where they were sent, through no fault of what they were given."""


class OutOfTimeError(GmmCompareError):
    """The time allowed is used up."""


def ignore(index: int, fraction: float) -> None:
    """Ignore the progress of tasks."""


class Tasks(Protocol):
    """A place where independent tasks run."""

    @property
    def width(self) -> int:
        """How many run at a time."""
        ...

    def run[Item, Result](
        self,
        function: Callable[[Item, Progress], Result],
        items: Sequence[Item],
        *,
        watch: Watch = ignore,
        deadline: float = math.inf,
    ) -> Iterator[tuple[int, Result]]:
        """Yield the index and the result of each task as it finishes.

        An error meant for the user (`GmmCompareError`) is raised as it comes. Leaving early drops
        what has not begun.

        Parameters
        ----------
        function : callable
            ``function(item, progress)``, importable where tasks run.
        items : sequence
            What each task is given; it must pickle.
        watch : callable
            Is told 0 when a task begins and then how far it is, where the place can tell; from any
            thread.
        deadline : float
            ``time.monotonic()`` after which no result is waited for.

        Raises
        ------
        TaskError
            If a task failed every time it was tried; tasks that can be done are done first.
        OutOfTimeError
            If the deadline passes.
        """
        ...

    def everywhere(self, function: Callable[[str], Any], argument: str) -> None:
        """Call a function once wherever tasks ran, to tidy up."""
        ...


def in_order[Result](results: Iterator[tuple[int, Result]]) -> Iterator[Result]:
    """Yield results in the order of their items, keeping those that are early."""
    early: dict[int, Result] = {}
    expected = 0
    for index, result in results:
        early[index] = result
        while expected in early:
            yield early.pop(expected)
            expected += 1


def check_time(deadline: float) -> None:
    """Raise `OutOfTimeError` if the deadline has passed."""
    if time.monotonic() > deadline:
        raise OutOfTimeError("the time allowed is used up")

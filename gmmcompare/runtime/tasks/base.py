"""What a place for work is, and what can go wrong there."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from gmmcompare.runtime.errors import GmmCompareError
from gmmcompare.runtime.progress import Step, no_progress

Watch = Callable[[int, float], None]
"""Called with a task's index and the fraction of it that is done."""

RETRIES = 2
"""How often a task is tried again."""
_TIME_IS_UP = "the time allowed is used up"


class TaskError(GmmCompareError):
    """Tasks could not be done where they were sent, through no fault of what they were given."""


class OutOfTimeError(GmmCompareError):
    """The time allowed is used up."""


class Held(Protocol):
    """Items that stay where they are; ``function(item, index, *arguments)`` goes to them.

    What is computed depends on neither the place nor the number of workers.
    """

    @property
    def size(self) -> int:
        """Number of items."""
        ...

    def then(self, function: Callable[..., Any], *arguments: Any) -> Held:
        """Replace every item, where it is, by a function of it.

        The items it is called on are used up, so that they need not be kept beside the new ones.
        """
        ...

    def collect(self, function: Callable[..., Any], *arguments: Any) -> list[Any]:
        """Return a small function of every item, in the order of the items.

        Raises
        ------
        EngineError
            If the place is lost, or one item is too large for it.
        """
        ...


class Tasks(Protocol):
    """A place where work runs: independent tasks, and functions of data that stay there."""

    @property
    def width(self) -> int:
        """How many tasks run at a time."""
        ...

    @property
    def memory(self) -> float:
        """Bytes of memory for what is held; infinite where workers have no limit."""
        ...

    def run[Item, Result](
        self,
        function: Callable[[Item, Step], Result],
        items: Sequence[Item],
        *,
        watch: Watch = no_progress,
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

    def hold(self, items: Sequence[Any]) -> Held:
        """Return items that stay in this place; their ``str`` names them in messages."""
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


def seconds_left(deadline: float) -> float | None:
    """Return the time until a deadline; None where there is none.

    Raises
    ------
    OutOfTimeError
        If it has passed.
    """
    left = deadline - time.monotonic()
    if left <= 0.0:
        raise OutOfTimeError(_TIME_IS_UP)
    return None if math.isinf(left) else left


def in_time[Future](finished: Iterator[Future]) -> Iterator[Future]:
    """Yield futures as they finish; the end of the time they were given is `OutOfTimeError`."""
    try:
        yield from finished
    except TimeoutError:
        raise OutOfTimeError(_TIME_IS_UP) from None


def one_line(error: BaseException | None) -> str:
    """Return what an error says, or else its name."""
    return " ".join(str(error).split())[:200] or type(error).__name__

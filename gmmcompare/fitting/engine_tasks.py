"""Runs of engines as tasks: in this process one after another, on a cluster at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import NamedTuple

from gmmcompare.engines.base import Draws, Engine, Point, Problem, Progress
from gmmcompare.runtime.errors import EngineError
from gmmcompare.runtime.tasks import Tasks

Show = Callable[[], AbstractContextManager[Progress]]
"""Opens what shows the progress of one run."""

_one_at_a_time = threading.Lock()


class EngineRun(NamedTuple):
    """What a task is given."""

    engine: Engine
    problem: Problem
    seed: int


def run_engines(
    runs: Sequence[EngineRun], shows: Sequence[Show], tasks: Tasks
) -> Iterator[tuple[int, Draws | Point | EngineError]]:
    """Yield the index and the result of each run as it ends; or what went wrong in it.

    Parameters
    ----------
    runs : sequence of EngineRun
    shows : sequence of callable
        For each run a context manager that is open from its beginning to its end and yields what
        to call with the fraction done.
    tasks : Tasks
        Where they run; the draws do not depend on it.
    """
    with _Bars(shows) as bars:
        for index, result in tasks.run(_run, runs, watch=bars.report):
            bars.close(index)
            yield index, result


def _run(what: EngineRun, progress: Progress) -> Draws | Point | EngineError:
    """Run one engine; not two in one process, since they compile and redirect output."""
    with _one_at_a_time:
        try:
            return what.engine.run(what.problem, what.seed, progress)
        except EngineError as error:  # the other runs go on
            return error


class _Bars:
    """Shows each run from when it begins to when it ends, told from any thread."""

    def __init__(self, shows: Sequence[Show]) -> None:
        self._shows = shows
        self._lock = threading.Lock()
        self._open: dict[int, tuple[ExitStack, Progress]] = {}
        self._closed: set[int] = set()

    def report(self, index: int, fraction: float) -> None:
        """Show how far a run is; news of one that has ended come late and are dropped."""
        with self._lock:
            if index in self._closed:
                return
            if index not in self._open:
                stack = ExitStack()
                self._open[index] = stack, stack.enter_context(self._shows[index]())
            self._open[index][1](fraction)

    def close(self, index: int) -> None:
        """Show that a run has ended."""
        self.report(index, 1.0)
        with self._lock:
            self._closed.add(index)
            stack, _ = self._open.pop(index)
        stack.close()

    def __enter__(self) -> _Bars:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        place: TracebackType | None,
    ) -> None:
        with self._lock:
            self._closed.update(range(len(self._shows)))
            left = [stack for stack, _ in self._open.values()]
            self._open.clear()
        for stack in left:
            stack.__exit__(kind, error, place)

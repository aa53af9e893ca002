"""A sandbox whose child processes are on workers elsewhere: each keeps one, for one sampler.

What a worker does with a task is what this machine would do: hand it to a child process that holds
the user's code, with a time limit for every call. Blocks of replicates carry their own seeds, so
the results are the same number for number.
"""

from __future__ import annotations

import math
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import batched
from types import TracebackType
from typing import Any, NamedTuple

from gmmcompare.runtime.errors import GmmCompareError
from gmmcompare.runtime.progress import Step
from gmmcompare.runtime.tasks import Tasks, in_order
from gmmcompare.validation.sandbox.child import Task
from gmmcompare.validation.sandbox.sandbox import Sandbox
from gmmcompare.validation.sandbox.target import Target

_TURNS = 8
"""A worker gets its tasks in at least so many turns, so that all end at about the same time."""
_MOST_TOGETHER = 10
"""Tasks sent together: a replicate may take a tenth of what sending it alone takes."""


class SpreadSandbox(Sandbox):
    """A sandbox that sends several tasks elsewhere; a single one it does here.

    Parameters
    ----------
    target : Target
        A file of the user's is sent along, for workers that do not have it.
    place : Tasks
        Where tasks run.
    call_limit, deadline
        As for `Sandbox`.
    """

    def __init__(
        self, target: Target, place: Tasks, call_limit: float, deadline: float = math.inf
    ) -> None:
        super().__init__(target, 1, call_limit, deadline)
        self._place, self._sent = place, target.with_source()
        self._key = uuid.uuid4().hex
        self._printed = ""
        self._stay_here = False

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        place: TracebackType | None,
    ) -> None:
        with suppress(Exception):  # where the cluster is gone, so are its children
            self._place.everywhere(close_kept, self._key)
        super().__exit__(kind, error, place)

    @property
    def printed(self) -> str:
        """What the user's code printed so far, here and elsewhere."""
        return super().printed + self._printed

    def restrict(self, jobs: int) -> None:
        """Stay in one process: copies of a sampler with a stream of its own would repeat it."""
        super().restrict(jobs)
        self._stay_here = True

    def run(self, tasks: Sequence[Task]) -> Iterator[Any]:
        """Do tasks and yield their results in order; see `Sandbox.run`.

        Raises
        ------
        TaskError
            If workers fail for reasons that are not the sampler's.
        """
        if self._stay_here or len(tasks) < 2:
            yield from super().run(tasks)
            return
        size = min(_MOST_TOGETHER, max(1, len(tasks) // (_TURNS * self._place.width)))
        errands = [
            _Errand(self._key, self._sent, self.call_limit, some) for some in batched(tasks, size)
        ]
        for done in in_order(self._place.run(do_errand, errands, deadline=self._deadline)):
            self.warnings = list(dict.fromkeys([*self.warnings, *done.warnings]))
            self._printed += done.printed
            yield from done.values
            if done.error is not None:
                raise done.error


class _Errand(NamedTuple):
    """What a worker is given."""

    key: str
    target: Target
    call_limit: float
    tasks: tuple[Task, ...]


class _Done(NamedTuple):
    """What it gives back: the values of its tasks, up to the one that failed if there is one."""

    values: list[Any]
    error: GmmCompareError | None
    warnings: tuple[str, ...]
    printed: str


class _Kept(Sandbox):
    """A worker's sandbox, which knows how much of what was printed it has told."""

    _told = 0

    def new_text(self) -> str:
        """Return what was printed since the last time."""
        if not self.log.is_file():
            return ""
        with self.log.open("rb") as file:
            file.seek(self._told)
            new = file.read()
        self._told += len(new)
        return new.decode("utf-8", errors="replace")


_lock = threading.Lock()
_kept: dict[str, dict[int, _Kept]] = {}
"""Of each validation this worker's sandboxes, one for each thread."""
_closed: set[str] = set()


def do_errand(errand: _Errand, progress: Step) -> _Done:
    """Do tasks in a sandbox that this thread of the worker keeps."""
    with _lock:
        of_threads, thread = _kept.setdefault(errand.key, {}), threading.get_ident()
        if thread not in of_threads:
            of_threads[thread] = _Kept(errand.target, 1, errand.call_limit)
        sandbox = of_threads[thread]
    sandbox.call_limit = errand.call_limit
    values: list[Any] = []
    error = None
    try:
        for value in sandbox.run(errand.tasks):
            values.append(value)
            progress(len(values) / len(errand.tasks))
    except GmmCompareError as failure:
        error = failure
    finally:
        if errand.key in _closed:  # it was dropped, perhaps before its sandbox began
            sandbox.__exit__(None, None, None)
    return _Done(values, error, tuple(sandbox.warnings), sandbox.new_text())


def close_kept(key: str) -> None:
    """End this worker's sandboxes of one validation, busy or not."""
    with _lock:
        _closed.add(key)
        ended = _kept.pop(key, {})
    for sandbox in ended.values():
        sandbox.__exit__(None, None, None)

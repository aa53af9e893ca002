"""The process that runs the user's code: it reads tasks, does them and sends results.

Started by `sandbox` with the name of a log file. Tasks and results are pickles over the standard
streams; before any code of the user is imported these are moved out of its reach, and what it
prints goes to the log file.
"""

from __future__ import annotations

import os
import pickle
import sys
import traceback
import warnings
from collections.abc import Callable
from typing import Any, BinaryIO, NamedTuple

from gmmcompare.runtime.errors import GmmCompareError
from gmmcompare.validation.sandbox.subject import BrokenError, Subject
from gmmcompare.validation.sandbox.target import Target

ALIVE = "alive"
_MAX_WARNINGS = 5


class Task(NamedTuple):
    """A function of a module, called as ``function(subject, **arguments)`` in the child."""

    function: Callable[..., Any]
    arguments: dict[str, Any]


class Reply(NamedTuple):
    """What a task came to; ``value`` or ``error`` is None."""

    value: Any
    error: GmmCompareError | None
    warnings: tuple[str, ...] = ()


def main() -> None:
    """Serve tasks until the parent closes the pipe."""
    requests, replies = _claim_streams(sys.argv[1])
    seen = _collect_warnings()
    try:
        sys.path[:] = pickle.load(requests)
        target: Target = pickle.load(requests)
        subject = _loaded(target, lambda: _send(replies, ALIVE))
    except EOFError:
        return
    except GmmCompareError as error:
        _send(replies, Reply(None, error))
        return
    _send(replies, Reply(subject.kind, None, tuple(seen)))
    while True:
        try:
            task = Task(*pickle.load(requests))  # imports the module of its function
        except EOFError:
            return
        _send(replies, ALIVE)
        _send(replies, _done(task, subject, seen))


def _loaded(target: Target, alive: Callable[[], None]) -> Subject:
    try:
        return target.subject(alive)
    except GmmCompareError:
        raise
    except BaseException as error:
        details = "".join(traceback.format_exception(error))
        message = f"{target.name}: fails to import: {type(error).__name__}: {error}"
        raise BrokenError(message, "raised", details) from None


def _done(task: Task, subject: Subject, seen: list[str]) -> Reply:
    try:
        return Reply(task.function(subject, **task.arguments), None, tuple(seen))
    except GmmCompareError as error:
        return Reply(None, error, tuple(seen))


def _claim_streams(log: str) -> tuple[BinaryIO, BinaryIO]:
    """Move the pipes away from 0 and 1, and send what is printed to the log."""
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(out, 1)
    os.dup2(out, 2)
    return requests, replies


def _send(replies: BinaryIO, what: Any) -> None:
    pickle.dump(what, replies, protocol=pickle.HIGHEST_PROTOCOL)
    replies.flush()


def _collect_warnings() -> list[str]:
    """Keep the first few distinct warnings of the user's code, with file and line."""
    seen: list[str] = []

    def keep(message: Warning | str, category: type[Warning], *where: Any, **_: Any) -> None:
        text = f"{category.__name__}: {message} ({os.path.basename(where[0])}, line {where[1]})"
        if len(seen) < _MAX_WARNINGS and text not in seen:
            seen.append(text)

    warnings.simplefilter("default")
    warnings.showwarning = keep
    return seen

"""The sampler under test: how it is called, and what can go wrong in a call.

It is loaded (see `target`) and called in a child process (see `sandbox`).
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple

from gmmcompare.runtime.errors import EngineError

SubjectKind = Literal["kernel", "sampler"]
_HEARTBEAT = 0.5


class BrokenError(EngineError):
    """A call of the user's code failed, or returned what is not a point or draws.

    ``what`` is a short word for tables: raised, exited, hangs, returned (something that is no point
    or draws), not a number, hidden seed, copied chains, does not move, ignores the data, ignores
    the priors, replaces a prior, or failed.
    """

    def __init__(self, message: str, what: str = "returned", details: str = "") -> None:
        super().__init__(message)
        self.what, self.details = what, details

    def __reduce__(self) -> tuple[type[BrokenError], tuple[str, str, str]]:
        return BrokenError, (str(self), self.what, self.details)


class Call(NamedTuple):
    """Where a sampler stands in a test, for messages."""

    number: int
    n: int

    def __str__(self) -> str:
        return f"call {self.number:,}, with {self.n} observations"


class Subject:
    """The user's function with every call checked.

    Parameters
    ----------
    function : callable
    name : str
        How to call it in messages.
    alive : callable
        Called between calls at most every half second, so that the parent knows it does not hang.
    """

    def __init__(
        self, function: Callable[..., Any], name: str, alive: Callable[[], None] = lambda: None
    ) -> None:
        self.function, self.name = function, Path(name).name
        self.kind: SubjectKind = self.kind_of(function)
        self.calls = 0
        self._alive, self._last = alive, time.monotonic()

    @staticmethod
    def kind_of(function: Callable[..., Any]) -> SubjectKind:
        """Tell a kernel from a whole sampler by the names of the arguments."""
        raise NotImplementedError

    def beat(self) -> None:
        """Tell the parent, now and then, that nothing hangs."""
        now = time.monotonic()
        if now - self._last > _HEARTBEAT:
            self._last = now
            self._alive()

    def called(self, n: int, *args: Any, **kwargs: Any) -> Any:
        """Call the function.

        Parameters
        ----------
        n : int
            Number of observations, for messages.
        *args, **kwargs
            Its arguments.

        Raises
        ------
        BrokenError
            If it raises or exits.
        """
        self.calls += 1
        self.beat()
        try:
            return self.function(*args, **kwargs)
        except KeyboardInterrupt:
            raise
        except SystemExit as error:
            raise BrokenError(
                f"{self.name}: called exit({error.code}) {_place(error)} ({self.here(n)}); "
                "a sampler returns, it does not end the program",
                "exited",
            ) from None
        except BaseException as error:
            raise BrokenError(
                f"{self.name}: raised {type(error).__name__}: {_one_line(error)} "
                f"{_place(error)} ({self.here(n)})",
                "raised",
                "".join(traceback.format_exception(error)),
            ) from None

    def here(self, n: int) -> Call:
        """Say where it stands, for messages."""
        return Call(self.calls, n)


def described(result: Any) -> str:
    """Say what something is, for messages."""
    if isinstance(result, tuple | list):
        return f"{len(result)} values"
    return type(result).__name__


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]


_NOT_THEIRS = ("site-packages", "gmmcompare/validation", "<frozen")


def _place(error: BaseException) -> str:
    """Say which line of the user's own file an error comes from: the last one not in a library."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if not any(part in f.filename for part in _NOT_THEIRS)]
    frame = (own or list(frames))[-1]
    code = f": {frame.line}" if frame.line else ""
    return f"in {Path(frame.filename).name}, line {frame.lineno}{code}"

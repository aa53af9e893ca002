"""Progress and notices on stderr; results go to stdout and are not printed here."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import rich.progress
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn

_stderr = Console(stderr=True, highlight=False)


class Bars:
    """Shows a `Progress`: a bar from the first report of a name to its end, 1.

    A name whose first report is its end was there already, and is said to be reused. Reports may
    come from any thread. Where stderr is no terminal, bars are printed once, as they end.

    Parameters
    ----------
    transient : bool
        Take bars away once all have ended.
    """

    def __init__(self, transient: bool = False) -> None:
        self._transient = transient
        self._bars: rich.progress.Progress | None = None
        self._open: dict[str, rich.progress.TaskID] = {}
        self._ended: set[str] = set()
        self._lock = threading.Lock()

    def __enter__(self) -> Bars:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            # What has not ended, as where an error is about to be told, leaves no line.
            for task in self._open.values():
                self._shown().remove_task(task)
            self._stop()

    def __call__(self, what: str, fraction: float) -> None:
        """Show how far something is."""
        with self._lock:
            if fraction < 1.0:
                self._shown().update(self._task(what), completed=fraction)
            elif what in self._open:
                self._shown().update(self._open.pop(what), completed=1.0)
                self._ended.add(what)
                if not self._open:
                    self._stop()
            elif what not in self._ended:
                _stderr.print(f"{what:<12} reused")
                self._ended.add(what)

    def _task(self, what: str) -> rich.progress.TaskID:
        if what not in self._open:
            self._open[what] = self._shown().add_task(f"{what:<12}", total=1.0)
        return self._open[what]

    def _shown(self) -> rich.progress.Progress:
        """Return the bars of all that runs now: a terminal has one place for them."""
        if self._bars is None:
            self._bars = rich.progress.Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.percentage:>3.0f} %"),
                TimeElapsedColumn(),
                console=_stderr,
                transient=self._transient,
            )
            self._bars.start()
        return self._bars

    def _stop(self) -> None:
        if self._bars is not None:
            self._bars.stop()
        self._bars = None
        self._open.clear()


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show that something of unknown length goes on."""
    with _stderr.status(what):
        yield


class _NoticeHandler(logging.Handler):
    """Prints warnings of the package on stderr, one line each."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one notice."""
        _stderr.print(f"note: {record.getMessage()}", markup=False, soft_wrap=True)


def show_notices() -> None:
    """Send the package's warnings to stderr."""
    logger = logging.getLogger("gmmcompare")
    if not any(isinstance(h, _NoticeHandler) for h in logger.handlers):
        logger.addHandler(_NoticeHandler())
        logger.propagate = False

"""Progress and notices on stderr; results go to stdout and are not printed here."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from gmmcompare.engines.base import Progress as Report

_stderr = Console(stderr=True, highlight=False)


class RichWatcher:
    """Shows one bar for each engine that runs; one line where stderr is no terminal."""

    def __init__(self) -> None:
        self._bars: Progress | None = None
        self._running = 0
        self._lock = threading.Lock()

    @contextmanager
    def fitting(self, name: str) -> Iterator[Report]:
        """Show a bar while an engine runs, below those of engines that run already."""
        with self._shared() as bars:
            task = bars.add_task(f"{name:<12}", total=1.0)
            yield lambda fraction: bars.update(task, completed=fraction)
            bars.update(task, completed=1.0)

    @contextmanager
    def _shared(self) -> Iterator[Progress]:
        """Yield the bars of all engines that run now: a terminal has one place for them."""
        with self._lock:
            if self._bars is None:
                self._bars = Progress(
                    TextColumn("{task.description}"),
                    BarColumn(),
                    TextColumn("{task.percentage:>3.0f} %"),
                    TimeElapsedColumn(),
                    console=_stderr,
                )
                self._bars.start()
            self._running += 1
            bars = self._bars
        try:
            yield bars
        finally:
            with self._lock:
                self._running -= 1
                if not self._running:
                    bars.stop()
                    self._bars = None

    def reused(self, name: str) -> None:
        """Say that a fit is reused."""
        _stderr.print(f"{name:<12} reused")


class FractionBar:
    """One bar whose text changes: what is being done, and how much of it is done."""

    def __init__(self) -> None:
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            console=_stderr,
            transient=True,
        )

    def __enter__(self) -> FractionBar:
        self._bars.start()
        self._task = self._bars.add_task("", total=1.0)
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def show(self, what: str, fraction: float) -> None:
        """Show a fraction between 0 and 1."""
        self._bars.update(self._task, description=what, completed=fraction)


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

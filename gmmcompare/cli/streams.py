"""Standard output and error that never end a run: its exit code is the verdict's."""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from typing import Any

_NOBODY_READS = (errno.EPIPE, errno.EIO)
"""The reader of a pipe, or the terminal, has gone: nobody is left to be told."""


class _Steadfast(io.FileIO):
    """Writes to a file descriptor, and to nowhere once that fails."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "w", closefd=False)

    def write(self, content: Any) -> int:
        """Write, and say on stderr what else than a reader that left kept us from it."""
        try:
            written = super().write(content)
            while written is None:  # somebody made the pipe one that does not wait
                select.select([], [self.fileno()], [])
                written = super().write(content)
        except OSError as error:
            self._give_up(error)
            return memoryview(content).nbytes
        return written

    def _give_up(self, error: OSError) -> None:
        descriptor = self.fileno()
        _to_nowhere(descriptor)
        if error.errno not in _NOBODY_READS and descriptor != 2:
            said = f"gmmcompare: standard output cannot be written: {error.strerror}\n"
            print(said, end="", file=sys.stderr)


def stand_fast() -> None:
    """Replace ``sys.stdout`` and ``sys.stderr`` by streams that no reader can break.

    ``gmmcompare compare CARD | head -3`` would else end with rich's exit code, 1, which means that
    engines disagree. What a terminal cannot show is replaced by a question mark.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:  # closed, as by >&-: the next file that is opened would take its place
            _to_nowhere(descriptor)
    sys.stdout = _stream(1, sys.stdout)
    sys.stderr = _stream(2, sys.stderr)


def _stream(descriptor: int, before: Any) -> io.TextIOWrapper:
    if before is not None:
        before.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(_Steadfast(descriptor)),
        encoding=getattr(before, "encoding", None) or "utf-8",
        errors="backslashreplace" if descriptor == 2 else "replace",
        line_buffering=descriptor == 2 or os.isatty(descriptor),
    )


def _to_nowhere(descriptor: int) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    if nowhere != descriptor:
        os.dup2(nowhere, descriptor)
        os.close(nowhere)

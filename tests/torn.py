"""Files as a process leaves them that was killed while it wrote."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def cuts(path: Path) -> Iterator[int]:
    """Cut a file at every byte of its last line in turn, the end of the line included.

    Yields the bytes that are left. Whoever goes on must bring the file back to the last byte.
    """
    whole = path.read_bytes()
    start = whole.rfind(b"\n", 0, -1) + 1
    assert len(whole) > start + 10
    for end in range(start, len(whole)):
        path.write_bytes(whole[:end])
        yield end
        assert path.read_bytes() == whole, f"cut after {end} of {len(whole)} bytes"

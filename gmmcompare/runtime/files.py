"""Where files are kept, writing them so that none is ever half-written, and JSON."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from gmmcompare.runtime.errors import InputError

_notices = logging.getLogger("gmmcompare")
_ours: set[str] = set()
"""Folders that this process has for itself."""


def cache_folder() -> Path:
    """Return the user's cache folder, which ``GMMCOMPARE_CACHE`` moves; it may not exist yet."""
    chosen = os.environ.get("GMMCOMPARE_CACHE")
    if chosen:
        return Path(chosen)
    import pooch

    return Path(pooch.os_cache("gmmcompare"))


def make_folder(folder: Path, remedy: str = "choose another by --out") -> None:
    """Make a folder, and see whether it can be written, before any work is done.

    Raises
    ------
    InputError
        If it cannot be made or written; the message ends with the remedy.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe.{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(f"{folder}: cannot be written: {error.strerror}; {remedy}") from None


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Make a folder, and wait, after a warning, while another run is writing to it.

    Else two runs at once would leave files of both. The lock is on the folder itself, ends with the
    process, whatever happens to it, and keeps nobody of this process away. A folder that was made
    for nothing is taken away again.

    Raises
    ------
    InputError
        If the folder cannot be made or written.
    """
    was_there = folder.is_dir()
    make_folder(folder)
    key = os.path.realpath(folder)
    if key in _ours:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        _lock(descriptor, folder)
        _ours.add(key)
        yield
    finally:
        _ours.discard(key)
        os.close(descriptor)
        if not was_there:
            with suppress(OSError):  # it holds files, as it should
                folder.rmdir()


def _lock(descriptor: int, folder: Path) -> None:
    try:
        import fcntl
    except ImportError:  # not a POSIX system
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _notices.warning(
            "another run is writing to %s; waiting until it has ended (or choose another folder by "
            "--out)",
            folder,
        )
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError:  # a file system without locks
        return


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that takes its place once it is written.

    The temporary name ends as the real one does. If the block raises, the old file stays.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from None
    finally:
        # Not unlink's missing_ok: where a parent is a file, that raises all the same.
        if temporary.is_file():
            temporary.unlink()


def write_text(path: str | Path, text: str) -> None:
    """Write a text file.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | Path, content: Mapping[str, Any]) -> None:
    """Write JSON; see `to_json`.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    write_text(path, to_json(content))


def to_json(content: Mapping[str, Any]) -> str:
    """Return indented JSON with a newline at its end, arrays as lists, NaN and infinity as null."""
    return json.dumps(_plain(content), indent=1, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    return None if isinstance(value, float) and not np.isfinite(value) else value

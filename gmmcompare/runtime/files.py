"""Where files are kept, writing them so that none is ever half-written, and JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from gmmcompare.runtime.errors import InputError


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

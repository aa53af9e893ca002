"""Results that took long to reach, kept as they are reached, so that a killed run can go on.

A store is a file of JSON lines. The first says what all the others are of: which study, seed,
version. Each of the others is one result and its key. A process that is killed while it writes
leaves a last line without its end; readers ignore that, and whoever goes on removes it first.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gmmcompare.runtime.errors import InputError

type Key = tuple[str | int, ...]
type Row = Mapping[str, Any]

_HEADER = "results of"


def digest(content: Mapping[str, Any]) -> str:
    """Return 16 hexadecimal digits that differ wherever the content does; it must be JSON."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


class Store:
    """What is kept in one file.

    Parameters
    ----------
    path : Path or None
        The file, which need not be there yet. With None rows are kept in memory only.
    identity : mapping
        What the rows are of, as JSON. Rows of another identity are never mixed in.
    key : sequence of str
        Names of the entries that tell rows apart.

    Attributes
    ----------
    rows : dict
        Every row that is kept, without its key, by its key.

    Raises
    ------
    InputError
        If the file cannot be read, or holds something else.
    """

    def __init__(self, path: Path | None, identity: Mapping[str, Any], key: Sequence[str]) -> None:
        self._path, self._key = path, tuple(key)
        self._header = json.dumps({_HEADER: identity})
        self.rows: dict[Key, Row] = {}
        if path is not None and path.is_file():
            self._load(path)

    def begin(self) -> Store:
        """Make the file ready to be appended to: there, with a first line, and mended.

        Raises
        ------
        InputError
            If it cannot be written.
        """
        if self._path is not None:
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                with self._path.open("a+b") as file:
                    file.seek(0)
                    file.truncate(_length_of_whole_lines(file.read()))
            except OSError as error:
                raise _not_written(self._path, error) from None
            if self._path.stat().st_size == 0:
                self._write(self._header)
        return self

    def append(self, key: Key, row: Row) -> None:
        """Keep one row; it is on its way to the disk when this returns.

        Raises
        ------
        InputError
            If it cannot be written.
        """
        self._write(json.dumps({**dict(zip(self._key, key, strict=True)), **row}))
        self.rows[key] = row

    def _write(self, line: str) -> None:
        if self._path is None:
            return
        try:
            # Closed, and so flushed, at once: a kill cannot take more than the line in hand.
            with self._path.open("ab") as file:
                file.write(line.encode() + b"\n")
        except OSError as error:
            raise _not_written(self._path, error) from None

    def _load(self, path: Path) -> None:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror}") from None
        lines = content[: _length_of_whole_lines(content)].splitlines()
        if not lines:
            return
        self._check_header(path, lines[0])
        for number, line in enumerate(lines[1:], start=2):
            try:
                row = json.loads(line)
                key = tuple(row.pop(name) for name in self._key)
            except (ValueError, KeyError, AttributeError, TypeError):
                raise InputError(
                    f"{path}, line {number}: is damaged; remove that line, and its result will be "
                    "computed again"
                ) from None
            self.rows[key] = row

    def _check_header(self, path: Path, line: bytes) -> None:
        asked = json.loads(self._header)[_HEADER]
        try:
            found = dict(json.loads(line)[_HEADER])
        except (ValueError, KeyError, TypeError):
            raise InputError(
                f"{path}: does not say what it holds results of; give another folder, or move the "
                "file away"
            ) from None
        if found != asked:
            names = [n for n in {**asked, **found} if asked.get(n) != found.get(n)]
            differences = ", ".join(
                f"{n} {found.get(n, 'none')} (asked for: {asked.get(n, 'none')})" for n in names
            )
            raise InputError(f"{path}: holds other results: {differences}; give another folder")


def _length_of_whole_lines(content: bytes) -> int:
    """Return how many bytes come before a last line that has no end."""
    return content.rfind(b"\n") + 1


def _not_written(path: Path, error: OSError) -> InputError:
    return InputError(f"{path}: cannot be written: {error.strerror}")

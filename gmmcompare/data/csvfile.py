"""One numeric column of a CSV file, and the ways in which a file disappoints, each in one line."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gmmcompare.model.params import Array
from gmmcompare.runtime.errors import InputError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

_HEAD_BYTES = 65_536
_ROWS_TO_GUESS_FROM = 1000
_COLUMNS_TO_LIST = 20


@dataclass(frozen=True, eq=False)
class Column:
    """A numeric column as it stands in the file.

    Attributes
    ----------
    name : str
    values : ndarray, shape (rows,), NaN where the cell is empty or says NA
    names : tuple of str, length rows, or None
        The cells of the column that names the rows, where one was asked for.
    """

    name: str
    values: Array
    names: tuple[str, ...] | None = None


@dataclass(frozen=True)
class CsvFile:
    """A CSV file whose header was read and whose rows were seen to be as long as the header.

    Lines that start with ``#`` above the header are skipped, as NASA's archive writes them. The
    separator is a comma, or else the semicolon or tab that the header has.
    """

    path: Path
    skip: int
    separator: str
    header: tuple[str, ...]
    n_rows: int

    @classmethod
    def open(cls, path: Path) -> CsvFile:
        """Look at the file.

        Raises
        ------
        InputError
            If it is missing, a folder, unreadable, empty, not text, HTML, without a header, or if a
            row is longer or shorter than the header.
        """
        with _explained(path):
            _refuse_what_is_no_table(path)
            skip, header_line = _first_line(path)
            separator = next((s for s in ",;\t" if s in header_line), ",")
            rows = _rows(path, skip, separator)
            header = next(rows, [])
            if all(_is_number(name) for name in header):
                raise InputError(
                    f"{path}: the first line holds numbers ({', '.join(header[:3])}), not column "
                    "names; put a header line above them"
                )
            return cls(path, skip, separator, tuple(header), _count(path, rows, len(header)))

    def column(self, name: str | None = None, names: str | None = None) -> Column:
        """Read one numeric column (the only one, if `name` is None), and one of row names.

        Raises
        ------
        InputError
            If there is no such column, or it has text or infinite values in it.
        """
        position = self._only_numeric() if name is None else self._position(name)
        name = self.header[position]
        values = self._numbers(position)
        self._refuse_infinite(name, values)
        if names is None:
            return Column(name, values)
        cells = self._series(self._position(names), dtype=str, keep_default_na=False)
        return Column(name, values, tuple(cells))

    def _position(self, name: str) -> int:
        found = [i for i, other in enumerate(self.header) if other == name]
        if len(found) == 1:
            return found[0]
        problem = (
            f"{len(found)} columns are called '{name}'; rename them"
            if found
            else f"no column '{name}'{did_you_mean(name, self.header)}"
        )
        raise InputError(f"{self.path}: {problem}; columns: {self._columns()}")

    def _only_numeric(self) -> int:
        import pandas as pd

        frame = pd.read_csv(self.path, nrows=_ROWS_TO_GUESS_FROM, **self._layout())
        numeric = [
            i for i in range(len(self.header)) if _is_numeric(frame.iloc[:, i]) or not len(frame)
        ]
        if len(numeric) == 1:
            return numeric[0]
        how_many = f"{len(numeric)} numeric columns" if numeric else "no numeric column"
        remedy = "say which column to use" if numeric else "one column must hold numbers"
        raise InputError(f"{self.path}: {how_many}; {remedy}; columns: {self._columns()}")

    def _columns(self) -> str:
        more = len(self.header) - _COLUMNS_TO_LIST
        listed = ", ".join(self.header[:_COLUMNS_TO_LIST])
        return f"{listed} and {more} more" if more > 0 else listed

    def _numbers(self, position: int) -> Array:
        """Read a column as floats, or name the first cell that is not a number."""
        import pandas as pd

        series = self._series(position)
        if _is_numeric(series):
            return np.asarray(series, dtype=float)
        # Rare: text in the column, or integers too large for pandas to recognise as numbers.
        cells = self._series(position, dtype=str)
        series = pd.to_numeric(cells, errors="coerce")
        is_text = (series.isna() & cells.notna()).to_numpy()
        if is_text.any():
            row = int(np.flatnonzero(is_text)[0])
            raise InputError(
                f"{self.path}: column '{self.header[position]}' has text in row {row + 1} below "
                f"the header: {str(cells.iloc[row])[:40]!r} ({int(is_text.sum())} such rows); "
                "write a number, or leave the cell empty where the value is missing"
            )
        return np.asarray(series, dtype=float)

    def _refuse_infinite(self, name: str, values: Array) -> None:
        infinite = np.isinf(values)
        if infinite.any():
            row = int(np.flatnonzero(infinite)[0])
            raise InputError(
                f"{self.path}: column '{name}' is infinite in row {row + 1} below the header "
                f"({int(infinite.sum())} such rows); leave the cell empty where the value is "
                "missing, or remove the row"
            )

    def _series(self, position: int, **options: Any) -> pd.Series[Any]:
        import pandas as pd

        layout = {**self._layout(), **options}
        with warnings.catch_warnings():
            # A long column, read in pieces, may be half numbers and half text: then it is text.
            warnings.simplefilter("ignore", pd.errors.DtypeWarning)
            frame = pd.read_csv(self.path, usecols=[position], **layout)
        series: pd.Series[Any] = frame.iloc[:, 0]
        return series

    def _layout(self) -> dict[str, Any]:
        return {
            "skiprows": self.skip,
            "sep": self.separator,
            "encoding": "utf-8-sig",
            "skipinitialspace": True,
            "index_col": False,
        }


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what Python says of an unreadable file into an InputError."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: not text in UTF-8 (found byte 0x{error.object[error.start]:02x}); "
            "save it as CSV in UTF-8"
        ) from None


def _refuse_what_is_no_table(path: Path) -> None:
    if path.is_dir():
        raise InputError(f"{path}: is a folder; give a CSV file")
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip()
    if not head:
        raise InputError(f"{path}: is empty; give a CSV file with a header line and rows of values")
    if b"\0" in head:
        raise InputError(f"{path}: not a CSV file but a binary one; save it as CSV in UTF-8")
    if head.startswith(b"<"):
        raise InputError(
            f"{path}: not a CSV file but HTML or XML, perhaps an error page saved under this "
            "name; download it again"
        )


def _first_line(path: Path) -> tuple[int, str]:
    """Return how many lines stand above the header, and the header line."""
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file):
            if line.strip() and not line.startswith("#"):
                return number, line
    raise InputError(f"{path}: has comment lines only; give a header line and rows of values")


def _rows(path: Path, skip: int, separator: str) -> Iterator[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        for _ in range(skip):
            file.readline()
        reader = csv.reader(file, delimiter=separator, skipinitialspace=True, strict=True)
        try:
            yield from (row for row in reader if row)
        except csv.Error as error:
            raise InputError(
                f"{path}: line {skip + reader.line_num} is not CSV: {error}; give comma-separated "
                "values, with quotes in pairs"
            ) from None


def _count(path: Path, rows: Iterator[list[str]], width: int) -> int:
    """Count the rows and refuse one of another width than the header.

    Pandas would pad a short row with missing values and, asked for some columns only, cut a long
    one; either hides a truncated file or a separator inside a cell.
    """
    number = 0
    for number, row in enumerate(rows, 1):
        if len(row) != width:
            raise InputError(
                f"{path}: the header has {width} cells and row {number} below it {len(row)}; "
                "the file is not a CSV or was cut off: quote cells that contain the separator, "
                "or get the file again"
            )
    return number


def _is_numeric(series: pd.Series[Any]) -> bool:
    return series.dtype.kind in "iuf"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True

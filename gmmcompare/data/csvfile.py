"""A text file with named columns, and the ways in which it disappoints, each in one line."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gmmcompare.data.column import Column, read_column
from gmmcompare.data.kinds import kind_of_file
from gmmcompare.data.layout import Layout, layout_of
from gmmcompare.runtime.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class CsvFile:
    """A text file whose header was read and whose rows were seen to be as long as the header.

    Lines that start with ``#`` above the header are skipped, as NASA's archive writes them. The
    separator is what gives all lines the same number of cells: a comma, a semicolon, a tab, a bar
    or blanks.
    """

    path: Path
    layout: Layout

    @classmethod
    def open(cls, path: Path) -> CsvFile:
        """Look at the file.

        Raises
        ------
        InputError
            If it is missing, a folder, unreadable, empty, not text, HTML, without a header, or if a
            row is longer or shorter than the header.
        """
        with explained(path):
            if kind_of_file(path) != "text":
                raise InputError(f"{path}: is an astronomers' table; save it as CSV")
            return cls(path, layout_of(path))

    @property
    def header(self) -> tuple[str, ...]:
        """Names of the columns."""
        return self.layout.header

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return self.layout.rows

    def column(self, name: str | None = None, names: str | None = None) -> Column:
        """Read one numeric column and one of row names; see `read_column`."""
        return read_column(self, name, names)

    def series(self, position: int, **options: Any) -> pd.Series[Any]:
        """Return one column, as pandas takes it to be."""
        found: pd.Series[Any] = self._read(usecols=[position], **options).iloc[:, 0]
        return found

    def frame(self) -> pd.DataFrame:
        """Return all columns."""
        frame = self._read()
        frame.columns = list(self.header)
        return frame

    def _read(self, **options: Any) -> pd.DataFrame:
        import pandas as pd

        separator = self.layout.separator
        settings = {
            "skiprows": self.layout.skip,
            "sep": r"\s+" if separator == " " else separator,
            "nrows": self.layout.rows if self.layout.has_footer else None,
            "encoding": "utf-8-sig",
            "skipinitialspace": True,
            "index_col": False,
            "names": range(len(self.header)),
            "header": None,
        }
        with warnings.catch_warnings():
            # A long column, read in pieces, may be half numbers and half text: then it is text.
            warnings.simplefilter("ignore", pd.errors.DtypeWarning)
            frame: pd.DataFrame = pd.read_csv(self.path, **{**settings, **options})
        return frame


@contextmanager
def explained(path: Path) -> Iterator[None]:
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

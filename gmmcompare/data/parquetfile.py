"""One numeric column of a Parquet file, some row groups at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gmmcompare.model.params import Array
from gmmcompare.runtime.errors import InputError, did_you_mean


@dataclass(frozen=True)
class ParquetFile:
    """A Parquet file whose footer was read.

    Attributes
    ----------
    path : Path
    columns : dict of str to bool
        Names of the columns, and whether each holds numbers.
    rows : tuple of int
        Number of rows of each row group.
    """

    path: Path
    columns: dict[str, bool]
    rows: tuple[int, ...]

    @classmethod
    def open(cls, path: Path) -> ParquetFile:
        """Read the footer.

        Raises
        ------
        InputError
            If the file is missing, not Parquet or cut off, or pyarrow is not installed.
        """
        types = _pyarrow(path).types
        with _opened(path) as file:
            columns = {field.name: _is_number(types, field.type) for field in file.schema_arrow}
            meta = file.metadata
            rows = tuple(meta.row_group(i).num_rows for i in range(meta.num_row_groups))
        return cls(path, columns, rows)

    def chosen(self, column: str | None) -> str:
        """Return the column's name: the only one that holds numbers, if none is given.

        Raises
        ------
        InputError
            If there is no such column, it does not hold numbers, or there are several to choose
            from.
        """
        listed = ", ".join(self.columns)
        numeric = [name for name, is_number in self.columns.items() if is_number]
        if column is None:
            if len(numeric) == 1:
                return numeric[0]
            raise InputError(
                f"{self.path}: {len(numeric) or 'no'} numeric columns; say which column to use; "
                f"columns: {listed}"
            )
        if column not in self.columns:
            raise InputError(
                f"{self.path}: no column '{column}'{did_you_mean(column, self.columns)}; "
                f"columns: {listed}"
            )
        if column not in numeric:
            raise InputError(
                f"{self.path}: column '{column}' does not hold numbers; write it as numbers, as in "
                "the other files, or choose another column"
            )
        return column

    def values(self, column: str, groups: Sequence[int]) -> Array:
        """Read a column of some row groups, NaN where it is null.

        Raises
        ------
        InputError
            If the file is damaged there, or has infinite values.
        """
        with _opened(self.path) as file:
            read = file.read_row_groups(list(groups), columns=[column], use_threads=False)
            values = np.asarray(read.column(0).to_numpy(), dtype=float)
        if np.isinf(values).any():
            raise InputError(
                f"{self.path}: column '{column}' has {int(np.isinf(values).sum())} infinite values "
                f"in {_named(groups)}; write nulls where the value is missing, or remove the rows"
            )
        return values


def _named(groups: Sequence[int]) -> str:
    return (
        f"row groups {groups[0]} to {groups[-1]}" if len(groups) > 1 else f"row group {groups[0]}"
    )


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open the file, and turn what Arrow says of a bad one into an InputError."""
    pyarrow = _pyarrow(path)
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            yield file
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; put it back, or leave it out") from None
    except PermissionError:
        raise InputError(f"{path}: cannot be read: permission denied") from None
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:120]
        raise InputError(
            f"{path}: is not a Parquet file or was cut off ({reason}); get or write it again"
        ) from None


def _pyarrow(path: Path) -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise InputError(
            f"{path}: reading Parquet needs pyarrow; install it by pip install 'gmmcompare[dask]'"
        ) from None
    return pyarrow


def _is_number(types: Any, kind: Any) -> bool:
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))

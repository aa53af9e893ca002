"""What every kind of data file is once it was opened: a table with named columns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from gmmcompare.runtime.errors import InputError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS_TO_LIST = 20


class Table(Protocol):
    """A file with named columns."""

    @property
    def path(self) -> Path:
        """The file."""
        ...

    @property
    def header(self) -> tuple[str, ...]:
        """Names of its columns; that of R's row names is empty."""
        ...

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        ...

    def series(self, position: int, **options: Any) -> pd.Series[Any]:
        """Return one column, as pandas takes it to be."""
        ...

    def frame(self) -> pd.DataFrame:
        """Return all columns."""
        ...


def position(table: Table, name: str) -> int:
    """Return where a column is.

    Raises
    ------
    InputError
        If there is none of this name, or several.
    """
    found = [i for i, other in enumerate(table.header) if other == name]
    if len(found) == 1:
        return found[0]
    problem = (
        f"{len(found)} columns are called '{name}'; rename them"
        if found
        else f"no column '{name}'{did_you_mean(name, table.header)}"
    )
    raise InputError(f"{table.path}: {problem}; columns: {listed(table.header)}")


def listed(names: Sequence[str]) -> str:
    """Return the first names of columns, and how many more there are."""
    shown = [name for name in names if name.strip()]
    more = len(shown) - _COLUMNS_TO_LIST
    listed = ", ".join(shown[:_COLUMNS_TO_LIST])
    return f"{listed} and {more} more" if more > 0 else listed

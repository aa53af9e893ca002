"""One numeric column of a table: which it is, which rows count, how often, and their names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gmmcompare.data.condition import rows_where
from gmmcompare.data.numeric import is_numeric, numbers, refuse_infinite, refuse_sentinels
from gmmcompare.data.table import Table, listed, position
from gmmcompare.model.params import Array
from gmmcompare.runtime.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

ROWS_TO_GUESS_FROM = 1000


@dataclass(frozen=True, eq=False)
class Column:
    """A numeric column as it stands in the file.

    Attributes
    ----------
    name : str
    values : ndarray, shape (rows,), NaN where the cell is empty or says NA
    row : ndarray, shape (rows,), int64
        Which row of the file each is; 0 is the first below the header.
    names : tuple of str, length rows, or None
        The cells of the column that names the rows, where one was asked for.
    counts : ndarray, shape (rows,), int64, or None
        How often each observation occurs, where a column of weights was asked for.
    """

    name: str
    values: Array
    row: NDArray[np.int64]
    names: tuple[str, ...] | None = None
    counts: NDArray[np.int64] | None = None


def read_column(
    table: Table,
    name: str | None = None,
    names: str | None = None,
    where: str | None = None,
    weight: str | None = None,
) -> Column:
    """Read one numeric column (the only one, if `name` is None), and what goes with it.

    Parameters
    ----------
    table : Table
    name, names : str, optional
        Columns of the values and of the rows' names.
    where : str, optional
        Which rows: a condition on columns, as pandas' ``DataFrame.query`` reads it.
    weight : str, optional
        The column of counts.

    Raises
    ------
    InputError
        If there is no such column, it has text or infinite values in it, counts are not whole
        numbers, or the condition cannot be used.
    """
    at = _only_numeric(table) if name is None else position(table, name)
    name = table.header[at]
    chosen = None if where is None else np.flatnonzero(rows_where(table, where))
    values = numbers(table, at, chosen)
    kept = np.arange(values.size) if chosen is None else chosen
    refuse_infinite(table, name, values, kept)
    if where is None:
        refuse_sentinels(table, name, values)
    cells = None
    if names is not None:
        found = table.series(position(table, names), dtype=str, keep_default_na=False)
        cells = tuple(found.iloc[kept])
    counts = None if weight is None else _counts(table, weight, kept)
    return Column(name, values, kept.astype(np.int64), cells, counts)


def _only_numeric(table: Table) -> int:
    """Return the only column that holds numbers; R's row names and pandas' index are none."""
    if len(table.header) == 1:
        return 0
    columns = {
        i: table.series(i, nrows=ROWS_TO_GUESS_FROM)
        for i, name in enumerate(table.header)
        if name.strip() and not name.startswith("Unnamed: ")
    }
    numeric = [i for i, found in columns.items() if is_numeric(found) or not table.n_rows]
    if not numeric:
        numeric = [i for i, found in columns.items() if _share_of_numbers(found) >= 0.5]
    if len(numeric) == 1:
        return numeric[0]
    how_many = f"{len(numeric)} numeric columns" if numeric else "no numeric column"
    remedy = "say which column to use" if numeric else "one column must hold numbers"
    raise InputError(f"{table.path}: {how_many}; {remedy}; columns: {listed(table.header)}")


def _share_of_numbers(series: pd.Series[Any]) -> float:
    cells = series.dropna().astype(str).str.strip()
    return float(cells.str.fullmatch(r"[+-]?[\d.,]*\d[\d.,]*([eEdD][+-]?\d+)?").mean())


def _counts(table: Table, weight: str, kept: NDArray[np.intp]) -> NDArray[np.int64]:
    """Read how often each observation occurs; 0 leaves it out."""
    counts = numbers(table, position(table, weight), kept)
    bad = np.flatnonzero(~(counts >= 0) | (counts != np.rint(counts)))
    if bad.size:
        raise InputError(
            f"{table.path}: weight column '{weight}' has {counts[bad[0]]:g} in row "
            f"{int(kept[bad[0]]) + 1} below the header ({bad.size} such rows); weights are counts, "
            "how often an observation occurs: give whole numbers, 0 or more"
        )
    return counts.astype(np.int64)

"""The cells of a column as numbers, as they are written in any country; and codes that are none."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gmmcompare.data.table import Table
from gmmcompare.model.params import Array
from gmmcompare.runtime.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

_notices = logging.getLogger("gmmcompare")


def numbers(
    table: Table, at: int, kept: NDArray[np.intp] | None = None, quiet: bool = False
) -> Array:
    """Read a column as floats, NaN where a cell is empty or says NA.

    Parameters
    ----------
    table : Table
    at : int
        Position of the column.
    kept : ndarray of int, optional
        The rows that are read, from 0; by default all.
    quiet : bool
        Do not say how numbers were written.

    Raises
    ------
    InputError
        If a cell is not a number; the message names the first.
    """
    import pandas as pd

    series = table.series(at)
    rows = np.arange(len(series)) if kept is None else kept
    if is_numeric(series):
        return np.asarray(series, dtype=float)[rows]
    # Rare: text in the column, or integers too large for pandas to recognise as numbers.
    cells = table.series(at, dtype=str).astype(object).iloc[rows].set_axis(rows)
    cells = cells.where(cells.notna() & (cells != ""), None)
    is_text = (pd.to_numeric(cells, errors="coerce").isna() & cells.notna()).to_numpy()
    if is_text.any():
        cells, how = _as_written_elsewhere(table, at, cells, is_text)
        if not quiet:
            _notices.warning("%s: column '%s' is read with %s", table.path, table.header[at], how)
    return np.array([np.nan if c is None else float(c) for c in cells], dtype=float)


_WAYS: tuple[tuple[str, str, Callable[[str], str]], ...] = (
    ("decimal commas", r"[+-]?\d*,\d+([eE][+-]?\d+)?", lambda c: c.replace(",", ".")),
    (
        "decimal commas and points between thousands",
        r"[+-]?\d{1,3}(\.\d{3})*,\d+",
        lambda c: c.replace(".", "").replace(",", "."),
    ),
    (
        "commas between thousands",
        r"[+-]?\d{1,3}(,\d{3})*\.\d+",
        lambda c: c.replace(",", ""),
    ),
    (
        "typographic minus signs",
        r"[\u2212\u2013]\d*\.?\d+([eE][+-]?\d+)?",
        lambda c: f"-{c[1:]}",
    ),
    (
        "Fortran's exponents",
        r"[+-]?\d*\.?\d+[dD][+-]?\d+",
        lambda c: c.replace("D", "e").replace("d", "e"),
    ),
)
"""Ways of writing numbers that are not Python's: what they are, how they look, how to read them."""
_THOUSANDS = r"[+-]?\d{1,3}(,\d{3})+"


def _as_written_elsewhere(
    table: Table, at: int, cells: pd.Series[Any], is_text: NDArray[np.bool_]
) -> tuple[pd.Series[Any], str]:
    """Rewrite numbers as other countries and languages write them; and say which way.

    Raises
    ------
    InputError
        If the cells are no numbers, or it cannot be told which.
    """
    odd, name = cells[is_text].str.strip(), table.header[at]
    if odd.str.fullmatch(_THOUSANDS).all():
        raise InputError(
            f"{table.path}: column '{name}': is the comma in '{odd.iloc[0]}' a decimal comma, or "
            "does it stand between thousands? Write a decimal point, or leave it out"
        )
    plain = cells[~is_text].dropna()
    for what, pattern, read in _WAYS:
        # A decimal comma leaves no number with a point.
        others_fit = "decimal" not in what or not plain.str.contains(".", regex=False).any()
        if odd.str.fullmatch(pattern).all() and others_fit:
            example = f"{odd.iloc[0]} is {float(read(odd.iloc[0])):g}"
            return cells.mask(is_text, odd.map(read)), f"{what}: {example}"
    raise InputError(_text_in(table, name, cells, is_text))


def _text_in(table: Table, name: str, cells: pd.Series[Any], is_text: NDArray[np.bool_]) -> str:
    rows = np.flatnonzero(is_text)
    row, cell = int(cells.index[rows[0]]), str(cells.iloc[rows[0]])[:40]
    remedy = "write a number, or leave the cell empty where the value is missing"
    if rows.size == 1 and is_text.size > 1 and row in (0, table.n_rows - 1):
        what = "a line of units" if row == 0 else "a footer"
        remedy = f"if it is {what}, delete that line; else {remedy}"
    elif re.match(r"\s*[<>~]|.*(±|\+/-|\+-)", cell):
        remedy = "limits and errors are not covered: write one number, or leave the cell empty"
    return (
        f"{table.path}: column '{name}' has text in row {row + 1} below the header: {cell!r} "
        f"({rows.size} such rows); {remedy}"
    )


def refuse_infinite(table: Table, name: str, values: Array, kept: NDArray[np.intp]) -> None:
    """Refuse infinite values.

    Parameters
    ----------
    table : Table
    name : str
        Of the column.
    values : ndarray, shape (n,)
    kept : ndarray of int, shape (n,)
        Their rows in the table, from 0.

    Raises
    ------
    InputError
        If there are any; the message names the first.
    """
    infinite = np.isinf(values)
    if infinite.any():
        row = int(kept[np.flatnonzero(infinite)[0]])
        raise InputError(
            f"{table.path}: column '{name}' is infinite in row {row + 1} below the header "
            f"({int(infinite.sum())} such rows); leave the cell empty where the value is "
            "missing, or remove the row"
        )


_CODES = re.compile(r"-?9{3,}(\.9+|\.0)?|-9{2}(\.9+|\.0)?")
_FILLS = (-32768.0, 32767.0, -2147483648.0, 2147483647.0, -1e20, 1e20, -1e30, 1e30, -1e32, 1e32)


def refuse_sentinels(table: Table, name: str, values: Array) -> None:
    """Refuse -999 and the like far away from all other values: codes for missing ones.

    Parameters
    ----------
    table : Table
    name : str
        Of the column.
    values : ndarray, shape (rows,)

    Raises
    ------
    InputError
        If a code is farther from the other values than these are from one another.
    """
    distinct, counts = np.unique(values[~np.isnan(values)], return_counts=True)
    rest, codes = distinct, []
    while rest.size > 3:
        low, high = rest[0], rest[-1]
        inner = rest[1:] if rest[1] - low > high - rest[-2] else rest[:-1]
        code = low if rest[1] - low > high - rest[-2] else high
        gap = max(rest[1] - low, high - rest[-2])
        if not (_is_code(float(code)) and gap > inner[-1] - inner[0]):
            break
        codes.append(float(code))
        rest = inner
    if not codes:
        return
    times = {code: int(counts[np.searchsorted(distinct, code)]) for code in codes}
    said = " and ".join(f"{code:g} ({times[code]} times)" for code in codes)
    column = name if name.isidentifier() else f"`{name}`"
    condition = " and ".join(f"{column} != {code:g}" for code in codes)
    raise InputError(
        f"{table.path}: column '{name}' has {said}, far from all other values ({rest[0]:g} to "
        f"{rest[-1]:g}): codes for missing values? Leave them out by "
        f"--set 'data.where={condition}'; if they are real, say so by "
        f"--set 'data.where={column} == {column}'"
    )


def _is_code(value: float) -> bool:
    return value in _FILLS or bool(_CODES.fullmatch(f"{value:.10g}"))


def is_numeric(series: pd.Series[Any]) -> bool:
    """Whether pandas took a column for numbers; true and false are none."""
    return series.dtype.kind in "iuf"

"""Tables of draws: from columns ``w[1]``, ``w.1``, ``.chain``, ``.iteration`` to arrays.

So write Stan (``w.1``), R's posterior (``w[1]``, ``.chain``), CmdStanPy (``chain__``), ArviZ
(``w[0]``), and, one row for each component, xarray (``component``) and tidybayes; or one row for
each number, with its name beside it.
"""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gmmcompare.model.params import Array
from gmmcompare.runtime.errors import InputError

if TYPE_CHECKING:
    from pandas import DataFrame

CHAIN = (".chain", "chain", "chain__", "chains")
DRAW = (".iteration", "iter__", "iteration", "iter", "draw", ".draw", "draw__", "draws")
"""Within a chain first: ``.draw`` of R's posterior goes on from chain to chain."""
VARIABLE = (".variable", "variable", "parameter", "name")
VALUE = (".value", "value")
"""Of tables with a row for each number, as R's ``gather_draws`` and ``melt`` make them."""
_NAMELESS = re.compile(r"Unnamed: \d+|rownames|index|", re.IGNORECASE)
_PAIR = re.compile(r"\((\d+), (\d+)\)")
_INDEXED = re.compile(
    r"(?P<base>.+?)(?:\[(?P<a>[\d, ]+)\]|\((?P<b>[\d, ]+)\)|\.(?P<c>\d+(?:\.\d+)*)|_(?P<d>\d+)"
    r"|(?<=[A-Za-z])(?P<e>\d+))"
)

_BARE = re.compile(r".*[A-Za-z]\d+")


class Entry(NamedTuple):
    """A column as an entry of an array; without an index of its own it has the index ()."""

    base: str
    at: tuple[int, ...]


def by_chain(frame: DataFrame, path: Path) -> list[DataFrame]:
    """Split a table by its column of chains and sort each by its column of draws.

    Raises
    ------
    InputError
        If chains differ in length.
    """
    frame = _with_pair_as_columns(frame)
    chain = next((c for c in CHAIN if c in frame), None)
    draw = next((c for c in DRAW if c in frame), None)
    pieces = [frame] if chain is None else [piece for _, piece in frame.groupby(chain, sort=True)]
    if draw is not None:
        pieces = [_in_order(piece, draw, path) for piece in pieces]
    known = {*CHAIN, *DRAW}
    return [
        piece.drop(columns=[c for c in piece if str(c) in known or _NAMELESS.fullmatch(str(c))])
        for piece in pieces
    ]


def arrays_of(frame: DataFrame) -> dict[str, Array]:
    """Gather the numeric columns of one chain as arrays, each of shape (draws, ...)."""
    values = {
        str(c): frame[c].to_numpy(dtype=float) for c in frame if frame[c].dtype.kind in "biuf"
    }
    gathered: dict[str, Array] = {}
    for base, places in _grouped(values).items():
        shape = _shape(list(places))
        if shape is None:  # gaps in the numbers: perhaps they are no numbers of components
            gathered.update({name: values[name] for name in places.values()})
        else:
            stacked = np.stack([values[places[i]] for i in sorted(places)], axis=-1)
            gathered[base] = stacked.reshape(-1, *shape)
    return gathered


def entry(name: str) -> Entry:
    """Read a column's name."""
    found = _INDEXED.fullmatch(name)
    if not found:
        return Entry(name, ())
    inside = next(found[group] for group in "abcde" if found[group])
    return Entry(found["base"], tuple(int(i) for i in re.findall(r"\d+", inside)))


def _grouped(names: dict[str, Array]) -> dict[str, dict[tuple[int, ...], str]]:
    """Return the columns of each array; digits count as an index where no other array is meant.

    ``sigma2`` beside ``sigma`` or ``sigma.1`` is a name of its own.
    """
    grouped: dict[str, dict[tuple[int, ...], str]] = {}
    bare = [name for name in names if _BARE.fullmatch(name)]
    for name in names:
        if name not in bare:
            base, index = entry(name)
            grouped.setdefault(base, {})[index] = name
    for base in [base for base, places in grouped.items() if () in places and len(places) > 1]:
        grouped.update({name: {(): name} for name in grouped.pop(base).values()})
    others = set(grouped)
    for name in bare:
        base, index = entry(name)
        base, index = (name, ()) if base in others else (base, index)
        grouped.setdefault(base, {})[index] = name
    return grouped


def _shape(places: list[tuple[int, ...]]) -> tuple[int, ...] | None:
    """Return the shape whose entries these are, numbered from 0 or from 1; None if none is."""
    if len({len(index) for index in places}) > 1:
        return None
    low = [min(axis) for axis in zip(*places, strict=True)]
    high = [max(axis) for axis in zip(*places, strict=True)]
    ranges = [range(a, b + 1) for a, b in zip(low, high, strict=True)]
    if any(a not in (0, 1) for a in low) or set(product(*ranges)) != set(places):
        return None
    return tuple(len(r) for r in ranges)


def _with_pair_as_columns(frame: DataFrame) -> DataFrame:
    """Take ArviZ' first column, ``(chain, draw)`` in one cell, apart."""
    first = frame.columns[0]
    if not _NAMELESS.fullmatch(str(first)) or not len(frame):
        return frame
    pairs = [_PAIR.fullmatch(str(cell)) for cell in frame[first]]
    if not all(pairs):
        return frame
    numbers = [(int(p[1]), int(p[2])) for p in pairs if p]
    rest = frame.drop(columns=first)
    return rest.assign(chain=[c for c, _ in numbers], draw=[d for _, d in numbers])


def _in_order(piece: DataFrame, draw: str, path: Path) -> DataFrame:
    """Sort by draw; where each has several rows, one for each component, make them columns."""
    if not piece[draw].duplicated().any():
        return piece.sort_values(draw, kind="stable")
    variable = next((c for c in VARIABLE if c in piece), "")
    value = next((c for c in VALUE if c in piece), "")
    if variable and value and not piece.duplicated([draw, variable]).any():
        return piece.pivot(index=draw, columns=variable, values=value).reset_index()
    for column in piece.columns.difference([draw]):
        cells = piece[column]
        if cells.dtype.kind in "iu" and not piece.duplicated([draw, column]).any():
            wide = piece.drop(columns=[c for c in CHAIN if c in piece]).pivot(
                index=draw, columns=column
            )
            wide.columns = [f"{pair[0]}[{pair[1]}]" for pair in wide.columns.to_list()]
            return wide.reset_index()
    raise InputError(
        f"{path}: draw {piece[draw][piece[draw].duplicated()].iloc[0]} occurs more than once; "
        "number draws within each chain, and chains in a column 'chain'"
    )

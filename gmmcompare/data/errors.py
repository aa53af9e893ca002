"""The column, or the two columns, of measurement errors, in the units of the values as fitted."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gmmcompare.data.numeric import numbers, refuse_infinite
from gmmcompare.data.table import Table, position
from gmmcompare.model.params import Array
from gmmcompare.runtime.errors import InputError

LARGE = 0.3
"""A relative error from which the delta method is rough: its size is then said."""
_LN_10 = float(np.log(10.0))

_notices = logging.getLogger("gmmcompare")


def read_errors(table: Table, columns: str | Sequence[str], kept: NDArray[np.int64]) -> Array:
    """Read the error of each row, NaN where there is none.

    Parameters
    ----------
    table : Table
    columns : str or sequence of two str
        A column of standard deviations; or those of the lower and the upper error, of which the
        mean is taken, and it is said aloud. One of the two may be negative throughout, as the
        archive of exoplanets writes lower errors.
    kept : ndarray of int
        The rows that are read, from 0.

    Returns
    -------
    ndarray, shape (rows,)

    Raises
    ------
    InputError
        If there is no such column, or it has text, infinite or negative numbers in it.
    """
    if isinstance(columns, str):
        found = _column(table, columns, kept)
        _refuse_negative(table, columns, found, kept)
        return found
    sides = []
    for name in columns:
        side = _column(table, name, kept)
        if not (side[~np.isnan(side)] <= 0.0).all():
            _refuse_negative(table, name, side, kept)
        sides.append(np.abs(side))
    mean = 0.5 * (sides[0] + sides[1])
    both = (mean > 0.0) & ~np.isnan(mean)
    if both.any():
        ratio = np.maximum(*sides)[both] / np.maximum(np.minimum(*sides)[both], 1e-300)
        unequal = int((ratio > 1.5).sum())
        _notices.warning(
            "%s: the error of a value is the mean of '%s' and '%s'; in %s of %s rows one is more "
            "than 1.5 times the other",
            table.path,
            *columns,
            f"{unequal:,}",
            f"{int(both.sum()):,}",
        )
    return np.asarray(mean)


def _column(table: Table, name: str, kept: NDArray[np.int64]) -> Array:
    found = numbers(table, position(table, name), kept)
    refuse_infinite(table, name, found, kept)
    return found


def _refuse_negative(table: Table, name: str, found: Array, kept: NDArray[np.int64]) -> None:
    bad = np.flatnonzero(found < 0.0)
    if bad.size:
        raise InputError(
            f"{table.path}: error column '{name}' has {found[bad[0]]:g} in row "
            f"{int(kept[bad[0]]) + 1} below the header ({bad.size} such rows); an error is a "
            "standard deviation, 0 or more; if it is a lower error, name both: "
            'data.error = ["lower", "upper"]'
        )


def carried(errors: Array, y: Array, transform: str, path: Path) -> Array:
    """Return errors in the units of the transformed values, by the delta method.

    A logarithm divides an error by the value (and by ln 10). That is a straight line in place of a
    curve: how far it is off is said where an error exceeds `LARGE` of its value.

    Parameters
    ----------
    errors : ndarray, shape (N,)
        NaN where there is none.
    y : ndarray, shape (N,)
        Values before the transform, positive under a logarithm.
    transform : {"none", "log", "log10"}
    path : Path
        For the message.

    Returns
    -------
    ndarray, shape (N,)
    """
    if transform == "none":
        return errors
    relative = errors / y
    scale = _LN_10 if transform == "log10" else 1.0
    large = np.flatnonzero(relative > LARGE)
    if large.size:
        r = float(relative[large].max())
        below = f"{np.log1p(-r) / -scale:.2g} below" if r < 1.0 else "all the way down to 0 below"
        _notices.warning(
            "%s: %s of %s errors exceed %g %% of their value, where %s is not straight: the "
            "largest, %.3g %%, becomes %.2g, and is %.2g above and %s",
            path,
            f"{large.size:,}",
            f"{int((~np.isnan(relative)).sum()):,}",
            100 * LARGE,
            transform,
            100 * r,
            r / scale,
            np.log1p(r) / scale,
            below,
        )
    return np.asarray(relative / scale)


def warn_of_odd(errors: Array, y: Array, path: Path) -> None:
    """Say where values are taken as exact, or are measured no better than they spread.

    Parameters
    ----------
    errors, y : ndarray, shape (N,)
        As they are fitted; none is missing.
    path : Path
        For the messages.
    """
    none, spread = int((errors == 0.0).sum()), float(y.std())
    if none == errors.size:
        _notices.warning("%s: all errors are 0: the values are taken as exact", path)
    elif none:
        _notices.warning(
            "%s: %s of %s errors are 0: those values are taken as exact", path, none, errors.size
        )
    wide = int((errors > spread).sum())
    if 2 * wide > errors.size:
        _notices.warning(
            "%s: %s of %s errors exceed the spread of the values (sd %.3g): the errors alone may "
            "account for it, and little can be said of components; are they standard deviations, "
            "in the units of the values?",
            path,
            f"{wide:,}",
            f"{errors.size:,}",
            spread,
        )
    elif wide:
        _notices.warning(
            "%s: %s of %s errors exceed the spread of the values (sd %.3g): these observations "
            "say next to nothing",
            path,
            f"{wide:,}",
            f"{errors.size:,}",
            spread,
        )

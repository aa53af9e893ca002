"""Several columns of a data set or a file as observations of d dimensions."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from gmmcompare.data.datasets import Transform, load_rows
from gmmcompare.data.rows import VectorRows
from gmmcompare.model.params import Array
from gmmcompare.runtime.errors import InputError

UNLIKE = 1e4
"""Columns whose sds differ by more than this are suspected of unlike units."""
COLLINEAR = 1e-10
"""Smallest eigenvalue of a correlation matrix below which columns are collinear."""

_notices = logging.getLogger("gmmcompare")


def load_vectors(
    source: str | Path,
    columns: Sequence[str],
    transform: Transform | Sequence[Transform] = "none",
    labels: Sequence[str | None] | None = None,
    name_column: str | None = None,
    offline: bool = False,
    names_required: bool = True,
    where: str | None = None,
    weight: str | None = None,
) -> VectorRows:
    """Load several columns in the order of the file; rows with any missing value are dropped.

    Parameters
    ----------
    source : str or Path
        A data set or a file, as for `load_rows`.
    columns : sequence of str
        One for each dimension.
    transform : {"none", "log", "log10"}, or a sequence of one for each column
    labels : sequence of str, optional
        Axis labels, one for each column.
    name_column : str, optional
        The column that names the rows.
    offline : bool
        Do not fetch anything.
    names_required : bool
        Whether a file without ``name_column`` is an error.
    where : str, optional
        Which rows, a condition on columns.
    weight : str, optional
        The column that says how often each observation occurs.

    Returns
    -------
    VectorRows
        ``y`` of shape (N, d); rows with a missing value are counted in ``origin.n_missing``.

    Raises
    ------
    InputError
        If the data cannot be used: a column is not there, is named twice, is constant or a linear
        combination of the others, or there are fewer than d + 1 complete rows.
    """
    twice = next((c for c in columns if list(columns).count(c) > 1), None)
    if twice is not None:
        raise InputError(f"{source}: column '{twice}' is named twice; name each column once")
    transforms = [transform] * len(columns) if isinstance(transform, str) else list(transform)
    each = [
        load_rows(source, column, how, label, name_column, offline, names_required, where, weight)
        for column, how, label in zip(
            columns, transforms, labels or [None for _ in columns], strict=True
        )
    ]
    common = each[0].row
    for rows in each[1:]:
        common = np.intersect1d(common, rows.row, assume_unique=True)
    if common.size < len(columns) + 1:
        raise InputError(
            f"{each[0].origin.source}: {common.size} rows have a value in every one of "
            f"{', '.join(columns)}; {len(columns)} dimensions need {len(columns) + 1} or more"
        )
    kept = [np.isin(rows.row, common) for rows in each]
    y = np.stack([rows.y[own] for rows, own in zip(each, kept, strict=True)], axis=1)
    first, own = each[0], kept[0]
    names = first.names and tuple(first.names[i] for i in np.flatnonzero(own))
    counts = None if first.counts is None else first.counts[own]
    n_rows = first.row.size + first.origin.n_missing
    label = " and ".join(rows.origin.label for rows in each)
    origin = replace(first.origin, n_missing=n_rows - common.size, label=label)
    _check(y, columns, origin.source)
    return VectorRows(y, common, names, origin, counts)


def _check(y: Array, columns: Sequence[str], source: str) -> None:
    """Refuse columns that have no spread of their own, and warn of unlike units."""
    spread = y.std(axis=0)
    for column, sd, values in zip(columns, spread, y.T, strict=True):
        if np.ptp(values) == 0 or sd == 0:
            raise InputError(
                f"{source}: column '{column}' is constant, {values[0]:g} in every row; leave it out"
            )
    if len(columns) > 1:
        eigenvalues, vectors = np.linalg.eigh(np.corrcoef(y.T))
        if eigenvalues[0] < COLLINEAR:
            part = np.flatnonzero(np.abs(vectors[:, 0]) > 1e-3)
            raise InputError(
                f"{source}: columns {', '.join(columns[int(i)] for i in part)} are collinear, each "
                "a linear combination of the others; leave one out"
            )
    low, high = int(spread.argmin()), int(spread.argmax())
    if spread[high] > UNLIKE * spread[low]:
        _notices.warning(
            "%s: the sd of column '%s' is %.3g and that of '%s' %.3g: unlike units; priors are "
            "given in these units, so standardise the columns or mind the scales in [priors]",
            source,
            columns[high],
            spread[high],
            columns[low],
            spread[low],
        )

"""Observations in the order of their file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmcompare.model.multivariate.sample import VectorSample
from gmmcompare.model.params import Array
from gmmcompare.model.sample import Key, Origin, Sample, checked_errors, random_ranks


@dataclass(frozen=True, eq=False)
class Rows:
    """Observations in the order of the file, for what is reported row by row.

    Attributes
    ----------
    y : ndarray, shape (N,)
        Transformed values, missing ones dropped.
    row : ndarray, shape (N,), int64
        The row of the file that each came from; 1 is the first below the header.
    names : tuple of str, length N, or None
        The cells of the name column, where one was asked for.
    origin : Origin
    counts : ndarray, shape (N,), integers, all at least 1, or None
        How often each observation occurs, where a column of weights was asked for.
    errors : ndarray, shape (N,), or None
        Sds of their measurement errors, in the units of y, where a column of errors was asked for.
    """

    y: Array
    row: NDArray[np.int64]
    names: tuple[str, ...] | None
    origin: Origin
    counts: NDArray[np.integer] | None = None
    errors: Array | None = None

    @classmethod
    def of(
        cls,
        y: ArrayLike,
        names: Sequence[str] | None = None,
        errors: ArrayLike | None = None,
    ) -> Rows:
        """Make rows of observations given from Python, shape (N,), in this order.

        Parameters
        ----------
        y : array_like, shape (N,)
        names : sequence of str, optional
        errors : array_like, shape (N,) or (), optional
            Sds of the measurement errors.
        """
        values = np.asarray(y, dtype=float)
        s = None if errors is None else checked_errors(errors, values.size)
        origin = Sample.of(values, errors=s).origin
        row = np.arange(1, values.size + 1)
        return cls(values, row, None if names is None else tuple(names), origin, errors=s)

    @cached_property
    def sample(self) -> Sample:
        """The observations as a sample, their order and names forgotten."""
        return Sample.of(self.y, self.origin, self.counts, self.errors)

    def random_part(self, n: int, seed: int) -> Rows:
        """Return n of the rows, chosen at random and in their order.

        Raises
        ------
        InputError
            If there are fewer.
        """
        size = len(self.y) if self.counts is None else int(self.counts.sum())
        chosen, counts = random_ranks(size, n, seed, self.origin.source), None
        if self.counts is not None:  # of all observations; those of one row are counted again
            rows = np.searchsorted(np.cumsum(self.counts), chosen, side="right")
            chosen, counts = np.unique(rows, return_counts=True)
        names = self.names and tuple(self.names[i] for i in chosen)
        origin = self.origin.as_random_part(n, size, seed)
        errors = None if self.errors is None else self.errors[chosen]
        return type(self)(self.y[chosen], self.row[chosen], names, origin, counts, errors)

    def names_by_value(self) -> dict[Key, list[str]]:
        """Return the names at each value, in the order of the file; empty where there are none.

        Where there are errors, at each pair of a value and its error.
        """
        values: list[Any] = self.y.tolist()
        if self.sample.errors is not None and self.errors is not None:
            values = list(zip(values, self.errors.tolist(), strict=True))
        found: dict[Key, list[str]] = {}
        for value, name in zip(values, self.names or (), strict=False):
            found.setdefault(value, []).append(name)
        return found


class VectorRows(Rows):
    """Observations of d columns in the order of the file; ``y`` is (N, d)."""

    @cached_property
    def sample(self) -> VectorSample:
        """The observations as a sample, their order and names forgotten."""
        return VectorSample.of(self.y, self.origin, self.counts)

    def names_by_value(self) -> dict[Key, list[str]]:
        """Return nothing: rows have no one value."""
        return {}

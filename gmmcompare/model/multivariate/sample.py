"""Data of d columns: sorted distinct rows and how often each occurs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmcompare.model.params import Array
from gmmcompare.model.sample import Origin, Sample
from gmmcompare.runtime.errors import InputError


@dataclass(frozen=True, eq=False)
class VectorSample(Sample):
    """Distinct rows, sorted by the first column, then by the next, and their multiplicities.

    Attributes
    ----------
    values : ndarray, shape (D, d)
    counts : ndarray, shape (D,), integers, all at least 1
    origin : Origin
    """

    @classmethod
    def of(
        cls,
        y: ArrayLike,
        origin: Origin | None = None,
        counts: NDArray[np.integer] | None = None,
        errors: ArrayLike | None = None,
    ) -> VectorSample:
        """Build a sample from rows in any order.

        Parameters
        ----------
        y : array_like, shape (N, d)
        origin : Origin, optional
        counts : ndarray of int, shape (N,), optional
            How often each occurs; by default once.
        errors : None
            Measurement errors are for one dimension.

        Raises
        ------
        InputError
            If y is empty, not two-dimensional, or not all finite numbers.
        """
        if errors is not None:
            raise InputError("errors: measurement errors are for one dimension; leave them out")
        try:
            array = np.asarray(y, dtype=float)
        except (TypeError, ValueError):
            raise InputError("the observations must be numbers") from None
        if array.ndim != 2 or array.size == 0:
            raise InputError(
                "the observations must be rows of one or more columns, (N, d), found shape "
                f"{array.shape}"
            )
        if not np.isfinite(array).all():
            row, column = (int(i) for i in np.argwhere(~np.isfinite(array))[0])
            raise InputError(
                f"observation {row + 1}, column {column + 1}, is {array[row, column]}: drop rows "
                "with missing and infinite values first"
            )
        weight = np.ones(len(array), dtype=np.int64) if counts is None else np.asarray(counts)
        values, place = np.unique(array + 0.0, axis=0, return_inverse=True)
        total = np.bincount(place.ravel(), weights=weight, minlength=len(values))
        sample = cls(values, total.astype(np.int64), None, origin or Origin())
        if not sample.origin.sha256:
            return replace(sample, origin=replace(sample.origin, sha256=sample.fingerprint))
        return sample

    @property
    def d(self) -> int:
        """Number of columns."""
        return int(self.values.shape[1])

    @property
    def n_distinct(self) -> int:
        """Number of distinct rows D."""
        return int(self.values.shape[0])

    @property
    def y(self) -> Array:
        """All N rows, sorted, shape (N, d)."""
        return np.repeat(self.values, self.counts, axis=0)

    @property
    def mean(self) -> Any:
        """Mean of each column, shape (d,)."""
        centre = self.values[self.n_distinct // 2]
        return centre + self.counts @ (self.values - centre) / self.n

    @property
    def sd(self) -> Any:
        """Standard deviation of each column (divisor N), shape (d,)."""
        return np.sqrt(self.counts @ (self.values - self.mean) ** 2 / self.n)

    @property
    def cov(self) -> Array:
        """Covariance matrix (divisor N), shape (d, d)."""
        deviation = self.values - self.mean
        return np.asarray((deviation * self.counts[:, None]).T @ deviation / self.n)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of shape, rows and counts, the same on every machine."""
        digest = hashlib.sha256(f"{self.values.shape}".encode())
        digest.update(self.values.astype("<f8").tobytes())
        digest.update(self.counts.astype("<i8").tobytes())
        return digest.hexdigest()

    def find(self, y: Array, errors: Array | None = None) -> NDArray[np.int64]:
        """Return which of the distinct rows each of some rows (n, d) is; they are in the sample."""
        place = np.unique(np.vstack([self.values, y]), axis=0, return_inverse=True)[1].ravel()
        return np.asarray(place[self.n_distinct :], dtype=np.int64)

    def column(self, j: int) -> Sample:
        """Return one column as a sample of numbers."""
        return Sample.of(self.values[:, j], self.origin, self.counts)

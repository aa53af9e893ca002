"""Data as every engine sees them: sorted distinct values and how often each occurs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmcompare.errors import InputError
from gmmcompare.params import Array


@dataclass(frozen=True)
class Origin:
    """Where a sample came from; what the report and ``comparison.json`` say of the data.

    ``sha256`` is that of the file the values were read from, or of the values themselves where
    there is no file.
    """

    name: str = "array"
    source: str = "values given from Python"
    simulated: bool = False
    n_missing: int = 0
    sha256: str = ""
    label: str = "y"


@dataclass(frozen=True, eq=False)
class Sample:
    """Distinct values in ascending order, and their multiplicities.

    Every likelihood is a count-weighted sum over ``values``, which is exact and cheaper than a sum
    over N observations whenever values repeat.

    Attributes
    ----------
    values : ndarray, shape (D,), float64, strictly increasing
    counts : ndarray, shape (D,), int64, all at least 1
    origin : Origin
    """

    values: Array
    counts: NDArray[np.int64]
    origin: Origin = field(default_factory=Origin)

    @classmethod
    def of(cls, y: ArrayLike, origin: Origin | None = None) -> Sample:
        """Build a sample from observations in any order, shape (N,).

        Raises
        ------
        InputError
            If y is empty, not one-dimensional, or not all finite numbers.
        """
        try:
            array = np.asarray(y, dtype=float)
        except (TypeError, ValueError):
            raise InputError("the observations must be numbers") from None
        if array.ndim != 1 or array.size == 0:
            raise InputError(
                f"the observations must be one non-empty column, found shape {array.shape}"
            )
        if not np.isfinite(array).all():
            bad = int(np.flatnonzero(~np.isfinite(array))[0])
            raise InputError(
                f"observation {bad + 1} is {array[bad]}: drop missing and infinite values first"
            )
        # Adding zero turns -0.0 into 0.0, so that the two are one value in every hash.
        values, counts = np.unique(array + 0.0, return_counts=True)
        sample = cls(values, counts.astype(np.int64), origin or Origin())
        if not sample.origin.sha256:
            return replace(sample, origin=replace(sample.origin, sha256=sample.fingerprint))
        return sample

    @property
    def n(self) -> int:
        """Number of observations N."""
        return int(self.counts.sum())

    @property
    def n_distinct(self) -> int:
        """Number of distinct values D."""
        return int(self.values.size)

    @property
    def y(self) -> Array:
        """All N observations in ascending order."""
        return np.repeat(self.values, self.counts)

    @property
    def mean(self) -> float:
        """Mean of the observations."""
        centre = float(np.median(self.values))
        return centre + float(self.counts @ (self.values - centre)) / self.n

    @property
    def sd(self) -> float:
        """Standard deviation of the observations (divisor N); 0 when all are equal."""
        return float(np.sqrt(self.counts @ (self.values - self.mean) ** 2 / self.n))

    @property
    def fingerprint(self) -> str:
        """SHA-256 of values and counts, the same on every machine."""
        digest = hashlib.sha256(self.values.astype("<f8").tobytes())
        digest.update(self.counts.astype("<i8").tobytes())
        return digest.hexdigest()

    def quantiles(self, q: ArrayLike) -> Array:
        """Return the observed values at probabilities ``q`` (no interpolation)."""
        rank = np.ceil(np.asarray(q, dtype=float) * self.n).clip(1, self.n)
        at = np.searchsorted(np.cumsum(self.counts), rank)
        return np.asarray(self.values[at])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sample) and self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)


@dataclass(frozen=True)
class Standardisation:
    """``y -> (y - shift) / scale`` with a power of two as scale, so that scaling rounds nothing.

    Values near 1e12 with a spread of 1 lose every digit of a sum of squares; engines therefore work
    on standardised data with the priors transformed alike, and their draws are carried back.
    """

    shift: float
    scale: float

    @classmethod
    def of(cls, sample: Sample) -> Standardisation:
        """Choose the mean as shift and the power of two nearest the sd as scale."""
        sd = sample.sd
        scale = 2.0 ** round(np.log2(sd)) if sd > 0 else 1.0
        return cls(sample.mean, scale)

    def apply(self, sample: Sample) -> Sample:
        """Return the sample in standardised units."""
        return replace(sample, values=(sample.values - self.shift) / self.scale)

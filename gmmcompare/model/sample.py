"""Data as every engine sees them: sorted distinct values and how often each occurs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmcompare.model.params import Array, Params
from gmmcompare.runtime.errors import InputError


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

    def as_random_part(self, n: int, of: int, seed: int) -> Origin:
        """Return the origin of a random part of these observations.

        Parameters
        ----------
        n : int
            Size of the part.
        of : int
            Number of observations that it was chosen from.
        seed : int
            That chose it.

        Returns
        -------
        Origin
            Its ``source`` says all three.
        """
        return replace(self, source=f"{n:,} of {of:,} values of {self.source}, by seed {seed}")


@dataclass(frozen=True, eq=False)
class Sample:
    """Distinct values in ascending order, and their multiplicities.

    Every likelihood is a count-weighted sum over ``values``, which is exact and cheaper than a sum
    over N observations whenever values repeat.

    Attributes
    ----------
    values : ndarray, shape (D,), float64, strictly increasing
    counts : ndarray, shape (D,), integers, all at least 1
    origin : Origin
    """

    values: Array
    counts: NDArray[np.integer]
    origin: Origin = field(default_factory=Origin)

    @classmethod
    def of(
        cls,
        y: ArrayLike,
        origin: Origin | None = None,
        counts: NDArray[np.integer] | None = None,
    ) -> Sample:
        """Build a sample from observations in any order.

        Parameters
        ----------
        y : array_like, shape (N,)
        origin : Origin, optional
        counts : ndarray of int, shape (N,), optional
            How often each occurs; by default once.

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
        values, multiplicity = _distinct(array) if counts is None else _counted(array, counts)
        sample = cls(values, multiplicity, origin or Origin())
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
        centre = float(self.values[self.n_distinct // 2])
        return centre + float(np.einsum("i,i", self.counts, self.values - centre)) / self.n

    @property
    def sd(self) -> float:
        """Standard deviation of the observations (divisor N); 0 when all are equal."""
        d = self.values - self.mean
        return float(np.sqrt(np.einsum("i,i,i", self.counts, d, d) / self.n))

    @property
    def fingerprint(self) -> str:
        """SHA-256 of values and counts, the same on every machine."""
        digest = hashlib.sha256(self.values.astype("<f8").tobytes())
        digest.update(self.counts.astype("<i8").tobytes())
        return digest.hexdigest()

    def quantiles(self, q: ArrayLike) -> Array:
        """Return the observed values at probabilities ``q`` (no interpolation)."""
        rank = np.ceil(np.asarray(q, dtype=float) * self.n).clip(1, self.n).astype(np.int64)
        if self.n == self.n_distinct:  # no ties: spares a column of N sums
            return np.asarray(self.values[rank - 1])
        return np.asarray(self.values[np.searchsorted(np.cumsum(self.counts), rank)])

    def remarks(self, params: Params) -> tuple[str, ...]:
        """Return what a reader of a fit should know of the data, given its draws (..., K)."""
        return ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sample) and self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)


def random_ranks(size: int, n: int, seed: int, source: str) -> NDArray[np.int64]:
    """Return n of the numbers 0 to size - 1, chosen at random without replacement, ascending.

    Parameters
    ----------
    size, n : int
    seed : int
    source : str
        What the numbers count, for the message.

    Returns
    -------
    ndarray of int, shape (n,)

    Raises
    ------
    InputError
        If n exceeds size.
    """
    if n > size:
        raise InputError(
            f"{source}: data.subsample = {n} is more than there are values ({size}); ask for fewer"
        )
    return np.sort(np.random.default_rng(seed).choice(size, n, replace=False))


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
        return cls.of_moments(sample.mean, sample.sd)

    @classmethod
    def of_moments(cls, mean: float, sd: float) -> Standardisation:
        """Choose shift and scale by the mean and sd of a sample."""
        return cls(mean, 2.0 ** round(np.log2(sd)) if sd > 0 else 1.0)

    def of_value(self, value: float) -> float:
        """Return one value in standardised units, rounded as `apply` does."""
        return (value - self.shift) / self.scale

    def apply(self, sample: Sample) -> Sample:
        """Return the sample in standardised units."""
        values = sample.values - self.shift
        values /= self.scale
        return replace(sample, values=values)


def _distinct(y: Array) -> tuple[Array, NDArray[np.integer]]:
    """Return sorted distinct values and their counts, with few copies: y may have 1e7 values."""
    # Adding zero turns -0.0 into 0.0, so that the two are one value in every hash.
    values = y + 0.0
    values.sort()
    is_new = np.empty(values.size, dtype=bool)
    is_new[0] = True
    np.not_equal(values[1:], values[:-1], out=is_new[1:])
    if is_new.all():
        return values, np.ones(values.size, dtype=np.int32)
    first = np.flatnonzero(is_new)
    counts = np.diff(first, append=values.size).astype(np.int32)
    return values[first], counts


def _counted(y: Array, counts: NDArray[np.integer]) -> tuple[Array, NDArray[np.integer]]:
    """Return sorted distinct values, and how often each occurs by counts of observations."""
    values, place = np.unique(y + 0.0, return_inverse=True)
    total = np.zeros(values.size, dtype=np.int64)
    np.add.at(total, place, counts)
    small = total.max() <= np.iinfo(np.int32).max
    return values, total.astype(np.int32) if small else total

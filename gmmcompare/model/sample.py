"""Data as every engine sees them: sorted distinct values and how often each occurs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmcompare.model.params import Array, Params
from gmmcompare.runtime.errors import InputError

_NO_ERRORS = np.empty(0)
Key = float | tuple[float, float]
"""What tells distinct values apart: a value, or a value and its error."""


@dataclass(frozen=True)
class Origin:
    """Where a sample came from; what the report and ``comparison.json`` say of the data.

    ``n_without_error`` counts values without the measurement error that was asked for.
    ``sha256`` is that of the file the values were read from, or of the values themselves where
    there is no file.
    """

    name: str = "array"
    source: str = "values given from Python"
    simulated: bool = False
    n_missing: int = 0
    n_without_error: int = 0
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
    over N observations whenever values repeat. Where observations were measured with errors, what
    is distinct are pairs of a value and its error.

    Attributes
    ----------
    values : ndarray, shape (D,), float64, ascending; strictly where there are no errors
    counts : ndarray, shape (D,), integers, all at least 1
    errors : ndarray, shape (D,), or None
        Standard deviation of the measurement error of each value, in its units; ascending among
        equal values. None where values are exact.
    origin : Origin
    """

    values: Array
    counts: NDArray[np.integer]
    errors: Array | None = None
    origin: Origin = field(default_factory=Origin)

    @classmethod
    def of(
        cls,
        y: ArrayLike,
        origin: Origin | None = None,
        counts: NDArray[np.integer] | None = None,
        errors: ArrayLike | None = None,
    ) -> Sample:
        """Build a sample from observations in any order.

        Parameters
        ----------
        y : array_like, shape (N,)
        origin : Origin, optional
        counts : ndarray of int, shape (N,), optional
            How often each occurs; by default once.
        errors : array_like, shape (N,) or (), optional
            Standard deviations of the measurement errors, 0 or more, in the units of y; one number
            if all are the same. Errors that are all 0 are none.

        Raises
        ------
        InputError
            If y is empty, not one-dimensional, or not all finite numbers; or errors are not of
            y's length, negative or not finite.
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
        s = None if errors is None else checked_errors(errors, array.size)
        distinct_errors = None
        if s is not None and s.any():
            values, multiplicity, distinct_errors = _distinct_pairs(array, s, counts)
        else:
            values, multiplicity = _distinct(array) if counts is None else _counted(array, counts)
        sample = cls(values, multiplicity, distinct_errors, origin or Origin())
        if not sample.origin.sha256:
            return replace(sample, origin=replace(sample.origin, sha256=sample.fingerprint))
        return sample

    @property
    def n(self) -> int:
        """Number of observations N."""
        return int(self.counts.sum())

    @property
    def n_distinct(self) -> int:
        """Number of distinct values D; of values and errors, where there are errors."""
        return int(self.values.size)

    @property
    def y(self) -> Array:
        """All N observations in ascending order."""
        return np.repeat(self.values, self.counts)

    @property
    def y_errors(self) -> Array | None:
        """Errors of the N observations, in the order of `y`."""
        return None if self.errors is None else np.repeat(self.errors, self.counts)

    @property
    def s(self) -> Array:
        """Errors for compiled code, shape (D,); of shape (0,) where values are exact."""
        return _NO_ERRORS if self.errors is None else self.errors

    def find(self, y: Array, errors: Array | None = None) -> NDArray[np.int64]:
        """Return which of the distinct values each of some observations is.

        Parameters
        ----------
        y : ndarray, shape (n,)
            Observations that are in the sample.
        errors : ndarray, shape (n,), optional
            Theirs, where the sample has errors.

        Returns
        -------
        ndarray of int, shape (n,)
        """
        if self.errors is None or errors is None:
            return np.searchsorted(self.values, y).astype(np.int64)
        # Complex numbers are sorted by real, then by imaginary part.
        pairs = self.values + 1j * self.errors
        return np.searchsorted(pairs, y + 1j * errors).astype(np.int64)

    def part(self, at: slice | NDArray[Any]) -> Sample:
        """Return some of the distinct values with their counts and errors, in ascending order."""
        errors = None if self.errors is None else self.errors[at]
        return replace(self, values=self.values[at], counts=self.counts[at], errors=errors)

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
        """SHA-256 of values, counts and errors if there are any, the same on every machine."""
        digest = hashlib.sha256(self.values.astype("<f8").tobytes())
        digest.update(self.counts.astype("<i8").tobytes())
        if self.errors is not None:
            digest.update(self.errors.astype("<f8").tobytes())
        return digest.hexdigest()

    def quantiles(self, q: ArrayLike) -> Array:
        """Return the observed values at probabilities ``q`` (no interpolation)."""
        return np.asarray(self.values[self.places(q)])

    def places(self, q: ArrayLike) -> NDArray[np.int64]:
        """Return which of the distinct values are at probabilities ``q``."""
        rank = np.ceil(np.asarray(q, dtype=float) * self.n).clip(1, self.n).astype(np.int64)
        if self.n == self.n_distinct:  # no ties: spares a column of N sums
            return np.asarray(rank - 1)
        return np.searchsorted(np.cumsum(self.counts), rank).astype(np.int64)

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
    on standardised data with the priors transformed alike, and their draws are carried back. Data
    of d columns have a shift and a scale for each, arrays of shape (d,).
    """

    shift: Any
    scale: Any

    @classmethod
    def of(cls, sample: Sample) -> Standardisation:
        """Choose the mean as shift and the power of two nearest the sd as scale."""
        return cls.of_moments(sample.mean, sample.sd)

    @classmethod
    def of_moments(cls, mean: Any, sd: Any) -> Standardisation:
        """Choose shift and scale by the mean and sd of a sample, numbers or of shape (d,)."""
        if np.ndim(sd):
            return cls(mean, 2.0 ** np.round(np.log2(np.where(sd > 0, sd, 1.0))))
        return cls(mean, 2.0 ** round(np.log2(sd)) if sd > 0 else 1.0)

    def of_value(self, value: float) -> float:
        """Return one value in standardised units, rounded as `apply` does."""
        return float((value - self.shift) / self.scale)

    def apply(self, sample: Sample) -> Sample:
        """Return the sample in standardised units."""
        values = sample.values - self.shift
        values /= self.scale
        errors = None if sample.errors is None else sample.errors / self.scale
        return replace(sample, values=values, errors=errors)


def checked_errors(errors: ArrayLike, n: int) -> Array:
    """Return the errors of n observations as an array of floats, shape (n,).

    Parameters
    ----------
    errors : array_like, shape (n,) or ()
        Standard deviations; one number if all are the same.
    n : int

    Raises
    ------
    InputError
        If there are not n of them, or one is negative, infinite or not a number.
    """
    try:
        s = np.asarray(errors, dtype=float)
    except (TypeError, ValueError):
        raise InputError("the errors must be numbers") from None
    if s.ndim == 0:
        s = np.full(n, s)
    if s.shape != (n,):
        raise InputError(f"errors of shape {s.shape} for {n} observations: give one for each")
    bad = np.flatnonzero(~(s >= 0) | ~np.isfinite(s))
    if bad.size:
        raise InputError(
            f"error {bad[0] + 1} is {s[bad[0]]:g}: an error is a standard deviation, 0 or more; "
            "drop observations without one"
        )
    return s


def _distinct_pairs(
    y: Array, s: Array, counts: NDArray[np.integer] | None
) -> tuple[Array, NDArray[np.integer], Array]:
    """Return sorted distinct pairs of value and error: values, counts, errors."""
    order = np.lexsort((s, y))
    values, errors = y[order] + 0.0, s[order] + 0.0
    first = np.flatnonzero(np.r_[True, (values[1:] != values[:-1]) | (errors[1:] != errors[:-1])])
    each = np.ones(y.size, dtype=np.int64) if counts is None else np.asarray(counts)[order]
    total = np.add.reduceat(each, first)
    small = total.max() <= np.iinfo(np.int32).max
    return values[first], total.astype(np.int32) if small else total, errors[first]


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

"""One point of the parameter space."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmcompare.runtime.errors import InputError

Array = NDArray[np.float64]


class Params(NamedTuple):
    """Weights, means and standard deviations of a mixture of K normals.

    The fields have shape ``(K,)`` for one point, or ``(..., K)`` for a batch of points.
    """

    w: Array
    mu: Array
    sigma: Array

    @classmethod
    def of(cls, w: ArrayLike, mu: ArrayLike, sigma: ArrayLike) -> Params:
        """Build one point from anything array-like and check it.

        Parameters
        ----------
        w, mu, sigma : array_like, shape (K,)
            Weights, means and standard deviations; numbers alone make K = 1.

        Returns
        -------
        Params

        Raises
        ------
        InputError
            If something is not a number, the shapes differ, a value is NaN, the weights are off the
            simplex or a standard deviation is not positive.
        """
        try:
            point = cls(*(np.atleast_1d(np.asarray(a, dtype=float)) for a in (w, mu, sigma)))
        except (TypeError, ValueError):
            raise InputError("not a mixture: w, mu and sigma must be numbers") from None
        problem = point.problem()
        if problem:
            raise InputError(f"not a mixture: {problem}")
        return point

    @property
    def K(self) -> int:
        """Number of components."""
        return int(self.w.shape[-1])

    def problem(self) -> str:
        """Say what is wrong with these values as parameters, or return an empty string.

        ``sigma = inf`` is allowed: under a nearly improper prior an empty component's standard
        deviation exceeds every floating-point number with high probability.
        """
        if not self.w.shape == self.mu.shape == self.sigma.shape:
            return f"shapes differ: w {self.w.shape}, mu {self.mu.shape}, sigma {self.sigma.shape}"
        if self.w.size == 0:
            return f"there are no values, shape {self.w.shape}"
        for name, values in zip(self._fields, self, strict=True):
            if np.isnan(values).any():
                return f"{name} has {int(np.isnan(values).sum())} NaN of {values.size} values"
        if not np.isfinite(self.mu).all():
            return "mu has infinite values"
        if (self.w < 0).any():
            return f"weights must not be negative: smallest is {self.w.min():.6g}"
        total = self.w.sum(axis=-1)
        worst = float(np.max(np.abs(total - 1.0)))
        if not worst < 1e-6:
            return f"weights must sum to 1: furthest off by {worst:.3g}"
        if (self.sigma <= 0).any():
            return (
                "sigma must be positive (it is a standard deviation): "
                f"smallest is {self.sigma.min():.6g}"
            )
        return ""

    def transformed(self, shift: float, scale: float) -> Params:
        """Return the same mixture for data ``(y - shift) / scale``."""
        return Params(self.w, (self.mu - shift) / scale, self.sigma / scale)

    def restored(self, shift: float, scale: float) -> Params:
        """Return the mixture of which this is `transformed`."""
        with np.errstate(over="ignore"):  # an empty component's sd may exceed every number
            return Params(self.w, self.mu * scale + shift, self.sigma * scale)

    def ordered_by_mean(self) -> Params:
        """Return the same mixture with components in ascending order of the mean (one point)."""
        return self.permuted(np.argsort(self.mu, kind="stable"))

    def permuted(self, order: ArrayLike) -> Params:
        """Return the same mixture with its components in this order (one point)."""
        index = np.asarray(order, dtype=int)
        return Params(*(a[index] for a in self))

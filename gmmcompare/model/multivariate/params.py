"""One point of the parameter space of a mixture of multivariate normals."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from gmmcompare.model.params import Array
from gmmcompare.runtime.errors import InputError


class MultivariateParams(NamedTuple):
    """Weights, means and covariance matrices of a mixture of K normals in d dimensions.

    Shapes are ``(..., K)``, ``(..., K, d)`` and ``(..., K, d, d)``, the leading axes those of a
    batch of points.
    """

    w: Array
    mu: Array
    cov: Array

    @classmethod
    def of(cls, w: ArrayLike, mu: ArrayLike, cov: ArrayLike) -> MultivariateParams:
        """Build one point, or a batch of points, from anything array-like and check it.

        Parameters
        ----------
        w : array_like, shape (..., K)
        mu : array_like, shape (..., K, d)
        cov : array_like, shape (..., K, d, d)

        Raises
        ------
        InputError
            If something is not a number, shapes do not go together, the weights are off the simplex
            or a matrix is not a covariance matrix.
        """
        try:
            point = cls(*(np.asarray(a, dtype=float) for a in (w, mu, cov)))
        except (TypeError, ValueError):
            raise InputError("not a mixture: w, mu and cov must be numbers") from None
        problem = point.problem()
        if problem:
            raise InputError(f"not a mixture: {problem}")
        return point

    @property
    def K(self) -> int:
        """Number of components."""
        return int(self.w.shape[-1])

    @property
    def d(self) -> int:
        """Number of dimensions."""
        return int(self.mu.shape[-1])

    @property
    def variances(self) -> Array:
        """Variances of each dimension, shape (..., K, d)."""
        return np.asarray(np.diagonal(self.cov, axis1=-2, axis2=-1))

    @property
    def correlations(self) -> Array:
        """Correlation matrices, shape (..., K, d, d)."""
        sd = np.sqrt(self.variances)
        return np.asarray(self.cov / (sd[..., :, None] * sd[..., None, :]))

    def problem(self) -> str:
        """Say what is wrong with these values as parameters, or return an empty string."""
        d = self.mu.shape[-1:]
        if self.mu.shape != self.w.shape + d or self.cov.shape != self.w.shape + d + d:
            return (
                f"shapes differ: w {self.w.shape}, mu {self.mu.shape}, cov {self.cov.shape}; "
                "wanted (K,), (K, d) and (K, d, d)"
            )
        if self.cov.size == 0:
            return f"there are no values, shape {self.cov.shape}"
        for name, values in zip(self._fields, self, strict=True):
            if not np.isfinite(values).all():
                bad = int((~np.isfinite(values)).sum())
                return f"{name} has {bad} NaN or infinite of {values.size} values"
        if (self.w < 0).any():
            return f"weights must not be negative: smallest is {self.w.min():.6g}"
        worst = float(np.max(np.abs(self.w.sum(axis=-1) - 1.0)))
        if not worst < 1e-6:
            return f"weights must sum to 1: furthest off by {worst:.3g}"
        return _problem_of_matrices(self.cov)

    def transformed(self, shift: Any, scale: Any) -> MultivariateParams:
        """Return the same mixture for data ``(y - shift) / scale``, each of shape (d,)."""
        return MultivariateParams(self.w, (self.mu - shift) / scale, self.cov / _square(scale))

    def restored(self, shift: Any, scale: Any) -> MultivariateParams:
        """Return the mixture of which this is `transformed`."""
        return MultivariateParams(self.w, self.mu * scale + shift, self.cov * _square(scale))

    def ordered_by_mean(self) -> MultivariateParams:
        """Return the same mixture with components by ascending mean of the first dimension."""
        return self.permuted(np.argsort(self.mu[:, 0], kind="stable"))

    def permuted(self, order: ArrayLike) -> MultivariateParams:
        """Return the same mixture with its components in this order (one point)."""
        index = np.asarray(order, dtype=int)
        return MultivariateParams(*(a[index] for a in self))


def _square(scale: Any) -> Array:
    return np.asarray(np.multiply.outer(np.atleast_1d(scale), np.atleast_1d(scale)))


def _problem_of_matrices(cov: Array) -> str:
    size = np.sqrt(np.abs(np.diagonal(cov, axis1=-2, axis2=-1)))
    tolerance = 1e-8 * size[..., :, None] * size[..., None, :]
    if (np.abs(cov - np.swapaxes(cov, -1, -2)) > tolerance).any():
        return "cov must be symmetric"
    try:
        np.linalg.cholesky(cov)
    except np.linalg.LinAlgError:
        return (
            "cov must be positive definite (it is a covariance matrix): smallest eigenvalue is "
            f"{np.linalg.eigvalsh(cov).min():.6g}"
        )
    return ""

"""One component and the points allocated to it, where points were measured with known errors.

Given u = log sigma^2 the points are normal about the component's mean with variances
v_i = e^u + s_i^2, and the mean is normal a priori. With the mean integrated out, one integral is
left, as without errors (see `component`), of the exponential of

    g(u) = -a u - b e^-u - [sum log v_i + log(1 + v0 T) + sum (y_i - ybar)^2 / v_i
                            + (ybar - m0)^2 T / (1 + v0 T)] / 2

with T = sum 1/v_i and ybar = sum y_i / v_i / T. No few statistics suffice, so a set of points is
kept as what it is. The grids are as in `component`: the integrand is analytic, and no steeper.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmmcompare.model.exact.component import (
    MAX_STEP,
    STEP_IN_SDS,
    TAIL,
    Component,
    Integrated,
    Points,
)
from gmmcompare.model.params import Array

_SQRT_2PI = float(np.sqrt(2.0 * np.pi))


@dataclass(frozen=True, eq=False)
class MeasuredPoints:
    """Sets of points with errors.

    Attributes
    ----------
    n : ndarray of int, shape (M,)
        Number of points of each set.
    member : ndarray, shape (M, N)
        1 where the set holds the point, else 0.
    y, s : ndarray, shape (N,)
        All points, and the sds of their errors.
    """

    n: NDArray[np.int64]
    member: Array
    y: Array
    s: Array

    @property
    def width(self) -> int:
        """Numbers that are needed at once for a set and a node of the grid."""
        return int(self.y.size)

    def at(self, rows: NDArray[np.intp] | NDArray[np.int64]) -> MeasuredPoints:
        """Return some of the sets."""
        return MeasuredPoints(self.n[rows], self.member[rows], self.y, self.s)


def all_measured_subsets(y: Array, s: Array) -> MeasuredPoints:
    """Return every subset of y; bit i of the index is point i.

    Parameters
    ----------
    y, s : ndarray, shape (N,)
        Points and the sds of their errors.
    """
    sets = np.arange(1 << y.size)
    member = ((sets[:, None] >> np.arange(y.size)) & 1).astype(float)
    return MeasuredPoints(member.sum(axis=1).astype(np.int64), member, y, s)


@dataclass(frozen=True)
class MeasuredComponent(Integrated[MeasuredPoints]):
    """The prior of one component, and what it makes of points with errors."""

    def density(self, points: MeasuredPoints, prob: Array, x: Array) -> Array:
        """Return the density of a further observation.

        Parameters
        ----------
        points, prob, x
            As in `Integrated.density`.
        """
        one = Points(np.ones(x.size, dtype=np.int64), x, np.zeros(x.size))
        exact = Component(self.m0, self.v0, self.a, self.b)
        out = prob[points.n == 0].sum() * np.exp(exact.log_marginal(one))
        for _, u, mass, mean, sd in self._atoms(points, prob):
            width = np.sqrt(np.exp(u) + sd**2)
            height = mass / (_SQRT_2PI * width)
            out += [float(height @ np.exp(-0.5 * ((v - mean) / width) ** 2)) for v in x]
        return np.asarray(out)

    def moved(self, points: MeasuredPoints, prob: Array) -> tuple[Array, Array]:
        """Return moments of x_i - y_i; see `Integrated`."""
        first, second = np.zeros(points.width), np.zeros(points.width)
        for rows, u, mass, mean, sd in self._atoms(points, prob):
            # Given u and the mean, x_i - y_i = A (mu - y_i) + noise of sd s_i sqrt(1 - A).
            A = points.s**2 / (np.exp(u)[:, None] + points.s**2)
            shift = A * (mean[:, None] - points.y)
            spread = points.s**2 * (1.0 - A) + (A * sd[:, None]) ** 2
            weight = mass[:, None] * points.member[rows]
            first += (weight * shift).sum(axis=0)
            second += (weight * (shift**2 + spread)).sum(axis=0)
        return first, second

    def _log_integrand(self, u: Array, points: MeasuredPoints) -> Array:
        precision, ybar, total = self._weighted(u, points)
        residual = points.y - ybar[..., None]
        spread = (precision * residual**2).sum(axis=-1)
        grown = 1.0 + self.v0 * total
        # log v_i over the set: zero precisions are those of other points.
        log_v = -np.log(np.where(precision > 0.0, precision, 1.0)).sum(axis=-1)
        quadratic = spread + (ybar - self.m0) ** 2 * total / grown
        # 1-d u serves all sets: broadcast against (M, U).
        nodes = u if u.ndim == 2 else u[None, :]
        prior = -self.a * nodes - self.b * np.exp(-nodes)
        return np.asarray(prior - 0.5 * (log_v + np.log(grown) + quadratic))

    def _mean_given(self, u: Array, points: MeasuredPoints) -> tuple[Array, Array]:
        _, ybar, total = self._weighted(u[:, None], points)
        grown = 1.0 + self.v0 * total[:, 0]
        mean = self.m0 + (ybar[:, 0] - self.m0) * (1.0 - 1.0 / grown)
        return mean, np.sqrt(self.v0 / grown)

    def _weighted(self, u: Array, points: MeasuredPoints) -> tuple[Array, Array, Array]:
        """Return 1/v_i (M, U, N), 0 for points of other sets; ybar and T, both (M, U)."""
        nodes = u if u.ndim == 2 else u[None, :]
        inverse = np.exp(-nodes)[..., None]  # an empty component's may be 0: that of its prior
        precision = points.member[:, None, :] * (inverse / (1.0 + points.s**2 * inverse))
        total = precision.sum(axis=-1)
        occupied = total > 0.0
        ybar = np.divide(
            precision @ points.y, total, out=np.full(total.shape, self.m0), where=occupied
        )
        return precision, ybar, total

    def _range(self, points: MeasuredPoints) -> tuple[float, float, float]:
        """Return lower and upper limit and step of the grid for sets of one size.

        The slope of g is at least b e^-u - c with c = a + n/2: hence a lower limit. Past the
        largest of n v0, the points' squares and their s^2, all but -c integrates to less than
        2 + 0.35 n: hence an upper one. In between, the limits are drawn where a coarse grid shows
        that nothing is left.
        """
        n = float(points.n[0])
        c = self.a + 0.5 * n
        drop = TAIL / c
        low = np.log(self.b / c) - np.log1p(drop + np.sqrt(2.0 * drop))
        apart = float(((points.y - self.m0) ** 2).sum())
        largest = max(n * self.v0, self.b + apart, float((points.s**2).max()))
        high = np.log(largest) + drop + (2.0 + 0.35 * n) / c
        coarse = np.linspace(low, high, 2 + int(high - low))
        g = np.concatenate(
            [
                self._log_integrand(coarse, points.at(rows))
                for rows in np.array_split(np.arange(points.n.size), 1 + points.n.size // 2000)
            ]
        )
        left = np.flatnonzero((g > g.max(axis=1, keepdims=True) - TAIL - 2.0).any(axis=0))
        low, high = coarse[max(left[0] - 1, 0)], coarse[min(left[-1] + 1, coarse.size - 1)]
        return float(low), float(high), min(MAX_STEP, STEP_IN_SDS / float(np.sqrt(c)))

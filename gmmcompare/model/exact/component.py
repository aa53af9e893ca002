"""One component and the points allocated to it, with its mean and variance integrated out.

Everything needed of n points is their number, mean and sum of squares SS about it. Given
u = log sigma^2 the component's mean is normal, so that one integral is left, over u, of the
exponential of

    g(u) = -(a + n/2) u - log(1 + t)/2 - [b + SS/2 + n (ybar - m0)^2 / (2 + 2 t)] e^-u

with t = n v0 e^-u. It is analytic and falls off exponentially on both sides, for which the
trapezoid rule converges geometrically (Trefethen and Weideman 2014, SIAM Review 56, section 5):
with the steps used here its error is below rounding, wherever the nodes lie. That gives two exact
tools besides the integral. The distribution function of u is a sum of sine integrals (Kearfott
1983, Math. Comp. 41). And a draw of u is a node of a randomly shifted grid, chosen in proportion to
exp g: the shift makes every u possible, and the sum over the nodes is the same for every shift.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincc, gammaln, logsumexp, ndtr, sici

from gmmcompare.model.params import Array
from gmmcompare.model.priors import Priors, log_gamma_draws

MAX_STEP = 0.125
STEP_IN_SDS = 0.4  # of u's own sd, which is at least (a + n/2)^-1/2
TAIL = 36.0  # the integrand's tails are cut where exp(-36) = 2e-16 of it is left
_LOST_MASS = 1e-12
_LOST_DENSITY = 1e-13
_BLOCK = 1_000_000
_FAR = -40.0  # exp(-40) is below the rounding of 1


class Sets(Protocol):
    """Many sets of points, M in all, in whatever form a component needs them."""

    @property
    def n(self) -> NDArray[np.int64]:
        """Number of points of each set, shape (M,)."""
        ...

    @property
    def width(self) -> int:
        """Numbers that are needed at once for a set and a node of the grid."""
        ...

    def at(self, rows: NDArray[np.intp] | NDArray[np.int64]) -> Self:
        """Return some of the sets."""
        ...


class Points(NamedTuple):
    """Sufficient statistics of many sets of points, arrays of shape (M,).

    ``n`` is the number of points, ``mean`` their mean (anything where n is 0), and ``sum_sq`` the
    sum of squares about it.
    """

    n: NDArray[np.int64]
    mean: Array
    sum_sq: Array

    @property
    def width(self) -> int:
        """Numbers that are needed at once for a set and a node of the grid."""
        return 1

    def at(self, rows: NDArray[np.intp] | NDArray[np.int64]) -> Points:
        """Return the statistics of some of the sets."""
        return Points(self.n[rows], self.mean[rows], self.sum_sq[rows])

    def plus(self, y: Array) -> Points:
        """Return the statistics with one more point in each set (Welford 1962), y of shape (M,)."""
        n = self.n + 1
        delta = y - self.mean
        return Points(n, self.mean + delta / n, self.sum_sq + delta**2 * self.n / n)


def all_subsets(y: Array) -> Points:
    """Return the statistics of every subset of y, shape (2^N,); bit i of the index is point i."""
    points = Points(np.zeros(1, dtype=np.int64), np.zeros(1), np.zeros(1))
    for value in y:
        with_it = points.plus(np.full(points.n.size, value))
        points = Points(*(np.concatenate(pair) for pair in zip(points, with_it, strict=True)))
    return points


class _Block(NamedTuple):
    """Sets of one size on one grid of u: the sets' indices, the nodes (U,) and weights (M, U)."""

    rows: NDArray[np.intp]
    u: Array
    step: float
    log_weight: Array


class _Atoms(NamedTuple):
    """Nodes of sets that have any mass: arrays of shape (A,)."""

    rows: NDArray[np.intp]
    u: Array
    mass: Array
    mean: Array
    sd: Array


@dataclass(frozen=True)
class Integrated[S: Sets]:
    """The prior of one component: mean ~ Normal(m0, sqrt(v0)), variance ~ InverseGamma(a, b).

    A subclass says what is left of the integrand given u, and what the mean is given u.
    """

    m0: float
    v0: float
    a: float
    b: float

    @classmethod
    def of(cls, priors: Priors, k: int) -> Self:
        """Take component k of priors whose fields have shape (K,)."""
        fields = (priors.mean_loc, priors.mean_sd, priors.var_shape, priors.var_scale)
        m0, sd, a, b = (float(np.asarray(field)[k]) for field in fields)
        return cls(m0, sd**2, a, b)

    def log_marginal(self, points: S) -> Array:
        """Return the log density of each set of points, parameters integrated out, shape (M,)."""
        out = np.zeros(points.n.size)
        for block in self._blocks(points):
            out[block.rows] = logsumexp(block.log_weight, axis=1) + np.log(block.step)
        constant = self.a * np.log(self.b) - gammaln(self.a)
        return np.where(points.n > 0, out + constant - 0.5 * points.n * np.log(2 * np.pi), 0.0)

    def mean_cdf(self, points: S, prob: Array, x: Array) -> Array:
        """Return the posterior distribution function of the component's mean.

        Parameters
        ----------
        points : Sets
            M sets of points.
        prob : ndarray, shape (M,)
            Probability that the component holds each of them.
        x : ndarray, shape (X,)
            In the units of ``points``; infinite ones are allowed.

        Returns
        -------
        ndarray, shape (X,)
        """
        total = prob[points.n == 0].sum()
        out = total * ndtr((x - self.m0) / np.sqrt(self.v0))
        for _, _, mass, mean, sd in self._atoms(points, prob):
            out += [float(mass @ ndtr((value - mean) / sd)) for value in x]
            total += mass.sum()
        return np.asarray(out / total)

    def log_var_cdf(self, points: S, prob: Array, x: Array) -> Array:
        """Return the posterior distribution function of the component's log variance.

        Parameters
        ----------
        points : Sets
            M sets of points.
        prob : ndarray, shape (M,)
            Probability that the component holds each of them.
        x : ndarray, shape (X,)
            Log variances in the units of ``points``; infinite ones are allowed.

        Returns
        -------
        ndarray, shape (X,)
        """
        total = prob[points.n == 0].sum()
        out = total * log_var_cdf(self.a, self.b, x)
        for block in self._blocks(points):
            mass = prob[block.rows] @ _normalised(block.log_weight)
            sine_integral, _ = sici(np.pi * (x[:, None] - block.u) / block.step)
            out += (0.5 + sine_integral / np.pi) @ mass
            total += mass.sum()
        return np.asarray(np.clip(out / total, 0.0, 1.0))

    def draw(self, points: S, rng: np.random.Generator) -> tuple[Array, Array]:
        """Draw mean and log variance given each set of points, each of shape (M,)."""
        empty = points.n == 0
        u = np.empty(points.n.size)
        u[empty] = np.log(self.b) - log_gamma_draws(rng, np.full(empty.sum(), self.a))
        for block in self._blocks(points, rng):
            below = np.cumsum(_normalised(block.log_weight), axis=1)
            uniform = rng.random(block.rows.size) * below[:, -1]
            chosen = (below <= uniform[:, None]).sum(axis=1)
            u[block.rows] = block.u[np.arange(chosen.size), chosen]
        mean, sd = self._mean_given(u, points)
        return rng.normal(mean, sd), u

    def density(self, points: S, prob: Array, x: Array) -> Array:
        """Return the density of a further observation, which is exact, shape (X,).

        Parameters
        ----------
        points : Sets
            M sets of points.
        prob : ndarray, shape (M,)
            Weight of each; the density integrates to their sum.
        x : ndarray, shape (X,)
            Finite, in the units of ``points``.
        """
        raise NotImplementedError

    def moved(self, points: S, prob: Array) -> tuple[Array, Array]:
        """Return sums over the sets that hold point i of x_i - y_i and its square, each (N,).

        x_i is the true value of y_i. Where there are no errors they are 0.

        Parameters
        ----------
        points : Sets
            M sets of N points.
        prob : ndarray, shape (M,)
            Probability of each.
        """
        n = int(points.n.max())
        return np.zeros(n), np.zeros(n)

    def _mean_given(self, u: Array, points: S) -> tuple[Array, Array]:
        """Return mean and sd of the component's mean given log variance and points, each (M,)."""
        raise NotImplementedError

    def _log_integrand(self, u: Array, points: S) -> Array:
        """Return g(u), shape (M, U), for u of shape (U,) or (M, U) and sets of one size."""
        raise NotImplementedError

    def _range(self, points: S) -> tuple[float, float, float]:
        """Return lower and upper limit and step of the grid for sets of one size."""
        raise NotImplementedError

    def _atoms(self, points: S, prob: Array) -> Iterator[_Atoms]:
        """Yield the nodes of sets that are not empty, with their mass; what has none is left out.

        Parameters
        ----------
        points : Sets
            M sets of points.
        prob : ndarray, shape (M,)
            Probability of each.
        """
        for block in self._blocks(points):
            mass = prob[block.rows, None] * _normalised(block.log_weight)
            row, column = np.nonzero(mass > _LOST_MASS / mass.size)
            rows, u = block.rows[row], block.u[column]
            yield _Atoms(rows, u, mass[row, column], *self._mean_given(u, points.at(rows)))

    def _blocks(self, points: S, shift: np.random.Generator | None = None) -> Iterator[_Block]:
        """Yield the sets that are not empty, those of one size together, on their grid.

        With ``shift`` every set has a grid of its own, moved by a random part of the step.
        """
        for n in np.unique(points.n[points.n > 0]):
            same = np.flatnonzero(points.n == n)
            low, high, step = self._range(points.at(same))
            u = low + step * np.arange(np.ceil((high - low) / step) + 1)
            # Blocks bound the memory: M x U doubles, a few times over.
            n_blocks = -(-same.size // max(1, _BLOCK // (u.size * points.width)))
            for rows in np.array_split(same, n_blocks):
                offset = 0.0 if shift is None else step * shift.random((rows.size, 1))
                nodes = u + offset
                yield _Block(rows, nodes, step, self._log_integrand(nodes, points.at(rows)))


@dataclass(frozen=True)
class Component(Integrated[Points]):
    """One component, and what it makes of points that are exact."""

    def density(self, points: Points, prob: Array, x: Array) -> Array:
        """Return the density of a further observation.

        Parameters
        ----------
        points, prob, x
            As in `Integrated.density`.
        """
        return density_of_another(self.log_marginal, points, prob, x)

    def _mean_given(self, u: Array, points: Points) -> tuple[Array, Array]:
        """Return mean and sd of the component's mean given log variance and points."""
        ratio = points.n * self.v0 * np.exp(-u)
        pull = np.where(points.n > 0, points.mean - self.m0, 0.0)
        return self.m0 + pull * ratio / (1.0 + ratio), np.sqrt(self.v0 / (1.0 + ratio))

    def _log_integrand(self, u: Array, points: Points) -> Array:
        """Return g(u), shape (M, U), for u of shape (U,) or (M, U) and sets of one size."""
        n = points.n[0]
        precision = np.exp(-u)
        ratio = n * self.v0 * precision
        pull = (n * (points.mean - self.m0) ** 2)[:, None] / (1.0 + ratio)
        scale = self.b + 0.5 * (points.sum_sq[:, None] + pull)
        return np.asarray(-(self.a + 0.5 * n) * u - 0.5 * np.log1p(ratio) - scale * precision)

    def _range(self, points: Points) -> tuple[float, float, float]:
        """Return lower and upper limit and step of the grid for sets of one size.

        With r = e^u, V = n v0, A = b + SS/2, D = n (ybar - m0)^2 and c = a + n/2, the slope of g is
        -c + A/r + V/(2 (r + V)) + D r / (2 (r + V)^2).

        Below log(A/c) it is at least A/r - c: hence the lower limit. Past log(V), log(A) and log(D)
        all but -c integrate to less than 2: hence the upper one. The last two terms never exceed
        1/2 + D/(8 V): hence another, which is nearer for large c.
        """
        n = float(points.n[0])
        c, V = self.a + 0.5 * n, n * self.v0
        A = self.b + 0.5 * points.sum_sq
        D = float((n * (points.mean - self.m0) ** 2).max())
        drop = TAIL / c
        low = np.log(A.min() / c) - np.log1p(drop + np.sqrt(2.0 * drop))
        high = np.log(max(V, A.max(), D)) + drop + 2.0 / c
        slope = c - 0.5 - D / (8.0 * V)
        if slope > 0.0:
            drop = TAIL / slope
            beyond = 0.5 * drop + np.sqrt(0.25 * drop**2 + 2.0 * drop)
            high = min(high, np.log(A.max() / slope) + beyond)
        return float(low), float(high), min(MAX_STEP, STEP_IN_SDS / float(np.sqrt(c)))


def density_of_another(
    log_marginal: Callable[[Points], Array], points: Points, prob: Array, x: Array
) -> Array:
    """Return the density of a further observation, a ratio of marginals, shape (X,).

    Parameters
    ----------
    log_marginal : callable
        Of sets of points.
    points : Points
        M sets.
    prob : ndarray, shape (M,)
        Weight of each; the density integrates to their sum.
    x : ndarray, shape (X,)
        Finite, in the units of ``points``.
    """
    rows = np.flatnonzero(prob > _LOST_DENSITY / prob.size)
    log_without = log_marginal(points.at(rows))
    joined = points.at(np.tile(rows, x.size)).plus(np.repeat(x, rows.size))
    log_with = log_marginal(joined).reshape(x.size, rows.size)
    return np.asarray(np.exp(log_with - log_without) @ prob[rows])


def log_var_cdf(a: float | Array, b: float | Array, x: Array) -> Array:
    """Return the distribution function of the logarithm of an InverseGamma(a, b) variate.

    Parameters
    ----------
    a, b : float or ndarray
        Shape and scale.
    x : ndarray
    """
    log_ratio = np.log(b) - x
    with np.errstate(over="ignore"):  # an infinite ratio is meant: no variance is that small
        regular = gammaincc(a, np.exp(log_ratio))
    # For a near 0 much of the mass lies where the ratio underflows: the first term of the series
    # for small ratios.
    far = -np.expm1(a * np.minimum(log_ratio, _FAR) - gammaln(a + 1.0))
    return np.asarray(np.where(log_ratio < _FAR, far, regular))


def _normalised(log_weight: Array) -> Array:
    weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))

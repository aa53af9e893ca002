"""The exact posterior of a mixture of multivariate normals.

A component's prior has an independent mean and covariance matrix and so is not conjugate; all the
same its marginal stays a one-dimensional integral for every d. Given n points with mean ybar and
A = Psi + S, S the scatter about ybar, the covariance matrix integrates out to
``|A|^(-p/2) (1 + n delta' A^-1 delta)^(-p/2)`` with delta = mu - ybar and p = nu + n. A gamma
variate l makes a normal density in mu of this, so that mu integrates out, too::

    M(S) = pi^(-nd/2) G_d(p/2) / G_d(nu/2) |Psi|^(nu/2) |A|^(-(p-1)/2) / G(p/2)
           x Int_0^inf l^(p/2-1) e^-l (pi/(n l))^(d/2) N(ybar | m0, V0 + A/(2 n l)) dl

Taken in t = log l it is analytic and falls off exponentially on both sides, for which the
trapezoid rule converges geometrically, as in `component`. One eigendecomposition of V0 relative to
A makes the integrand a product over d directions, so that a node costs d operations.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln, logsumexp, multigammaln, ndtr

from gmmcompare.model.exact.summed import SummedPosterior, check_number, without_nan
from gmmcompare.model.family import sample_of
from gmmcompare.model.multivariate.params import MultivariateParams
from gmmcompare.model.multivariate.priors import MultivariatePriors
from gmmcompare.model.multivariate.wishart import draw_inverse_wisharts
from gmmcompare.model.params import Array
from gmmcompare.model.sample import Standardisation
from gmmcompare.runtime.errors import InputError

MAX_STEP = 0.125
_STEP_IN_SDS = 0.4
_TAIL = 36.0  # the integrand's tails are cut where exp(-36) = 2e-16 of it is left
_LOST_MASS = 1e-13
_BLOCK = 1_000_000


def multivariate_posterior(
    y: ArrayLike, K: int, priors: MultivariatePriors, errors: ArrayLike | None = None
) -> ExactMultivariatePosterior:
    """Return the exact posterior of a mixture of multivariate normals; see `exact_posterior`.

    Parameters
    ----------
    y : array_like, shape (N, d)
    K : int
    priors : MultivariatePriors
    errors : None
        Measurement errors are for one dimension.
    """
    if errors is not None:
        raise InputError("errors: measurement errors are for one dimension; leave them out")
    sample = sample_of(y, priors)
    check_number(sample)
    unit = Standardisation.of(sample)
    full = priors.expanded(K)
    in_unit = full.transformed(unit.shift, unit.scale)
    rows = np.asarray(y, dtype=float)
    points = all_subsets((rows - unit.shift) / unit.scale)
    components = [MultivariateComponent.of(in_unit, k) for k in range(K)]
    return ExactMultivariatePosterior.over(rows, unit, full, points, components)


class VectorPoints(NamedTuple):
    """Sufficient statistics of many sets of points in d dimensions.

    ``n`` (M,) is the number of points, ``mean`` (M, d) their mean (anything where n is 0), and
    ``scatter`` (M, d, d) the sum of squares and products about it.
    """

    n: NDArray[np.int64]
    mean: Array
    scatter: Array

    @property
    def width(self) -> int:
        """Numbers that are needed at once for a set and a node of the grid."""
        return 1

    def at(self, rows: NDArray[np.intp] | NDArray[np.int64]) -> VectorPoints:
        """Return the statistics of some of the sets."""
        return VectorPoints(self.n[rows], self.mean[rows], self.scatter[rows])

    def plus(self, y: Array) -> VectorPoints:
        """Return the statistics with one more point in each set (Welford 1962), y of (M, d)."""
        n = self.n + 1
        delta = y - self.mean
        share = (self.n / n)[:, None, None]
        square = delta[:, :, None] * delta[:, None, :]
        return VectorPoints(n, self.mean + delta / n[:, None], self.scatter + share * square)


def all_subsets(y: Array) -> VectorPoints:
    """Return the statistics of every subset of rows of y; bit i of the index is row i."""
    d = y.shape[1]
    points = VectorPoints(np.zeros(1, dtype=np.int64), np.zeros((1, d)), np.zeros((1, d, d)))
    for row in y:
        with_it = points.plus(np.broadcast_to(row, points.mean.shape))
        points = VectorPoints(*(np.concatenate(pair) for pair in zip(points, with_it, strict=True)))
    return points


class _Block(NamedTuple):
    """Sets of one size on one grid of t = log l.

    In coordinates x with mu = m0 + basis x the prior variance of x_j is ``e[:, j]``, that of the
    points' mean ``c / l``, c = 1/(2n), and this mean is ``g``.
    """

    rows: NDArray[np.intp]
    t: Array
    step: float
    log_weight: Array
    basis: Array
    e: Array
    g: Array


@dataclass(frozen=True)
class MultivariateComponent:
    """The prior of one component: mean ~ Normal(m0, V0), covariance ~ InverseWishart(nu, Psi).

    Kept as tuples of numbers, so that equal components are found to be equal.
    """

    m0: tuple[float, ...]
    V0: tuple[float, ...]
    nu: float
    Psi: tuple[float, ...]

    @classmethod
    def of(cls, priors: MultivariatePriors, k: int) -> MultivariateComponent:
        """Take component k of priors that were expanded."""
        m0, V0, nu, Psi = (
            np.asarray(field)[k]
            for field in (priors.mean_loc, priors.mean_cov, priors.cov_df, priors.cov_scale)
        )
        return cls(tuple(m0), tuple(V0.ravel()), float(nu), tuple(Psi.ravel()))

    @property
    def d(self) -> int:
        """Number of dimensions."""
        return len(self.m0)

    def log_marginal(self, points: VectorPoints) -> Array:
        """Return the log density of each set of points, parameters integrated out, shape (M,)."""
        d, (_, _, Psi) = self.d, self._arrays()
        out = np.zeros(points.n.size)
        for block in self._blocks(points):
            out[block.rows] = logsumexp(block.log_weight, axis=1) + np.log(block.step)
        n = np.maximum(points.n, 1)
        p = self.nu + n
        log_det = np.linalg.slogdet(Psi + points.scatter)[1]
        prior = self.nu / 2 * np.linalg.slogdet(Psi)[1] - multigammaln(self.nu / 2, d)
        given = multigammaln(p / 2, d) - gammaln(p / 2) - p / 2 * log_det
        constant = prior + given - d / 2 * (n * np.log(np.pi) + np.log(2.0 * n))
        return np.where(points.n > 0, out + constant, 0.0)

    def mean_cdf(self, points: VectorPoints, prob: Array, x: Array, j: int) -> Array:
        """Return the posterior distribution function of the mean in dimension j.

        Parameters
        ----------
        points : VectorPoints
            M sets of points, as of `all_subsets`.
        prob : ndarray, shape (M,)
            Probability that the component holds each of them.
        x : ndarray, shape (X,)
            In the units of ``points``; infinite ones are allowed.
        j : int
            From 0.

        Returns
        -------
        ndarray, shape (X,)
        """
        m0, V0, _ = self._arrays()
        total = prob[points.n == 0].sum()
        out = total * ndtr((x - m0[j]) / np.sqrt(V0[j, j]))
        for block in self._blocks(points):
            mass = prob[block.rows, None] * _normalised(block.log_weight)
            row, column = np.nonzero(mass > _LOST_MASS / mass.size)
            mass = mass[row, column]
            c = 1.0 / (2.0 * points.n[block.rows[0]])
            mean, var = _given(block.t[column], block.e[row], block.g[row], c)
            onto = block.basis[row, j]
            at, sd = m0[j] + (onto * mean).sum(-1), np.sqrt((onto**2 * var).sum(-1))
            out += [float(mass @ ndtr((value - at) / sd)) for value in x]
            total += mass.sum()
        return np.asarray(out / total)

    def density(self, points: VectorPoints, prob: Array, x: Array) -> Array:
        """Return the density of a further observation, a ratio of marginals, shape (X,).

        Parameters
        ----------
        points : VectorPoints
            M sets of points.
        prob : ndarray, shape (M,)
            Weight of each; the density integrates to their sum.
        x : ndarray, shape (X, d)
            Finite, in the units of ``points``.
        """
        rows = np.flatnonzero(prob > _LOST_MASS / prob.size)
        log_without = self.log_marginal(points.at(rows))
        joined = points.at(np.tile(rows, len(x))).plus(np.repeat(x, rows.size, axis=0))
        log_with = self.log_marginal(joined).reshape(len(x), rows.size)
        return np.asarray(np.exp(log_with - log_without) @ prob[rows])

    def draw(self, points: VectorPoints, rng: np.random.Generator) -> tuple[Array, Array]:
        """Draw mean (M, d) and covariance matrix (M, d, d) given each set of points.

        A node of a randomly shifted grid of t, chosen in proportion to the integrand, is an exact
        draw of t (see `component`); the mean given t is normal, the matrix given the mean inverse
        Wishart.
        """
        m0, V0, Psi = self._arrays()
        M = points.n.size
        normals = rng.standard_normal((M, self.d))
        mu = m0 + normals @ np.linalg.cholesky(V0).T  # of the prior, for empty sets
        for block in self._blocks(points, rng):
            below = np.cumsum(_normalised(block.log_weight), axis=1)
            uniform = rng.random(block.rows.size) * below[:, -1]
            chosen = (below <= uniform[:, None]).sum(axis=1)
            t = block.t[np.arange(chosen.size), chosen]
            c = 1.0 / (2.0 * points.n[block.rows[0]])
            mean, var = _given(t, block.e, block.g, c)
            x = mean + np.sqrt(var) * normals[block.rows]
            mu[block.rows] = m0 + np.einsum("mij,mj->mi", block.basis, x)
        delta = np.where((points.n > 0)[:, None], mu - points.mean, 0.0)
        A = Psi + points.scatter
        A = A + points.n[:, None, None] * delta[:, :, None] * delta[:, None, :]
        return mu, draw_inverse_wisharts(np.asarray(self.nu + points.n), np.asarray(A), rng)

    def _arrays(self) -> tuple[Array, Array, Array]:
        d = self.d
        m0, V0, Psi = (np.array(a) for a in (self.m0, self.V0, self.Psi))
        return m0, V0.reshape(d, d), Psi.reshape(d, d)

    def _blocks(
        self, points: VectorPoints, shift: np.random.Generator | None = None
    ) -> Iterator[_Block]:
        """Yield the sets that are not empty, those of one size together, on their grid.

        With ``shift`` every set has a grid of its own, moved by a random part of the step.
        """
        for n in np.unique(points.n[points.n > 0]):
            same = np.flatnonzero(points.n == n)
            basis, e, g = self._directions(points.at(same))
            low, high, step = self._range(float(n), e, g)
            t = low + step * np.arange(np.ceil((high - low) / step) + 1)
            # Blocks bound the memory: M x T doubles, a few times over.
            n_blocks = -(-same.size // max(1, _BLOCK // t.size))
            for own in np.array_split(np.arange(same.size), n_blocks):
                offset = 0.0 if shift is None else step * shift.random((own.size, 1))
                nodes = t + offset
                log_weight = self._log_integrand(nodes, float(n), e[own], g[own])
                yield _Block(same[own], nodes, step, log_weight, basis[own], e[own], g[own])

    def _directions(self, points: VectorPoints) -> tuple[Array, Array, Array]:
        """Diagonalise V0 relative to A: with A = L L', inv(L) V0 inv(L') = U diag(e) U'."""
        m0, V0, Psi = self._arrays()
        L = np.linalg.cholesky(Psi + points.scatter)
        half = np.linalg.solve(L, np.broadcast_to(V0, L.shape))
        relative = np.linalg.solve(L, np.swapaxes(half, -1, -2))
        e, U = np.linalg.eigh((relative + np.swapaxes(relative, -1, -2)) / 2)
        whitened = np.linalg.solve(L, (points.mean - m0)[..., None])
        g = (np.swapaxes(U, -1, -2) @ whitened)[..., 0]
        return L @ U, np.maximum(e, np.finfo(float).tiny), g

    def _log_integrand(self, t: Array, n: float, e: Array, g: Array) -> Array:
        """Return h(t), shape (M, T), for t of shape (T,) or (M, T) and sets of n points.

        ``h = p t / 2 - e^t - sum_j [log(e_j l + c) + g_j^2 l / (e_j l + c)] / 2`` with c = 1/(2n).
        """
        ell, c = np.exp(t), 1.0 / (2.0 * n)
        out = np.broadcast_to(0.5 * (self.nu + n) * t - ell, (len(e), t.shape[-1])).copy()
        for j in range(self.d):
            spread = e[:, j, None] * ell + c
            out -= 0.5 * (np.log(spread) + g[:, j, None] ** 2 * ell / spread)
        return out

    def _range(self, n: float, e: Array, g: Array) -> tuple[float, float, float]:
        """Return lower and upper limit and step of the grid for sets of n points.

        With k = p / 2 the slope of h is at most k - l: hence the upper limit. It is at least
        k - B l with B = 1 + n sum_j (e_j + g_j^2): hence the lower one, from log(k / B) down.
        """
        k = 0.5 * (self.nu + n)
        drop = _TAIL / k
        B = float((1.0 + n * (e + g**2).sum(-1)).max())
        low = np.log(k / B) - drop - np.sqrt(2.0 * drop)
        high = np.log(k + _TAIL + np.sqrt(2.0 * k * _TAIL))
        step = min(MAX_STEP, _STEP_IN_SDS / float(np.sqrt(k + self.d / 8)))
        return float(low), float(high), step


class ExactMultivariatePosterior(SummedPosterior[VectorPoints, MultivariateComponent]):
    """The posterior of (w, mu, cov) and of the allocations; made by `exact_posterior`."""

    def cdf(
        self, name: str, x: ArrayLike, component: int | None = None, dimension: int = 0
    ) -> Array:
        """Return the marginal posterior distribution function of a weight or of a mean.

        Parameters
        ----------
        name : "w" or "mu"
        x : array_like
            Points of any shape; infinite ones are allowed.
        component : int, optional
            Which one, from 0; must be given where priors differ between components.
        dimension : int, optional
            Of the mean, from 0.

        Returns
        -------
        ndarray, of the shape of x

        Raises
        ------
        InputError
            If there is no such parameter, component or dimension, or x has NaN.
        """
        k = self._which(component)
        at = without_nan(x)
        flat = at.ravel()
        if not 0 <= dimension < self._priors.d:
            raise InputError(
                f"there is no dimension {dimension}: the first is 0 of {self._priors.d}"
            )
        if name == "w":
            values = self._weight_cdf(k, flat)
        elif name == "mu":
            flat = (flat - self._unit.shift[dimension]) / self._unit.scale[dimension]
            prob = self._allocations.prob_set[k]
            values = self._components[k].mean_cdf(self._points, prob, flat, dimension)
        else:
            raise InputError(f"there is no distribution function of {name!r}: give w or mu")
        return values.reshape(at.shape)

    def sample(self, n: int, rng: np.random.Generator) -> MultivariateParams:
        """Draw n independent points from the posterior: (n, K), (n, K, d) and (n, K, d, d)."""
        return self.sample_with_allocations(n, rng)[0]

    def sample_with_allocations(
        self, n: int, rng: np.random.Generator
    ) -> tuple[MultivariateParams, NDArray[np.int64]]:
        """Draw n independent points and the allocations they go with, in the order of y, (n, N)."""
        sets = self.draw_sets(n, rng)
        w, z = self.draw_given(sets, rng)
        d = self._priors.d
        mu, cov = np.empty((*sets.shape, d)), np.empty((*sets.shape, d, d))
        for k, component in enumerate(self._components):
            mu[:, k], cov[:, k] = component.draw(self._points.at(sets[:, k]), rng)
        in_unit = MultivariateParams(w, mu, cov)
        return in_unit.restored(self._unit.shift, self._unit.scale), z


def _given(t: Array, e: Array, g: Array, c: float) -> tuple[Array, Array]:
    """Return mean and variance of x given t and the points, shape (M, d)."""
    noise = c * np.exp(-t)[:, None]
    return e / (e + noise) * g, e * noise / (e + noise)


def _normalised(log_weight: Array) -> Array:
    weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))

"""The exact posterior where all components share one unknown standard deviation.

Given u = log sigma^2 the components are independent, and their allocations are summed over as for
known sds. What is left is one outer integral over u, by the trapezoid rule, which converges
geometrically as in `component`: at each node stands a whole posterior given sigma, and every
probability is an average over the nodes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln, sici

from gmmcompare.model.exact.component import Points
from gmmcompare.model.params import Array, Params
from gmmcompare.model.sample import Standardisation

_MAX_STEP = 0.125
_STEP_IN_SDS = 0.4  # of u's own sd, which is at least (a + N/2)^-1/2
_COARSE_IN_SDS = 3.0
_TAIL = 42.0  # nodes with less than exp(-42) = 6e-19 of the largest weight are left out


class Shared(NamedTuple):
    """The prior of what components share and of their means, in standardised units."""

    a: float
    b: float
    m0: Array  # (K,)
    v0: Array


@dataclass(frozen=True, eq=False)
class SharedSdPosterior:
    """The posterior of (w, mu, sigma) where sigma is one for all; made by `exact_posterior`.

    Attributes and methods are those of `ExactPosterior`.
    """

    _y: Array
    _shared: Shared
    _unit: Standardisation
    _points: Points
    _u: Array  # (U,) nodes, evenly spaced
    _log_weight: Array  # (U,) log of prior times likelihood at each, times the step
    _given: list[Any]  # the posterior given sigma at each, an ExactPosterior

    @classmethod
    def of(
        cls,
        y: Array,
        shared: Shared,
        unit: Standardisation,
        points: Points,
        log_likelihood: Callable[[float], float],
        given: Callable[[float], Any],
    ) -> SharedSdPosterior:
        """Put nodes where the integrand has mass, and take the posterior given sigma at each.

        Parameters
        ----------
        y : ndarray, shape (N,)
            As it was given.
        shared : Shared
        unit : Standardisation
            Of the points.
        points : Points
            All 2^N sets, standardised.
        log_likelihood : callable
            Log density of the data given u; cheaper than ``given``.
        given : callable
            The posterior given u.
        """
        c = shared.a + 0.5 * int(points.n[-1])
        low, high = _limits(shared, points)
        n_coarse = int(np.ceil((high - low) * np.sqrt(c) / _COARSE_IN_SDS)) + 2
        coarse = np.linspace(low, high, n_coarse)
        height = np.array([log_likelihood(u) for u in coarse]) + _log_prior(shared, coarse)
        inside = np.flatnonzero(height > height.max() - _TAIL)
        spacing = coarse[1] - coarse[0]
        low, high = coarse[inside[0]] - spacing, coarse[inside[-1]] + spacing
        step = min(_MAX_STEP, _STEP_IN_SDS / float(np.sqrt(c)))
        u = low + step * np.arange(np.ceil((high - low) / step) + 1)
        nodes = [given(float(value)) for value in u]
        log_weight = np.array([node.log_evidence for node in nodes]) + _log_prior(shared, u)
        return cls(y, shared, unit, points, u, log_weight + np.log(step), nodes)

    @property
    def K(self) -> int:
        """Number of components."""
        return int(self._given[0].K)

    @property
    def N(self) -> int:
        """Number of observations."""
        return int(self._points.n[-1])

    @property
    def log_evidence(self) -> float:
        """Log density of the data, with parameters and allocations integrated out."""
        return float(np.logaddexp.reduce(self._log_weight))

    @property
    def _weight(self) -> Array:
        weight = np.exp(self._log_weight - self._log_weight.max())
        return np.asarray(weight / weight.sum())

    def _average(self, of: Callable[[Any], Any]) -> Array:
        """Return the average of something over the nodes."""
        pairs = zip(self._weight, self._given, strict=True)
        return np.asarray(sum(weight * np.asarray(of(node)) for weight, node in pairs))

    @property
    def prob_occupied(self) -> Array:
        """P(number of components that hold an observation = j), shape (K + 1,)."""
        return self._average(lambda node: node.prob_occupied)

    @property
    def prob_empty(self) -> float:
        """P(at least one component is empty)."""
        return float(self.prob_occupied[:-1].sum())

    @property
    def prob_component_empty(self) -> float | Array:
        """P(component k is empty): a number where priors are exchangeable, else shape (K,)."""
        empty = self._average(lambda node: node.prob_component_empty)
        return float(empty) if empty.ndim == 0 else empty

    @property
    def coclustering(self) -> Array:
        """P(observations i and j are in the same component), shape (N, N), in the order of y."""
        return np.minimum(self._average(lambda node: node.coclustering), 1.0)

    def cdf(self, name: str, x: ArrayLike, component: int | None = None) -> Array:
        """Return the marginal posterior distribution function; as of `ExactPosterior`.

        Parameters
        ----------
        name : "w", "mu" or "sigma"
        x : array_like
            Points of any shape; infinite ones are allowed.
        component : int, optional
            Which one, from 0; must be given where priors differ between components.

        Returns
        -------
        ndarray, of the shape of x

        Raises
        ------
        InputError
            If there is no such parameter or component, or x has NaN.
        """
        if name != "sigma":
            return self._average(lambda node: node.cdf(name, x, component))
        self._given[0].cdf(name, x, component)  # for its messages
        flat = np.asarray(x, dtype=float).ravel()
        with np.errstate(divide="ignore"):  # log 0 = -inf is meant
            log_var = 2.0 * np.log(np.maximum(flat / self._unit.scale, 0.0))
        # A sum of sine integrals, as in `component.Integrated.log_var_cdf`.
        step = self._u[1] - self._u[0]
        sine_integral, _ = sici(np.pi * (log_var[:, None] - self._u) / step)
        values = np.clip((0.5 + sine_integral / np.pi) @ self._weight, 0.0, 1.0)
        return np.asarray(values.reshape(np.shape(x)))

    def predictive(self, x: ArrayLike) -> Array:
        """Return the posterior predictive density of one more observation, of the shape of x.

        Raises
        ------
        InputError
            If x has NaN.
        """
        return self._average(lambda node: node.predictive(x))

    def true_values(self) -> tuple[Array, Array]:
        """Return each observation and 0: they are exact."""
        return self._y, np.zeros(self.N)

    def sample(self, n: int, rng: np.random.Generator) -> Params:
        """Draw n independent points from the posterior, arrays of shape (n, K)."""
        return self.sample_with_allocations(n, rng)[0]

    def sample_with_allocations(
        self, n: int, rng: np.random.Generator
    ) -> tuple[Params, NDArray[np.int64]]:
        """Draw n independent points and the allocations they go with, (n, K) and (n, N).

        First the allocations: at a node chosen by its weight they are draws of the posterior, as
        the sum over nodes is the integral for each of them. Then sigma given the allocations, a
        node of a randomly shifted grid as in `component`; then w given the allocations, and each
        mean given sigma and these.
        """
        at_node = rng.multinomial(n, self._weight)
        grouped = np.concatenate(
            [node.draw_sets(m, rng) for node, m in zip(self._given, at_node, strict=True) if m]
        )
        sets = grouped[rng.permutation(n)]
        w, allocations = self._given[0].draw_given(sets, rng)
        u = self._draw_u(sets, rng)
        mu = self._draw_means(sets, u, rng) * self._unit.scale + self._unit.shift
        sigma = np.repeat(np.exp(0.5 * u)[:, None] * self._unit.scale, self.K, axis=1)
        return Params(w, mu, sigma), allocations

    def _statistics(self, sets: NDArray[np.int64]) -> tuple[Array, Array, Array]:
        """Return counts, pulls towards the data and sums of squares of sets (n, K)."""
        points = self._points.at(sets.ravel())
        n_k = points.n.reshape(sets.shape).astype(float)
        mean = points.mean.reshape(sets.shape)
        pull = np.where(n_k > 0, mean - self._shared.m0, 0.0)
        return n_k, pull, points.sum_sq.reshape(sets.shape)

    def _draw_u(self, sets: NDArray[np.int64], rng: np.random.Generator) -> Array:
        """Draw log variance given the sets of each draw (n, K)."""
        n_k, pull, sum_sq = self._statistics(sets)
        step = self._u[1] - self._u[0]
        u = self._u + step * rng.random((len(sets), 1))
        log_g = _log_prior(self._shared, u) - 0.5 * self.N * u
        precision = np.exp(-u)
        for k in range(sets.shape[1]):
            ratio = (n_k[:, k] * self._shared.v0[k])[:, None] * precision
            squares = sum_sq[:, k, None] + (n_k[:, k] * pull[:, k] ** 2)[:, None] / (1.0 + ratio)
            log_g -= 0.5 * np.log1p(ratio) + 0.5 * squares * precision
        below = np.cumsum(np.exp(log_g - log_g.max(axis=1, keepdims=True)), axis=1)
        chosen = (below <= (rng.random(len(sets)) * below[:, -1])[:, None]).sum(axis=1)
        return np.asarray(u[np.arange(len(sets)), chosen])

    def _draw_means(self, sets: NDArray[np.int64], u: Array, rng: np.random.Generator) -> Array:
        """Draw means given sets (n, K) and log variances (n,)."""
        n_k, pull, _ = self._statistics(sets)
        ratio = n_k * self._shared.v0 * np.exp(-u)[:, None]
        mean = self._shared.m0 + pull * ratio / (1.0 + ratio)
        return rng.normal(mean, np.sqrt(self._shared.v0 / (1.0 + ratio)))


def _log_prior(shared: Shared, u: Array) -> Array:
    """Return the log prior density of u."""
    constant = shared.a * np.log(shared.b) - gammaln(shared.a)
    return np.asarray(constant - shared.a * u - shared.b * np.exp(-u))


def _limits(shared: Shared, points: Points) -> tuple[float, float]:
    """Return limits of u beyond which nothing is left; see `component.Component`'s.

    At the lower end the prior alone falls off; at the upper one all components' terms together.
    """
    n = int(points.n[-1])
    c = shared.a + 0.5 * n
    drop = _TAIL / c
    low = np.log(shared.b / c) - np.log1p(drop + np.sqrt(2.0 * drop))
    all_in_one = points.at(np.array([points.n.size - 1]))
    spread = float(all_in_one.sum_sq[0] + (n * (all_in_one.mean[0] - shared.m0) ** 2).max())
    high = np.log(max(n * float(shared.v0.max()), shared.b + spread)) + drop + 2.0 / c
    return float(low), float(high)

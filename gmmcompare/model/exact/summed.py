"""A posterior that is a sum over allocations, whatever the family of components.

Given the allocations of the observations the components are independent of each other. So the
posterior is a sum over allocations, in `allocations`, of products of integrals over one
component's parameters, which a family provides, as `component` does for normals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmcompare.model.exact.allocations import Allocations
from gmmcompare.model.exact.component import Sets
from gmmcompare.model.exact.weights import Weights, weights_of
from gmmcompare.model.params import Array
from gmmcompare.model.sample import Sample, Standardisation
from gmmcompare.runtime.errors import InputError

MAX_OBSERVATIONS = 16
_BLOCK = 200_000


class IntegratedComponent[S: Sets](Protocol):
    """The prior of one component, its parameters integrated out; hashable, equal if the same."""

    def log_marginal(self, points: S) -> Array:
        """Return the log density of each set of observations, shape (M,); 0 for an empty one."""
        ...

    def density(self, points: S, prob: Array, x: Array) -> Array:
        """Return the density of a further observation, shape (X,).

        Parameters
        ----------
        points : Sets
            M sets of points.
        prob : ndarray, shape (M,)
            Weight of each; the density integrates to their sum.
        x : ndarray, shape (X,) or (X, d)
        """
        ...


@dataclass(frozen=True, eq=False)
class SummedPosterior[S: Sets, C: IntegratedComponent[Any]]:
    """A posterior as a sum over allocations.

    All numbers are for the data as they were given. Where every component has the same prior the
    components share one marginal posterior, and functions of one component need no ``component``.
    """

    _y: Array
    _unit: Standardisation
    _priors: Any
    _points: S
    _components: Sequence[C]
    _weights: Weights
    _allocations: Allocations

    @classmethod
    def over(
        cls, y: Array, unit: Standardisation, priors: Any, points: S, components: Sequence[C]
    ) -> Self:
        """Integrate each component over all sets of points, and sum over the allocations.

        Parameters
        ----------
        y : ndarray, shape (N,) or (N, d)
            As it was given.
        unit : Standardisation
            Of the points.
        priors : Priors or those of another family
            Expanded to K components, in the units of y.
        points : Sets
            All 2^N, in standardised units.
        components : sequence of K
            In standardised units.
        """
        # Equal priors, the usual case, make equal components: integrate once.
        log_marginals = {c: c.log_marginal(points) for c in dict.fromkeys(components)}
        weights = weights_of(priors)
        log_f = [log_marginals[c] + weights.log_term(k, points.n) for k, c in enumerate(components)]
        return cls(y, unit, priors, points, components, weights, Allocations(log_f))

    @property
    def K(self) -> int:
        """Number of components."""
        return len(self._components)

    @property
    def N(self) -> int:
        """Number of observations."""
        return int(self._points.n[-1])

    @property
    def log_evidence(self) -> float:
        """Log density of the data, with parameters and allocations integrated out."""
        log_dirichlet = self._weights.log_constant(self.N)
        log_jacobian = self.N * float(np.sum(np.log(self._unit.scale)))
        return log_dirichlet + self._allocations.log_total - log_jacobian

    @property
    def prob_occupied(self) -> Array:
        """P(number of components that hold an observation = j), shape (K + 1,)."""
        return self._allocations.prob_occupied.copy()

    @property
    def prob_empty(self) -> float:
        """P(at least one component is empty)."""
        return float(self.prob_occupied[:-1].sum())

    @property
    def prob_component_empty(self) -> float | Array:
        """P(component k is empty): a number where priors are exchangeable, else shape (K,)."""
        empty = np.array([prob[0] for prob in self._allocations.prob_set])
        return float(empty[0]) if self._priors.exchangeable else empty

    @property
    def coclustering(self) -> Array:
        """P(observations i and j are in the same component), shape (N, N), in the order of y."""
        prob = np.sum(self._allocations.prob_set, axis=0)
        member = _members(np.arange(prob.size), self.N) * np.sqrt(prob)[:, None]
        together = np.minimum(member.T @ member, 1.0)
        np.fill_diagonal(together, 1.0)
        return np.asarray(together)

    def predictive(self, x: ArrayLike) -> Array:
        """Return the posterior predictive density of one more observation.

        Parameters
        ----------
        x : array_like, shape (...), or (..., d) where observations have d columns

        Returns
        -------
        ndarray, shape (...)

        Raises
        ------
        InputError
            If x has NaN.
        """
        at = without_nan(x)
        columns = np.shape(self._unit.scale)  # () or (d,)
        flat = (at.reshape(-1, *columns) - self._unit.shift) / self._unit.scale
        density = np.zeros(len(flat))
        finite = np.flatnonzero(np.isfinite(flat.reshape(len(flat), -1)).all(axis=1))
        distinct = 1 if self._priors.exchangeable else self.K
        for k in range(distinct):
            density[finite] += self.K / distinct * self._density_of(k, flat[finite])
        shape = at.shape[: at.ndim - len(columns)]
        return np.asarray((density / np.prod(self._unit.scale)).reshape(shape))

    def draw_sets(self, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draw the sets of observations that components hold, as bit masks, shape (n, K)."""
        return self._allocations.draw(n, rng)

    def draw_given(
        self, sets: NDArray[np.int64], rng: np.random.Generator
    ) -> tuple[Array, NDArray[np.int64]]:
        """Draw weights given sets (n, K), and return the allocations that these are, (n, N)."""
        z = (_members(sets, self.N) * np.arange(self.K)[:, None]).sum(axis=1)
        return self._weights.draw(self._points.n[sets], rng), z

    def _which(self, component: int | None) -> int:
        if component is None and not self._priors.exchangeable:
            raise InputError("components have different priors: say which one, as in component=0")
        if component is not None and not 0 <= component < self.K:
            raise InputError(f"there is no component {component}: the first is 0 of {self.K}")
        return component or 0

    def _weight_cdf(self, k: int, x: Array) -> Array:
        prob_n = np.bincount(self._points.n, weights=self._allocations.prob_set[k])
        return self._weights.cdf(k, prob_n, x)

    def _density_of(self, k: int, x: Array) -> Array:
        """Return the density of an observation from component k times its weight, at finite x."""
        prob = self._allocations.prob_set[k] * self._weights.expected(k, self._points.n, self.N)
        blocks = np.array_split(x, 1 + len(x) * np.count_nonzero(prob) // _BLOCK)
        values = [self._components[k].density(self._points, prob, block) for block in blocks]
        return np.concatenate([np.empty(0), *values])


def check_number(sample: Sample) -> None:
    """Refuse more observations than can be summed over."""
    if sample.n > MAX_OBSERVATIONS:
        raise InputError(
            f"{sample.n} observations are too many for the exact posterior, whose cost grows as "
            f"3^N: give at most {MAX_OBSERVATIONS}, or use gibbs"
        )


def _members(sets: NDArray[np.int64], N: int) -> NDArray[np.int64]:
    """Return 1 where a set holds an observation and 0 elsewhere, shape (..., N)."""
    return (sets[..., None] >> np.arange(N)) & 1


def without_nan(x: ArrayLike) -> Array:
    """Return x as an array, or refuse it if it has NaN."""
    at = np.asarray(x, dtype=float)
    if np.isnan(at).any():
        raise InputError("a distribution has no value at NaN: drop missing values first")
    return at

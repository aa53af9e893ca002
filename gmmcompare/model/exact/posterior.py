"""The exact posterior of a mixture for at most 16 observations.

Given the allocations of the observations the components are independent of each other. So the
posterior is a sum over allocations, in `allocations`, of products of integrals over one
component's mean and variance, in `component`. Nothing here is random but `sample`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, gammaln

from gmmcompare.model.exact.allocations import Allocations
from gmmcompare.model.exact.component import Component, Integrated, Sets, all_subsets
from gmmcompare.model.exact.measured import MeasuredComponent, all_measured_subsets
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample, Standardisation, checked_errors
from gmmcompare.runtime.errors import InputError

MAX_OBSERVATIONS = 16
_BLOCK = 200_000


def exact_posterior(
    y: ArrayLike, K: int, priors: Priors, errors: ArrayLike | None = None
) -> ExactPosterior[Any]:
    """Sum the posterior of a mixture of K normals over all allocations.

    Parameters
    ----------
    y : array_like, shape (N,)
        At most 16 observations, in any order; ties are welcome.
    K : int
        Number of components.
    priors : Priors
        Fields may differ between components.
    errors : array_like, shape (N,) or (), optional
        Sds of the measurement errors of y: the mixture is that of the true values.

    Raises
    ------
    InputError
        If y is not one column of at most 16 finite numbers, K < 1, a field of ``priors`` has
        neither one value nor K, or ``errors`` are not numbers of 0 or more, one for each of y.
    """
    sample = Sample.of(y, errors=errors)
    if sample.n > MAX_OBSERVATIONS:
        raise InputError(
            f"{sample.n} observations are too many for the exact posterior, whose cost grows as "
            f"3^N: give at most {MAX_OBSERVATIONS}, or use gibbs"
        )
    unit = Standardisation.of(sample)
    full = priors.expanded(K)
    in_unit = full.transformed(unit.shift, unit.scale)
    y = np.asarray(y, dtype=float)
    y_unit = (y - unit.shift) / unit.scale
    if errors is None or sample.errors is None:
        components = [Component.of(in_unit, k) for k in range(K)]
        return _summed(y, unit, full, all_subsets(y_unit), components)
    points = all_measured_subsets(y_unit, checked_errors(errors, sample.n) / unit.scale)
    return _summed(y, unit, full, points, [MeasuredComponent.of(in_unit, k) for k in range(K)])


def _summed[S: Sets](
    y: Array, unit: Standardisation, priors: Priors, points: S, components: Sequence[Integrated[S]]
) -> ExactPosterior[S]:
    """Integrate each component over all sets of points, and sum over the allocations.

    Parameters
    ----------
    y : ndarray, shape (N,)
        As it was given.
    unit : Standardisation
        Of the points.
    priors : Priors
        Expanded to K components, in the units of y.
    points : Sets
        All 2^N, in standardised units.
    components : sequence of K
        In standardised units.
    """
    # Equal priors, the usual case, make equal components: integrate once.
    log_marginals = {c: c.log_marginal(points) for c in dict.fromkeys(components)}
    log_f = [
        log_marginals[component] + gammaln(points.n + c) - gammaln(c)
        for component, c in zip(components, np.asarray(priors.weight_concentration), strict=True)
    ]
    return ExactPosterior(y, unit, priors, points, components, Allocations(log_f))


@dataclass(frozen=True, eq=False)
class ExactPosterior[S: Sets]:
    """The posterior of (w, mu, sigma) and of the allocations; made by `exact_posterior`.

    All numbers are for the data as they were given. Where every component has the same prior the
    components share one marginal posterior, and functions of one component need no ``component``.
    """

    _y: Array
    _unit: Standardisation
    _priors: Priors
    _points: S
    _components: Sequence[Integrated[S]]
    _allocations: Allocations

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
        total = self._concentration.sum()
        log_dirichlet = float(gammaln(total) - gammaln(self.N + total))
        log_jacobian = self.N * float(np.log(self._unit.scale))
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

    def cdf(self, name: str, x: ArrayLike, component: int | None = None) -> Array:
        """Return the marginal posterior distribution function of a component's parameter.

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
        k = self._which(component)
        at = _without_nan(x)
        prob = self._allocations.prob_set[k]
        flat = at.ravel()
        if name == "w":
            values = self._weight_cdf(k, flat)
        elif name == "mu":
            flat = (flat - self._unit.shift) / self._unit.scale
            values = self._components[k].mean_cdf(self._points, prob, flat)
        elif name == "sigma":
            with np.errstate(divide="ignore"):  # log 0 = -inf is meant
                log_var = 2.0 * np.log(np.maximum(flat / self._unit.scale, 0.0))
            values = self._components[k].log_var_cdf(self._points, prob, log_var)
        else:
            raise InputError(f"there is no parameter {name!r}: give w, mu or sigma")
        return values.reshape(at.shape)

    def predictive(self, x: ArrayLike) -> Array:
        """Return the posterior predictive density of one more observation, of the shape of x.

        Raises
        ------
        InputError
            If x has NaN.
        """
        at = _without_nan(x)
        flat = (at.ravel() - self._unit.shift) / self._unit.scale
        density = np.zeros(flat.size)
        finite = np.flatnonzero(np.isfinite(flat))
        distinct = 1 if self._priors.exchangeable else self.K
        for k in range(distinct):
            density[finite] += self.K / distinct * self._density_of(k, flat[finite])
        return (density / self._unit.scale).reshape(at.shape)

    def true_values(self) -> tuple[Array, Array]:
        """Return posterior mean and sd of the true value of each observation, in the order of y.

        Returns
        -------
        tuple of two ndarrays, shape (N,)
            Where there are no errors, y and 0.
        """
        first, second = np.zeros(self.N), np.zeros(self.N)
        distinct = 1 if self._priors.exchangeable else self.K
        for k in range(distinct):
            moments = self._components[k].moved(self._points, self._allocations.prob_set[k])
            first += self.K / distinct * moments[0]
            second += self.K / distinct * moments[1]
        sd = np.sqrt(np.maximum(second - first**2, 0.0))
        return self._y + self._unit.scale * first, self._unit.scale * sd

    def sample(self, n: int, rng: np.random.Generator) -> Params:
        """Draw n independent points from the posterior, arrays of shape (n, K)."""
        return self.sample_with_allocations(n, rng)[0]

    def sample_with_allocations(
        self, n: int, rng: np.random.Generator
    ) -> tuple[Params, NDArray[np.int64]]:
        """Draw n independent points and the allocations they go with, (n, K) and (n, N).

        First the allocations z, in the order of y, then for each component sigma_k given z and
        mu_k given sigma_k and z, and w given z.
        """
        sets = self._allocations.draw(n, rng)
        shape = self._points.n[sets] + self._concentration
        # Gamma(a) = Gamma(a + 1) U^(1/a) in distribution, which does not underflow for small a.
        log_gamma = np.log(rng.standard_gamma(shape + 1.0))
        log_gamma += np.log1p(-rng.random(sets.shape)) / shape
        w = np.exp(log_gamma - log_gamma.max(axis=1, keepdims=True))
        mu, log_var = np.empty(sets.shape), np.empty(sets.shape)
        for k, component in enumerate(self._components):
            mu[:, k], log_var[:, k] = component.draw(self._points.at(sets[:, k]), rng)
        with np.errstate(over="ignore"):  # an empty component's sigma may be inf, as in the prior
            sigma = np.exp(0.5 * log_var) * self._unit.scale
        mu = mu * self._unit.scale + self._unit.shift
        z = (_members(sets, self.N) * np.arange(self.K)[:, None]).sum(axis=1)
        return Params(w / w.sum(axis=1, keepdims=True), mu, sigma), z

    @property
    def _concentration(self) -> Array:
        return np.asarray(self._priors.weight_concentration)

    def _which(self, component: int | None) -> int:
        if component is None and not self._priors.exchangeable:
            raise InputError("components have different priors: say which one, as in component=0")
        if component is not None and not 0 <= component < self.K:
            raise InputError(f"there is no component {component}: the first is 0 of {self.K}")
        return component or 0

    def _weight_cdf(self, k: int, x: Array) -> Array:
        """Return the distribution function of w_k, a mixture of beta distributions over n_k."""
        prob_n = np.bincount(self._points.n, weights=self._allocations.prob_set[k])
        if self.K == 1:
            return np.where(x < 1.0, 0.0, 1.0)
        n, c = np.arange(self.N + 1), self._concentration
        rest = self.N - n + np.delete(c, k).sum()
        return np.asarray(betainc(n + c[k], rest, np.clip(x, 0.0, 1.0)[:, None]) @ prob_n)

    def _density_of(self, k: int, x: Array) -> Array:
        """Return the density of an observation from component k times its weight, at finite x."""
        n_and_prior = self._points.n + self._concentration[k]
        prob = self._allocations.prob_set[k] * n_and_prior / (self.N + self._concentration.sum())
        blocks = np.array_split(x, 1 + x.size * np.count_nonzero(prob) // _BLOCK)
        values = [self._components[k].density(self._points, prob, block) for block in blocks]
        return np.concatenate([np.empty(0), *values])


def _members(sets: NDArray[np.int64], N: int) -> NDArray[np.int64]:
    """Return 1 where a set holds an observation and 0 elsewhere, shape (..., N)."""
    return (sets[..., None] >> np.arange(N)) & 1


def _without_nan(x: ArrayLike) -> Array:
    at = np.asarray(x, dtype=float)
    if np.isnan(at).any():
        raise InputError("a distribution has no value at NaN: drop missing values first")
    return at

"""The exact posterior of a mixture for at most 16 observations: its entrance, and normals.

Nothing here is random but `sample`. What does not depend on the family of components is in
`summed`, and the integrals over a normal component's mean and variance are in `component`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmcompare.model.conjugate import ConjugatePriors
from gmmcompare.model.exact.allocations import log_total
from gmmcompare.model.exact.closed_form import KnownSdComponent, component_of
from gmmcompare.model.exact.component import Points, Sets, all_subsets
from gmmcompare.model.exact.measured import MeasuredComponent, all_measured_subsets
from gmmcompare.model.exact.shared import Shared, SharedSdPosterior
from gmmcompare.model.exact.summed import SummedPosterior, check_number, without_nan
from gmmcompare.model.exact.weights import weights_of
from gmmcompare.model.family import family_of
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.restricted import RestrictedPriors
from gmmcompare.model.sample import Sample, Standardisation, checked_errors
from gmmcompare.runtime.errors import InputError


def exact_posterior(y: ArrayLike, K: int, priors: Any, errors: ArrayLike | None = None) -> Any:
    """Sum the posterior of a mixture of K components over all allocations.

    Parameters
    ----------
    y : array_like, shape (N,), or (N, d) under `MultivariatePriors`
        At most 16 observations, in any order; ties are welcome.
    K : int
        Number of components.
    priors : Priors, RestrictedPriors, ConjugatePriors or MultivariatePriors
        Fields may differ between components.
    errors : array_like, shape (N,) or (), optional
        Sds of the measurement errors of y: the mixture is that of the true values.

    Returns
    -------
    ExactPosterior, or that of the family

    Raises
    ------
    InputError
        If y is not at most 16 finite numbers (rows of d, where the family has dimensions), K < 1,
        a field of ``priors`` is not for K components, or ``errors`` are not numbers of 0 or more,
        one for each of y, or the family has none.
    """
    return family_of(priors).call("exact", y, K, priors, errors)


def normal_posterior(
    y: ArrayLike, K: int, priors: Priors, errors: ArrayLike | None = None
) -> ExactPosterior[Any]:
    """Return the exact posterior of a mixture of K normals.

    Parameters
    ----------
    y : array_like, shape (N,)
    K : int
    priors : Priors
    errors : array_like, shape (N,) or (), optional
        All as of `exact_posterior`.
    """
    sample = Sample.of(y, errors=errors)
    check_number(sample)
    unit = Standardisation.of(sample)
    full: Any = priors.expanded(K)
    in_unit = full.transformed(unit.shift, unit.scale)
    y = np.asarray(y, dtype=float)
    y_unit = (y - unit.shift) / unit.scale
    if errors is None or sample.errors is None:
        points = all_subsets(y_unit)
        if K > 1 and isinstance(in_unit, RestrictedPriors) and in_unit.shared_sd:
            shared: ExactPosterior[Any] = _integrated(y, unit, full, points)
            return shared
        components = [component_of(in_unit, k) for k in range(K)]
        return ExactPosterior.over(y, unit, full, points, components)
    _refuse_errors(full)
    measured_points = all_measured_subsets(y_unit, checked_errors(errors, sample.n) / unit.scale)
    measured = [MeasuredComponent.of(in_unit, k) for k in range(K)]
    return ExactPosterior.over(y, unit, full, measured_points, measured)


def _integrated(y: Array, unit: Standardisation, priors: RestrictedPriors, points: Points) -> Any:
    """Sum over allocations at many values of the sd that all components share, and integrate.

    The result is a `SharedSdPosterior`, which has the attributes and methods of the other.

    Parameters
    ----------
    y : ndarray, shape (N,)
    unit : Standardisation
    priors : RestrictedPriors
        Expanded to K components, in the units of y.
    points : Points
        All 2^N, in standardised units.
    """
    in_unit = priors.transformed(unit.shift, unit.scale)
    K, weights = np.size(priors.mean_loc), weights_of(priors)
    terms = [weights.log_term(k, points.n) for k in range(K)]
    free = replace(priors, shared_sd=False)

    def components(u: float) -> list[KnownSdComponent]:
        return [KnownSdComponent.of(in_unit, float(np.exp(0.5 * u)), k) for k in range(K)]

    def log_likelihood(u: float) -> float:
        marginals = {c: c.log_marginal(points) for c in dict.fromkeys(components(u))}
        return log_total([marginals[c] + t for c, t in zip(components(u), terms, strict=True)])

    def given(u: float) -> ExactPosterior[Points]:
        sd = np.exp(0.5 * u) * unit.scale
        at = replace(free, sds=sd).expanded(K)
        return ExactPosterior.over(y, unit, at, points, components(u))

    a, b = float(np.asarray(in_unit.var_shape)[0]), float(np.asarray(in_unit.var_scale)[0])
    v0 = np.asarray(in_unit.mean_sd) ** 2
    shared = Shared(a, b, np.asarray(in_unit.mean_loc), v0)
    return SharedSdPosterior.of(y, shared, unit, points, log_likelihood, given)


def _refuse_errors(priors: Any) -> None:
    """Refuse measurement errors where they are not covered, in one line."""
    known = isinstance(priors, RestrictedPriors) and (priors.sds is not None or priors.shared_sd)
    if known or isinstance(priors, ConjugatePriors):
        what = "known or shared sds" if known else "conjugate priors"
        raise InputError(f"measurement errors with {what}: not covered; use gmmcompare.Priors")


class ExactPosterior[S: Sets](SummedPosterior[S, Any]):
    """The posterior of (w, mu, sigma) and of the allocations; made by `exact_posterior`."""

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
        at = without_nan(x)
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
        sets = self.draw_sets(n, rng)
        w, z = self.draw_given(sets, rng)
        mu, log_var = np.empty(sets.shape), np.empty(sets.shape)
        for k, component in enumerate(self._components):
            mu[:, k], log_var[:, k] = component.draw(self._points.at(sets[:, k]), rng)
        with np.errstate(over="ignore"):  # an empty component's sigma may be inf, as in the prior
            sigma = np.exp(0.5 * log_var) * self._unit.scale
        found = Params(w, mu * self._unit.scale + self._unit.shift, sigma)
        return self._priors.kept(found), z

"""Components whose integrals have a closed form: under the conjugate prior, or with a known sd.

Their methods are those of `component.Component`, for sets of points given by their statistics.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, ndtr, stdtr

from gmmcompare.model.component_priors import log_gamma_draws
from gmmcompare.model.conjugate import ConjugatePriors
from gmmcompare.model.exact.component import (
    Component,
    Points,
    density_of_another,
    log_var_cdf,
)
from gmmcompare.model.params import Array
from gmmcompare.model.priors import Priors
from gmmcompare.model.restricted import RestrictedPriors

_LOST_MASS = 1e-14


def component_of(
    priors: Priors | ConjugatePriors, k: int
) -> Component | ConjugateComponent | KnownSdComponent:
    """Return component k of priors whose fields have shape (K,), as the exact posterior sees it."""
    if isinstance(priors, ConjugatePriors):
        return ConjugateComponent.of(priors, k)
    if isinstance(priors, RestrictedPriors) and priors.sds is not None:
        return KnownSdComponent.of(priors, float(np.asarray(priors.sds)[k]), k)
    return Component.of(priors, k)


class _ClosedForm:
    """What both have in common: their points are exact, and a density is a ratio of marginals."""

    def log_marginal(self, points: Points) -> Array:
        """Return the log density of each set of points, parameters integrated out, shape (M,)."""
        raise NotImplementedError

    def density(self, points: Points, prob: Array, x: Array) -> Array:
        """Return the density of a further observation; see `component.density_of_another`.

        Parameters
        ----------
        points : Points
        prob : ndarray, shape (M,)
        x : ndarray, shape (X,)
        """
        return density_of_another(self.log_marginal, points, prob, x)

    def moved(self, points: Points, prob: Array) -> tuple[Array, Array]:
        """Return zeros: there are no errors; see `component.Integrated.moved`."""
        n = int(points.n.max())
        return np.zeros(n), np.zeros(n)


@dataclass(frozen=True)
class ConjugateComponent(_ClosedForm):
    """The conjugate prior: mean ~ Normal(m0, sigma / sqrt(k0)), variance ~ InverseGamma(a, b).

    Given n points the posterior is of the same form, and their marginal density a product of
    Student's (Bernardo and Smith 1994, appendix A).
    """

    m0: float
    k0: float
    a: float
    b: float

    @classmethod
    def of(cls, priors: ConjugatePriors, k: int) -> ConjugateComponent:
        """Take component k of priors whose fields have shape (K,)."""
        fields = (priors.mean_loc, priors.mean_count, priors.var_shape, priors.var_scale)
        return cls(*(float(np.asarray(field)[k]) for field in fields))

    def given(self, points: Points) -> tuple[Array, Array, Array, Array]:
        """Return m0, k0, a and b of the posterior given each set of points, each (M,)."""
        count: Array = np.asarray(self.k0 + points.n, dtype=float)
        pull = np.where(points.n > 0, points.mean - self.m0, 0.0)
        mean = self.m0 + pull * points.n / count
        scale = self.b + 0.5 * (points.sum_sq + points.n * self.k0 / count * pull**2)
        return np.asarray(mean), count, np.asarray(self.a + 0.5 * points.n), np.asarray(scale)

    def log_marginal(self, points: Points) -> Array:
        """Return the log density of each set of points, parameters integrated out, shape (M,)."""
        _, count, a, b = self.given(points)
        ratio = gammaln(a) - gammaln(self.a) + self.a * np.log(self.b) - a * np.log(b)
        counts = 0.5 * (np.log(self.k0) - np.log(count))
        out = ratio + counts - 0.5 * points.n * np.log(2 * np.pi)
        return np.where(points.n > 0, out, 0.0)

    def mean_cdf(self, points: Points, prob: Array, x: Array) -> Array:
        """Return the posterior distribution function of the mean; see `Component.mean_cdf`.

        Parameters
        ----------
        points : Points
            M sets of points.
        prob : ndarray, shape (M,)
        x : ndarray, shape (X,)
        """
        rows = np.flatnonzero(prob > _LOST_MASS / prob.size)
        mean, count, a, b = self.given(points.at(rows))
        scale, mass = np.sqrt(b / (a * count)), prob[rows]
        values = [float(mass @ stdtr(2.0 * a, (value - mean) / scale)) for value in x]
        return np.asarray(values) / mass.sum()

    def log_var_cdf(self, points: Points, prob: Array, x: Array) -> Array:
        """Return the posterior distribution function of log variance; see `Component.log_var_cdf`.

        Parameters
        ----------
        points : Points
            M sets of points.
        prob : ndarray, shape (M,)
        x : ndarray, shape (X,)
        """
        rows = np.flatnonzero(prob > _LOST_MASS / prob.size)
        _, _, a, b = self.given(points.at(rows))
        mass = prob[rows]
        values = [float(mass @ log_var_cdf(a, b, np.full(rows.size, value))) for value in x]
        return np.asarray(values) / mass.sum()

    def draw(self, points: Points, rng: np.random.Generator) -> tuple[Array, Array]:
        """Draw mean and log variance given each set of points, each of shape (M,)."""
        mean, count, a, b = self.given(points)
        u = np.log(b) - log_gamma_draws(rng, a)
        with np.errstate(over="ignore"):
            sd = np.exp(0.5 * u) / np.sqrt(count)
        return mean + sd * rng.standard_normal(u.size), u


@dataclass(frozen=True)
class KnownSdComponent(_ClosedForm):
    """A known variance, and mean ~ Normal(m0, sqrt(v0))."""

    m0: float
    v0: float
    variance: float

    @classmethod
    def of(cls, priors: Priors, sd: float, k: int) -> KnownSdComponent:
        """Take component k of priors.

        Parameters
        ----------
        priors : Priors
            Its fields have shape (K,).
        sd : float
        k : int
        """
        m0, s0 = (float(np.asarray(field)[k]) for field in (priors.mean_loc, priors.mean_sd))
        return cls(m0, s0**2, sd**2)

    def log_marginal(self, points: Points) -> Array:
        """Return the log density of each set of points, the mean integrated out, shape (M,)."""
        n, ratio = points.n, points.n * self.v0 / self.variance
        pull = np.where(n > 0, points.mean - self.m0, 0.0)
        squares = points.sum_sq + n * pull**2 / (1.0 + ratio)
        constant = -0.5 * n * np.log(2 * np.pi * self.variance) - 0.5 * np.log1p(ratio)
        return np.asarray(constant - 0.5 * squares / self.variance)

    def mean_cdf(self, points: Points, prob: Array, x: Array) -> Array:
        """Return the posterior distribution function of the mean; see `Component.mean_cdf`.

        Parameters
        ----------
        points : Points
            M sets of points.
        prob : ndarray, shape (M,)
        x : ndarray, shape (X,)
        """
        rows = np.flatnonzero(prob > _LOST_MASS / prob.size)
        mean, sd = self._mean_given(points.at(rows))
        mass = prob[rows]
        return np.asarray([float(mass @ ndtr((v - mean) / sd)) for v in x]) / mass.sum()

    def log_var_cdf(self, points: Points, prob: Array, x: Array) -> Array:
        """Return a step at the known variance; see `Component.log_var_cdf`.

        Parameters
        ----------
        points, prob
            Play no part.
        x : ndarray, shape (X,)
        """
        at = np.log(self.variance)
        # An sd that was written down may be rounded on its way here.
        return np.where(x >= at - 1e-12 * max(1.0, abs(at)), 1.0, 0.0)

    def draw(self, points: Points, rng: np.random.Generator) -> tuple[Array, Array]:
        """Draw the mean given each set of points, and return the log variance; each (M,)."""
        mean, sd = self._mean_given(points)
        return rng.normal(mean, sd), np.full(mean.size, np.log(self.variance))

    def _mean_given(self, points: Points) -> tuple[Array, Array]:
        ratio = points.n * self.v0 / self.variance
        pull = np.where(points.n > 0, points.mean - self.m0, 0.0)
        return self.m0 + pull * ratio / (1.0 + ratio), np.sqrt(self.v0 / (1.0 + ratio))

"""Faults of a Gibbs sampler for measured values: the correct one with one step replaced."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gmmcompare.engines.gibbs import plain
from gmmcompare.engines.gibbs.measured import draw_allocations, draw_true_values
from gmmcompare.engines.gibbs.plain import Allocations
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors

Draw = Callable[..., Array]


class MeasuredSweep:
    """The correct kernel, in steps that a fault replaces."""

    name = "measured-correct"

    def __call__(
        self,
        w: Array,
        mu: Array,
        sigma: Array,
        y: Array,
        priors: Priors,
        rng: np.random.Generator,
        errors: Array,
    ) -> Params:
        """Make one sweep."""
        at, s = Params(w, mu, sigma), self.used_errors(errors)
        z = draw_allocations(w, mu, sigma, y, s, rng.random(y.size))
        x = self.true_values(z, at, y, s, rng)
        return self.parameters(z, at, x, y, priors, rng)

    def used_errors(self, errors: Array) -> Array:
        """Return the sds that are used as those of the errors."""
        return errors

    def true_values(
        self, z: Allocations, at: Params, y: Array, s: Array, rng: np.random.Generator
    ) -> Array:
        """Draw x given z.

        Parameters
        ----------
        z : ndarray of int, shape (N,)
        at : Params
            Where the sweep started.
        y, s : ndarray, shape (N,)
        rng : numpy.random.Generator
        """
        return draw_true_values(z, at.mu, at.sigma, y, s, rng.standard_normal(y.size))

    def parameters(
        self,
        z: Allocations,
        at: Params,
        x: Array,
        y: Array,
        priors: Priors,
        rng: np.random.Generator,
    ) -> Params:
        """Draw the parameters given z and x.

        Parameters
        ----------
        z : ndarray of int, shape (N,)
        at : Params
            Where the sweep started.
        x, y : ndarray, shape (N,)
        priors : Priors
        rng : numpy.random.Generator
        """
        return plain.draw_parameters(z, at.sigma, x, priors, rng)


class TrueValuesFirst(MeasuredSweep):
    """x is drawn given the allocation before, and z with x summed out after it."""

    name = "measured-true-values-first"

    def true_values(
        self, z: Allocations, at: Params, y: Array, s: Array, rng: np.random.Generator
    ) -> Array:
        """Draw x given another draw of z, which stands for the one before.

        Parameters
        ----------
        z, at, y, s, rng
            As in `MeasuredSweep.true_values`.
        """
        stale = draw_allocations(*at, y, s, rng.random(y.size))
        return super().true_values(stale, at, y, s, rng)


class ErrorsAsVariances(MeasuredSweep):
    """The sds of the errors are taken for variances."""

    name = "measured-errors-as-variances"

    def used_errors(self, errors: Array) -> Array:
        """Return the roots of the errors."""
        return np.sqrt(errors)


class ErrorsAddedToSigma(MeasuredSweep):
    """The sd of a measured value is sigma + s in place of the root of the sum of squares."""

    name = "measured-errors-added-to-sigma"

    def __call__(
        self,
        w: Array,
        mu: Array,
        sigma: Array,
        y: Array,
        priors: Priors,
        rng: np.random.Generator,
        errors: Array,
    ) -> Params:
        """Make one sweep."""
        wide = sigma + errors[:, None]
        log_p = np.log(w) - np.log(wide) - 0.5 * ((y[:, None] - mu) / wide) ** 2
        p = np.exp(log_p - log_p.max(axis=1, keepdims=True))
        z = plain.allocated(p / p.sum(axis=1, keepdims=True), rng.random(y.size))
        at = Params(w, mu, sigma)
        x = self.true_values(z, at, y, errors, rng)
        return self.parameters(z, at, x, y, priors, rng)


class ErrorIgnoredInMean(MeasuredSweep):
    """mu is drawn given the measured values, as if they were the true ones."""

    name = "measured-error-ignored-in-mean"

    def parameters(
        self,
        z: Allocations,
        at: Params,
        x: Array,
        y: Array,
        priors: Priors,
        rng: np.random.Generator,
    ) -> Params:
        """Draw mu given y, and the rest given x.

        Parameters
        ----------
        z, at, x, y, priors, rng
            As in `MeasuredSweep.parameters`.
        """
        K = at.mu.size
        full = priors.expanded(K)
        n_k = np.bincount(z, minlength=K).astype(float)
        w = plain.draw_weights(n_k, full, rng)
        sum_y = np.bincount(z, weights=y, minlength=K)
        mu = plain.draw_means(n_k, sum_y, at.sigma, full, rng)
        sum_sq = np.bincount(z, weights=(x - mu[z]) ** 2, minlength=K)
        return Params(w, mu, plain.draw_sigmas(n_k, sum_sq, full, rng))


class NoShrinkage(MeasuredSweep):
    """The true value is drawn about the measured one with the error's sd, its prior left out."""

    name = "measured-no-shrinkage"

    def true_values(
        self, z: Allocations, at: Params, y: Array, s: Array, rng: np.random.Generator
    ) -> Array:
        """Draw x from Normal(y, s).

        Parameters
        ----------
        z, at, y, s, rng
            As in `MeasuredSweep.true_values`.
        """
        return y + s * rng.standard_normal(y.size)


class ErrorsIgnored(MeasuredSweep):
    """The errors play no part."""

    name = "measured-errors-ignored"

    def used_errors(self, errors: Array) -> Array:
        """Return zeros."""
        return np.zeros_like(errors)


MEASURED_FAULTS = {
    kind.name: kind
    for kind in (
        TrueValuesFirst,
        ErrorsAsVariances,
        ErrorsAddedToSigma,
        ErrorIgnoredInMean,
        NoShrinkage,
        ErrorsIgnored,
    )
}
"""By name; they take errors, and no signatures are kept of them."""

"""Faults of one full conditional: a wrong formula for sigma, mu or w given everything else."""

from __future__ import annotations

import numpy as np

from gmmcompare.engines.gibbs.plain import Allocations
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors
from gmmcompare.validation.faults.sweep import Fault, sums, sums_of_squares, where_occupied


class RateForScale(Fault):
    """numpy's gamma takes a scale; the rate was passed."""

    name = "rate-for-scale"
    mistake = "sigma2 = 1 / rng.gamma(shape, scale) where 1 / rng.gamma(shape, 1 / scale) is meant"
    effect = (
        "sigma is off by a factor that does not shrink with n: scale passed where a rate was meant"
    )

    def draw_sigmas(
        self, n_k: Array, sum_sq: Array, priors: Priors, rng: np.random.Generator
    ) -> Array:
        """Use NumPy's gamma as if its second argument were a rate."""
        shape, scale = self.variances_conditional(n_k, sum_sq, priors)
        return np.asarray(1.0 / np.sqrt(rng.gamma(shape, scale)))


class ShapePlusN(Fault):
    """The half is missing in the shape."""

    name = "shape-plus-n"
    mistake = "shape = var_shape + n_k, without the half: var_shape + n_k / 2"
    effect = "sigma is too small wherever a component holds observations, and too certain"

    def variances_conditional(
        self, n_k: Array, sum_sq: Array, priors: Priors
    ) -> tuple[Array, Array]:
        """Count every observation twice in the shape."""
        shape, scale = super().variances_conditional(n_k, sum_sq, priors)
        return shape + n_k / 2, scale


class ShapeHalfTooMuch(Fault):
    """As if the mean had used up minus one observation."""

    name = "shape-half-too-much"
    mistake = "shape = var_shape + (n_k + 1) / 2 where var_shape + n_k / 2 is meant"
    effect = "sigma is a little too small, empty components included"

    def variances_conditional(
        self, n_k: Array, sum_sq: Array, priors: Priors
    ) -> tuple[Array, Array]:
        """Add one half to the shape."""
        shape, scale = super().variances_conditional(n_k, sum_sq, priors)
        return shape + 0.5, scale


class ShapeHalfTooLittle(Fault):
    """The n - 1 of a sample variance, where mu is known."""

    name = "shape-half-too-little"
    mistake = "shape = var_shape + (n_k - 1) / 2 where var_shape + n_k / 2 is meant"
    effect = "sigma is a little too large, empty components included"

    def variances_conditional(
        self, n_k: Array, sum_sq: Array, priors: Priors
    ) -> tuple[Array, Array]:
        """Take one half from the shape."""
        shape, scale = super().variances_conditional(n_k, sum_sq, priors)
        return np.maximum(shape - 0.5, 1e-3), scale


class ShapeNMinusOne(Fault):
    """The n - 1 of a sample variance, with a guard for empty components."""

    name = "shape-n-minus-one"
    mistake = "shape = var_shape + max(n_k - 1, 0) / 2 where var_shape + n_k / 2 is meant"
    effect = (
        "sigma is a little too large where a component holds observations; empty ones are right"
    )

    def variances_conditional(
        self, n_k: Array, sum_sq: Array, priors: Priors
    ) -> tuple[Array, Array]:
        """Count one observation less."""
        shape, scale = super().variances_conditional(n_k, sum_sq, priors)
        return shape - 0.5 * (n_k > 0), scale


class SquaresAboutMean(Fault):
    """The sum of squares about the sample mean, where it is about mu_k."""

    name = "squares-about-ybar"
    mistake = "sum_sq = ((y - y.mean())**2).sum() where ((y - mu[k])**2).sum() is meant"
    effect = "sigma is too small, most where a component holds one or two observations"

    def draw_parameters(
        self,
        z: Allocations,
        n_k: Array,
        old: Params,
        y: Array,
        priors: Priors,
        rng: np.random.Generator,
    ) -> Params:
        """Take squares about each component's sample mean."""
        w = self.draw_weights(n_k, priors, rng)
        sum_y = sums(z, y, w.size)
        mu = self.draw_means(n_k, sum_y, old.sigma, priors, rng)
        ybar = sum_y / np.maximum(n_k, 1)
        return Params(w, mu, self.draw_sigmas(n_k, sums_of_squares(z, y, ybar), priors, rng))


class NotHalved(Fault):
    """The half is missing in the scale."""

    name = "squares-not-halved"
    mistake = "scale = var_scale + sum_sq, without the half: var_scale + sum_sq / 2"
    effect = "sigma is too large wherever a component holds observations; empty ones are right"

    def variances_conditional(
        self, n_k: Array, sum_sq: Array, priors: Priors
    ) -> tuple[Array, Array]:
        """Add the whole sum of squares."""
        shape, scale = super().variances_conditional(n_k, sum_sq, priors)
        return shape, scale + sum_sq / 2


class VarScaleDropped(Fault):
    """The prior's scale is forgotten."""

    name = "var-scale-dropped"
    mistake = "scale = sum_sq / 2, without the prior: var_scale + sum_sq / 2"
    effect = "sigma is too small, most where a component holds few observations"

    def variances_conditional(
        self, n_k: Array, sum_sq: Array, priors: Priors
    ) -> tuple[Array, Array]:
        """Leave the prior's scale out."""
        shape, _ = super().variances_conditional(n_k, sum_sq, priors)
        return shape, where_occupied(n_k, sum_sq / 2, priors.var_scale)


class VarShapeDropped(Fault):
    """The prior's shape is forgotten."""

    name = "var-shape-dropped"
    mistake = "shape = n_k / 2, without the prior: var_shape + n_k / 2"
    effect = "sigma is too large and spread too wide, most where a component holds few observations"

    def variances_conditional(
        self, n_k: Array, sum_sq: Array, priors: Priors
    ) -> tuple[Array, Array]:
        """Leave the prior's shape out."""
        _, scale = super().variances_conditional(n_k, sum_sq, priors)
        return where_occupied(n_k, n_k / 2, priors.var_shape), scale


class ShapeScaleSwapped(Fault):
    """The prior's two parameters change places."""

    name = "var-shape-and-scale-swapped"
    mistake = "shape = var_scale + n_k / 2, scale = var_shape + sum_sq / 2: the two are swapped"
    effect = (
        "sigma of empty components is wrong as well as that of others, unless shape equals scale"
    )

    def variances_conditional(
        self, n_k: Array, sum_sq: Array, priors: Priors
    ) -> tuple[Array, Array]:
        """Swap the prior's shape and scale."""
        shape, scale = np.asarray(priors.var_shape), np.asarray(priors.var_scale)
        return scale + n_k / 2, shape + sum_sq / 2


class VarianceReturned(Fault):
    """The draw is of the variance, and the root is forgotten."""

    name = "variance-returned-as-sigma"
    mistake = "sigma = scale / rng.gamma(shape): that is sigma**2, the root is forgotten"
    effect = "sigma is squared: too small below 1, too large above"

    def draw_sigmas(
        self, n_k: Array, sum_sq: Array, priors: Priors, rng: np.random.Generator
    ) -> Array:
        """Return the variance."""
        return super().draw_sigmas(n_k, sum_sq, priors, rng) ** 2


class MeanPrecisionDropped(Fault):
    """The means' prior is forgotten."""

    name = "mean-prior-dropped"
    mistake = "mu = rng.normal(ybar, sigma / sqrt(n_k)), without the prior precision 1 / mean_sd**2"
    effect = "mu is not pulled towards its prior and spread too wide where a component holds little"

    def means_conditional(
        self, n_k: Array, sum_y: Array, sigma: Array, priors: Priors
    ) -> tuple[Array, Array]:
        """Use the likelihood only."""
        n = np.maximum(n_k, 1)
        loc = where_occupied(n_k, sum_y / n, priors.mean_loc)
        return loc, where_occupied(n_k, sigma / np.sqrt(n), priors.mean_sd)


class MeanLocIgnored(Fault):
    """The prior mean is taken to be zero."""

    name = "mean-loc-ignored"
    mistake = "loc = v * sum_y / sigma**2, without + v * mean_loc / mean_sd**2"
    effect = "mu is pulled towards 0 instead of mean_loc, empty components most"

    def means_conditional(
        self, n_k: Array, sum_y: Array, sigma: Array, priors: Priors
    ) -> tuple[Array, Array]:
        """Pull towards zero."""
        variance = 1.0 / (n_k / sigma**2 + 1.0 / np.asarray(priors.mean_sd) ** 2)
        return variance * sum_y / sigma**2, np.sqrt(variance)


class PriorSdAsVariance(Fault):
    """The prior sd is not squared."""

    name = "prior-sd-as-variance"
    mistake = "precision = n_k / sigma**2 + 1 / mean_sd, where 1 / mean_sd**2 is meant"
    effect = "mu is pulled towards its prior as if mean_sd were a variance, empty components most"

    def means_conditional(
        self, n_k: Array, sum_y: Array, sigma: Array, priors: Priors
    ) -> tuple[Array, Array]:
        """Use the prior sd as a variance."""
        prior_variance = np.asarray(priors.mean_sd)
        variance = 1.0 / (n_k / sigma**2 + 1.0 / prior_variance)
        return variance * (sum_y / sigma**2 + priors.mean_loc / prior_variance), np.sqrt(variance)


class LikelihoodWithoutSigma(Fault):
    """The data's precision lacks sigma."""

    name = "likelihood-without-sigma"
    mistake = "precision = n_k + 1 / mean_sd**2, where n_k / sigma**2 + 1 / mean_sd**2 is meant"
    effect = "mu follows its observations as if every sigma were 1; empty components are right"

    def means_conditional(
        self, n_k: Array, sum_y: Array, sigma: Array, priors: Priors
    ) -> tuple[Array, Array]:
        """Weigh the data as if sigma were 1."""
        return super().means_conditional(n_k, sum_y, np.ones_like(sigma), priors)


class VarianceForSdOfMean(Fault):
    """A variance where normal() wants an sd."""

    name = "mean-variance-as-sd"
    mistake = "mu = rng.normal(loc, v) with v a variance, where sqrt(v) is meant"
    effect = "mu is too certain where observations are many, too spread where they are none"

    def means_conditional(
        self, n_k: Array, sum_y: Array, sigma: Array, priors: Priors
    ) -> tuple[Array, Array]:
        """Pass the variance as the sd."""
        loc, sd = super().means_conditional(n_k, sum_y, sigma, priors)
        return loc, sd**2


class RootOfSdOfMean(Fault):
    """The root is taken twice."""

    name = "mean-sd-as-variance"
    mistake = "mu = rng.normal(loc, sqrt(s)) with s an sd already, where s is meant"
    effect = "mu is too spread where observations are many; its location is right"

    def means_conditional(
        self, n_k: Array, sum_y: Array, sigma: Array, priors: Priors
    ) -> tuple[Array, Array]:
        """Take the root of the sd."""
        loc, sd = super().means_conditional(n_k, sum_y, sigma, priors)
        return loc, np.sqrt(sd)


class DirichletWithoutPrior(Fault):
    """The weights' prior is forgotten."""

    name = "dirichlet-without-prior"
    mistake = "w = rng.dirichlet(n_k), where weight_concentration + n_k is meant"
    effect = "weights are too extreme, and an empty component stays empty for ever"

    def weights_conditional(self, n_k: Array, priors: Priors) -> Array:
        """Use the counts alone."""
        return np.asarray(n_k, dtype=float)


class ConcentrationIgnored(Fault):
    """A uniform prior of the weights whatever the concentration."""

    name = "concentration-ignored"
    mistake = "w = rng.dirichlet(1 + n_k), where weight_concentration + n_k is meant"
    effect = "weights are too even under a concentration below 1, too extreme under one above"

    def weights_conditional(self, n_k: Array, priors: Priors) -> Array:
        """Add one to every count."""
        return np.asarray(1.0 + n_k)


class PriorTwice(Fault):
    """The weights' prior is counted twice."""

    name = "dirichlet-prior-twice"
    mistake = "w = rng.dirichlet(2 * weight_concentration + n_k): the prior is counted twice"
    effect = "weights are too even"

    def weights_conditional(self, n_k: Array, priors: Priors) -> Array:
        """Add the concentration twice."""
        twice = 2.0 * np.asarray(priors.weight_concentration)
        return np.asarray(twice + n_k)

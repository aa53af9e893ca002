"""Classic faults of a Gibbs sampler for mixtures, each a few lines over the correct sweep.

They serve three ends: tests (`validate` must flag every one and pass the correct sweep), teaching
(`gmmcompare validate fault:NAME` shows what a mistake does), and diagnosis (a user's sampler that
moves the same quantities the same way probably has the same mistake).

Where a mistake would end in a division by zero for an empty component, the empty component is drawn
from its prior, as a student would patch it: otherwise it would show at once and teach nothing.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from gmmcompare.engines import gibbs_plain
from gmmcompare.engines.gibbs_plain import Allocations
from gmmcompare.errors import InputError, did_you_mean
from gmmcompare.mixture import LOG_SQRT_2PI, log_joint
from gmmcompare.params import Array, Params
from gmmcompare.priors import Priors

PREFIX = "fault:"


class GibbsSweep:
    """The correct sweep, in steps that a fault can replace; a kernel.

    The steps have the names under which `conditionals` looks for them. ``name`` is how the command
    line calls a fault; ``mistake`` what a student wrote and should have written; ``effect`` what it
    does to the draws.
    """

    name: ClassVar[str] = "correct"
    mistake: ClassVar[str] = "none"
    effect: ClassVar[str] = "none"
    is_fault: ClassVar[bool] = False

    def __call__(
        self, w: Array, mu: Array, sigma: Array, y: Array, priors: Priors, rng: np.random.Generator
    ) -> Params:
        """Make one sweep."""
        p = priors.expanded(w.size)
        z = self.draw_allocations(w, mu, sigma, y, self.uniforms(y.size, rng))
        n_k = np.bincount(z, minlength=w.size)
        return self.draw_parameters(z, n_k, Params(w, mu, sigma), y, p, rng)

    def draw_parameters(
        self,
        z: Allocations,
        n_k: Array,
        old: Params,
        y: Array,
        priors: Priors,
        rng: np.random.Generator,
    ) -> Params:
        """Draw w, then mu given the old sigma, then sigma given the new mu."""
        w = self.draw_weights(n_k, priors, rng)
        mu = self.draw_means(n_k, _sums(z, y, w.size), old.sigma, priors, rng)
        sigma = self.draw_sigmas(n_k, _sums_of_squares(z, y, mu), priors, rng)
        return Params(w, mu, sigma)

    def uniforms(self, n: int, rng: np.random.Generator) -> Array:
        """Draw the uniforms that allocate n observations."""
        return rng.random(n)

    def draw_allocations(
        self, w: Array, mu: Array, sigma: Array, y: Array, u: Array
    ) -> Allocations:
        """Allocate each observation by one uniform."""
        return gibbs_plain.draw_allocations(w, mu, sigma, y, u)

    def draw_weights(self, n_k: Array, priors: Priors, rng: np.random.Generator) -> Array:
        """Draw w | z."""
        gamma = rng.standard_gamma(self.weights_conditional(n_k, priors))
        return np.asarray(gamma / gamma.sum())

    def weights_conditional(self, n_k: Array, priors: Priors) -> Array:
        """Return the concentration of w | z."""
        return gibbs_plain.weights_conditional(n_k, priors)

    def draw_means(
        self, n_k: Array, sum_y: Array, sigma: Array, priors: Priors, rng: np.random.Generator
    ) -> Array:
        """Draw mu | sigma, z."""
        return rng.normal(*self.means_conditional(n_k, sum_y, sigma, priors))

    def means_conditional(
        self, n_k: Array, sum_y: Array, sigma: Array, priors: Priors
    ) -> tuple[Array, Array]:
        """Return location and sd of mu | sigma, z."""
        return gibbs_plain.means_conditional(n_k, sum_y, sigma, priors)

    def draw_sigmas(
        self, n_k: Array, sum_sq: Array, priors: Priors, rng: np.random.Generator
    ) -> Array:
        """Draw sigma | mu, z."""
        shape, scale = self.variances_conditional(n_k, sum_sq, priors)
        return np.asarray(np.sqrt(scale / rng.standard_gamma(shape)))

    def variances_conditional(
        self, n_k: Array, sum_sq: Array, priors: Priors
    ) -> tuple[Array, Array]:
        """Return shape and scale of sigma^2 | mu, z."""
        return gibbs_plain.variances_conditional(n_k, sum_sq, priors)


def _sums(z: Allocations, y: Array, K: int) -> Array:
    return np.bincount(z, weights=y, minlength=K)


def _sums_of_squares(z: Allocations, y: Array, mu: Array) -> Array:
    return np.bincount(z, weights=(y - mu[z]) ** 2, minlength=mu.size)


def _where_occupied(n_k: Array, values: Array, prior: Any) -> Array:
    return np.where(n_k > 0, values, np.asarray(prior))


class _Fault(GibbsSweep):
    is_fault = True


class RateForScale(_Fault):
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


class ShapePlusN(_Fault):
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


class ShapeHalfTooMuch(_Fault):
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


class ShapeHalfTooLittle(_Fault):
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


class SquaresAboutMean(_Fault):
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
        sum_y = _sums(z, y, w.size)
        mu = self.draw_means(n_k, sum_y, old.sigma, priors, rng)
        ybar = sum_y / np.maximum(n_k, 1)
        return Params(w, mu, self.draw_sigmas(n_k, _sums_of_squares(z, y, ybar), priors, rng))


class NotHalved(_Fault):
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


class VarScaleDropped(_Fault):
    """The prior's scale is forgotten."""

    name = "var-scale-dropped"
    mistake = "scale = sum_sq / 2, without the prior: var_scale + sum_sq / 2"
    effect = "sigma is too small, most where a component holds few observations"

    def variances_conditional(
        self, n_k: Array, sum_sq: Array, priors: Priors
    ) -> tuple[Array, Array]:
        """Leave the prior's scale out."""
        shape, _ = super().variances_conditional(n_k, sum_sq, priors)
        return shape, _where_occupied(n_k, sum_sq / 2, priors.var_scale)


class VarShapeDropped(_Fault):
    """The prior's shape is forgotten."""

    name = "var-shape-dropped"
    mistake = "shape = n_k / 2, without the prior: var_shape + n_k / 2"
    effect = "sigma is too large and spread too wide, most where a component holds few observations"

    def variances_conditional(
        self, n_k: Array, sum_sq: Array, priors: Priors
    ) -> tuple[Array, Array]:
        """Leave the prior's shape out."""
        _, scale = super().variances_conditional(n_k, sum_sq, priors)
        return _where_occupied(n_k, n_k / 2, priors.var_shape), scale


class ShapeScaleSwapped(_Fault):
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


class MeanPrecisionDropped(_Fault):
    """The means' prior is forgotten."""

    name = "mean-prior-dropped"
    mistake = "mu = rng.normal(ybar, sigma / sqrt(n_k)), without the prior precision 1 / mean_sd**2"
    effect = "mu is not pulled towards its prior and spread too wide where a component holds little"

    def means_conditional(
        self, n_k: Array, sum_y: Array, sigma: Array, priors: Priors
    ) -> tuple[Array, Array]:
        """Use the likelihood only."""
        n = np.maximum(n_k, 1)
        loc = _where_occupied(n_k, sum_y / n, priors.mean_loc)
        return loc, _where_occupied(n_k, sigma / np.sqrt(n), priors.mean_sd)


class MeanLocIgnored(_Fault):
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


class PriorSdAsVariance(_Fault):
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


class LikelihoodWithoutSigma(_Fault):
    """The data's precision lacks sigma."""

    name = "likelihood-without-sigma"
    mistake = "precision = n_k + 1 / mean_sd**2, where n_k / sigma**2 + 1 / mean_sd**2 is meant"
    effect = "mu follows its observations as if every sigma were 1; empty components are right"

    def means_conditional(
        self, n_k: Array, sum_y: Array, sigma: Array, priors: Priors
    ) -> tuple[Array, Array]:
        """Weigh the data as if sigma were 1."""
        return super().means_conditional(n_k, sum_y, np.ones_like(sigma), priors)


class VarianceForSdOfMean(_Fault):
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


class RootOfSdOfMean(_Fault):
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


class DirichletWithoutPrior(_Fault):
    """The weights' prior is forgotten."""

    name = "dirichlet-without-prior"
    mistake = "w = rng.dirichlet(n_k), where weight_concentration + n_k is meant"
    effect = "weights are too extreme, and an empty component stays empty for ever"

    def weights_conditional(self, n_k: Array, priors: Priors) -> Array:
        """Use the counts alone."""
        return n_k.astype(float)


class PriorTwice(_Fault):
    """The weights' prior is counted twice."""

    name = "dirichlet-prior-twice"
    mistake = "w = rng.dirichlet(2 * weight_concentration + n_k): the prior is counted twice"
    effect = "weights are too even"

    def weights_conditional(self, n_k: Array, priors: Priors) -> Array:
        """Add the concentration twice."""
        return super().weights_conditional(n_k, priors) + np.asarray(priors.weight_concentration)


class _Remembering(_Fault):
    """Keeps something from the sweep before, as long as calls continue one chain."""

    def __init__(self) -> None:
        self._last: tuple[Params, Any] | None = None

    def recalled(self, old: Params) -> Any:
        """Return what was kept if ``old`` is where the last call left the chain, else None."""
        if self._last is None or not all(map(np.array_equal, self._last[0], old)):
            return None
        return self._last[1]

    def keep(self, new: Params, what: Any) -> Params:
        """Remember ``what`` for the sweep after ``new``."""
        self._last = (Params(*(a.copy() for a in new)), what)
        return new


class StaleWeights(_Remembering):
    """The allocations use weights from a copy that is updated too late."""

    name = "z-from-stale-weights"
    mistake = "z is drawn with the weights of the sweep before (w_old), not with the newest w"
    effect = "clusters grow and shrink too slowly or too fast; every conditional by itself is right"

    def __call__(
        self, w: Array, mu: Array, sigma: Array, y: Array, priors: Priors, rng: np.random.Generator
    ) -> Params:
        """Allocate by the weights before the last."""
        stale = self.recalled(Params(w, mu, sigma))
        new = super().__call__(w if stale is None else stale, mu, sigma, y, priors, rng)
        return self.keep(new, w.copy())


class PreviousCounts(_Remembering):
    """The counts are refreshed after the means are drawn."""

    name = "mu-from-previous-counts"
    mistake = "mu is drawn with the n_k of the sweep before: n_k is recomputed after mu, not before"
    effect = (
        "mu is pulled too hard or too little wherever a component has just gained or lost points"
    )

    def draw_parameters(
        self,
        z: Allocations,
        n_k: Array,
        old: Params,
        y: Array,
        priors: Priors,
        rng: np.random.Generator,
    ) -> Params:
        """Use the counts kept from the sweep before in the means."""
        previous = self.recalled(old)
        counts = n_k if previous is None else previous
        w = self.draw_weights(n_k, priors, rng)
        variance = 1.0 / (counts / old.sigma**2 + 1.0 / np.asarray(priors.mean_sd) ** 2)
        pull = priors.mean_loc / np.asarray(priors.mean_sd) ** 2
        loc = variance * (_sums(z, y, w.size) / old.sigma**2 + pull)
        mu = rng.normal(loc, np.sqrt(variance))
        sigma = self.draw_sigmas(n_k, _sums_of_squares(z, y, mu), priors, rng)
        return self.keep(Params(w, mu, sigma), n_k)


class BothFromOld(_Fault):
    """Two conditionals given the other's old value: not a Gibbs sampler."""

    name = "mu-and-sigma-from-old-values"
    mistake = "mu is drawn given the old sigma and sigma given the old mu: one must see the new one"
    effect = "mu and sigma of a component lose touch with each other"

    def draw_parameters(
        self,
        z: Allocations,
        n_k: Array,
        old: Params,
        y: Array,
        priors: Priors,
        rng: np.random.Generator,
    ) -> Params:
        """Take the squares about the old means."""
        w = self.draw_weights(n_k, priors, rng)
        mu = self.draw_means(n_k, _sums(z, y, w.size), old.sigma, priors, rng)
        sigma = self.draw_sigmas(n_k, _sums_of_squares(z, y, old.mu), priors, rng)
        return Params(w, mu, sigma)


class CumulativeNotNormalised(_Fault):
    """A uniform is held against sums that do not end at one."""

    name = "cumulative-not-normalised"
    mistake = "z = (u > np.cumsum(w * pdf)).sum(), without dividing by the row's total"
    effect = "observations fall into the last component (or the first) far too often"

    def draw_allocations(
        self, w: Array, mu: Array, sigma: Array, y: Array, u: Array
    ) -> Allocations:
        """Cumulate densities instead of probabilities."""
        density = np.exp(log_joint(y, Params(w, mu, sigma)))
        passed = u[:, None] > np.cumsum(density, axis=1)[:, :-1]
        return np.asarray(passed.sum(axis=1))


class OneUniform(_Fault):
    """One random number decides for all."""

    name = "one-uniform-for-all"
    mistake = "u = rng.random(), one number for all observations, where rng.random(N) is meant"
    effect = "observations move together: counts jump, weights are too extreme"

    def uniforms(self, n: int, rng: np.random.Generator) -> Array:
        """Draw one and repeat it."""
        return np.full(n, rng.random())


class MuSortedAlone(_Fault):
    """Labels are fixed by sorting one parameter of three, before the rest is drawn."""

    name = "mu-sorted-alone"
    mistake = "mu = np.sort(mu) in mid-sweep, which gives components each other's means"
    effect = "means are in ascending order but no longer belong to their weights and observations"

    def draw_means(
        self, n_k: Array, sum_y: Array, sigma: Array, priors: Priors, rng: np.random.Generator
    ) -> Array:
        """Sort the means."""
        return np.sort(super().draw_means(n_k, sum_y, sigma, priors, rng))


class WeightsNotSorted(_Fault):
    """Labels are fixed for two parameters of three."""

    name = "weights-left-unsorted"
    mistake = "order = np.argsort(mu); mu, sigma = mu[order], sigma[order], and w is forgotten"
    effect = "means are in ascending order; weights belong to other components"

    def __call__(
        self, w: Array, mu: Array, sigma: Array, y: Array, priors: Priors, rng: np.random.Generator
    ) -> Params:
        """Sort means and sigmas at the end of a sweep."""
        w, mu, sigma = super().__call__(w, mu, sigma, y, priors, rng)
        order = np.argsort(mu)
        return Params(w, mu[order], sigma[order])


class VarianceAsSdInZ(_Fault):
    """A variance where the density wants an sd."""

    name = "variance-as-sd-in-z"
    mistake = "w * norm.pdf(y, mu, sigma**2), where norm.pdf(y, mu, sigma) is meant"
    effect = "narrow components take too few observations and wide ones too many"

    def draw_allocations(
        self, w: Array, mu: Array, sigma: Array, y: Array, u: Array
    ) -> Allocations:
        """Allocate with the variance as sd."""
        return super().draw_allocations(w, mu, sigma**2, y, u)


class NoLogSigmaInZ(_Fault):
    """The normalising constant depends on k and was dropped."""

    name = "no-log-sigma-in-z"
    mistake = "log r = log w - (y - mu)**2 / (2 sigma**2), without - log sigma"
    effect = "wide components take observations from narrow ones"

    def draw_allocations(
        self, w: Array, mu: Array, sigma: Array, y: Array, u: Array
    ) -> Allocations:
        """Allocate without the factor 1 / sigma."""
        log_p = log_joint(y, Params(w, mu, sigma)) + np.log(sigma) + LOG_SQRT_2PI
        p = np.exp(log_p - log_p.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        passed = u[:, None] > np.cumsum(p, axis=1)[:, :-1]
        return np.asarray(passed.sum(axis=1))


class SigmaBeforeMu(GibbsSweep):
    """Not a fault: sigma given the old mu, then mu given the new sigma; another order of the scan."""

    name = "sigma-before-mu"
    mistake = "none: sigma is drawn given the old mu, then mu given the new sigma"
    effect = "none: any order of the conditionals is right, as long as each sees the newest values"

    def draw_parameters(
        self,
        z: Allocations,
        n_k: Array,
        old: Params,
        y: Array,
        priors: Priors,
        rng: np.random.Generator,
    ) -> Params:
        """Draw sigma first."""
        w = self.draw_weights(n_k, priors, rng)
        sigma = self.draw_sigmas(n_k, _sums_of_squares(z, y, old.mu), priors, rng)
        mu = self.draw_means(n_k, _sums(z, y, w.size), sigma, priors, rng)
        return Params(w, mu, sigma)


class EmptyLeftAlone(GibbsSweep):
    """Not a fault: doing nothing to an empty component leaves its distribution as it is."""

    name = "empty-left-as-it-was"
    mistake = "none: an empty component keeps its mu and sigma until it holds an observation"
    effect = "none but slower mixing"

    def draw_parameters(
        self,
        z: Allocations,
        n_k: Array,
        old: Params,
        y: Array,
        priors: Priors,
        rng: np.random.Generator,
    ) -> Params:
        """Redraw occupied components only."""
        new = super().draw_parameters(z, n_k, old, y, priors, rng)
        occupied = n_k > 0
        mu, sigma = (np.where(occupied, a, b) for a, b in zip(new[1:], old[1:], strict=True))
        return Params(new.w, mu, sigma)


class OneSeedForAllChains:
    """Two chains with one seed: a fault of a whole sampler, whose every chain is right."""

    name = "one-seed-for-all-chains"
    mistake = "rng = np.random.default_rng(42) inside the loop over chains"
    effect = "chains are copies of each other: R-hat is 1.00 and means nothing"
    is_fault = True

    def __call__(
        self,
        y: Array,
        K: int,
        priors: Priors,
        draws: int,
        warmup: int,
        chains: int,
        rng: np.random.Generator,
    ) -> dict[str, Array]:
        """Run every chain on the same stream."""
        sweep = GibbsSweep()
        seed = int(rng.integers(2**32))
        out = {name: np.empty((chains, draws, K)) for name in Params._fields}
        for chain in range(chains):
            own = np.random.default_rng(seed)
            point = priors.sample(own, K)
            for i in range(-warmup, draws):
                point = sweep(*point, y, priors, own)
                if i >= 0:
                    for name, value in zip(Params._fields, point, strict=True):
                        out[name][chain, i] = value
        return out


KERNEL_FAULTS: dict[str, type[GibbsSweep]] = {
    fault.name: fault
    for fault in (
        RateForScale, ShapePlusN, ShapeHalfTooMuch, ShapeHalfTooLittle, SquaresAboutMean, NotHalved,
        VarScaleDropped, VarShapeDropped, ShapeScaleSwapped, MeanPrecisionDropped, MeanLocIgnored,
        PriorSdAsVariance, LikelihoodWithoutSigma, VarianceForSdOfMean, RootOfSdOfMean,
        DirichletWithoutPrior, PriorTwice, StaleWeights, BothFromOld, PreviousCounts,
        CumulativeNotNormalised, OneUniform, MuSortedAlone, WeightsNotSorted, VarianceAsSdInZ,
        NoLogSigmaInZ,
    )
}  # fmt: skip
SAMPLER_FAULTS: dict[str, type[OneSeedForAllChains]] = {
    OneSeedForAllChains.name: OneSeedForAllChains
}
NOT_FAULTS: dict[str, type[GibbsSweep]] = {
    fault.name: fault for fault in (GibbsSweep, SigmaBeforeMu, EmptyLeftAlone)
}
FAULTS: dict[str, Any] = {**KERNEL_FAULTS, **SAMPLER_FAULTS}


def fault(name: str) -> Any:
    """Return a fresh kernel or sampler of the gallery, by its name with or without ``fault:``.

    Raises
    ------
    InputError
        If the gallery has none of that name.
    """
    gallery: dict[str, Any] = {**FAULTS, **NOT_FAULTS}
    short = name.removeprefix(PREFIX)
    if short not in gallery:
        raise InputError(
            f"{name}: the gallery has no such fault{did_you_mean(short, gallery)}; "
            f"it has: {', '.join(gallery)}"
        )
    return gallery[short]()

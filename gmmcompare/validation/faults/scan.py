"""Faults of the scan and of allocations: stale values, shared uniforms, sorted labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from gmmcompare.engines.gibbs.plain import Allocations
from gmmcompare.model.mixture import LOG_SQRT_2PI, log_joint
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors
from gmmcompare.validation.faults.sweep import Fault, sums, sums_of_squares


class Remembering(Fault):
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


class StaleWeights(Remembering):
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


class PreviousCounts(Remembering):
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
        loc = variance * (sums(z, y, w.size) / old.sigma**2 + pull)
        mu = rng.normal(loc, np.sqrt(variance))
        sigma = self.draw_sigmas(n_k, sums_of_squares(z, y, mu), priors, rng)
        return self.keep(Params(w, mu, sigma), n_k)


class BothFromOld(Fault):
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
        mu = self.draw_means(n_k, sums(z, y, w.size), old.sigma, priors, rng)
        sigma = self.draw_sigmas(n_k, sums_of_squares(z, y, old.mu), priors, rng)
        return Params(w, mu, sigma)


class CumulativeNotNormalised(Fault):
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


class OneUniform(Fault):
    """One random number decides for all."""

    name = "one-uniform-for-all"
    mistake = "u = rng.random(), one number for all observations, where rng.random(N) is meant"
    effect = "observations move together: counts jump, weights are too extreme"

    def uniforms(self, n: int, rng: np.random.Generator) -> Array:
        """Draw one and repeat it."""
        return np.full(n, rng.random())


class MuSortedAlone(Fault):
    """Labels are fixed by sorting one parameter of three, before the rest is drawn."""

    name = "mu-sorted-alone"
    mistake = "mu = np.sort(mu) in mid-sweep, which gives components each other's means"
    effect = "means are in ascending order but no longer belong to their weights and observations"

    def draw_means(
        self, n_k: Array, sum_y: Array, sigma: Array, priors: Priors, rng: np.random.Generator
    ) -> Array:
        """Sort the means."""
        return np.sort(super().draw_means(n_k, sum_y, sigma, priors, rng))


class WeightsNotSorted(Fault):
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


class SortedJointly(Fault):
    """Labels are fixed for all three parameters, while sampling and not afterwards."""

    name = "labels-sorted-each-sweep"
    mistake = "order = np.argsort(mu) for w, mu and sigma at the end of every sweep, not afterwards"
    effect = (
        "means are in ascending order, and nothing else is wrong unless components have priors of "
        "their own"
    )

    def __call__(
        self, w: Array, mu: Array, sigma: Array, y: Array, priors: Priors, rng: np.random.Generator
    ) -> Params:
        """Sort all parameters at the end of a sweep."""
        return super().__call__(w, mu, sigma, y, priors, rng).ordered_by_mean()


class PermutedLabels(Fault):
    """A permutation of the labels, which is right where all components have one prior."""

    name = "labels-permuted-at-random"
    mistake = "a random permutation of the labels is made in every sweep and never rejected"
    effect = "components take each other's priors where these differ; right where they do not"

    def __call__(
        self, w: Array, mu: Array, sigma: Array, y: Array, priors: Priors, rng: np.random.Generator
    ) -> Params:
        """Permute the labels after one sweep in four."""
        new = super().__call__(w, mu, sigma, y, priors, rng)
        if rng.random() < 0.25:
            return new.permuted(rng.permutation(w.size))
        return new


class VarianceAsSdInZ(Fault):
    """A variance where the density wants an sd."""

    name = "variance-as-sd-in-z"
    mistake = "w * norm.pdf(y, mu, sigma**2), where norm.pdf(y, mu, sigma) is meant"
    effect = "narrow components take too few observations and wide ones too many"

    def draw_allocations(
        self, w: Array, mu: Array, sigma: Array, y: Array, u: Array
    ) -> Allocations:
        """Allocate with the variance as sd."""
        return super().draw_allocations(w, mu, sigma**2, y, u)


class NoLogSigmaInZ(Fault):
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

"""The correct Gibbs sweep in steps that a fault can replace."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from gmmcompare.engines.gibbs import plain as gibbs_plain
from gmmcompare.engines.gibbs.plain import Allocations
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors


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
        n_k = np.bincount(z, minlength=w.size).astype(float)
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
        mu = self.draw_means(n_k, sums(z, y, w.size), old.sigma, priors, rng)
        sigma = self.draw_sigmas(n_k, sums_of_squares(z, y, mu), priors, rng)
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


def sums(z: Allocations, y: Array, K: int) -> Array:
    """Return the sum of each component's observations, (K,)."""
    return np.bincount(z, weights=y, minlength=K)


def sums_of_squares(z: Allocations, y: Array, mu: Array) -> Array:
    """Return each component's sum of squares about mu, (K,)."""
    return np.bincount(z, weights=(y - mu[z]) ** 2, minlength=mu.size)


def where_occupied(n_k: Array, values: Array, prior: Any) -> Array:
    """Return ``values`` for components that hold observations and ``prior`` for others, (K,)."""
    return np.where(n_k > 0, values, np.asarray(prior))


class Fault(GibbsSweep):
    """A sweep with one step replaced by a wrong one."""

    is_fault = True

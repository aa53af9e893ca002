"""The correct sampler, in steps that a row of the `catalogue` replaces.

A replacement takes the correct sampler first and then what the step takes, so that it can be a few
symbols away from what it replaces.
"""

from __future__ import annotations

import numpy as np

from gmmcompare.engines.gibbs import plain
from gmmcompare.engines.gibbs.plain import Allocations
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors


class GibbsSweep:
    """The correct kernel. Its conditionals have the names that `checks.conditionals` looks for."""

    name = "correct"

    def __call__(
        self, w: Array, mu: Array, sigma: Array, y: Array, priors: Priors, rng: np.random.Generator
    ) -> Params:
        """Make one sweep."""
        return self.sweep(w, mu, sigma, y, priors, rng)

    def sweep(
        self, w: Array, mu: Array, sigma: Array, y: Array, priors: Priors, rng: np.random.Generator
    ) -> Params:
        """Draw the allocations given the parameters, then the parameters given the allocations."""
        z = self.draw_allocations(w, mu, sigma, y, self.draw_uniforms(y.size, rng))
        n_k = np.bincount(z, minlength=w.size).astype(float)
        old = Params(w, mu, sigma)
        new = self.draw_parameters(z, n_k, old, y, priors.expanded(w.size), rng)
        return self.relabel(new, rng)

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

    def relabel(self, new: Params, rng: np.random.Generator) -> Params:
        """Leave the labels as they are."""
        return new

    def draw_uniforms(self, n: int, rng: np.random.Generator) -> Array:
        """Draw the uniforms that allocate n observations, (n,)."""
        return rng.random(n)

    def draw_allocations(
        self, w: Array, mu: Array, sigma: Array, y: Array, u: Array
    ) -> Allocations:
        """Allocate each observation by one uniform, (N,)."""
        return plain.draw_allocations(w, mu, sigma, y, u)

    def draw_weights(self, n_k: Array, priors: Priors, rng: np.random.Generator) -> Array:
        """Draw w | z, (K,)."""
        gamma = rng.standard_gamma(self.weights_conditional(n_k, priors))
        return np.asarray(gamma / gamma.sum())

    def weights_conditional(self, n_k: Array, priors: Priors) -> Array:
        """Return the concentration of w | z, (K,)."""
        return plain.weights_conditional(n_k, priors)

    def draw_means(
        self, n_k: Array, sum_y: Array, sigma: Array, priors: Priors, rng: np.random.Generator
    ) -> Array:
        """Draw mu | sigma, z, (K,)."""
        return rng.normal(*self.means_conditional(n_k, sum_y, sigma, priors))

    def means_conditional(
        self, n_k: Array, sum_y: Array, sigma: Array, priors: Priors
    ) -> tuple[Array, Array]:
        """Return location and standard deviation of mu | sigma, z, (K,) each."""
        return plain.means_conditional(n_k, sum_y, sigma, priors)

    def draw_sigmas(
        self, n_k: Array, sum_sq: Array, priors: Priors, rng: np.random.Generator
    ) -> Array:
        """Draw sigma | mu, z, (K,)."""
        shape, scale = self.variances_conditional(n_k, sum_sq, priors)
        return np.asarray(np.sqrt(scale / rng.standard_gamma(shape)))

    def variances_conditional(
        self, n_k: Array, sum_sq: Array, priors: Priors
    ) -> tuple[Array, Array]:
        """Return shape and scale of sigma^2 | mu, z, (K,) each."""
        return plain.variances_conditional(n_k, sum_sq, priors)


class GibbsSampler:
    """Whole runs of the correct kernel, each chain from a draw of the prior."""

    name = "correct"

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
        """Run the chains; arrays (chains, draws, K)."""
        sweep = GibbsSweep()
        out = {name: np.empty((chains, draws, K)) for name in Params._fields}
        for chain, own in enumerate(self.chain_streams(chains, rng)):
            point = priors.sample(own, K)
            for i in range(-warmup, draws):
                point = sweep(*point, y, priors, own)
                if i >= 0:
                    for name, value in zip(Params._fields, point, strict=True):
                        out[name][chain, i] = value
        return out

    def chain_streams(self, chains: int, rng: np.random.Generator) -> list[np.random.Generator]:
        """Give each chain a random stream of its own."""
        return rng.spawn(chains)


def sums(z: Allocations, y: Array, K: int) -> Array:
    """Return the sum of each component's observations, (K,)."""
    return np.bincount(z, weights=y, minlength=K)


def sums_of_squares(z: Allocations, y: Array, mu: Array) -> Array:
    """Return each component's sum of squares about mu, (K,)."""
    return np.bincount(z, weights=(y - mu[z]) ** 2, minlength=mu.size)

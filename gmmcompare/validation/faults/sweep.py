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
    draw_allocations = staticmethod(plain.draw_allocations)
    weights_conditional = staticmethod(plain.weights_conditional)
    means_conditional = staticmethod(plain.means_conditional)
    variances_conditional = staticmethod(plain.variances_conditional)

    def __call__(
        self, w: Array, mu: Array, sigma: Array, y: Array, priors: Priors, rng: np.random.Generator
    ) -> Params:
        """Make one sweep."""
        return self.sweep(w, mu, sigma, y, priors, rng)

    def sweep(
        self, w: Array, mu: Array, sigma: Array, y: Array, priors: Priors, rng: np.random.Generator
    ) -> Params:
        """Draw the allocations given the parameters, then the parameters given the allocations.

        Parameters
        ----------
        w, mu, sigma : ndarray, shape (K,)
            Where the chain stands.
        y : ndarray, shape (N,)
        priors : Priors
        rng : numpy.random.Generator
        """
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
        """Draw w, then mu given the old sigma, then sigma given the new mu.

        Parameters
        ----------
        z : ndarray of int, shape (N,)
            Allocations in 0..K-1.
        n_k : ndarray, shape (K,)
            Number of observations in each component.
        old : Params
            Where the sweep started, arrays (K,).
        y : ndarray, shape (N,)
        priors : Priors
            Every field of shape (K,).
        rng : numpy.random.Generator
        """
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

    def draw_weights(self, n_k: Array, priors: Priors, rng: np.random.Generator) -> Array:
        """Draw w | z, (K,).

        Parameters
        ----------
        n_k : ndarray, shape (K,)
            Number of observations in each component.
        priors : Priors
        rng : numpy.random.Generator
        """
        gamma = rng.standard_gamma(self.weights_conditional(n_k, priors))
        return np.asarray(gamma / gamma.sum())

    def draw_means(
        self, n_k: Array, sum_y: Array, sigma: Array, priors: Priors, rng: np.random.Generator
    ) -> Array:
        """Draw mu | sigma, z, (K,).

        Parameters
        ----------
        n_k, sum_y, sigma : ndarray, shape (K,)
            Number and sum of each component's observations, and its standard deviation.
        priors : Priors
        rng : numpy.random.Generator
        """
        return np.asarray(rng.normal(*self.means_conditional(n_k, sum_y, sigma, priors)))

    def draw_sigmas(
        self, n_k: Array, sum_sq: Array, priors: Priors, rng: np.random.Generator
    ) -> Array:
        """Draw sigma | mu, z, (K,).

        Parameters
        ----------
        n_k, sum_sq : ndarray, shape (K,)
            Number of each component's observations, and their sum of squares about its mean.
        priors : Priors
        rng : numpy.random.Generator
        """
        shape, scale = self.variances_conditional(n_k, sum_sq, priors)
        return np.asarray(np.sqrt(scale / rng.standard_gamma(shape)))


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
    """Return the sum of each component's observations, (K,).

    Parameters
    ----------
    z : ndarray of int, shape (N,)
        Allocations in 0..K-1.
    y : ndarray, shape (N,)
    K : int
    """
    return np.bincount(z, weights=y, minlength=K)


def sums_of_squares(z: Allocations, y: Array, mu: Array) -> Array:
    """Return each component's sum of squares about mu, (K,).

    Parameters
    ----------
    z : ndarray of int, shape (N,)
        Allocations in 0..K-1.
    y : ndarray, shape (N,)
    mu : ndarray, shape (K,)
    """
    return np.bincount(z, weights=(y - mu[z]) ** 2, minlength=mu.size)

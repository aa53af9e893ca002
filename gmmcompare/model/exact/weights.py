"""The weights' part of an exact posterior: Dirichlet, or known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, gammaln

from gmmcompare.model.params import Array

Counts = NDArray[np.int64]


def weights_of(priors: Any) -> Weights:
    """Return the weights of priors whose fields have shape (K,)."""
    if getattr(priors, "weights", None) is not None:
        return FixedWeights(np.asarray(priors.weights))
    return DirichletWeights(np.asarray(priors.weight_concentration))


@dataclass(frozen=True, eq=False)
class DirichletWeights:
    """w ~ Dirichlet(c): given the allocations' counts Dirichlet(c + n)."""

    c: Array

    def log_term(self, k: int, n: Counts) -> Array:
        """Return component k's term of log p(z) where it holds n observations."""
        return np.asarray(gammaln(n + self.c[k]) - gammaln(self.c[k]))

    def log_constant(self, N: int) -> float:
        """Return what log p(z) has besides the components' terms."""
        return float(gammaln(self.c.sum()) - gammaln(N + self.c.sum()))

    def expected(self, k: int, n: Counts, N: int) -> Array:
        """Return E(w_k | component k holds n of N observations).

        Parameters
        ----------
        k : int
        n : ndarray of int
        N : int
        """
        return np.asarray((n + self.c[k]) / (N + self.c.sum()))

    def cdf(self, k: int, prob_n: Array, x: Array) -> Array:
        """Return the distribution function of w_k, a mixture of beta distributions over n_k.

        Parameters
        ----------
        k : int
        prob_n : ndarray, shape (N + 1,)
            P(component k holds n observations).
        x : ndarray, shape (X,)
        """
        if self.c.size == 1:
            return np.where(x < 1.0, 0.0, 1.0)
        n = np.arange(prob_n.size)
        rest = prob_n.size - 1 - n + np.delete(self.c, k).sum()
        return np.asarray(betainc(n + self.c[k], rest, np.clip(x, 0.0, 1.0)[:, None]) @ prob_n)

    def draw(self, n: Counts, rng: np.random.Generator) -> Array:
        """Draw weights given counts (draws, K)."""
        shape = n + self.c
        # Gamma(a) = Gamma(a + 1) U^(1/a) in distribution, which does not underflow for small a.
        log_gamma = np.log(rng.standard_gamma(shape + 1.0))
        log_gamma += np.log1p(-rng.random(n.shape)) / shape
        w = np.exp(log_gamma - log_gamma.max(axis=1, keepdims=True))
        return np.asarray(w / w.sum(axis=1, keepdims=True))


@dataclass(frozen=True, eq=False)
class FixedWeights:
    """Known weights: allocations are independent of one another."""

    w: Array

    def log_term(self, k: int, n: Counts) -> Array:
        """Return component k's term of log p(z) where it holds n observations."""
        return np.asarray(n * np.log(self.w[k]))

    def log_constant(self, N: int) -> float:
        """Return what log p(z) has besides the components' terms: nothing."""
        return 0.0

    def expected(self, k: int, n: Counts, N: int) -> Array:
        """Return w_k for each n.

        Parameters
        ----------
        k : int
        n : ndarray of int
        N : int
            Plays no part.
        """
        return np.full(np.shape(n), self.w[k])

    def cdf(self, k: int, prob_n: Array, x: Array) -> Array:
        """Return a step at w_k.

        Parameters
        ----------
        k : int
        prob_n : ndarray
            Plays no part.
        x : ndarray, shape (X,)
        """
        return np.where(x >= self.w[k], 1.0, 0.0)

    def draw(self, n: Counts, rng: np.random.Generator) -> Array:
        """Return the weights for each row of counts (draws, K)."""
        return np.tile(self.w, (len(n), 1))


Weights = DirichletWeights | FixedWeights

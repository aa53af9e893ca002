"""Sums over all partitions of the observations into blocks that hold at least one each.

A mixture with a random number of components, or a Dirichlet process, gives a partition with k
blocks b the weight V(k) f(b_1) ... f(b_k) (Gnedin and Pitman 2006), in which f(b) is the marginal
density of the block's observations times what the weights' prior makes of its size. Sums over all
partitions with k blocks are k-fold subset convolutions of f over k!, since blocks have no order.
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln, logsumexp

from gmmcompare.model.params import Array


class Blocks:
    """Sums over partitions of each subset of the observations, by number of blocks.

    Parameters
    ----------
    log_f : ndarray, shape (2^N,)
        Log weight of a block; that of the empty set plays no part.
    most : int
        Partitions of more blocks are not needed.

    Attributes
    ----------
    log_f : ndarray, shape (2^N,)
        The same, with weight 0 for the empty set.
    log_sums : ndarray, shape (most + 1, 2^N)
        Log of E_k(S), the sum over partitions of S into k blocks, k = 0..most.
    """

    def __init__(self, log_f: Array, most: int) -> None:
        from gmmcompare.model.exact.compiled import subset_convolution

        self.log_f = log_f.copy()
        self.log_f[0] = -np.inf
        self.log_sums = np.full((most + 1, log_f.size), -np.inf)
        self.log_sums[0, 0] = 0.0
        if most >= 1:
            self.log_sums[1] = self.log_f
        for k in range(2, most + 1):
            self.log_sums[k] = subset_convolution(self.log_sums[k - 1], self.log_f) - np.log(k)

    @property
    def log_all(self) -> Array:
        """Log E_k of all the observations, shape (most + 1,)."""
        return np.asarray(self.log_sums[:, -1])

    def log_with_block(self, log_v: Array) -> Array:
        """Return, for each subset S, the log of the sum over k of V(k) E_(k-1)(all without S).

        Times f(S) this is the weight of all partitions of which S is one block.

        Parameters
        ----------
        log_v : ndarray, shape (most + 1,)
            Log V(k), k = 0..most.

        Returns
        -------
        ndarray, shape (2^N,)
        """
        others = self.log_sums[:-1, ::-1]
        return np.asarray(logsumexp(log_v[1:, None] + others, axis=0))


def log_v_given_K(concentration: Array, n: int, most: int) -> Array:
    """Return log V(k), k = 0..most, given each number of components K = 1..max_K.

    With weights ~ Dirichlet(c, ..., c) it is Gamma(K c) / Gamma(n + K c) K!/(K - k)!.

    Parameters
    ----------
    concentration : ndarray, shape (max_K,)
        c given K.
    n : int
        Number of observations.
    most : int

    Returns
    -------
    ndarray, shape (max_K, most + 1)
    """
    K = np.arange(1, concentration.size + 1)[:, None]
    k = np.arange(most + 1)
    total = K * concentration[:, None]
    falling = gammaln(K + 1.0) - gammaln(np.maximum(K - k, 0) + 1.0)
    log_v = gammaln(total) - gammaln(n + total) + falling
    return np.asarray(np.where(k <= K, log_v, -np.inf))


def log_v_process(alpha: float, n: int, most: int) -> Array:
    """Return log V(k) for k = 0..most of a Dirichlet process.

    It is alpha^k Gamma(alpha) / Gamma(n + alpha).

    Parameters
    ----------
    alpha : float
    n : int
        Number of observations.
    most : int

    Returns
    -------
    ndarray, shape (most + 1,)
    """
    log_constant = float(gammaln(alpha) - gammaln(n + alpha))
    return np.asarray(np.arange(most + 1) * np.log(alpha) + log_constant)

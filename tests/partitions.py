"""Sums over all partitions, one after another, for tests of what sums them cleverly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from math import exp, factorial, lgamma

import numpy as np


def partitions(n: int) -> Iterator[list[list[int]]]:
    """Yield all partitions of range(n), each once."""
    if n == 0:
        yield []
        return
    for smaller in partitions(n - 1):
        for k in range(len(smaller)):
            yield [[*b, n - 1] if i == k else b for i, b in enumerate(smaller)]
        yield [*smaller, [n - 1]]


def summed(
    n: int,
    log_marginal: Callable[[tuple[int, ...]], float],
    prior_on_K: np.ndarray,
    c: float,
    dynamic: bool,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the joint probability of y and K, of y and K+, and of y and each pair together.

    Given K, a partition into j blocks is K!/(K - j)! allocations, whose weights are
    Dirichlet(c, ..., c), or Dirichlet(c / K, ..., c / K).
    """
    marginal = cache(log_marginal)
    max_K = len(prior_on_K)
    joint, by_blocks, together = np.zeros(max_K), np.zeros(max_K + 1), np.zeros((n, n))
    for blocks in partitions(n):
        log_density = sum(marginal(tuple(block)) for block in blocks)
        for K in range(len(blocks), max_K + 1):
            c_K = c / K if dynamic else c
            log_z = lgamma(K * c_K) - lgamma(n + K * c_K)
            log_z += sum(lgamma(len(b) + c_K) - lgamma(c_K) for b in blocks)
            ways = factorial(K) / factorial(K - len(blocks))
            weight = prior_on_K[K - 1] * ways * exp(log_z + log_density)
            joint[K - 1] += weight
            by_blocks[len(blocks)] += weight
            for block in blocks:
                together[np.ix_(block, block)] += weight
    return joint, by_blocks, together

"""Sums over all allocations of points to components, for weights that are products over sets.

An allocation splits the points into K disjoint sets, some perhaps empty, and its probability is in
proportion to f_1(S_1) ... f_K(S_K). Sums over all K^N of them are taken one component at a time,
each in 3^N steps, by the *subset convolution* (Bjorklund, Husfeldt, Kaski and Koivisto 2007, STOC)

    (f * g)(S) = sum over T within S of f(T) g(S without T).

It is summed as it stands here: their algorithm in N^2 2^N steps subtracts, and loses digits.

Sets are coded as bit masks: bit i of the index says that point i is in the set. The complement of S
has index 2^N - 1 - S, so that an array over sets, reversed, is one over their complements.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gmmcompare.model.params import Array


class Allocations:
    """The distribution over allocations.

    Parameters
    ----------
    log_f : sequence of K arrays, shape (2^N,)
        Log weight of each component's set; that of the empty set is 0.

    Attributes
    ----------
    log_total : float
        Log of the sum over all allocations.
    prob_occupied : ndarray, shape (K + 1,)
        P(j of the components are not empty).
    prob_set : list of K arrays, shape (2^N,)
        P(component k holds exactly the set S).
    """

    def __init__(self, log_f: Sequence[Array]) -> None:
        self._log_f = list(log_f)
        self._log_first = [_log_unit(log_f[0].size)]  # f_1 * ... * f_k for k = 0..K
        by_occupied = self._log_first  # the same, by the number of sets that are not empty
        for f in self._log_f:
            by_occupied = _with_one_more(by_occupied, f)
            self._log_first.append(np.logaddexp.reduce(by_occupied))
        self.log_total = float(self._log_first[-1][-1])
        self.prob_occupied = np.zeros(len(log_f) + 1)
        for j, row in enumerate(by_occupied):
            self.prob_occupied[j] = np.exp(row[-1] - self.log_total)
        self.prob_set = [
            np.exp(f + others[::-1] - self.log_total)
            for f, others in zip(self._log_f, self._log_others(), strict=True)
        ]

    def draw(self, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draw n independent allocations: the sets of the K components, shape (n, K)."""
        from gmmcompare.model.exact.compiled import choose_subsets

        sets = np.empty((n, len(self._log_f)), dtype=np.int64)
        left = np.full(n, self._log_f[0].size - 1, dtype=np.int64)
        for k in reversed(range(1, len(self._log_f))):
            uniforms = rng.random(n)
            order = np.lexsort((uniforms, left))
            sums = self._log_f[k], self._log_first[k], self._log_first[k + 1]
            sets[order, k] = choose_subsets(left[order], uniforms[order], *sums)
            left ^= sets[:, k]
        sets[:, 0] = left
        return sets

    def _log_others(self) -> list[Array]:
        """Return, for each k, log of the convolution of all f but f_k."""
        from gmmcompare.model.exact.compiled import subset_convolution

        others = []
        log_after = _log_unit(self._log_f[0].size)
        for f, log_before in zip(self._log_f[::-1], self._log_first[-2::-1], strict=True):
            others.append(subset_convolution(log_before, log_after))
            log_after = subset_convolution(f, log_after)
        return others[::-1]


def log_total(log_f: Sequence[Array]) -> float:
    """Return what `Allocations` has as ``log_total``, and nothing else; see there for ``log_f``."""
    from gmmcompare.model.exact.compiled import subset_convolution

    total = log_f[0]
    for f in log_f[1:-1]:
        total = subset_convolution(total, f)
    # The whole set alone is wanted of the last one.
    return float(np.logaddexp.reduce(total + log_f[-1][::-1])) if len(log_f) > 1 else total[-1]


def _with_one_more(by_occupied: list[Array], log_f: Array) -> list[Array]:
    """Convolve with one more component, which is empty or is not; at most N are not."""
    from gmmcompare.model.exact.compiled import subset_convolution

    occupied = log_f.copy()
    occupied[0] = -np.inf
    grown = [subset_convolution(row, occupied) for row in by_occupied]
    both = [np.logaddexp(*rows) for rows in zip(by_occupied[1:], grown[:-1], strict=True)]
    n_points = log_f.size.bit_length() - 1
    return [by_occupied[0], *both, grown[-1]][: n_points + 1]


def _log_unit(size: int) -> Array:
    """Return the unit of the convolution: weight 1 on the empty set, 0 elsewhere."""
    unit = np.full(size, -np.inf)
    unit[0] = 0.0
    return unit

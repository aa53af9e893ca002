"""The compiled loop of `equality`."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gmmcompare.params import Array


@njit(nogil=True, cache=True, error_model="numpy")
def batch_sums(
    pooled: Array,
    order: NDArray[np.int64],
    batch: NDArray[np.int64],
    scores: Array,
    cuts: NDArray[np.int64],
    sums: Array,
) -> Array:
    """Add up statistics of the pooled rank over batches; return their sums of squares.

    pooled : (n,), order : (n,) sorts it, batch : (n,) is the batch of each value.
    scores : (2 n - 1,), the normal score of rank r (from 0, halves among ties) at index 2 r.
    cuts : ascending positions in the sorted values; "below" means at most the value there.
    sums : (2 + len(cuts), batches), zero before; receives score, |score| and indicators.
    """
    n = pooled.size
    squares = np.zeros(sums.shape[0])
    i = 0
    while i < n:
        j = i
        while j + 1 < n and pooled[order[j + 1]] == pooled[order[i]]:
            j += 1
        score = scores[i + j]
        first = 0  # of the cuts that this value is not above
        while first < cuts.size and i > cuts[first]:
            first += 1
        for at in range(i, j + 1):
            b = batch[order[at]]
            sums[0, b] += score
            sums[1, b] += abs(score)
            if first < cuts.size:
                sums[2 + first, b] += 1.0
        squares[0] += (j - i + 1) * score * score
        i = j + 1
    squares[1] = squares[0]
    for s in range(3, sums.shape[0]):  # below one cut is below the next as well
        for b in range(sums.shape[1]):
            sums[s, b] += sums[s - 1, b]
    for s in range(2, sums.shape[0]):
        squares[s] = sums[s].sum()
    return squares

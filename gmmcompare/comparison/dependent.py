"""Chains that are not independent: near copies, at equal times or shifted, whatever their labels.

A standard error takes chains to be independent. Exact copies are found by their draws
(`engines.check`); here are those that differ by rounding, by noise or by their labels. Two chains
are compared in functions that do not depend on labels, by the cross-correlation of their
innovations at every shift (Haugh 1976): what an autoregression of each chain on its own past leaves
has hardly any autocorrelation, so that honest chains, however slow, have correlations near zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft
from scipy.linalg import solve_toeplitz
from scipy.special import ndtri

from gmmcompare.comparison.diagnostics import finite, normal_scores
from gmmcompare.model.params import Array

FALSE_ALARM = 1e-6
"""Probability that honest chains of a comparison are called dependent, about."""
LEAST = 0.3
"""Correlations below are of little account, even if they are significant."""
BEYOND_CHANCE = 0.99
"""Correlation that innovations of honest chains cannot have, be they ever so few."""
ORDER = 10
"""Of the autoregression."""
FEWEST = 100
"""Draws with which two chains can be told apart."""
FEWEST_EFFECTIVE = 16.0
"""Innovations of about one size, of normal ones a third: so many do not match by chance."""
MOST_CHAINS = 12
"""Of an engine, that are looked at."""


@dataclass(frozen=True)
class Dependence:
    """Two chains (from 0) and the correlation of their innovations; ``b`` is ``shift`` draws late.

    The correlation is of those draws at which both chains are known.
    """

    a: int
    b: int
    correlation: float
    shift: int


def dependent_chains(functions: Sequence[Array]) -> list[Dependence]:
    """Return the pairs of chains of one engine that are not independent.

    Parameters
    ----------
    functions : sequence of ndarray, shape (chains, draws)
        Values of functions that do not depend on labels.
    """
    chains = min(len(functions[0]), MOST_CHAINS)
    whitened = [_Innovations.of(values, 2 * values.shape[1]) for values in functions]
    pairs = [(a, b) for a in range(chains) for b in range(a + 1, chains)]
    return _dependent(pairs, whitened, whitened)


def dependent_engines(a: Sequence[Array], b: Sequence[Array]) -> list[Dependence]:
    """Return pairs of a chain of one engine and a chain of another that are not independent.

    Parameters
    ----------
    a, b : sequence of ndarray, shapes (chains_a, draws_a) and (chains_b, draws_b)
        Values of the same functions, which do not depend on labels, in each engine.
    """
    size = a[0].shape[1] + b[0].shape[1]
    of_a, of_b = ([_Innovations.of(values, size) for values in of] for of in (a, b))
    pairs = [
        (i, j)
        for i in range(min(len(a[0]), MOST_CHAINS))
        for j in range(min(len(b[0]), MOST_CHAINS))
    ]
    return _dependent(pairs, of_a, of_b)


@dataclass(frozen=True)
class _Innovations:
    """What each chain's past does not tell of its scores, and their transforms for shifts.

    ``values`` has shape (chains, draws), of unit variance or all zero.
    """

    values: Array
    spectrum: NDArray[np.complex128]
    size: int

    @classmethod
    def of(cls, values: Array, size: int) -> _Innovations:
        """Whiten chains; ``size`` is at least the draws of two chains that are compared."""
        white = np.stack([_whitened(chain) for chain in normal_scores(finite(values))])
        size = next_fast_len(size)
        return cls(white, rfft(white, size), size)


def _whitened(x: Array) -> Array:
    n = x.size
    order = min(ORDER, n // 8)
    x = x - x.mean()
    if n < FEWEST or not x.any():
        return np.zeros(n - order)
    size = next_fast_len(2 * n)
    autocovariance = irfft(np.abs(rfft(x, size)) ** 2, size)[: order + 1] / n
    ridged = autocovariance[:-1].copy()
    ridged[0] *= 1.0 + 1e-9  # a chain that hardly moves is its own past
    past = solve_toeplitz(ridged, autocovariance[1:])
    left = np.convolve(x, np.concatenate([[1.0], -past]))[order:n]
    sd = left.std()
    return np.asarray((left - left.mean()) / sd if sd > 0 else np.zeros(left.size))


def _dependent(
    pairs: Sequence[tuple[int, int]], of_a: Sequence[_Innovations], of_b: Sequence[_Innovations]
) -> list[Dependence]:
    """Return each pair's strongest correlation in any function, where it is beyond chance."""
    found = []
    for i, j in pairs:
        each = (
            _strongest(i, j, x, y, len(pairs) * len(of_a)) for x, y in zip(of_a, of_b, strict=True)
        )
        strongest = max((d for d in each if d), key=lambda d: abs(d.correlation), default=None)
        found += [strongest] if strongest else []
    return found


def _strongest(
    i: int, j: int, of_a: _Innovations, of_b: _Innovations, n_pairs: int
) -> Dependence | None:
    """Return the strongest correlation of two chains at any shift, if it is beyond chance.

    Shifts leave a quarter of the shorter chain. Beyond chance is a self-normalised sum, standard
    normal of independent innovations or lighter in its tails (Efron 1969), beyond the quantile for
    all shifts and pairs; or, of few innovations, a correlation near one.
    """
    x, y = of_a.values[i], of_b.values[j]
    most = min(x.size, y.size)
    shifts = np.arange(-(x.size - most // 4), y.size - most // 4 + 1)
    common = _Common(shifts, x.size, y.size)
    products = irfft(of_b.spectrum[j] * np.conj(of_a.spectrum[i]), of_a.size)[shifts]
    energy = common.sums(x**2, y**2)
    r = products / np.sqrt(np.maximum(energy[0] * energy[1], 1e-300))
    if not (np.abs(r) > LEAST).any():
        return None
    fourth = common.sums(x**4, y**4)
    effective = np.minimum(
        *(e**2 / np.maximum(f, 1e-300) for e, f in zip(energy, fourth, strict=True))
    )
    squares = irfft(rfft(y**2, of_a.size) * np.conj(rfft(x**2, of_a.size)), of_a.size)[shifts]
    limit = -ndtri(FALSE_ALARM / (2.0 * n_pairs * r.size))
    score = np.abs(products) / np.sqrt(np.maximum(squares, 1e-300))
    sure = (effective > limit**2) & (np.abs(r) > LEAST) & (score > limit)
    sure |= (effective > FEWEST_EFFECTIVE) & (np.abs(r) > BEYOND_CHANCE)
    sure &= np.minimum(*energy) > 0.5 * common.draws  # else chains stand still there
    at = int(np.where(sure, np.abs(r), 0.0).argmax())
    return Dependence(i, j, float(r[at]), int(shifts[at])) if sure[at] else None


class _Common:
    """The draws that two chains have in common at every shift."""

    def __init__(self, shifts: NDArray[np.int64], of_x: int, of_y: int) -> None:
        self._x = np.maximum(0, -shifts), np.minimum(of_x, of_y - shifts)
        self._y = self._x[0] + shifts, self._x[1] + shifts
        self.draws = self._x[1] - self._x[0]

    def sums(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Return the sums over these draws of each chain's values."""
        return _between(x, *self._x), _between(y, *self._y)


def _between(x: Array, first: NDArray[np.int64], after: NDArray[np.int64]) -> Array:
    total = np.concatenate([[0.0], np.cumsum(x)])
    return np.asarray(total[after] - total[first])

"""Would the model make data like these? Counts in bins, observed and predicted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmmcompare.model import mixture
from gmmcompare.model.params import Array, Params
from gmmcompare.model.sample import Sample

MIN_BINS, MAX_BINS = 12, 80
LEVEL = 0.95
_DRAWS = 1000
_ERRORS = 50
"""Measurement errors, at even quantiles, of which expected counts are an average."""


@dataclass(frozen=True, eq=False)
class PredictiveCheck:
    """Histogram counts against those of replicated data sets.

    Attributes
    ----------
    edges : ndarray, shape (bins + 1,)
    observed : ndarray of int, shape (bins,)
    low, high : ndarray, shape (bins,)
        Between which 95 % of replicated counts lie, in each bin.
    p : float
        Posterior predictive p value (Gelman, Meng and Stern 1996) of the chi-squared discrepancy of
        the counts: the share of replicated data sets that fit the model worse than the data do.
    """

    edges: Array
    observed: NDArray[np.int64]
    low: Array
    high: Array
    p: float

    @property
    def n_outside(self) -> int:
        """Bins whose count is outside its interval; about one in twenty is expected."""
        return int(((self.observed < self.low) | (self.observed > self.high)).sum())


def bin_edges(sample: Sample) -> Array:
    """Return edges of as many equal bins as the square root of N, 12 to 80."""
    bins = int(np.clip(round(sample.n**0.5), MIN_BINS, MAX_BINS))
    return np.histogram_bin_edges(sample.values, bins)


def predictive_check(
    draws: Params, sample: Sample, edges: Array, rng: np.random.Generator
) -> PredictiveCheck:
    """Replicate the data's histogram from posterior draws.

    Parameters
    ----------
    draws : Params
        Arrays of shape (chains, draws, K).
    sample : Sample
    edges : ndarray, shape (bins + 1,)
        Of the histogram, ascending.
    rng : numpy.random.Generator
    """
    flat = Params(*(a.reshape(-1, draws.K) for a in draws))
    at = np.linspace(0, len(flat.w) - 1, min(_DRAWS, len(flat.w))).round().astype(np.int64)
    thinned = Params(*(a[at] for a in flat))
    prob = _bin_probabilities(thinned, sample, edges)
    if sample.errors is None:
        replicated = rng.multinomial(sample.n, prob)
    else:
        replicated = _measured_counts(thinned, sample, edges, rng)
    observed = np.histogram(sample.values, edges, weights=sample.counts)[0].round().astype(np.int64)
    everything = np.append(observed, sample.n - observed.sum())
    low, high = np.quantile(replicated[:, :-1], [0.5 - LEVEL / 2, 0.5 + LEVEL / 2], axis=0)
    worse = _discrepancy(replicated, sample.n * prob) >= _discrepancy(everything, sample.n * prob)
    return PredictiveCheck(edges, observed, low, high, float(worse.mean()))


def _bin_probabilities(draws: Params, sample: Sample, edges: Array) -> Array:
    """Return the probability of each bin, and last of none, (draws, bins + 1).

    Of an observation whose measurement error is drawn from those of the sample.
    """
    below = mixture.cdf(edges, draws)
    if sample.errors is not None:
        s = np.sort(np.repeat(sample.s, sample.counts))
        n = min(_ERRORS, s.size)
        some = s[((np.arange(n) + 0.5) / n * s.size).astype(int)]
        each = (mixture.cdf(edges, draws, np.full(edges.size, e)) for e in some)
        below = np.asarray(sum(each)) / n
    inside = np.diff(below, axis=1)
    outside = np.maximum(1.0 - inside.sum(axis=1, keepdims=True), 0.0)
    prob = np.concatenate([inside, outside], axis=1)
    return np.asarray(prob / prob.sum(axis=1, keepdims=True))


def _measured_counts(
    draws: Params, sample: Sample, edges: Array, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return counts of replicated data, measured with the errors of the sample, shape as above."""
    s = np.repeat(sample.s, sample.counts)
    counts = np.zeros((len(draws.w), edges.size), dtype=np.int64)
    for i, point in enumerate(zip(*draws, strict=True)):
        x, _ = mixture.simulate(Params(*point), sample.n, rng)
        counts[i, :-1] = np.histogram(x + s * rng.standard_normal(sample.n), edges)[0]
    counts[:, -1] = sample.n - counts.sum(axis=1)
    return counts


def _discrepancy(counts: NDArray[np.int64], expected: Array) -> Array:
    """Return a chi-squared distance that bins with next to no expectation do not dominate."""
    return np.asarray(((counts - expected) ** 2 / np.maximum(expected, 1.0)).sum(axis=-1))

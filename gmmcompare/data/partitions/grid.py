"""Data in partitions, seen as a sample on a fine grid that everything else can work on.

NUTS takes thousands of gradients, each over all data: a billion values are out of its reach, and of
every other comparison that looks at each value. So the values of a bin are replaced by two, whose
counts and places have the same mean and variance and, as nearly as whole counts allow, the same
third moment: a Gauss quadrature of two points (Golub and Welsch 1969). What that changes in a
log-likelihood is bounded, and the bound is printed; see `PartitionedSample.log_lik_error`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gmmcompare.data.partitions.pieces import Summary, weighted_sample
from gmmcompare.model.params import Array, Params
from gmmcompare.model.sample import Sample, Standardisation
from gmmcompare.runtime.tasks import Held

DRAWS_CHECKED = 100
"""The error is bounded at so many draws, spread evenly over all."""


class Bins(NamedTuple):
    """Moments of the values in each bin that has some.

    ``number`` (B,) counts bins from zero; ``moments[p]`` (B,) is the sum of d**p for p = 0, ..., 4,
    d the distance from the bin's middle in units of its width; bin i covers the values from i to
    i + 1 widths.
    """

    number: NDArray[np.int64]
    moments: Array


def bin_values(v: Array, c: NDArray[np.integer], width: float) -> Bins:
    """Sort values into bins, and sum their moments about the bins' middles.

    Parameters
    ----------
    v : ndarray, shape (D,)
        Values, in any order.
    c : ndarray of int, shape (D,)
        How often each occurs.
    width : float
        Of a bin, in the units of ``v``; zero is a bin's edge.

    Returns
    -------
    Bins
    """
    at = np.floor(v / width).astype(np.int64)
    d = v / width - at - 0.5
    return _gathered(at, np.stack([c * d**p for p in range(5)]))


def add_bins(parts: Sequence[Bins]) -> Bins:
    """Add the moments of partitions, in the order given."""
    numbers = np.concatenate([p.number for p in parts])
    return _gathered(numbers, np.concatenate([p.moments for p in parts], axis=1))


def _gathered(at: NDArray[np.int64], moments: Array) -> Bins:
    number, where = np.unique(at, return_inverse=True)
    sums = [np.bincount(where, weights=m, minlength=number.size) for m in moments]
    return Bins(number, np.stack(sums))


class Nodes(NamedTuple):
    """What stands for the values of the bins.

    Attributes
    ----------
    values : ndarray, shape (M,)
    counts : ndarray of int, shape (M,)
    middle : ndarray, shape (B,)
        The bins' middles.
    third : ndarray, shape (B,)
        By how much the sums of cubed distances from the bin's mean differ.
    fourth : ndarray, shape (B,)
        Fourth powers of distances from the bin's mean, summed over its values and its nodes.
    """

    values: Array
    counts: NDArray[np.int64]
    middle: Array
    third: Array
    fourth: Array


def quadrature(bins: Bins, width: float) -> Nodes:
    """Replace the values of each bin by two, or by one where they are equal."""
    n, s1, s2, s3, s4 = bins.moments
    mean = s1 / n
    variance = np.maximum(s2 / n - mean**2, 0.0)
    cubes = s3 / n - 3.0 * mean * s2 / n + 2.0 * mean**3
    fourths = s4 / n - 4.0 * mean * s3 / n + 6.0 * mean**2 * s2 / n - 3.0 * mean**4
    is_single = (n < 2) | (variance < 1e-14)  # what rounding leaves of a variance of zero
    sd = np.where(is_single, 1.0, np.sqrt(variance))
    skew = cubes / sd**3
    # The two points of a distribution with mean 0, variance 1 and this skewness.
    upper = np.clip(np.round(n * 0.5 * (1.0 - skew / np.hypot(skew, 2.0))), 1, np.maximum(n - 1, 1))
    lower = np.maximum(n - upper, 1)
    low, high = -np.sqrt(upper / lower) * sd, np.sqrt(lower / upper) * sd
    middle = np.asarray(bins.number + 0.5, dtype=float)
    two, one = ~is_single, is_single
    values = np.concatenate(
        [(middle + mean)[one], (middle + mean + low)[two], (middle + mean + high)[two]]
    )
    counts = np.concatenate([n[one], lower[two], upper[two]])
    third = np.where(two, np.abs(n * cubes - lower * low**3 - upper * high**3), 0.0)
    fourth = np.where(two, n * np.maximum(fourths, 0.0) + lower * low**4 + upper * high**4, 0.0)
    return Nodes(
        values * width, counts.astype(np.int64), middle * width, third * width**3, fourth * width**4
    )


def log_density_derivatives(y: Array, radius: float, params: Params) -> tuple[Array, Array]:
    """Bound the third and fourth derivatives of the log density within ``radius`` of each y.

    With v_k the difference of component k's log joint density from that of the likeliest component
    j at y, log p = q_j + log sum exp v_k, and q_j and all v_k are quadratic: only the second term
    has higher derivatives. They are polynomials in E[v'^a v''^b] under the responsibilities, all of
    which are bounded over the interval, since v_k' is linear there and r_k <= min(1, exp v_k).

    Parameters
    ----------
    y : ndarray, shape (B,)
    radius : float
    params : Params
        One point, arrays (K,).

    Returns
    -------
    tuple of two ndarrays, shape (B,)
    """
    w, mu, sigma = params
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        t = (y[:, None] - mu) / sigma
        joint = np.log(w) - np.log(sigma) - 0.5 * t**2
        slope, bend = -t / sigma, -1.0 / sigma**2
        best = joint.argmax(axis=1)[:, None]
        second = np.abs(bend - bend[best])
        first = np.abs(slope - np.take_along_axis(slope, best, axis=1))
        v = joint - np.take_along_axis(joint, best, axis=1)
        v = v + first * radius + 0.5 * second * radius**2
        first = first + second * radius
        r = np.where(np.arange(w.size) == best, 0.0, np.exp(np.minimum(v, 0.0)))
        powers = (
            first,
            first**2 + second,
            first**3 + 3.0 * first * second,
            first**4 + 6.0 * first**2 * second + 3.0 * second**2,
        )
        a1, a2, a3, a4 = (np.where(r > 0.0, r * p, 0.0).sum(axis=1) for p in powers)
        return (
            a3 + 3.0 * a2 * a1 + 2.0 * a1**3,
            a4 + 4.0 * a3 * a1 + 3.0 * a2**2 + 12.0 * a2 * a1**2 + 6.0 * a1**4,
        )


@dataclass(frozen=True, eq=False)
class PartitionedSample(Sample):
    """A grid of values and counts, and the partitions that it stands for.

    As a `Sample` it is the grid, in the units of the data; its size n, mean and standard deviation
    are those of all values.

    Attributes
    ----------
    partitions : Held
        Each a `Layout` in the units of ``summary.unit``.
    summary : Summary
        Of all values.
    width : float
        Of the grid's bins, in the units of ``summary.unit``.
    nodes : Nodes
        The grid in those units.
    """

    partitions: Held = field(kw_only=True)
    summary: Summary = field(kw_only=True)
    width: float = field(kw_only=True)
    nodes: Nodes = field(kw_only=True)

    @property
    def unit(self) -> Standardisation:
        """The units in which the partitions are held."""
        return self.summary.unit

    @property
    def limits(self) -> tuple[float, float]:
        """Smallest and largest of all values, in the units of the partitions."""
        return self.unit.of_value(self.summary.low), self.unit.of_value(self.summary.high)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all values, partition by partition."""
        return self.summary.sha256

    def log_lik_error(self, params: Params) -> float:
        """Bound the error of the grid's log-likelihood at one point, arrays of shape (K,).

        By Taylor's theorem about the mean of each bin: there the terms of order 0 to 2 are exact.
        """
        unit = self.unit
        here = Params(params.w, (params.mu - unit.shift) / unit.scale, params.sigma / unit.scale)
        # Nodes may lie a little outside their bin, but not by half its width.
        third, fourth = log_density_derivatives(self.nodes.middle, self.width, here)
        with np.errstate(invalid="ignore"):
            cubes = np.where(self.nodes.third > 0.0, self.nodes.third * third, 0.0)
            fourths = np.where(self.nodes.fourth > 0.0, self.nodes.fourth * fourth, 0.0)
        return float(cubes.sum() / 6.0 + fourths.sum() / 24.0)

    def remarks(self, params: Params) -> tuple[str, ...]:
        """Say how far the grid's log-likelihoods are from those of all values, at these draws."""
        flat = Params(*(a.reshape(-1, params.K) for a in params))
        chosen = np.unique(np.linspace(0, len(flat.w) - 1, DRAWS_CHECKED).astype(int))
        worst = max(self.log_lik_error(Params(*(a[i] for a in flat))) for i in chosen)
        return (
            f"log-likelihoods, and engines such as NUTS that cannot go through {self.n:,} values "
            f"thousands of times, use a grid of {self.n_distinct:,} points that stand for them; "
            f"that changes a log-likelihood by {worst:.2g} at most",
        )


def grid_sample(bins: Bins, width: float, partitions: Held, summary: Summary) -> PartitionedSample:
    """Return the sample that stands for partitions, on the grid of their bins.

    Parameters
    ----------
    bins : Bins
        Of the values of all partitions, in the units of ``summary.unit``.
    width : float
        Of a bin, in the same units.
    partitions : Held
        The partitions, each a `Layout` in the same units.
    summary : Summary
        Of all values, in the units of the data.

    Returns
    -------
    PartitionedSample
        In the units of the data.
    """
    nodes = quadrature(bins, width)
    unit = summary.unit
    on_grid = weighted_sample(nodes.values * unit.scale + unit.shift, nodes.counts)
    return PartitionedSample(
        on_grid.values,
        on_grid.counts,
        partitions=partitions,
        summary=summary,
        width=width,
        nodes=nodes,
    )

"""Which component each observation belongs to, by every engine, and whether engines agree on it.

An engine's answer is the allocation probability P(z_i = k | y): the responsibilities, averaged over
its aligned draws (one draw's, or those of the posterior mean, would understate the doubt); a point
estimate has its own responsibilities. Tied observations share them, so all work is done once for
each distinct value.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from gmmcompare.comparison.compiled import add_responsibilities, add_true_moments
from gmmcompare.model.mixture import responsibilities
from gmmcompare.model.params import Array, Params
from gmmcompare.model.sample import Key, Sample

if TYPE_CHECKING:
    import pandas as pd

Names = Mapping[Key, Sequence[str]]
"""Names of the observations at a value; where there are errors, at a value and its error."""

CERTAIN = 0.9
"""An observation belongs to a component, rather than between two, from this probability on."""
EVALUATIONS = 50_000_000
"""Values times draws that are averaged at most; beyond, draws are thinned evenly."""
EVALUATIONS_OF_TRUTH = 10_000_000
"""Likewise for the means and sds of true values."""
FEWEST_DRAWS = 200
"""But not to fewer: where there are so many values, the posterior leaves little to average."""
GRID = np.linspace(0.05, 0.95, 19)
"""Data quantiles whose observations are paired in the co-clustering table."""
GRID_DRAWS = 2000
SHOWN_VALUES = 4
SHOWN_NAMES = 3


@dataclass(frozen=True, eq=False)
class Allocation:
    """One engine's allocation probabilities.

    Attributes
    ----------
    probability : ndarray, shape (D, K)
        At each distinct value; rows sum to one.
    counts : ndarray, shape (D,)
        Observations at each value.
    n_draws : int
        Draws that were averaged, evenly thinned from ``n_available``.
    n_available : int
    true_mean, true_sd : ndarray, shape (D,), or None
        Of the true value of each observation, where it was measured with an error.
    """

    probability: Array
    counts: NDArray[np.integer]
    n_draws: int
    n_available: int
    true_mean: Array | None = None
    true_sd: Array | None = None

    @cached_property
    def modal(self) -> NDArray[np.intp]:
        """Most probable component (from 0) of each distinct value, shape (D,)."""
        return np.asarray(self.probability.argmax(axis=1))

    @cached_property
    def entropy(self) -> Array:
        """Entropy of each value's probabilities in nats, shape (D,): 0 is certain, log K open."""
        return np.asarray(-xlogy(self.probability, self.probability).sum(axis=1) + 0.0)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Observations whose modal allocation is each component, shape (K,)."""
        found = np.bincount(self.modal, weights=self.counts, minlength=self.probability.shape[1])
        return found.astype(np.int64)

    @property
    def share_certain(self) -> float:
        """Share of observations that belong to a component with probability `CERTAIN` or more."""
        certain = self.probability.max(axis=1) >= CERTAIN
        return float(self.counts[certain].sum() / self.counts.sum())


def allocate(aligned: Params, sample: Sample) -> Allocation:
    """Average responsibilities over aligned draws, at every distinct value.

    Parameters
    ----------
    aligned : Params
        Arrays of shape (chains, draws, K); a point has one chain of one draw.
    sample : Sample

    Returns
    -------
    Allocation
        From all draws, or, where values times draws exceed `EVALUATIONS`, from as many as fit,
        evenly thinned from all chains.
    """
    K, D = aligned.K, sample.n_distinct
    flat = [np.asarray(a, dtype=float).reshape(-1, K) for a in aligned]
    available = len(flat[0])
    most = max(FEWEST_DRAWS, EVALUATIONS // D)
    w, mu, sigma = (np.ascontiguousarray(a[:: -(-available // most)]) for a in flat)
    total, moments = np.zeros((K, D)), np.zeros((2, D))
    fewer = max(1, -(-len(w) * D // EVALUATIONS_OF_TRUTH)) if len(w) > FEWEST_DRAWS else 1
    some = [np.ascontiguousarray(a[::fewer]) for a in (w, mu, sigma)]
    # Pieces of values, not of draws: sums then do not depend on the number of threads.
    edges = np.linspace(0, D, min(D, os.cpu_count() or 1) + 1).astype(int)
    with ThreadPoolExecutor(edges.size - 1) as pool:
        running = []
        for a, b in pairwise(edges.tolist()):
            values, errors = sample.values[a:b], sample.s[a:b]
            running.append(
                pool.submit(add_responsibilities, values, errors, w, mu, sigma, total[:, a:b])
            )
            if sample.errors is not None:
                running.append(
                    pool.submit(add_true_moments, values, errors, *some, *moments[:, a:b])
                )
        for piece in running:
            piece.result()
    total /= total.sum(axis=0)
    if sample.errors is None:
        return Allocation(total.T, sample.counts, len(w), available)
    moved, squares = moments / len(some[0])
    true_sd = np.sqrt(np.maximum(squares - moved**2, 0.0))
    return Allocation(total.T, sample.counts, len(w), available, sample.values + moved, true_sd)


def coclustering(aligned: Params, points: Array, errors: Array | None = None) -> Array:
    """Return P(z_i = z_j | y) for two observations at each pair of points, shape (n, n).

    Free of labels: whatever components are called, two observations share one or do not. Averaged
    over at most `GRID_DRAWS` draws; given a draw, allocations are independent.

    Parameters
    ----------
    aligned : Params
        Arrays of shape (chains, draws, K).
    points : ndarray, shape (n,)
    errors : ndarray, shape (n,), optional
        Sds of their measurement errors.
    """
    flat = Params(*(np.asarray(a).reshape(-1, aligned.K) for a in aligned))
    step = -(-len(flat.w) // GRID_DRAWS)
    r = responsibilities(points, Params(*(a[::step] for a in flat)), errors)
    return np.asarray(np.einsum("mik,mjk->ij", r, r, optimize=True) / len(r))


def contingency(a: Allocation, b: Allocation) -> Array:
    """Count observations by their modes in two engines, shape (K, K)."""
    table = np.zeros((a.probability.shape[1], b.probability.shape[1]))
    np.add.at(table, (a.modal, b.modal), a.counts)
    return table


def adjusted_rand(table: Array) -> float:
    """Return the adjusted Rand index of two clusterings from their contingency table.

    1 where they are the same but for labels, 0 on average for clusterings that have nothing to do
    with each other (Hubert and Arabie 1985, equation 5).
    """
    pairs, rows, columns, everything = (
        float((n * (n - 1) / 2).sum())
        for n in (table, table.sum(axis=1), table.sum(axis=0), table.sum())
    )
    by_chance = rows * columns / everything if everything else 0.0
    largest = (rows + columns) / 2
    return 1.0 if largest == by_chance else (pairs - by_chance) / (largest - by_chance)


@dataclass(frozen=True)
class Alike:
    """How far two engines' clusterings agree: by pairs of observations, and by each one's mode."""

    a: str
    b: str
    adjusted_rand: float
    same_mode: float


@dataclass(frozen=True)
class Doubtful:
    """A value between two components: how many observations have it, which, and how open it is.

    ``error`` is the sd of its measurement error, where there are errors.
    """

    value: float
    n: int
    names: tuple[str, ...]
    probability: tuple[float, ...]
    entropy: float
    error: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return its fields for JSON; no error where there are none."""
        return {k: v for k, v in vars(self).items() if k != "error" or v is not None}


@dataclass(frozen=True)
class Between:
    """Observations between two components (from 0): those whose mode is not `CERTAIN`.

    ``worst`` are the most doubtful values, in descending order of entropy. Ties are one value, so
    that they do not crowd out others.
    """

    components: tuple[int, int]
    n: int
    worst: tuple[Doubtful, ...]


def between_components(
    allocation: Allocation, values: Array, names: Names, errors: Array | None = None
) -> list[Between]:
    """Group doubtful values by their two most probable components, most observations first.

    Parameters
    ----------
    allocation : Allocation
    values : ndarray, shape (D,)
        The distinct values that were allocated.
    names : mapping
        Names of the observations at each value, where known.
    errors : ndarray, shape (D,), optional
        Sds of the values' measurement errors.
    """
    p = allocation.probability
    if p.shape[1] < 2:
        return []
    doubtful = np.flatnonzero(p.max(axis=1) < CERTAIN)
    two = np.sort(np.argsort(-p[doubtful], axis=1, kind="stable")[:, :2], axis=1)
    found = []
    for pair in np.unique(two, axis=0):
        at = doubtful[(two == pair).all(axis=1)]
        worst = at[np.argsort(-allocation.entropy[at], kind="stable")[:SHOWN_VALUES]]
        found.append(
            Between(
                components=(int(pair[0]), int(pair[1])),
                n=int(allocation.counts[at].sum()),
                worst=tuple(_doubtful(allocation, values, errors, int(i), names) for i in worst),
            )
        )
    return sorted(found, key=lambda group: -group.n)


def _doubtful(
    allocation: Allocation, values: Array, errors: Array | None, i: int, names: Names
) -> Doubtful:
    value, error = float(values[i]), None if errors is None else float(errors[i])
    return Doubtful(
        value,
        int(allocation.counts[i]),
        tuple(names.get(value if error is None else (value, error), ())[:SHOWN_NAMES]),
        tuple(allocation.probability[i].tolist()),
        float(allocation.entropy[i]),
        error,
    )


@dataclass(frozen=True, eq=False)
class Clustering:
    """The clusterings of several engines of one problem, components numbered alike.

    Attributes
    ----------
    sample : Sample
    allocations : dict of str to Allocation
        By engine.
    coclustering : dict of str to ndarray, shape (19, 19)
        P(z_i = z_j | y) for observations at the data quantiles `GRID`, by engine.
    chosen : str
        The engine whose clustering is drawn and listed: the first that draws, else the first.
    names : dict of float to sequence of str
        Names of the observations at each value, where known.
    """

    sample: Sample
    allocations: Mapping[str, Allocation]
    coclustering: Mapping[str, Array]
    chosen: str
    names: Names = field(default_factory=dict)

    @classmethod
    def of(
        cls, aligned: Mapping[str, Params], sample: Sample, chosen: str, names: Names
    ) -> Clustering:
        """Cluster by every engine's aligned draws.

        Parameters
        ----------
        aligned : mapping of str to Params
            Arrays of shape (chains, draws, K), by engine.
        sample : Sample
        chosen : str
            The engine whose clustering is drawn and listed.
        names : mapping of float to sequence of str
            Names of the observations at each value, where known.
        """
        some = sample.part(sample.places(GRID))
        at = some.values, some.errors
        return cls(
            sample,
            {name: allocate(draws, sample) for name, draws in aligned.items()},
            {name: coclustering(draws, *at) for name, draws in aligned.items()},
            chosen,
            names,
        )

    @cached_property
    def alike(self) -> tuple[Alike, ...]:
        """Agreement of each pair of engines."""
        found = []
        for (a, first), (b, second) in combinations(self.allocations.items(), 2):
            table = contingency(first, second)
            same = float(np.trace(table) / table.sum())
            found.append(Alike(a, b, adjusted_rand(table), same))
        return tuple(found)

    @cached_property
    def between(self) -> list[Between]:
        """The most doubtful observations of the chosen engine, by pair of components."""
        return between_components(
            self.allocations[self.chosen], self.sample.values, self.names, self.sample.errors
        )

    def table(self) -> pd.DataFrame:
        """Return probabilities, mode and entropy of every engine at each distinct value.

        Returns
        -------
        pandas.DataFrame
            Index ``value``; for every engine columns such as ``gibbs_p1`` to ``gibbs_p3``,
            ``gibbs_mode`` (1 to K) and ``gibbs_entropy`` (nats). Where there are errors, first
            ``error``, and ``gibbs_true_mean`` and ``gibbs_true_sd`` of the true value.
        """
        import pandas as pd

        columns: dict[str, Any] = {}
        if self.sample.errors is not None:
            columns["error"] = self.sample.errors
        for name, found in self.allocations.items():
            for k, column in enumerate(found.probability.T):
                columns[f"{name}_p{k + 1}"] = column
            columns[f"{name}_mode"] = found.modal + 1
            columns[f"{name}_entropy"] = found.entropy
            if found.true_mean is not None:
                columns[f"{name}_true_mean"] = found.true_mean
                columns[f"{name}_true_sd"] = found.true_sd
        return pd.DataFrame(columns, index=pd.Index(self.sample.values, name="value"))

    def to_dict(self) -> dict[str, Any]:
        """Return the entry ``clustering`` of ``comparison.json``; components count from 1."""
        return {
            "engines": {
                name: {
                    "sizes": found.sizes.tolist(),
                    "share_certain": found.share_certain,
                    "draws_averaged": found.n_draws,
                }
                for name, found in self.allocations.items()
            },
            "pairs": [vars(pair) for pair in self.alike],
            "coclustering": {
                "quantiles": GRID.round(10).tolist(),
                "values": self.sample.quantiles(GRID).tolist(),
                "probability": {name: p.tolist() for name, p in self.coclustering.items()},
            },
            "between": {
                "engine": self.chosen,
                "threshold": CERTAIN,
                "groups": [
                    {
                        "components": [k + 1 for k in group.components],
                        "n": group.n,
                        "worst": [one.to_dict() for one in group.worst],
                    }
                    for group in self.between
                ],
            },
        }


def names_in(entry: Mapping[str, Any]) -> dict[Key, tuple[str, ...]]:
    """Return the names that an entry ``clustering`` of ``comparison.json`` mentions, by value."""
    groups = entry["between"]["groups"] if entry else ()
    every = [one for group in groups for one in group["worst"]]
    return {
        (one["value"], one["error"]) if "error" in one else one["value"]: tuple(one["names"])
        for one in every
    }

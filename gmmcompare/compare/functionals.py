"""What two engines are compared on: functions of a draw, and bounded statistics of them.

Label-free functions come first; parameters of aligned components follow. Raw moments of sigma need
not exist under nearly improper priors, so every comparison is of bounded or rank-based statistics.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata

from gmmcompare import mixture
from gmmcompare.params import Array, Params
from gmmcompare.sample import Sample

DATA_QUANTILES = np.linspace(0.1, 0.9, 9)
PAIRS = ((0.1, 0.5), (0.5, 0.9), (0.75, 0.95))
"""Pairs of data quantiles whose observations may share a component."""
POOLED_QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
STATISTICS = ("location", "spread", *(f"below q{q:g}" for q in POOLED_QUANTILES))


@dataclass(frozen=True)
class Functional:
    """Its name, and its value at every draw, shape (chains, draws)."""

    name: str
    values: Array
    label_free: bool


def functionals(aligned: Params, log_lik: Array, sample: Sample) -> list[Functional]:
    """Evaluate all functions at aligned draws.

    Parameters
    ----------
    aligned : Params
        Arrays of shape (chains, draws, K).
    log_lik : ndarray, shape (chains, draws)
    sample : Sample

    Returns
    -------
    list of Functional
    """
    K = aligned.K
    at = sample.quantiles(DATA_QUANTILES)
    free: dict[str, Array] = {"log_lik": log_lik, "mean": mixture.mean(aligned)}
    density, below = mixture.log_density(at, aligned), mixture.cdf(at, aligned)
    for i, q in enumerate(DATA_QUANTILES.tolist()):
        free[f"log_density[q{q:.2g}]"] = density[..., i]
        free[f"cdf[q{q:.2g}]"] = below[..., i]
    ordered = np.sort(aligned.w, axis=-1)[..., ::-1]
    for k in range(K):
        free[f"sorted_w[{k + 1}]"] = ordered[..., k]
    for p, q in PAIRS:
        r = mixture.responsibilities(sample.quantiles([p, q]), aligned)
        free[f"together[q{p:g},q{q:g}]"] = (r[..., 0, :] * r[..., 1, :]).sum(-1)
    labelled: dict[str, Array] = {}
    with np.errstate(divide="ignore"):
        log_sigma = np.log(aligned.sigma)
    for name, values in (("w", aligned.w), ("mu", aligned.mu), ("log_sigma", log_sigma)):
        labelled.update({f"{name}[{k + 1}]": values[..., k] for k in range(K)})
    return [
        *(Functional(name, values, True) for name, values in free.items()),
        *(Functional(name, values, False) for name, values in labelled.items()),
    ]


def bounded_statistics(a: Array, b: Array) -> tuple[Array, Array] | None:
    """Turn one function's values in two engines into nine statistics each.

    The normal score of the pooled rank, its absolute value, and indicators at pooled quantiles; all
    in units of their pooled standard deviation.

    Parameters
    ----------
    a, b : ndarray, shapes (chains_a, draws_a) and (chains_b, draws_b)

    Returns
    -------
    tuple of ndarray or None
        Shapes (9, chains_a, draws_a) and (9, chains_b, draws_b); None where all values are equal.
    """
    pooled = np.concatenate([a.ravel(), b.ravel()])
    if not pooled.min() < pooled.max():
        return None
    score = ndtri((rankdata(pooled) - 0.5) / pooled.size)
    rows = [score, np.abs(score)]
    rows.extend((pooled <= np.quantile(pooled, q, method="lower")) * 1.0 for q in POOLED_QUANTILES)
    table = np.stack(rows)
    sd = table.std(axis=1, keepdims=True)
    table /= np.where(sd > 0, sd, 1.0)
    split = a.size
    return table[:, :split].reshape(-1, *a.shape), table[:, split:].reshape(-1, *b.shape)


def as_mapping(found: list[Functional]) -> Mapping[str, Array]:
    """Return values by name."""
    return {f.name: f.values for f in found}

"""What engines are compared on: functions of a draw.

Label-free functions come first; parameters of aligned components follow. Raw moments of sigma need
not exist under nearly improper priors, so nothing here is averaged: `equality` compares bounded
statistics of these values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmmcompare.comparison.compiled import evaluate
from gmmcompare.model import mixture
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample

DATA_QUANTILES = np.linspace(0.1, 0.9, 9)
PAIRS = ((0.1, 0.5), (0.5, 0.9), (0.75, 0.95))
"""Pairs of data quantiles whose observations may share a component."""
POOLED_QUANTILES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
STATISTICS = ("location", "spread", *(f"below q{q:g}" for q in POOLED_QUANTILES))
"""Of each function: normal score of the pooled rank, its absolute value, and indicators at pooled
quantiles. All are bounded, so that no moment has to exist; see `equality`."""


MOST_PAIRS = 800
"""Of parameters whose dependence is compared: all pairs of 40 of them."""


@dataclass(frozen=True)
class Functional:
    """Its name, and its value at every draw, shape (chains, draws).

    ``label_free`` says whether it does not depend on labels, ``is_parameter`` whether it is a
    parameter: the dependence of these, two by two, is compared as well.
    """

    name: str
    values: Array
    label_free: bool
    is_parameter: bool = False


def functionals(
    aligned: Params, log_lik: Array, sample: Sample, priors: Priors | None = None
) -> list[Functional]:
    """Evaluate all functions at aligned draws.

    Parameters
    ----------
    aligned : Params
        Arrays of shape (chains, draws, K).
    log_lik : ndarray, shape (chains, draws)
    sample : Sample
    priors : Priors, optional
        By default the same for all components.

    Returns
    -------
    list of Functional
        Log-likelihood, mixture mean, log density and distribution function at nine quantiles of
        the data, sorted weights, co-clustering of three pairs; then w, mu and log sigma of each
        component; and the log prior density, where priors tell components apart. What is known is
        left out, as it never moves, and an sd that is shared counts once.
    """
    priors = priors or Priors()
    free = {"log_lik": log_lik, "mean": mixture.mean(aligned), **of_the_mixture(aligned, sample)}
    if priors.free_weights:
        ordered = np.sort(aligned.w, axis=-1)[..., ::-1]
        free.update({f"sorted_w[{k + 1}]": ordered[..., k] for k in range(aligned.K)})
    labelled: dict[str, Array] = {}
    for name, values, n_free in (
        ("w", aligned.w, aligned.K * priors.free_weights),
        ("mu", aligned.mu, aligned.K),
        ("log_sigma", np.log(aligned.sigma), priors.free_sds(aligned.K).shape[1]),
    ):
        labelled.update({f"{name}[{k + 1}]": values[..., k] for k in range(n_free)})
    found = [
        *(Functional(name, values, True) for name, values in free.items()),
        *(Functional(name, values, False, True) for name, values in labelled.items()),
    ]
    if not priors.exchangeable:
        found.append(Functional("log_prior", priors.log_density(aligned), False))
    return found


def pairs_of(n: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return which of n parameters are compared two by two: all, or of many a fixed part.

    That part holds every parameter with its neighbour and with others at random (always the same),
    `MOST_PAIRS` in all or one for each parameter.
    """
    first, second = np.triu_indices(n, 1)
    if first.size <= MOST_PAIRS:
        return first, second
    rng = np.random.default_rng(0)
    chosen = {(i, i + 1) for i in range(n - 1)}
    while len(chosen) < max(MOST_PAIRS, n):
        i, j = sorted(rng.choice(n, size=2, replace=False).tolist())
        chosen.add((i, j))
    found = np.array(sorted(chosen), dtype=np.intp)
    return found[:, 0], found[:, 1]


def of_the_mixture(aligned: Params, sample: Sample) -> dict[str, Array]:
    """Evaluate what needs densities, by name, each of shape (chains, draws)."""
    at, shared = sample.quantiles(DATA_QUANTILES), sample.places(np.ravel(PAIRS))
    points = np.concatenate([at, sample.values[shared]])
    # The density is that of true values; two observations share a component, errors and all.
    errors = sample.s if sample.errors is None else np.r_[np.zeros(at.size), sample.s[shared]]
    pairs = at.size + np.arange(2 * len(PAIRS)).reshape(-1, 2)
    flat = (np.ascontiguousarray(a, dtype=float).reshape(-1, aligned.K) for a in aligned)
    rows = evaluate(points, errors, at.size, pairs, *flat).reshape(-1, *aligned.w.shape[:2])
    quantiles = [f"q{q:.2g}" for q in DATA_QUANTILES.tolist()]
    names = [
        *(f"log_density[{q}]" for q in quantiles),
        *(f"cdf[{q}]" for q in quantiles),
        *(f"coclustering[q{p:g},q{q:g}]" for p, q in PAIRS),
    ]
    return dict(zip(names, rows, strict=True))


def as_mapping(found: Sequence[Functional]) -> Mapping[str, Array]:
    """Return values by name."""
    return {f.name: f.values for f in found}

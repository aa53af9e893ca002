"""Draws of a mixture of which only the draws are known: aligned, and compared as a mixture's.

The data, on which labels are aligned and densities compared, are stood in for by draws from the
posterior predictive distribution; so there is no log-likelihood, and modes are not told by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gmmcompare.comparison.evidence import MAX_DRAWS, Evidence
from gmmcompare.comparison.functionals import functionals
from gmmcompare.comparison.general import GeneralDraws
from gmmcompare.comparison.labels import Reference, align
from gmmcompare.engines.check import copied_chains
from gmmcompare.model.mixture import log_likelihood
from gmmcompare.model.params import Array, Params
from gmmcompare.model.sample import Sample

_STAND_IN = 500
_ON_SIMPLEX = 1e-4
_TRIED = 200


def are_mixtures(everyone: Sequence[GeneralDraws]) -> bool:
    """Whether all draws are of w, mu and sigma of one mixture of normals."""
    if any(not set(Params._fields) <= set(d.arrays) for d in everyone):
        return False
    shapes = {d.arrays[name].shape[2:] for d in everyone for name in Params._fields}
    if len(shapes) != 1 or len(next(iter(shapes))) != 1:
        return False
    return all(
        bool(np.abs(d.arrays["w"].sum(axis=2) - 1.0).max() < _ON_SIMPLEX)
        and bool((d.arrays["sigma"] > 0).all())
        for d in everyone
    )


def aligned_mixtures(
    everyone: Sequence[GeneralDraws],
) -> tuple[list[GeneralDraws], list[Evidence]]:
    """Return draws with their components aligned, and what is compared of them.

    Parameters
    ----------
    everyone : sequence of GeneralDraws
        Draws for which `are_mixtures` holds.
    """
    raw = [Params(*(np.ascontiguousarray(d.arrays[n]) for n in Params._fields)) for d in everyone]
    sample = _stand_in(raw)
    reference = Reference.of(_likeliest(raw, sample), sample)
    params = [align(p, reference).params for p in raw]
    aligned = [
        replace(d, arrays={**d.arrays, **p._asdict()})
        for d, p in zip(everyone, params, strict=True)
    ]
    evidence = [
        _evidence(d, p, before, sample) for d, p, before in zip(everyone, params, raw, strict=True)
    ]
    return aligned, evidence


def _stand_in(raw: Sequence[Params]) -> Sample:
    """Draw from the mixtures of all engines, as many from each."""
    rng = np.random.default_rng(0)
    y: list[Array] = []
    for params in raw:
        flat = Params(*(a.reshape(-1, a.shape[-1]) for a in params))
        rows = rng.integers(len(flat.w), size=_STAND_IN)
        passed = rng.random((_STAND_IN, 1)) > np.cumsum(flat.w[rows], axis=1)[:, :-1]
        k = passed.sum(axis=1)
        y.append(rng.normal(flat.mu[rows, k], flat.sigma[rows, k]))
    return Sample.of(np.concatenate(y))


def _likeliest(raw: Sequence[Params], sample: Sample) -> Params:
    """Return the draw, of a few, that describes the stand-in best."""
    few = [
        Params(*(a.reshape(-1, a.shape[-1])[:: max(1, a[..., 0].size // _TRIED)] for a in params))
        for params in raw
    ]
    pooled = Params(*(np.concatenate(arrays) for arrays in zip(*few, strict=True)))
    best = int(np.argmax(log_likelihood(sample, pooled)))
    return Params(*(a[best] for a in pooled))


def _evidence(draws: GeneralDraws, aligned: Params, raw: Params, sample: Sample) -> Evidence:
    step = -(-aligned.w[..., 0].size // MAX_DRAWS)
    thinned = Params(*(a[:, ::step] for a in aligned))
    nothing = np.zeros(thinned.w.shape[:2])
    found = [f for f in functionals(thinned, nothing, sample) if f.name != "log_lik"]
    return Evidence(
        draws.name,
        tuple(found),
        log_lik=None,
        prob_small=None,
        divergences=draws.divergences,
        copies=tuple(copied_chains(raw)),
    )

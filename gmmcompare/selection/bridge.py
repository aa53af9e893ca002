"""Bridge sampling: a normalising constant from draws of two densities.

Meng and Wong (1996): for any function h and a normalised density q,
``Z = E_q[h p] / E_{p/Z}[h q]``, p the density without its constant Z. The variance is least for
``h = 1 / (n_p p / Z + n_q q)``, which has Z in it; so it is iterated. Unlike importance sampling it
stays finite where q has lighter tails than p.

Chains of a sampler may sit in modes between which they do not move: then their share of the draws
says nothing of the modes' share of the posterior. So the space is cut into regions, each with its
own Z_m from the draws that fell into it, and Z is the sum; only the draws *within* a region have to
be the posterior's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from arviz_stats.base import array_stats
from numpy.typing import NDArray
from scipy.special import logsumexp

from gmmcompare.model.params import Array

_ITERATIONS = 10_000
_TOLERANCE = 1e-10

Regions = NDArray[np.int64]


@dataclass(frozen=True)
class Bridge:
    """A log normalising constant.

    Attributes
    ----------
    log_z : float
    se : float
        Standard error of ``log_z`` (Fruehwirth-Schnatter 2004, eq. 17): both sums' errors by the
        delta method, the posterior draws' with their autocorrelation and between chains.
    shares : ndarray, shape (regions,)
        Each region's share of the constant.
    shares_se : ndarray, shape (regions,)
        Standard errors of their logarithms.
    """

    log_z: float
    se: float
    shares: Array
    shares_se: Array


def bridge(log_ratio_p: Array, region_p: Regions, log_ratio_q: Array, region_q: Regions) -> Bridge:
    """Estimate log Z.

    Parameters
    ----------
    log_ratio_p : ndarray, shape (chains, draws)
        log p - log q at the draws from p.
    region_p : ndarray of int, shape (chains, draws)
        The region, from 0, in which each draw is; none may be empty.
    log_ratio_q : ndarray, shape (n,)
        The same at independent draws from q.
    region_q : ndarray of int, shape (n,)
    """
    regions = int(region_p.max()) + 1
    parts = [
        _region(log_ratio_p, region_p == m, log_ratio_q, region_q == m) for m in range(regions)
    ]
    log_zs = np.array([part.log_z for part in parts])
    log_z = float(logsumexp(log_zs))
    shares = np.exp(log_zs - log_z)
    errors = np.array([_error(part.influence_p, part.influence_q) for part in parts])
    se = _error(
        np.asarray(sum(s * part.influence_p for s, part in zip(shares, parts, strict=True))),
        np.asarray(sum(s * part.influence_q for s, part in zip(shares, parts, strict=True))),
    )
    return Bridge(log_z, se, shares, errors)


@dataclass(frozen=True)
class _Part:
    """One region's log Z, and the influence of every draw on it; influences average to zero."""

    log_z: float
    influence_p: Array
    influence_q: Array


def _region(
    log_ratio_p: Array, inside_p: NDArray[np.bool_], log_ratio_q: Array, inside_q: NDArray[np.bool_]
) -> _Part:
    p, q = log_ratio_p[inside_p], log_ratio_q[inside_q]
    log_n_p, log_n_q = np.log(p.size), np.log(log_ratio_q.size)
    log_z = float(np.median(p))
    for _ in range(_ITERATIONS):
        # Ratios enter as differences from log Z, which keeps exponentials in range.
        above = q - log_z - np.logaddexp(log_n_p + q - log_z, log_n_q)
        below = -np.logaddexp(log_n_p + p - log_z, log_n_q)
        step = float(logsumexp(above) - log_n_q - logsumexp(below) + log_n_p)
        log_z += step
        if not abs(step) >= _TOLERANCE:
            break
    terms_q = np.zeros(log_ratio_q.size)
    terms_q[inside_q] = np.exp(q - log_z - np.logaddexp(log_n_p + q - log_z, log_n_q))
    terms_p = np.exp(-np.logaddexp(log_n_p + log_ratio_p - log_z, log_n_q))
    mean_p = terms_p[inside_p].mean()
    influence_p = np.where(inside_p, terms_p / mean_p - 1.0, 0.0) / inside_p.mean()
    return _Part(log_z, influence_p, terms_q / terms_q.mean() - 1.0)


def _error(influence_p: Array, influence_q: Array) -> float:
    """Return the standard error of an estimate from its draws' influences."""
    variance = influence_q.var() / influence_q.size
    if np.ptp(influence_p) > 0.0:
        variance += float(array_stats.mcse(influence_p, method="mean")) ** 2
    return float(np.sqrt(variance))

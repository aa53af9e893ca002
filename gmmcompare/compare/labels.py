"""Relabelling: every draw is permuted to one fixed reference, so that component k means one thing.

A mixture's likelihood does not change when its components are permuted, so an engine's labels mean
nothing by themselves and may switch in mid-chain. Sorting by mean repairs this only where means
never cross. Here each draw takes the permutation whose responsibilities are nearest the reference's
in Kullback-Leibler divergence (Stephens 2000, section 4.1, with the reference held fixed).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from gmmcompare.compare.label_kernels import best_permutations, label_costs
from gmmcompare.mixture import log_joint
from gmmcompare.params import Array, Params
from gmmcompare.sample import Sample

REFERENCE_POINTS = 500
ENUMERATE_UP_TO = 5
"""Up to this K all K! permutations are tried; beyond it the assignment problem is solved."""

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Reference:
    """Responsibilities of a fixed mixture at quantile-spaced data points.

    Attributes
    ----------
    params : Params
        The mixture, shape (K,), components in ascending order of the mean.
    points : ndarray, shape (n,)
    log_q : ndarray, shape (K, n)
        Log responsibilities.
    """

    params: Params
    points: Array
    log_q: Array

    @classmethod
    def of(cls, params: Params, sample: Sample) -> Reference:
        """Build the reference for a sample from one point, shape (K,)."""
        params = params.ordered_by_mean()
        n = min(REFERENCE_POINTS, sample.n)
        points = sample.quantiles((np.arange(n) + 0.5) / n)
        joint = log_joint(points, params)
        log_r = joint - np.logaddexp.reduce(joint, axis=1, keepdims=True)
        # A responsibility of exactly 0 would forbid a label; exp(-700) merely discourages it.
        return cls(params, points, np.ascontiguousarray(np.maximum(log_r, -700.0).T))


@dataclass(frozen=True)
class Alignment:
    """Relabelled draws, and the permutation each one took.

    Attributes
    ----------
    params : Params
        Arrays of shape (chains, draws, K).
    labels : ndarray, shape (chains, draws, K)
        ``labels[c, d, j]`` is the engine's own label of component j.
    """

    params: Params
    labels: Labels

    @property
    def switch_rate(self) -> Array:
        """Share of steps at which the labels changed, for each chain, shape (chains,)."""
        if self.labels.shape[1] < 2:
            return np.zeros(self.labels.shape[0])
        changed = (np.diff(self.labels, axis=1) != 0).any(axis=-1)
        return np.asarray(changed.mean(axis=1))


def align(draws: Params, reference: Reference) -> Alignment:
    """Permute every draw to the reference; whole triples (w, mu, sigma) move together.

    Parameters
    ----------
    draws : Params
        Arrays of shape (chains, draws, K).
    reference : Reference

    Returns
    -------
    Alignment
    """
    shape, K = draws.w.shape, draws.K
    flat = Params(*(np.ascontiguousarray(a, dtype=float).reshape(-1, K) for a in draws))
    if K == 1:
        return Alignment(draws, np.zeros(shape, dtype=np.int64))
    cost = label_costs(reference.points, reference.log_q, *flat)
    labels = _assign(cost).reshape(shape)
    return Alignment(permuted(draws, labels), labels)


def sort_by_mean(draws: Params) -> Alignment:
    """Label by ascending mean: what most people do, and wrong where components cross in mean."""
    labels = np.argsort(draws.mu, axis=-1, kind="stable")
    return Alignment(permuted(draws, labels), labels)


def permuted(draws: Params, labels: Labels) -> Params:
    """Return draws with component j taken from the engine's label ``labels[..., j]``."""
    return Params(*(np.take_along_axis(a, labels, axis=-1) for a in draws))


def _assign(cost: Array) -> Labels:
    """Minimise the summed cost of draw's component k in reference place j; cost (n, K, K)."""
    K = cost.shape[1]
    if K <= ENUMERATE_UP_TO:
        orders = np.array(list(permutations(range(K))), dtype=np.int64)
        return np.asarray(best_permutations(cost, orders))
    from scipy.optimize import linear_sum_assignment

    labels = np.empty(cost.shape[:2], dtype=np.int64)
    for i, c in enumerate(cost):
        k, j = linear_sum_assignment(c)
        labels[i, j] = k
    return labels

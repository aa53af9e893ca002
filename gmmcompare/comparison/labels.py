"""Relabelling: every draw is permuted to one fixed reference, so that component k means one thing.

A mixture's likelihood does not change when its components are permuted, so an engine's labels mean
nothing by themselves and may switch in mid-chain. Sorting by mean repairs this only where means
never cross. Here each draw takes the permutation whose responsibilities are nearest the reference's
in Kullback-Leibler divergence (Stephens 2000, section 4.1, with the reference held fixed).

Priors that differ by component say which is which: then only components that have one prior are
permuted among themselves, and all others keep the engine's labels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import chain, permutations, product

import numpy as np
from numpy.typing import NDArray

from gmmcompare.comparison.compiled import best_permutations, label_costs, vector_label_costs
from gmmcompare.fitting.fit import Fit
from gmmcompare.model.mixture import log_joint
from gmmcompare.model.multivariate.density import log_joint as log_joint_of_vectors
from gmmcompare.model.multivariate.params import MultivariateParams
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample
from gmmcompare.runtime.errors import InputError

REFERENCE_POINTS = 500
ENUMERATE_UP_TO = 5
"""Up to this K all K! permutations are tried; beyond it the assignment problem is solved."""

Labels = NDArray[np.int64]
Groups = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Reference:
    """Responsibilities of a fixed mixture at quantile-spaced data points.

    Attributes
    ----------
    params : Params
        The mixture, shape (K,). Components are in ascending order of the mean; where priors differ,
        in the order of the priors, and ascending among those that have one prior.
    groups : tuple of tuple of int
        Components that have one prior, whose labels mean nothing.
    points : ndarray, shape (n,) or (n, d)
    errors : ndarray, shape (n,) or (0,)
        Sds of their measurement errors, if any.
    log_q : ndarray, shape (K, n)
        Log responsibilities.
    """

    params: Params
    groups: Groups
    points: Array
    errors: Array
    log_q: Array

    @classmethod
    def of(cls, params: Params, sample: Sample, priors: Priors | None = None) -> Reference:
        """Build the reference for a sample from one point.

        Parameters
        ----------
        params : Params
            Shape (K,); its own numbering of components does not matter.
        sample : Sample
        priors : Priors, optional
            By default the same for all components.
        """
        groups = priors.groups(params.K) if priors else (tuple(range(params.K)),)
        params = _numbered(params, groups, priors)
        n = min(REFERENCE_POINTS, sample.n)
        some = sample.part(sample.places((np.arange(n) + 0.5) / n))
        if isinstance(params, MultivariateParams):
            joint = log_joint_of_vectors(some.values, params)
        else:
            joint = log_joint(some.values, params, some.errors)
        log_r = joint - np.logaddexp.reduce(joint, axis=1, keepdims=True)
        # A responsibility of exactly 0 would forbid a label; exp(-700) merely discourages it.
        log_q = np.ascontiguousarray(np.maximum(log_r, -700.0).T)
        return cls(params, groups, some.values, some.s, log_q)


def _numbered(params: Params, groups: Groups, priors: Priors | None) -> Params:
    """Return the mixture numbered as the priors favour, and by mean within groups."""
    if len(groups) > 1 and priors:
        params = params.permuted(priors.favoured_order(params))
    order = np.arange(params.K)
    for group in groups:
        order[list(group)] = sorted(group, key=lambda k: float(np.ravel(params.mu[k])[0]))
    return params.permuted(order)


@dataclass(frozen=True)
class Alignment:
    """Relabelled draws, and the permutation each one took.

    Attributes
    ----------
    params : Params
        Arrays of the draws' shape, (chains, draws, K) or (draws, K).
    labels : ndarray, of the same shape
        ``labels[..., j]`` is the engine's own label of component j.
    """

    params: Params
    labels: Labels

    @property
    def switch_rate(self) -> Array:
        """Share of steps at which the labels changed, for each chain, shape (chains,)."""
        by_chain = self.labels if self.labels.ndim == 3 else self.labels[None]
        changed = (np.diff(by_chain, axis=1) != 0).any(axis=-1)
        return np.asarray(changed.sum(axis=1) / max(1, changed.shape[1]))


def align(
    draws: Params | Fit, reference: Reference | Params, sample: Sample | None = None
) -> Alignment:
    """Permute every draw to the reference; whole triples (w, mu, sigma) move together.

    Parameters
    ----------
    draws : Params or Fit
        Arrays of shape (chains, draws, K) or (draws, K); or the fit they are in.
    reference : Reference or Params
        A `Reference`; or one mixture, shape (K,), such as an EM fit's ``.point``, in whose
        ascending order of means the components are numbered (a fit's priors, where they differ by
        component, number them instead).
    sample : Sample, optional
        The data, where ``reference`` is a mixture; a fit brings its own.

    Returns
    -------
    Alignment
        ``.params``, the relabelled draws, and ``.labels``, the engine's own labels.

    Raises
    ------
    InputError
        If the numbers of components differ, or a mixture comes without data.

    References
    ----------
    Stephens, M. (2000). Dealing with label switching in mixture models. JRSS B 62, section 4.1;
    the reference is held fixed, so that draws of different engines are labelled alike.
    """
    priors = None
    if isinstance(draws, Fit):
        params, sample, priors = draws.params, sample or draws.sample, draws.priors
    else:
        params = draws
    if isinstance(reference, Params | MultivariateParams):
        if sample is None:
            raise InputError("align: give the sample as well, or a Reference that was made of one")
        reference = Reference.of(reference, sample, priors)
    K = params.K
    if reference.params.K != K:
        raise InputError(
            f"align: the draws have {K} components and the reference {reference.params.K}; "
            "give a reference of as many"
        )
    shape = params.w.shape
    if len(reference.groups) == K:  # every component is what its prior says
        return Alignment(params, np.broadcast_to(np.arange(K), shape))
    flat = [np.ascontiguousarray(a, dtype=float) for a in params]
    flat = [a.reshape(-1, *a.shape[len(shape) - 1 :]) for a in flat]
    if isinstance(params, MultivariateParams):
        points = np.ascontiguousarray(reference.points.T)
        cost = vector_label_costs(points, reference.log_q, *flat)
    else:
        cost = label_costs(reference.points, reference.errors, reference.log_q, *flat)
    labels = _assign(cost, reference.groups).reshape(shape)
    return Alignment(permuted(params, labels), labels)


def align_point(point: Params, reference: Reference, priors: Priors | None) -> Alignment:
    """Align a point estimate, whatever its numbering.

    A maximum of the likelihood has none of its own, and a maximum of the posterior has the one that
    the prior favours; so both take that.

    Parameters
    ----------
    point : Params
        Arrays of shape (1, 1, K).
    reference : Reference
    priors : Priors or None
        Where they are not known, components may take any place.
    """
    own = np.arange(point.K)
    if len(reference.groups) > 1 and priors:
        own = priors.favoured_order(type(point)(*(a[0, 0] for a in point)))
    found = align(permuted(point, own[None, None]), reference)
    return Alignment(found.params, own[found.labels])


def sort_by_mean(draws: Params) -> Alignment:
    """Label by ascending mean: what most people do, and wrong where components cross in mean."""
    labels = np.argsort(draws.mu, axis=-1, kind="stable")
    return Alignment(permuted(draws, labels), labels)


def permuted(draws: Params, labels: Labels) -> Params:
    """Return draws with component j taken from the engine's label ``labels[..., j]``."""
    axis = labels.ndim - 1

    def taken(a: Array) -> Array:
        index = labels.reshape(labels.shape + (1,) * (a.ndim - labels.ndim))
        return np.take_along_axis(a, index, axis=axis)

    return type(draws)(*map(taken, draws))


def _assign(cost: Array, groups: Groups) -> Labels:
    """Minimise the summed cost of draw's component k in reference place j; cost (n, K, K)."""
    K = cost.shape[1]
    if K <= ENUMERATE_UP_TO:
        orders = np.empty((_permutations(groups), K), dtype=np.int64)
        for order, within in zip(orders, product(*map(permutations, groups)), strict=True):
            order[list(chain(*groups))] = list(chain(*within))
        return np.asarray(best_permutations(cost, orders))
    from scipy.optimize import linear_sum_assignment

    labels = np.empty(cost.shape[:2], dtype=np.int64)
    for group in (np.array(g) for g in groups):
        for i, c in enumerate(cost[:, group[:, None], group]):
            k, j = linear_sum_assignment(c)
            labels[i, group[j]] = group[k]
    return labels


def _permutations(groups: Groups) -> int:
    return math.prod(math.factorial(len(group)) for group in groups)

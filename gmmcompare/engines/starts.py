"""Where chains start: over-dispersed by default, or as a lecture does it."""

from __future__ import annotations

from itertools import permutations
from typing import Literal

import numpy as np

from gmmcompare.engines.base import Problem
from gmmcompare.model.mixture import log_density, responsibilities
from gmmcompare.model.params import Array, Params
from gmmcompare.model.restricted import RestrictedPriors

StartRule = Literal["overdispersed", "lecture"]
CANDIDATES = 20
SHORT_STEPS = 30
SHORT_POINTS = 200
MOST_NUMBERED = 6
"""Components of which all numberings are tried."""


def start_point(
    rule: StartRule, problem: Problem, rng: np.random.Generator, scale: float = 1.0
) -> Params:
    """Return one chain's starting point.

    ``lecture`` puts every mean at its prior mean, every sd at 2 in the units of the data, and
    equal weights.

    ``overdispersed`` starts wide of the posterior (Gelman and Rubin 1992), but not at random: on
    the exoplanets one chain in thirty that starts at random parameters spends thousands of sweeps
    in a mode 280 below in log-likelihood. So each chain takes the best of 20 short runs of EM
    (Biernacki, Celeux and Govaert 2003) on 200 quantiles of the data, from random starts of its
    own, and then moves every mean by about one sd, every sd by up to a factor of two, and the
    weights half-way to a random point of the simplex.

    Parameters
    ----------
    rule : {"overdispersed", "lecture"}
    problem : Problem
    rng : numpy.random.Generator
        The chain's own; ``lecture`` draws nothing.
    scale : float
        The unit in which ``problem`` is expressed, in units of the data; 1 where it is not
        standardised.

    Returns
    -------
    Params
        Arrays of shape (K,), in the units of ``problem``.
    """
    K = problem.K
    if rule == "lecture":
        prior_means = np.array(problem.priors.expanded(K).mean_loc)
        equal = Params(np.full(K, 1.0 / K), prior_means, np.full(K, 2.0 / scale))
        nearest: Params = problem.priors.nearest(equal)
        return nearest
    points = problem.sample.quantiles((np.arange(SHORT_POINTS) + 0.5) / SHORT_POINTS)
    spread = float(points.std()) or 1.0
    ends = _short_em(_random_points(points, spread, K, rng), points, spread)
    best = int(np.argmax(log_density(points, ends).sum(axis=-1)))
    w, mu, sigma = (a[best] for a in ends)
    # Labels mean nothing, so each chain has its own order.
    order = rng.permutation(K)
    point = Params(
        (0.5 * w + 0.5 * rng.dirichlet(np.ones(K)))[order],
        (mu + sigma * rng.standard_normal(K))[order],
        (sigma * 2.0 ** rng.uniform(-1.0, 1.0, K))[order],
    )
    if isinstance(problem.priors, RestrictedPriors) and not problem.priors.exchangeable:
        return _labelled(point, Params(w, mu, sigma).permuted(order), problem, points, rng)
    near: Params = problem.priors.nearest(point)
    return near


def _labelled(
    point: Params, end: Params, problem: Problem, points: Array, rng: np.random.Generator
) -> Params:
    """Return a start numbered for known sds or weights, which tell components apart.

    Each numbering of the end of EM may be a mode of its own: one is drawn in proportion to its
    likelihood, so that chains start in all that count, and R-hat sees it if they cannot mix.
    """
    priors, K = problem.priors, problem.K
    if K > MOST_NUMBERED:
        nearest: Params = priors.nearest(point, end)
        return nearest
    orders = [list(order) for order in permutations(range(K))]
    tried = (priors.kept(end.permuted(order)) for order in orders)
    height = np.array([log_density(points, each).mean() * problem.sample.n for each in tried])
    weight = np.exp(height - height.max())
    chosen = orders[int(rng.choice(len(orders), p=weight / weight.sum()))]
    start: Params = priors.kept(point.permuted(chosen))
    return start


def _random_points(points: Array, spread: float, K: int, rng: np.random.Generator) -> Params:
    """Return candidates, (CANDIDATES, K): means wider than the data, sds within a factor of 4."""
    shape = (CANDIDATES, K)
    mu = rng.choice(points, shape) + spread * rng.standard_normal(shape)
    sigma = spread * 2.0 ** rng.uniform(-2.0, 1.0, shape)
    return Params(rng.dirichlet(np.ones(K), CANDIDATES), mu, sigma)


def _short_em(start: Params, points: Array, spread: float) -> Params:
    """Take a few EM steps from every candidate; sds are kept above a hundredth of the spread."""
    params = start
    for _ in range(SHORT_STEPS):
        r = responsibilities(points, params)
        n_k = r.sum(axis=-2) + 1e-3  # an empty component stays where it is
        w = n_k / n_k.sum(axis=-1, keepdims=True)
        mu = (np.einsum("cnk,n->ck", r, points) + 1e-3 * params.mu) / n_k
        squares = (points[:, None] - mu[:, None, :]) ** 2
        variance = np.einsum("cnk,cnk->ck", r, squares) / n_k
        params = Params(w, mu, np.sqrt(variance + (spread / 100.0) ** 2))
    return params

"""Where chains start: over-dispersed by default, or as a lecture does it."""

from __future__ import annotations

from itertools import permutations
from typing import Literal

import numpy as np

from gmmcompare.engines.base import Problem
from gmmcompare.engines.em.short import SHORT_POINTS, best_of_short_runs
from gmmcompare.engines.lecture import lecture_start
from gmmcompare.model.mixture import log_density
from gmmcompare.model.params import Array, Params
from gmmcompare.model.restricted import RestrictedPriors

StartRule = Literal["overdispersed", "lecture"]
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

    Values with errors need more short runs, and these go on with all values: see
    `em.short.best_of_short_runs`.

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
    if rule == "lecture":
        return lecture_start(problem, scale)
    K = problem.K
    w, mu, sigma = best_of_short_runs(problem, rng)
    # Labels mean nothing, so each chain has its own order.
    order = rng.permutation(K)
    point = Params(
        (0.5 * w + 0.5 * rng.dirichlet(np.ones(K)))[order],
        (mu + sigma * rng.standard_normal(K))[order],
        (sigma * 2.0 ** rng.uniform(-1.0, 1.0, K))[order],
    )
    if isinstance(problem.priors, RestrictedPriors) and not problem.priors.exchangeable:
        points = problem.sample.quantiles((np.arange(SHORT_POINTS) + 0.5) / SHORT_POINTS)
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

"""How many components are occupied, and what a change of prior does to that.

With few data a mixture of K components may leave some empty, and how many is then largely the
prior's choice: every occupied component costs its prior density. A sampler seldom moves between
such states, so their probabilities are hard to estimate; but the factor by which a changed prior
multiplies the odds of one state against another needs draws from within each state only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from gmmcompare.fitting.fit import Fit
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors

FEWEST = 200
"""Draws of a state, in batches of ten or more, below which nothing is said of it."""
BATCHES = 20


@dataclass(frozen=True)
class OddsFactor:
    """What a change of prior multiplies the odds by of ``occupied`` components against one fewer.

    ``error`` is the Monte Carlo standard error.
    """

    occupied: int
    factor: float
    error: float


def occupied_shares(fit: Fit) -> dict[int, float]:
    """Return the share of draws with each number of occupied components that was seen."""
    numbers, seen = np.unique(_occupied(fit), return_counts=True)
    return {int(m): float(n / seen.sum()) for m, n in zip(numbers, seen, strict=True)}


def odds_factors(fit: Fit, before: Priors, after: Priors) -> list[OddsFactor]:
    """Return how odds of the number of occupied components change with the prior.

    Parameters
    ----------
    fit : Fit
        Draws under ``before``, with the statistic ``n_k`` (observations of each component).
    before, after : Priors

    Returns
    -------
    list of OddsFactor
        For each two successive numbers that were seen in `FEWEST` draws or more.

    Notes
    -----
    The posterior probability of a state changes in proportion to the mean, over the draws of the
    state, of the ratio of the two priors. Given the allocations, weights and empty components can
    be integrated out: weights leave a ratio of Dirichlet-multinomial probabilities, and an empty
    component, which is a draw of its prior, a ratio of one.
    """
    occupied = _occupied(fit).ravel()
    ratio = np.exp(_log_ratio(fit, before, after)).ravel()
    means = {}
    for m in np.unique(occupied):
        inside = ratio[occupied == m]
        if inside.size >= FEWEST:
            batches = np.array([b.mean() for b in np.array_split(inside, BATCHES)])
            means[int(m)] = inside.mean(), batches.std(ddof=1) / np.sqrt(BATCHES)
    found = []
    for m, (mean, error) in means.items():
        if m - 1 in means:
            fewer, its_error = means[m - 1]
            factor = mean / fewer
            relative = np.hypot(error / mean, its_error / fewer)
            found.append(OddsFactor(m, float(factor), float(factor * relative)))
    return found


def _occupied(fit: Fit) -> Array:
    return np.asarray((fit.stat("n_k") > 0).sum(axis=-1))


def _log_ratio(fit: Fit, before: Priors, after: Priors) -> Array:
    """Return the log ratio of the priors of all that is occupied, shape (chains, draws)."""
    n_k = fit.stat("n_k")
    return _log_prior(after, fit.params, n_k) - _log_prior(before, fit.params, n_k)


def _log_prior(priors: Priors, params: Params, n_k: Array) -> Array:
    """Return log p(z) + sum over occupied k of log p(mu_k, sigma_k^2), but for a constant."""
    p = priors.expanded(params.K)
    c, m0, s0, a, b = (
        np.asarray(v)
        for v in (p.weight_concentration, p.mean_loc, p.mean_sd, p.var_shape, p.var_scale)
    )
    allocations = gammaln(c.sum()) - gammaln(n_k.sum(axis=-1) + c.sum())
    allocations = allocations + (gammaln(n_k + c) - gammaln(c)).sum(axis=-1)
    empty = n_k == 0
    mu, sigma = np.where(empty, 0.0, params.mu), np.where(empty, 1.0, params.sigma)
    component = -0.5 * ((mu - m0) / s0) ** 2 - np.log(s0)
    component += a * np.log(b) - gammaln(a) - (a + 1.0) * 2.0 * np.log(sigma) - b * sigma**-2.0
    return np.asarray(allocations + np.where(empty, 0.0, component).sum(axis=-1))

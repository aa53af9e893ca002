"""The check before sampling where a program has no log density: its draws on a small sample.

There the posterior is known exactly, and without data it is the prior. Draws of both
are compared with these.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import numpy as np

from gmmcompare.engines.base import Problem
from gmmcompare.model.exact import exact_posterior
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample

ALPHA = 1e-6
"""Probability that a correct program is found wrong, over a whole trial."""
TESTS = 6
"""How many quantities a trial compares at most: three without data and three with them."""
TRIAL_CHAINS, TRIAL_DRAWS, BATCHES = 4, 5000, 25
"""What a program is asked for, and into how many batches each chain is cut."""
TRIAL_DATA = Sample.of([0.4, -1.1, 0.4, 2.0, -0.7, 0.4])
TRIAL_PRIORS = Priors([0.7, 2.0], [-1.0, 0.5], [0.8, 2.5], [3.0, 2.5], [1.3, 0.4])
"""Of no value that a slip would leave as it is (1 is its own inverse and square), and unequal, so
that components cannot be mixed up unseen."""
QUANTILES = np.array([0.1, 0.5, 0.9])
"""Where distribution functions are compared."""


def terms_off_by_draws(draw: Callable[[Problem], Params], K: int) -> list[str]:
    """Return which terms of a program are not ours, judged by its draws; empty if all are.

    Parameters
    ----------
    draw : callable
        Returns a program's draws for a problem, which may have no data: arrays of shape
        (`TRIAL_CHAINS`, `TRIAL_DRAWS`, K).
    K : int
        1 or 2.

    Returns
    -------
    list of str
        Where priors are off the likelihood is not tried.
    """
    from scipy import stats

    full = TRIAL_PRIORS.expanded(2)
    c, m0, v0, a, b = (np.array(getattr(full, f.name))[:K] for f in fields(full))
    priors = Priors(c, m0, v0, a, b)
    nobody = Sample(TRIAL_DATA.values[:0], TRIAL_DATA.counts[:0])
    prior = draw(Problem(nobody, K, priors))
    ranks = {
        "the prior of mu": stats.norm.cdf(prior.mu, m0, v0),
        "the prior of sigma**2": stats.invgamma.cdf(prior.sigma**2, a, scale=b),
    }
    if K > 1:
        ranks = {"the prior of w": stats.beta.cdf(prior.w, c, c.sum() - c), **ranks}
    uniform = np.repeat(QUANTILES[:, None], K, axis=1)
    off = [term for term, u in ranks.items() if _differ(np.asarray(u), uniform, uniform)]
    if off:
        return off
    exact = exact_posterior(TRIAL_DATA.y, K, priors)
    posterior = draw(Problem(TRIAL_DATA, K, priors))
    # Where to look is random, but does not depend on what is looked at.
    pilot = exact.sample(1000, np.random.default_rng(1))
    for field in ("w", "mu", "sigma")[K == 1 :]:
        places = np.quantile(getattr(pilot, field), QUANTILES, axis=0)
        cdf = [[float(exact.cdf(field, x, component=k)) for k, x in enumerate(r)] for r in places]
        if _differ(getattr(posterior, field), places, np.array(cdf)):
            return ["the likelihood"]
    return []


def _differ(series: Array, places: Array, cdf: Array) -> bool:
    """Whether the share of draws up to a place is not what it should be, by batch means.

    Parameters
    ----------
    series : ndarray, shape (chains, draws, K)
    places : ndarray, shape (P, K)
    cdf : ndarray, shape (P, K)
        Probabilities of a draw up to each place.
    """
    from scipy.stats import t as student

    excess = (series[..., None, :] <= places) - cdf
    parts = np.stack(np.split(excess, BATCHES, axis=1)).mean(axis=2)  # (batch, chain, place, K)
    batches = parts.reshape(-1, *cdf.shape)
    error = batches.std(axis=0, ddof=1) / np.sqrt(len(batches))
    critical = student.isf(ALPHA / (2 * TESTS * cdf.size), len(batches) - 1)
    return bool((np.abs(batches.mean(axis=0)) > critical * error).any())

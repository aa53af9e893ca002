"""The posterior mode that belongs to a point estimate: where the prior moves it.

A maximum of the likelihood may lie outside the posterior because the prior is informative, and then
nobody is wrong. To tell, EM climbs on from the point, once by the likelihood and once by the
posterior density over (w, mu, log sigma^2); either takes milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import linear_sum_assignment

from gmmcompare.engines.base import Problem
from gmmcompare.fitting.fit import Fit
from gmmcompare.model.mixture import log_joint, log_likelihood
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample

STILL_TO_CLIMB = 0.1
"""What EM gains from a point that stopped early, in log units; below, a point is a maximum."""


@dataclass(frozen=True)
class Twin:
    """What EM makes of a point estimate.

    Attributes
    ----------
    log_lik_gain : float
        That the likelihood still offers; infinite where it has no bound.
    density_gain : float
        That the posterior density still offers.
    place : Params
        The mode of the posterior, components numbered as those of the draws, shape (K,).
    """

    log_lik_gain: float
    density_gain: float
    place: Params

    @property
    def stopped_early(self) -> bool:
        """Whether the point is no maximum of either."""
        return min(self.log_lik_gain, self.density_gain) > STILL_TO_CLIMB


def twin_of(place: Params, point: Fit, draw: Params, sample: Sample, priors: Priors) -> Twin | None:
    """Climb from a point estimate.

    Where a concentration is below 1 the density has no maximum in the weights, and 1 is taken.

    Parameters
    ----------
    place : Params
        The point, aligned, shape (K,).
    point : Fit
        Its engine's fit: the mode is looked for from its other solutions as well ...
    draw : Params
        ... and from the densest draw, aligned, shape (K,).
    sample : Sample
    priors : Priors

    Returns
    -------
    Twin or None
        None where the posterior has no mode to be found.
    """
    from gmmcompare.engines.em.engine import climb_from  # compiles, and is seldom needed

    concentration = np.maximum(np.asarray(priors.weight_concentration), 1.0)
    proper = replace(priors, weight_concentration=concentration)
    others = [p.permuted(priors.favoured_order(p)) for p in point.solutions]
    problem = Problem(sample, place.K, proper, (place, draw, *others))
    mode = climb_from(problem, "map")
    if mode is None:
        return None
    own = climb_from(replace(problem, starts=(place,)), "ml")
    here = _log_scale_posterior(place, sample, proper)
    gain = np.inf if own is None else _log_lik(own, sample) - _log_lik(place, sample)
    numbered = _numbered_as(draw, mode, sample, priors)
    return Twin(float(gain), _log_scale_posterior(mode, sample, proper) - here, numbered)


def _numbered_as(draw: Params, mode: Params, sample: Sample, priors: Priors) -> Params:
    """Return a mode whose components are numbered as those of a draw.

    It may have been found from a solution with other labels. Components that share most of the
    observations are given one number, among those that have one prior.
    """
    shared = (_responsibilities(mode, sample) * sample.counts[:, None]).T @ _responsibilities(
        draw, sample
    )
    groups = priors.groups(mode.K)
    group = np.array([next(i for i, g in enumerate(groups) if k in g) for k in range(mode.K)])
    shared = np.where(group[:, None] == group, shared, -sample.n)
    _, order = linear_sum_assignment(shared.T, maximize=True)
    return mode.permuted(order)


def _responsibilities(place: Params, sample: Sample) -> Array:
    joint = log_joint(sample.values, place, sample.errors)
    return np.asarray(np.exp(joint - np.logaddexp.reduce(joint, axis=1, keepdims=True)))


def log_scale_prior(place: Params, priors: Priors) -> float:
    """Return the log prior density of a point, shape (K,), over (w, mu, log sigma^2).

    It has a factor sigma_k^2 more than that over (w, mu, sigma^2).
    """
    with np.errstate(over="ignore", invalid="ignore"):
        return float(priors.log_density(place) + priors.log_scale(place))


def _log_scale_posterior(place: Params, sample: Sample, priors: Priors) -> float:
    prior = log_scale_prior(place, priors)
    return _log_lik(place, sample) + prior if np.isfinite(prior) else -np.inf


def _log_lik(place: Params, sample: Sample) -> float:
    return float(log_likelihood(sample, place))

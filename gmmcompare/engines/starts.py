"""Where chains start: over-dispersed by default, or as a lecture does it."""

from __future__ import annotations

from typing import Literal

import numpy as np

from gmmcompare.engines.base import Problem
from gmmcompare.params import Params

StartRule = Literal["overdispersed", "lecture"]


def start_point(
    rule: StartRule, problem: Problem, rng: np.random.Generator, scale: float = 1.0
) -> Params:
    """Return one chain's starting point, arrays of shape (K,).

    ``lecture`` puts every mean at its prior mean, every sd at 2 (in units of the data as given:
    ``scale`` is the unit in which ``problem`` is expressed) and equal weights. ``overdispersed``
    draws means wider than the data, sds within a factor of four, weights uniform on the simplex
    (Gelman and Rubin 1992).
    """
    K, sample = problem.K, problem.sample
    if rule == "lecture":
        prior_means = np.array(problem.priors.expanded(K).mean_loc)
        return Params(np.full(K, 1.0 / K), prior_means, np.full(K, 2.0 / scale))
    sd = sample.sd or 1.0
    mu = sample.quantiles(rng.random(K)) + sd * rng.standard_normal(K)
    sigma = sd * 2.0 ** rng.uniform(-2.0, 1.0, K)
    return Params(rng.dirichlet(np.ones(K)), mu, sigma)

"""Where chains and climbs of a lecture start."""

from __future__ import annotations

import numpy as np

from gmmcompare.engines.base import Problem
from gmmcompare.model.params import Params


def lecture_start(problem: Problem, scale: float = 1.0) -> Params:
    """Put every mean at its prior mean and every sd at 2 in the units of the data, equal weights.

    Parameters
    ----------
    problem : Problem
    scale : float
        The unit in which ``problem`` is expressed, in units of the data.

    Returns
    -------
    Params
        Arrays of shape (K,), in the units of ``problem``.
    """
    K = problem.K
    prior_means = np.array(problem.priors.expanded(K).mean_loc)
    equal = Params(np.full(K, 1.0 / K), prior_means, np.full(K, 2.0 / scale))
    nearest: Params = problem.priors.nearest(equal)
    return nearest

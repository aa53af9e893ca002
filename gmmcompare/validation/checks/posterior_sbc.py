"""Calibration around given data: posterior SBC (Sailynoja, Schmitt, Burkner and Vehtari 2025).

Where the prior is so wide that its draws are no data anyone would see, they calibrate nothing of
interest. So parameters are drawn from the posterior of the given data by the reference sampler,
new observations from them, and the sampler under test is run on old and new data together: the rank
of the first draw among its draws is uniform. The reference is `engines.gibbs`, whose kernel passes
`validate` itself.
"""

from __future__ import annotations

import numpy as np

from gmmcompare.engines.base import Draws, Problem, built_in_engine, no_progress
from gmmcompare.model.card import GibbsSettings
from gmmcompare.model.mixture import simulate
from gmmcompare.model.params import Params
from gmmcompare.validation.checks.ranks import Given
from gmmcompare.validation.checks.scenes import MixtureScene

_CHAINS = 4
_THIN = 50
_WARMUP = 2000
_MOST_NEW = 200


def givens_around(problem: Problem, n: int, seed: int) -> tuple[MixtureScene, list[Given]]:
    """Draw points of the posterior of a problem, and new observations of each.

    Parameters
    ----------
    problem : Problem
        The given data, K and priors.
    n : int
        Number of points: one for each replicate.
    seed : int
        Of the reference sampler.
    """
    per_chain = -(-n // _CHAINS)
    settings = GibbsSettings(chains=_CHAINS, warmup=_WARMUP, draws=per_chain * _THIN)
    result = built_in_engine("gibbs", settings).run(problem, seed, no_progress)
    assert isinstance(result, Draws)
    drawn = result.params
    pool = Params(*(a[:, _THIN - 1 :: _THIN].reshape(-1, problem.K) for a in drawn))
    y = problem.sample.y
    n_new = int(np.clip(y.size, 1, _MOST_NEW))
    name = f"around {problem.sample.origin.name}"
    scene = MixtureScene(name, problem.priors.expanded(problem.K), problem.K, y.size + n_new)
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0x9057,)))
    truths = [Params(*(a[i] for a in pool)) for i in range(n)]
    return scene, [
        Given(truth, np.concatenate([y, simulate(truth, n_new, rng)[0]])) for truth in truths
    ]

"""Posterior SBC around given data, for a whole sampler and for a kernel."""

from __future__ import annotations

import numpy as np
import samplers
from inprocess import InProcess, silent

from gmmcompare.engines import gibbs_plain
from gmmcompare.engines.base import Problem
from gmmcompare.priors import Priors
from gmmcompare.sample import Sample
from gmmcompare.validate.around import givens_around
from gmmcompare.validate.sbc import check_sbc
from gmmcompare.validate.sbc_runs import SbcPlan

PROBLEM = Problem(Sample.of(np.linspace(-1.0, 4.0, 12)), 2, Priors(1.0, 0.0, 30.0, 2.0, 1.0))
PLAN = SbcPlan(replicates=60, warmup=30)


def test_draws_are_of_the_posterior_and_each_replicate_has_its_own() -> None:
    scene, givens = givens_around(PROBLEM, 60, seed=1)
    assert scene.N == 24
    assert len({float(g.truth.mu[0]) for g in givens}) == 60
    # The prior sd of mu is 30; given twelve data, hardly a draw of the larger component is beyond.
    heavier = [g.truth.mu[np.argmax(g.truth.w)] for g in givens]
    assert np.ptp(heavier) < 30.0


def test_a_right_kernel_passes_and_a_wrong_sampler_fails() -> None:
    # False alarm 1.1e-5 over ranks and bets.
    scene, givens = givens_around(PROBLEM, 60, seed=1)
    right = check_sbc(InProcess(gibbs_plain.sweep), scene, PLAN, 1, silent, givens=givens)
    assert right.check.verdict == "passed"

    def biased(y, K, priors, draws, warmup, chains, rng):  # type: ignore[no-untyped-def]
        result = samplers.chains_of(gibbs_plain.sweep, y, K, priors, draws, warmup, chains, rng)
        return {**result, "sigma": result["sigma"] ** 2}

    wrong = check_sbc(InProcess(biased), scene, PLAN, 1, silent, givens=givens)
    assert wrong.check.verdict == "failed"

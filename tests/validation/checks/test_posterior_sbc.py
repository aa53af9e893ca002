"""Posterior SBC around given data."""

from __future__ import annotations

import numpy as np
import pytest
from inprocess import InProcess, silent
from samplers import Exact

from gmmcompare.engines.base import Problem
from gmmcompare.engines.gibbs import plain as gibbs_plain
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample
from gmmcompare.validation.checks.posterior_sbc import givens_around
from gmmcompare.validation.checks.ranks import CHAINS, SbcPlan
from gmmcompare.validation.checks.sbc import check_sbc
from gmmcompare.validation.sandbox.mixture_subject import MixtureSubject

Y = np.array([-1.0, -0.2, 0.3, 2.5, 4.0])
PROBLEM = Problem(Sample.of(Y), 2, Priors(1.0, 0.0, 30.0, 2.0, 1.0))
PLAN = SbcPlan(replicates=60, warmup=0)


def test_draws_are_of_the_posterior_and_each_replicate_has_its_own() -> None:
    scene, givens = givens_around(PROBLEM, 60, seed=1)
    assert scene.N == 10
    assert len({float(g.truth.mu[0]) for g in givens}) == 60
    # The prior sd of mu is 30; given the data, most draws of the larger component lie among them.
    heavier = [g.truth.mu[np.argmax(g.truth.w)] for g in givens]
    assert Y.min() < np.median(heavier) < Y.max()


@pytest.mark.slow
def test_exact_draws_pass_and_biased_ones_fail() -> None:
    # False-positive rate 1.1e-5 over ranks and bets.
    scene, givens = givens_around(PROBLEM, 60, seed=1)
    right = check_sbc(InProcess(Exact()), scene, PLAN, 1, silent, givens=givens)
    assert right.check.verdict == "passed"
    wrong = check_sbc(InProcess(Exact(bias=1.5)), scene, PLAN, 1, silent, givens=givens)
    assert wrong.check.verdict == "failed"


def test_a_kernel_is_run_as_chains() -> None:
    scene, _ = givens_around(PROBLEM, 4, seed=1)
    subject = MixtureSubject(gibbs_plain.sweep, "plain")
    chains = scene.run(subject, Y, draws=5, warmup=2, chains=CHAINS, rng=np.random.default_rng(1))
    assert chains.mu.shape == (CHAINS, 5, 2)

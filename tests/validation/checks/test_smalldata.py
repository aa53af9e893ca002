"""Chains against the exact posterior, and Geweke's joint distribution test."""

from __future__ import annotations

import samplers
from inprocess import InProcess, silent

from gmmcompare.validation.checks.geweke import check_joint_distribution
from gmmcompare.validation.checks.scenes import CALIBRATION
from gmmcompare.validation.checks.smalldata import Lengths, check_exact_posterior
from gmmcompare.validation.faults.catalogue import fault

SHORT = Lengths(tasks=8, chains=10, warmup=40, draws=20)


def test_a_right_kernel_reaches_the_exact_posterior() -> None:
    # False alarm 1e-6 over all quantities.
    check = check_exact_posterior(
        InProcess(samplers.right), "kernel", CALIBRATION, 1, silent, SHORT
    )
    assert check.verdict == "passed"
    assert check.replicates == 80


def test_a_wrong_kernel_does_not() -> None:
    kernel = fault("squares-not-halved")
    check = check_exact_posterior(InProcess(kernel), "kernel", CALIBRATION, 1, silent, SHORT)
    assert check.verdict == "failed"
    assert "sigma" in check.summary


def test_geweke_passes_the_right_kernel_and_finds_a_gross_fault() -> None:
    # False alarm 1e-6 over all quantities.
    right = check_joint_distribution(InProcess(samplers.right), 1, n=8000)  # type: ignore[arg-type]
    assert right.verdict == "passed"
    wrong = check_joint_distribution(InProcess(fault("rate-for-scale")), 1, n=8000)  # type: ignore[arg-type]
    assert wrong.verdict == "failed"

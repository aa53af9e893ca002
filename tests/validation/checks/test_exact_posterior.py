"""Chains against the exact posterior."""

from __future__ import annotations

import samplers
from inprocess import InProcess, silent

from gmmcompare.validation.checks.exact_posterior import Lengths, check_exact_posterior
from gmmcompare.validation.checks.scenes import CALIBRATION
from gmmcompare.validation.faults.catalogue import fault
from gmmcompare.validation.reasons import Code

SHORT = Lengths(tasks=8, chains=10, warmup=40, draws=20)


def test_a_correct_kernel_reaches_the_exact_posterior() -> None:
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
    (reason,) = check.reasons
    assert reason.code == Code.NOT_EXACT
    assert "sigma" in reason.numbers["quantity"]
    assert reason.numbers["off"] > 0  # twice the squares make sigma too large

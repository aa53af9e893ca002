"""Geweke's joint distribution test."""

from __future__ import annotations

import pytest
import samplers
from inprocess import InProcess

from gmmcompare.validation.checks.geweke import check_joint_distribution
from gmmcompare.validation.faults.catalogue import fault
from gmmcompare.validation.reasons import Code


@pytest.mark.slow
def test_geweke_passes_the_correct_kernel_and_finds_a_gross_fault() -> None:
    # False-positive rate 1e-6 over all quantities.
    correct = check_joint_distribution(InProcess(samplers.right), 1, n=8000)
    assert correct.verdict == "passed"
    wrong = check_joint_distribution(InProcess(fault("rate-for-scale")), 1, n=8000)
    assert wrong.verdict == "failed"
    assert wrong.reasons[0].code == Code.JOINT_DRIFTS
    assert abs(wrong.reasons[0].numbers["t"]) > 5

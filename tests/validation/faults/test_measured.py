"""Kernels that take measurement errors: every fault is found, the correct ones pass."""

from __future__ import annotations

import numpy as np
import pytest

from gmmcompare.engines.gibbs import measured, measured_chain
from gmmcompare.model.mixture import log_likelihood
from gmmcompare.model.params import Params
from gmmcompare.model.sample import Sample
from gmmcompare.validation.checks.contract import check_contract
from gmmcompare.validation.checks.invariance import QUICK, check_invariance
from gmmcompare.validation.checks.mixture_quantities import log_likelihoods
from gmmcompare.validation.checks.scenes import CALIBRATION
from gmmcompare.validation.faults.catalogue import fault
from gmmcompare.validation.faults.measured import MEASURED_FAULTS, MeasuredSweep
from tests.validation.inprocess import InProcess, silent

SEED = 1
MEASURED = CALIBRATION.__class__(**{**vars(CALIBRATION), "measured": True})


def verdict_of(kernel) -> str:
    """Make the quick test of invariance in this process."""
    sandbox = InProcess(kernel)
    contract, check = check_contract(sandbox, "kernel", SEED)
    assert check.verdict == "passed"
    assert all(scene.measured for scene in contract.scenes)
    return check_invariance(sandbox, contract.scenes, QUICK, SEED, silent).check.verdict


@pytest.mark.slow
@pytest.mark.parametrize("name", MEASURED_FAULTS)
def test_every_fault_fails(name):
    assert verdict_of(fault(f"fault:{name}")) == "failed"


@pytest.mark.slow
@pytest.mark.parametrize("kernel", [MeasuredSweep(), measured.sweep, measured_chain.sweep])
def test_correct_kernels_pass(kernel):
    assert verdict_of(kernel) == "passed"  # a correct one fails with probability below 1e-5


def test_a_scene_with_errors_draws_measured_data():
    rng = np.random.default_rng(3)
    params, y = MEASURED.sample_joint(rng, 4)
    assert MEASURED.errors.shape == (MEASURED.N,)
    assert (MEASURED.errors > 0).all()
    expected = [
        log_likelihood(Sample.of(y[i], errors=MEASURED.errors), Params(*(a[i] for a in params)))
        for i in range(4)
    ]
    np.testing.assert_allclose(log_likelihoods(params, y, MEASURED.errors), expected, rtol=1e-12)
    table = MEASURED.evaluate(params, y)
    assert np.isfinite(table).all()
    assert not np.allclose(table, CALIBRATION.evaluate(params, y))


def test_scenes_without_errors_are_as_they_were():
    a = CALIBRATION.sample_joint(np.random.default_rng(0), 3)[1]
    b = MEASURED.sample_joint(np.random.default_rng(0), 3)[1]
    assert np.abs(a - b).max() < 10 * MEASURED.errors.max()
    assert "errors" not in CALIBRATION.to_dict()

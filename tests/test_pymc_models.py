"""Samplers of PyMC models as people write them: correct ones pass, one with a mistake fails.

A correct kernel fails with probability below 2e-5.
"""

from __future__ import annotations

import pytest

import gmmcompare as gc
from gmmcompare.validation.model_procedure import model_scene
from gmmcompare.validation.run import validate
from tests.pymc_models import MODELS, SWEEPS, SYMMETRIES, WRONG_SWEEPS

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", MODELS)
def test_a_correct_kernel_passes_and_one_with_a_mistake_fails(name: str) -> None:
    model = gc.Model.from_pymc(MODELS[name](), SYMMETRIES.get(name, ()))
    scene = model_scene(model, 1)
    assert validate(SWEEPS[name], model=scene, quick=True, jobs=2).verdict == "passed"
    failed = validate(WRONG_SWEEPS[name], model=scene, quick=True, jobs=2)
    assert failed.verdict == "failed"
    assert failed.diagnosis.reasons

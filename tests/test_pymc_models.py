"""Samplers of PyMC models as people write them: correct ones pass, one with a mistake fails.

A correct kernel fails with probability below 2e-5.
"""

from __future__ import annotations

import pytest

import gmmcompare as gc
from gmmcompare.validation.model_procedure import model_scene
from gmmcompare.validation.run import validate
from tests import pymc_models

pytestmark = pytest.mark.slow

NAMES = [name for name in pymc_models.MODELS if name != "normal_mixture"] + ["two_weights"]
"""Chains of a mixture meet only up to labels, which have to be declared to carry no meaning."""
SYMMETRIES = {"two_weights": (("mu", "w"),)}


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=pytest.mark.long) if n == "cholesky" else n for n in NAMES],
)
def test_a_correct_kernel_passes_and_one_with_a_mistake_fails(name: str) -> None:
    build, sweep, wrong = (getattr(pymc_models, name + end) for end in ("", "_sweep", "_wrong"))
    scene = model_scene(gc.Model.from_pymc(build(), SYMMETRIES.get(name, ())), 1)
    assert validate(sweep, model=scene, quick=True, jobs=2).verdict == "passed"
    failed = validate(wrong, model=scene, quick=True, jobs=2)
    assert failed.verdict == "failed"
    assert failed.diagnosis.reasons

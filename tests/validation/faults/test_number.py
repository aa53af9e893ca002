"""Samplers of the number of components: the correct ones pass, and each fault fails."""

from __future__ import annotations

import numpy as np
import pytest

from gmmcompare.model.points import one_of, same
from gmmcompare.model.protocol import check_model
from gmmcompare.runtime.errors import InputError
from gmmcompare.validation.faults.number import AS_PRINTED, CORRECT, FAULTS, MODEL, SUBTLE, sampler
from gmmcompare.validation.run import validate

EVERY = [*CORRECT, *FAULTS, AS_PRINTED.name]


def path(name: str, seed: int, length: int = 40) -> list[dict[str, np.ndarray]]:
    rng = np.random.default_rng(seed)
    drawn = MODEL.draw_prior(1, rng)
    y = one_of(MODEL.draw_data(drawn, rng), 0)
    theta = one_of(drawn, 0)
    out = []
    for _ in range(length):
        theta = sampler(f"components:{name}")(theta, y, rng)
        out.append(theta)
    return out


@pytest.mark.parametrize("name", EVERY)
def test_points_are_those_of_the_model(name: str) -> None:
    found = path(name, 1)
    theta = {key: np.stack([point[key] for point in found]) for key in MODEL.parameters}
    assert {key: a.shape[1:] for key, a in theta.items()} == MODEL.parameters
    assert np.isfinite(MODEL.log_prior(theta)).all()
    np.testing.assert_allclose(theta["w"].sum(axis=1), 1.0)


@pytest.mark.parametrize("name", [*FAULTS, AS_PRINTED.name])
def test_a_fault_goes_another_way_than_the_correct_sampler(name: str) -> None:
    fault = FAULTS.get(name, AS_PRINTED)
    correct = "telescoping" if fault.steps is not None else "reversible-jump"
    assert any(not same(path(name, s)[-1], path(correct, s)[-1]) for s in range(5))


def test_the_model_keeps_the_contract() -> None:
    check_model(MODEL, "components")


def test_a_sampler_that_is_not_there_is_refused() -> None:
    with pytest.raises(InputError, match="did you mean 'split-jacobian'"):
        validate("components:split-jacobean")
    with pytest.raises(InputError, match="brings its own model"):
        validate("components:telescoping", model=MODEL)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*CORRECT, *(n for n in FAULTS if n not in SUBTLE)])
def test_validation_tells_them_apart(name: str) -> None:
    """A correct sampler fails with probability below 2e-5."""
    found = validate(f"components:{name}", quick=True, seed=1, call_limit=300.0)
    assert found.verdict == ("passed" if name in CORRECT else "failed")

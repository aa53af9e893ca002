"""Correct samplers of another model are told so, and of which; faults are not called models.

The kernels are in `tests/validation/other_models.py`. A suggestion from a correlation needs a z
value of 4.5, so that each is made of this model's own draws with probability below 1e-5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import other_models as kernels
import pytest
from inprocess import InProcess, silent

from gmmcompare.model.params import Params
from gmmcompare.validation.checks.contract import check_contract
from gmmcompare.validation.checks.invariance import Plan, Replicates, SceneTest, check_invariance
from gmmcompare.validation.checks.scenes import ASYMMETRIC, CALIBRATION
from gmmcompare.validation.diagnosis.other_models import another_prior, other_models
from gmmcompare.validation.diagnosis.suspects import diagnose
from gmmcompare.validation.faults.catalogue import fault
from gmmcompare.validation.reasons import Code, Reason
from gmmcompare.validation.sandbox.subject import BrokenError
from gmmcompare.validation.verdict import Diagnosis
from gmmcompare.validation.words import phrase

SCENES = (CALIBRATION, ASYMMETRIC)
ONE_ROUND = Plan(first=1000, base=1000, most=1000)


def diagnosed(kernel: Callable[..., Any], remembers: bool = False) -> Diagnosis:
    outcome = check_invariance(InProcess(kernel), SCENES, ONE_ROUND, 1, silent)
    assert outcome.check.verdict == "failed"
    return diagnose(outcome.tests, remembers)


def models(found: Diagnosis) -> list[tuple[str, str, bool]]:
    return [
        (r.numbers["model"], r.numbers["parameter"], r.numbers["certain"])
        for r in found.reasons
        if r.code == Code.OTHER_MODEL
    ]


@pytest.mark.parametrize(
    ("kernel", "expected"),
    [
        (kernels.conjugate, ("conjugate", "mu", False)),
        (fault("conjugate-prior"), ("conjugate", "mu", False)),
        (kernels.one_variance, ("one-sigma", "sigma", True)),
        (kernels.known_weights, ("known", "w", True)),
        (kernels.scale_is_drawn, ("hyperprior", "sigma", False)),
        (kernels.centre_is_drawn, ("hyperprior", "mu", False)),
    ],
)
@pytest.mark.slow
def test_the_model_that_a_sampler_is_correct_for_is_named_first(
    kernel: Callable[..., Any], expected: tuple[str, str, bool]
) -> None:
    found = diagnosed(kernel)
    assert models(found) == [expected]
    assert found.reasons[0].code == Code.OTHER_MODEL
    innocent = {"one-sigma-for-all", "conjugate-prior"}
    assert {s.fault for s in found.suspects} <= innocent


@pytest.mark.slow
def test_known_sigmas_are_known_and_not_one_for_all_where_they_differ() -> None:
    def differ(w, mu, sigma, y, priors, rng):  # type: ignore[no-untyped-def]
        w, mu, sigma = kernels.known_sigmas(w, mu, sigma, y, priors, rng)
        return w, mu, sigma * np.linspace(1.0, 2.0, len(w))

    assert models(diagnosed(differ)) == [("known", "sigma", True)]
    both = models(diagnosed(kernels.known_sigmas))
    assert both == [("one-sigma", "sigma", True), ("known", "sigma", True)]


def test_a_parameter_that_stays_may_be_known() -> None:
    with pytest.raises(BrokenError, match="sigma exactly as it was") as broken:
        check_contract(InProcess(kernels.sigma_stays), "kernel", 1)
    numbers = {"what": broken.value.what, "message": str(broken.value)}
    assert "takes it as known" in phrase(Reason(Code.BROKEN_CALL, numbers))


@pytest.mark.slow
def test_a_kernel_that_keeps_z_is_told_so_and_not_accused_of_stale_counts() -> None:
    contract, _ = check_contract(InProcess(kernels.KeepsAllocations()), "kernel", 1)
    assert not contract.usage.reproducible
    found = diagnosed(kernels.KeepsAllocations())
    assert found.suspects == ()
    assert models(found) == []
    for code in (Code.NOT_REPRODUCIBLE, Code.KEPT_TOO_LONG):
        assert "draw z first" in phrase(Reason(code))


def changed(change: Callable[[Params], Params]) -> list[SceneTest]:
    """Return tests whose draws are the prior's, changed."""
    tests = []
    for scene in SCENES:
        test = SceneTest.of(scene)
        rng = np.random.default_rng(1)
        start, y = scene.sample_joint(rng, 1000)
        test.kept = [Replicates(start, y, change(start), change(start))]
        tests.append(test)
    return tests


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p,
        lambda p: Params(p.w, p.mu, 2.0 * p.sigma),
        lambda p: Params(p.w, 2.0 * p.mu, p.sigma),
        lambda p: Params(p.w, p.mu, p.sigma**2),
    ],
)
def test_draws_of_any_independent_prior_suggest_no_dependence(
    change: Callable[[Params], Params],
) -> None:
    assert other_models(changed(change)) == []


def test_a_prior_that_empty_components_show_is_another_prior() -> None:
    numbers = {"parameter": "sigma", "shape": "location", "hint": "prior", "scene": "sparse"}
    empty, others = (
        Reason(Code.PARAMETER_OFF, {**numbers, "changes": {load: 0.3}})
        for load in ("empty", "several")
    )
    (found,) = another_prior([empty, others])
    assert found.numbers == {"model": "prior", "parameter": "sigma", "certain": False}
    assert another_prior([others]) == []


@pytest.mark.parametrize("name", ["rate-for-scale", "mu-sorted-alone", "stochastic-em"])
@pytest.mark.slow
def test_a_fault_is_not_called_a_model(name: str) -> None:
    found = diagnosed(fault(name))
    assert models(found) == []
    assert found.suspects[0].fault == name

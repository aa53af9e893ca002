"""Data with ties, many data, nearly improper priors, labels, random streams: whole plans."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import edge_kernels
import pytest
import samplers
from inprocess import InProcess, silent

from gmmcompare.validation import validate
from gmmcompare.validation.checks import invariance
from gmmcompare.validation.checks.contract import probe_kernel
from gmmcompare.validation.checks.invariance import QUICK, Plan, check_invariance
from gmmcompare.validation.checks.scenes import ASYMMETRIC, CALIBRATION, MANY, MixtureScene, tied
from gmmcompare.validation.faults.catalogue import NOT_FAULTS, fault
from gmmcompare.validation.reasons import Code
from gmmcompare.validation.sandbox.mixture_subject import MixtureSubject

pytestmark = pytest.mark.slow

SHORT = Plan(first=250, base=1000, most=2000)


@pytest.fixture(autouse=True)
def no_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invariance, "_FOR_DIAGNOSIS", 0)


def verdict(kernel: object, scenes: tuple[MixtureScene, ...], plan: Plan = QUICK) -> str:
    return check_invariance(InProcess(kernel), scenes, plan, 1, silent).check.verdict  # type: ignore[arg-type]


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("name", edge_kernels.WRONG_ON_TIES)
def test_what_is_wrong_on_rounded_data_is_found(name: str, K: int) -> None:
    assert verdict(edge_kernels.WRONG_ON_TIES[name], (tied(K),)) == "failed"


@pytest.mark.parametrize("name", edge_kernels.WRONG_ON_MANY)
def test_what_is_wrong_on_many_observations_is_found(name: str) -> None:
    # In quick mode the gross ones; the last takes the full plan.
    assert verdict(edge_kernels.WRONG_ON_MANY[name], (MANY,), Plan()) == "failed"


@pytest.mark.parametrize("K", [1, 2, 3, 5])
def test_a_correct_kernel_passes_on_rounded_data(K: int) -> None:
    """False-positive rate 1e-5, "inconclusive" 1e-3 at most; the first seed tried."""
    plan = Plan(first=250, base=8000, most=8000)  # of which an eighth
    assert verdict(samplers.right, (tied(K),), plan) == "passed"


@pytest.mark.parametrize("name", NOT_FAULTS)
def test_what_is_no_fault_is_none_on_such_data(name: str) -> None:
    """False-positive rate 1e-5, "inconclusive" 1e-3 at most; the first seed tried."""
    assert verdict(fault(name), (tied(2), tied(3), MANY), SHORT) == "passed"


def test_random_walks_are_correct_too() -> None:
    assert verdict(edge_kernels.metropolis, (tied(2), MANY), SHORT) == "passed"


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=() if n == "always" else pytest.mark.long)
        for n in edge_kernels.PERMUTING
    ],
)
def test_labels_permuted_at_random_pass_with_a_note(name: str) -> None:
    found = validate(edge_kernels.PERMUTING[name], quick=True, jobs=1)
    assert found.verdict == "passed"
    assert [r.numbers for r in found.noticed if r.code == Code.PERMUTES_LABELS] == [
        {"differing": True}
    ]
    assert "not correct when priors differ by component" in str(found)


@pytest.mark.parametrize("name", edge_kernels.SORTING)
def test_labels_that_are_sorted_fail(name: str) -> None:
    kernel = edge_kernels.SORTING[name]
    contract = probe_kernel(MixtureSubject(kernel, "own"), seed=1)
    scenes = (CALIBRATION, ASYMMETRIC)
    outcome = check_invariance(InProcess(kernel), scenes, SHORT, 1, silent, contract.permutes)
    assert outcome.check.verdict == "failed"
    assert outcome.tests[0].doubtful  # under one prior for all, not only where priors differ


def test_a_permutation_that_is_accepted_or_rejected_needs_no_note() -> None:
    kernel = edge_kernels.then(edge_kernels.accepted_or_rejected)
    assert probe_kernel(MixtureSubject(kernel, "own"), seed=1).permutes
    outcome = check_invariance(InProcess(kernel), (CALIBRATION, ASYMMETRIC), SHORT, 1, silent, True)
    assert outcome.check.verdict == "passed"
    assert not any(t.needs_equal_priors for t in outcome.tests)


@pytest.mark.parametrize(
    "wrong", [samplers.floor_under_w, fault("concentration-ignored"), fault("shape-plus-n")]
)
def test_a_permuting_kernel_with_a_fault_fails(wrong: Callable[..., Any]) -> None:
    def kernel(w, mu, sigma, y, priors, rng):  # type: ignore[no-untyped-def]
        new = wrong(w, mu, sigma, y, priors, rng)
        order = rng.permutation(len(w))
        return tuple(a[order] for a in new)

    contract = probe_kernel(MixtureSubject(kernel, "own"), seed=1)
    assert [s.name for s in contract.scenes if s.main] == ["calibration", "sparse"]
    outcome = check_invariance(InProcess(kernel), contract.scenes, QUICK, 1, silent, True)
    assert outcome.check.verdict == "failed"


@pytest.mark.slow
@pytest.mark.parametrize("strict", [False, True])
def test_a_kernel_that_never_touches_rng_is_told_so(strict: bool) -> None:
    found = validate(samplers.draws_from_numpy, quick=True, jobs=1, strict=strict)
    assert found.verdict == ("failed" if strict else "passed")
    assert found.stream == "never"
    assert "it never touches rng" in " ".join(found.notes)
    assert ("contract: it never touches rng" in str(found)) == strict


@pytest.mark.slow
def test_a_kernel_that_uses_its_rng_alone_is_strict() -> None:
    found = validate(samplers.right, quick=True, jobs=1, strict=True)
    assert (found.verdict, found.stream, found.notes) == ("passed", "only", ())

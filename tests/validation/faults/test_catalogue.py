"""Every fault of the gallery is found; what is no fault is not; the diagnosis names the fault."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from inprocess import InProcess, silent

from gmmcompare.model.params import Params
from gmmcompare.model.priors import Priors
from gmmcompare.runtime.errors import InputError
from gmmcompare.validation.checks import invariance
from gmmcompare.validation.checks.invariance import Plan, check_invariance
from gmmcompare.validation.checks.scenes import ASYMMETRIC, CALIBRATION, SPARSE, asymmetric
from gmmcompare.validation.diagnosis.signatures import stored_signatures
from gmmcompare.validation.diagnosis.suspects import diagnose
from gmmcompare.validation.faults.catalogue import (
    FAULTS,
    KERNEL_FAULTS,
    NOT_FAULTS,
    Variant,
    fault,
)
from gmmcompare.validation.faults.narrow import FAMILIES
from gmmcompare.validation.faults.sweep import GibbsSweep
from gmmcompare.validation.reasons import Code
from gmmcompare.validation.sandbox.mixture_subject import MixtureSubject
from gmmcompare.validation.sandbox.subject import BrokenError

HARDEST = "z-from-stale-weights"
SLOW = "sigma-from-previous-counts"
FEW = Plan(first=250, base=16_000, most=16_000)


def str_name(row: Variant) -> str:
    return row.name


@pytest.fixture
def no_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invariance, "_FOR_DIAGNOSIS", 0)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow if name == SLOW else ())
        for name in KERNEL_FAULTS
        if name != HARDEST
    ],
)
@pytest.mark.usefixtures("no_extra")
def test_fault_is_found(name: str) -> None:
    # Most need 250 to 1000 replicates of each prior; see reports/fault-gallery.md for more seeds.
    scenes = (CALIBRATION, ASYMMETRIC)
    outcome = check_invariance(InProcess(fault(name)), scenes, FEW, 1, silent)
    assert outcome.check.verdict == "failed"


@pytest.mark.slow
@pytest.mark.usefixtures("no_extra")
def test_weights_one_sweep_old_are_found() -> None:
    plan = Plan(first=4000, base=16_000, most=64_000)
    outcome = check_invariance(InProcess(fault(HARDEST)), (SPARSE,), plan, 1, silent)
    assert outcome.check.verdict == "failed"


@pytest.mark.parametrize("name", NOT_FAULTS)
@pytest.mark.slow
def test_what_is_no_fault_passes(name: str) -> None:
    # False-positive rate 1e-5, "inconclusive" 1e-3 at most; the seed is the first one tried.
    plan = Plan(first=500, base=1000, most=1000)
    scenes = (CALIBRATION, ASYMMETRIC)
    permutes = name == "labels-permuted-at-random"
    outcome = check_invariance(InProcess(fault(name)), scenes, plan, 1, silent, permutes)
    assert outcome.check.verdict == "passed"
    assert [t.needs_equal_priors for t in outcome.tests] == [False, permutes]


@pytest.mark.parametrize("name", ["rate-for-scale", "mean-loc-ignored", "mu-from-previous-counts"])
@pytest.mark.slow
def test_the_planted_fault_is_named(name: str) -> None:
    # The signatures come from another seed (diagnosis.signatures).
    outcome = check_invariance(InProcess(fault(name)), (CALIBRATION, ASYMMETRIC), FEW, 5, silent)
    found = diagnose(outcome.tests, remembers=FAULTS[name].remembers)
    assert name in [s.fault for s in found.suspects]
    assert found.findings


def test_words_tell_a_scale_from_a_rate() -> None:
    kernel = fault("rate-for-scale")
    outcome = check_invariance(InProcess(kernel), (CALIBRATION,), FEW, 5, silent)
    found = diagnose(outcome.tests, remembers=False)
    assert [r.numbers["parameter"] for r in found.reasons if r.code == Code.PARAMETER_OFF]
    assert "sigma is too" in " ".join(found.findings)


def test_every_fault_has_a_signature_and_words() -> None:
    known = stored_signatures()
    assert set(known.faults) == set(KERNEL_FAULTS)
    assert all(np.isfinite(effects).all() for effects in known.effects.values())
    for row in FAULTS.values():
        assert row.mistake
        assert row.effect


@pytest.mark.parametrize("row", [*KERNEL_FAULTS.values(), *NOT_FAULTS.values()], ids=str_name)
def test_a_row_replaces_one_step_and_changes_the_draws(row: Variant) -> None:
    """All else is the correct sweep's, so chains part sooner or later, but for the correct one."""
    kernel, correct = row.build(), GibbsSweep()
    assert set(vars(kernel)) == ({"name", row.step} if row.step else {"name"})
    start, data = ASYMMETRIC.sample_joint(np.random.default_rng(1), 5)
    ours, theirs = (np.random.default_rng(2) for _ in range(2))
    parted = False
    with np.errstate(all="ignore"):
        for i, y in enumerate(data):  # a floor under sigma is never reached with some
            at = other = Params(*(a[i] for a in start))
            for _ in range(30):
                at = kernel(*at, y, ASYMMETRIC.priors, ours)
                other = correct(*other, y, ASYMMETRIC.priors, theirs)
            parted = parted or not all(map(np.array_equal, at, other))
    assert parted == (row.name != "correct")


def test_each_kernel_has_a_memory_of_its_own() -> None:
    stale = [name for name, row in KERNEL_FAULTS.items() if row.remembers]
    assert stale == [HARDEST, "mu-from-previous-counts", SLOW]
    for name in stale:
        step = KERNEL_FAULTS[name].step
        first, second = (getattr(fault(name), step).func for _ in range(2))
        assert first is not second


def test_the_table_can_be_read_without_the_code() -> None:
    for name, row in {**FAULTS, **NOT_FAULTS}.items():
        assert row.name == name == fault(name).name
        assert len(row.mistake) < 120
        assert not row.effect.endswith(".")


def collapsed(w, mu, sigma, y, priors, rng):  # type: ignore[no-untyped-def]
    return w, mu, 0.0 * sigma


def test_a_sigma_that_collapses_is_told_what_may_be_missing() -> None:
    subject = MixtureSubject(collapsed, "own")
    point = Params(np.full(2, 0.5), np.zeros(2), np.ones(2))
    with pytest.raises(BrokenError, match="smallest is 0; without var_scale sigma collapses"):
        subject.sweep(point, np.zeros(3), Priors(), np.random.default_rng(1))


def test_an_unknown_fault_is_refused_with_a_suggestion() -> None:
    with pytest.raises(InputError, match="did you mean 'rate-for-scale'"):
        fault("fault:rate-for-scal")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_narrow_kernel_takes_less_and_draws_the_same_distribution(family: str) -> None:
    """Means of 4,000 single sweeps from one point, six standard errors: 1e-7 for six numbers."""
    two, numbers = FAMILIES[family]
    narrow, wide = fault(f"fault:correct@{family}"), GibbsSweep()
    K = 2 if two else 3
    start, y = replace(CALIBRATION, K=K).sample_joint(np.random.default_rng(1), 1)
    at = Params(*(a[0] for a in start))
    draws = [
        np.array([kernel(*at, y[0], CALIBRATION.priors, rng).w for _ in range(4000)])
        for kernel, rng in ((narrow, np.random.default_rng(2)), (wide, np.random.default_rng(3)))
    ]
    gap = draws[0].mean(axis=0) - draws[1].mean(axis=0)
    assert (np.abs(gap) < 6 * np.sqrt((draws[0].var(0) + draws[1].var(0)) / 4000)).all()
    if numbers:
        refused = (*at, y[0], asymmetric(K).priors)
    else:
        refused = (np.full(3, 1 / 3), np.zeros(3), np.ones(3), y[0], Priors())
    with pytest.raises((ValueError, TypeError)):
        narrow(*refused, np.random.default_rng(1))


def test_a_family_must_be_known_and_of_kernels() -> None:
    for name in ("correct@three", "one-seed-for-all-chains@two"):
        with pytest.raises(InputError, match="these families: two, numbers, two-numbers"):
            fault(name)

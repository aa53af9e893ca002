"""Every fault of the gallery is found; what is no fault is not; the diagnosis names the fault."""

from __future__ import annotations

import numpy as np
import pytest
from inprocess import InProcess, silent

from gmmcompare.model.params import Params
from gmmcompare.model.priors import Priors
from gmmcompare.runtime.errors import InputError
from gmmcompare.validation.checks import invariance
from gmmcompare.validation.checks.invariance import Plan, check_invariance
from gmmcompare.validation.checks.scenes import ASYMMETRIC, CALIBRATION, SPARSE
from gmmcompare.validation.diagnosis.suspects import diagnose, stored_signatures
from gmmcompare.validation.faults.catalogue import FAULTS, KERNEL_FAULTS, NOT_FAULTS, fault
from gmmcompare.validation.sandbox.subject import BrokenError, Subject

HARDEST = "z-from-stale-weights"
FEW = Plan(first=250, base=16_000, most=16_000)


@pytest.fixture
def no_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invariance, "_FOR_DIAGNOSIS", 0)


@pytest.mark.parametrize("name", [n for n in KERNEL_FAULTS if n != HARDEST])
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
def test_what_is_no_fault_passes(name: str) -> None:
    # False alarm 1e-5, "inconclusive" 1e-3 at most; the seed is the first one tried.
    plan = Plan(first=500, base=1000, most=1000)
    scenes = (CALIBRATION, ASYMMETRIC)
    outcome = check_invariance(InProcess(fault(name)), scenes, plan, 1, silent)
    assert outcome.check.verdict == "passed"


@pytest.mark.parametrize("name", ["rate-for-scale", "mean-loc-ignored", "mu-from-previous-counts"])
def test_the_planted_fault_is_named(name: str) -> None:
    # The signatures come from another seed (gallery.write_signatures).
    outcome = check_invariance(InProcess(fault(name)), (CALIBRATION, ASYMMETRIC), FEW, 5, silent)
    found = diagnose(outcome.tests, remembers=FAULTS[name].remembers)
    assert name in [s.fault for s in found.suspects]
    assert found.findings


def test_words_tell_a_scale_from_a_rate() -> None:
    kernel = fault("rate-for-scale")
    outcome = check_invariance(InProcess(kernel), (CALIBRATION,), FEW, 5, silent)
    said = " ".join(diagnose(outcome.tests, remembers=False).findings)
    assert "sigma is too" in said


def test_every_fault_has_a_signature_and_words() -> None:
    known = stored_signatures()
    assert set(known.faults) == set(KERNEL_FAULTS)
    assert all(np.isfinite(effects).all() for effects in known.effects.values())
    for kind in FAULTS.values():
        assert kind.mistake
        assert kind.effect


def collapsed(w, mu, sigma, y, priors, rng):  # type: ignore[no-untyped-def]
    return w, mu, 0.0 * sigma


def test_a_sigma_that_collapses_is_told_what_may_be_missing() -> None:
    subject = Subject(collapsed, "own")
    point = Params(np.full(2, 0.5), np.zeros(2), np.ones(2))
    with pytest.raises(BrokenError, match="smallest is 0; without var_scale sigma collapses"):
        subject.sweep(point, np.zeros(3), Priors(), np.random.default_rng(1))


def test_an_unknown_fault_is_refused_with_a_suggestion() -> None:
    with pytest.raises(InputError, match="did you mean 'rate-for-scale'"):
        fault("fault:rate-for-scal")

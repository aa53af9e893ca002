"""`validate` on samplers as users write them, in child processes: verdict and message."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import samplers
from inprocess import InProcess, silent

from gmmcompare.runtime.errors import InputError
from gmmcompare.testing import assert_valid_kernel
from gmmcompare.validation import Validation, validate
from gmmcompare.validation.checks.invariance import Plan, check_invariance
from gmmcompare.validation.checks.scenes import CALIBRATION, FIVE
from gmmcompare.validation.diagnosis.suspects import diagnose
from gmmcompare.validation.reasons import Code, Reason
from gmmcompare.validation.sandbox.sandbox import Sandbox
from gmmcompare.validation.sandbox.target import Target

SAMPLERS = Path(__file__).with_name("samplers.py")

BROKEN = {
    "raises": "ZeroDivisionError: division by zero in samplers.py, line",
    "exits": "called exit(3)",
    "dies": "exit code 4",
    "returns_text": "returned str",
    "returns_two": "returned 2 values",
    "wrong_shape": "returned shapes",
    "off_the_simplex": "weights must sum to 1",
    "hidden_seed": "seed of its own",
    "ignores_the_data": "does not use it",
    "changes_y": "changes y in place",
    "keeps_sigma": "leave sigma exactly as it was",
    "nan_after_1000_calls": "mu has 3 NaN of 3 values (call 1,001",
    "whole_without_data": "does not use it",
    "ignores_the_priors": "whatever the priors",
    "keeps_the_first_priors": "whatever the priors",
    "same_chain_four_times": "copies of each other",
    "overlapping_chains": "copies of each other",
    "whole_hidden_seed": "seed of its own",
    "axes_swapped": "chains where 4 were asked for",
    "point_estimate": "one point of shape (K,)",
}


def tried(name: str, **options: object) -> Validation:
    options = {"quick": True, "jobs": 1, "call_limit": 60.0, **options}
    return validate(f"{SAMPLERS}:{name}", **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.slow
def test_a_broken_sampler_fails_with_the_reason(name: str) -> None:
    found = tried(name)
    assert found.verdict == "failed"
    assert BROKEN[name] in found.checks[-1].summary
    assert found.diagnosis.reasons[0] == found.checks[-1].reasons[0]
    assert str(found).count(BROKEN[name]) == 1


@pytest.mark.parametrize(
    ("name", "what"),
    [("raises", "raised"), ("hidden_seed", "hidden seed"), ("overlapping_chains", "copied chains")],
)
def test_what_broke_is_a_short_word(name: str, what: str) -> None:
    (reason,) = tried(name).checks[-1].reasons
    assert (reason.code, reason.numbers["what"]) == (Code.BROKEN_CALL, what)


def test_a_sampler_that_hangs_is_stopped() -> None:
    found = tried("hangs", call_limit=1.0)
    assert found.verdict == "failed"
    assert "did not return within 1 s" in found.checks[-1].summary


@pytest.mark.slow
def test_a_correct_kernel_passes(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    # Printing and warning are noted, kept in a log, and never mixed with our own output.
    found = tried("chatty", out=tmp_path)
    assert found.verdict == "passed"
    assert [c.name for c in found.checks] == ["contract", "invariance", "exact posterior"]
    assert any("printed" in note for note in found.notes)
    assert any("nearly zero (samplers.py, line" in note for note in found.notes)
    assert "sweep!" in (tmp_path / "printed.log").read_text(encoding="utf-8")
    assert capfd.readouterr() == ("", "")
    assert found.error_rate < 2e-5
    again = Validation.from_json((tmp_path / "validation.json").read_text(encoding="utf-8"))
    assert again.to_json() == found.to_json()
    assert str(again) == str(found)
    assert list(found.table()["verdict"]) == ["passed"] * 3
    assert {"quantity", "scene", "effect", "log_wealth"} <= set(found.quantities().columns)


@pytest.mark.slow
def test_a_wrong_kernel_is_told_its_line() -> None:
    found = tried("rate_passed_as_scale", jobs=2)
    assert found.verdict == "failed"
    assert found.diagnosis.suspects[0].fault == "rate-for-scale"
    assert "rng.gamma(shape, 1 / scale)" in str(found)
    json.loads(found.to_json())


@pytest.mark.slow
def test_a_wrong_whole_sampler_is_told_its_line_too() -> None:
    found = tried("whole_rate_passed_as_scale", jobs=2)
    assert found.verdict == "failed"
    assert "rate-for-scale" in [s.fault for s in found.diagnosis.suspects]


ELSEWHERE = {
    "first_twelve": "many-observations",
    "three_in_a_formula": "five-component",
    "floor_under_sigma": "small-unit",
    "single_precision": "small-unit",
}


@pytest.mark.parametrize("name", ELSEWHERE)
@pytest.mark.slow
def test_what_is_wrong_in_other_sizes_or_units_only_is_found(name: str) -> None:
    found = tried(name)
    assert {c.name for c in found.checks if c.verdict == "failed"} == {"invariance"}
    wealth = {
        scene: table["log_wealth"] for scene, table in found.checks[-1].data["scenes"].items()
    }
    assert max(wealth, key=wealth.__getitem__) == ELSEWHERE[name]
    elsewhere = found.diagnosis.reasons[0]
    assert elsewhere.code == Code.ONLY_ELSEWHERE
    assert ELSEWHERE[name] in elsewhere.numbers["scenes"]
    assert f"the {ELSEWHERE[name]} prior (K = " in found.diagnosis.findings[0]
    assert not found.diagnosis.suspects


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # its sigma leaves the data
def test_what_is_wrong_with_single_observations_is_found() -> None:
    # The main scenes do not notice: there, one observation counts little beside the prior.
    kernel = InProcess(samplers.singletons_from_the_prior)
    outcome = check_invariance(kernel, (FIVE,), Plan(), 1, silent)
    assert outcome.check.verdict == "failed"
    diagnosis = diagnose(outcome.tests, remembers=False)
    assert diagnosis.reasons[0].numbers["crowded"]
    assert "the five-component prior (K = 5, N = 3" in diagnosis.findings[0]
    assert "components with one observation or none" in diagnosis.findings[0]


@pytest.mark.slow
def test_sizes_that_a_kernel_does_not_take_are_named() -> None:
    found = tried("three_components_only")
    assert found.verdict == "passed"
    left = {reason.code: reason.numbers for reason in found.untested}
    assert left[Code.SIZES_REFUSED]["sizes"] == (1, 2, 4, 5, 6, 7, 8, 10)
    assert left[Code.OTHER_SIZES]["sizes"] == ((3, 12), (3, 40), (3, 2), (3, 1000))
    assert Code.REFUSED not in left  # others took the places of what it does not take
    assert any("samplers.py:three_components_only: raised" in text for text in found.not_tested)
    first, second = str(found).splitlines()[:2]
    assert "passed" in first
    assert "K = 3 (N = 2, 12, 40, 1,000), as this kernel is for K = 3 alone" in second


@pytest.mark.slow
def test_a_kernel_that_keeps_the_posterior_must_also_reach_it() -> None:
    found = tried("starts_at_the_second")
    assert {c.name: c.verdict for c in found.checks}["invariance"] == "passed"
    assert {c.name: c.verdict for c in found.checks}["exact posterior"] == "failed"


@pytest.mark.slow
def test_a_kernel_that_seldom_moves_is_correct_but_proves_nothing() -> None:
    found = tried("moves_seldom")
    assert found.verdict == "inconclusive"
    (reason,) = found.checks[-1].reasons
    assert reason.code == Code.CHAINS_STAND_STILL
    assert reason.numbers["still"] > 0.05 * reason.numbers["chains"]


@pytest.mark.slow
def test_labels_sorted_together_are_told_from_labels_sorted_in_part() -> None:
    together, in_part = (
        validate(f"fault:{name}", quick=True, jobs=1).diagnosis.reasons[0]
        for name in ("labels-sorted-each-sweep", "weights-left-unsorted")
    )
    assert together == Reason(Code.LABELS_SORTED, {"together": True})
    assert in_part == Reason(Code.LABELS_SORTED, {"together": False})


@pytest.mark.slow
def test_a_fault_like_none_of_the_gallery_has_no_suspects() -> None:
    found = tried("floor_under_w")
    assert found.verdict == "failed"
    assert not found.diagnosis.suspects
    assert Code.UNLIKE_ANY_FAULT in [reason.code for reason in found.diagnosis.reasons]


@pytest.mark.slow
def test_same_seed_same_result_on_any_number_of_processes() -> None:
    tables = []
    for jobs in (1, 2):
        with Sandbox(Target(f"{SAMPLERS}:right"), jobs, 60.0) as sandbox:
            assert sandbox.start() == "kernel"
            plan = Plan(first=500, base=500, most=500)
            tests = check_invariance(sandbox, (CALIBRATION,), plan, 1, silent).tests
            tables.append(tests[0].table())
    assert tables[0] == tables[1]


@pytest.mark.slow
def test_out_of_time_is_inconclusive() -> None:
    found = tried("right", quick=False, time_limit=4.0)
    assert found.verdict == "inconclusive"
    stopped = [c for c in found.checks if c.verdict == "inconclusive"]
    assert {reason.code for check in stopped for reason in check.reasons} == {Code.OUT_OF_TIME}
    assert "time_limit" in found.reasons[0]


def test_a_name_that_does_not_exist_is_bad_input() -> None:
    with pytest.raises(InputError, match="no function 'rigth'"):
        tried("rigth")


def test_em_cannot_be_validated() -> None:
    with pytest.raises(InputError, match="point estimate"):
        validate("em")


@pytest.mark.slow
def test_assert_valid_kernel_takes_a_function() -> None:
    def copy_of_the_prior(w, mu, sigma, y, priors, rng):  # type: ignore[no-untyped-def]
        new = priors.sample(rng, len(w))
        return new.w, new.mu + 1e-9 * y.mean(), new.sigma

    with pytest.raises(AssertionError, match="copy_of_the_prior: failed"):
        assert_valid_kernel(copy_of_the_prior)

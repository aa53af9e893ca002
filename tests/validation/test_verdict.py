"""A validation as data: its verdict, its JSON, and what is said once."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gmmcompare.runtime.errors import InputError
from gmmcompare.validation.faults.catalogue import FAULTS
from gmmcompare.validation.reasons import Code, Reason
from gmmcompare.validation.verdict import Check, Diagnosis, Suspect, Validation, Verdict

BROKEN = Reason(Code.BROKEN_CALL, {"what": "raised", "message": "it raised ZeroDivisionError"})
WRONG = Reason(Code.WRONG_DRAWS, {"conditional": "means"})


def validation(*verdicts: Verdict) -> Validation:
    checks = tuple(Check("invariance", v, (WRONG,), error_rate=1e-6) for v in verdicts)
    return Validation("own.py:sweep", "kernel", checks, Diagnosis(), (), (), 1, 0.5)


def full() -> Validation:
    return replace(
        validation("passed", "failed"),
        diagnosis=Diagnosis((BROKEN, WRONG), (Suspect("shape-plus-n", 0.9),)),
        noticed=(Reason(Code.NOT_REPRODUCIBLE),),
        untested=(Reason(Code.OTHER_SIZES, {"sizes": [[3, 12]]}),),
    )


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (("passed", "passed"), "passed"),
        (("passed", "inconclusive"), "inconclusive"),
        (("inconclusive", "failed", "passed"), "failed"),
        ((), "inconclusive"),
    ],
)
def test_one_failure_decides(verdicts: tuple[Verdict, ...], expected: Verdict) -> None:
    assert validation(*verdicts).verdict == expected


def test_error_rates_add_up_and_are_said() -> None:
    found = validation("passed", "passed", "passed")
    assert found.error_rate == pytest.approx(3e-6)
    assert "false-positive rate at most 3e-6" in str(found)


def test_json_has_the_keys_that_scripts_rely_on() -> None:
    """Keys of the first schema stay; ``codes`` stand beside the words that are made of them."""
    found = json.loads(full().to_json())
    assert set(found) - {"codes"} == {
        *("schema", "version", "sampler", "kind", "verdict", "seed", "seconds", "error_rate"),
        *("checks", "diagnosis", "remedies", "tested", "notes", "not_tested"),
    }
    assert set(found["checks"][0]) - {"codes"} == {
        *("name", "verdict", "summary", "replicates", "seconds", "error_rate", "data"),
    }
    assert found["checks"][0]["codes"] == [
        {"code": "wrong-draws", "engine": "", "numbers": {"conditional": "means"}}
    ]
    assert found["diagnosis"]["findings"] == list(full().diagnosis.findings)
    (suspect,) = found["diagnosis"]["suspects"]
    row = FAULTS["shape-plus-n"]
    assert suspect == {
        "fault": row.name, "mistake": row.mistake, "effect": row.effect, "score": 0.9
    }  # fmt: skip
    assert found["not_tested"] == ["sizes other than K = 3 with N = 12"]


def test_json_is_read_back() -> None:
    assert Validation.from_json(full().to_json()) == full()


def test_json_with_codes_of_another_version_is_bad_input() -> None:
    old = json.loads(full().to_json())
    old["codes"]["not_tested"] = [
        {"code": "small-errors", "engine": "", "numbers": {"quick": True}}
    ]
    with pytest.raises(InputError, match="validate it again"):
        Validation.from_json(json.dumps(old))


def test_json_without_codes_is_bad_input() -> None:
    old = json.loads(full().to_json())
    del old["codes"]
    old["version"] = "0.0.1"
    with pytest.raises(InputError, match=r"own.py:sweep: validated with gmmcompare 0\.0\.1"):
        Validation.from_json(json.dumps(old))


def test_a_call_that_broke_is_said_once() -> None:
    broken = Check("contract", "failed", (BROKEN,))
    found = replace(validation(), checks=(broken,), diagnosis=Diagnosis((BROKEN, WRONG)))
    assert str(found).count("ZeroDivisionError") == 1
    assert found.news.reasons == (WRONG,)
    assert found.reasons == ("contract: it raised ZeroDivisionError",)

"""The page of a validation as a document: true to the validation, self-contained, whatever came."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gmmcompare.report.frame.words import powers
from gmmcompare.report.validation.figures import band_half_width
from gmmcompare.report.validation.page import ASKS, validation_context, write_validation
from gmmcompare.runtime.errors import InputError
from gmmcompare.validation import validate
from gmmcompare.validation.reasons import Code, Reason
from gmmcompare.validation.verdict import Check, Diagnosis, Validation


@pytest.fixture(scope="module")
def failed() -> Validation:
    return validate("fault:rate-for-scale", quick=True, seed=3)


@pytest.fixture(scope="module")
def text(failed: Validation, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "index.html"
    return write_validation(failed, path).read_text(encoding="utf-8")


@pytest.mark.slow
def test_verdict_diagnosis_and_what_was_not_tested_are_on_the_page(
    failed: Validation, text: str
) -> None:
    assert '<h2 id="verdict-title">Failed</h2>' in text
    shown = re.findall(r"\d\. ([\w-]+) <small>\(similarity (.*?)\)", text)
    assert shown == [(s.fault, f"{s.score:.2f}") for s in failed.diagnosis.suspects]
    assert shown[0][0] == "rate-for-scale"
    assert "rng.gamma(shape" in text
    for heading in ("What was tested", "What was not tested", "Full conditionals", "Invariance"):
        assert f">{heading}</h2>" in text
    assert f"gmmcompare validate {failed.name} --seed 3" in text
    assert len(text) < 3_000_000
    assert not re.findall(r"(?:src|href)=\"https?:", text)


def test_only_priors_with_replicates_are_drawn(failed: Validation, text: str) -> None:
    assert "The asymmetric prior" in text
    assert "The two-component prior" not in text  # it failed before that one's turn came
    assert "sizes other than K = 3 with N = 12" in failed.not_tested


def test_scope_and_random_stream_are_said_at_the_top(failed: Validation, tmp_path: Path) -> None:
    scope = {
        "kind": "kernel",
        "sizes": [(2, 12)],
        "taken": [2],
        "refused": [3],
        "unequal": [],
        "equal": ["mean_loc"],
    }
    found = replace(
        failed,
        scope=(Reason(Code.SCOPE, scope),),
        noticed=(Reason(Code.RNG_UNUSED), Reason(Code.PRINTED, {"lines": 1, "log": ""})),
    )
    brief = validation_context(found)["brief"]
    said = dict(brief)
    assert said["Scope"].startswith("Tested with K = 2 (N = 12), as this kernel is for K = 2 alone")
    assert said["Note"].startswith("It never touches rng")
    text = write_validation(found, tmp_path / "index.html").read_text(encoding="utf-8")
    assert text.index("It never touches rng") < text.index('id="checks-title"')


def test_ids_are_unique_and_terms_are_explained(text: str) -> None:
    ids = re.findall(r" id=\"([^\"]+)\"", text)
    assert len(ids) == len(set(ids))
    assert {f"g-{key}" for key in re.findall(r"href=\"#g-([\w-]+)\"", text)} <= set(ids)


def test_a_saved_validation_makes_the_same_page(
    failed: Validation, text: str, tmp_path: Path
) -> None:
    again = Validation.from_json(failed.to_json())
    path = write_validation(again, tmp_path / "index.html")
    assert path.read_text(encoding="utf-8") == text


def test_a_sampler_that_broke_has_its_traceback_on_the_page(tmp_path: Path) -> None:
    data = {"what": "raised", "traceback": "Traceback: line 7, <mu>"}
    broken = Reason(Code.BROKEN_CALL, {"what": "raised", "message": "it raised"})
    check = Check("contract", "failed", (broken,), data=data)
    found = replace(validation_of(check), name="a<b>.py:sweep")
    text = write_validation(found, tmp_path / "index.html").read_text(encoding="utf-8")
    assert "Traceback: line 7, &lt;mu&gt;" in text
    assert "a<b>" not in text


def test_a_ratio_that_is_off_by_infinity_is_on_the_page() -> None:
    """Before and after JSON, which has null for it."""
    wrong = Reason(Code.WRONG_RATIO, {"conditional": "weights", "error": np.inf})
    data = {
        "ratio_errors": {"weights": np.inf, "means": 1e-12},
        "p": {"weights": [0.2], "means": [0.5], "allocations": [0.1]},
        "pits": {},
    }
    found = validation_of(Check("conditionals", "failed", (wrong,), data=data))
    for each in (found, Validation.from_json(found.to_json())):
        rows = validation_context(each)["sections"]["conditionals"]["rows"]
        assert [row["error"] for row in rows] == ["\N{INFINITY}", "10⁻¹²", ""]
        assert [row["wrong_ratio"] for row in rows] == [True, False, False]


def test_every_check_says_what_it_asks() -> None:
    for name in ASKS:
        (row,) = validation_context(validation_of(Check(name, "passed", ())))["checks"]
        assert row["asks"].endswith("?")


def test_a_folder_that_cannot_be_written_is_one_line(failed: Validation, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"):
        write_validation(failed, tmp_path / "file" / "index.html")


def test_the_band_holds_what_it_says() -> None:
    """Of 2,000 samples of 200 uniforms fewer than 5 % leave it, up to 5 sd of that share (3e-7)."""
    rng, n = np.random.default_rng(5), 200
    u = np.sort(rng.random((2000, n)), axis=1)
    steps = np.arange(1, n + 1) / n
    distance = np.maximum(steps - u, u - (steps - 1 / n)).max(axis=1)
    assert (distance > band_half_width(n)).mean() < 0.05 + 5 * np.sqrt(0.05 * 0.95 / 2000)


def test_powers_are_raised() -> None:
    assert powers("10^5 of 10^-12, 10^x") == "10⁵ of 10⁻¹², 10^x"


def validation_of(check: Check) -> Validation:
    return Validation("nothing", "kernel", (check,), Diagnosis(), (), (), 1, 0.1)

"""Faults that the gallery does not have are given no suspect; reports/suspects.md has them all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import suspects_study
from inprocess import InProcess, silent
from not_in_gallery import OUTSIDE
from suspects_study import CASES, ONE_ROUND, SuspectsStudy

from gmmcompare.validation.checks.invariance import Plan, check_invariance
from gmmcompare.validation.checks.scenes import ASYMMETRIC, CALIBRATION
from gmmcompare.validation.diagnosis.suspects import diagnose
from gmmcompare.validation.faults.catalogue import FAULTS, NOT_FAULTS

NEAREST = ("likeliest-for-drawn", "mean-square-for-sum", "rate-of-the-prior-for-scale")


def test_there_are_thirty_and_the_gallery_has_none_of_them() -> None:
    names = {fault.name for fault in OUTSIDE}
    assert len(names) == len(OUTSIDE) == 30
    assert not names & {*FAULTS, *NOT_FAULTS}
    steps = {(f.step, f.replacement) for f in (*FAULTS.values(), *OUTSIDE)}
    assert len(steps) == len(FAULTS) + len(OUTSIDE)


@pytest.mark.slow
@pytest.mark.parametrize("name", NEAREST)
def test_the_nearest_are_given_no_suspect(name: str) -> None:
    scenes = (CALIBRATION, ASYMMETRIC)
    outcome = check_invariance(InProcess(CASES[name].build()), scenes, ONE_ROUND, 8, silent)
    assert outcome.check.verdict == "failed"
    assert diagnose(outcome.tests, remembers=False).suspects == ()


@pytest.mark.slow
def test_the_study_tells_itself_from_others_and_writes_what_the_report_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suspects_study, "ONE_ROUND", Plan(first=250, base=250, most=250))
    cases = ("rate-for-scale", "off-by-one")
    monkeypatch.setattr(suspects_study, "CASES", {name: CASES[name] for name in cases})
    study = SuspectsStudy(tmp_path / "suspects", 1)
    study.run(1)
    text = study.write().read_text(encoding="utf-8")
    (known,), (unknown,) = study.found()["rate-for-scale"], study.found()["off-by-one"]
    assert known["vectors"]["own"] > 0.95 > known["vectors"]["similarity"] > 0.0
    assert unknown["vectors"]["own"] == 0.0
    assert "`vectors`: 1 of 1 known faults are named; left out, 0 of 1 would" in text
    assert "of faults not in the gallery, 0 of 1 are given a suspect" in text
    # Whoever is not caught is not suspected, and what cannot be told is a dash.
    row = {**known, "verdict": "passed"}
    assert "0 of 1 known faults" in study.page({"rate-for-scale": [row], "off-by-one": [unknown]})
    nobody = {"own": 0.0, "nearest": "", "similarity": 0.0}
    faint = {**unknown, "vectors": nobody, "numbers": nobody}
    page = study.page({"rate-for-scale": [known], "off-by-one": [faint]})
    assert "| off-by-one | yes | - | - | - | - |" in page
    assert replace(study, seed=2).identity != study.identity
    assert np.isfinite(known["numbers"]["own"])

"""What became of the gallery, one line a sampler."""

from __future__ import annotations

import pytest

from gmmcompare.validation import gallery
from gmmcompare.validation.gallery import exhibit, run_gallery
from gmmcompare.validation.verdict import Check, Diagnosis, Suspect, Validation


def validation(*checks: Check, suspects: tuple[str, ...] = ()) -> Validation:
    named = Diagnosis((), tuple(Suspect(name, 0.9) for name in suspects))
    return Validation("a", "kernel", checks, named, (), (), 1, 2.0)


def test_replicates_are_those_until_the_verdict() -> None:
    path = {"replicates": [500, 1000], "log_wealth": [3.0, 20.0]}
    failed = Check("invariance", "failed", (), 4000, data={"path": path})
    e = exhibit("shape-plus-n", validation(Check("conditionals", "failed", (), 2000), failed))
    assert (e.caught_by, e.replicates, e.is_fault) == ("conditionals, invariance", 1000, True)
    passed = validation(Check("invariance", "passed", (), 4000), Check("exact", "passed", (), 160))
    assert exhibit("correct", passed).replicates == 4160
    assert not exhibit("correct", passed).is_fault


def test_the_rank_is_the_place_of_the_planted_fault() -> None:
    failed = Check("sbc", "failed", (), 100)
    found = validation(failed, suspects=("shape-plus-n", "var-scale-dropped"))
    ranks = [exhibit(n, found).rank for n in ("shape-plus-n", "var-scale-dropped", "correct")]
    assert ranks == [1, 2, 0]


def test_every_sampler_of_the_gallery_has_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def no_validation(name: str, **options: object) -> Validation:
        asked.append(name)
        return validation()

    monkeypatch.setattr(gallery, "validate", no_validation)
    names = [e.name for e in run_gallery()]
    assert len(set(names)) == len(names) == 42
    assert asked == [f"fault:{name}" for name in names]
    assert [e.name for e in run_gallery(names=["correct"])] == ["correct"]

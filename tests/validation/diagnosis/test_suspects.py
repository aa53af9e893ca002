"""Who is suspected: whoever is most like what was seen, and nobody who is not like enough."""

from __future__ import annotations

import numpy as np
import pytest

from gmmcompare.validation import error_rates
from gmmcompare.validation.checks.invariance import SceneTest
from gmmcompare.validation.checks.scenes import ASYMMETRIC, CALIBRATION, FIVE
from gmmcompare.validation.diagnosis.signatures import Signatures, stored_signatures
from gmmcompare.validation.diagnosis.suspects import diagnose, suspects, suspects_of_runs
from gmmcompare.validation.faults.catalogue import FAULTS
from gmmcompare.validation.reasons import Code
from gmmcompare.validation.verdict import Diagnosis

SCENES = (CALIBRATION, ASYMMETRIC)
FAINT = ("z-from-stale-weights", "sigma-from-previous-counts", "mu-and-sigma-from-old-values")
"""Signatures that are no clearer than their own Monte Carlo error; or hardly."""
N = 4000


def like(effects: dict[str, np.ndarray], doubtful: bool = True) -> list[SceneTest]:  # type: ignore[type-arg]
    """Return tests that have seen these effects."""
    tests = []
    for scene in SCENES:
        test = SceneTest.of(scene)
        test.wealth.n = N
        effect = effects[scene.name].astype(float)
        test.wealth._sum = N * effect
        # So that quantities are uncorrelated, the sd of each is 1, and its mean the effect.
        test.wealth._products = N * (np.eye(effect.size) + np.outer(effect, effect))
        test.wealth.log_single[:] = 20.0 if doubtful else 0.0
        tests.append(test)
    return tests


def row(known: Signatures, name: str) -> dict[str, np.ndarray]:  # type: ignore[type-arg]
    return {scene: e[known.faults.index(name)] for scene, e in known.effects.items()}


def test_each_stored_fault_is_most_like_itself() -> None:
    known = stored_signatures()
    for name in known.faults:
        named = suspects(like(row(known, name)), FAULTS[name].remembers)
        if name in FAINT:
            assert {s.fault for s in named} <= {name}
        else:
            assert named[0].fault == name
            assert named[0].score > 0.99


@pytest.mark.parametrize("part", [0.5, 0.7, 1.5, 2.0])
def test_the_same_direction_but_another_size_is_another_fault(part: float) -> None:
    known = stored_signatures()
    effects = {scene: part * e for scene, e in row(known, "shape-plus-n").items()}
    assert suspects(like(effects), remembers=False) == ()


def test_nobody_is_suspected_below_the_similarity_whose_error_rate_is_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = stored_signatures()
    name = "squares-about-ybar"
    others = tuple(f for f in known.faults if f != name)
    kept = [known.faults.index(f) for f in others]
    left_out = Signatures(others, {s: e[kept] for s, e in known.effects.items()}, known.n)
    tests = like(row(known, name))
    assert suspects(tests, False, left_out) == ()
    monkeypatch.setattr(error_rates, "SUSPECT_SIMILARITY", 0.7)
    assert suspects(tests, False, left_out)[0].fault == "shape-half-too-much"


def test_noise_is_like_nobody() -> None:
    """Random directions in hundreds of dimensions: 0.96 has probability zero."""
    rng = np.random.default_rng(1)
    noise = {name: 0.2 * rng.standard_normal(e.shape[1])
             for name, e in stored_signatures().effects.items()}  # fmt: skip
    assert suspects(like(noise), remembers=False) == ()


def test_only_a_kernel_that_remembers_is_suspected_of_memory() -> None:
    known = stored_signatures()
    stale = like(row(known, "mu-from-previous-counts"))
    assert [s.fault for s in suspects(stale, remembers=True)] == ["mu-from-previous-counts"]
    assert suspects(stale, remembers=False) == ()
    wrong = like(row(known, "rate-for-scale"))
    assert suspects(wrong, remembers=True) == ()


def test_who_shows_for_certain_is_no_suspect_where_that_does_not_show() -> None:
    """One sigma for all components shows in every sweep; here there are none to show it."""
    tests = like(row(stored_signatures(), "one-sigma-for-all"))
    assert suspects(tests, remembers=False)[0].fault == "one-sigma-for-all"
    found = diagnose(tests, remembers=False)
    assert found.suspects == ()
    assert Code.UNLIKE_ANY_FAULT in [reason.code for reason in found.reasons]


def test_at_most_three_are_named_in_order_with_their_similarity(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(error_rates, "SUSPECT_SIMILARITY", 0.3)
    known = stored_signatures()
    for name in ("shape-half-too-little", "squares-about-ybar"):
        named = suspects(like(row(known, name)), remembers=False)
        scores = [s.score for s in named]
        assert len(named) == 3
        assert scores == sorted(scores, reverse=True)
        said = str(Diagnosis((), named))
        assert f"1. {name} (similarity 1.00): " in said
        assert f"(similarity {scores[2]:.2f})" in said


def test_a_fault_of_another_size_has_no_suspects() -> None:
    elsewhere = SceneTest.of(FIVE)
    elsewhere.wealth.log_single[:] = 20.0
    known = stored_signatures()
    calm = like(row(known, "shape-plus-n"), doubtful=False)
    found = diagnose([*calm, elsewhere], remembers=False)
    assert found.reasons[0].code == Code.ONLY_ELSEWHERE
    assert found.reasons[0].numbers["scenes"] == ("five-component",)
    assert found.suspects == ()


def test_runs_are_compared_by_what_does_not_depend_on_labels() -> None:
    known = stored_signatures()
    effects = row(known, "rate-for-scale")["calibration"]
    m = effects.size // 3
    of_runs = effects[m : 2 * m].astype(float)
    relabelled = of_runs.copy()
    label_bound = [not q.label_free for q in SceneTest.of(CALIBRATION).names]
    relabelled[label_bound] *= -5.0
    named = suspects_of_runs(of_runs, N, CALIBRATION)
    assert suspects_of_runs(2.0 * of_runs, N, CALIBRATION) == named
    assert "rate-for-scale" in [s.fault for s in named]
    assert suspects_of_runs(relabelled, N, CALIBRATION) == named
    assert suspects_of_runs(of_runs, N, FIVE) == ()


def test_what_only_moves_labels_suspects_nobody_of_runs() -> None:
    """What is left of it where no function depends on labels is noise, as of a permutation."""
    m = SceneTest.of(CALIBRATION).wealth.m // 3
    rng = np.random.default_rng(1)
    assert suspects_of_runs(rng.normal(0.0, N**-0.5, m), N, CALIBRATION) == ()

"""Which known fault does the same: similarities are cosines, each fault is most like itself."""

from __future__ import annotations

import numpy as np
import pytest

from gmmcompare.validation.checks.invariance import SceneTest
from gmmcompare.validation.checks.scenes import ASYMMETRIC, CALIBRATION, FIVE
from gmmcompare.validation.diagnosis.signatures import Signatures, stored_signatures
from gmmcompare.validation.diagnosis.suspects import (
    diagnose,
    similarity,
    suspects,
    suspects_of_runs,
)
from gmmcompare.validation.faults.catalogue import FAULTS
from gmmcompare.validation.reasons import Code

SCENES = (CALIBRATION, ASYMMETRIC)
NAMES = ("shape-plus-n", "squares-not-halved")
N = 500


def seen(effect: np.ndarray) -> SceneTest:
    """Return a test whose effect is exactly this: each value as often above as below its mean."""
    test = SceneTest.of(CALIBRATION)
    signs = np.resize([1.0, -1.0], N)[:, None]
    test.wealth.add(0.1 * (effect + signs))
    np.testing.assert_allclose(test.wealth.effect, effect)
    return test


def directions() -> tuple[np.ndarray, np.ndarray]:
    """Return two signatures, each of length 1.2, a cosine of 0.98 apart."""
    m = SceneTest.of(CALIBRATION).wealth.m
    a, b = (np.resize(pattern, m) for pattern in ([1.0, 1.0], [1.0, -1.0]))
    a, b = a / np.linalg.norm(a), b - a * (a @ b) / (a @ a)
    b /= np.linalg.norm(b)
    return 1.2 * a, 1.2 * (0.98 * a + np.sqrt(1 - 0.98**2) * b)


def test_a_similarity_is_a_cosine_and_the_nearer_fault_comes_first() -> None:
    # What is seen happens to be as long as the signature, where the errors of 500 replicates make
    # it longer by a fifth on average: both estimates come out above 1.
    a, b = directions()
    for one, nearer in ((a, NAMES[0]), (b, NAMES[1])):
        known = Signatures(NAMES, {"calibration": np.array([a, b])}, n=10**9)
        estimates = similarity([seen(one)], known)
        assert (estimates > 1.05).all()
        found = suspects([seen(one)], False, known)
        assert [s.score for s in found] == [1.0, 1.0]
        assert found[0].fault == nearer


def test_errors_of_monte_carlo_do_not_make_the_same_fault_look_unlike() -> None:
    # Independent errors of 500 replicates, in every quantity. The estimate has a standard error of
    # about 0.02, so that a false alarm, more than 0.15 off, is one in 10^10.
    a, _ = directions()
    known = Signatures(NAMES[:1], {"calibration": a[None]}, n=10**9)
    noisy = a + np.random.default_rng(1).normal(0.0, N**-0.5, a.size)
    assert a @ noisy / np.linalg.norm(a) / np.linalg.norm(noisy) < 0.95
    (estimate,) = similarity([seen(noisy)], known)
    assert estimate == pytest.approx(1.0, abs=0.15)


def like(effects: dict[str, np.ndarray], doubtful: bool = True) -> list[SceneTest]:  # type: ignore[type-arg]
    """Return tests that have seen these effects."""
    tests = []
    for scene in SCENES:
        test = SceneTest.of(scene)
        test.wealth.n = N
        test.wealth._sum = N * effects[scene.name].astype(float)
        # So that the sd of every quantity is 1, and its mean the effect.
        test.wealth._products = N * np.diag(1.0 + effects[scene.name].astype(float) ** 2)
        test.wealth.log_single[:] = 20.0 if doubtful else 0.0
        tests.append(test)
    return tests


def row(known: Signatures, name: str) -> dict[str, np.ndarray]:  # type: ignore[type-arg]
    return {scene: e[known.faults.index(name)] for scene, e in known.effects.items()}


def test_each_stored_fault_is_most_like_itself() -> None:
    known = stored_signatures()
    for name in known.faults:
        named = suspects(like(row(known, name)), FAULTS[name].remembers)
        assert named[0].fault == name
        assert named[0].score > 0.9


def test_noise_is_like_nobody() -> None:
    """Random directions in hundreds of dimensions: a cosine of 0.7 has probability zero."""
    rng = np.random.default_rng(1)
    noise = {name: 0.2 * rng.standard_normal(e.shape[1])
             for name, e in stored_signatures().effects.items()}  # fmt: skip
    assert suspects(like(noise), remembers=False) == ()


def test_only_a_kernel_that_remembers_is_suspected_of_memory() -> None:
    known = stored_signatures()
    stale = like(row(known, "mu-from-previous-counts"))
    assert all(FAULTS[s.fault].remembers for s in suspects(stale, remembers=True))
    assert not any(FAULTS[s.fault].remembers for s in suspects(stale, remembers=False))


def test_at_most_three_are_named_in_order() -> None:
    known = stored_signatures()
    for name in ("shape-half-too-little", "squares-about-ybar"):
        named = suspects(like(row(known, name)), remembers=False)
        scores = [s.score for s in named]
        assert 1 <= len(named) <= 3
        assert scores == sorted(scores, reverse=True)
        assert min(scores) > 0.7


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
    assert "rate-for-scale" in [s.fault for s in named]
    assert suspects_of_runs(relabelled, N, CALIBRATION) == named
    assert suspects_of_runs(of_runs, N, FIVE) == ()

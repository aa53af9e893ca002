"""Which fault a trace is most like: similarities are cosines, whatever Monte Carlo error does."""

from __future__ import annotations

import numpy as np
import pytest

from gmmcompare.validation.checks.invariance import SceneTest
from gmmcompare.validation.checks.scenes import CALIBRATION
from gmmcompare.validation.diagnosis.suspects import Signatures, similarity, suspects

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

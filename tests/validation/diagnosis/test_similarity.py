"""Similarity is an identity coefficient, in a metric of its own, without Monte Carlo error."""

from __future__ import annotations

import numpy as np
import pytest

from gmmcompare.validation.checks.invariance import SceneTest
from gmmcompare.validation.checks.scenes import CALIBRATION, FIVE
from gmmcompare.validation.diagnosis.signatures import Signatures
from gmmcompare.validation.diagnosis.similarity import cosines, similarity

NAMES = ("shape-plus-n", "squares-not-halved")
MANY = 10**9


def seen(effect: np.ndarray, n: int = MANY) -> SceneTest:
    """Return a test of uncorrelated quantities, whose effects are these."""
    test = SceneTest.of(CALIBRATION)
    test.wealth.n = n
    test.wealth._sum = n * effect
    test.wealth._products = n * (np.eye(effect.size) + np.outer(effect, effect))
    np.testing.assert_allclose(test.wealth.effect, effect)
    np.testing.assert_allclose(test.wealth.correlation, np.eye(effect.size), atol=1e-9)
    return test


def directions() -> tuple[np.ndarray, np.ndarray]:
    """Return two vectors of length 1.2 at a right angle."""
    m = SceneTest.of(CALIBRATION).wealth.m // 2 * 2
    a = np.zeros(SceneTest.of(CALIBRATION).wealth.m)
    b = a.copy()
    a[: m // 2], b[m // 2 : m] = 1.0, 1.0
    return 1.2 * a / np.linalg.norm(a), 1.2 * b / np.linalg.norm(b)


@pytest.mark.parametrize(
    ("turn", "size", "expected"),
    [(0.0, 1.0, 1.0), (0.0, 0.5, 0.8), (0.0, 2.0, 0.8), (np.pi / 2, 1.0, 0.0), (0.2, 1.0, 0.98)],
)
def test_it_is_one_for_the_same_vector_and_less_for_another_direction_or_size(
    turn: float, size: float, expected: float
) -> None:
    a, b = directions()
    known = Signatures(NAMES, {"calibration": np.array([a, b])}, n=MANY)
    effect = size * (np.cos(turn) * a + np.sin(turn) * b)
    assert similarity([seen(effect)], known)[0] == pytest.approx(expected, abs=1e-3)


def test_errors_of_monte_carlo_do_not_make_the_same_fault_look_unlike() -> None:
    # Independent errors of 1000 replicates, in every quantity. The estimate has a standard error of
    # about 0.02, so that a false alarm, more than 0.15 off, is one in 10^10.
    a, _ = directions()
    known = Signatures(NAMES[:1], {"calibration": a[None]}, n=MANY)
    noisy = a + np.random.default_rng(1).normal(0.0, 1000**-0.5, a.size)
    assert 2 * a @ noisy / (a @ a + noisy @ noisy) < 0.93
    (estimate,) = similarity([seen(noisy, 1000)], known)
    assert estimate == pytest.approx(1.0, abs=0.15)


def test_many_quantities_that_say_the_same_count_for_little_more_than_one() -> None:
    """Two faults agree where 100 quantities are one, and differ in three others."""
    test = SceneTest.of(CALIBRATION)
    m = test.wealth.m
    mine, other = np.zeros(m), np.zeros(m)
    mine[:100] = other[:100] = 0.3
    mine[100:103], other[100:103] = 1.0, -1.0
    same = np.eye(m)
    same[:100, :100] = 1.0
    test.wealth.n = MANY
    test.wealth._sum = MANY * mine
    test.wealth._products = MANY * (same + np.outer(mine, mine))
    known = Signatures(NAMES, {"calibration": np.array([mine, other])}, n=MANY)
    alike = similarity([test], known)
    assert alike[0] == pytest.approx(1.0)
    assert alike[1] < -0.5
    assert 2 * mine @ other / (mine @ mine + other @ other) > 0.4


def test_what_is_no_clearer_than_its_error_is_like_nobody() -> None:
    a, b = directions()
    known = Signatures(NAMES, {"calibration": np.array([a, 0.01 * b])}, n=4000)
    assert np.isneginf(similarity([seen(0.1 * a, 1000)], known)).all()
    assert np.isfinite(similarity([seen(a, 1000)], known)).tolist() == [True, False]
    few, many = (np.isfinite(cosines(a, n, np.array([a, 0.01 * b]), 4000)) for n in (1000, 4000))
    assert few.tolist() == [False, False]
    assert many.tolist() == [True, False]


def test_a_scene_without_signatures_is_like_nobody() -> None:
    a, b = directions()
    known = Signatures(NAMES, {"calibration": np.array([a, b])}, n=4000)
    assert np.isneginf(similarity([SceneTest.of(FIVE)], known)).all()

"""Weights that went through a text file: what rounding explains is mended, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from gmmcompare.engines.imported.rounding import decimal_places, rescaled, significant_digits


def weights(K: int, draws: int = 1000) -> np.ndarray:
    return np.random.default_rng(1).dirichlet(np.ones(K), (4, draws))


def printed(w: np.ndarray, form: str) -> np.ndarray:
    return np.array([float(form % value) for value in w.ravel()]).reshape(w.shape)


@pytest.mark.parametrize("K", [3, 10, 64])
@pytest.mark.parametrize(
    ("form", "says"),
    [
        ("%.6g", "rounded to 6 digits"),  # Stan's default until 2025
        ("%.8g", "rounded to 8 digits"),  # and since
        ("%.3g", "rounded to 3 digits"),
        ("%.4f", "rounded to 4 decimals"),  # R's round(x, 4)
        ("%.2f", "rounded to 2 decimals"),
        ("%.7e", "rounded to 8 digits"),
    ],
)
def test_what_was_printed_is_rescaled(K: int, form: str, says: str) -> None:
    exact = weights(K)
    found, note = rescaled(printed(exact, form))
    np.testing.assert_allclose(found.sum(axis=-1), 1, atol=1e-14)
    np.testing.assert_allclose(found, exact, atol=1.1 * K * 10.0 ** -int(form[2]) / 2)
    assert note.startswith(f"weights are {says}, so that they were rescaled to sum to 1 (off by ")


def test_two_weights_with_so_many_decimals_sum_to_one_as_they_are() -> None:
    w = printed(weights(2), "%.4f")
    assert rescaled(w)[0] is w


@pytest.mark.parametrize("K", [3, 64])
def test_single_precision_is_a_rounding(K: int) -> None:
    single = weights(K).astype(np.float32)
    single /= np.cumsum(single, axis=-1)[..., -1:]  # summed one by one, as a program might
    found, note = rescaled(single.astype(float))
    np.testing.assert_allclose(found.sum(axis=-1), 1, atol=1e-14)
    assert note == ""  # below what anybody would call rounding


def test_one_minus_the_others_may_be_a_little_negative() -> None:
    w = printed(weights(2), "%.6g")
    w[0, 0] = [1.0, -2e-7]
    found, note = rescaled(w)
    assert found.min() >= 0
    assert note


@pytest.mark.parametrize(
    "off",
    [
        pytest.param(lambda w: w * (1 + 1e-4), id="not normalised"),
        pytest.param(lambda w: printed(w, "%.6g") + 2e-6, id="more than six digits explain"),
        pytest.param(lambda w: printed(w, "%.4f") * 1.01, id="one per cent"),
        pytest.param(
            lambda w: printed(w + np.array([3e-6, 0, 0]), "%.6g"),
            id="three units of the sixth digit",
        ),
        pytest.param(lambda w: np.rint(w * 10), id="counts"),
        pytest.param(lambda w: np.where(w > 0.5, np.nan, w), id="NaN"),
        pytest.param(lambda w: w - 0.1, id="negative"),
    ],
)
def test_what_rounding_does_not_explain_is_left_to_be_refused(off) -> None:
    w = off(weights(3))
    found, note = rescaled(w)
    assert found is w
    assert note == ""


def test_exact_weights_are_left_to_the_last_bit() -> None:
    w = weights(3)
    assert rescaled(w)[0] is w


def test_digits_and_decimals() -> None:
    values = np.array([0.25, 0.125, 0.0, 3e-7])
    assert (significant_digits(values), decimal_places(values)) == (3, 7)
    assert (significant_digits(weights(3)), decimal_places(weights(3))) == (None, None)

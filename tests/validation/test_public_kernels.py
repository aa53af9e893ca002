"""The kernels from public code keep the shapes of the contract and say what they are."""

from __future__ import annotations

import numpy as np
import pytest
from public_kernels import KINDS, PUBLIC, ROWS, TWO_ROWS, Public

from gmmcompare.model.priors import Priors

Y = np.array([-1.3, -0.9, -1.1, 0.8, 1.4, 1.0, 0.2, 1.9, -0.4, 2.3, -2.0, 0.9])
PRIORS = Priors(2.0, 0.5, 1.5, 3.0, 2.0)


def sweep(kernel: Public, seed: int = 1) -> list[np.ndarray]:
    K = kernel.components
    at = np.full(K, 1 / K), np.linspace(-1.0, 1.5, K), np.full(K, 0.9)
    new = kernel.function(*at, Y.copy(), PRIORS, np.random.default_rng(seed))
    return [np.asarray(field, dtype=float) for field in new]


@pytest.mark.parametrize("name", PUBLIC)
def test_a_sweep_returns_three_arrays(name: str) -> None:
    kernel = PUBLIC[name]
    new = sweep(kernel)
    assert [field.shape for field in new] == [(kernel.components,)] * 3
    w, mu, sigma = new
    if "NaN" not in kernel.truth:
        assert np.isfinite(mu).all()
        assert (sigma > 0).all()
        assert (w >= 0).all()


def test_names_are_unique_and_truths_of_three_kinds() -> None:
    assert len(PUBLIC) == len(ROWS)
    assert len({kernel.function for kernel in ROWS}) == len(ROWS)
    for kernel in ROWS:
        assert kernel.kind in KINDS
        assert (kernel.truth == "correct") == (kernel.kind == "correct")
        assert kernel.source
        assert kernel.why


def test_two_component_kernels_refuse_three() -> None:
    for kernel in TWO_ROWS:
        three = np.full(3, 1 / 3), np.linspace(-1.0, 1.0, 3), np.ones(3)
        with pytest.raises(ValueError, match="two components"):
            kernel.function(*three, Y, PRIORS, np.random.default_rng(1))

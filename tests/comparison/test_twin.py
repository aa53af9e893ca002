"""The mode that belongs to a point: numbered as the draws, whichever solution led to it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gmmcompare.comparison.twin import _numbered_as, twin_of
from gmmcompare.model.params import Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample

SAMPLE = Sample.of(np.random.default_rng(1).normal([[-2.0], [0.0], [3.0]], 0.4, (3, 60)).ravel())
DRAW = Params.of([0.3, 0.3, 0.4], [0.0, 3.0, -2.0], [0.5, 0.5, 0.5])


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1], [1, 0, 2]])
def test_a_mode_is_numbered_as_the_draws(order: list[int]) -> None:
    """Whichever labels the solution had that led to it; a little away from the draw."""
    mode = Params(DRAW.w, DRAW.mu + 0.2, 0.8 * DRAW.sigma).permuted(order)
    numbered = _numbered_as(DRAW, mode, SAMPLE, Priors(2.0, 0.0, 2.0, 3.0, 1.0))
    np.testing.assert_allclose(numbered.mu, DRAW.mu + 0.2)


def test_components_whose_priors_differ_keep_their_own_numbers() -> None:
    """The prior tells which is which, whatever they share."""
    priors = Priors(2.0, [3.0, 0.0, 0.0], 0.3, 3.0, 1.0)
    mode = DRAW.permuted([1, 2, 0])
    numbered = _numbered_as(DRAW, mode, SAMPLE, priors)
    assert numbered.mu[0] == mode.mu[0]
    np.testing.assert_allclose(numbered.mu[1:], sorted(mode.mu[1:], reverse=True))


def test_the_twin_of_a_point_is_found_from_its_other_solutions() -> None:
    place = Params.of([0.34, 0.33, 0.33], [0.5, 0.6, 0.4], [2.5, 2.5, 2.5])
    point: Any = SimpleNamespace(solutions=(DRAW.permuted([2, 0, 1]),))
    found = twin_of(place, point, DRAW, SAMPLE, Priors(2.0, 0.0, 2.0, 3.0, 1.0))
    assert found is not None
    np.testing.assert_allclose(found.place.mu, DRAW.mu, atol=0.3)

"""The mode that belongs to a point: numbered as the draws, whichever solution led to it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gmmcompare.comparison.twin import twin_of
from gmmcompare.model.params import Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample

SAMPLE = Sample.of(np.random.default_rng(1).normal([[-2.0], [0.0], [3.0]], 0.4, (3, 60)).ravel())
DRAW = Params.of([0.3, 0.3, 0.4], [0.0, 3.0, -2.0], [0.5, 0.5, 0.5])


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1], [1, 0, 2]])
def test_labels_of_other_solutions_play_no_part(order: list[int]) -> None:
    """A point that is far off, so that the mode is found from the other solution."""
    place = Params.of([0.34, 0.33, 0.33], [0.5, 0.6, 0.4], [2.5, 2.5, 2.5])
    point: Any = SimpleNamespace(solutions=(DRAW.permuted(order),))
    found = twin_of(place, point, DRAW, SAMPLE, Priors(2.0, 0.0, 2.0, 3.0, 1.0))
    assert found is not None
    np.testing.assert_allclose(found.place.mu, DRAW.mu, atol=0.3)


def test_components_whose_priors_differ_keep_their_own_numbers() -> None:
    """The prior says that component 1 is the highest, whatever the draw shares with it."""
    priors = Priors(2.0, [3.0, 0.0, -2.0], 0.3, 3.0, 1.0)
    draw = Params.of([0.4, 0.3, 0.3], [3.0, 0.0, -2.0], [0.5, 0.5, 0.5])
    point: Any = SimpleNamespace(solutions=(draw.permuted([2, 1, 0]),))
    found = twin_of(draw, point, draw, SAMPLE, priors)
    assert found is not None
    np.testing.assert_allclose(found.place.mu, draw.mu, atol=0.3)

"""Scenes for every number of components: the same places, whatever a sampler takes."""

from __future__ import annotations

import numpy as np
import pytest

from gmmcompare.model.exact import exact_posterior
from gmmcompare.validation.checks.scenes import (
    ASYMMETRIC,
    CALIBRATION,
    FIELDS,
    FIVE,
    TWO,
    asymmetric,
    planned,
    tied,
)


@pytest.mark.parametrize("K", range(1, 6))
def test_hardly_any_draw_on_tied_data_has_an_empty_component(K: int) -> None:
    scene = tied(K)
    exact = exact_posterior(scene.data, K, scene.priors)
    assert exact.prob_empty < 1e-10
    assert len(set(scene.data)) < scene.N <= 16
    params, y = scene.sample_joint(np.random.default_rng(1), 50)
    assert np.isfinite(params.sigma).all()
    assert (y == scene.data).all()


def test_a_first_point_on_tied_data_is_a_likely_one() -> None:
    """Every mean within its cluster, so that the density is not far below that of draws."""
    scene = tied(3)
    at, y = scene.one_point(np.random.default_rng(1))
    drawn, _ = scene.sample_joint(np.random.default_rng(2), 50)
    assert np.abs(np.sort(at.mu) - np.sort(drawn.mu, axis=1)).max() < 2.0
    assert y.tolist() == list(scene.data)


def test_the_asymmetric_scene_is_the_same_for_three_components() -> None:
    assert asymmetric(3) == ASYMMETRIC


@pytest.mark.parametrize("K", [2, 4, 5])
@pytest.mark.parametrize("unequal", [FIELDS, ("mean_loc",), ("weight_concentration", "var_scale")])
def test_all_components_differ_in_the_fields_that_may(K: int, unequal: tuple[str, ...]) -> None:
    priors = asymmetric(K, unequal).priors
    for name in FIELDS:
        values = np.atleast_1d(getattr(priors, name))
        assert len(set(values)) == (K if name in unequal else 1)


@pytest.mark.parametrize("K", [1, 2, 3, 5, 8])
def test_places_are_the_same_for_every_number_of_components(K: int) -> None:
    places = planned(K, 12, (K,), FIELDS)
    firsts = [place[0] for place in places if place]
    assert sum(scene.main for scene in firsts) == 2
    assert len(places) == 8
    assert bool(places[6]) == (K <= 5)  # of six or more, tied data are too few
    names = [s.name for place in places for s in place]
    keys = {s.name: s.key for place in places for s in place}
    assert len(set(keys.values())) == len(set(names))  # random streams of their own
    assert {s.K for place in places for s in place} <= {K, TWO.K, FIVE.K}


def test_places_of_three_components_are_those_with_signatures() -> None:
    firsts = [place[0] for place in planned(3, 12, (2, 3, 5), FIELDS)]
    assert firsts[:4] == [CALIBRATION, ASYMMETRIC, TWO, FIVE]

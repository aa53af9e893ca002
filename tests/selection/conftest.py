"""A small finished selection, made once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import gmmcompare as gc
from gmmcompare.fitting.requests import engine_requests
from gmmcompare.model.card import Card, validated_card
from gmmcompare.workflows.load import Data
from gmmcompare.workflows.select import SelectionOutcome, select_card

CONTENT = {
    "title": "Two heaps",
    "data": {"path": "heaps.csv"},
    "mixture": {"components": 2},
    "priors": {
        "weight_concentration": 1.0,
        "mean_loc": 0.0,
        "mean_sd": 10.0,
        "var_shape": 2.0,
        "var_scale": 1.0,
    },
    "engines": {
        "em": {"starts": 4},
        "gibbs": {"draws": 1000, "warmup": 200},
        "gibbs_plain": {"draws": 500, "warmup": 200},
    },
}
REQUESTS = engine_requests(("em", "gibbs", "gibbs_plain"))


@pytest.fixture(scope="session")
def heaps() -> gc.Sample:
    """Return 150 observations of two components, rounded so that some repeat."""
    rng = np.random.default_rng(1)
    return gc.Sample.of(np.round(np.r_[rng.normal(0, 1, 100), rng.normal(6, 0.5, 50)], 1))


@pytest.fixture(scope="session")
def heaps_card() -> Card:
    return validated_card(CONTENT, Path("heaps.toml"))


@pytest.fixture(scope="session")
def chosen(
    heaps: gc.Sample, heaps_card: Card, tmp_path_factory: pytest.TempPathFactory
) -> SelectionOutcome:
    """Return a finished selection among 1, 2 and 3 components."""
    folder = tmp_path_factory.mktemp("selection") / "select-heaps"
    return select_card(heaps_card, (1, 2, 3), REQUESTS, data=Data(heaps), folder=folder)

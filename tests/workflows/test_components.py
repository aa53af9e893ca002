"""The posterior of the number of components from a card: roads, verdict, JSON and page."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import gmmcompare as gc
from gmmcompare.comparison.number import Components
from gmmcompare.model.card import Card, validated_card
from gmmcompare.report import write_components
from gmmcompare.report.components.page import components_context
from gmmcompare.runtime.errors import InputError
from gmmcompare.workflows.components import ComponentsOutcome, components_card
from gmmcompare.workflows.load import Data

Y = (-1.3, -0.9, -1.05, 0.8, 1.4, 1.0)
PRIORS = {
    "weight_concentration": 1.0,
    "mean_loc": 0.0,
    "mean_sd": 2.0,
    "var_shape": 3.0,
    "var_scale": 2.0,
}


def card_of(**components: object) -> Card:
    lengths = {"max": 4, "warmup": 200, "draws": 3000, "every": 4}
    content = {
        "title": "Six points",
        "data": {"path": "six.csv", "column": "y"},
        "mixture": {"components": 2},
        "priors": PRIORS,
        "components": lengths | components,
        "run": {"seed": 1},
    }
    return validated_card(content, Path("six.toml"))


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> ComponentsOutcome:
    """Return all roads but the bridge."""
    folder = tmp_path_factory.mktemp("six")
    roads = ("exact", "telescoping", "reversible_jump", "dirichlet_process")
    return components_card(
        card_of(alpha=1.0), roads, data=Data(gc.Sample.of(Y)), folder=folder, kept=folder / "kept"
    )


def test_samplers_are_within_their_errors_of_the_exact_road(outcome: ComponentsOutcome) -> None:
    """Five standard errors: a false-positive rate below 1e-5 over all comparisons."""
    roads = outcome.components.roads
    exact = roads["exact"]
    for name in ("telescoping", "reversible_jump"):
        road = roads[name]
        assert (np.abs(road.prob - exact.prob) < 5 * road.se).all()
        off = np.abs(road.prob_occupied - exact.prob_occupied)
        assert (off <= 5 * road.occupied_se).all()
    assert outcome.components.verdict != "disagree"
    assert outcome.components.total_variation["exact", "telescoping"] < 0.05
    assert roads["dirichlet_process"].prob is None


def test_json_and_page(outcome: ComponentsOutcome) -> None:
    assert outcome.folder is not None
    written = json.loads((outcome.folder / "components.json").read_text())
    assert written["roads"]["exact"]["prob"] == pytest.approx(
        outcome.components.roads["exact"].prob.tolist()
    )
    assert written["verdict"] == outcome.components.verdict
    page = write_components(outcome, outcome.folder / "index.html").read_text()
    assert outcome.components.answer() in page
    context = components_context(outcome)
    assert len(context["densities"]) == len(context["traces"]) == 3
    assert [row["number"] for row in context["table"]["rows"]] == [1, 2, 3, 4]


def test_finished_roads_are_found_again(outcome: ComponentsOutcome) -> None:
    assert outcome.folder is not None
    seen: list[float] = []
    again = components_card(
        card_of(alpha=1.0),
        ("telescoping",),
        data=Data(gc.Sample.of(Y)),
        kept=outcome.folder / "kept",
        progress=lambda name, done: seen.append(done),
    )
    first = outcome.components.roads["telescoping"].draws
    second = again.components.roads["telescoping"].draws
    assert first is not None
    assert second is not None
    np.testing.assert_array_equal(first.params.mu, second.params.mu)
    assert seen == [0.0, 1.0]


@pytest.mark.slow
def test_the_bridge_is_the_exact_evidence_times_the_prior() -> None:
    found = gc.components(
        gc.Sample.of(Y),
        ["exact", "bridge"],
        priors=gc.Priors(**PRIORS),
        prior_on_K="poisson(2)",
        max_K=3,
        seed=1,
    )
    assert isinstance(found, Components)
    assert found.total_variation["exact", "bridge"] < 0.01
    assert list(found.table().columns) == [
        ("prior", "K"), ("exact", "K"), ("exact", "K+"), ("bridge", "K"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("roads", "change", "message"),
    [
        (("nuts",), {}, "nuts cannot change the number of components"),
        (("telescopic",), {}, "did you mean 'telescoping'"),
        (("telescoping",), {"prior": "poisson(0)"}, "takes one positive number"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    roads: tuple[str, ...], change: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError) as error:
        components_card(card_of(**change), roads, data=Data(gc.Sample.of(Y)))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_priors_that_differ_between_components_are_refused() -> None:
    card = card_of().changed({"priors.mean_loc": [0.0, 1.0]})
    with pytest.raises(InputError, match="all must have the same prior"):
        components_card(card, ("exact",), data=Data(gc.Sample.of(Y)))

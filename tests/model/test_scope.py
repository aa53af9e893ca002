"""A card that asks for what is not covered is told so, and a misspelt key is still one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gmmcompare.model.card import bundled_cards, load_card, validated_card
from gmmcompare.model.priors import Priors
from gmmcompare.model.scope import SEE
from gmmcompare.runtime.errors import InputError

ROOT = Path(__file__).parent.parent.parent


def refused(key: str, value: object) -> str:
    content: dict[str, Any] = {
        "title": "t",
        "data": {"path": "a.csv", "column": "x"},
        "mixture": {"components": 2},
        "priors": Priors().to_dict(),
    }
    section, _, name = key.partition(".")
    content[section][name] = value
    with pytest.raises(InputError) as caught:
        validated_card(content, Path("card.toml"))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("key", "value", "what"),
    [
        ("data.limit_flag", "l", "limits and truncation"),
        ("data.truncated", 3.0, "limits and truncation"),
        ("mixture.family", "student", "components but normal ones"),
        ("mixture.shared_mean", True, "known or shared parameters"),
        ("mixture.means", [1.0, 2.0], "known or shared parameters"),
        ("priors.family", "conjugate", "priors other than Dirichlet, normal and inverse gamma"),
        ("priors.mean_count", 0.1, "priors other than"),
        ("priors.sd_scale", 1.0, "priors other than"),
        ("priors.half_cauchy_scale", 1.0, "priors other than"),
        ("priors.var_shape", "half-cauchy", "priors other than"),
    ],
)
def test_what_is_not_covered_is_said(key: str, value: object, what: str) -> None:
    said = refused(key, value)
    assert said.startswith(f"card.toml: {key}")
    assert what in said
    assert said.endswith(f": not covered; {SEE}")
    assert "did you mean" not in said


def test_several_columns_need_their_family() -> None:
    said = refused("data.column", ["x", "y"])
    assert 'need mixture.family = "multivariate"' in said


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        ("data.colum", "column"),
        ("data.weights", "weight"),
        ("data.labels", "label"),
        ("data.transfrom", "transform"),
        ("mixture.component", "components"),
        ("priors.mean_locc", "mean_loc"),
        ("priors.var_scal", "var_scale"),
        ("priors.weight_concentrations", "weight_concentration"),
        ("priors.var_shpae", "var_shape"),
    ],
)
def test_a_misspelt_key_is_still_one(key: str, nearest: str) -> None:
    assert f"(did you mean '{nearest}'?)" in refused(key, 1.0)


@pytest.mark.parametrize("value", ["auto", [1, 2, 3], "1-6"])
def test_several_numbers_of_components_are_for_select(value: object) -> None:
    assert "`gmmcompare select CARD --components 1-6`" in refused("mixture.components", value)


def test_the_place_that_is_named_is_there() -> None:
    assert "## What is covered" in (ROOT / "models" / "README.md").read_text(encoding="utf-8")
    for name in bundled_cards():
        load_card(name)


@pytest.mark.parametrize(
    "key", ["data.errors", "data.error_column", "data.radius_err", "data.sigma"]
)
def test_other_names_of_errors_are_told_the_key(key: str) -> None:
    assert "measurement errors are named by data.error" in refused(key, "e_x")


@pytest.mark.parametrize(
    ("key", "value"), [("data.columns", ["x", "y"]), ("mixture.covariance", "full")]
)
def test_other_names_of_several_columns_are_told_the_key(key: str, value: object) -> None:
    assert 'several columns are named by data.column = ["a", "b"]' in refused(key, value)

"""Several columns as observations of d dimensions, and the cards that ask for them."""

from __future__ import annotations

import numpy as np
import pytest

import gmmcompare as gc
from gmmcompare.data import load_vectors
from gmmcompare.runtime.errors import InputError
from gmmcompare.workflows.load import load


def written(tmp_path, text):
    path = tmp_path / "some.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_rows_with_a_missing_value_are_dropped_and_counted(tmp_path):
    path = written(tmp_path, "a,b,name\n1,2,x\n,3,y\n4,,z\n5,9,u\n6,1,v\n,,w\n")
    rows = load_vectors(path, ["b", "a"], name_column="name")
    np.testing.assert_array_equal(rows.y, [[2, 1], [9, 5], [1, 6]])
    np.testing.assert_array_equal(rows.row, [1, 4, 5])
    assert rows.names == ("x", "u", "v")
    assert rows.origin.n_missing == 3
    assert rows.sample.d == 2


@pytest.mark.parametrize(
    ("text", "columns", "says"),
    [
        ("a,b\n1,2\n2,2\n3,2\n4,2\n", ["a", "b"], "column 'b' is constant, 2 in every row"),
        ("a,b\n1,2\n2,4\n3,6\n4,8\n", ["a", "b"], "columns a, b are collinear"),
        ("a,b\n1,2\n2,5\n", ["a", "b"], "2 rows have a value in every one of a, b"),
        ("a,b\n1,2\n2,5\n4,1\n", ["a", "a"], "column 'a' is named twice"),
        ("a,b\n1,2\n2,5\n4,1\n", ["a", "c"], "no column 'c'"),
    ],
)
def test_columns_that_cannot_be_fitted_are_refused(tmp_path, text, columns, says):
    with pytest.raises(InputError, match=says):
        load_vectors(written(tmp_path, text), columns)


def test_unlike_units_are_pointed_out(tmp_path, caplog):
    path = written(tmp_path, "a,b\n1e6,2\n3e7,5\n-4e8,1\n2e7,9\n")
    load_vectors(path, ["a", "b"])
    assert "unlike units" in caplog.text


def test_bundled_data_are_the_published_values():
    faithful = load_vectors("faithful", ["eruption_min", "waiting_min"])
    assert faithful.sample.n == 272
    np.testing.assert_allclose(faithful.y.sum(axis=0), [948.677, 19284.0])
    names = ["sepal_length_cm", "sepal_width_cm", "petal_length_cm", "petal_width_cm"]
    iris = load_vectors("iris", names)
    np.testing.assert_allclose(iris.y.sum(axis=0), [876.5, 458.6, 563.7, 179.9])


def test_a_card_of_several_columns():
    card = gc.load_card("faithful-k2")
    data = load(card)
    priors = card.build_priors()
    assert priors.family == "multivariate"
    assert data.sample.d == priors.d == 2
    again = card.with_overrides(["priors.cov_df=6.0", "mixture.components=3"])
    assert np.asarray(again.build_priors().cov_df).tolist() == [6.0] * 3


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"priors.cov_df": 1.0}, "cov_df must be above d - 1 = 1"),
        ({"priors.mean_cov": [[1.0, 1.0], [1.0, 1.0]]}, "mean_cov must be positive definite"),
        ({"priors.cov_scale": [[1.0, 0.0]]}, "cov_scale has shape"),
        ({"data.column": ["eruption_min"]}, "data.column names 1 columns"),
        ({"data.column": ["waiting_min", "waiting_min"]}, "'waiting_min' is named twice"),
        ({"data.column": "waiting_min"}, "data.column"),
        ({"priors.mean_sd": 1.0}, "unknown key 'priors.mean_sd'"),
        ({"mixture.family": "student"}, "mixture.family = 'student': components but normal ones"),
    ],
)
def test_impossible_cards_are_refused(change, says):
    with pytest.raises(InputError, match=says):
        gc.load_card("faithful-k2").changed(change)


def test_an_engine_that_does_not_know_vectors_says_so():
    with pytest.raises(InputError, match=r"jags|does not fit components of family"):
        gc.fit("faithful-k2", "jags")

"""From a card to its data: each kind of source, the random part, and rows where there are any."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pandas as pd
import partitioned
import pytest
from ledger import Ledger

import gmmcompare as gc
from gmmcompare.data import Rows
from gmmcompare.data.partitions.grid import PartitionedSample
from gmmcompare.model.card import Card, validated_card
from gmmcompare.runtime.errors import InputError
from gmmcompare.workflows.load import Data, load


def card_of(file: Path, **data: object) -> Card:
    content = {
        "title": "Stars",
        "data": {"column": "x", **data},
        "mixture": {"components": 2},
        "priors": gc.Priors().to_dict(),
    }
    return validated_card(content, file)


@pytest.fixture
def card(tmp_path: Path) -> Card:
    lines = [f"star {i},{x}" for i, x in enumerate([3.0, 1.0, "", 3.0, 2.0])]
    (tmp_path / "stars.csv").write_text("\n".join(["name,x", *lines]) + "\n")
    return card_of(tmp_path / "stars.toml", path="stars.csv", name_column="name")


def test_a_path_is_relative_to_the_card_and_rows_keep_the_order_of_the_file(card: Card) -> None:
    data = load(card)
    assert data.rows is not None
    assert data.rows.y.tolist() == [3.0, 1.0, 3.0, 2.0]
    assert data.rows.row.tolist() == [1, 2, 4, 5]
    assert data.sample == gc.Sample.of([1.0, 2.0, 3.0, 3.0])
    assert data.sample.origin.n_missing == 1
    assert data.names == {3.0: ["star 0", "star 3"], 1.0: ["star 1"], 2.0: ["star 4"]}


def test_a_data_set_is_found_by_name(tmp_path: Path) -> None:
    data = load(card_of(tmp_path / "g.toml", dataset="galaxies", column="velocity_1000km_s"))
    assert data.sample.n == 82
    assert data.names == {}


def test_another_file_need_not_have_the_column_of_names(
    card: Card, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "other.csv").write_text("x\n1\n2\n")
    with caplog.at_level(logging.WARNING, logger="gmmcompare"):
        data = load(card, str(tmp_path / "other.csv"))
    assert data.sample.n == 2
    assert data.names == {}
    assert "other.csv: no column 'name'" in caplog.text
    (tmp_path / "stars.csv").write_text("x\n1\n2\n")
    with pytest.raises(InputError, match="no column 'name'"):
        load(card)


def test_rows_may_be_given_in_place_of_a_file(card: Card) -> None:
    rows = Rows.of([5.0, 4.0, 6.0], ["a", "b", "c"])
    assert load(card, rows).rows is rows
    part = load(card.changed({"data.subsample": 2}), rows)
    assert part.rows is not None
    assert part.rows.names == rows.random_part(2, card.run.seed).names


def test_a_random_part_is_chosen_by_the_cards_seed(card: Card, tmp_path: Path) -> None:
    y = np.random.default_rng(1).normal(size=200)
    (tmp_path / "stars.csv").write_text("x\n" + "\n".join(map(str, y)) + "\n")
    small = card_of(tmp_path / "stars.toml", path="stars.csv", subsample=20)
    part = load(small)
    assert part.rows is not None
    assert part.sample.n == part.rows.y.size == 20
    assert part.sample == load(small).sample
    assert part.sample != load(small.changed({"run.seed": 5})).sample
    assert part.sample.origin.source.startswith("20 of 200 values")


def test_partitions_are_a_sample_without_rows_and_reading_them_is_told(tmp_path: Path) -> None:
    y = partitioned.values(3000)
    partitioned.write_parquet(tmp_path / "stars", y, 3)
    card = card_of(tmp_path / "stars.toml", path="stars/*.parquet", column="mag")
    ledger = Ledger()
    data = load(card, progress=ledger)
    assert isinstance(data.sample, PartitionedSample)
    assert data.sample.n == 3000
    assert (data.rows, data.names) == (None, {})
    assert ledger.begun == [f"reading {tmp_path / 'stars' / '*.parquet'}"]
    assert ledger.open == []
    part = load(card.changed({"data.subsample": 100}))
    assert not isinstance(part.sample, PartitionedSample)
    assert part.sample.n == 100
    assert set(part.sample.values) <= set(y)
    again = load(card_of(tmp_path / "other.toml", path="none.csv", column="mag", subsample=100),
                 str(tmp_path / "stars" / "*.parquet"))  # fmt: skip
    assert again.sample == part.sample


def test_a_sample_alone_is_data_without_rows() -> None:
    sample = gc.Sample.of([1.0, 2.0])
    assert Data(sample).names == {}


def test_rows_of_partitions_are_not_chosen(tmp_path):
    pd.DataFrame({"mag": np.arange(40.0), "n": 1}).to_csv(tmp_path / "a1.csv", index=False)
    for key, value in (("where", "mag > 3"), ("weight", "n")):
        card = card_of(tmp_path / "parts.toml", path="a*.csv", column="mag").changed(
            {f"data.{key}": value}
        )
        with pytest.raises(
            InputError, match=f"data.{key} is for one file, and not for data in par"
        ):
            load(card)

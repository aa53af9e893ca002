"""Partitions of files: what is read, summarised and kept, and how bad files are told of."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import Result
from partitioned import values, write_parquet
from typer.testing import CliRunner

from gmmcompare.cli import app
from gmmcompare.data.partitions import pieces
from gmmcompare.data.partitions.part import random_part
from gmmcompare.data.partitions.pieces import (
    PartitionedFiles,
    find_pieces,
    is_partitioned,
    read_piece,
    summary_of,
)
from gmmcompare.engines import checkpoint
from gmmcompare.engines.gibbs import partitioned as gibbs_partitioned
from gmmcompare.fitting.fit import load_fit
from gmmcompare.model.sample import Sample
from gmmcompare.runtime.errors import InputError
from gmmcompare.runtime.tasks import InProcess
from gmmcompare.workflows.outcome import load_outcome
from gmmcompare.workflows.partitions import open_partitions

Y = values(6000)


@pytest.fixture
def pattern(tmp_path: Path) -> str:
    return write_parquet(tmp_path / "stars", Y, 3, rows_per_group=500)


def write(path: Path, **columns: object) -> None:
    pq.write_table(pa.table(columns), path)


def test_a_glob_or_parquet_is_partitioned_and_one_csv_is_not():
    assert is_partitioned("stars/*.csv")
    assert is_partitioned("stars/one.parquet")
    assert is_partitioned(Path("stars/[ab].csv"))
    assert not is_partitioned("stars.csv")
    assert not is_partitioned("exoplanets")


def test_row_groups_are_joined_up_to_a_size(pattern, monkeypatch):
    monkeypatch.setattr(pieces, "PARTITION_ROWS", 1000)
    found = find_pieces(pattern, "mag")
    assert [piece.groups for piece in found] == [(0, 1), (2, 3)] * 3
    y = np.concatenate([read_piece(piece, 0).y for piece in found])
    np.testing.assert_array_equal(np.sort(y), np.sort(Y))


@pytest.mark.parametrize("points", [10, 400, 10**6])
def test_the_summary_is_that_of_all_values(pattern, points, monkeypatch):
    monkeypatch.setattr(pieces, "SKETCH_POINTS", points)
    monkeypatch.setattr(pieces, "MIN_SKETCH_POINTS", 3)
    found = summary_of(InProcess().hold(find_pieces(pattern, "mag")).then(read_piece))
    whole = Sample.of(Y)
    assert (found.n, found.n_missing) == (6000, 0)
    assert (found.low, found.high) == (Y.min(), Y.max())
    assert found.mean == pytest.approx(Y.mean(), rel=1e-12)
    assert np.sqrt(found.squares / found.n) == pytest.approx(Y.std(), rel=1e-12)
    assert whole.n_distinct <= found.n_distinct <= 6000
    assert found.sketch.n == 6000
    # Each of its points stands for a share of a partition: quantiles are off by less.
    q = np.array([0.1, 0.5, 0.9])
    share = 3 / points
    low, high = (whole.quantiles((q + sign * share).clip(0, 1)) for sign in (-1, 1))
    assert (low <= found.sketch.quantiles(q)).all()
    assert (found.sketch.quantiles(q) <= high).all()
    if points == 10**6:
        assert found.sketch == whole


def test_it_has_one_fingerprint_wherever_the_files_are(pattern, tmp_path):
    one = summary_of(InProcess().hold(find_pieces(pattern, "mag")).then(read_piece))
    write_parquet(tmp_path / "copy", Y, 3)
    copy = str(tmp_path / "copy" / "*.parquet")
    other = summary_of(InProcess().hold(find_pieces(copy, "mag")).then(read_piece))
    assert one.sha256 == other.sha256
    changed = Y.copy()
    changed[17] += 1e-12
    write_parquet(tmp_path / "copy", changed, 3)
    assert (
        summary_of(InProcess().hold(find_pieces(copy, "mag")).then(read_piece)).sha256 != one.sha256
    )


def test_the_grid_has_the_moments_of_all_values(pattern):
    sample = open_partitions(PartitionedFiles.find(pattern), 3)
    assert sample.n == 6000
    assert sample.mean == pytest.approx(Y.mean(), rel=1e-9)
    assert sample.sd == pytest.approx(Y.std(), rel=1e-9)
    assert "3 partitions" in sample.origin.source
    assert sample.origin.label == "mag"
    assert sample.fingerprint == sample.summary.sha256


def test_partitions_are_kept_in_8_bytes_a_value(tmp_path):
    y = np.random.default_rng(1).normal(size=100_000)
    sample = open_partitions(PartitionedFiles.find(write_parquet(tmp_path, y, 2)), 2)
    sizes = sample.partitions.collect(lambda layout, i: sum(a.nbytes for a in layout[:8]))
    assert sum(sizes) < 8.5 * y.size


def test_csv_files_make_partitions_too(tmp_path):
    for i, part in enumerate(np.split(np.exp(Y), 3)):
        rows = "\n".join(f"{v!r}" for v in part.tolist())
        (tmp_path / f"{i}.csv").write_text(f"flux\n{rows}\n\n")
    sample = open_partitions(PartitionedFiles.find(tmp_path / "*.csv", transform="log"), 3)
    assert sample.n == 6000
    assert sample.mean == pytest.approx(Y.mean(), rel=1e-9)


def test_missing_values_are_left_out_and_counted(tmp_path):
    write(tmp_path / "a.parquet", mag=pa.array([1.0, None, 2.5, float("nan"), 3.0]))
    write(tmp_path / "b.parquet", mag=pa.array([1, 2, None, 7]))
    summary = summary_of(
        InProcess().hold(find_pieces(tmp_path / "*.parquet", "mag")).then(read_piece)
    )
    assert (summary.n, summary.n_missing) == (6, 3)


def test_a_random_part_is_of_the_values_each_as_likely(pattern):
    part = random_part(PartitionedFiles.find(pattern, "mag"), 2000, 1)
    assert part.n == 2000
    rest = np.sort(Y).tolist()
    for value in part.y:
        rest.remove(value)  # none is taken twice
    assert part == random_part(PartitionedFiles.find(pattern, "mag"), 2000, 1)
    assert part != random_part(PartitionedFiles.find(pattern, "mag"), 2000, 2)
    assert "2,000 of 6,000 values" in part.origin.source
    assert random_part(PartitionedFiles.find(pattern, "mag"), 6000, 1) == Sample.of(Y)
    # Hoeffding for sampling without replacement: P(off by more) <= 2 exp(-2 n e^2) = 1e-8.
    e = np.sqrt(np.log(2e8) / 4000)
    for q in (0.2, 0.5, 0.8):
        assert abs((part.y <= np.quantile(Y, q)).mean() - q) < e
    with pytest.raises(
        InputError, match=r"subsample = 6001 is more than there are values \(6000\)"
    ):
        random_part(PartitionedFiles.find(pattern, "mag"), 6001, 1)


BAD = {
    "cut off": (lambda p: p.write_bytes(p.read_bytes()[:2000]), "not a Parquet file or was cut"),
    "not parquet": (lambda p: p.write_text("mag\n1\n"), "is not a Parquet file"),
    "empty": (lambda p: p.write_bytes(b""), "is not a Parquet file"),
    "no rows": (lambda p: write(p, mag=pa.array([], pa.float64())), "has no rows"),
    "another column": (
        lambda p: write(p, mags=[1.0]),
        r"no column 'mag' \(did you mean 'mags'\?\)",
    ),
    "text": (lambda p: write(p, mag=["a", "b"]), "column 'mag' does not hold numbers"),
    "only missing": (
        lambda p: write(p, mag=pa.array([None, None], pa.float64())),
        "only missing values",
    ),
    "infinite": (lambda p: write(p, mag=[1.0, np.inf]), "1 infinite values"),
    "a folder": (lambda p: (p.unlink(), p.mkdir()), "is a folder"),
    "a broken link": (lambda p: (p.unlink(), p.symlink_to("nowhere")), "no such file"),
    "cut off in its middle": (
        lambda p: p.write_bytes(p.read_bytes()[:4] + bytes(20_000) + p.read_bytes()[20_004:]),
        "not a Parquet file or was cut",
    ),
}


@pytest.mark.parametrize(("spoil", "message"), BAD.values(), ids=BAD)
def test_a_bad_file_is_named_in_one_line(pattern, tmp_path, spoil, message):
    path = tmp_path / "stars" / "001.parquet"
    spoil(path)
    with pytest.raises(InputError, match=message) as error:
        open_partitions(PartitionedFiles.find(pattern, "mag"), 3)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)
    assert ";" in str(error.value)  # and then the remedy


def test_values_that_have_no_logarithm(pattern, tmp_path):
    with pytest.raises(InputError, match=r"000.parquet .*zero or negative.*transform 'log10'"):
        open_partitions(PartitionedFiles.find(pattern, "mag", "log10"), 3)


def test_no_file_at_all(tmp_path):
    with pytest.raises(InputError, match="no file matches"):
        open_partitions(PartitionedFiles.find(tmp_path / "*.parquet"), 3)


def test_the_column_must_be_named_where_there_are_several(tmp_path):
    write(tmp_path / "a.parquet", mag=[1.0], flux=[2.0])
    with pytest.raises(InputError, match="2 numeric columns; say which"):
        find_pieces(tmp_path / "a.parquet")


def test_more_than_can_be_held_is_refused_before_it_is_read(pattern, monkeypatch):
    monkeypatch.setattr(InProcess, "memory", 47_999.0)
    with pytest.raises(InputError, match=r"data\.subsample=1000000"):
        open_partitions(PartitionedFiles.find(pattern, "mag"), 3)
    monkeypatch.setattr(InProcess, "memory", 48_000.0)
    open_partitions(PartitionedFiles.find(pattern, "mag"), 3)


def test_in_this_process_a_failure_ends_the_rest():
    done = []

    def work(item, index):
        done.append(index)
        raise InputError("bad")

    with pytest.raises(InputError, match="bad"):
        InProcess().hold(range(1000)).collect(work)
    assert len(done) < 1000


CARD = """
title = "Stars"
[data]
path = "stars/*.parquet"
column = "mag"
[mixture]
components = 3
[priors]
weight_concentration = 1.0
mean_loc = 0.0
mean_sd = 30.0
var_shape = 1e-4
var_scale = 1e-4
[engines.em]
starts = 4
[engines.gibbs]
warmup = 20
draws = 50
"""


@pytest.fixture
def card(pattern: str, tmp_path: Path) -> Path:
    path = tmp_path / "stars.toml"
    path.write_text(CARD)
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.mark.slow
def test_a_card_may_name_partitions(card, tmp_path):
    out = tmp_path / "out"
    result = run("compare", card, "--engines", "em,gibbs", "--out", out)
    assert result.exit_code == 3, result.output  # 50 draws are too few to agree
    content = json.loads((out / "comparison.json").read_text())
    assert content["data"]["n"] == 6000
    assert content["data"]["n_distinct"] < 2000
    notes = " ".join(content["engines"]["gibbs"]["notes"])
    assert "went over all 6,000 values, in 3 partitions" in notes
    assert "engines such as NUTS that cannot go through" in notes
    assert sorted(p.name for p in (out / "fits").iterdir()) == ["em.nc", "gibbs.nc"]
    assert not (out / "allocations.csv").exists()
    page = (out / "index.html").read_text()
    assert "engines such as NUTS that cannot go through" in page
    again = load_outcome(out)
    assert again.comparison.sample.n == 6000


@pytest.mark.slow
def test_an_interrupted_fit_goes_on_where_it_was(card, tmp_path, own_cache, monkeypatch):
    monkeypatch.setattr(checkpoint, "EVERY_SECONDS", 0.0)
    command = ("fit", card, "--engine", "gibbs", "--out")
    assert run(*command, tmp_path / "whole").exit_code == 0
    (finished,) = (own_cache / "fits").iterdir()
    finished.unlink()
    sums, left = gibbs_partitioned.sum_in_order, iter([0] * 30)

    def interrupted(parts):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return sums(parts)

    with monkeypatch.context() as patch:
        patch.setattr(gibbs_partitioned, "sum_in_order", interrupted)
        assert run(*command, tmp_path / "parts").exit_code == 130
    assert [p.name for p in (own_cache / "fits").iterdir()] == [f"{finished.stem}.checkpoint.npz"]
    assert run(*command, tmp_path / "parts").exit_code == 0
    whole, parts = (load_fit(tmp_path / name / "fits" / "gibbs.nc") for name in ("whole", "parts"))
    np.testing.assert_array_equal(whole.params.mu, parts.params.mu)
    assert [p.name for p in (own_cache / "fits").iterdir()] == [finished.name]


def test_a_random_part_may_be_fitted_by_any_engine(card, tmp_path):
    small = ("--set", "data.subsample=500", "--set", "engines.gibbs_plain.draws=20",
             "--set", "engines.gibbs_plain.warmup=5")  # fmt: skip
    result = run("fit", card, "--engine", "gibbs_plain", "--out", tmp_path / "out", *small)
    assert result.exit_code == 0, result.output
    assert load_fit(tmp_path / "out" / "fits" / "gibbs_plain.nc").sample.n == 500
    refused = run("fit", card, "--engine", "gibbs_plain", "--out", tmp_path / "out")
    assert refused.exit_code == 2
    assert "data.subsample" in refused.output


def test_a_bad_partition_ends_the_command_before_any_sweep(card, tmp_path):
    path = tmp_path / "stars" / "002.parquet"
    path.write_bytes(path.read_bytes()[:1000])
    result = run("compare", card, "--out", tmp_path / "out")
    assert result.exit_code == 2
    (line,) = [line for line in result.stderr.splitlines() if line]
    assert str(path) in line
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_nothing_of_dask_is_imported_without_the_option(pattern):
    code = (
        "import sys\n"
        "from gmmcompare.data.partitions.pieces import PartitionedFiles\n"
        "from gmmcompare.workflows.partitions import open_partitions\n"
        f"open_partitions(PartitionedFiles.find({pattern!r}, 'mag'), 3)\n"
        "assert not [m for m in sys.modules if m.split('.')[0] in ('dask', 'distributed')]\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)

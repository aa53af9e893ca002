"""Data sets and CSV files: what loads, what it says of itself, and how bad input is refused."""

from __future__ import annotations

import hashlib
import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gmmcompare import data
from gmmcompare.runtime.bundled import bundled
from gmmcompare.runtime.errors import InputError


@pytest.fixture(autouse=True)
def _no_cache_and_no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test in this module may find the user's cache or leave the machine."""
    monkeypatch.setenv("GMMCOMPARE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("GMMCOMPARE_ARCHIVE_URL", "http://127.0.0.1:9/no-service")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def written(tmp_path: Path, content: str | bytes, name: str = "table.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


# The bundled data sets


def test_galaxies_are_the_published_ones() -> None:
    y = data.load_rows("galaxies").y
    assert y.size == 82
    assert y.sum() == 1_707_910
    assert (y[0], y[77], y[-1]) == (9172, 26690, 34279)
    assert (np.diff(y) > 0).all()


def test_the_two_units_of_the_galaxies_are_the_same_velocities() -> None:
    km_s = data.load_rows("galaxies", "velocity_km_s").y
    assert np.array_equal(data.load_rows("galaxies", "velocity_1000km_s").y, km_s / 1000)


def test_the_simulated_planets_are_what_their_script_draws(tmp_path: Path) -> None:
    script = bundled("data") / "simulate_exoplanets.py"
    again = tmp_path / "again.csv"
    subprocess.run([sys.executable, str(script), str(again)], check=True)
    assert again.read_bytes() == (bundled("data") / "exoplanets-simulated.csv").read_bytes()


def test_the_simulated_planets_follow_the_published_fit() -> None:
    """Moments of log10 radius within 5 standard errors of the mixture's: false alarms 1.2e-6.

    Rounding shifts both by less than 1e-4: to a decimal d of a radius r it moves the mean of log10
    by about d^2 / (24 r^2 log 10), which is 2e-4 for the one small planet in ten that is given to
    one decimal where r is 1 Earth radius, and far less for all others.
    """
    w = np.array([0.6711, 0.1886, 0.1403])
    mu = np.array([-0.7260, 0.0682, 0.0281])
    sd = np.array([0.2063, 0.0262, 0.1435])
    mean, second = w @ mu, w @ (mu**2 + sd**2)
    fourth = w @ (mu**4 + 6 * mu**2 * sd**2 + 3 * sd**4)
    y = data.load_sample("exoplanets-simulated", transform="log10").y
    assert abs(y.mean() - mean) < 5 * np.sqrt((second - mean**2) / y.size) + 1e-4
    assert abs((y**2).mean() - second) < 5 * np.sqrt((fourth - second**2) / y.size) + 1e-4


def test_the_simulated_planets_have_ties_as_the_real_ones_do() -> None:
    sample = data.load_sample("exoplanets-simulated")
    assert sample.n == 6078
    assert 1900 < sample.n_distinct < 2400
    assert sample.origin.simulated


def test_the_real_snapshot_loads() -> None:
    path = os.environ.get("GMMCOMPARE_EXOPLANETS")
    if not path:
        pytest.skip("GMMCOMPARE_EXOPLANETS names no snapshot of the archive")
    sample = data.load_sample(path, column="pl_radj", transform="log10")
    assert (sample.n, sample.n_distinct, sample.origin.n_missing) == (6037, 2115, 50)
    assert not sample.origin.simulated


# CSV files


def test_origin_says_where_the_sample_came_from(tmp_path: Path) -> None:
    content = "name,size\na,1\nb,\nc,100\nd,NA\ne,1\n"
    path = written(tmp_path, content)
    sample = data.load_sample(path, "size", "log10")
    assert sample.values.tolist() == [0, 2]
    assert sample.counts.tolist() == [2, 1]
    origin = sample.origin
    assert (origin.name, origin.source, origin.label) == ("table", str(path), "log10 size")
    assert origin.n_missing == 2
    assert origin.sha256 == hashlib.sha256(content.encode()).hexdigest()


def test_label_can_be_chosen(tmp_path: Path) -> None:
    path = written(tmp_path, "x\n1\n2\n")
    assert data.load_sample(path, label="length (m)").origin.label == "length (m)"
    assert data.load_sample("galaxies").origin.label == "velocity (km/s)"


def test_rows_keep_order_names_and_row_numbers(tmp_path: Path) -> None:
    path = written(tmp_path, "name,x\nNA,3\nb,\nc,1\n,2\n")
    rows = data.load_rows(path, "x", name_column="name")
    assert rows.y.tolist() == [3, 1, 2]
    assert rows.names == ("NA", "c", "")  # a planet may be called NA; a name is never missing
    assert rows.row.tolist() == [1, 3, 4]
    assert data.load_rows(path, "x").names is None


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("# made by\n#\n# COLUMN x: size, and more\nx,name\n1,a\n2,b\n", id="comments"),
        pytest.param("\n\nx,name\n1,a\n\n2,b\n", id="blank lines"),
        pytest.param("\ufeffx,name\n1,a\n2,b\n", id="byte order mark"),
        pytest.param("\ufeff# note\nx,name\n1,a\n2,b\n", id="mark and comment"),
        pytest.param("\nx;name\n1;a\n2;b,c\n", id="semicolons"),
        pytest.param("x\tname\n1\ta\n2\tb\n", id="tabs"),
        pytest.param("x,name\r\n1,a\r\n2,b\r\n", id="Windows"),
        pytest.param('"x", "name"\n1, "a, #1"\n2, "b"\n', id="quotes"),
        pytest.param("x,name\n1,a\n2,b", id="no last newline"),
    ],
)
def test_only_numeric_column_is_found(tmp_path: Path, content: str) -> None:
    assert data.load_rows(written(tmp_path, content)).y.tolist() == [1, 2]


def test_numbers_are_read_to_the_last_bit(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    y = rng.normal(size=2000) * 10.0 ** rng.integers(-300, 300, 2000)
    path = written(tmp_path, "x\n" + "".join(f"{float(v)!r}\n" for v in y))
    assert np.array_equal(data.load_rows(path).y, y)


def test_integers_too_large_for_64_bits_are_numbers(tmp_path: Path) -> None:
    path = written(tmp_path, f"x\n{10**30}\n1\n")
    assert data.load_rows(path, "x").y.tolist() == [1e30, 1.0]


# Bad input: one line, with file, place, reason and remedy


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        pytest.param("", {}, ["is empty", "give a CSV"], id="empty"),
        pytest.param(" \n\n", {}, ["is empty"], id="blank"),
        pytest.param("# a\n# b\n", {}, ["comment lines only", "header line"], id="comments only"),
        pytest.param(
            "<!DOCTYPE html><html>\n", {}, ["HTML or XML", "download it again"], id="HTML"
        ),
        pytest.param("\ufeff\n<?xml version='1.0'?>\n", {}, ["HTML or XML"], id="XML"),
        pytest.param(b"\x89PNG\r\n\x1a\n\0\0", {}, ["binary", "save it as CSV"], id="binary"),
        pytest.param("x\n1\n".encode("utf-16"), {}, ["binary", "UTF-8"], id="UTF-16"),
        pytest.param(
            "name,x\n\u00e9,1\n".encode("latin-1"), {}, ["byte 0xe9", "UTF-8"], id="Latin-1"
        ),
        pytest.param(
            "a,x\n1,2\n3,4,5\n",
            {"column": "x"},
            ["header has 2 cells and row 2 below it 3", "quote"],
            id="long",
        ),
        pytest.param(
            "a,x\n1,2\n3,4\n5",
            {"column": "a"},
            ["header has 2 cells and row 3 below it 1", "cut off"],
            id="short",
        ),
        pytest.param('a,x\n1,2\n3,"4\n', {}, ["line 3", "not CSV", "quotes"], id="open quote"),
        pytest.param("1.5\n2.5\n3.5\n", {}, ["first line", "1.5", "header line"], id="no header"),
        pytest.param(
            "radius,mass\n1,2\n",
            {"column": "raduis"},
            ["no column 'raduis'", "did you mean 'radius'?", "columns: radius, mass"],
            id="no such column",
        ),
        pytest.param(
            "radius\n1\n",
            {"column": "radius", "name_column": "name"},
            ["no column 'name'", "columns: radius"],
            id="no such name column",
        ),
        pytest.param(
            "x,x\n1,2\n", {"column": "x"}, ["2 columns are called 'x'", "rename"], id="twice"
        ),
        pytest.param(
            "a,b,c\n1,2,z\n",
            {},
            ["2 numeric columns", "say which", "columns: a, b, c"],
            id="which column",
        ),
        pytest.param("a,b\nu,v\n", {}, ["no numeric column", "columns: a, b"], id="no numbers"),
        pytest.param(
            "x\n1\n2\nabout 3\n4\n?\n",
            {"column": "x"},
            ["column 'x'", "row 3", "'about 3'", "2 such rows", "leave the cell empty"],
            id="text",
        ),
        pytest.param(
            "x\nTrue\nFalse\n", {"column": "x"}, ["text in row 1", "'True'"], id="true and false"
        ),
        pytest.param(
            "x\n1\n-inf\n", {"column": "x"}, ["column 'x'", "infinite in row 2"], id="infinite"
        ),
        pytest.param("x\n1e999\n", {"column": "x"}, ["infinite in row 1", "remove"], id="overflow"),
        pytest.param(
            "x,y\nNA,1\n,2\n",
            {"column": "x"},
            ["column 'x'", "only missing values (2 rows)", "another column"],
            id="only missing",
        ),
        pytest.param("x\n", {}, ["column 'x'", "no rows"], id="no rows"),
        pytest.param(
            "x\n1\n\n0\n3\n-2\n",
            {"transform": "log10"},
            ["2 values", "zero or negative", "first 0 in row 2", "'log10'", "transform 'none'"],
            id="zero under log10",
        ),
        pytest.param("x\n0\n1\n", {"transform": "log"}, ["first 0 in row 1"], id="zero"),
        pytest.param(
            "x\n1\n-3\n", {"transform": "log"}, ["first -3 in row 2", "'log'"], id="negative"
        ),
        pytest.param(
            "x\n1\n",
            {"transform": "log1O"},
            ["transform 'log1O'", "did you mean 'log10'?", "none, log, log10"],
            id="no such transform",
        ),
    ],
)
def test_bad_file_is_one_clear_line(
    tmp_path: Path, content: str | bytes, options: dict[str, str], words: list[str]
) -> None:
    path = written(tmp_path, content)
    with pytest.raises(InputError) as caught:
        data.load_rows(path, **options)  # type: ignore[arg-type]
    message = str(caught.value)
    assert "\n" not in message
    if "transform" not in message.split()[0]:
        assert message.startswith(f"{path}: ")
    for word in words:
        assert word in message


def test_text_far_down_a_long_file_is_found(tmp_path: Path) -> None:
    path = written(tmp_path, "x\n" + "1.25\n" * 600_000 + "oops\n" + "2\n" * 100_000)
    with pytest.raises(InputError, match=r"text in row 600001 below the header: 'oops' \(1 such"):
        data.load_sample(path)


def test_many_columns_are_not_all_listed(tmp_path: Path) -> None:
    header = ",".join(f"c{i}" for i in range(683))
    with pytest.raises(InputError, match=r"c19 and 663 more$"):
        data.load_sample(written(tmp_path, header + "\n"), column="x")


def test_no_such_file_suggests_the_nearest(tmp_path: Path) -> None:
    path = written(tmp_path, "x\n1\n", "planets.csv")
    with pytest.raises(InputError, match=r"no such file \(did you mean '.*planets.csv'\?\)"):
        data.load_sample(tmp_path / "planet.csv")
    with pytest.raises(InputError, match=r"no such file \(did you mean 'galaxies'\?\); .*data set"):
        data.load_sample("galaxy")
    assert data.load_sample(path).n == 1


def test_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder; give a CSV file"):
        data.load_sample(tmp_path)


def test_unreadable_file(tmp_path: Path) -> None:
    path = written(tmp_path, "x\n1\n")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(InputError, match="cannot be read: Permission denied"):
        data.load_sample(path)


# What the command line asks


def test_list_says_what_is_at_hand() -> None:
    status = {listing.dataset.name: listing.status for listing in data.list_datasets()}
    assert status == {
        "galaxies": "bundled",
        "acidity": "bundled",
        "enzyme": "bundled",
        "exoplanets": "not fetched",
        "exoplanets-simulated": "bundled",
        "exoplanets-errors-simulated": "bundled",
        "faithful": "bundled",
        "iris": "bundled",
        "radius-mass-simulated": "bundled",
    }


def test_describe_bundled() -> None:
    about = data.describe("galaxies")
    assert about.path == data.fetch("galaxies")
    assert about.snapshot is None
    assert about.sample is not None
    assert (about.sample.n, about.sample.n_distinct) == (82, 82)
    assert about.path is not None
    assert about.sample.origin.sha256 == hashlib.sha256(about.path.read_bytes()).hexdigest()


def test_describe_does_not_pass_the_stand_in_off_as_planets() -> None:
    about = data.describe("exoplanets")
    assert about.listing.status == "not fetched"
    assert about.sample is about.path is about.snapshot is None


def test_every_default_column_is_there() -> None:
    for listing in data.list_datasets():
        if listing.dataset.file:
            assert data.load_sample(listing.dataset.name).n > 0


def test_no_such_data_set() -> None:
    with pytest.raises(InputError, match=r"no data set 'exoplanet' \(did you mean 'exoplanets'"):
        data.fetch("exoplanet")
    with pytest.raises(InputError, match="there are: galaxies, acidity, enzyme, exoplanets,"):
        data.describe("stars")


def test_offline_takes_the_stand_in_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    sample = data.load_sample("exoplanets", transform="log10", offline=True)
    assert sample == data.load_sample("exoplanets-simulated", transform="log10")
    assert sample.origin.simulated
    assert sample.origin.name == "exoplanets-simulated"
    [notice] = caplog.records
    assert (notice.name, notice.levelno) == ("gmmcompare", logging.WARNING)
    for word in ("SIMULATED", "offline", "gmmcompare data fetch exoplanets"):
        assert word in notice.getMessage()


def test_without_network_takes_the_stand_in_and_says_why(caplog: pytest.LogCaptureFixture) -> None:
    assert data.load_sample("exoplanets").origin.simulated
    [notice] = caplog.records
    for word in ("127.0.0.1", "no connection", "SIMULATED", "gmmcompare data fetch exoplanets"):
        assert word in notice.getMessage()


def test_listing_is_cheap() -> None:
    """`gmmcompare data list` must answer at once."""
    heavy = ("pandas", "scipy", "numba", "pymc", "matplotlib", "pooch")
    code = (
        "import sys; from gmmcompare import data; data.list_datasets(); "
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert result.stdout.strip() == "[]"

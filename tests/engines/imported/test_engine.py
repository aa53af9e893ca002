"""Draws made elsewhere: files that ArviZ writes, Stan's, and files that are neither."""

from __future__ import annotations

import re

import numpy as np
import pytest
import xarray as xr

from gmmcompare.engines.base import Draws, Problem, no_progress
from gmmcompare.engines.imported.engine import ImportedEngine
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample
from gmmcompare.runtime.errors import EngineError, InputError

PROBLEM = Problem(Sample.of([0.1, 0.5, 2.0]), 2, Priors())


def read(path, problem=PROBLEM) -> Draws:
    return ImportedEngine("theirs", path).run(problem, 1, no_progress)


def arrays(chains: int = 2, draws: int = 6, K: int = 2) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    return {
        "w": rng.dirichlet(np.ones(K), (chains, draws)),
        "mu": rng.normal(size=(chains, draws, K)),
        "sigma": rng.random((chains, draws, K)) + 0.1,
    }


def tree(content=None, dims=("chain", "draw", "component"), **groups) -> xr.DataTree:
    content = arrays() if content is None else content
    posterior = xr.Dataset({name: (dims, a) for name, a in content.items()})
    return xr.DataTree.from_dict({"posterior": posterior, **groups})


def assert_are(found: Draws, expected) -> None:
    for name, array in expected.items():
        np.testing.assert_allclose(getattr(found.params, name), array, rtol=1e-12)


DIVERGING = xr.Dataset({"diverging": (("draw", "chain"), np.arange(12).reshape(6, 2) % 5 == 0)})


def test_netcdf(tmp_path):
    path = tmp_path / "theirs.nc"
    tree(sample_stats=DIVERGING).to_netcdf(path, engine="h5netcdf")
    found = read(path)
    assert_are(found, arrays())
    np.testing.assert_array_equal(found.stats["diverging"], DIVERGING["diverging"].values.T)
    assert (found.seconds.prepare, found.seconds.sample) == (0.0, 0.0)


def test_axes_in_another_order(tmp_path):
    path = tmp_path / "theirs.nc"
    turned = {name: np.moveaxis(a, -1, 0) for name, a in arrays().items()}
    tree(turned, ("mixture", "chain", "draw")).to_netcdf(path, engine="h5netcdf")
    found = read(path)
    assert_are(found, arrays())
    assert found.stats == {}


@pytest.mark.parametrize("consolidated", [True, False])
def test_zarr(tmp_path, consolidated):
    path = tmp_path / "theirs.zarr"
    tree(sample_stats=DIVERGING).to_zarr(path, consolidated=consolidated, zarr_format=2)
    found = read(path)
    assert_are(found, arrays())
    assert found.stats["diverging"].shape == (2, 6)


HEADER = "lp__,accept_stat__,divergent__,theta,w.1,w.2,sigma.1,sigma.2,mu.1,mu.2"


def stan_file(path, chain: int, warmup: bool = False, content=None, rows=None) -> None:
    content = arrays() if content is None else content
    w, mu, sigma = (content[name][chain] for name in ("w", "mu", "sigma"))
    lines = [f"# save_warmup = {int(warmup)}", "# model = mixture", HEADER]
    if warmup:
        lines += ["-9,0.5,1,0,0.5,0.5,9,9,9,9"] * 4
    lines += ["# Adaptation terminated", "# Step size = 0.8", "# 0.9, 1.1"]
    for i in range(len(w))[:rows]:
        values = (-1.5, 0.9, int(i == 2), 0.0, *w[i], *sigma[i], *mu[i])
        lines.append(",".join(repr(float(v)) for v in values))
    lines += ["# ", "#  Elapsed Time: 0.01 seconds (Warm-up)"]
    path.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("warmup", [False, True])
def test_stan_csv(tmp_path, warmup):
    for chain in (0, 1):
        stan_file(tmp_path / f"model-{chain + 1}.csv", chain, warmup)
    found = read(tmp_path)
    assert_are(found, arrays())
    expected = np.zeros((2, 6), dtype=bool)
    expected[:, 2] = True
    np.testing.assert_array_equal(found.stats["diverging"], expected)


def test_stan_columns_are_in_the_order_of_their_numbers(tmp_path):
    content = arrays(chains=1, K=11)
    names = [f"{name}.{k + 1}" for name in content for k in range(11)]
    order = np.random.default_rng(2).permutation(33)
    table = np.concatenate([content[name][0] for name in content], axis=1)[:, order]
    lines = [
        ",".join(np.array(names)[order]),
        *(",".join(map(repr, row.tolist())) for row in table),
    ]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    found = read(tmp_path, Problem(PROBLEM.sample, 11, Priors()))
    assert_are(found, content)
    assert found.stats == {}


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (
            tree({"w": arrays()["w"], "tau": arrays()["mu"]}),
            "draws have no mu; they have: w, tau; say which they are by --rename, as in --rena",
        ),
        (
            tree(arrays(), ("chain", "sample", "component")),
            "w has axes (chain, sample, component); mu has",
        ),
        (
            tree({name: a[..., 0] for name, a in arrays().items()}, ("chain", "draw")),
            "w is one number for each draw, where 2 components need a vector of 2; give it axes",
        ),
        (
            xr.DataTree.from_dict({"prior": DIVERGING}),
            "has no group 'posterior', where ArviZ keeps draws; groups are: prior",
        ),
    ],
)
def test_files_without_the_parameters(tmp_path, made, says):
    path = tmp_path / "theirs.nc"
    made.to_netcdf(path, engine="h5netcdf")
    with pytest.raises(InputError, match=re.escape(says)) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_draws_of_something_else(tmp_path):
    path = tmp_path / "theirs.nc"
    tree(arrays(K=3)).to_netcdf(path, engine="h5netcdf")
    with pytest.raises(EngineError, match="theirs: 3 components where 2 were asked for"):
        read(path)
    content = arrays()
    content["sigma"][0, 0, 0] = -1.0
    tree(content).to_netcdf(path, engine="h5netcdf")
    with pytest.raises(EngineError, match="theirs: sigma must be positive"):
        read(path)


def test_files_that_are_no_draws(tmp_path):
    with pytest.raises(InputError, match=r"none\.nc: no such file or folder of draws"):
        read(tmp_path / "none.nc")
    text = tmp_path / "text.nc"
    text.write_text("hello")
    empty = tmp_path / "empty"
    empty.mkdir()
    for path in (text, empty):
        with pytest.raises(
            InputError, match=r"cannot be read as draws; give NetCDF or Zarr .* Stan's CSV files"
        ):
            read(path)


def stan_with(tmp_path, text: str):
    stan_file(tmp_path / "model-1.csv", 0)
    (tmp_path / "model-2.csv").write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "model-2.csv: is empty, or has comment lines only: its run has not begun to draw"),
        ("# only\n# comments\n", "model-2.csv: is empty, or has comment lines only"),
        ('a,b\n"1,2\n3', "model-2.csv: is not a CSV file of draws: "),
        (f"{HEADER}\n1,1,0,0,0.5,0.5,1,1,0,1\n", "chains differ in length: [1, 6]; is one unfin"),
        ("lp__,y\n" + "1,2\n" * 6, "model-1.csv and model-2.csv have different columns, as those"),
        (
            HEADER + "\n1,1,0,0,0.5,0.5,1,1,0,x" * 6,
            "model-2.csv: mu.2 has text among its draws; is the f",
        ),
    ],
)
def test_stan_files_that_cannot_be_used(tmp_path, text, says):
    with pytest.raises(InputError, match=re.escape(says)) as caught:
        read(stan_with(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_a_stan_file_cut_short_in_a_row(tmp_path):
    stan_file(tmp_path / "model-1.csv", 0)
    whole = (tmp_path / "model-1.csv").read_text().splitlines()
    whole[-3] = whole[-3].rpartition(",")[0]
    (tmp_path / "model-1.csv").write_text("\n".join(whole))
    with pytest.raises(InputError, match=r"model-1\.csv: the last row is cut short: the file was"):
        read(tmp_path)


def test_settings_change_with_the_files(tmp_path):
    for chain in (0, 1):
        stan_file(tmp_path / f"model-{chain + 1}.csv", chain)
    engine = ImportedEngine("theirs", tmp_path)
    before = engine.settings
    assert engine.name == "theirs"
    assert before == ImportedEngine("others", tmp_path).settings
    with (tmp_path / "model-2.csv").open("a") as file:
        file.write("# more\n")
    assert engine.settings != before


def test_weights_of_six_digits_are_rescaled_and_it_is_said(tmp_path):
    """Stan's default until 2025."""
    K, rng = 3, np.random.default_rng(3)
    for chain in range(4):
        content = {name: a[:1] for name, a in arrays(1, 1000, K).items()}
        content["w"] = rng.dirichlet(np.ones(K), (1, 1000))
        lines = [",".join(f"{name}.{k + 1}" for name in content for k in range(K))]
        table = np.concatenate([a[0] for a in content.values()], axis=1)
        lines += [",".join(f"{v:.6g}" for v in row) for row in table]
        (tmp_path / f"{chain}.csv").write_text("\n".join(lines) + "\n")
    found = read(tmp_path, Problem(PROBLEM.sample, K, Priors()))
    np.testing.assert_allclose(found.params.w.sum(axis=-1), 1, atol=1e-14)
    assert [note[:60] for note in found.notes] == [
        "weights are rounded to 6 digits, so that they were rescaled "
    ]

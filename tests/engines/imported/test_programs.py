"""Files that other programs wrote (see ``files/README.md``): each is read, or named."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gmmcompare.data import load_sample
from gmmcompare.engines.base import Draws, Problem, no_progress
from gmmcompare.engines.imported.engine import ImportedEngine
from gmmcompare.engines.imported.names import parsed_rename
from gmmcompare.model.priors import Priors
from gmmcompare.runtime.errors import InputError

FILES = Path(__file__).parent / "files"
PROBLEM = Problem(load_sample("galaxies", "velocity_1000km_s"), 3, Priors(2, 20, 10, 3, 2))


def read(name: str | Path, rename: str = "") -> Draws:
    engine = ImportedEngine("theirs", FILES / name, parsed_rename(rename) if rename else None)
    return engine.run(PROBLEM, 1, no_progress)


@pytest.mark.parametrize(
    ("name", "chains", "divergences", "notes"),
    [
        ("pymc.nc", 4, True, []),
        ("arviz_frame.csv", 4, False, []),
        ("numpyro.nc", 4, True, ["sigma is taken to be sqrt(sigma2) (sigma2 a variance); if not"]),
        ("numpyro_by_chain.npz", 4, False, ["sigma is taken to be sqrt(sigma2)"]),
        ("numpyro_flat.npz", 1, False, ["sigma is taken to be", "has one chain only"]),
        ("pystan_to_frame.csv", 4, True, ["w is taken to be theta; if not, say so by --rename"]),
        ("pystan_arrays.npz", 1, False, ["w is taken to be theta", "has one chain only"]),
        ("r_as_draws_df.csv", 4, False, ["w is taken to be theta"]),
        ("r_row_names.csv", 4, False, ["w is taken to be theta"]),
        ("r_write_table.txt", 4, False, ["w is taken to be theta"]),
    ],
)
def test_draws_are_read(name: str, chains: int, divergences: bool, notes: list[str]) -> None:
    found = read(name)
    assert found.params.mu.shape == (chains, 100 // chains, 3)
    assert found.params.mu.min() > 5
    assert found.params.mu.max() < 40
    assert ("diverging" in found.stats) is divergences
    assert len(found.notes) == len(notes)
    assert all(said.startswith(note) for said, note in zip(found.notes, notes, strict=True))


def test_the_same_draws_in_five_forms_are_the_same() -> None:
    stan = read("pystan_to_frame.csv").params
    for name in ("r_as_draws_df.csv", "r_row_names.csv", "r_write_table.txt"):
        for theirs, ours in zip(read(name).params, stan, strict=True):
            np.testing.assert_allclose(theirs, ours, rtol=1e-13)
    flat = read("pystan_arrays.npz").params.mu[0]
    np.testing.assert_array_equal(flat.reshape(25, 4, 3).swapaxes(0, 1), stan.mu)


def test_a_step_size_that_changes_at_every_draw_tells_no_chains(tmp_path: Path) -> None:
    frame = pd.read_csv(FILES / "pystan_to_frame.csv", index_col="draws")
    frame["stepsize__"] = np.random.default_rng(1).random(len(frame))
    assert read(written(tmp_path, frame)).params.mu.shape == (1, 100, 3)


def test_a_table_of_arviz_holds_what_the_file_holds() -> None:
    for a, b in zip(read("pymc.nc").params, read("arviz_frame.csv").params, strict=True):
        np.testing.assert_array_equal(a, b)


def test_numpyro_s_two_ways_are_the_same_draws() -> None:
    by_chain = read("numpyro_by_chain.npz").params
    np.testing.assert_array_equal(by_chain.mu, read("numpyro.nc").params.mu)
    np.testing.assert_array_equal(
        by_chain.mu.reshape(1, 100, 3), read("numpyro_flat.npz").params.mu
    )


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("emcee.h5", "is emcee's own file, whose columns have no names; write named arrays of"),
        ("r.rds", "is compressed (gzip), as R's .rds is; unpack it, or in R write write.csv(post"),
        ("r_summary.csv", "is a summary of draws; give the files that the sampler wrote its draws"),
    ],
)
def test_what_cannot_be_read_is_named(name: str, says: str) -> None:
    with pytest.raises(InputError, match=re.escape(f"{FILES / name}: {says}")) as caught:
        read(name)
    assert "\n" not in str(caught.value)


# Tables in other forms, of PyMC's draws


@cache
def posterior() -> xr.Dataset:
    with xr.open_datatree(FILES / "pymc.nc", engine="h5netcdf") as stored:
        found = stored["posterior"].to_dataset()[["w", "mu", "sigma"]].load()
    return xr.Dataset({n: (("chain", "draw", "component"), v.values) for n, v in found.items()})


def written(tmp_path: Path, frame, name: str = "draws.csv", **options) -> Path:
    frame.to_csv(tmp_path / name, **options)
    return tmp_path / name


def columns(form: str):
    """Return one column for each entry, named by a form such as ``{}[{}]``."""
    wide = posterior().to_dataframe().unstack("component")
    wide.columns = [form.format(name, k + 1) for name, k in wide.columns]
    return wide


@pytest.mark.parametrize("form", ["{}[{}]", "{}.{}", "{}_{}", "{}{}", "{}({})"])
@pytest.mark.parametrize(
    "names",
    [
        pytest.param(("chain", "draw"), id="ArviZ"),
        pytest.param((".chain", ".iteration"), id="R"),
        pytest.param(("chain__", "iter__"), id="CmdStanPy"),
    ],
)
def test_columns_are_told_by_their_numbers(tmp_path: Path, form: str, names) -> None:
    frame = columns(form)
    shuffled = frame.sample(
        frac=1, random_state=1
    )  # the columns of chains and draws tell the order
    found = read(written(tmp_path, shuffled.reset_index(names=list(names)), index=False))
    np.testing.assert_allclose(found.params.mu, posterior()["mu"].values, rtol=1e-14)


@pytest.mark.parametrize("k", ["component", "k", ".component"])
def test_one_row_for_each_component(tmp_path: Path, k: str) -> None:
    """As xarray and R's tidybayes write them."""
    long = posterior().to_dataframe().reset_index().rename(columns={"component": k})
    long[k] += 1
    found = read(written(tmp_path, long, index=False))
    for theirs, name in zip(found.params, ("w", "mu", "sigma"), strict=True):
        np.testing.assert_allclose(theirs, posterior()[name].values, rtol=1e-14)


@pytest.mark.parametrize("names", [(".variable", ".value"), ("variable", "value")])
def test_one_row_for_each_number(tmp_path: Path, names) -> None:
    """As R's ``gather_draws`` and pandas' ``melt`` write them."""
    long = columns("{}[{}]").reset_index().melt(["chain", "draw"], var_name=names[0])
    found = read(written(tmp_path, long.rename(columns={"value": names[1]}), index=False))
    np.testing.assert_allclose(found.params.mu, posterior()["mu"].values, rtol=1e-14)


def test_one_file_for_each_chain(tmp_path: Path) -> None:
    for chain, piece in columns("{}[{}]").groupby("chain"):
        written(tmp_path, piece, f"chain{chain}.csv", index=False)
    np.testing.assert_allclose(read(tmp_path).params.w, posterior()["w"].values, rtol=1e-14)


def test_draws_numbered_without_chains_are_not_guessed_at(tmp_path: Path) -> None:
    frame = columns("{}[{}]").reset_index("draw")
    with pytest.raises(InputError, match=r"draw 0 occurs more than once; number draws within each"):
        read(written(tmp_path, frame, index=False))


def test_sigma_and_sigma2_are_two_things(tmp_path: Path) -> None:
    frame = columns("{}.{}")
    for k in (1, 2, 3):
        frame[f"sigma2.{k}"] = frame[f"sigma.{k}"] ** 2
    frame["sigma2"] = 1.0
    found = read(written(tmp_path, frame))
    np.testing.assert_allclose(found.params.sigma, posterior()["sigma"].values, rtol=1e-14)
    assert found.notes == ()


# Axes


def npz(tmp_path: Path, turned) -> Path:
    arrays = {name: turned(v.values) for name, v in posterior().items()}
    np.savez(tmp_path / "draws.npz", **arrays)
    return tmp_path / "draws.npz"


def test_arrays_of_numpy(tmp_path: Path) -> None:
    found = read(npz(tmp_path, lambda a: a))
    np.testing.assert_array_equal(found.params.w, posterior()["w"].values)


@pytest.mark.parametrize(
    ("turned", "says"),
    [
        (lambda a: a.swapaxes(0, 1), "25 chains of 4 draws: chain and draw look exchanged; give"),
        (
            lambda a: np.moveaxis(a, -1, 1),
            "w has shape (4, 3, 25); give it axes (chain, draw, component) with the 3 components "
            "at the end, as by numpy.moveaxis(w, 1, -1)",
        ),
        (lambda a: np.moveaxis(a, -1, 0), "numpy.moveaxis(w, 0, -1)"),
        (
            lambda a: a[..., None],
            "w has shape (4, 25, 3, 1); give it axes (chain, draw, component)",
        ),
        (lambda a: a[0, :, 0], "w has shape (25,); give it axes"),
        (lambda a: a.astype(str), "holds no arrays of numbers; write numpy.savez('draws.npz', w="),
    ],
)
def test_axes_are_not_taken_on_trust(tmp_path: Path, turned, says: str) -> None:
    with pytest.raises(InputError, match=re.escape(says)):
        read(npz(tmp_path, turned))


def test_exchanged_labels_are_one_line_at_once(tmp_path: Path) -> None:
    """2,500 chains of 4 draws ran for two minutes: all pairs of chains were compared."""
    wide = posterior().isel(draw=np.arange(2500) % 25).rename(chain="draw", draw="chain")
    xr.DataTree.from_dict({"posterior": wide}).to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    with pytest.raises(InputError, match=r"a\.nc: 2,500 chains of 4 draws: chain and draw look ex"):
        read(tmp_path / "a.nc")


def test_one_array_without_a_name(tmp_path: Path) -> None:
    np.save(tmp_path / "mu.npy", np.ones((4, 25, 3)))
    with pytest.raises(InputError, match=r"is one array without a name, \(4, 25, 3\); write num"):
        read(tmp_path / "mu.npy")
    (tmp_path / "b.npz").write_bytes(npz(tmp_path, lambda a: a).read_bytes()[:300])
    with pytest.raises(InputError, match=r"b\.npz: is damaged"):
        read(tmp_path / "b.npz")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\x80\x04\x95abc", "is a Python pickle, which could run any code"),
        (b'{"w": [1, 2]}', "is JSON"),
        (b"CDF\x01\0\0", "is NetCDF of the old format 3"),
        (b"\xff\xfea\xd8b\n", "is not text"),
        (b"\x89HDF\r\n\x1a\n broken", "cannot be read as draws; give NetCDF or Zarr"),
    ],
)
def test_other_formats_are_named(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "draws.dat").write_bytes(content)
    with pytest.raises(InputError, match=re.escape(says)) as caught:
        read(tmp_path / "draws.dat")
    assert "Error" not in str(caught.value)

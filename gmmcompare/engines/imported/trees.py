"""NetCDF and Zarr, as ArviZ writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from gmmcompare.engines.imported.found import Found
from gmmcompare.model.params import Array
from gmmcompare.runtime.errors import InputError

AXES = ("chain", "draw")
_EMCEE = (
    "is emcee's own file, whose columns have no names; write named arrays of backend.get_chain() "
    "instead: numpy.savez('draws.npz', w=..., mu=..., sigma=...), each (chain, draw, component), "
    "of independent runs, for walkers depend on one another"
)
READABLE = (
    "NetCDF or Zarr that ArviZ writes, Stan's CSV files or a folder of them, a CSV of draws, or an "
    ".npz of arrays"
)


def read_tree(path: Path) -> Found:
    """Read the group ``posterior`` of a NetCDF file or a Zarr folder.

    Raises
    ------
    InputError
        If it is neither, has no such group, or a variable that is not over chains and draws.
    """
    # Asking for consolidated metadata would warn where there are none; no store needs them.
    options: dict[str, Any] = {"engine": "zarr", "consolidated": False}
    if path.is_file():
        options = {"engine": "h5netcdf"}
    try:
        with xr.open_datatree(path, **options) as stored:
            tree = stored.load()
    except Exception:  # a damaged file makes its readers raise anything
        said = _EMCEE if _is_emcee(path) else f"cannot be read as draws; give {READABLE}"
        raise InputError(f"{path}: {said}") from None
    if "posterior" not in tree.children:
        raise InputError(_no_posterior(path, list(tree.children)))
    posterior = tree["posterior"].to_dataset()
    arrays: dict[str, Array] = {}
    for name, variable in posterior.data_vars.items():
        if set(AXES) <= set(variable.dims) and variable.dtype.kind in "biuf":
            arrays[str(name)] = np.asarray(variable.transpose(*AXES, ...).values, dtype=float)
    if not arrays:
        raise InputError(_without_axes(path, posterior))
    return Found(arrays, stats=_diverging(tree))


def _is_emcee(path: Path) -> bool:
    import h5py

    try:
        with h5py.File(path) as stored:
            return "mcmc" in stored and "chain" in stored["mcmc"]
    except OSError:
        return False


def _no_posterior(path: Path, groups: list[str]) -> str:
    listed = ", ".join(groups) or "none"
    return f"{path}: has no group 'posterior', where ArviZ keeps draws; groups are: {listed}"


def _without_axes(path: Path, posterior: xr.Dataset) -> str:
    said = "; ".join(
        f"{name} has axes ({', '.join(map(str, v.dims))})"
        for name, v in list(posterior.data_vars.items())[:3]
    )
    return f"{path}: {said or 'posterior is empty'}; want chain, draw, component"


def _diverging(tree: xr.DataTree) -> dict[str, Array]:
    if "sample_stats" not in tree.children:
        return {}
    stats = tree["sample_stats"].to_dataset()
    if "diverging" not in stats or set(stats["diverging"].dims) != set(AXES):
        return {}
    return {"diverging": stats["diverging"].transpose(*AXES).values}

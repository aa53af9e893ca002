"""Draws made elsewhere: NetCDF or Zarr that ArviZ reads, or a folder of Stan CSV files."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from gmmcompare.engines.base import Draws, Problem, Seconds, Step
from gmmcompare.engines.check import check_engine
from gmmcompare.engines.imported.rounding import rescaled
from gmmcompare.model.params import Params
from gmmcompare.runtime.errors import EngineError, InputError

if TYPE_CHECKING:
    from pandas import DataFrame


class ImportedEngine:
    """Draws from a file as an engine: it is asked for draws and reads them."""

    def __init__(self, name: str, path: str | Path) -> None:
        self._name, self._path = name, Path(path)

    @property
    def name(self) -> str:
        """The name the user gave the draws."""
        return self._name

    @property
    def settings(self) -> Mapping[str, Any]:
        """The files' digest, so that other draws under the same name are read again."""
        digest = hashlib.sha256()
        files = [self._path] if self._path.is_file() else sorted(self._path.rglob("*"))
        for file in files:
            if file.is_file():
                digest.update(file.read_bytes())
        return {"draws_sha256": digest.hexdigest()}

    def run(self, problem: Problem, seed: int, progress: Step) -> Draws:
        """Read the draws.

        Parameters
        ----------
        problem : Problem
            Only its K plays a part.
        seed : int
            Plays no part.
        progress : callable
            Never called.

        Returns
        -------
        Draws
            Taken to be in the units of the data, as they stand in the file; 0 seconds.

        Raises
        ------
        InputError
            If the file is missing or holds no draws of w, mu and sigma.
        EngineError
            If the draws are not those of a mixture of K normals.
        """
        if not self._path.exists():
            raise InputError(f"{self._path}: no such file or folder of draws")
        is_stan = self._path.is_dir() and any(self._path.glob("*.csv"))
        arrays, stats = _from_stan(self._path) if is_stan else _from_arviz(self._path)
        arrays["w"], note = rescaled(np.asarray(arrays["w"], dtype=float))
        params = check_engine(arrays, K=problem.K, name=self.name)
        if params.w.ndim != 3:
            raise EngineError(f"{self.name}: draws need the axes (chain, draw, component)")
        return Draws(params, Seconds(0.0, 0.0), stats, notes=(note,) if note else ())


def _from_arviz(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    # Asking for consolidated metadata would warn where there are none; no store needs them.
    options: dict[str, Any] = {"engine": "zarr", "consolidated": False}
    if path.is_file():
        options = {"engine": "h5netcdf"}
    try:
        with xr.open_datatree(path, **options) as stored:
            tree = stored.load()
    except Exception as error:
        raise InputError(
            f"{path}: cannot be read as draws ({type(error).__name__}); give NetCDF or Zarr that "
            "ArviZ writes, or a folder of Stan CSV files"
        ) from None
    if "posterior" not in tree.children:
        raise InputError(
            f"{path}: has no group 'posterior'; groups are: {', '.join(tree.children) or 'none'}"
        )
    posterior = tree["posterior"].to_dataset()
    missing = [name for name in Params._fields if name not in posterior]
    if missing:
        raise InputError(
            f"{path}: posterior has no {' and no '.join(missing)}; it has: "
            f"{', '.join(map(str, posterior.data_vars))}; rename to w, mu and sigma (a standard "
            "deviation)"
        )
    arrays = {}
    for name in Params._fields:
        variable = posterior[name]
        if not {"chain", "draw"} <= set(variable.dims) or variable.ndim != 3:
            raise InputError(
                f"{path}: {name} has axes {variable.dims}; want chain, draw, component"
            )
        arrays[name] = variable.transpose("chain", "draw", ...).values
    stats: dict[str, Any] = {}
    if "sample_stats" in tree.children and "diverging" in tree["sample_stats"].data_vars:
        diverging = tree["sample_stats"].to_dataset()["diverging"]
        if set(diverging.dims) == {"chain", "draw"}:
            stats["diverging"] = diverging.transpose("chain", "draw").values
    return arrays, stats


def _stan_chain(file: Path) -> DataFrame:
    """Read the draws after warmup; draws saved during it stand before the end of adaptation."""
    import pandas as pd

    try:
        text = file.read_text(encoding="utf-8")
        before, adapted, after = text.partition("# Adaptation terminated")
        names = next((line for line in before.splitlines() if line and line[0] != "#"), "")
        return pd.read_csv(io.StringIO(f"{names}{after}" if adapted else text), comment="#")
    except (ValueError, OSError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{file}: is not a Stan CSV file: {reason}") from None


def _from_stan(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    chains = [_stan_chain(file) for file in sorted(folder.glob("*.csv"))]
    length = {len(c) for c in chains}
    if len(length) != 1:
        raise InputError(f"{folder}: chains differ in length: {sorted(length)}; is one unfinished?")
    arrays: dict[str, Any] = {}
    for name in Params._fields:
        columns = [c for c in chains[0].columns if re.fullmatch(rf"{name}\.\d+", str(c))]
        columns.sort(key=lambda c: int(str(c).rpartition(".")[2]))
        if not columns or any(set(columns) - set(c.columns) for c in chains):
            raise InputError(
                f"{folder}: no columns {name}.1, {name}.2, ... in every file; name the parameters "
                "w, mu and sigma in the Stan program"
            )
        try:
            arrays[name] = np.stack([c[columns].to_numpy(dtype=float) for c in chains])
        except ValueError:
            raise InputError(
                f"{folder}: {name} has text among its draws; is a file cut short?"
            ) from None
    stats: dict[str, Any] = {}
    if all("divergent__" in c for c in chains):
        stats["diverging"] = np.stack([c["divergent__"].to_numpy() > 0 for c in chains])
    return arrays, stats

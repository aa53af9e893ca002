"""Draws made elsewhere: NetCDF, Zarr, CSV files of Stan and others, arrays of NumPy."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gmmcompare.engines.base import Draws, Problem, Seconds, Step
from gmmcompare.engines.check import check_engine, keep_known
from gmmcompare.engines.imported.csvfiles import read_csv_files
from gmmcompare.engines.imported.found import Found
from gmmcompare.engines.imported.mixture import as_mixture, refuse_other_units
from gmmcompare.engines.imported.names import Rename
from gmmcompare.engines.imported.npzfile import read_npz
from gmmcompare.engines.imported.trees import READABLE, read_tree
from gmmcompare.runtime.errors import InputError

_HEAD = 8


class ImportedEngine:
    """Draws from a file as an engine: it is asked for draws and reads them.

    Parameters
    ----------
    name : str
        What the user calls the draws.
    path : str or Path
        A file, a folder, or a pattern such as ``run2_*.csv``.
    rename : mapping of str to str, optional
        Which of the file's arrays are w, mu and sigma; see `names.parsed_rename`.
    """

    def __init__(self, name: str, path: str | Path, rename: Rename | None = None) -> None:
        self._name, self._path, self._rename = name, Path(path), dict(rename or {})

    @property
    def name(self) -> str:
        """The name the user gave the draws."""
        return self._name

    @property
    def settings(self) -> Mapping[str, Any]:
        """The files' digest, so that other draws under the same name are read again."""
        digest = hashlib.sha256()
        for file in self._files():
            if file.is_file():
                digest.update(file.read_bytes())
        renamed = {"rename": self._rename} if self._rename else {}
        return {"draws_sha256": digest.hexdigest(), **renamed}

    def run(self, problem: Problem, seed: int, progress: Step) -> Draws:
        """Read the draws.

        Parameters
        ----------
        problem : Problem
            Its K tells axes apart; draws that would fit its data in other units are refused.
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
            If the file is missing, holds no draws of w, mu and sigma, or those of other data.
        EngineError
            If the draws are not those of a mixture of K normals.
        """
        found = self.read()
        arrays, notes = as_mixture(found, problem.K, self._rename, str(self._path))
        params = check_engine(arrays, K=problem.K, name=self.name)
        params = keep_known(params, problem.priors, self.name)
        refuse_other_units(params, problem, str(self._path))
        return Draws(params, Seconds(0.0, 0.0), found.stats, notes=tuple(notes))

    def read(self) -> Found:
        """Read what is in the file, whatever its names.

        Raises
        ------
        InputError
            If it is missing or is no file of draws.
        """
        path = self._path
        if path.exists():
            tables = sorted(path.glob("*.csv")) if path.is_dir() else []
            return read_csv_files(tables, path) if tables else _read(path)
        matching = self._files()
        if not matching:
            raise InputError(f"{path}: no such file or folder of draws")
        return read_csv_files(matching, path)

    def _files(self) -> list[Path]:
        """Return the file, those of the folder, or those of the pattern."""
        if self._path.is_file():
            return [self._path]
        if self._path.is_dir():
            return sorted(self._path.rglob("*"))
        return sorted(self._path.parent.glob(self._path.name))


def _read(path: Path) -> Found:
    """Read a file by what its first bytes say it is, or a folder as Zarr."""
    if path.is_dir():
        return read_tree(path)
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    if head.startswith((b"PK", b"\x93NUMPY")) and path.suffix != ".zarr":
        return read_npz(path)
    for start, what in _OTHERS.items():
        if head.startswith(start):
            raise InputError(f"{path}: {what}")
    if head.startswith(b"\x89HDF") or b"\0" in head or path.suffix in (".nc", ".zarr"):
        return read_tree(path)
    return read_csv_files([path], path)


_AS_CSV = "in R write write.csv(posterior::as_draws_df(fit), 'draws.csv')"
_OTHERS = {
    b"\x1f\x8b": f"is compressed (gzip), as R's .rds is; unpack it, or {_AS_CSV}",
    b"RDX": f"is an R workspace; {_AS_CSV}",
    b"RDA": f"is an R workspace; {_AS_CSV}",
    b"\x80\x04": f"is a Python pickle, which could run any code; give {READABLE}",
    b"\x80\x05": f"is a Python pickle, which could run any code; give {READABLE}",
    b"CDF": "is NetCDF of the old format 3; write it again by ArviZ, with engine='h5netcdf'",
    b"{": f"is JSON; give {READABLE}",
    b"[": f"is JSON; give {READABLE}",
}

"""Draws of any model from a file: every array with its chains and draws, whatever the names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from gmmcompare.engines.imported.engine import ImportedEngine
from gmmcompare.engines.imported.mixture import ONE_CHAIN
from gmmcompare.model.params import Array
from gmmcompare.runtime.errors import InputError

_OWN = re.compile(r".*__$|^(lp|log_lik|log_likelihood|diverging|energy)$")
"""What samplers keep beside parameters."""


def read_draws(path: str | Path) -> tuple[dict[str, Array], dict[str, Array], list[str]]:
    """Read every array of draws in a file or a folder.

    Parameters
    ----------
    path : str or Path
        NetCDF or Zarr that ArviZ reads, CSV of Stan or others, or an ``.npz`` of arrays.

    Returns
    -------
    arrays : dict of str to ndarray
        Each (chains, draws, *shape).
    stats : dict of str to ndarray
        The sampler's own statistics, (chains, draws).
    notes : list of str
        What was odd.

    Raises
    ------
    InputError
        If there are no draws in it, or its axes cannot be told.
    """
    found = ImportedEngine("", path).read()
    arrays = {name: a for name, a in found.arrays.items() if not _OWN.match(name)}
    if not arrays:
        raise InputError(f"{path}: holds no parameters; it has: {', '.join(found.arrays)}")
    if not found.labelled:
        arrays = _with_axes(arrays, str(path))
    chains, draws = next(iter(arrays.values())).shape[:2]
    if chains > draws:
        raise InputError(
            f"{path}: {chains:,} chains of {draws:,} draws: chain and draw look exchanged; give "
            "axes (chain, draw, ...), as by numpy.swapaxes(x, 0, 1)"
        )
    notes = [*found.notes, *([ONE_CHAIN] if chains == 1 else [])]
    return {name: _finite(a, name, path) for name, a in arrays.items()}, dict(found.stats), notes


def _with_axes(arrays: Mapping[str, Array], place: str) -> dict[str, Array]:
    """Return arrays whose first two axes all have in common; a single one is one chain's."""
    shapes = {name: a.shape for name, a in arrays.items()}
    first = {shape[:2] for shape in shapes.values()}
    if len(first) == 1 and len(next(iter(first))) == 2:
        return dict(arrays)
    lengths = {shape[:1] for shape in shapes.values()}
    if len(lengths) == 1 and next(iter(lengths)):
        return {name: a[None] for name, a in arrays.items()}
    listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
    raise InputError(
        f"{place}: arrays do not share their first two axes ({listed}); give each (chain, draw, "
        "...)"
    )


def _finite(array: Array, name: str, path: str | Path) -> Array:
    if np.isnan(array).any():
        chain, draw = np.argwhere(np.isnan(array))[0][:2]
        raise InputError(
            f"{path}: {name} is NaN in chain {chain + 1}, draw {draw + 1}; mend the sampler, or "
            "leave it out by --vars"
        )
    return array

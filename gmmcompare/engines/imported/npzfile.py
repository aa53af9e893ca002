"""Arrays that NumPy wrote, as NumPyro's users do: ``numpy.savez(file, w=..., mu=...)``."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gmmcompare.engines.imported.found import Found
from gmmcompare.runtime.errors import InputError


def read_npz(path: Path) -> Found:
    """Read every array of numbers; the file does not tell which axes are chains and draws.

    Raises
    ------
    InputError
        If it is damaged, holds Python objects, or one array without a name (``.npy``).
    """
    how = "write numpy.savez('draws.npz', w=..., mu=..., sigma=...), each (chain, draw, component)"
    try:
        with path.open("rb") as file:
            stored = np.load(file, allow_pickle=False)
            if isinstance(stored, np.ndarray):
                raise InputError(f"{path}: is one array without a name, {stored.shape}; {how}")
            arrays = {name: stored[name] for name in stored.files}
    except InputError:
        raise
    except Exception:  # whatever a damaged zip makes its readers raise
        raise InputError(
            f"{path}: is damaged, or holds Python objects rather than arrays of numbers; {how}"
        ) from None
    numbers = {n: np.asarray(a, dtype=float) for n, a in arrays.items() if a.dtype.kind in "biuf"}
    if not numbers:
        raise InputError(f"{path}: holds no arrays of numbers; {how}")
    return Found(numbers, labelled=False)

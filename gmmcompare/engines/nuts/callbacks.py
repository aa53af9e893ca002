"""nutpie's C callbacks, kept on disk by Numba: compiling them takes longer than most runs.

nutpie hands Numba two functions, of the log density and of what a draw contains, as closures over
what PyTensor compiled. Numba keeps callbacks on disk, but finds them again by the bytes of their
closures, which are new in every process. Here they are found by what they compute: the versions and
the source that they are made of, K and the constraint. Machine and Numba's version are in Numba's
own part of the key. The parity check before sampling holds whatever was found against our density.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import nutpie
import pymc as pm
from numba.core.caching import FunctionCache
from numba.core.ccallback import CFunc

from gmmcompare.engines.nuts import model as model_module

PACKAGES = ("pymc", "pytensor", "nutpie", "numpy", "scipy")
"""Packages whose code is in a callback; each version has callbacks of its own."""


def compile_kept(model: pm.Model, name: str) -> Any:
    """Return ``nutpie.compile_pymc_model(model)``, with its callbacks from disk where they are.

    Parameters
    ----------
    model : pymc.Model
        One of `build_model`.
    name : str
        Tells it from others that `build_model` makes: all that its graph depends on.

    Returns
    -------
    nutpie.compile_pymc.CompiledPyMCModel
    """
    key, kind = _key(name), cast(Any, CFunc)
    own = kind.enable_caching

    def keep(callback: Any) -> None:
        with suppress(RuntimeError):  # there is no folder that may be written
            callback._cache = _NamedCache(callback._pyfunc, key)

    kind.enable_caching = keep
    try:
        return nutpie.compile_pymc_model(model, var_names=[], cache=True)
    finally:
        kind.enable_caching = own


class _NamedCache(FunctionCache):  # type: ignore[misc]
    """Numba's cache of a function on disk, in which it is found by a given name."""

    def __init__(self, function: Any, name: str) -> None:
        super().__init__(function)
        self._by_name = name

    def _index_key(self, sig: Any, codegen: Any) -> tuple[Any, ...]:
        return sig, codegen.magic_tuple(), self._by_name


def _key(name: str) -> str:
    source = hashlib.sha256(Path(model_module.__file__).read_bytes()).hexdigest()
    return " ".join([name, source, *(f"{package} {version(package)}" for package in PACKAGES)])

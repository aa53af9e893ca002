"""Packages whose public names are imported when first used (PEP 562)."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any


def on_first_use(package: str, homes: Mapping[str, str], name: str) -> Any:
    """Return a public name of a package: what its ``__getattr__`` does.

    Parameters
    ----------
    package : str
        Its ``__name__``.
    homes : mapping of str to str
        The module of every public name.
    name : str

    Raises
    ------
    AttributeError
        If it is no public name.
    """
    if name not in homes:
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    return getattr(importlib.import_module(homes[name]), name)

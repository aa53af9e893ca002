"""A PyMC model as a `Model`: its draws and densities, compiled from its own graph."""

from __future__ import annotations

from typing import Any


class PyMCModel:
    """See `gmmcompare.Model.from_pymc`."""

    def __init__(self, model: Any, name: str = "") -> None:
        raise NotImplementedError

"""What a file of draws holds, before anybody asks which of it are a mixture's parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gmmcompare.model.params import Array


@dataclass(frozen=True)
class Found:
    """Arrays by the names that the file gives them.

    Attributes
    ----------
    arrays : mapping of str to ndarray
        Of shape (chains, draws, ...) where ``labelled``; else of any.
    labelled : bool
        Whether the file tells which axes are chains and draws.
    stats : mapping of str to ndarray
        The sampler's own statistics, of shape (chains, draws).
    notes : tuple of str
        What was not read, and why.
    """

    arrays: Mapping[str, Array]
    labelled: bool = True
    stats: Mapping[str, Array] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

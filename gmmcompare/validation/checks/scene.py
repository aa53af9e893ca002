"""A problem on which a sampler is tried: what the checks ask of it, whatever the model.

The mixture's problems are in `scenes`; a model of the user's own is one (`model_scene`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np

from gmmcompare.model.params import Array
from gmmcompare.validation.sandbox.subject import Subject

_KINDS = {
    "marginal": "{}",
    "conditional": "{} given all else",
    "data": "{} given the data",
    "score": "score of {}",
    "share": "share {}",
    "product": "product {}",
    "whole": "{}",
}


class Quantity(NamedTuple):
    """What one bounded function of parameters and data measures.

    ``component`` is a number from 0, or "all" for the mean over components, or "" for a function of
    the whole mixture or of any other model. ``load`` is the range of expected counts that it is
    restricted to, or "".
    """

    kind: str
    name: str
    shape: str
    component: str = ""
    load: str = ""

    @property
    def label_free(self) -> bool:
        """Whether it stays the same when components change places."""
        return self.component in ("", "all")

    def __str__(self) -> str:
        what = _KINDS[self.kind].format(self.name)
        if self.shape == "spread":
            what = f"spread of {what}"
        if self.load:
            return f"{what}, {self.load}"
        if self.component == "all":
            return f"{what}, all components"
        return f"{what}, component {int(self.component) + 1}" if self.component else what


class Scene(ABC):
    """A prior with its data, how many sweeps are made, and what is looked at.

    Attributes
    ----------
    name : str
    sweeps : int
        Of one replicate of the invariance test.
    share : float
        The part of a plan's replicates that it gets; at least 1 for main scenes.
    least : int
        Replicates that it gets however few its share is.
    """

    name: str
    sweeps: int
    share: float
    least: int

    @property
    def main(self) -> bool:
        """Whether faults are sought here in earnest, and not just in other sizes or units."""
        return self.share >= 1

    @property
    def key(self) -> int:
        """A number for its random streams."""
        return int.from_bytes(self.name.encode()[:4])

    def replicates(self, n: int) -> int:
        """Return how many of a plan's n replicates it gets."""
        return max(round(n * self.share), self.least)

    @property
    @abstractmethod
    def here(self) -> bool:
        """Whether only this process draws from the model, and the child is sent what is drawn."""

    @property
    @abstractmethod
    def exchangeable(self) -> bool:
        """Whether labels may be permuted at random without any harm."""

    @property
    @abstractmethod
    def quantities(self) -> tuple[Quantity, ...]:
        """What the columns of `evaluate` are."""

    @property
    @abstractmethod
    def symmetric(self) -> tuple[int, ...]:
        """The columns of `evaluate` that stay the same when labels are permuted."""

    @property
    @abstractmethod
    def parameters(self) -> dict[int, str]:
        """Columns of `evaluate` that tell where a parameter lies in its prior, and its name."""

    @abstractmethod
    def sample_joint(self, rng: np.random.Generator, n: int) -> tuple[Any, Any]:
        """Draw n points and a data set for each, as batches; see `model.points`."""

    @abstractmethod
    def evaluate(self, points: Any, y: Any) -> Array:
        """Return every quantity of n points, each with a data set of its own, (n, M) in [-1, 1]."""

    @abstractmethod
    def sweep(self, subject: Subject, at: Any, y: Any, rng: np.random.Generator) -> Any:
        """Make one checked sweep of a kernel.

        Parameters
        ----------
        subject : Subject
        at : point
            Where the chain stands.
        y : one data set
        rng : numpy.random.Generator
        """

    @abstractmethod
    def run(
        self,
        subject: Subject,
        y: Any,
        draws: int,
        warmup: int,
        chains: int,
        rng: np.random.Generator,
    ) -> Any:
        """Make one whole run, or as many chains of a kernel; arrays (chains, draws, ...).

        Parameters
        ----------
        subject : Subject
        y : one data set
        draws, warmup, chains : int
            Draws of each chain, sweeps before them, and number of chains.
        rng : numpy.random.Generator
        """

    @abstractmethod
    def aligned(self, points: Any) -> Any:
        """Put labels of points (..., *shape) into one order where the model does not tell them."""

    @abstractmethod
    def is_ordered(self, run: Any) -> bool:
        """Whether the labels of every draw are in the order of `aligned`; False without labels."""

    @property
    @abstractmethod
    def rank_names(self) -> tuple[str, ...]:
        """What `rank_quantities` returns."""

    @abstractmethod
    def rank_quantities(self, points: Any, y: Any) -> dict[str, Array]:
        """Return what is ranked in simulation-based calibration, each of shape (n,)."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Return what identifies it and what a page says of it."""

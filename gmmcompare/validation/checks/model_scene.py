"""A model of the user's own as a scene: draws, test functions and ranks from the model itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from gmmcompare.model.params import Array
from gmmcompare.model.points import Data, Points, mapped, one_of, size_of, with_labels_in_order
from gmmcompare.model.protocol import Model, symmetries
from gmmcompare.validation.checks.model_quantities import ModelQuantities
from gmmcompare.validation.checks.scene import Quantity, Scene
from gmmcompare.validation.sandbox.model_subject import ModelSubject
from gmmcompare.validation.sandbox.subject import Subject


@dataclass(frozen=True, eq=False)
class ModelScene(Scene):
    """One model; the only scene on which samplers of it are tried.

    The model stays in this process: child processes are sent what is drawn, and send back where
    the sampler went.

    Parameters
    ----------
    name : str
        Of the model, for messages.
    model : Model or None
        None in a child.
    sweeps : int
        Of one replicate of the invariance test.
    """

    name: str
    model: Model | None
    sweeps: int = 5
    share: float = 1.0
    least: int = 0
    like: Points = field(default_factory=dict)
    """One point: names, shapes and kinds of numbers."""

    @classmethod
    def of(cls, model: Model, name: str) -> ModelScene:
        """Return the scene of a model; see `model.protocol.check_model`."""
        theta = model.draw_prior(1, np.random.default_rng(0))
        return cls(name, model, like=mapped(np.asarray, one_of(dict(theta), 0)))

    def __getstate__(self) -> dict[str, Any]:
        known = ("name", "sweeps", "share", "least", "like")
        return {**{key: getattr(self, key) for key in known}, "model": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for key, value in state.items():
            object.__setattr__(self, key, value)

    @property
    def _model(self) -> Model:
        assert self.model is not None, "a child process has not the model"
        return self.model

    @cached_property
    def _functions(self) -> ModelQuantities:
        return ModelQuantities(self._model)

    @property
    def here(self) -> bool:
        """Always: a child is sent what is drawn."""
        return True

    @property
    def exchangeable(self) -> bool:
        """Labels may be permuted wherever the model declares so."""
        return True

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What the columns of `evaluate` are; see `model_quantities`."""
        return self._functions.names

    @property
    def symmetric(self) -> tuple[int, ...]:
        """All columns: under a symmetric prior no function is left out."""
        return tuple(range(len(self.quantities)))

    @property
    def parameters(self) -> dict[int, str]:
        """Columns of `evaluate` that tell where a scalar lies in its prior."""
        return self._functions.parameters

    @property
    def differentiable(self) -> bool:
        """Whether scores are among the functions."""
        return any(q.kind == "score" for q in self.quantities)

    @property
    def densities(self) -> tuple[str, ...]:
        """Names of the log densities that the model has."""
        return tuple(q.name for q in self.quantities if q.kind == "whole" and q.shape == "location")

    def sample_joint(self, rng: np.random.Generator, n: int) -> tuple[Points, Data]:
        """Draw n points from the prior, and a data set for each."""
        theta = self._model.draw_prior(n, rng)
        points = {name: np.asarray(theta[name]) for name in self.like}
        return points, mapped(np.asarray, self._model.draw_data(points, rng))

    def evaluate(self, points: Points, y: Data) -> Array:
        """Return every quantity of n points, shape (n, M)."""
        return self._functions.evaluate(points, y)

    def sweep(self, subject: Subject, at: Points, y: Data, rng: np.random.Generator) -> Points:
        """Make one checked sweep.

        Parameters
        ----------
        subject, at, y, rng
            As for `Scene.sweep`.
        """
        assert isinstance(subject, ModelSubject)
        return subject.sweep(at, y, rng)

    def run(
        self,
        subject: Subject,
        y: Data,
        draws: int,
        warmup: int,
        chains: int,
        rng: np.random.Generator,
    ) -> Points:
        """Make one run of a whole sampler; arrays (chains, draws, *shape).

        Parameters
        ----------
        subject, y, draws, warmup, chains, rng
            As for `Scene.run`.
        """
        assert isinstance(subject, ModelSubject)
        return subject.run(self.like, y, draws, warmup, chains, rng)

    def aligned(self, points: Mapping[str, Any]) -> Points:
        """Put labels in ascending order of the first parameter of each group that has them.

        Parameters
        ----------
        points : dict of ndarray
            Arrays (..., *shape).
        """
        if self.model is None:
            return points
        first = next(iter(self.like))
        leading = np.ndim(points[first]) - np.ndim(self.like[first])
        return with_labels_in_order(points, symmetries(self.model), leading)

    def is_ordered(self, run: Points) -> bool:
        """Return False: labels that a model declares are always put in order."""
        return False

    @property
    def rank_names(self) -> tuple[str, ...]:
        """What `rank_quantities` returns."""
        points, y = self.sample_joint(np.random.default_rng(0), 2)
        return tuple(self.rank_quantities(points, y))

    def rank_quantities(self, points: Points, y: Data) -> dict[str, Array]:
        """Return the scalars that are looked at and the log densities, each of shape (n,)."""
        return {**self._functions.densities(points, y), **self._functions.scalars(points)}

    def scalars(self, points: Points) -> dict[str, Array]:
        """Return the scalars that are looked at, each of shape (n,)."""
        return self._functions.scalars(points)

    def to_dict(self) -> dict[str, Any]:
        """Return its name, and the names and shapes of its parameters."""
        shapes = {name: list(np.shape(value)) for name, value in self.like.items()}
        return {"model": self.name, "parameters": shapes}

    def first_point(self, rng: np.random.Generator) -> tuple[Points, Data, Data]:
        """Return a point, two data sets of points, and one that is quite different.

        Parameters
        ----------
        rng : numpy.random.Generator

        Returns
        -------
        tuple
            A point; a batch of two data sets, of which the first is its own; and one data set.
        """
        points, y = self.sample_joint(rng, 200)
        distance = np.array([_distance(y, i) for i in range(size_of(points))])
        far = int(np.argmax(distance))
        return one_of(points, 0), mapped(lambda a: a[:2], y), one_of(y, far)


def _distance(y: Data, i: int) -> float:
    """Return how far a data set is from the first of a batch, in standard deviations."""
    parts = list(y.values()) if isinstance(y, Mapping) else [y]
    return float(
        sum(np.abs(p[i].astype(float) - p[0]).mean() / max(float(p.std()), 1e-12) for p in parts)
    )

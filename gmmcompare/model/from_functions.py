"""A model from functions that are written for one point: plain, and slower than vectorised ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gmmcompare.model.params import Array
from gmmcompare.model.points import Data, Points, mapped, one_of, size_of


class FunctionModel:
    """See `protocol.Model.from_functions`."""

    def __init__(
        self,
        parameters: Mapping[str, tuple[int, ...]],
        draw_prior: Callable[[np.random.Generator], Mapping[str, Any]],
        draw_data: Callable[[Points, np.random.Generator], Any],
        log_prior: Callable[[Points], float] | None = None,
        log_likelihood: Callable[[Points, Data], float] | None = None,
        symmetries: Sequence[Sequence[str]] = (),
    ) -> None:
        self.parameters, self.symmetries = dict(parameters), symmetries
        self._draw_prior, self._draw_data = draw_prior, draw_data
        self._log_prior, self._log_likelihood = log_prior, log_likelihood

    def draw_prior(self, n: int, rng: np.random.Generator) -> Points:
        """Draw n points, one after the other."""
        points: Points = _stacked([dict(self._draw_prior(rng)) for _ in range(n)])
        return points

    def draw_data(self, theta: Points, rng: np.random.Generator) -> Data:
        """Draw one data set for each point."""
        y: Data = _stacked([self._draw_data(one_of(theta, i), rng) for i in range(size_of(theta))])
        return y

    @property
    def log_prior(self) -> Callable[[Points], Array] | None:
        """The log prior of n points, if it was given."""
        function = self._log_prior
        if function is None:
            return None
        return lambda theta: np.array([function(one_of(theta, i)) for i in range(size_of(theta))])

    @property
    def log_likelihood(self) -> Callable[[Points, Data], Array] | None:
        """The log-likelihood of n points, each for its own data set, if it was given."""
        function = self._log_likelihood
        if function is None:
            return None
        return lambda theta, y: np.array(
            [function(one_of(theta, i), one_of(y, i)) for i in range(size_of(theta))]
        )


def _stacked(trees: list[Any]) -> Any:
    return mapped(lambda *arrays: np.stack([np.asarray(a) for a in arrays]), *trees)

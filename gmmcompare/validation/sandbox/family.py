"""A sampler of a mixture under other priors, called as a sampler of a model is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gmmcompare.engines.check import check_engine
from gmmcompare.engines.own import kind_of
from gmmcompare.model.family_model import FamilyModel, K
from gmmcompare.model.params import Array, Params
from gmmcompare.model.points import Points
from gmmcompare.runtime.errors import EngineError


def adapted(function: Callable[..., Any], family: str) -> Callable[..., Any]:
    """Return a kernel or whole sampler of a mixture as one of `FamilyModel`.

    Parameters
    ----------
    function : callable
        ``(w, mu, sigma, y, priors, rng)`` or ``(y, K, priors, draws, warmup, chains, rng)``.
    family : str
        A key of `family_model.TESTED`.
    """
    kind = _Kernel if kind_of(function) == "kernel" else _Sampler
    return kind(function, FamilyModel(family))


class _Adapted:
    def __init__(self, function: Callable[..., Any], model: FamilyModel) -> None:
        self._function, self._model = function, model

    def _theta(self, params: Params) -> Points:
        """Return what is unknown; what is known must have been left as it was."""
        if what := self._model.priors.broken_by(params):
            raise EngineError(f"{what}, but not in what is returned")
        return self._model.theta(params)


class _Kernel(_Adapted):
    def __call__(self, theta: Points, y: Array, rng: np.random.Generator) -> Points:
        at = self._model.params(theta)
        found = self._function(*(a.copy() for a in at), y, self._model.priors, rng)
        w, mu, sigma = found
        new = Params(*(np.asarray(a, dtype=float) for a in (w, mu, sigma)))
        if not new.w.shape == new.mu.shape == new.sigma.shape == (K,):
            raise EngineError(
                f"returned shapes {new.w.shape}, {new.mu.shape} and {new.sigma.shape}; return "
                f"(w, mu, sigma), each of shape ({K},)"
            )
        if problem := new.problem():
            raise EngineError(problem)
        return self._theta(new)


class _Sampler(_Adapted):
    def __call__(
        self, y: Array, draws: int, warmup: int, chains: int, rng: np.random.Generator
    ) -> Points:
        found = self._function(
            y, K, self._model.priors, draws=draws, warmup=warmup, chains=chains, rng=rng
        )
        return self._theta(check_engine(found, K, chains, draws, "the sampler"))

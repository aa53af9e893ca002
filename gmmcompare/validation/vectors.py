"""Kernels for vectors, ``(w, mu, cov, y, priors, rng)``, as samplers of a model.

The name ``cov`` tells them from kernels in one dimension. They are tried on a mixture of two
bivariate normals, N = 12, under priors that are proper and alike in no coordinate: numbers such as
0 and 1 hide the classic faults.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gmmcompare.engines.own import VECTOR_KERNEL, resolve
from gmmcompare.model.multivariate.model import MultivariateModel, to_params, to_points
from gmmcompare.model.multivariate.params import MultivariateParams
from gmmcompare.model.multivariate.priors import MultivariatePriors
from gmmcompare.model.params import Array
from gmmcompare.model.points import Points
from gmmcompare.validation.faults.multivariate import PREFIX, vector_fault

PRIORS = MultivariatePriors(
    weight_concentration=2.0,
    mean_loc=[0.5, -0.8],
    mean_cov=[[2.0, 0.6], [0.6, 1.2]],
    cov_df=6.0,
    cov_scale=[[1.6, 0.5], [0.5, 0.9]],
)
MODEL = MultivariateModel(K=2, N=12, priors=PRIORS)


@dataclass(frozen=True)
class VectorKernel:
    """A kernel ``(w, mu, cov, y, priors, rng)`` as one of `MODEL`, ``(theta, y, rng)``."""

    function: Callable[..., Any]
    name: str
    priors: MultivariatePriors = PRIORS

    def __call__(self, theta: Points, y: Array, rng: np.random.Generator) -> Points:
        """Make one sweep and check what it returns."""
        at = to_params(theta)
        found = self.function(*(a.copy() for a in at), np.array(y), self.priors, rng)
        if isinstance(found, dict):
            found = tuple(found[name] for name in MultivariateParams._fields)
        if not isinstance(found, tuple | list) or len(found) != 3:
            raise TypeError(f"returned {type(found).__name__}; return w, mu and cov")
        new = MultivariateParams(*(np.asarray(a, dtype=float) for a in found))
        for name, was, now in zip(at._fields, at, new, strict=True):
            if was.shape != now.shape:
                raise ValueError(f"returned {name} of shape {now.shape}; wanted {was.shape}")
        problem = new.problem()
        if problem:
            raise ValueError(f"returned no mixture: {problem}")
        return to_points(new)


def vector_kernel(sampler: str | Callable[..., Any]) -> VectorKernel | None:
    """Return a kernel for vectors as one of `MODEL`; None if the sampler is anything else.

    Parameters
    ----------
    sampler : str or callable
        As for `validate`.

    Raises
    ------
    InputError
        If a fault of the gallery for vectors is named that is not there.
    """
    if isinstance(sampler, str):
        if sampler.startswith(PREFIX):
            return VectorKernel(vector_fault(sampler), sampler)
        if sampler == f"{BUILT_IN}_plain":
            return VectorKernel(resolve(f"{_ENGINES}.plain:sweep"), sampler)
        if sampler == BUILT_IN:
            return VectorKernel(resolve(f"{_ENGINES}.gibbs:sweep"), sampler)
        if ":" not in sampler or sampler.startswith(
            ("fault:", "museum:", "engine:", "components:")
        ):
            return None
        function = resolve(sampler)
    else:
        function = sampler
    try:
        found = tuple(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return None
    if found[: len(VECTOR_KERNEL)] != VECTOR_KERNEL:
        return None
    name = sampler if isinstance(sampler, str) else getattr(sampler, "__name__", "sweep")
    return VectorKernel(function, name)


BUILT_IN = "gibbs_multivariate"
_ENGINES = "gmmcompare.engines.multivariate"

"""NUTS (Hoffman and Gelman 2014) on multivariate normals, with the labels summed out.

The covariance matrix of a component is L L' with L lower triangular; the sampler moves in the
logarithms of its diagonal and in what is below it. Over these the density of Sigma has the factor
``2^d prod_i L_ii^(d - i + 1)``, and another L_ii for each logarithm. Triangular systems are solved
by substitution, written out: d is small, and all of it becomes one loop over observations.
The very function that nutpie is given is held against `density` and `priors` before sampling.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import nutpie
import pymc as pm
import pytensor
import pytensor.tensor as pt
from scipy.special import log_softmax

from gmmcompare.engines.base import Problem
from gmmcompare.engines.multivariate.starts import random_start
from gmmcompare.engines.nuts.engine import NutpieSampler, NutsEngine
from gmmcompare.engines.nuts.model import without_fastmath
from gmmcompare.model.card import NutsSettings
from gmmcompare.model.multivariate.params import MultivariateParams
from gmmcompare.model.params import Array
from gmmcompare.runtime.errors import InputError


@dataclass(frozen=True)
class VectorCoordinates:
    """x = (logits of w, mu, logarithms of the diagonal of L, what is below it)."""

    K: int
    d: int

    @property
    def _below(self) -> tuple[Any, Any]:
        return np.tril_indices(self.d, -1)

    def of(self, params: MultivariateParams) -> Array:
        """Return x, shape (n,), of one point."""
        log_w = np.log(params.w)
        L = np.linalg.cholesky(params.cov)
        diagonal = np.log(np.diagonal(L, axis1=-2, axis2=-1))
        below = L[:, *self._below]
        blocks = ((log_w - log_w.mean())[:-1], params.mu, diagonal, below)
        return np.concatenate([np.ravel(a) for a in blocks])

    def params(self, x: Array) -> MultivariateParams:
        """Return the parameters at x, shape (..., n)."""
        K, d, lead = self.K, self.d, x.shape[:-1]
        ends = np.cumsum([K - 1, K * d, K * d])
        logits, mu, diagonal, below = np.split(x, ends, axis=-1)
        every = np.concatenate([logits, -logits.sum(axis=-1, keepdims=True)], axis=-1)
        L = np.zeros((*lead, K, d, d))
        L[..., np.arange(d), np.arange(d)] = np.exp(diagonal.reshape(*lead, K, d))
        L[..., *self._below] = below.reshape(*lead, K, d * (d - 1) // 2)
        w = np.exp(log_softmax(every, axis=-1))
        return MultivariateParams(w, mu.reshape(*lead, K, d), L @ np.swapaxes(L, -1, -2))

    def log_jacobian(self, x: Array) -> Array:
        """Return log |d(w, mu, cov) / dx| up to a constant, shape (...)."""
        K, d = self.K, self.d
        logits = x[..., : K - 1]
        every = np.concatenate([logits, -logits.sum(axis=-1, keepdims=True)], axis=-1)
        diagonal = x[..., K - 1 + K * d :][..., : K * d].reshape(*x.shape[:-1], K, d)
        power = d + 1 - np.arange(d)  # d - i + 1 with i from 1, and 1 for the logarithm
        return np.asarray(log_softmax(every, axis=-1).sum(-1) + (power * diagonal).sum((-1, -2)))


def model_inputs(problem: Problem) -> dict[str, Array]:
    """Return all that a compiled model does not know: data, counts and priors."""
    full = problem.priors.expanded(problem.K)
    V0 = np.asarray(full.mean_cov)
    return {
        "columns": np.ascontiguousarray(problem.sample.values.T),
        "counts": problem.sample.counts.astype(float),
        "concentration": np.asarray(full.weight_concentration),
        "mean_loc": np.asarray(full.mean_loc),
        "mean_precision": np.linalg.inv(V0),
        "cov_df": np.asarray(full.cov_df),
        "cov_root": np.linalg.cholesky(np.asarray(full.cov_scale)),
    }


def build_model(inputs: Mapping[str, Array]) -> tuple[pm.Model, Mapping[str, Any]]:
    """Return the PyMC model, and its shared variables by the names of ``inputs``.

    The free variables are ``w`` (not for K = 1), ``mu``, ``log_diagonal`` and ``below``.
    """
    K, d = inputs["mean_loc"].shape
    shapes: dict[str, tuple[int | None, ...]] = {n: a.shape for n, a in inputs.items()}
    shapes.update(columns=(d, None), counts=(None,))
    shared = {n: pytensor.shared(inputs[n], name=n, shape=shapes[n]) for n in inputs}
    with pm.Model() as model:
        w = pm.Dirichlet("w", shared["concentration"]) if K > 1 else pt.ones(1)
        mu = pm.Flat("mu", shape=(K, d), initval=np.zeros((K, d)))
        log_diagonal = pm.Flat("log_diagonal", shape=(K, d), initval=np.zeros((K, d)))
        n_below = d * (d - 1) // 2
        below = (
            pm.Flat("below", shape=(K, n_below), initval=np.zeros((K, n_below))) if d > 1 else None
        )
        L = _factor(log_diagonal, below, d)
        pm.Potential("prior", _log_prior(mu, log_diagonal, L, shared, d))
        pm.Potential("log_lik", _log_likelihood(w, mu, log_diagonal, L, shared, d))
    return model, shared


def _factor(log_diagonal: Any, below: Any, d: int) -> list[list[Any]]:
    """Return the entries of L on and below the diagonal, each of shape (K,)."""
    at = iter(range(d * d))
    return [
        [pt.exp(log_diagonal[:, i]) if i == j else below[:, next(at)] for j in range(i + 1)]
        for i in range(d)
    ]


def _solved(L: list[list[Any]], right: list[Any], column: bool) -> list[Any]:
    """Solve L t = right by forward substitution; entries of right are (K, n) or (K,)."""
    t: list[Any] = []
    for i, value in enumerate(right):
        rest = value
        for j in range(i):
            rest = rest - (L[i][j][:, None] if column else L[i][j]) * t[j]
        t.append(rest / (L[i][i][:, None] if column else L[i][i]))
    return t


def _log_prior(
    mu: Any, log_diagonal: Any, L: list[list[Any]], shared: Mapping[str, Any], d: int
) -> Any:
    """Return the log prior density of mu and of x's coordinates of cov, up to a constant."""
    delta = mu - shared["mean_loc"]
    means = -0.5 * pt.sum(delta[:, :, None] * shared["mean_precision"] * delta[:, None, :])
    power = (d + 1 - np.arange(d)) - (shared["cov_df"][:, None] + d + 1)
    trace = 0.0
    for j in range(d):  # the trace is the sum of squares of inv(L) C, column by column
        solved = _solved(L, [shared["cov_root"][:, i, j] for i in range(d)], column=False)
        trace = trace + sum(pt.sum(t**2) for t in solved)
    return means + pt.sum(power * log_diagonal) - 0.5 * trace


def _log_likelihood(
    w: Any, mu: Any, log_diagonal: Any, L: list[list[Any]], shared: Mapping[str, Any], d: int
) -> Any:
    y, counts = shared["columns"], shared["counts"]
    t = _solved(L, [y[i][None, :] - mu[:, i][:, None] for i in range(d)], column=True)
    constant = pt.log(w) - pt.sum(log_diagonal, axis=1) - 0.5 * d * np.log(2.0 * np.pi)
    joint = constant[:, None] - 0.5 * sum(part**2 for part in t)
    return pt.sum(counts * pt.logsumexp(joint, axis=0))


@lru_cache(maxsize=8)
def _compiled(K: int, d: int) -> tuple[Any, Mapping[str, Any]]:
    """Compile the model of one K and d for nutpie; data and priors are put in afterwards."""
    inputs = {
        "columns": np.zeros((d, 4)),
        "counts": np.ones(4),
        "concentration": np.ones(K),
        "mean_loc": np.zeros((K, d)),
        "mean_precision": np.broadcast_to(np.eye(d), (K, d, d)).copy(),
        "cov_df": np.full(K, d + 2.0),
        "cov_root": np.broadcast_to(np.eye(d), (K, d, d)).copy(),
    }
    model, shared = build_model(inputs)
    with without_fastmath():
        return nutpie.compile_pymc_model(model, var_names=[]), shared


class VectorSampler(NutpieSampler):
    """nutpie on the model of this module."""

    def __init__(self, problem: Problem, settings: NutsSettings) -> None:
        self._settings = settings
        self._inputs = model_inputs(problem)
        coordinates: Any = VectorCoordinates(problem.K, problem.sample.values.shape[1])
        self._coordinates = coordinates
        self._compiled, self._shared = _compiled(problem.K, coordinates.d)

    def inputs_of(self, problem: Problem) -> dict[str, Array]:
        """Return what the compiled model has to be told of a problem."""
        return model_inputs(problem)


class VectorNutsEngine(NutsEngine):
    """NUTS on the marginal likelihood of multivariate normals."""

    def _refuse(self, problem: Problem) -> None:
        if self._ordered:
            raise InputError(
                'engines.nuts.identify = "ordered": vectors have no order; use identify = "none"'
            )
        if self._settings.nuts_sampler != "nutpie":
            raise InputError('engines.nuts.nuts_sampler: vectors are sampled by "nutpie"')

    def _sampler(self, problem: Problem) -> VectorSampler:
        return VectorSampler(problem, self._settings)

    def _space(self, problem: Problem) -> VectorCoordinates:
        return VectorCoordinates(problem.K, problem.sample.values.shape[1])

    def _starts(
        self, problem: Problem, rngs: Sequence[np.random.Generator]
    ) -> list[MultivariateParams]:
        return starting_points(problem, rngs)

    def _kept(self, problem: Problem, params: Any) -> Any:
        return params


def starting_points(
    problem: Problem, rngs: Sequence[np.random.Generator]
) -> list[MultivariateParams]:
    """Return one start per chain, near the problem's starts in turn.

    Each is moved by twice the sd that the parameters would have if the allocations were known.
    """
    centres: Sequence[Any] = problem.starts or (random_start(problem, np.random.default_rng(0)),)
    points = []
    for c, rng in enumerate(rngs):
        w, mu, cov = centres[c % len(centres)]
        if not problem.priors.exchangeable:
            w, mu, cov = MultivariateParams(w, mu, cov).permuted(
                problem.priors.favoured_order(MultivariateParams(w, mu, cov))
            )
        root_n_k = np.sqrt(np.maximum(problem.sample.n * w, 1.0))
        weights = (w + 1e-12) * np.exp(2.0 * rng.standard_normal(w.size) / root_n_k)
        noise = 2.0 * rng.standard_normal(mu.shape) / root_n_k[:, None]
        factor = np.exp(np.sqrt(2.0) * rng.standard_normal(w.size) / root_n_k)
        moved = mu + np.einsum("kij,kj->ki", np.linalg.cholesky(cov), noise)
        points.append(
            MultivariateParams(weights / weights.sum(), moved, cov * factor[:, None, None] ** 2)
        )
    return points

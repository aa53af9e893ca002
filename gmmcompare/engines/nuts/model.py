"""The mixture as a PyMC model, with the labels summed out.

How the model is made fast without changing it:

* the likelihood runs over distinct values, with counts;
* value and gradient are one PyTensor graph, so that both use the same K x D exponentials (left to
  itself, PyTensor takes them again for the gradient of a log-sum-exp);
* logarithms are to base 2, whose exponential is the cheapest that a C library has;
* data and hyperparameters are shared variables, so that one compiled function serves every data set
  and every prior of its K, in this process and through PyTensor's cache on disk;
* ``fastmath`` is off: with it, code that comes from the cache rounds otherwise than code that was
  just compiled, and the same seed would give other draws.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
from pytensor.compile.builders import OpFromGraph
from pytensor.gradient import DisconnectedType, zero_grad

from gmmcompare.engines.base import Problem
from gmmcompare.model.params import Array
from gmmcompare.model.priors import Priors


def model_inputs(problem: Problem) -> dict[str, Array]:
    """Return all that a compiled model does not know, in few arrays since each costs compile time.

    ``data`` has rows values and counts, (2, D), and the squares of errors, (3, D), where there are
    such; ``hyperparameters`` the fields of `Priors`, (5, K).
    """
    sample, priors = problem.sample, problem.priors.expanded(problem.K)
    squares = [] if sample.errors is None else [sample.errors**2]
    return {
        "data": np.stack([sample.values, sample.counts, *squares]),
        "hyperparameters": np.stack([np.asarray(getattr(priors, f.name)) for f in fields(priors)]),
    }


def build_model(
    inputs: Mapping[str, Array], ordered: bool = False
) -> tuple[pm.Model, Mapping[str, Any]]:
    """Return the PyMC model, and its shared variables by the names of ``inputs``.

    The free variables are ``w`` (not for K = 1, where it is 1), ``mu`` and ``sigma_sq``.
    """
    K = inputs["hyperparameters"].shape[1]
    shapes = {"data": (len(inputs["data"]), None), "hyperparameters": (len(fields(Priors)), K)}
    shared = {n: pytensor.shared(inputs[n], name=n, shape=shape) for n, shape in shapes.items()}
    prior = {f.name: shared["hyperparameters"][i] for i, f in enumerate(fields(Priors))}
    order = pm.distributions.transforms.ordered if ordered else None
    with pm.Model() as model:
        c = prior["weight_concentration"]
        w = pm.Dirichlet("w", c) if K > 1 else pm.Deterministic("w", pt.ones(1))
        # Ordered means cannot all start at the prior's; here they start one sd of the data apart.
        start = prior["mean_loc"] + np.arange(K) - 0.5 * (K - 1) if ordered else None
        mu = pm.Normal(
            "mu", prior["mean_loc"], prior["mean_sd"], default_transform=order, initval=start
        )
        sigma_sq = pm.InverseGamma("sigma_sq", prior["var_shape"], prior["var_scale"])
        measured = len(inputs["data"]) == 3
        pm.Potential("log_lik", _log_likelihood(w, mu, sigma_sq, shared["data"], measured))
    return model, shared


def _log_likelihood(w: Any, mu: Any, sigma_sq: Any, data: Any, measured: bool) -> Any:
    """Return the log-likelihood, with its gradient taken in the same graph.

    Parameters
    ----------
    w, mu, sigma_sq : tensor, shape (K,)
    data : tensor, shape (2, D) or (3, D)
        As in `model_inputs`.
    measured : bool
        Whether it has errors.
    """
    inputs = [v.type() for v in (w, mu, sigma_sq, data)]
    weight, mean, variance, rows = inputs
    y, c = rows[0], rows[1]
    log2_e = 1.0 / np.log(2.0)
    if measured:
        wider = variance[:, None] + rows[2]
        joint = log2_e * (pt.log(weight)[:, None] - 0.5 * pt.log(2.0 * np.pi * wider))
        joint = joint - 0.5 * log2_e / wider * (y - mean[:, None]) ** 2
    else:
        constant = log2_e * (pt.log(weight) - 0.5 * pt.log(2.0 * np.pi * variance))
        joint = constant[:, None] - (0.5 * log2_e / variance)[:, None] * (y - mean[:, None]) ** 2
    # The highest term guards against underflow. It cancels, so the gradient need not go through it.
    highest = zero_grad(pt.max(joint, axis=0))
    density = pt.sum(pt.exp2(joint - highest), axis=0)
    log_lik = pt.sum(c * (highest + pt.log2(density))) / log2_e

    def pullback(_: Any, outputs: Sequence[Any], cotangents: Sequence[Any]) -> list[Any]:
        return [cotangents[0] * gradient for gradient in outputs[1:]] + [DisconnectedType()()]

    both = OpFromGraph(
        inputs,
        [log_lik, *pt.grad(log_lik, inputs[:3])],
        pullback=pullback,
        # What may be differentiated: the first output, by the parameters.
        connection_pattern=[[v is not inputs[-1], False, False, False] for v in inputs],
        name="log_lik_and_gradient",
    )
    return both(w, mu, sigma_sq, data)[0]


def without_fastmath() -> Any:
    """Compile without ``fastmath``, for the sake of reproducible draws."""
    return pytensor.config.change_flags(numba__fastmath=False)

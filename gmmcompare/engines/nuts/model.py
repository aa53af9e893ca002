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
from typing import Any, NamedTuple

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
from pytensor.compile.builders import OpFromGraph
from pytensor.gradient import DisconnectedType, zero_grad

from gmmcompare.engines.base import Problem
from gmmcompare.model.conjugate import ConjugatePriors
from gmmcompare.model.params import Array
from gmmcompare.model.priors import Priors
from gmmcompare.model.restricted import RestrictedPriors


class Form(NamedTuple):
    """What a model's graph depends on besides K: the family, and what is known or shared."""

    conjugate: bool = False
    sds: bool = False
    shared_sd: bool = False
    weights: bool = False

    @classmethod
    def of(cls, priors: Priors | ConjugatePriors, K: int) -> Form:
        """Return the form of priors; one component shares its sd with none."""
        if isinstance(priors, RestrictedPriors):
            shared = priors.shared_sd and K > 1
            return cls(False, priors.sds is not None, shared, priors.weights is not None)
        return cls(isinstance(priors, ConjugatePriors))

    def example(self, K: int) -> Priors | ConjugatePriors:
        """Return some priors of this form."""
        if self.conjugate:
            return ConjugatePriors()
        if self == Form():
            return Priors()
        weights = np.full(K, 1.0 / K) if self.weights else None
        sds = 1.0 if self.sds else None
        return RestrictedPriors(sds=sds, shared_sd=self.shared_sd, weights=weights)

    @property
    def text(self) -> str:
        """Return what tells it from other forms; empty for that of `Priors`."""
        return "".join(f", {name}" for name, has in self._asdict().items() if has)


def model_inputs(problem: Problem) -> dict[str, Array]:
    """Return all that a compiled model does not know, in few arrays since each costs compile time.

    ``data`` has rows values and counts, (2, D), and the squares of errors, (3, D), where there are
    such; ``hyperparameters`` the fields of the priors, (5, K), and what is known, further rows.
    """
    sample, priors = problem.sample, problem.priors.expanded(problem.K)
    squares = [] if sample.errors is None else [sample.errors**2]
    rows = [np.asarray(getattr(priors, name), dtype=float) for name in priors.hyperparameters]
    return {
        "data": np.stack([sample.values, sample.counts, *squares]),
        "hyperparameters": np.stack(rows),
    }


def build_model(
    inputs: Mapping[str, Array], ordered: bool = False, form: Form | None = None
) -> tuple[pm.Model, Mapping[str, Any]]:
    """Return the PyMC model, and its shared variables by the names of ``inputs``.

    The free variables are ``w``, ``mu`` and ``sigma_sq``, less what is known (w is 1 for K = 1); an
    sd that is shared is ``shared_sigma_sq``.

    Parameters
    ----------
    inputs : mapping
        As `model_inputs` returns them.
    ordered : bool
        Whether means ascend.
    form : Form, optional
        Of the priors; by default that of `Priors`.
    """
    form = form or Form()
    n_rows, K = inputs["hyperparameters"].shape
    shapes = {"data": (len(inputs["data"]), None), "hyperparameters": (n_rows, K)}
    shared = {n: pytensor.shared(inputs[n], name=n, shape=shape) for n, shape in shapes.items()}
    names = form.example(K).hyperparameters
    prior = {name: shared["hyperparameters"][i] for i, name in enumerate(names)}
    order = pm.distributions.transforms.ordered if ordered else None
    with pm.Model() as model:
        w = _weights(prior, K)
        # Ordered means cannot all start at the prior's; here they start one sd of the data apart.
        start = prior["mean_loc"] + np.arange(K) - 0.5 * (K - 1) if ordered else None
        how = {"default_transform": order, "initval": start}
        if form.conjugate:
            sigma_sq = pm.InverseGamma("sigma_sq", prior["var_shape"], prior["var_scale"])
            mu = pm.Normal("mu", prior["mean_loc"], pt.sqrt(sigma_sq / prior["mean_count"]), **how)
        else:
            mu = pm.Normal("mu", prior["mean_loc"], prior["mean_sd"], **how)
            sigma_sq = _variances(prior, K, form.shared_sd)
        measured = len(inputs["data"]) == 3
        pm.Potential("log_lik", _log_likelihood(w, mu, sigma_sq, shared["data"], measured))
    return model, shared


def _weights(prior: Mapping[str, Any], K: int) -> Any:
    if "weights" in prior:
        return pm.Deterministic("w", prior["weights"])
    c = prior["weight_concentration"]
    return pm.Dirichlet("w", c) if K > 1 else pm.Deterministic("w", pt.ones(1))


def _variances(prior: Mapping[str, Any], K: int, shared_sd: bool) -> Any:
    if "sds" in prior:
        return pm.Deterministic("sigma_sq", prior["sds"] ** 2)
    a, b = prior["var_shape"], prior["var_scale"]
    if shared_sd:
        one = pm.InverseGamma("shared_sigma_sq", a[0], b[0])
        return pm.Deterministic("sigma_sq", pt.ones(K) * one)
    return pm.InverseGamma("sigma_sq", a, b)


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

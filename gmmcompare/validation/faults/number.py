"""Samplers of the number of components with one fault each, and those without.

``gmmcompare validate components:NAME`` tests one. Each is a kernel ``(theta, y, rng)`` of
`ComponentsModel`: `MODEL`, small and with priors that no fault leaves as they are. Of reversible
jump a fault is one term of an acceptance ratio with another factor; of the telescoping sampler it
is one step replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import gammaln

from gmmcompare.engines.components import ComponentsProblem
from gmmcompare.engines.gibbs.plain import draw_weights
from gmmcompare.engines.reversible_jump import compiled as jump
from gmmcompare.engines.reversible_jump.engine import model_of
from gmmcompare.engines.reversible_jump.ratios import State, Terms
from gmmcompare.engines.telescoping import plain
from gmmcompare.model.components_model import ComponentsModel, components_of, padded
from gmmcompare.model.params import Array, Params
from gmmcompare.model.points import Points
from gmmcompare.model.prior_on_k import PriorOnK
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample
from gmmcompare.runtime.errors import InputError, did_you_mean

_PRIORS = Priors(1.6, 0.5, 1.5, 3.0, 1.0)
_ON_K = PriorOnK.of([0.4, 0.3, 0.2, 0.1], 4)
MODEL = ComponentsModel(10, _PRIORS, _ON_K, dynamic=True)
_PROBLEM = ComponentsProblem(Sample.of([0.0]), _PRIORS, _ON_K, dynamic=True)
_JUMP_MODEL = model_of(_PROBLEM)

Kernel = Callable[[Points, Array, np.random.Generator], dict[str, Array]]


@dataclass(frozen=True)
class NumberFault:
    """A sampler of K with one fault.

    Attributes
    ----------
    name : str
    mistake : str
        What is wrong.
    terms : Terms, optional
        Of reversible jump.
    steps : Steps, optional
        Of the telescoping sampler.
    no_death : bool
        Whether deaths are never proposed.
    """

    name: str
    mistake: str
    terms: Terms | None = None
    steps: plain.Steps | None = None
    no_death: bool = False

    def __call__(self, theta: Points, y: Array, rng: np.random.Generator) -> dict[str, Array]:
        """Make one sweep."""
        if self.steps is not None:
            return telescoping(theta, y, rng, self.steps)
        return reversible_jump(theta, y, rng, self.terms or Terms(), self.no_death)


def telescoping(
    theta: Points, y: Array, rng: np.random.Generator, steps: plain.Steps = plain.CORRECT
) -> dict[str, Array]:
    """Make one sweep of the telescoping sampler.

    Parameters
    ----------
    theta : mapping of str to ndarray
        A point of `MODEL`.
    y : ndarray, shape (N,)
    rng : numpy.random.Generator
    steps : Steps
    """
    u = rng.random(y.size)
    point, _ = plain.sweep(components_of(theta), y, _PROBLEM, u, rng, steps)
    return padded(point, _ON_K.max_K, rng)


def reversible_jump(
    theta: Points,
    y: Array,
    rng: np.random.Generator,
    terms: Terms = Terms(),  # noqa: B008 (immutable)
    no_death: bool = False,
) -> dict[str, Array]:
    """Make one sweep of reversible jump.

    Parameters
    ----------
    theta : mapping of str to ndarray
        A point of `MODEL`.
    y : ndarray, shape (N,)
    rng : numpy.random.Generator
    terms : Terms
    no_death : bool
        Whether deaths are never proposed.
    """
    K, max_K = int(theta["K"]), _ON_K.max_K
    w, mu, sigma = (np.array(theta[name], dtype=float) for name in Params._fields)
    state = State(w, mu, sigma, np.zeros(max_K), np.zeros(y.size, dtype=np.int64))
    data = np.array(y, dtype=float)
    jump.draw_allocations(K, data, state, rng)
    jump.draw_parameters(K, data, state, _JUMP_MODEL, rng)
    for up, down in ((jump.split, jump.merge), (jump.birth, jump.death)):
        prob_up = 1.0 if K == 1 else 0.5 * (max_K > K)
        move = up if rng.random() < prob_up else down
        if not (no_death and move is jump.death):
            K = move(K, data, state, _JUMP_MODEL, terms, rng)
    return padded(Params(w[:K], mu[:K], sigma[:K]), max_K, rng)


def _number(n_k: Array, u: float, leave_out: str) -> int:
    """Draw K with one term of its conditional left out."""
    K = np.arange(n_k.size, _ON_K.max_K + 1)
    c = _PROBLEM.concentrations[n_k.size - 1 :]
    terms = {
        "prior": _ON_K.log_prob[n_k.size - 1 :],
        "constant": gammaln(K * c) - gammaln(n_k.sum() + K * c),
        "labels": gammaln(K + 1.0) - gammaln(K - n_k.size + 1.0),
        "sizes": (gammaln(n_k[:, None] + c) - gammaln(c)).sum(axis=0),
    }
    log_p = np.sum([term for name, term in terms.items() if name != leave_out], axis=0)
    return plain.number_from(log_p, n_k.size, u)


def _without(term: str) -> plain.Steps:
    return plain.CORRECT._replace(number=lambda n_k, problem, u: _number(n_k, u, term))


def _none_empty(
    K: int, n_k: Array, mu: Array, sigma: Array, problem: Any, rng: np.random.Generator
) -> Params:
    """Leave the empty components out."""
    return plain.fill_up(n_k.size, n_k, mu, sigma, problem, rng)


def _empty_as_occupied(
    K: int, n_k: Array, mu: Array, sigma: Array, problem: Any, rng: np.random.Generator
) -> Params:
    """Give empty components the parameters of occupied ones in place of the prior's."""
    point = plain.fill_up(K, n_k, mu, sigma, problem, rng)
    copied = np.arange(K) % n_k.size
    return Params(point.w, mu[copied], sigma[copied])


def _static_weights(
    K: int, n_k: Array, mu: Array, sigma: Array, problem: Any, rng: np.random.Generator
) -> Params:
    """Draw the weights with c in place of c / K."""
    point = plain.fill_up(K, n_k, mu, sigma, problem, rng)
    sizes = np.append(n_k, np.zeros(K - n_k.size))
    w = draw_weights(sizes, Priors(problem.priors.weight_concentration).expanded(K), rng)
    return Params(w, point.mu, point.sigma)


_T = Terms
FAULTS: Mapping[str, NumberFault] = {
    fault.name: fault
    for fault in (
        NumberFault("split-jacobian", "the Jacobian of the split is forgotten", _T(jacobian=0.0)),
        NumberFault(
            "unequal-attempts",
            "splits and merges, births and deaths are taken to be attempted equally often",
            _T(attempt=0.0),
        ),
        NumberFault("jump-prior-of-k", "the prior of K is dropped", _T(number=0.0)),
        NumberFault(
            "division",
            "the probability of how observations were divided is dropped",
            _T(division=0.0),
        ),
        NumberFault("orders", "the K + 1 ways to number a set are forgotten", _T(order=0.0)),
        NumberFault("proposal", "the density of u1 and u2 is left out", _T(proposal=0.0)),
        NumberFault("variances", "the prior of the new variances is left out", _T(variances=0.0)),
        NumberFault(
            "which-empty",
            "a birth does not ask among how many empty components the death chooses",
            _T(which_empty=0.0),
        ),
        NumberFault(
            "birth-jacobian", "making room for a new weight has no Jacobian", _T(birth_jacobian=0.0)
        ),
        NumberFault("no-death", "births without their deaths", _T(), no_death=True),
        NumberFault("telescoping-prior-of-k", "the prior of K is dropped", steps=_without("prior")),
        NumberFault("labels", "K! / (K - K+)! is left out", steps=_without("labels")),
        NumberFault("sizes", "the sizes of the components are left out", steps=_without("sizes")),
        NumberFault(
            "not-refilled",
            "empty components are not filled up",
            steps=plain.CORRECT._replace(fill=_none_empty),
        ),
        NumberFault(
            "refilled-from-occupied",
            "empty components take the parameters of occupied ones, not the prior's",
            steps=plain.CORRECT._replace(fill=_empty_as_occupied),
        ),
        NumberFault(
            "static-weights",
            "weights are drawn with c in place of c / K",
            steps=plain.CORRECT._replace(fill=_static_weights),
        ),
    )
}
SUBTLE = ("proposal", "which-empty", "birth-jacobian")
"""Of these a quick validation may not see anything; the others fail it."""
AS_PRINTED = NumberFault(
    "as-printed",
    "the Jacobian of a birth is (1 - w)^K, as first printed, and not (1 - w)^(K - 1)",
    _T(as_printed=1.0),
)
CORRECT: Mapping[str, Kernel] = {"telescoping": telescoping, "reversible-jump": reversible_jump}


def sampler(name: str) -> Kernel:
    """Return the sampler ``components:NAME``, a correct one or a fault.

    Parameters
    ----------
    name : str

    Raises
    ------
    InputError
        If there is none of that name.
    """
    found: dict[str, Kernel] = {**CORRECT, **FAULTS, AS_PRINTED.name: AS_PRINTED}
    short = name.removeprefix("components:")
    if short not in found:
        raise InputError(
            f"{name}: there is no such sampler of the number of components"
            f"{did_you_mean(short, found)}; there are: {', '.join(found)}"
        )
    return found[short]

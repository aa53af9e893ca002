"""Data of the lesson on the number of components: twelve values under eight priors, exactly.

And data of one group, more and more of them, under a Dirichlet process and under a prior on K.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from gmmcompare.engines.components import ComponentsDraws, ComponentsProblem, Lengths
from gmmcompare.model import mixture
from gmmcompare.model.exact import exact_components, exact_dirichlet_process
from gmmcompare.model.params import Array, Params
from gmmcompare.model.prior_on_k import PriorOnK
from gmmcompare.model.priors import Priors
from gmmcompare.model.restricted import RestrictedPriors
from gmmcompare.model.sample import Sample
from gmmcompare.runtime.progress import Step

SEED = 20
N = 12
TRUE = Params(np.array([0.4, 0.35, 0.25]), np.array([-2.0, 0.5, 3.0]), np.array([0.5, 0.5, 0.5]))
MAX_K = 10
PRIORS = Priors(weight_concentration=1.0, mean_loc=0.0, mean_sd=3.0, var_shape=3.0, var_scale=1.0)
X = np.linspace(-5.0, 5.5, 141)

ONE_GROUP = replace(PRIORS, var_scale=2.0)
"""Expects a variance of 1, which is that of the data of one group."""
ONE_SEED = 21
DATA_SETS = 10
EXACT_SIZES = tuple(range(1, 15))
SAMPLED_SIZES = (50, 200)
ALPHA = 1.0
OF_PROCESS = Lengths(chains=2, warmup=1000, draws=2000, every=2)
OF_MIXTURE = Lengths(chains=2, warmup=2000, draws=20_000, every=2)
ON_K = "beta-negative-binomial"

COMMANDS = ("gmmcompare components galaxies-components",)
FACTS = (
    f"Data: {N} values from three groups, simulated with seed {SEED} and rounded to one decimal. "
    "All of their posteriors are exact: sums over all partitions and all K, nothing is random.",
    "If nothing else is said, K is uniform on 1 to 10, the weights are Dirichlet(1, ..., 1), means "
    "Normal(0, 3) and variances InverseGamma(3, 1), which expects a variance of 0.5.",
    f"Data of one group: {DATA_SETS} samples from Normal(0, 1), seed {ONE_SEED}, under variances "
    f"InverseGamma(3, 2); exact up to N = {EXACT_SIZES[-1]}, by the telescoping sampler and "
    f"Neal’s algorithm 8 for N = {SAMPLED_SIZES[0]} and {SAMPLED_SIZES[1]}.",
)


class Belief(NamedTuple):
    """One prior of the eight: what a reader sees, and what the exact sum is given."""

    label: str  # for a table
    name: str  # for a sentence
    why: str
    priors: Priors
    prior: str | ArrayLike
    dynamic: bool = False


BELIEFS = (
    Belief(
        "K uniform",
        "K uniform on 1 to 10",
        "every number up to 10 is as probable as any other",
        PRIORS,
        "uniform",
    ),
    Belief("Poisson", "K − 1 Poisson(1)", "two is expected, six hardly", PRIORS, "poisson(1)"),
    Belief(
        "geometric",
        "K geometric(½)",
        "each further component is half as probable",
        PRIORS,
        [0.5**K for K in range(1, MAX_K + 1)],
    ),
    Belief(
        "BNB",
        "K − 1 BNB(1, 4, 3)",
        "one is more probable than all others together, but many are not ruled out",
        PRIORS,
        ON_K,
    ),
    Belief(
        "c = 0.1",
        "K uniform, c = 0.1",
        "most weights are next to nothing",
        replace(PRIORS, weight_concentration=0.1),
        "uniform",
    ),
    Belief(
        "c = 1/K",
        "K uniform, c = 1/K",
        "the more components, the more of them have weights next to nothing",
        PRIORS,
        "uniform",
        True,
    ),
    Belief(
        "wide means",
        "K uniform, means Normal(0, 30)",
        "a mean may be anywhere",
        replace(PRIORS, mean_sd=30.0),
        "uniform",
    ),
    Belief(
        "small sds",
        "K uniform, variances InverseGamma(3, 0.1)",
        "a group is expected to be a third as wide",
        replace(PRIORS, var_scale=0.1),
        "uniform",
    ),
)


def data() -> Array:
    """Return the twelve values."""
    y, _ = mixture.simulate(TRUE, N, np.random.default_rng(SEED))
    return np.asarray(np.sort(np.round(y, 1)) + 0.0)  # no minus zero


def compute(progress: Step) -> dict[str, Any]:
    """Return the eight answers, and what becomes of one group as N grows."""
    y = data()
    rows = []
    for i, belief in enumerate(BELIEFS):
        rows.append(answer(y, belief))
        progress(0.3 * (i + 1) / len(BELIEFS))
    return {
        "y": y,
        "max_K": MAX_K,
        "true_K": TRUE.K,
        "x": X,
        "rows": rows,
        "process": exact_dirichlet_process(y, PRIORS, ALPHA).prob_occupied[1 : MAX_K + 1],
        "growth": growth(lambda done: progress(0.3 + 0.7 * done)),
    }


def answer(y: Array, belief: Belief) -> dict[str, Any]:
    """Return prior and posterior of K and K+ under one belief, and the predictive density."""
    exact = exact_components(y, belief.priors, belief.prior, MAX_K, belief.dynamic)
    occupied = exact.prob_occupied[1:]
    return {
        "label": belief.label,
        "name": belief.name,
        "why": belief.why,
        "prior": exact.on_k.prob,
        "prob": exact.prob,
        "prior_occupied": prior_occupied(y.size, belief),
        "prob_occupied": occupied,
        "best_K": int(np.argmax(exact.prob)) + 1,
        "best": int(np.argmax(occupied)) + 1,
        "predictive": exact.predictive(X),
    }


def prior_occupied(n: int, belief: Belief) -> Array:
    """Return the prior of K+ = 1..max_K, the number of components that n values will hold.

    It is the posterior where all components are the same, so that data say nothing of them.
    """
    c = belief.priors.weight_concentration
    same = RestrictedPriors(c, mean_loc=0.0, mean_sd=1e-9, sds=1.0)
    exact = exact_components(np.arange(float(n)), same, belief.prior, MAX_K, belief.dynamic)
    return exact.prob_occupied[1:]


def growth(progress: Step) -> dict[str, Any]:
    """Return P(one component is occupied | N values from one group), mean over data sets."""
    y = np.random.default_rng(ONE_SEED).normal(size=(DATA_SETS, max(*EXACT_SIZES, *SAMPLED_SIZES)))
    sizes = (*EXACT_SIZES, *SAMPLED_SIZES)
    rows = []
    for i, n in enumerate(sizes):
        one = exact_one if n in EXACT_SIZES else sampled_one
        rows.append(np.mean([one(values[:n]) for values in y], axis=0))
        progress((i + 1) / len(sizes))
    process, mixtures = np.array(rows).T
    return {
        "sizes": sizes,
        "exact_to": EXACT_SIZES[-1],
        "process": process,
        "mixture": mixtures,
    }


def exact_one(y: Array) -> tuple[float, float]:
    """Return P(K+ = 1 | y) under the process and under the prior on K, exactly."""
    process = exact_dirichlet_process(y, ONE_GROUP, ALPHA)
    components = exact_components(y, ONE_GROUP, ON_K, MAX_K)
    return float(process.prob_occupied[1]), float(components.prob_occupied[1])


def sampled_one(y: Array) -> tuple[float, float]:
    """Return the same by samplers, for more values than can be summed over."""
    from gmmcompare.engines.dirichlet_process.engine import run as process
    from gmmcompare.engines.telescoping.engine import run as telescoping

    problem = ComponentsProblem(Sample.of(y), ONE_GROUP, PriorOnK.of(ON_K, MAX_K))

    def share(found: ComponentsDraws) -> float:
        return float(np.mean(found.n_occupied == 1))

    return (
        share(process(problem, ALPHA, ONE_SEED, OF_PROCESS)),
        share(telescoping(problem, ONE_SEED, OF_MIXTURE)),
    )

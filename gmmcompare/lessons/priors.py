"""Data of the lesson on priors: ten values, two of them tied, under InverseGamma(e, e)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from scipy.special import gammaincc
from scipy.stats import invgamma

from gmmcompare.engines.em.compiled import (
    Penalty,
    Sums,
    expectation,
    flat_prior,
    log_penalty,
    maximisation,
    penalty_of,
)
from gmmcompare.lessons.cards import card_with_data
from gmmcompare.model import mixture
from gmmcompare.model.exact import exact_posterior
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample
from gmmcompare.runtime.progress import Step

K = 2
SEED = 4
N = 10
TRUE = Params(np.array([0.5, 0.5]), np.array([-1.5, 1.5]), np.array([0.3, 0.3]))
DECIMALS = 1
EPSILONS = 10.0 ** np.linspace(-4.0, 0.5, 19)
LOG_SIGMA = np.linspace(-4.0, 6.0, 201)
X = np.linspace(-4.5, 4.5, 181)
SPIKE_AXIS = np.linspace(-6.0, 0.5, 131)
NARROW = 0.05
"""An sd below this is narrower than the rounding of the data: only ties can look so."""
WIDE = 1000.0
STEPS = 400
FITTING = Priors(var_shape=3.0, var_scale=0.5)
"""A prior that knows the scale of the data, as the lesson advises."""
NEARER = 3.0
"""An sd of the prior on the means that knows where the data lie."""
CARD = "galaxies-k4"
COMMANDS: tuple[str, ...] = ()
FACTS = (
    f"Data: {N} values from two groups, simulated with seed {SEED} and rounded to {DECIMALS} "
    "decimal, as instruments round; rounding makes the tie. Nothing else is random: the posterior "
    "is exact, summed over all allocations.",
    "The other priors are the defaults: Dirichlet(1, 1) weights and Normal(0, 30) means.",
    "Maxima are found by the EM engine’s own steps, for maximum likelihood and for the posterior "
    "mode over (w, μ, log σ²).",
)


def data() -> Array:
    """Return the ten values."""
    y, _ = mixture.simulate(TRUE, N, np.random.default_rng(SEED))
    return np.sort(np.round(y, DECIMALS))


def priors(epsilon: float) -> Priors:
    """Return the default priors with InverseGamma(epsilon, epsilon) on the variances."""
    return Priors(var_shape=epsilon, var_scale=epsilon)


def compute(progress: Step) -> dict[str, Any]:
    """Return for each epsilon the prior, the exact posterior, and the heights of two summits."""
    y = data()
    sample = Sample.of(y)
    tie = float(sample.values[np.argmax(sample.counts)])
    rows = []
    for i, epsilon in enumerate(EPSILONS):
        rows.append({**prior_facts(float(epsilon)), **_posterior_facts(y, float(epsilon), tie)})
        progress((i + 1) / len(EPSILONS))
    card, _ = card_with_data(CARD)
    best = min(rows, key=lambda row: row["prob_empty"])
    return {
        "y": y,
        "K": K,
        "fitting": variance_prior(FITTING) | {"prob_empty": prob_empty(y, FITTING)},
        "nearer": {
            "mean_sd": NEARER,
            "best": prob_empty(y, replace(priors(best["epsilon"]), mean_sd=NEARER)),
            "fitting": prob_empty(y, replace(FITTING, mean_sd=NEARER)),
        },
        "mean_sd": FITTING.mean_sd,
        "card": variance_prior(card.build_priors()),
        "tie": tie,
        "tie_count": int(sample.counts.max()),
        "narrow": NARROW,
        "wide": WIDE,
        "x": X,
        "log_sigma": LOG_SIGMA,
        "spike_axis": SPIKE_AXIS,
        "ml_spike": _ridge(sample, tie),
        "rows": rows,
    }


def variance_prior(prior: Priors) -> dict[str, float]:
    """Return shape and scale of the first group's variance, and 95 % limits of its sd."""
    shape, scale = (float(np.ravel(a)[0]) for a in (prior.var_shape, prior.var_scale))
    low, high = np.sqrt(invgamma(shape, scale=scale).ppf([0.025, 0.975]))
    return {"shape": shape, "scale": scale, "low": float(low), "high": float(high)}


def prob_empty(y: Array, prior: Priors) -> float:
    """Return the exact posterior probability that a group is empty."""
    return float(exact_posterior(y, K, prior).prob_empty)


def prior_facts(epsilon: float) -> dict[str, Any]:
    """Return the prior density of log10 sigma, and how much lies below, in and above a range."""

    def cdf(sigma: float) -> float:
        return float(gammaincc(epsilon, epsilon / sigma**2))

    edges = 10.0 ** np.append(LOG_SIGMA, 2 * LOG_SIGMA[-1] - LOG_SIGMA[-2])
    mass = np.diff(gammaincc(epsilon, epsilon / edges**2))
    below, up_to_wide = cdf(1.0 / WIDE), cdf(WIDE)
    return {
        "epsilon": epsilon,
        "prior_density": mass / (LOG_SIGMA[1] - LOG_SIGMA[0]),
        "prior_below": below,
        "prior_within": up_to_wide - below,
        "prior_above": 1.0 - up_to_wide,
    }


def _posterior_facts(y: Array, epsilon: float, tie: float) -> dict[str, Any]:
    """Return what the exact posterior says, and the two summits of the posterior density."""
    prior = priors(epsilon)
    exact = exact_posterior(y, K, prior)
    sigma_cdf = exact.cdf("sigma", 10.0**LOG_SIGMA)
    sample = Sample.of(y)
    penalty = penalty_of(prior, K)
    honest = _climb(sample, _halves(y), penalty)
    spike = _climb(sample, _on_the_tie(sample, tie), penalty)
    return {
        "prob_empty": exact.prob_empty,
        "sigma_cdf": sigma_cdf,
        "prob_narrow": float(exact.cdf("sigma", np.array([NARROW]))[0]),
        "prob_wide": 1.0 - float(exact.cdf("sigma", np.array([WIDE]))[0]),
        "predictive": exact.predictive(X),
        "ridge": _ridge(sample, tie, prior),
        "two_summits": bool(spike.sigma.min() < 0.5 * honest.sigma.min()),
        "honest": _summit(sample, honest, penalty),
        "spike": _summit(sample, spike, penalty),
    }


def _climb(sample: Sample, start: Params, penalty: Penalty) -> Params:
    """Return where EM ends from a start."""
    here = start
    counts = sample.counts.astype(float)
    for _ in range(STEPS):
        sums = Sums(*(np.empty(K) for _ in Sums._fields))
        expectation(sample.values, counts, *here, sums)
        new = (np.empty(K), np.empty(K), np.empty(K))
        maximisation(*here, sums, penalty, new)
        here = Params(*new)
    return here


def ml_summit() -> Params:
    """Return the local maximum of the likelihood with two groups that hold many points."""
    y = data()
    return _climb(Sample.of(y), _halves(y), flat_prior(K))


def _summit(sample: Sample, at: Params, penalty: Penalty) -> dict[str, Any]:
    height = float(mixture.log_likelihood(sample, at)) + float(log_penalty(*at, penalty))
    return {"height": height, **at._asdict()}


def _halves(y: Array) -> Params:
    """Start with one group on either side of zero."""
    left, right = y[y < 0], y[y >= 0]
    w = np.array([left.size, right.size]) / y.size
    return Params(w, np.array([left.mean(), right.mean()]), np.array([left.std(), right.std()]))


def _on_the_tie(sample: Sample, tie: float) -> Params:
    """Start with a narrow group on the tied value, and one for the rest."""
    rest = sample.y[sample.y != tie]
    share = 1.0 - rest.size / sample.n
    return Params(
        np.array([share, 1.0 - share]),
        np.array([tie, rest.mean()]),
        np.array([0.1 * NARROW, rest.std()]),
    )


def _ridge(sample: Sample, tie: float, prior: Priors | None = None) -> Array:
    """Return the objective as the narrow group's sd shrinks: log-likelihood, or log posterior."""
    at = _on_the_tie(sample, tie)
    shape = (SPIKE_AXIS.size, K)
    sigma = np.tile(at.sigma, (SPIKE_AXIS.size, 1))
    sigma[:, 0] = 10.0**SPIKE_AXIS
    points = Params(np.broadcast_to(at.w, shape), np.broadcast_to(at.mu, shape), sigma)
    height = mixture.log_likelihood(sample, points)
    if prior is not None:
        penalty = penalty_of(prior, K)
        height = height + [log_penalty(*Params(at.w, at.mu, s), penalty) for s in sigma]
    return np.asarray(height)

"""Wrong draws of the allocations."""

from __future__ import annotations

import numpy as np

from gmmcompare.engines.gibbs.plain import Allocations, allocated
from gmmcompare.model.mixture import LOG_SQRT_2PI, log_joint
from gmmcompare.model.params import Array, Params
from gmmcompare.validation.faults.sweep import GibbsSweep


def one_uniform_for_all(_: GibbsSweep, n: int, rng: np.random.Generator) -> Array:
    """Draw one number and repeat it."""
    return np.full(n, rng.random())


def cumulative_not_normalised(
    _: GibbsSweep, w: Array, mu: Array, sigma: Array, y: Array, u: Array
) -> Allocations:
    """Cumulate densities instead of probabilities."""
    return allocated(np.exp(log_joint(y, Params(w, mu, sigma))), u)


def variance_as_sd(
    correct: GibbsSweep, w: Array, mu: Array, sigma: Array, y: Array, u: Array
) -> Allocations:
    """Pass the variance as the standard deviation."""
    return correct.draw_allocations(w, mu, sigma**2, y, u)


def no_log_sigma(
    _: GibbsSweep, w: Array, mu: Array, sigma: Array, y: Array, u: Array
) -> Allocations:
    """Leave out the factor 1 / sigma."""
    log_p = log_joint(y, Params(w, mu, sigma)) + np.log(sigma) + LOG_SQRT_2PI
    p = np.exp(log_p - log_p.max(axis=1, keepdims=True))
    return allocated(p / p.sum(axis=1, keepdims=True), u)

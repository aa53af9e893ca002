"""Samplers that are correct for another model or are not meant to sample at all."""

from __future__ import annotations

import numpy as np

from gmmcompare.engines.gibbs.plain import Allocations
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors
from gmmcompare.validation.faults.sweep import GibbsSweep, sums, sums_of_squares


def one_sigma_for_all(
    _: GibbsSweep, n_k: Array, sum_sq: Array, priors: Priors, rng: np.random.Generator
) -> Array:
    """Draw one standard deviation that all components share, under the mean of their priors."""
    shape, scale = np.asarray(priors.var_shape).mean(), np.asarray(priors.var_scale).mean()
    gamma = rng.standard_gamma(shape + n_k.sum() / 2)
    return np.full(n_k.size, np.sqrt((scale + sum_sq.sum() / 2) / gamma))


def conjugate_prior(
    correct: GibbsSweep,
    z: Allocations,
    n_k: Array,
    old: Params,
    y: Array,
    priors: Priors,
    rng: np.random.Generator,
) -> Params:
    """Draw sigma, then mu given it, where mu's prior sd is mean_sd * sigma.

    Given sigma, the sample mean varies about mean_loc by sigma^2 (1 / n_k + mean_sd^2), which is
    what sigma's conditional takes from it (Gelman et al., Bayesian Data Analysis, section 3.3).
    """
    m0, s0 = np.asarray(priors.mean_loc), np.asarray(priors.mean_sd)
    w = correct.draw_weights(n_k, priors, rng)
    sum_y = sums(z, y, w.size)
    ybar = np.where(n_k > 0, sum_y / np.maximum(n_k, 1), m0)
    between = n_k * (ybar - m0) ** 2 / (1.0 + n_k * s0**2)
    sigma = correct.draw_sigmas(n_k, sums_of_squares(z, y, ybar) + between, priors, rng)
    precision = n_k + 1.0 / s0**2
    mu = rng.normal((sum_y + m0 / s0**2) / precision, sigma / np.sqrt(precision))
    return Params(w, mu, sigma)


def stochastic_em(
    correct: GibbsSweep,
    z: Allocations,
    n_k: Array,
    old: Params,
    y: Array,
    priors: Priors,
    rng: np.random.Generator,
) -> Params:
    """Put parameters where they are most likely, or on average, given the allocations.

    Celeux and Diebolt (1985).
    """
    concentration = correct.weights_conditional(n_k, priors)
    w = concentration / concentration.sum()
    mu, _sd = correct.means_conditional(n_k, sums(z, y, w.size), old.sigma, priors)
    shape, scale = correct.variances_conditional(n_k, sums_of_squares(z, y, mu), priors)
    return Params(w, mu, np.sqrt(scale / (shape + 1.0)))

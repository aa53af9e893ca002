"""Wrong formulas for one full conditional: that of sigma, of mu or of w."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from gmmcompare.engines.gibbs.plain import Allocations
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors
from gmmcompare.validation.faults.sweep import GibbsSweep, sums, sums_of_squares

Two = tuple[Array, Array]


def _where_occupied(n_k: Array, values: Array, prior: Any) -> Array:
    """Return ``values`` for components that hold observations and ``prior`` for others, (K,)."""
    return np.where(n_k > 0, values, np.asarray(prior))


# sigma | mu, z: shape and scale of an inverse gamma, or its draw.


def rate_for_scale(
    correct: GibbsSweep, n_k: Array, sum_sq: Array, priors: Priors, rng: np.random.Generator
) -> Array:
    """Use NumPy's gamma as if its second argument were a rate."""
    shape, scale = correct.variances_conditional(n_k, sum_sq, priors)
    return np.asarray(1.0 / np.sqrt(rng.gamma(shape, scale)))


def gamma_for_inverse_gamma(
    correct: GibbsSweep, n_k: Array, sum_sq: Array, priors: Priors, rng: np.random.Generator
) -> Array:
    """Take the precision for the variance."""
    return 1.0 / correct.draw_sigmas(n_k, sum_sq, priors, rng)


def variance_returned(
    correct: GibbsSweep, n_k: Array, sum_sq: Array, priors: Priors, rng: np.random.Generator
) -> Array:
    """Return the variance."""
    return correct.draw_sigmas(n_k, sum_sq, priors, rng) ** 2


def shape_plus_n(correct: GibbsSweep, n_k: Array, sum_sq: Array, priors: Priors) -> Two:
    """Leave out the half of n_k / 2."""
    shape, scale = correct.variances_conditional(n_k, sum_sq, priors)
    return shape + n_k / 2, scale


def shape_half_too_much(correct: GibbsSweep, n_k: Array, sum_sq: Array, priors: Priors) -> Two:
    """Add one half to the shape."""
    shape, scale = correct.variances_conditional(n_k, sum_sq, priors)
    return shape + 0.5, scale


def shape_half_too_little(correct: GibbsSweep, n_k: Array, sum_sq: Array, priors: Priors) -> Two:
    """Use the n - 1 of a sample variance, though mu is known."""
    shape, scale = correct.variances_conditional(n_k, sum_sq, priors)
    return np.maximum(shape - 0.5, 1e-3), scale


def shape_n_minus_one(correct: GibbsSweep, n_k: Array, sum_sq: Array, priors: Priors) -> Two:
    """Use the n - 1 of a sample variance, with a guard for empty components."""
    shape, scale = correct.variances_conditional(n_k, sum_sq, priors)
    return shape - 0.5 * (n_k > 0), scale


def squares_not_halved(correct: GibbsSweep, n_k: Array, sum_sq: Array, priors: Priors) -> Two:
    """Leave out the half of sum_sq / 2."""
    shape, scale = correct.variances_conditional(n_k, sum_sq, priors)
    return shape, scale + sum_sq / 2


def var_scale_dropped(correct: GibbsSweep, n_k: Array, sum_sq: Array, priors: Priors) -> Two:
    """Leave out the prior's scale."""
    shape, _ = correct.variances_conditional(n_k, sum_sq, priors)
    return shape, _where_occupied(n_k, sum_sq / 2, priors.var_scale)


def var_shape_dropped(correct: GibbsSweep, n_k: Array, sum_sq: Array, priors: Priors) -> Two:
    """Leave out the prior's shape."""
    _, scale = correct.variances_conditional(n_k, sum_sq, priors)
    return _where_occupied(n_k, n_k / 2, priors.var_shape), scale


def shape_and_scale_swapped(_: GibbsSweep, n_k: Array, sum_sq: Array, priors: Priors) -> Two:
    """Swap the prior's shape and scale."""
    shape, scale = np.asarray(priors.var_shape), np.asarray(priors.var_scale)
    return scale + n_k / 2, shape + sum_sq / 2


def floor_under_sigma(
    correct: GibbsSweep,
    z: Allocations,
    n_k: Array,
    old: Params,
    y: Array,
    priors: Priors,
    rng: np.random.Generator,
) -> Params:
    """Let no sigma be below a fifth of the data's standard deviation."""
    new = correct.draw_parameters(z, n_k, old, y, priors, rng)
    return Params(new.w, new.mu, np.maximum(new.sigma, 0.2 * y.std()))


def squares_about_ybar(
    correct: GibbsSweep,
    z: Allocations,
    n_k: Array,
    old: Params,
    y: Array,
    priors: Priors,
    rng: np.random.Generator,
) -> Params:
    """Take squares about each component's sample mean."""
    w = correct.draw_weights(n_k, priors, rng)
    sum_y = sums(z, y, w.size)
    mu = correct.draw_means(n_k, sum_y, old.sigma, priors, rng)
    ybar = sum_y / np.maximum(n_k, 1)
    return Params(w, mu, correct.draw_sigmas(n_k, sums_of_squares(z, y, ybar), priors, rng))


# mu | sigma, z: location and standard deviation of a normal.


def mean_prior_dropped(
    _: GibbsSweep, n_k: Array, sum_y: Array, sigma: Array, priors: Priors
) -> Two:
    """Use the likelihood only."""
    n = np.maximum(n_k, 1)
    loc = _where_occupied(n_k, sum_y / n, priors.mean_loc)
    return loc, _where_occupied(n_k, sigma / np.sqrt(n), priors.mean_sd)


def mean_loc_ignored(_: GibbsSweep, n_k: Array, sum_y: Array, sigma: Array, priors: Priors) -> Two:
    """Shrink towards zero."""
    variance = 1.0 / (n_k / sigma**2 + 1.0 / np.asarray(priors.mean_sd) ** 2)
    return variance * sum_y / sigma**2, np.sqrt(variance)


def prior_sd_as_variance(
    _: GibbsSweep, n_k: Array, sum_y: Array, sigma: Array, priors: Priors
) -> Two:
    """Use the prior's standard deviation as a variance."""
    prior_variance = np.asarray(priors.mean_sd)
    variance = 1.0 / (n_k / sigma**2 + 1.0 / prior_variance)
    return variance * (sum_y / sigma**2 + priors.mean_loc / prior_variance), np.sqrt(variance)


def likelihood_without_sigma(
    correct: GibbsSweep, n_k: Array, sum_y: Array, sigma: Array, priors: Priors
) -> Two:
    """Weigh the data as if sigma were 1."""
    return correct.means_conditional(n_k, sum_y, np.ones_like(sigma), priors)


def mean_sd_times_sigma(
    correct: GibbsSweep, n_k: Array, sum_y: Array, sigma: Array, priors: Priors
) -> Two:
    """Take a conjugate prior's conditional, in which mean_sd is in units of sigma."""
    conjugate = replace(priors, mean_sd=np.asarray(priors.mean_sd) * sigma)
    return correct.means_conditional(n_k, sum_y, sigma, conjugate)


def mean_variance_as_sd(
    correct: GibbsSweep, n_k: Array, sum_y: Array, sigma: Array, priors: Priors
) -> Two:
    """Pass the variance as the standard deviation."""
    loc, sd = correct.means_conditional(n_k, sum_y, sigma, priors)
    return loc, sd**2


def mean_sd_as_variance(
    correct: GibbsSweep, n_k: Array, sum_y: Array, sigma: Array, priors: Priors
) -> Two:
    """Take the root of the standard deviation."""
    loc, sd = correct.means_conditional(n_k, sum_y, sigma, priors)
    return loc, np.sqrt(sd)


# w | z: the concentration of a Dirichlet.


def dirichlet_without_prior(_: GibbsSweep, n_k: Array, priors: Priors) -> Array:
    """Use the counts alone."""
    return np.asarray(n_k, dtype=float)


def concentration_ignored(_: GibbsSweep, n_k: Array, priors: Priors) -> Array:
    """Add one to every count."""
    return np.asarray(1.0 + n_k)


def dirichlet_prior_twice(_: GibbsSweep, n_k: Array, priors: Priors) -> Array:
    """Add the concentration twice."""
    return np.asarray(2.0 * np.asarray(priors.weight_concentration) + n_k)

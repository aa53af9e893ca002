"""Thirty mistakes that people make and that the gallery does not have: whom does it suspect then?

Every one replaces a step of the correct sweep, as in `faults.catalogue`. None is the mistake of any
row there, so that no suspect at all is right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from gmmcompare.model.mixture import log_joint
from gmmcompare.model.params import Params
from gmmcompare.validation.faults.catalogue import Variant
from gmmcompare.validation.faults.sweep import sums, sums_of_squares

# --- sigma | mu, z --------------------------------------------------------------------------------


def shape_plus_one(correct, n_k, sum_sq, priors):
    shape, scale = correct.variances_conditional(n_k, sum_sq, priors)
    return shape + 1.0, scale


def shape_as_degrees_of_freedom(_, n_k, sum_sq, priors):
    return (priors.var_shape + n_k) / 2, priors.var_scale + sum_sq / 2


def scaled_inverse_chi_squared(_, n_k, sum_sq, priors):
    return (priors.var_shape + n_k) / 2, (priors.var_shape * priors.var_scale + sum_sq) / 2


def prior_scale_halved(_, n_k, sum_sq, priors):
    return priors.var_shape + n_k / 2, (priors.var_scale + sum_sq) / 2


def mean_square_for_sum(correct, n_k, sum_sq, priors):
    return correct.variances_conditional(n_k, sum_sq / np.maximum(n_k, 1), priors)


def squares_of_the_next(correct, n_k, sum_sq, priors):
    return correct.variances_conditional(n_k, np.roll(sum_sq, 1), priors)


def rate_of_the_prior_for_scale(_, n_k, sum_sq, priors):
    return priors.var_shape + n_k / 2, 1.0 / np.asarray(priors.var_scale) + sum_sq / 2


def root_taken_twice(correct, n_k, sum_sq, priors, rng):
    return np.sqrt(correct.draw_sigmas(n_k, sum_sq, priors, rng))


def one_gamma_for_all(correct, n_k, sum_sq, priors, rng):
    shape, scale = correct.variances_conditional(n_k, sum_sq, priors)
    return np.sqrt(scale / rng.standard_gamma(shape.mean()))


def about(centre: Callable[..., Any]) -> Callable[..., Params]:
    """Take squares about something else than mu."""

    def draw(correct, z, n_k, old, y, priors, rng):
        w = correct.draw_weights(n_k, priors, rng)
        mu = correct.draw_means(n_k, sums(z, y, w.size), old.sigma, priors, rng)
        squares = sums_of_squares(z, y, centre(y, priors) + 0.0 * mu)
        return Params(w, mu, correct.draw_sigmas(n_k, squares, priors, rng))

    return draw


def single_points_from_the_prior(correct, n_k, sum_sq, priors, rng):
    several = n_k > 1
    return correct.draw_sigmas(n_k * several, sum_sq * several, priors, rng)


# --- mu | sigma, z --------------------------------------------------------------------------------


def sigma_not_squared(correct, n_k, sum_y, sigma, priors):
    return correct.means_conditional(n_k, sum_y, np.sqrt(sigma), priors)


def prior_mean_not_weighed(_, n_k, sum_y, sigma, priors):
    v = 1.0 / (n_k / sigma**2 + 1.0 / np.asarray(priors.mean_sd) ** 2)
    return v * (sum_y / sigma**2 + priors.mean_loc), np.sqrt(v)


def mean_for_sum(correct, n_k, sum_y, sigma, priors):
    v = 1.0 / (n_k / sigma**2 + 1.0 / np.asarray(priors.mean_sd) ** 2)
    pull = priors.mean_loc / np.asarray(priors.mean_sd) ** 2
    return v * (sum_y / np.maximum(n_k, 1) / sigma**2 + pull), np.sqrt(v)


def prior_sd_in_the_draw(correct, n_k, sum_y, sigma, priors):
    loc, sd = correct.means_conditional(n_k, sum_y, sigma, priors)
    return loc, priors.mean_sd + 0.0 * sd


def mean_of_mu_for_mu(correct, n_k, sum_y, sigma, priors, rng):
    return correct.means_conditional(n_k, sum_y, sigma, priors)[0]


def prior_precision_twice(correct, n_k, sum_y, sigma, priors):
    tight = replace(priors, mean_sd=np.asarray(priors.mean_sd) / np.sqrt(2.0))
    return correct.means_conditional(n_k, sum_y, sigma, tight)


def metropolis_without_prior(correct, n_k, sum_y, sigma, priors, rng):
    step = rng.normal(size=n_k.size) * 0.5
    loc = sum_y / np.maximum(n_k, 1)
    prior = rng.normal(priors.mean_loc, priors.mean_sd, n_k.size)
    here = rng.normal(loc, sigma / np.sqrt(np.maximum(n_k, 1)))
    there = here + step
    gain = -0.5 * n_k / sigma**2 * ((there - loc) ** 2 - (here - loc) ** 2)
    moved = np.where(np.log(rng.random(n_k.size)) < gain, there, here)
    return np.where(n_k > 0, 0.5 * (moved + loc), prior)


# --- w | z ----------------------------------------------------------------------------------------


def share_for_weight(correct, n_k, priors, rng):
    a = correct.weights_conditional(n_k, priors)
    return a / a.sum()


def sticks_for_dirichlet(correct, n_k, priors, rng):
    c = np.asarray(priors.weight_concentration)
    rest = n_k.sum() - np.cumsum(n_k)
    v = rng.beta(1.0 + n_k, c + rest)
    v[-1] = 1.0
    return v * np.concatenate([[1.0], np.cumprod(1.0 - v[:-1])])


def exponentials_for_gammas(correct, n_k, priors, rng):
    w = rng.exponential(correct.weights_conditional(n_k, priors))
    return w / w.sum()


def concentration_divided_by_components(_, n_k, priors):
    return np.asarray(priors.weight_concentration) / n_k.size + n_k


# --- z | w, mu, sigma -----------------------------------------------------------------------------


def likeliest_for_drawn(correct, w, mu, sigma, y, u):
    return log_joint(y, Params(w, mu, sigma)).argmax(axis=1)


def weights_left_out(correct, w, mu, sigma, y, u):
    return correct.draw_allocations(np.full(w.size, 1.0 / w.size), mu, sigma, y, u)


def off_by_one(correct, w, mu, sigma, y, u):
    return (correct.draw_allocations(w, mu, sigma, y, u) + 1) % w.size


def square_not_halved(correct, w, mu, sigma, y, u):
    return correct.draw_allocations(w, mu, sigma / np.sqrt(2.0), y, u)


# --- data and labels ------------------------------------------------------------------------------


def last_left_out(correct, w, mu, sigma, y, priors, rng):
    return correct.sweep(w, mu, sigma, y[:-1], priors, rng)


def data_centred(correct, w, mu, sigma, y, priors, rng):
    return correct.sweep(w, mu, sigma, y - y.mean(), priors, rng)


def sorted_by_weight(_, new, rng):
    order = np.argsort(new.w)
    return Params(*(a[order] for a in new))


def _row(step: str, replacement: Callable[..., Any]) -> Variant:
    return Variant(replacement.__name__.replace("_", "-"), step, replacement, "", "")


def _about(name: str, centre: Callable[..., Any]) -> Variant:
    return Variant(name, "draw_parameters", about(centre), "", "")


OUTSIDE = (
    _row("variances_conditional", shape_plus_one),
    _row("variances_conditional", shape_as_degrees_of_freedom),
    _row("variances_conditional", scaled_inverse_chi_squared),
    _row("variances_conditional", prior_scale_halved),
    _row("variances_conditional", mean_square_for_sum),
    _row("variances_conditional", squares_of_the_next),
    _row("variances_conditional", rate_of_the_prior_for_scale),
    _row("draw_sigmas", root_taken_twice),
    _row("draw_sigmas", one_gamma_for_all),
    _row("draw_sigmas", single_points_from_the_prior),
    _about("squares-about-prior-mean", lambda y, priors: priors.mean_loc),
    _about("squares-about-all-data", lambda y, priors: y.mean()),
    _row("means_conditional", sigma_not_squared),
    _row("means_conditional", prior_mean_not_weighed),
    _row("means_conditional", mean_for_sum),
    _row("means_conditional", prior_sd_in_the_draw),
    _row("means_conditional", prior_precision_twice),
    _row("draw_means", mean_of_mu_for_mu),
    _row("draw_means", metropolis_without_prior),
    _row("draw_weights", share_for_weight),
    _row("draw_weights", sticks_for_dirichlet),
    _row("draw_weights", exponentials_for_gammas),
    _row("weights_conditional", concentration_divided_by_components),
    _row("draw_allocations", likeliest_for_drawn),
    _row("draw_allocations", weights_left_out),
    _row("draw_allocations", square_not_halved),
    _row("draw_allocations", off_by_one),
    _row("sweep", last_left_out),
    _row("sweep", data_centred),
    _row("relabel", sorted_by_weight),
)

"""Labels changed inside a sweep, where the model says nothing of an order."""

from __future__ import annotations

import numpy as np

from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors
from gmmcompare.validation.faults.sweep import GibbsSweep


def mu_sorted_alone(
    correct: GibbsSweep,
    n_k: Array,
    sum_y: Array,
    sigma: Array,
    priors: Priors,
    rng: np.random.Generator,
) -> Array:
    """Sort the means before the rest is drawn."""
    return np.sort(correct.draw_means(n_k, sum_y, sigma, priors, rng))


def weights_left_unsorted(_: GibbsSweep, new: Params, rng: np.random.Generator) -> Params:
    """Sort means and standard deviations, but not weights."""
    order = np.argsort(new.mu)
    return Params(new.w, new.mu[order], new.sigma[order])


def sorted_each_sweep(_: GibbsSweep, new: Params, rng: np.random.Generator) -> Params:
    """Sort all three while sampling, not afterwards."""
    return new.ordered_by_mean()


def permuted_at_random(_: GibbsSweep, new: Params, rng: np.random.Generator) -> Params:
    """Permute the labels after one sweep in four, which is correct under exchangeable priors."""
    return new.permuted(rng.permutation(new.w.size)) if rng.random() < 0.25 else new

"""Exercise 2: draw the means given the allocations and the standard deviations."""

import numpy as np


def draw_means(n_k, sum_y, sigma, priors, rng):
    """Return mu, shape (K,): one draw from its distribution given all else."""
    return np.asarray(sum_y) / np.maximum(n_k, 1)  # this is not a draw: replace it

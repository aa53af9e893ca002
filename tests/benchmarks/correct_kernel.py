"""A correct sweep in NumPy, as a careful user writes it, to be validated."""

from __future__ import annotations

import numpy as np


def sweep(w, mu, sigma, y, priors, rng):  # type: ignore[no-untyped-def]
    """Draw allocations, weights, means and standard deviations in turn."""
    K = len(w)
    p = priors.expanded(K)
    log_p = np.log(w) - np.log(sigma) - 0.5 * ((y[:, None] - mu) / sigma) ** 2
    prob = np.exp(log_p - log_p.max(axis=1, keepdims=True))
    prob /= prob.sum(axis=1, keepdims=True)
    z = (rng.random(len(y))[:, None] > np.cumsum(prob, axis=1)[:, :-1]).sum(axis=1)
    n = np.bincount(z, minlength=K)
    w = rng.dirichlet(p.weight_concentration + n)
    precision = 1 / p.mean_sd**2 + n / sigma**2
    mean = (p.mean_loc / p.mean_sd**2 + np.bincount(z, y, K) / sigma**2) / precision
    mu = rng.normal(mean, precision**-0.5)
    squares = np.bincount(z, (y - mu[z]) ** 2, K)
    sigma = np.sqrt((p.var_scale + squares / 2) / rng.gamma(p.var_shape + n / 2))
    return w, mu, sigma

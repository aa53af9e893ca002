"""Kernels that are correct, each for a model that is not the one tested."""

from __future__ import annotations

import numpy as np


def allocated(w, mu, sigma, y, rng):
    r = w * np.exp(-0.5 * ((y[:, None] - mu) / sigma) ** 2) / sigma
    r /= r.sum(axis=1, keepdims=True)
    return (rng.random((len(y), 1)) > r.cumsum(axis=1)[:, :-1]).sum(axis=1)


def statistics(z, y, mu):
    K = len(mu)
    return (
        np.bincount(z, minlength=K),
        np.bincount(z, y, K),
        np.bincount(z, (y - mu[z]) ** 2, K),
    )


def means(n, total, sigma, m0, s0, rng):
    v = 1 / (n / sigma**2 + 1 / s0**2)
    return rng.normal(v * (total / sigma**2 + m0 / s0**2), np.sqrt(v))


def parameters(z, w, mu, sigma, y, priors, rng, m0=None, scale=None):
    """Draw from the conditionals of this model, with another centre or scale of the prior."""
    n, total, _ = statistics(z, y, mu)
    w = rng.dirichlet(priors.weight_concentration + n)
    mu = means(n, total, sigma, priors.mean_loc if m0 is None else m0, priors.mean_sd, rng)
    squares = statistics(z, y, mu)[2]
    scale = priors.var_scale if scale is None else scale
    return w, mu, np.sqrt((scale + squares / 2) / rng.gamma(priors.var_shape + n / 2))


def conjugate(w, mu, sigma, y, priors, rng):
    """Draw mu given sigma ~ N(mean_loc, (mean_sd sigma)^2), then sigma given mu."""
    z = allocated(w, mu, sigma, y, rng)
    n, total, _ = statistics(z, y, mu)
    w = rng.dirichlet(priors.weight_concentration + n)
    mu = means(n, total, sigma, priors.mean_loc, priors.mean_sd * sigma, rng)
    squares = statistics(z, y, mu)[2] + ((mu - priors.mean_loc) / priors.mean_sd) ** 2
    shape = priors.var_shape + (n + 1) / 2
    return w, mu, np.sqrt((priors.var_scale + squares / 2) / rng.gamma(shape))


def one_variance(w, mu, sigma, y, priors, rng):
    z = allocated(w, mu, sigma, y, rng)
    n, total, _ = statistics(z, y, mu)
    w = rng.dirichlet(priors.weight_concentration + n)
    mu = means(n, total, sigma, priors.mean_loc, priors.mean_sd, rng)
    scale = np.mean(priors.var_scale) + statistics(z, y, mu)[2].sum() / 2
    common = np.sqrt(scale / rng.gamma(np.mean(priors.var_shape) + len(y) / 2))
    return w, mu, np.full(len(mu), common)


def known_sigmas(w, mu, sigma, y, priors, rng):
    sigma = np.full(len(w), 0.5)
    z = allocated(w, mu, sigma, y, rng)
    w, mu, _ = parameters(z, w, mu, sigma, y, priors, rng)
    return w, mu, sigma


def known_weights(w, mu, sigma, y, priors, rng):
    w = np.full(len(w), 1 / len(w))
    _, mu, sigma = parameters(allocated(w, mu, sigma, y, rng), w, mu, sigma, y, priors, rng)
    return w, mu, sigma


def sigma_stays(w, mu, sigma, y, priors, rng):
    w, mu, _ = parameters(allocated(w, mu, sigma, y, rng), w, mu, sigma, y, priors, rng)
    return w, mu, sigma


def scale_is_drawn(w, mu, sigma, y, priors, rng):
    """Richardson and Green (1997): var_scale has a gamma prior, and is drawn first."""
    shape = 2.0 + np.sum(priors.var_shape + np.zeros(len(w)))
    scale = rng.gamma(shape) / (2.0 / np.mean(priors.var_scale) + (1 / sigma**2).sum())
    z = allocated(w, mu, sigma, y, rng)
    return parameters(z, w, mu, sigma, y, priors, rng, scale=scale)


def centre_is_drawn(w, mu, sigma, y, priors, rng):
    """mean_loc has a normal prior about the given one, as wide as the means'; drawn first."""
    precision = 1 / (priors.mean_sd + np.zeros(len(w))) ** 2
    own = precision.mean()
    pulled = (own * np.mean(priors.mean_loc) + (precision * mu).sum()) / (own + precision.sum())
    m0 = rng.normal(pulled, 1 / np.sqrt(own + precision.sum()))
    z = allocated(w, mu, sigma, y, rng)
    return parameters(z, w, mu, sigma, y, priors, rng, m0=m0)


class KeepsAllocations:
    """Draw parameters given the z of the sweep before, then z, which the next sweep starts from."""

    def __init__(self):
        self.z = None

    def __call__(self, w, mu, sigma, y, priors, rng):
        if self.z is None or len(self.z) != len(y) or self.z.max() >= len(w):
            self.z = allocated(w, mu, sigma, y, rng)
        new = parameters(self.z, w, mu, sigma, y, priors, rng)
        self.z = allocated(*new, y, rng)
        return new

"""Kernels for two components alone, with a Beta weight, as the lecture's first sampler has it."""

from __future__ import annotations

from functools import partial

import numpy as np


def number(prior, k):
    return np.ravel(prior)[k if np.size(prior) > 1 else 0]


def beta_kernel(w, mu, sigma, y, priors, rng, *, fault="", numbers=False):
    assert len(w) == 2, "for two components"
    if numbers:
        for name in ("weight_concentration", "mean_loc", "mean_sd", "var_shape", "var_scale"):
            float(getattr(priors, name))
    c, m0, s0, a, b = (
        [number(getattr(priors, name), k) for k in (0, 1)]
        for name in ("weight_concentration", "mean_loc", "mean_sd", "var_shape", "var_scale")
    )
    first, second = (w[k] / sigma[k] * np.exp(-0.5 * ((y - mu[k]) / sigma[k]) ** 2) for k in (0, 1))
    z = (rng.random(len(y)) * (first + second) < second).astype(int)
    n = np.bincount(z, minlength=2)
    if fault == "concentrations swapped":
        c = c[::-1]
    share = rng.beta(c[1] + n[1], c[0] + n[0])
    mu, sigma = mu.copy(), sigma.copy()
    for k in (0, 1):
        own = y[z == k]
        precision = 1 / s0[k] if fault == "sd for variance" else 1 / s0[k] ** 2
        pull = m0[k] * precision
        if fault == "first prior for both":
            pull = m0[0] / s0[0] ** 2
        if fault == "prior mean left out":
            pull = 0.0
        v = 1 / (n[k] / sigma[k] ** 2 + precision)
        mu[k] = rng.normal(v * (own.sum() / sigma[k] ** 2 + pull), np.sqrt(v))
        squares = ((own - mu[k]) ** 2).sum() / (1 if fault == "squares not halved" else 2)
        shape = a[k] + (n[k] - (fault == "n minus one" and n[k] > 0)) / 2
        scale = 0 if fault == "scale left out" and n[k] > 0 else b[k]
        sigma[k] = np.sqrt((scale + squares) / rng.gamma(shape))
    return np.array([1 - share, share]), mu, sigma


FAULTS = (
    "concentrations swapped",
    "first prior for both",
    "prior mean left out",
    "sd for variance",
    "squares not halved",
    "n minus one",
    "scale left out",
)
SEEN_BY_VECTORS_ALONE = FAULTS[:2]


class Kernel:
    """The kernel with a fault; a class, so that it goes to other processes."""

    def __init__(self, fault="", numbers=False):
        self.name = f"Beta kernel, {fault or 'correct'}"
        self._sweep = partial(beta_kernel, fault=fault, numbers=numbers)

    def __call__(self, w, mu, sigma, y, priors, rng):
        return self._sweep(w, mu, sigma, y, priors, rng)


def permuting(w, mu, sigma, y, priors, rng):
    new = beta_kernel(w, mu, sigma, y, priors, rng)
    order = rng.permutation(2)
    return tuple(a[order] for a in new)


def sorting(w, mu, sigma, y, priors, rng):
    new = beta_kernel(w, mu, sigma, y, priors, rng)
    order = np.argsort(new[1])
    return tuple(a[order] for a in new)

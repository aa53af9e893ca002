"""A correct sweep with one step taken from a student, so that only that step is judged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gmmcompare.model.params import Array


def draw_weights(n_k: Array, priors: Any, rng: np.random.Generator) -> Array:
    """Draw w given the allocations.

    Parameters
    ----------
    n_k : ndarray, shape (K,)
        Count of the observations of each component.
    priors : Priors
    rng : Generator
    """
    return np.asarray(rng.dirichlet(priors.weight_concentration + n_k))


def draw_means(
    n_k: Array, sum_y: Array, sigma: Array, priors: Any, rng: np.random.Generator
) -> Array:
    """Draw mu given the standard deviations and the allocations.

    Parameters
    ----------
    n_k, sum_y : ndarray, shape (K,)
        Count and sum of the observations of each component.
    sigma : ndarray, shape (K,)
        Standard deviations.
    priors : Priors
    rng : Generator
    """
    precision = n_k / sigma**2 + 1.0 / priors.mean_sd**2
    total = sum_y / sigma**2 + priors.mean_loc / priors.mean_sd**2
    return np.asarray(rng.normal(total / precision, precision**-0.5))


def draw_sigmas(n_k: Array, sum_sq: Array, priors: Any, rng: np.random.Generator) -> Array:
    """Draw sigma given the means and the allocations.

    Parameters
    ----------
    n_k, sum_sq : ndarray, shape (K,)
        Count of the observations of each component, and sum of their squares about its mean.
    priors : Priors
    rng : Generator
    """
    scale = priors.var_scale + sum_sq / 2.0
    return np.asarray(np.sqrt(scale / rng.gamma(priors.var_shape + n_k / 2.0)))


def sweep_with(
    step: Callable[..., Any],
    name: str,
    w: Array,
    mu: Array,
    sigma: Array,
    y: Array,
    priors: Any,
    rng: np.random.Generator,
) -> tuple[Array, Array, Array]:
    """Make a correct sweep in which one step is another function.

    Parameters
    ----------
    step : callable
        A student's function.
    name : str
        The step that it takes the place of: "draw_weights", "draw_means" or "draw_sigmas".
    w, mu, sigma : ndarray, shape (K,)
        The state.
    y : ndarray, shape (N,)
    priors : Priors
    rng : Generator

    Returns
    -------
    tuple of ndarray, shape (K,)
        The next w, mu and sigma.
    """
    steps: dict[str, Callable[..., Any]] = {
        "draw_weights": draw_weights, "draw_means": draw_means, "draw_sigmas": draw_sigmas,
        name: step,
    }  # fmt: skip
    log_p = np.log(w) - np.log(sigma) - 0.5 * ((y[:, None] - mu) / sigma) ** 2
    p = np.exp(log_p - log_p.max(axis=1, keepdims=True))
    below = np.cumsum(p, axis=1)[:, :-1] / p.sum(axis=1, keepdims=True)
    z = (rng.random((y.size, 1)) > below).sum(axis=1)
    n_k = np.bincount(z, minlength=w.size)
    w = steps["draw_weights"](n_k, priors, rng)
    mu = steps["draw_means"](n_k, np.bincount(z, y, w.size), sigma, priors, rng)
    sum_sq = np.bincount(z, (y - mu[z]) ** 2, w.size)
    return w, mu, steps["draw_sigmas"](n_k, sum_sq, priors, rng)

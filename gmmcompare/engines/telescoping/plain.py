"""The telescoping sampler to read (Fruehwirth-Schnatter, Malsiner-Walli and Gruen 2021, section 3).

One sweep::

    z | w, mu, sigma        as in a mixture of known K; only the K+ occupied components are kept
    mu_k, sigma_k | z       for the occupied ones
    K | n_1, ..., n_K+      given the partition alone, w integrated out:
                            p(K) Gamma(K c) / Gamma(N + K c) K! / (K - K+)!
                                 prod_k Gamma(n_k + c) / Gamma(c)
    mu_k, sigma_k           of the K - K+ empty ones, from their prior
    w | K, n                ~ Dirichlet(c + n_1, ..., c + n_K+, c, ..., c)

c is the concentration of the weights given K. `compiled` makes the same draws from the same
uniforms.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import gammaln

from gmmcompare.engines.components import ComponentsProblem
from gmmcompare.engines.gibbs.plain import (
    Allocations,
    draw_allocations,
    draw_means,
    draw_sigmas,
    draw_weights,
)
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors


class Steps(NamedTuple):
    """The steps of a sweep after the allocations; a fault is the sampler with one replaced."""

    parameters: Callable[..., tuple[Array, Array]]
    number: Callable[..., int]
    fill: Callable[..., Params]


def sweep(
    point: Params,
    y: Array,
    problem: ComponentsProblem,
    u: Array,
    rng: np.random.Generator,
    steps: Steps | None = None,
) -> tuple[Params, int]:
    """Make one sweep.

    Parameters
    ----------
    point : Params
        Where the chain stands, arrays of shape (K,).
    y : ndarray, shape (N,)
    problem : ComponentsProblem
        Its sample plays no part.
    u : ndarray, shape (N,)
        Uniforms on [0, 1), one for each allocation.
    rng : numpy.random.Generator
        Of all the rest.
    steps : Steps, optional
        By default those below.

    Returns
    -------
    tuple of Params and int
        The new point, arrays of shape (new K,), and the number of occupied components.
    """
    step = steps or CORRECT
    z = draw_allocations(*point, y, u)
    z, sigma = occupied_first(z, point.sigma)
    n_k = np.bincount(z).astype(float)
    mu, sigma = step.parameters(z, sigma, y, problem.priors, rng)
    K = step.number(n_k, problem, rng.random())
    return step.fill(K, n_k, mu, sigma, problem, rng), n_k.size


def occupied_first(z: Allocations, sigma: Array) -> tuple[Allocations, Array]:
    """Drop the empty components and number the others 0..K+-1 in their old order.

    Parameters
    ----------
    z : ndarray of int, shape (N,)
    sigma : ndarray, shape (K,)

    Returns
    -------
    tuple of two ndarrays, shapes (N,) and (K+,)
    """
    occupied, numbered = np.unique(z, return_inverse=True)
    return numbered, sigma[occupied]


def draw_occupied(
    z: Allocations, sigma: Array, y: Array, priors: Priors, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Draw mu | sigma, z and then sigma | mu, z of components that all hold an observation.

    Parameters
    ----------
    z : ndarray of int, shape (N,)
        In 0..K+-1.
    sigma : ndarray, shape (K+,)
        Before the sweep.
    y : ndarray, shape (N,)
    priors : Priors
    rng : numpy.random.Generator

    Returns
    -------
    tuple of two ndarrays, shape (K+,)
        mu and sigma.
    """
    full = priors.expanded(sigma.size)
    n_k = np.bincount(z).astype(float)
    mu = draw_means(n_k, np.bincount(z, weights=y), sigma, full, rng)
    sum_sq = np.bincount(z, weights=(y - mu[z]) ** 2)
    return mu, draw_sigmas(n_k, sum_sq, full, rng)


def log_number_conditional(n_k: Array, problem: ComponentsProblem) -> Array:
    """Return log p(K | n_1, ..., n_K+) up to a constant for K = K+..max_K.

    Parameters
    ----------
    n_k : ndarray, shape (K+,)
        Number of observations of each occupied component.
    problem : ComponentsProblem

    Returns
    -------
    ndarray, shape (max_K - K+ + 1,)
    """
    K = np.arange(n_k.size, problem.max_K + 1)
    c = problem.concentrations[n_k.size - 1 :]
    log_p = problem.on_k.log_prob[n_k.size - 1 :] + gammaln(K * c) - gammaln(n_k.sum() + K * c)
    log_p = log_p + gammaln(K + 1.0) - gammaln(K - n_k.size + 1.0)
    return np.asarray(log_p + (gammaln(n_k[:, None] + c) - gammaln(c)).sum(axis=0))


def draw_number(n_k: Array, problem: ComponentsProblem, u: float) -> int:
    """Draw K given the sizes of the occupied components, by one uniform.

    Parameters
    ----------
    n_k : ndarray, shape (K+,)
    problem : ComponentsProblem
    u : float
        On [0, 1).

    Returns
    -------
    int
    """
    return number_from(log_number_conditional(n_k, problem), n_k.size, u)


def number_from(log_p: Array, first: int, u: float) -> int:
    """Return the number of components that a uniform chooses.

    Parameters
    ----------
    log_p : ndarray
        Log probabilities of ``first`` and more components, up to a constant.
    first : int
    u : float
        On [0, 1).
    """
    below = np.cumsum(np.exp(log_p - log_p.max()))
    return int(first + np.count_nonzero(u * below[-1] >= below[:-1]))


def fill_up(
    K: int,
    n_k: Array,
    mu: Array,
    sigma: Array,
    problem: ComponentsProblem,
    rng: np.random.Generator,
) -> Params:
    """Add K - K+ empty components from their prior, and draw the weights of all.

    Parameters
    ----------
    K : int
    n_k, mu, sigma : ndarray, shape (K+,)
        Of the occupied components.
    problem : ComponentsProblem
    rng : numpy.random.Generator

    Returns
    -------
    Params
        Arrays of shape (K,).
    """
    nothing = np.zeros(K - n_k.size)
    if nothing.size:
        full = problem.priors.expanded(nothing.size)
        mu = np.append(mu, draw_means(nothing, nothing, np.ones(nothing.size), full, rng))
        sigma = np.append(sigma, draw_sigmas(nothing, nothing, full, rng))
    n_k = np.append(n_k, nothing)
    return Params(draw_weights(n_k, problem.weights_given[K - 1], rng), mu, sigma)


CORRECT = Steps(draw_occupied, draw_number, fill_up)

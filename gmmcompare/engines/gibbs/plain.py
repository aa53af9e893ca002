"""The Gibbs sampler to read: NumPy, one formula a function, in the order of a lecture.

One sweep draws the allocations given the parameters and then the parameters given the allocations
(Diebolt and Robert 1994)::

    P(z_i = k | .)  proportional to  w_k Normal(y_i; mu_k, sigma_k)
    w      | z      ~ Dirichlet(c + n_k)
    mu_k   | .      ~ Normal with precision n_k / sigma_k^2 + 1 / s0^2
    sigma_k^2 | .   ~ InverseGamma(a + n_k / 2, b + sum_sq_k / 2)

with priors c, m0, s0, a, b and ``sum_sq`` the sum of squares about mu_k. Other priors replace a
step: see `gibbs.families`. `gibbs.engine` is the fast version; given the same uniforms it makes the
same draws.
"""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from gmmcompare.engines.base import (
    Configured,
    Draws,
    Problem,
    Seconds,
    Step,
    chain_streams,
    out_of_unit,
)
from gmmcompare.engines.gibbs.families import draw_conjugate, draw_shared_sd
from gmmcompare.engines.starts import start_point
from gmmcompare.model.card import GibbsSettings
from gmmcompare.model.conjugate import ConjugatePriors
from gmmcompare.model.mixture import responsibilities
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors, log_gamma_draws
from gmmcompare.model.restricted import RestrictedPriors

Allocations = NDArray[np.int64]


def sweep(
    w: Array, mu: Array, sigma: Array, y: Array, priors: Priors, rng: np.random.Generator
) -> Params:
    """Make one sweep: z | w, mu, sigma, then w | z, mu | sigma, z and sigma | mu, z.

    Parameters
    ----------
    w, mu, sigma : ndarray, shape (K,)
        Where the chain stands.
    y : ndarray, shape (N,)
    priors : Priors
    rng : numpy.random.Generator

    Returns
    -------
    Params
        The new (w, mu, sigma), each of shape (K,).
    """
    z = draw_allocations(w, mu, sigma, y, rng.random(y.size))
    return draw_parameters(z, sigma, y, priors, rng)


def draw_parameters(
    z: Allocations, sigma: Array, y: Array, priors: Priors, rng: np.random.Generator
) -> Params:
    """Draw w, mu and sigma in turn, given the allocations and the old sigma.

    Parameters
    ----------
    z : ndarray of int, shape (N,)
        Allocations in 0..K-1.
    sigma : ndarray, shape (K,)
        Before the sweep; only mu is drawn given it.
    y : ndarray, shape (N,)
    priors : Priors
    rng : numpy.random.Generator

    Returns
    -------
    Params
        The new (w, mu, sigma), each of shape (K,).
    """
    K = sigma.size
    priors = priors.expanded(K)
    n_k = np.bincount(z, minlength=K).astype(float)
    sum_y = np.bincount(z, weights=y, minlength=K)
    w = draw_weights(n_k, priors, rng)
    if isinstance(priors, ConjugatePriors):
        return Params(w, *draw_conjugate(z, y, priors, rng))
    mu = draw_means(n_k, sum_y, sigma, priors, rng)
    sum_sq = np.bincount(z, weights=(y - mu[z]) ** 2, minlength=K)
    return Params(w, mu, draw_sigmas(n_k, sum_sq, priors, rng))


def draw_allocations(w: Array, mu: Array, sigma: Array, y: Array, u: Array) -> Allocations:
    """Allocate each observation by one uniform: z_i is how many cumulated probabilities u_i passes.

    Parameters
    ----------
    w, mu, sigma : ndarray, shape (K,)
    y : ndarray, shape (N,)
    u : ndarray, shape (N,)
        Uniforms on [0, 1).

    Returns
    -------
    ndarray of int, shape (N,)
        In 0..K-1.
    """
    return allocated(responsibilities(y, Params(w, mu, sigma)), u)


def allocated(r: Array, u: Array) -> Allocations:
    """Return how many cumulated probabilities of each row its uniform passes.

    Parameters
    ----------
    r : ndarray, shape (N, K)
        Responsibilities; of the last component any value will do.
    u : ndarray, shape (N,)
        Uniforms on [0, 1).

    Returns
    -------
    ndarray of int, shape (N,)
        In 0..K-1.
    """
    return np.asarray((u[:, None] > np.cumsum(r, axis=1)[:, :-1]).sum(axis=1))


def weights_conditional(n_k: Array, priors: Priors) -> Array:
    """Return the concentration of w | z, a Dirichlet, shape (K,)."""
    return np.asarray(priors.weight_concentration) + n_k


def means_conditional(
    n_k: Array, sum_y: Array, sigma: Array, priors: Priors
) -> tuple[Array, Array]:
    """Return location and sd of mu_k | sigma_k, z, a normal distribution.

    Written with the share of the prior, ``sigma^2 / (sigma^2 + n_k s0^2)``, which is 1 for an empty
    component; its root is 1 over a hypotenuse, which no sigma makes overflow, not even inf.

    Parameters
    ----------
    n_k, sum_y : ndarray, shape (K,)
        Number and sum of each component's observations.
    sigma : ndarray, shape (K,)
    priors : Priors
        Expanded to K components.

    Returns
    -------
    tuple of two ndarrays, shape (K,)
    """
    m0, s0 = np.asarray(priors.mean_loc), np.asarray(priors.mean_sd)
    occupied = n_k > 0
    ybar = np.divide(sum_y, n_k, out=m0.copy(), where=occupied)
    root_share = 1.0 / np.hypot(1.0, np.sqrt(n_k) * s0 / sigma)
    return ybar + (m0 - ybar) * root_share**2, s0 * root_share


def variances_conditional(n_k: Array, sum_sq: Array, priors: Priors) -> tuple[Array, Array]:
    """Return shape and scale of sigma_k^2 | mu_k, z, an inverse gamma distribution.

    Parameters
    ----------
    n_k : ndarray, shape (K,)
    sum_sq : ndarray, shape (K,)
        Sum of squares of each component's observations about mu_k.
    priors : Priors

    Returns
    -------
    tuple of two ndarrays, shape (K,)
    """
    return np.asarray(priors.var_shape) + n_k / 2, np.asarray(priors.var_scale) + sum_sq / 2


def draw_weights(n_k: Array, priors: Priors, rng: np.random.Generator) -> Array:
    """Draw w | z: gamma variates divided by their sum, on the log scale.

    Parameters
    ----------
    n_k : ndarray, shape (K,)
        Number of each component's observations.
    priors : Priors
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (K,)
    """
    if isinstance(priors, RestrictedPriors) and priors.weights is not None:
        return np.array(priors.weights)
    log_g = log_gamma_draws(rng, weights_conditional(n_k, priors))
    w = np.exp(log_g - log_g.max())
    return np.asarray(w / w.sum())


def draw_means(
    n_k: Array, sum_y: Array, sigma: Array, priors: Priors, rng: np.random.Generator
) -> Array:
    """Draw mu_k | sigma_k, z.

    Parameters
    ----------
    n_k, sum_y : ndarray, shape (K,)
        Number and sum of each component's observations.
    sigma : ndarray, shape (K,)
    priors : Priors
        Expanded to K components.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (K,)
    """
    loc, sd = means_conditional(n_k, sum_y, sigma, priors)
    return loc + sd * rng.standard_normal(loc.size)


def draw_sigmas(n_k: Array, sum_sq: Array, priors: Priors, rng: np.random.Generator) -> Array:
    """Draw sigma_k | mu_k, z: the scale over a gamma variate is an inverse-gamma variance.

    Parameters
    ----------
    n_k : ndarray, shape (K,)
    sum_sq : ndarray, shape (K,)
        Sum of squares of each component's observations about mu_k.
    priors : Priors
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (K,)
        Standard deviations, perhaps infinite where a component is empty.
    """
    if isinstance(priors, RestrictedPriors):
        if priors.sds is not None:
            return np.array(priors.sds)
        if priors.shared_sd:
            return draw_shared_sd(n_k, sum_sq, priors, rng)
    shape, scale = variances_conditional(n_k, sum_sq, priors)
    log_variance = np.log(scale) - log_gamma_draws(rng, shape)
    with np.errstate(over="ignore"):  # under a nearly improper prior sigma may be infinite
        return np.exp(0.5 * log_variance)


class PlainGibbsEngine(Configured[GibbsSettings]):
    """The readable sampler as an engine; slow, for teaching and for holding `gibbs` to it."""

    name = "gibbs_plain"

    def run(self, problem: Problem, seed: int, progress: Step) -> Draws:
        """Run the chains one after the other.

        Parameters
        ----------
        problem : Problem
            Its ``starts`` play no part.
        seed : int
        progress : callable
            Called with the fraction done every hundred sweeps.

        Returns
        -------
        Draws
            ``stats`` has the counts ``n_k``.
        """
        from gmmcompare.engines.gibbs import measured  # which builds on this module

        started = time.perf_counter()
        settings, K = self._settings, problem.K
        unit_problem, unit = problem.standardised()
        y, priors = unit_problem.sample.y, unit_problem.priors
        errors = unit_problem.sample.y_errors
        shape = (settings.chains, settings.draws, K)
        out = Params(*(np.empty(shape) for _ in Params._fields))
        n_k = np.empty(shape)
        sweeps = settings.warmup + settings.draws
        for chain, streams in enumerate(chain_streams(seed, settings.chains)):
            point = start_point(settings.start, unit_problem, streams.parameters, unit.scale)
            for i in range(-settings.warmup, settings.draws):
                u = streams.allocations.random(y.size)
                if errors is None:
                    z, x = draw_allocations(*point, y, u), y
                else:
                    z = measured.draw_allocations(*point, y, errors, u)
                    noise = streams.true_values.standard_normal(y.size)
                    x = measured.draw_true_values(z, point.mu, point.sigma, y, errors, noise)
                point = draw_parameters(z, point.sigma, x, priors, streams.parameters)
                if i >= 0:
                    for array, value in zip(out, point, strict=True):
                        array[chain, i] = value
                    n_k[chain, i] = np.bincount(z, minlength=K)
                done = chain * sweeps + settings.warmup + i + 1
                if done % 100 == 0 or i == settings.draws - 1:
                    progress(done / (sweeps * settings.chains))
        seconds = Seconds(0.0, time.perf_counter() - started)
        return Draws(problem.priors.kept(out_of_unit(out, unit)), seconds, {"n_k": n_k})

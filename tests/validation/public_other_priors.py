"""Public samplers with one shared variance, or with hyperpriors; see `public_kernels`."""

from __future__ import annotations

import numpy as np
from public_common import (
    Public,
    allocate,
    inverse_gamma,
    members,
    numbers,
    semiconjugate,
    squares,
)

# --- one variance for all components --------------------------------------------------------------


def mixture_models_galaxies(w, mu, sigma, y, priors, rng):
    K = len(w)
    c, m, s, a, b = numbers(priors)
    shared = sigma[0]
    z = allocate(w, mu, shared, y, rng)
    n, total = members(z, y, K)
    w = rng.dirichlet(c + n)
    mu = semiconjugate(rng, n, total, shared**2, m, s)
    variance = inverse_gamma(rng, a + len(y) / 2, b + np.sum((y - mu[z]) ** 2) / 2)
    return w, mu, np.full(K, np.sqrt(variance))


def bgmm_isotropic(w, mu, sigma, y, priors, rng):
    K = len(w)
    c, m, s, a, b = numbers(priors)
    shared = sigma[0]
    z = allocate(w, mu, shared, y, rng)
    n, total = members(z, y, K)
    between = inverse_gamma(rng, a + K / 2, a * s**2 + np.sum((mu - m) ** 2) / 2)
    mu = semiconjugate(rng, n, total, shared**2, m, np.sqrt(between))
    variance = inverse_gamma(rng, a + len(y) / 2, b + np.sum((y - mu[z]) ** 2) / 2)
    return rng.dirichlet(c + n), mu, np.full(K, np.sqrt(variance))


# --- hyperpriors ----------------------------------------------------------------------------------


def bgmm_hierarchical(w, mu, sigma, y, priors, rng):
    K = len(w)
    c, m, s, a, b = numbers(priors)
    z = allocate(w, mu, sigma, y, rng)
    n, total = members(z, y, K)
    between = inverse_gamma(rng, a + K / 2, a * s**2 + np.sum((mu - m) ** 2) / 2)
    mu = semiconjugate(rng, n, total, sigma**2, m, np.sqrt(between))
    variance = inverse_gamma(rng, a + n / 2, b + squares(z, y, mu) / 2)
    return rng.dirichlet(c + n), mu, np.sqrt(variance)


def finite_gaussian_mixture_jl(w, mu, sigma, y, priors, rng):
    K = len(w)
    c, m, s, a, b = numbers(priors)
    z = allocate(w, mu, sigma, y, rng)
    rate = rng.gamma(0.5 + K * a, 1 / (0.5 / b + np.sum(sigma**-2)))
    n, total = members(z, y, K)
    w = rng.dirichlet(c + n)
    mu = semiconjugate(rng, n, total, sigma**2, m, s)
    return w, mu, np.sqrt(inverse_gamma(rng, a + n / 2, rate + squares(z, y, mu) / 2))


def bayes_multi_mode(w, mu, sigma, y, priors, rng):
    K = len(w)
    c, m, s, a, b = numbers(priors)
    rate = rng.gamma(0.5 + K * a, 1 / (0.5 / b + np.sum(sigma**-2)))
    z = allocate(w, mu, sigma, y, rng)
    n, total = members(z, y, K)
    w = rng.dirichlet(c + n)
    variance = inverse_gamma(rng, a + n / 2, rate + squares(z, y, mu) / 2)
    return w, semiconjugate(rng, n, total, variance, m, s), np.sqrt(variance)


def bayes_multi_mode_early(w, mu, sigma, y, priors, rng):
    K = len(w)
    c, m, s, a, b = numbers(priors)
    rate = rng.gamma(0.5 + K * a, 1 / (0.5 / b + np.sum(sigma**-2)))
    z = allocate(w, mu, sigma, y, rng)
    n, total = members(z, y, K)
    w = rng.dirichlet(c + n)
    variance = inverse_gamma(rng, a + n / 2, rate + squares(z, y, mu) / 2)
    v = 1 / (1 / s**2 + n / variance)
    return w, rng.normal(v * (m / s**2 + total / variance), v), np.sqrt(variance)


def univariate_blocked_step(w, mu, sigma, y, priors, rng):
    K = len(w)
    _, theta, s, a, b = numbers(priors)
    v = 1 / (K / s**2 + 1 / s**2)
    centre = rng.normal(v * (theta / s**2 + mu.sum() / s**2), np.sqrt(v))
    z = allocate(w, mu, sigma, y, rng)
    n, total = members(z, y, K)
    mu = semiconjugate(rng, n, total, sigma**2, centre, s)
    variance = rng.gamma(a + n / 2, 1 / (b + squares(z, y, mu) / 2))
    return w, mu, np.sqrt(variance)


OTHER_ROWS = (
    Public(
        mixture_models_galaxies,
        "SZJShuffle/BayesianMixtureModels, chr5 .../estimate_number_of_components_...R",
        "another model: one variance shared by all components",
        "shape a + N / 2 and all squares; mu and w as ours",
    ),
    Public(
        bgmm_isotropic,
        "choderalab bgmm after Grosse and Duvenaud, the isotropic version",
        "another model: one shared variance, and an inverse gamma prior of mu's variance",
        "each conditional is that of the joint density in the file; sigma_sq_mu depends on mu "
        "alone, so it may be drawn just before it is used",
    ),
    Public(
        bgmm_hierarchical,
        "choderalab bgmm, Sampler with prior other than 'Jeff'",
        "another model: an inverse gamma prior of mu's variance",
        "as the isotropic one, with a variance for each component",
    ),
    Public(
        finite_gaussian_mixture_jl,
        "oskarhs/BayesDensity.jl, FiniteGaussianMixture/mcmc.jl",
        "another model: a gamma prior of var_scale (Richardson and Green 1997)",
        "beta has shape g + K a and rate h + sum of precisions; the others are ours given beta",
    ),
    Public(
        bayes_multi_mode,
        "R package BayesMultiMode, gibbs_SFM_normal",
        "another model: a gamma prior of var_scale",
        "conditionals as above; the update of the Dirichlet parameter is left out here",
    ),
    Public(
        bayes_multi_mode_early,
        "R package BayesMultiMode, gibbs_SFM_normal, an early version",
        "wrong: mu's conditional variance is given to rnorm as the sd",
        "rnorm(1, b, B), later rnorm(1, b, sqrt(B))",
    ),
    Public(
        univariate_blocked_step,
        "Python, class UnivariateGibbsSampler(BlockedStep) for PyMC",
        "wrong: the gamma draw is the variance, not its inverse",
        "np.random.gamma(alpha, 1 / beta) draws a precision; weights are known, mu has a "
        "normal hyperprior",
    ),
)

"""Public samplers whose prior is conjugate; see `public_kernels`.

That is mu ~ Normal(m, sigma**2 / strength); where the original names a strength, ours is
1 / mean_sd**2, and where it is 1 in the formulas it is 1 here.
"""

from __future__ import annotations

import numpy as np
from public_common import (
    Public,
    about_average,
    allocate,
    averages,
    choose,
    conjugate,
    density,
    inverse_gamma,
    members,
    numbers,
    squares,
    vectors,
)


def _conjugate_sweep(w, mu, sigma, y, priors, rng):
    c, m, s, a, b = vectors(priors, len(w))
    z = allocate(w, mu, sigma, y, rng)
    w = rng.dirichlet(c + np.bincount(z, minlength=len(w)))
    mu, variance = conjugate(rng, z, y, 1 / s**2, m, a, b)
    return w, mu, np.sqrt(variance)


def gs_bayesian_gmm(w, mu, sigma, y, priors, rng):
    c, m, s, a, b = vectors(priors, len(w))
    z = allocate(w, mu, sigma, y, rng)
    mu, variance = conjugate(rng, z, y, 1 / s**2, m, a, b)
    return rng.dirichlet(c + np.bincount(z, minlength=len(w))), mu, np.sqrt(variance)


def mixgibbs_matlab(w, mu, sigma, y, priors, rng):
    return _conjugate_sweep(w, mu, sigma, y, priors, rng)


def unorm_gibbs(w, mu, sigma, y, priors, rng):
    numbers(priors)
    return _conjugate_sweep(w, mu, sigma, y, priors, rng)


def gmm1d_gibbs(w, mu, sigma, y, priors, rng):
    float(priors.mean_loc), float(priors.mean_sd)
    return _conjugate_sweep(w, mu, sigma, y, priors, rng)


def gmm_gibbs_sampling(w, mu, sigma, y, priors, rng):
    c, m, s, a, b = vectors(priors, len(w))
    p = w * density(y, mu, np.sqrt(sigma**2 + 1e-8))
    z = choose(p / p.max(axis=1, keepdims=True) + 1e-8, rng)
    w = rng.dirichlet(c + np.bincount(z, minlength=len(w)))
    mu, variance = conjugate(rng, z, y, 1 / s**2, m, a, b)
    return w, mu, np.sqrt(variance)


def bacon_components(w, mu, sigma, y, priors, rng):
    K = len(w)
    c, m, s, a, b = vectors(priors, K)
    strength = 1 / s**2
    z = allocate(w, mu, sigma, y, rng)
    n, total = members(z, y, K)
    mu = rng.normal((m * strength + total) / (n + strength), sigma / np.sqrt(n + strength))
    scale = b + strength * (mu - m) ** 2 / 2 + squares(z, y, mu) / 2
    variance = inverse_gamma(rng, a + (n + 1) / 2, scale)
    return rng.dirichlet(n + c), mu, np.sqrt(variance)


def gibbs_theta(w, mu, sigma, y, priors, rng):
    K = len(w)
    c, m, s, a, b = numbers(priors)
    strength = s**-2
    z = allocate(w, mu, sigma, y, rng)
    n, total = members(z, y, K)
    w = rng.dirichlet(c + n)
    mu = rng.normal((total + m * strength) / (n + strength), sigma / np.sqrt(n + strength))
    scale = b + squares(z, y, mu) / 2 + strength * (mu - m) ** 2 / 2
    return w, mu, np.sqrt(inverse_gamma(rng, a + n / 2 + 0.5, scale))


def gaussian_mixture_ccp(w, mu, sigma, y, priors, rng):
    K = len(w)
    c, m, s, a, b = vectors(priors, K)
    strength = 1 / s**2
    z = allocate(w, mu, sigma, y, rng)
    n, total = members(z, y, K)
    w = rng.dirichlet(c + n)
    scale = b + (squares(z, y, mu) + strength * (mu - m) ** 2) / 2
    variance = inverse_gamma(rng, a + (n + 1) / 2, scale)
    mu = rng.normal((m * strength + total) / (strength + n), np.sqrt(variance / (strength + n)))
    order = np.argsort(mu)
    return w[order], mu[order], np.sqrt(variance[order])


def bayess_gibbsnorm(w, mu, sigma, y, priors, rng):
    K = len(w)
    c, m, _, a, b = vectors(priors, K)
    z = allocate(w, mu, sigma, y, rng)
    n, total = members(z, y, K)
    mu = rng.normal((m + total) / (n + 1), sigma / np.sqrt(n + 1))
    away = n / (n + 1) * (m - averages(z, y, K)) ** 2
    variance = inverse_gamma(rng, a + n / 2, b + (about_average(z, y, K) + away) / 2)
    return rng.dirichlet(n + c), mu, np.sqrt(variance)


def bayess_gibbs(w, mu, sigma, y, priors, rng):
    K = len(w)
    c, m, _, a, b = vectors(priors, K)
    z = allocate(w, mu, sigma, y, rng)
    n, total = members(z, y, K)
    mu = rng.normal((m + total) / (1 + n), sigma / np.sqrt(1 + n))
    variance = inverse_gamma(rng, a + n / 2, b + (mu - m) ** 2 / 2 + squares(z, y, mu) / 2)
    return rng.dirichlet(n + c), mu, np.sqrt(variance)


def mcmc_tfg(w, mu, sigma, y, priors, rng):
    K = len(w)
    c, m, _, a, b = vectors(priors, K)
    z = allocate(w, mu, sigma, y, rng)
    n, total = members(z, y, K)
    ratio = np.divide(sigma**2, n, out=np.full(K, np.nan), where=n > 0)
    mu = rng.normal((m + total) / (n + 1), np.sqrt(ratio + 1))
    away = n / (n + 1) * (m - averages(z, y, K)) ** 2
    variance = inverse_gamma(rng, a + n / 2, b + (about_average(z, y, K) + away) / 2)
    return rng.dirichlet(n + c), mu, np.sqrt(variance)


def mombf_in_r(w, mu, sigma, y, priors, rng):
    K = len(w)
    c, m, s, a, b = vectors(priors, K)
    strength = 1 / s**2
    z = allocate(w, mu, sigma, y, rng)
    n, total = members(z, y, K)
    w = rng.dirichlet(c + n)
    variance = inverse_gamma(rng, a + n / 2, b + about_average(z, y, K) / 2)
    mu = rng.normal((total + strength * m) / (n + strength), np.sqrt(variance / (n + strength)))
    return w, mu, np.sqrt(variance)


def normal_wishart_module(w, mu, sigma, y, priors, rng):
    K = len(w)
    c, m, s, a, b = vectors(priors, K)
    strength = 1 / s**2
    z = allocate(w, mu, sigma, y, rng)
    n, total = members(z, y, K)
    w = rng.dirichlet(c + n)
    mu = rng.normal((total + strength * m) / (n + strength), sigma / np.sqrt(n + strength))
    variance = inverse_gamma(rng, a + n / 2, b + squares(z, y, mu) / 2)
    return w, mu, np.sqrt(variance)


def blog_k_components(w, mu, sigma, y, priors, rng):
    K = len(w)
    c, m, _, a, b = vectors(priors, K)
    z = allocate(w, mu, sigma, y, rng)
    n, total = members(z, y, K)
    w = rng.dirichlet(c + n)
    mu = rng.normal((total + m) / (n + 1), sigma / np.sqrt(n + 1))
    kept = y != 0
    scale = b + squares(z[kept], y[kept], mu) / 2
    return w, mu, np.sqrt(inverse_gamma(rng, a + n / 2, scale))


CONJUGATE = "another model: conjugate, mu given sigma is Normal(m, sigma**2 / strength)"
_CONJUGATE_PAIR = "sigma**2 with mu integrated out, then mu given sigma**2: exact given z"

CONJUGATE_ROWS = (
    Public(
        gs_bayesian_gmm,
        "Python, class GSBayesianGMM with class NormalGamma",
        CONJUGATE,
        _CONJUGATE_PAIR,
    ),
    Public(
        mixgibbs_matlab,
        "mcohen05007/mixgibbs, rmixGibbs.m",
        CONJUGATE,
        _CONJUGATE_PAIR,
    ),
    Public(
        unorm_gibbs,
        "R package foldcluster, unorm_gibbs",
        CONJUGATE,
        _CONJUGATE_PAIR + "; rinvwishart(r, C) is inverse gamma (r / 2, C / 2)",
    ),
    Public(
        gmm1d_gibbs,
        "andreaskapou/Mixture-Models, Gibbs-Sampling/gmm1D-gibbs.R",
        CONJUGATE,
        _CONJUGATE_PAIR + "; relabelling is an option, off by default",
    ),
    Public(
        gmm_gibbs_sampling,
        "Python, class GMM_GibbsSampling with posterior_NIW",
        CONJUGATE,
        _CONJUGATE_PAIR + "; 1e-8 is added to variances and probabilities",
    ),
    Public(
        bacon_components,
        "R, gibbssampler by mvaniterson, first version, three components",
        CONJUGATE,
        "sigma given mu has shape a + (n + 1) / 2 and the prior's square: both are there",
    ),
    Public(
        gibbs_theta,
        "R, gibbs_theta with sample_z, sample_w, sample_mu, sample_sigma2",
        CONJUGATE,
        "as above: alpha + n / 2 + 1 / 2 and kappa (mu - m)**2 / 2",
    ),
    Public(
        gaussian_mixture_ccp,
        "R, Gibbs.gaussian.mixture.CCP after Daniel Walsh (Massey)",
        "another model: conjugate, with labels sorted by mu in every sweep",
        "both conditionals have the other's term; order(mu) is applied to all parameters",
    ),
    Public(
        bayess_gibbsnorm,
        "TypeFox/R-Examples, bayess/R/gibbsnorm.R (R package bayess)",
        "wrong: mu is drawn given the last sigma, then sigma with mu integrated out",
        "given z they come out independent, but mu's spread must follow the new sigma; 0 / 0 "
        "where a component is empty",
    ),
    Public(
        bayess_gibbs,
        "TypeFox/R-Examples, bayess/R/gibbs.R (R package bayess)",
        "wrong: under its conjugate prior the shape of sigma given mu lacks one half",
        "10 + n / 2, while its own marginal likelihood uses 10 + n / 2 + 1 / 2",
    ),
    Public(
        mcmc_tfg,
        "hawk31/MCMC_tfg, code/cap5/gs.R",
        "wrong: sqrt(sigma**2 / n + 1) for sqrt(sigma**2 / (n + 1)) in mu's conditional",
        "a parenthesis of gibbsnorm was lost; the mistake of gibbsnorm is there too",
    ),
    Public(
        mombf_in_r,
        "R, rmuSigmaNormGibbs of a package for Normal mixtures (mombf)",
        "wrong: the distance of a component's mean from m is left out of sigma's scale",
        "n / (1 + n g) (xbar - m)**2 is missing; its later C code has it",
    ),
    Public(
        normal_wishart_module,
        "jundsp/gibbs, gibbs/modules/gmm.py and parameters.py, hyper_sample=False",
        "wrong: mu's prior depends on sigma, but sigma's conditional leaves it out",
        "_sample_cov_full adds no term; _sample_cov_diag, not the default, does",
    ),
    Public(
        blog_k_components,
        "blazickjp/Research, docs/_posts/2020-10-17-k-dimension-gibbs.md",
        "wrong: mu's prior depends on sigma, but sigma's conditional leaves it out",
        "Normal(sum / (n + 1), sigma**2 / (n + 1)) comes from mu ~ Normal(0, sigma**2)",
    ),
)

"""Public samplers written for two components, most with a Beta weight; see `public_kernels`."""

from __future__ import annotations

import numpy as np
from public_common import (
    EMPTY,
    Public,
    allocate,
    averages,
    density,
    inverse_gamma,
    members,
    semiconjugate,
    squares,
    vectors,
)

_SCALARS = ("mean_loc", "mean_sd", "var_shape", "var_scale")


def _weight(n, c, rng):
    first = rng.beta(c[0] + n[0], c[1] + n[1])
    return np.array([first, 1 - first])


def _two(w):
    if len(w) != 2:
        raise ValueError("this sampler is for two components")


def mixture_models_two(w, mu, sigma, y, priors, rng):
    _two(w)
    c, m, s, a, b = vectors(priors, 2)
    z = allocate(w, mu, sigma, y, rng)
    w = _weight(np.bincount(z, minlength=2), c, rng)
    for k in range(2):
        own = y[z == k]
        v = 1 / (len(own) / sigma[k] ** 2 + 1 / s[k] ** 2)
        mu[k] = rng.normal(v * (own.sum() / sigma[k] ** 2 + m[k] / s[k] ** 2), np.sqrt(v))
        scale = b[k] + np.sum((own - mu[k]) ** 2) / 2
        sigma[k] = np.sqrt(scale / rng.standard_gamma(a[k] + len(own) / 2))
    return w, mu, sigma


def mixture_models_location(w, mu, sigma, y, priors, rng):
    _two(w)
    c = vectors(priors, 2)[0]
    m, s, a, b = (float(getattr(priors, name)) for name in _SCALARS)
    shared = sigma[0]
    z = allocate(w, mu, shared, y, rng)
    n, total = members(z, y, 2)
    w = _weight(n, c, rng)
    mu = semiconjugate(rng, n, total, shared**2, m, s)
    variance = inverse_gamma(rng, a + len(y) / 2, b + np.sum((y - mu[z]) ** 2) / 2)
    return w, mu, np.full(2, np.sqrt(variance))


def glucose_stat622(w, mu, sigma, y, priors, rng):
    _two(w)
    c = vectors(priors, 2)[0]
    m, s, a, b = (float(getattr(priors, name)) for name in _SCALARS)
    z = allocate(w, mu, sigma, y, rng)
    n, ybar = np.bincount(z, minlength=2), averages(z, y, 2)
    v = 1 / (1 / s**2 + n / sigma**2)
    mu = rng.normal(v * (m / s**2 + n * ybar / sigma**2), np.sqrt(v))
    spread = np.array([np.var(y[z == k], ddof=1) if n[k] > 1 else np.nan for k in range(2)])
    scatter = 2 * b + (n - 1) * spread + n * (ybar - mu) ** 2
    variance = inverse_gamma(rng, (2 * a + n) / 2, scatter / 2)
    return _weight(n, c, rng), mu, np.sqrt(variance)


def glucose_djoint(w, mu, sigma, y, priors, rng):
    _two(w)
    c = vectors(priors, 2)[0]
    m, s, a, b = (float(getattr(priors, name)) for name in _SCALARS)
    z = allocate(w, mu, sigma, y, rng)
    n, total = members(z, y, 2)
    w = _weight(n, c, rng)
    mu = semiconjugate(rng, n, total, sigma**2, m, s)
    ybar = averages(z, y, 2)
    scatter = 2 * b + squares(z, y, ybar) + n * (ybar - mu) ** 2
    return w, mu, np.sqrt(inverse_gamma(rng, (2 * a + n) / 2, scatter / 2))


def glucose_crossed(w, mu, sigma, y, priors, rng):
    _two(w)
    c = vectors(priors, 2)[0]
    m, s, a, b = (float(getattr(priors, name)) for name in _SCALARS)
    first = w[0] * density(y, mu[0], sigma[0])[:, 0]
    second = w[1] * density(y, mu[1], sigma[1])[:, 0]
    z = (rng.random(len(y)) < first / (first + second)).astype(int)
    n, total = members(z, y, 2)
    w = _weight(n, c, rng)
    mu = semiconjugate(rng, n, total, sigma**2, m, s)
    return w, mu, np.sqrt(inverse_gamma(rng, a + n / 2, b + squares(z, y, mu) / 2))


def coursework_shared(w, mu, sigma, y, priors, rng):
    _two(w)
    c = vectors(priors, 2)[0]
    m, s, a, b = (float(getattr(priors, name)) for name in _SCALARS)
    z = allocate(w, mu, sigma[0], y, rng)
    n = np.bincount(z, minlength=2)
    w = _weight(n, c, rng)
    variance = inverse_gamma(rng, a + len(y) / 2, b + np.sum((y - mu[z]) ** 2) / 2)
    below = s**2 * n + variance
    centre = (n * averages(z, y, 2) * s**2 + m * variance) / below
    mu = rng.normal(centre, s**2 * variance / below)
    return w, mu, np.full(2, np.sqrt(variance))


def bacon_two(w, mu, sigma, y, priors, rng):
    _two(w)
    c, m, s, a, b = vectors(priors, 2)
    strength = 1 / s**2
    z = allocate(w, mu, sigma, y, rng)
    n, total = members(z, y, 2)
    mu = rng.normal((m * strength + total) / (n + strength), sigma / np.sqrt(n + strength))
    scale = b + strength * (mu - m) ** 2 / 2 + squares(z, y, mu) / 2
    variance = inverse_gamma(rng, a + (n + 1) / 2, scale)
    twice = rng.beta(c[0] + n[0], c[1] + n[1], size=2)
    return np.array([twice[0], 1 - twice[1]]), mu, np.sqrt(variance)


def blog_two_components(w, mu, sigma, y, priors, rng):
    _two(w)
    c, m, _, a, b = vectors(priors, 2)
    z = allocate(np.array([w[0], w[0]]), mu, sigma, y, rng)
    n, total = members(z, y, 2)
    w = _weight(n, c, rng)
    mu = rng.normal((total + m) / (n + 1), sigma / np.sqrt(n + 1))
    return w, mu, np.sqrt(inverse_gamma(rng, a + n / 2, b + squares(z, y, mu) / 2))


def mixed_gaussians_r(w, mu, sigma, y, priors, rng):
    _two(w)
    z = allocate(w, mu, sigma, y, rng)
    n = np.bincount(z, minlength=2)
    mu = rng.normal(averages(z, y, 2), sigma / np.maximum(n, 1))
    variance = inverse_gamma(rng, n / 2, squares(z, y, mu) / 2)
    return rng.dirichlet([1 + n[0], 2 + n[1]]), mu, np.sqrt(variance)


def heights_script(w, mu, sigma, y, priors, rng):
    _two(w)
    c = vectors(priors, 2)[0]
    m, s = float(priors.mean_loc), float(priors.mean_sd)
    z = allocate(np.array([w[0], w[0]]), mu, sigma, y, rng)
    n, total = members(z, y, 2)
    w = _weight(n, c, rng)
    return w, semiconjugate(rng, n, total, sigma**2, m, s), sigma


def bayess_gibbsmean(w, mu, sigma, y, priors, rng):
    _two(w)
    _, m, s, _, _ = vectors(priors, 2)
    n, total = members(allocate(w, mu, 1.0, y, rng), y, 2)
    return w, semiconjugate(rng, n, total, 1.0, m, s), np.ones(2)


def bayess_hmmeantemp(w, mu, sigma, y, priors, rng):
    _two(w)
    _, m, s, _, _ = vectors(priors, 2)

    def log_posterior(mean):
        fit = np.sum(np.log(np.sum(w * density(y, mean, 1.0), axis=1)))
        return fit - np.sum((mean - m) ** 2 / (2 * s**2))

    proposed = rng.normal(mu, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        accepted = np.log(rng.random()) <= log_posterior(proposed) - log_posterior(mu)
    return w, proposed if accepted else mu, np.ones(2)


def openturns_example(w, mu, sigma, y, priors, rng):
    _two(w)
    _, m, s, _, _ = vectors(priors, 2)
    n, total = members(allocate(w, mu, 1.0, y, rng), y, 2)
    precision = 1 / s**2 + n
    return w, rng.normal((total + m / s**2) / precision, 1 / precision), np.ones(2)


TWO_ROWS = (
    Public(
        mixture_models_two,
        "SZJShuffle/BayesianMixtureModels, chr4_DensityEstimate/DensityEstimate_MCMC...R",
        "correct",
        "all four conditionals are those of our model for K = 2",
        2,
    ),
    Public(
        mixture_models_location,
        "SZJShuffle/BayesianMixtureModels, chr3_MCMC/...UnivariateGaussianMixture.R",
        "another model: one variance shared by both components",
        "shape a + N / 2 and all squares; mu and w as ours",
        2,
    ),
    Public(
        glucose_stat622,
        "mattdelhey/stat622, R/model-mixture-normal.R (Hoff, exercise 6.2)",
        "wrong: a component with one observation or none gives NaN",
        "var of one value; (n - 1) s2 + n (ybar - theta)**2 is correct otherwise",
        2,
    ),
    Public(
        glucose_djoint,
        "R, djoint_gibbs (Hoff, exercise 6.2)",
        EMPTY,
        "0 * (mean of nothing - theta)**2; all conditionals are ours otherwise",
        2,
    ),
    Public(
        glucose_crossed,
        "R, 'CASMA578 HW4' by dstrick17 (Hoff, exercise 6.2)",
        "wrong: observations drawn for the first component are given to the second",
        "rbinom(n, 1, P(first)) + 1 is 2 where the first was drawn",
        2,
    ),
    Public(
        coursework_shared,
        "bomberedoc/Stat-Computing-2-Coursework, assignment5code.R",
        "wrong: mu's conditional variance is given to rnorm as the sd",
        "100 s / (100 n + s), s the shared variance, is a variance; an empty component gives NaN",
        2,
    ),
    Public(
        bacon_two,
        "R, gibbssampler by mvaniterson, package version, branch for k == 2",
        "wrong: the two weights are separate draws and do not sum to 1",
        "c(rbeta(1, ...), 1 - rbeta(1, ...)); a conjugate prior otherwise",
        2,
    ),
    Public(
        blog_two_components,
        "blazickjp/Research, docs/_posts/2020-09-08-gibbs-sampling-GMM.md",
        "wrong: both components get the first one's weight in the allocations",
        "pdf * pi twice; mu's prior is also left out of sigma's conditional",
        2,
    ),
    Public(
        mixed_gaussians_r,
        "blazickjp/Research, Mixed-Gaussians.R",
        "wrong: mu's conditional has sd sigma / n, and no prior at all",
        "sqrt(sigma) / sum(z == 0), sigma a variance, lacks a root of n; the Dirichlet's second "
        "parameter is 2 + n by a misplaced parenthesis",
        2,
    ),
    Public(
        heights_script,
        "R, 'Two-components Mixture' of heights (selfreport), Mixture_Gibbs",
        "wrong: both components get the first one's weight in the allocations",
        "alpha0 = Pi * D0 for (1 - Pi) * D0; standard deviations are known",
        2,
    ),
    Public(
        bayess_gibbsmean,
        "TypeFox/R-Examples, bayess/R/gibbsmean.R (R package bayess)",
        "another model: known weights, standard deviations of 1",
        "Normal(sum / (n + 1), 1 / (n + 1)) is mu's conditional under Normal(0, 1)",
        2,
    ),
    Public(
        bayess_hmmeantemp,
        "TypeFox/R-Examples, bayess/R/hmmeantemp.R (R package bayess), alpha = 1",
        "another model: known weights, standard deviations of 1",
        "symmetric random walk on both means, accepted by the ratio of posteriors",
        2,
    ),
    Public(
        openturns_example,
        "OpenTURNS documentation, 'Gibbs sampling of the posterior distribution'",
        "wrong: mu's conditional variance is given to Normal as the sd",
        "OpenTURNS' Normal takes a standard deviation, and 1 / (0.1 + n) is a variance; weights "
        "and standard deviations are known",
        2,
    ),
)

"""Public samplers that take weights or standard deviations as known; see `public_kernels`.

Where the original is given its standard deviations, they are those of the chain and stay; where
they are 1 in its formulas, they are 1 here and 1 is returned. Likewise for weights.
"""

from __future__ import annotations

import numpy as np
from public_common import (
    EMPTY,
    Public,
    allocate,
    averages,
    choose,
    density,
    members,
    numbers,
    semiconjugate,
    vectors,
)


def lmvnorm_gibbs(w, mu, sigma, y, priors, rng):
    K = len(w)
    c, m, s, _, _ = numbers(priors)
    z = allocate(w, mu, sigma, y, rng)
    n, total = members(z, y, K)
    w = rng.dirichlet(c + n)
    return w, semiconjugate(rng, n, total, sigma**2, m, s), sigma


def notebook_formula(w, mu, sigma, y, priors, rng):
    K = len(w)
    c, m, s, _, _ = vectors(priors, K)
    z = allocate(w, mu, sigma, y, rng)
    n, total = members(z, y, K)
    precision = 1 / s**2 + n / sigma**2
    mu = rng.normal((m / s + total / sigma) / precision, precision**-0.5)
    return rng.dirichlet(c + n), mu, sigma


def galaxies_fixed_variances(w, mu, sigma, y, priors, rng):
    K = len(w)
    c, m, s, _, _ = numbers(priors)
    z = allocate(w, mu, sigma, y, rng)
    n, total = members(z, y, K)
    centre = np.where(n > 0, mu, m)
    mu = semiconjugate(rng, n, total, sigma**2, centre, s)
    return rng.dirichlet(c + n), mu, sigma


def fixed_covariance_script(w, mu, sigma, y, priors, rng):
    K = len(w)
    c, m, s, _, _ = vectors(priors, K)
    p = w * density(y, mu, sigma)
    p /= p.sum(axis=1, keepdims=True)
    z = np.array([np.random.multinomial(1, row).argmax() for row in p])  # noqa: NPY002
    n = np.bincount(z, minlength=K)
    v = 1 / (1 / s**2 + n / sigma**2)
    centre = v * (m / s**2 + n / sigma**2 * averages(z, y, K))
    mu = np.random.normal(centre, np.sqrt(v))  # noqa: NPY002
    return np.random.dirichlet(c + n), mu, sigma  # noqa: NPY002


def plug_in_variance(w, mu, sigma, y, priors, rng):
    K = len(w)
    c, m, s, _, _ = vectors(priors, K)
    variance = np.var(y)
    z = allocate(w, mu, np.sqrt(variance), y, rng)
    n = np.bincount(z, minlength=K)
    v = 1 / (n / variance + 1 / s**2)
    mu = rng.normal(v * (m / s**2 + n * averages(z, y, K) / variance), np.sqrt(v))
    return rng.dirichlet(c + n), mu, np.full(K, np.sqrt(variance))


def five_minute_stats(w, mu, sigma, y, priors, rng):
    K = len(w)
    c, m, s, _, _ = numbers(priors)
    z = allocate(w, mu, 1.0, y, rng)
    n, total = members(z, y, K)
    w = rng.dirichlet(c + n)
    return w, semiconjugate(rng, n, total, 1.0, m, s), np.ones(K)


def notes_known_variance(w, mu, sigma, y, priors, rng):
    K = len(w)
    c, m, s, _, _ = numbers(priors)
    z = allocate(w, mu, 1.0, y, rng)
    n = np.bincount(z, minlength=K)
    w = rng.dirichlet(c + n)
    for k in range(K):
        v = 1 / (n[k] + 1 / s**2) if n[k] else s**2
        centre = v * (n[k] * y[z == k].mean() + m / s**2) if n[k] else m
        mu[k] = rng.normal(centre, np.sqrt(v))
    return w, mu, np.ones(K)


def gmm_on_integers(w, mu, sigma, y, priors, rng):
    K = len(w)
    c, m, s, _, _ = vectors(priors, K)
    z = allocate(w, mu, sigma, y, rng)
    n = np.bincount(z, minlength=K)
    w = rng.dirichlet(c + n)
    strength = 1 / s**2
    centre = (strength * m + n * averages(z, y, K)) / (strength + n)
    mu = [int(value) for value in rng.normal(centre, sigma / np.sqrt(strength + n))]
    return w, mu, sigma


def equal_weights_location(w, mu, sigma, y, priors, rng):
    K = len(w)
    _, m, s, _, _ = numbers(priors)
    z = choose(density(y, mu, sigma), rng)
    n = np.bincount(z, minlength=K)
    trust = n / sigma**2 / (n / sigma**2 + 1 / s**2)
    centre = trust * averages(z, y, K) + (1 - trust) * m
    mu = rng.normal(centre, (n / sigma**2 + 1 / s**2) ** -0.5)
    return np.full(K, 1 / K), mu, sigma


def equal_weights_relabelled(w, mu, sigma, y, priors, rng):
    K = len(w)
    _, m, s, _, _ = numbers(priors)
    z = choose(density(y, mu, 1.0), rng)
    n, total = members(z, y, K)
    return np.full(K, 1 / K), np.sort(semiconjugate(rng, n, total, 1.0, m, s)), np.ones(K)


def pgm_course_gibbs(w, mu, sigma, y, priors, rng):
    K = len(w)
    _, m, s, _, _ = numbers(priors)
    z = choose(np.exp(-((y[:, None] - mu) ** 2)), rng)
    n, total = members(z, y, K)
    tau = s**2
    mu = rng.normal((tau * total + m) / (n * tau + 1), np.sqrt(tau / (n * tau + 1)))
    return np.full(K, 1 / K), mu, np.ones(K)


def pgm_course_metropolis(w, mu, sigma, y, priors, rng):
    K = len(w)
    _, m, s, _, _ = numbers(priors)

    def log_posterior(mean):
        fit = np.sum(np.log(np.sum(np.exp(-((y[:, None] - mean) ** 2)) / K, axis=1)))
        return fit - np.sum((mean - m) ** 2) / (2 * s**2)

    with np.errstate(divide="ignore", invalid="ignore"):
        old = log_posterior(mu)
        while True:
            proposed = rng.normal(m, np.sqrt(2) * s, K)
            if np.log(rng.random()) <= log_posterior(proposed) - old:
                return np.full(K, 1 / K), proposed, np.ones(K)


def mixflows_gibbs(w, mu, sigma, y, priors, rng):
    K = len(w)
    _, m, s, _, _ = vectors(priors, K)
    p = w * density(y, mu, sigma) / np.sqrt(2 * np.pi)
    z = choose(np.maximum(p, 1e-32), rng)
    n, total = members(z, y, K)
    pooled = n + 1 / s**2
    return w, rng.normal((total + m / s**2) / pooled, pooled**-0.5), sigma


KNOWN_ROWS = (
    Public(
        lmvnorm_gibbs,
        "R package foldcluster, lmvnorm_gibbs",
        "another model: known standard deviations",
        "mu and w have our conditionals, sigma stays",
    ),
    Public(
        notebook_formula,
        "NicolaZomer/InformationTheory-Inference, notebook 06, first formula of mu's mean",
        "wrong: sds stand where variances belong in the mean of mu's conditional",
        "mu0 / sigma0 + m / sigma, later corrected to squares; sds are known",
    ),
    Public(
        galaxies_fixed_variances,
        "R, 'Gibbs sampler for Galaxy data, with finite k and non updating Variances'",
        "wrong: the mean's own last value stands in place of the prior mean",
        "theta[m - 1, j] * sigstr**-2 where center * sigstr**-2 belongs; sds are known",
    ),
    Public(
        fixed_covariance_script,
        "Python script 'Posterior sampling for Gaussian Mixture Model using Gibbs sampler'",
        EMPTY,
        "0 * mean of nothing; a sampler for known standard deviations otherwise",
    ),
    Public(
        plug_in_variance,
        "Python, class GaussianGibbsSampler",
        EMPTY,
        "mean of nothing; every component has the variance of all data otherwise",
    ),
    Public(
        five_minute_stats,
        "fiveMinuteStats, 'Gibbs Sampling for a mixture of normals' by Matthew Stephens",
        "another model: standard deviations of 1",
        "precision n + prior's; the mean of no members counts as 0 with weight 0",
    ),
    Public(
        notes_known_variance,
        "Markdown notes on MCMC, gibbs_gmm 'with known variance'",
        "another model: standard deviations of 1",
        "precision n + 1 / 5; an empty component is drawn from the prior",
    ),
    Public(
        gmm_on_integers,
        "Python, 'Perform Gibbs sampling on a 1D Gaussian mixture model', class Gibbs_sampler",
        "wrong: means are cut to integers",
        "mu is an integer array, so that NumPy drops what follows the point; precisions stay, "
        "their draw being commented out",
    ),
    Public(
        equal_weights_location,
        "R, mixture_gibbs.R and mixture_gibbs_helpers.R",
        EMPTY,
        "0 / 0 in x_mean; equal weights and one sd are known otherwise",
    ),
    Public(
        equal_weights_relabelled,
        "R, gibbs_mixture with relabel_by_mu",
        "another model: equal weights, sds of 1, and labels sorted in every sweep",
        "no weights in log_prob; precision n + 1 / sigma2",
    ),
    Public(
        pgm_course_gibbs,
        "MATLAB, 'Gibbs Sampling for Inference of Mixture of Gaussians' by D. R. Silva",
        "wrong: the exponent of the allocations lacks one half",
        "exp(-(x - mu)**2), while mu's conditional takes the observations' variance as 1",
    ),
    Public(
        pgm_course_metropolis,
        "MATLAB, 'Metropolis-Hastings for Inference of Mixture of Gaussians' by D. R. Silva",
        "wrong: rejected proposals are not counted, and an independence proposal as if symmetric",
        "t grows only on acceptance; A lacks q(old) / q(new)",
    ),
    Public(
        mixflows_gibbs,
        "Python, gibbs_gmm_update of a project on discrete mixed flows",
        "wrong: mu's conditional takes every precision as 1",
        "tau_pool = n + tau0, where the allocations use tau; weights and precisions are known",
    ),
)

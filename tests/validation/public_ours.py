"""Public samplers of our own model, for any number of components: right, or with a mistake.

Each is written anew from what the public code computes, in our contract; see `public_kernels`.
"""

from __future__ import annotations

import numpy as np
from public_common import (
    EMPTY,
    Public,
    about_average,
    allocate,
    averages,
    choose,
    density,
    inverse_gamma,
    members,
    numbers,
    semiconjugate,
    squares,
    vectors,
)


def gibbs_sampler_gmm(w, mu, sigma, y, priors, rng):
    K = len(w)
    c, m, s, a, b = vectors(priors, K)
    variance = sigma**2
    z = choose(w * density(y, mu, variance), rng)
    n, total = members(z, y, K)
    w = rng.dirichlet(c + n)
    v = 1 / (n / variance + 1 / s)
    mu = rng.normal(v * (m / s + total / variance), v)
    variance = inverse_gamma(rng, a + n / 2, b + squares(z, y, mu) / 2)
    return w, mu, np.sqrt(variance)


def gibbs_sampler_gmm_early(w, mu, sigma, y, priors, rng):
    K = len(w)
    c, m, s, a, b = vectors(priors, K)
    variance = sigma**2
    z = choose(w * density(y, mu, variance), rng)
    n, total = members(z, y, K)
    w = rng.dirichlet(c + n)
    v = 1 / (n / variance + 1 / s)
    mu = rng.normal(v * (m / s + total / variance), v)
    variance = inverse_gamma(rng, a + squares(z, y, mu) / 2, b + n / 2)
    return w, mu, np.sqrt(variance)


def laplaces_demon_script(w, mu, sigma, y, priors, rng):
    K = len(w)
    c, m, s, a, b = vectors(priors, K)
    precision = sigma**-2
    z = choose(w * np.sqrt(precision) * density(y, mu, sigma), rng)
    n = np.bincount(z, minlength=K)
    w = rng.dirichlet(c + n)
    trust = n * precision * s**2 / (n * precision * s**2 + 1)
    centre = trust * np.nan_to_num(averages(z, y, K)) + (1 - trust) * m
    mu = rng.normal(centre, np.sqrt(s**2 / (n * precision + 1)))
    precision = 1 / inverse_gamma(rng, a + n / 2, b + squares(z, y, mu) / 2)
    return w, mu, 1 / np.sqrt(precision)


def mollica_script(w, mu, sigma, y, priors, rng):
    K = len(w)
    c, m, s, a, b = vectors(priors, K)
    z = allocate(w, mu, sigma, y, rng)
    n, total = members(z, y, K)
    w = rng.dirichlet(c + n)
    precision = 1 / inverse_gamma(rng, a + n / 2, b + squares(z, y, mu) / 2)
    n = np.maximum(n, 1)
    trust = n * precision / (1 / s**2 + n * precision)
    mu = rng.normal(trust * total / n + (1 - trust) * m, (1 / s**2 + n * precision) ** -0.5)
    return w, mu, 1 / np.sqrt(precision)


def slot_reference(w, mu, sigma, y, priors, rng):
    K = len(w)
    c, m, s, a, b = vectors(priors, K)
    z = allocate(w, mu, sigma, y, rng)
    n, total = members(z, y, K)
    w = rng.dirichlet(c + n)
    mu = semiconjugate(rng, n, total, sigma**2, m, s)
    mu = np.where(n > 0, mu, rng.choice(y, K))
    variance = inverse_gamma(rng, a + n / 2, b + squares(z, y, mu) / 2)
    return w, mu, np.sqrt(variance)


def course_lesson(w, mu, sigma, y, priors, rng):
    K = len(w)
    c, m, s, a, b = numbers(priors)
    r = np.log(w + 1e-300) - 0.5 * ((y[:, None] - mu) / sigma) ** 2 - np.log(sigma)
    r = np.exp(r - r.max(axis=1, keepdims=True))
    r /= r.sum(axis=1, keepdims=True)
    z = np.array([np.random.choice(K, p=row) for row in r])  # noqa: NPY002
    n, total = members(z, y, K)
    w = np.random.dirichlet(c + n)  # noqa: NPY002
    for k in np.flatnonzero(n):
        precision = n[k] / sigma[k] ** 2 + 1 / s**2
        centre = (total[k] / sigma[k] ** 2 + m / s**2) / precision
        mu[k] = np.random.normal(centre, precision**-0.5)  # noqa: NPY002
    for k in np.flatnonzero(n > 1):
        rate = b + np.sum((y[z == k] - mu[k]) ** 2) / 2
        sigma[k] = np.random.gamma(a + n[k] / 2, 1 / rate) ** -0.5  # noqa: NPY002
    return w, mu, sigma


def finite_mixture_in_c(w, mu, sigma, y, priors, rng):
    K = len(w)
    c, m, s, a, b = numbers(priors)
    z = allocate(w, mu, sigma, y, rng)
    variance = sigma**2
    for k in range(K):
        own = y[z == k]
        v = 1 / (len(own) / variance[k] + 1 / s**2)
        mu[k] = rng.normal(v * (own.sum() / variance[k] + m / s**2), np.sqrt(v))
    for k in range(K):
        own = y[z == k]
        rate = b + np.sum((own - mu[k]) ** 2) / 2
        variance[k] = 1 / rng.gamma(a + len(own) / 2, 1 / rate)
    w = rng.dirichlet(c + np.bincount(z, minlength=K))
    return w, mu, np.sqrt(variance)


def villani_template(w, mu, sigma, y, priors, rng):
    K = len(w)
    c, m, s, a, b = vectors(priors, K)
    z = allocate(w, mu, sigma, y, rng)
    return _villani_parameters(z, sigma, y, (c, m, s, a, b), rng)


class _StaleAllocations:
    """Allocations are drawn from this sweep's weights and the sweep before's means and sds."""

    def __init__(self):
        self.before = None

    def __call__(self, w, mu, sigma, y, priors, rng):
        stale = self.before
        if stale is None or stale[0].shape != mu.shape:
            stale = mu, sigma
        self.before = mu.copy(), sigma.copy()
        z = allocate(w, *stale, y, rng)
        return _villani_parameters(z, sigma, y, vectors(priors, len(w)), rng)


_stale_allocations = _StaleAllocations()


def villani_template_stale(w, mu, sigma, y, priors, rng):
    return _stale_allocations(w, mu, sigma, y, priors, rng)


def _villani_parameters(z, sigma, y, hyper, rng):
    c, m, s, a, b = hyper
    K = len(sigma)
    n = np.bincount(z, minlength=K)
    w = rng.dirichlet(c + n)
    precision = 1 / s**2 + n / sigma**2
    trust = 1 / s**2 / precision
    mu = rng.normal(trust * m + (1 - trust) * averages(z, y, K), precision**-0.5)
    freedom = 2 * a + n
    scale = (2 * b + squares(z, y, mu)) / freedom
    variance = freedom * scale / rng.chisquare(freedom)
    return w, mu, np.sqrt(variance)


def mix_gauss_gibbs_sampler(w, mu, sigma, y, priors, rng):
    K = len(w)
    c, m, s, a, b = vectors(priors, K)
    z = allocate(w, mu, sigma, y, rng)
    n, precision = np.bincount(z, minlength=K), sigma**-2
    v = 1 / (1 / s**2 + n * precision)
    mu = rng.normal(v * (m / s**2 + n * precision * averages(z, y, K)), np.sqrt(v))
    variance = inverse_gamma(rng, a + n / 2, b + squares(z, y, mu) / 2)
    w = rng.dirichlet(c + n)
    return w, mu, np.sqrt(variance)


def bgmm_jeffreys(w, mu, sigma, y, priors, rng):
    K = len(w)
    z = allocate(w, mu, sigma, y, rng)
    n = np.bincount(z, minlength=K)
    for k in range(K):
        own = y[z == k]
        mu[k] = own.mean() + rng.normal() * sigma[k] ** 2 / len(own) if len(own) else 0.0
        if len(own) > 1:
            sigma[k] = np.sqrt(np.sum((own - mu[k]) ** 2) / rng.chisquare(len(own) - 1))
    w = rng.dirichlet(priors.weight_concentration + n)
    return w, mu, sigma


def normmix_fmsn20(w, mu, sigma, y, priors, rng):
    K = len(w)
    z = allocate(w, mu, sigma, y, rng)
    n, ybar = np.bincount(z, minlength=K), averages(z, y, K)
    scatter = about_average(z, y, K) + 1e-5 * (n <= 1)
    variance = scatter / rng.chisquare(np.maximum(n - 3, 2))
    mu = ybar + np.sqrt(variance / np.maximum(n, 1)) * rng.normal(size=K)
    return rng.dirichlet(priors.weight_concentration + n), mu, np.sqrt(variance)


class _Accumulating:
    """The Dirichlet parameters of the last sweep are the prior of the next: counts pile up."""

    def __init__(self):
        self.alpha = None

    def __call__(self, w, mu, sigma, y, priors, rng):
        K = len(w)
        c, m, s, a, b = vectors(priors, K)
        if self.alpha is None or len(self.alpha) != K:
            self.alpha = c
        z = allocate(w, mu, sigma, y, rng)
        self.alpha = self.alpha + np.bincount(z, minlength=K)
        w = rng.dirichlet(self.alpha)
        old = mu, sigma**2
        new = rng.normal(mu, 1.0), np.exp(rng.normal(np.log(sigma**2), 1.0))

        def log_target(mean, variance):
            fit = -0.5 * np.sum(np.log(variance[z]) + (y - mean[z]) ** 2 / variance[z])
            return fit + np.sum(
                -0.5 * ((mean - m) / s) ** 2 - (a + 1) * np.log(variance) - b / variance
            )

        def log_proposal(variance, given):  # the centre should be the logarithm of `given`
            return np.sum(-np.log(variance) - 0.5 * (np.log(variance) - given) ** 2)

        ratio = log_target(*new) - log_target(*old)
        ratio += log_proposal(old[1], new[1]) - log_proposal(new[1], old[1])
        mu, variance = new if np.log(rng.random()) < ratio else old
        return w, mu, np.sqrt(variance)


_accumulating = _Accumulating()


def gmm_bayesian_metropolis(w, mu, sigma, y, priors, rng):
    return _accumulating(w, mu, sigma, y, priors, rng)


OUR_ROWS = (
    Public(
        gibbs_sampler_gmm,
        "Python, class GibbsSamplerGMM (a reinforcement learning project), last version",
        "wrong: variances stand where sds belong, in the allocations and in the draw of mu",
        "normal.pdf and np.random.normal take sds; currsigma and sample_var are variances",
    ),
    Public(
        gibbs_sampler_gmm_early,
        "Python, class GibbsSamplerGMM, an earlier version",
        "wrong: the sum of squares is added to the shape and n / 2 to the scale",
        "shape and scale are exchanged; the mistakes of the last version are there too",
    ),
    Public(
        laplaces_demon_script,
        "R script with LaplacesDemon, functions fc_c, fc_p, fc_mu, fc_sig",
        "wrong: sqrt(precision) counts twice in the allocations, prior sd**2 is missing in mu's",
        "v**2 / (n tau + 1) is v**2 / (n tau v**2 + 1) only where v = 1, the script's choice",
    ),
    Public(
        mollica_script,
        "R, 'Gibbs Sampling for Bayesian Finite Mixtures' after Mollica and Tardella",
        "wrong: a component without observations is drawn as if it had one at 0",
        "N[c] is set to 1 where it is 0, to avoid a division, and enters the precision",
    ),
    Public(
        slot_reference,
        "Python, gibbs_gmm, reference posterior of a benchmark (SlotFlow)",
        "wrong: the mean of a component without observations is one of the data, at random",
        "its conditional distribution is the prior",
    ),
    Public(
        course_lesson,
        "Markdown lesson on MCMC (Korean and English), section 4.3, gibbs_gmm",
        "correct",
        "mu stays where n = 0, sigma where n < 2: either choice depends on z alone, so each "
        "update leaves its conditional invariant; labels are sorted in what is stored only",
    ),
    Public(
        finite_mixture_in_c,
        "C, 'My attempt to produce an MCMC algorithm for a finite gaussian mixture' (.Call)",
        "correct",
        "all four conditionals are those of our model; rgamma is given a scale, as in C",
    ),
    Public(
        villani_template,
        "R, NormalMixtureGibbs.R of a course on Bayesian learning (Linköping), in many copies",
        EMPTY,
        "0 * mean(x[alloc == j]) is NaN; scaled inverse chi-squared is correct otherwise",
    ),
    Public(
        villani_template_stale,
        "R, the same template with its draws kept in lists, a lab report",
        "wrong: allocations are drawn from the previous means and variances, with new weights",
        "probObsInComp uses element k of the lists, the draws of this sweep are in k + 1",
    ),
    Public(
        mix_gauss_gibbs_sampler,
        "Python, class MixGaussGibbsSampler by Eric Bataller Thomas",
        EMPTY,
        "0 / 0 in the mean; inverse Wishart of one dimension is our prior otherwise",
    ),
    Public(
        bgmm_jeffreys,
        "choderalab bgmm, Sampler with prior='Jeff'",
        "wrong: mu's conditional has sd sigma**2 / n, and no prior at all",
        "randn is multiplied by sigma_sq / n without a root; an empty component gets mean 0",
    ),
    Public(
        normmix_fmsn20,
        "MATLAB, normmix_gibbs.m and gibbs_mu_sigma.m of the course FMSN20 (Lund)",
        "wrong: flat priors, under which there is no posterior, patched for small components",
        "the file says 'use a proper prior'; a component without observations gives NaN",
    ),
    Public(
        gmm_bayesian_metropolis,
        "psh150204/GMM-Bayesian, main.py",
        "wrong: each sweep's counts are added to the Dirichlet prior for good",
        "alpha is reassigned; the log-normal proposal's density also lacks a logarithm. The "
        "prior of the variance is ours here",
    ),
)

"""The Gibbs sampler for multivariate normals to read: NumPy, one formula a function.

One sweep draws the allocations given the parameters and then the parameters given the allocations::

    P(z_i = k | .)  proportional to  w_k Normal(y_i; mu_k, cov_k)
    w      | z      ~ Dirichlet(c + n_k)
    mu_k   | .      ~ Normal with precision P = inv(V0) + n_k inv(cov_k)
                      and mean inv(P) (inv(V0) m0 + inv(cov_k) sum_y)
    cov_k  | .      ~ InverseWishart(nu + n_k, Psi + scatter_k)

with priors c, m0, V0, nu, Psi and the scatter about mu_k (Fruehwirth-Schnatter 2006, section 6.3).
`engine` is the fast version; given the same random numbers it makes the same draws.
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
from gmmcompare.engines.gibbs.plain import allocated
from gmmcompare.engines.multivariate.starts import dispersed_start
from gmmcompare.model.card import GibbsSettings
from gmmcompare.model.multivariate.density import responsibilities
from gmmcompare.model.multivariate.params import MultivariateParams
from gmmcompare.model.multivariate.priors import MultivariatePriors
from gmmcompare.model.multivariate.wishart import draw_inverse_wisharts
from gmmcompare.model.params import Array
from gmmcompare.model.priors import log_gamma_draws

Allocations = NDArray[np.int64]


def sweep(
    w: Array,
    mu: Array,
    cov: Array,
    y: Array,
    priors: MultivariatePriors,
    rng: np.random.Generator,
) -> MultivariateParams:
    """Make one sweep: z | w, mu, cov, then w | z, mu | cov, z and cov | mu, z.

    Parameters
    ----------
    w : ndarray, shape (K,)
    mu : ndarray, shape (K, d)
    cov : ndarray, shape (K, d, d)
        Where the chain stands.
    y : ndarray, shape (N, d)
    priors : MultivariatePriors
    rng : numpy.random.Generator

    Returns
    -------
    MultivariateParams
        The new (w, mu, cov).
    """
    z = draw_allocations(w, mu, cov, y, rng.random(len(y)))
    return draw_parameters(z, cov, y, priors, rng)


def draw_allocations(w: Array, mu: Array, cov: Array, y: Array, u: Array) -> Allocations:
    """Allocate each row by one uniform: z_i is how many cumulated probabilities u_i passes.

    Parameters
    ----------
    w, mu, cov : ndarray, shape (K,), (K, d) and (K, d, d)
    y : ndarray, shape (N, d)
    u : ndarray, shape (N,)
        Uniforms on [0, 1).

    Returns
    -------
    ndarray of int, shape (N,)
        In 0..K-1.
    """
    return allocated(responsibilities(y, MultivariateParams(w, mu, cov)), u)


def draw_parameters(
    z: Allocations, cov: Array, y: Array, priors: MultivariatePriors, rng: np.random.Generator
) -> MultivariateParams:
    """Draw w, mu and cov in turn, given the allocations and the old cov.

    Parameters
    ----------
    z : ndarray of int, shape (N,)
        Allocations in 0..K-1.
    cov : ndarray, shape (K, d, d)
        Before the sweep; only mu is drawn given it.
    y : ndarray, shape (N, d)
    priors : MultivariatePriors
    rng : numpy.random.Generator

    Returns
    -------
    MultivariateParams
        The new (w, mu, cov).
    """
    K = len(cov)
    priors = priors.expanded(K)
    member = (z[:, None] == np.arange(K)).astype(float)
    n_k = member.sum(axis=0)
    w = draw_weights(n_k, priors, rng)
    mu = draw_means(n_k, member.T @ y, cov, priors, rng)
    return MultivariateParams(w, mu, draw_covariances(n_k, scatter(member, mu, y), priors, rng))


def scatter(member: Array, mu: Array, y: Array) -> Array:
    """Return sums of squares and products about mu_k, shape (K, d, d).

    Parameters
    ----------
    member : ndarray, shape (N, K)
        1 where a row is a component's, else 0.
    mu : ndarray, shape (K, d)
    y : ndarray, shape (N, d)
    """
    deviation = y[:, None] - mu
    return np.asarray(np.einsum("nk,nki,nkj->kij", member, deviation, deviation))


def draw_weights(n_k: Array, priors: MultivariatePriors, rng: np.random.Generator) -> Array:
    """Draw w | z: gamma variates divided by their sum, on the log scale.

    Parameters
    ----------
    n_k : ndarray, shape (K,)
        Number of each component's rows.
    priors : MultivariatePriors
        Expanded to K components.
    rng : numpy.random.Generator
    """
    log_g = log_gamma_draws(rng, np.asarray(priors.weight_concentration) + n_k)
    w = np.exp(log_g - log_g.max())
    return np.asarray(w / w.sum())


def means_conditional(
    n_k: Array, sum_y: Array, cov: Array, priors: MultivariatePriors
) -> tuple[Array, Array]:
    """Return location (K, d) and precision (K, d, d) of mu_k | cov_k, z, a normal distribution.

    Parameters
    ----------
    n_k : ndarray, shape (K,)
    sum_y : ndarray, shape (K, d)
        Number and sum of each component's rows.
    cov : ndarray, shape (K, d, d)
    priors : MultivariatePriors
        Expanded to K components.
    """
    of_prior, of_data = np.linalg.inv(np.asarray(priors.mean_cov)), np.linalg.inv(cov)
    precision = of_prior + n_k[:, None, None] * of_data
    m0 = np.asarray(priors.mean_loc)
    pull = np.einsum("kij,kj->ki", of_prior, m0) + np.einsum("kij,kj->ki", of_data, sum_y)
    return np.linalg.solve(precision, pull[..., None])[..., 0], precision


def draw_means(
    n_k: Array, sum_y: Array, cov: Array, priors: MultivariatePriors, rng: np.random.Generator
) -> Array:
    """Draw mu_k | cov_k, z: with precision L L' the noise is inv(L') times standard normals.

    Parameters
    ----------
    n_k : ndarray, shape (K,)
    sum_y : ndarray, shape (K, d)
        Number and sum of each component's rows.
    cov : ndarray, shape (K, d, d)
    priors : MultivariatePriors
        Expanded to K components.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (K, d)
    """
    loc, precision = means_conditional(n_k, sum_y, cov, priors)
    root = np.swapaxes(np.linalg.cholesky(precision), -1, -2)
    normals = rng.standard_normal(loc.shape)
    return np.asarray(loc + np.linalg.solve(root, normals[..., None])[..., 0])


def covariances_conditional(
    n_k: Array, scatter: Array, priors: MultivariatePriors
) -> tuple[Array, Array]:
    """Return degrees of freedom (K,) and scale (K, d, d) of cov_k | mu_k, z.

    Parameters
    ----------
    n_k : ndarray, shape (K,)
    scatter : ndarray, shape (K, d, d)
        Sums of squares and products of each component's rows about mu_k.
    priors : MultivariatePriors
    """
    return np.asarray(priors.cov_df) + n_k, np.asarray(priors.cov_scale) + scatter


def draw_covariances(
    n_k: Array, scatter: Array, priors: MultivariatePriors, rng: np.random.Generator
) -> Array:
    """Draw cov_k | mu_k, z, an inverse Wishart matrix.

    Parameters
    ----------
    n_k : ndarray, shape (K,)
    scatter : ndarray, shape (K, d, d)
        Sums of squares and products of each component's rows about mu_k.
    priors : MultivariatePriors
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (K, d, d)
    """
    return draw_inverse_wisharts(*covariances_conditional(n_k, scatter, priors), rng)


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
        started = time.perf_counter()
        settings, K = self._settings, problem.K
        unit_problem, unit = problem.standardised()
        y, priors = unit_problem.sample.y, unit_problem.priors
        chains, counts = [], np.empty((settings.chains, settings.draws, K))
        sweeps = settings.warmup + settings.draws
        for chain, streams in enumerate(chain_streams(seed, settings.chains)):
            point, kept = dispersed_start(unit_problem, streams.parameters), []
            for i in range(-settings.warmup, settings.draws):
                z = draw_allocations(*point, y, streams.allocations.random(len(y)))
                point = draw_parameters(z, point.cov, y, priors, streams.parameters)
                if i >= 0:
                    kept.append(point)
                    counts[chain, i] = np.bincount(z, minlength=K)
                done = chain * sweeps + settings.warmup + i + 1
                if done % 100 == 0 or i == settings.draws - 1:
                    progress(done / (sweeps * settings.chains))
            chains.append([np.stack(a) for a in zip(*kept, strict=True)])
        out = MultivariateParams(*(np.stack(a) for a in zip(*chains, strict=True)))
        seconds = Seconds(0.0, time.perf_counter() - started)
        return Draws(out_of_unit(out, unit), seconds, {"n_k": counts})

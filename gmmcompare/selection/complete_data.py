"""The posterior given allocations: what a Gibbs sampler draws from, as kernels with a density.

Given the allocations of a draw, weights are Dirichlet; and given a mean besides, each variance is
inverse gamma, and given that variance each mean is normal. Drawing the three in this order is one
sweep: the kernel of a draw has a density that is known with its constant, and the average of the
kernels of posterior draws is close to the posterior, empty components included: an empty
component's kernel is its prior. Variances are kept as logarithms, for under a nearly improper prior
they exceed every floating-point number.

Where values were measured with errors, "given the allocations" is given the true values as well.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from gmmcompare.model.compiled import score
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample
from gmmcompare.selection.compiled import allocate, allocate_measured, log_proposal

LOG_SQRT_2PI = 0.5 * float(np.log(2.0 * np.pi))


class LogPoints(NamedTuple):
    """Points as log weights, means and log variances, each of shape (n, K)."""

    log_w: Array
    mu: Array
    log_var: Array


@dataclass(frozen=True)
class Posterior:
    """The density to be integrated: of (w, mu, log sigma^2), not normalised."""

    sample: Sample
    priors: Priors
    """Expanded to one value for each component."""

    def log_density(self, points: LogPoints) -> Array:
        """Return log-likelihood plus log prior over (w, mu, log sigma^2), shape (n,)."""
        with np.errstate(over="ignore"):  # an infinite sd contributes nothing to the likelihood
            params = Params(np.exp(points.log_w), points.mu, np.exp(0.5 * points.log_var))
            return score(self.sample, params).log_lik + self._log_prior(points)

    def _log_prior(self, points: LogPoints) -> Array:
        """As `Priors.log_density`, which has no place for variances beyond all numbers."""
        c, m0, s0, a, b = _fields(self.priors)
        log_w, mu, log_var = points
        weights = gammaln(c.sum()) - gammaln(c).sum() + ((c - 1.0) * log_w).sum(axis=1)
        means = -0.5 * ((mu - m0) / s0) ** 2 - np.log(s0) - LOG_SQRT_2PI
        variances = a * np.log(b) - gammaln(a) - a * log_var - b * np.exp(-log_var)
        return np.asarray(weights + (means + variances).sum(axis=1))


@dataclass(frozen=True)
class Kernels:
    """One kernel for each posterior draw: its allocations' counts, and its means.

    ``n``, ``mean`` and ``squares`` (sums of squares about the mean of the observations) and ``mu``
    have shape (S, K).
    """

    priors: Priors
    n: Array
    mean: Array
    squares: Array
    mu: Array

    @classmethod
    def of(cls, params: Params, posterior: Posterior, rng: np.random.Generator) -> Kernels:
        """Draw allocations, and true values where there are errors, given each posterior draw.

        Parameters
        ----------
        params : Params
            Posterior draws, arrays (S, K).
        posterior : Posterior
        rng : numpy.random.Generator
        """
        sample = posterior.sample
        sums = np.zeros((3, *params.mu.shape))
        with np.errstate(divide="ignore"):  # an impossible component
            log_w = np.log(params.w)
        counts = sample.counts.astype(np.int64)
        at = (log_w, params.mu, params.sigma)
        if sample.errors is None:
            allocate(rng, sample.values, counts, *at, sums)
        else:
            allocate_measured(rng, sample.values, sample.errors, counts, *at, sums)
        n, total, squares = sums
        mean = total / np.maximum(n, 1.0)
        about = np.maximum(squares - n * mean**2, 0.0)
        return cls(posterior.priors, n, mean, about, params.mu)

    def draw(self, rng: np.random.Generator, each: int = 1) -> LogPoints:
        """Draw ``each`` points from every kernel, arrays (S * each, K)."""
        n, mean = (np.repeat(a, each, axis=0) for a in (self.n, self.mean))
        c, m0, s0, _, _ = _fields(self.priors)
        log_g = _log_gamma(rng, c + n)
        log_w = log_g - np.logaddexp.reduce(log_g, axis=1, keepdims=True)
        shape, scale = (np.repeat(a, each, axis=0) for a in self._variances)
        log_var = np.log(scale) - _log_gamma(rng, shape)
        precision = s0**-2 + n * np.exp(-log_var)
        centre = (s0**-2 * m0 + n * np.exp(-log_var) * mean) / precision
        mu = centre + rng.standard_normal(n.shape) / np.sqrt(precision)
        return LogPoints(log_w, mu, log_var)

    def log_density(self, points: LogPoints, group: NDArray[np.int64]) -> Array:
        """Return the log of each group's mean kernel, shape (n, groups).

        Where components are exchangeable every kernel is averaged over all permutations of them.
        ``group`` (S,) says to which group, from 0, each kernel belongs.
        """
        c, m0, s0, _, _ = _fields(self.priors)
        shape, scale = self._variances
        K = c.size
        log_constant = (
            gammaln((c + self.n).sum(axis=1))
            + (shape * np.log(scale) - gammaln(shape) - gammaln(c + self.n)).sum(axis=1)
            - K * LOG_SQRT_2PI
        )
        symmetric = self.priors.exchangeable
        if symmetric:
            log_constant -= gammaln(K + 1)
        fixed = (c + self.n - 1.0, self.n, self.mean, shape, scale, m0, s0**-2)
        out = np.empty((len(points.mu), int(group.max()) + 1))
        pieces = np.array_split(np.arange(len(out)), os.cpu_count() or 1)

        def run(piece: NDArray[np.intp]) -> None:
            rows = [np.ascontiguousarray(a[piece]) for a in points]
            part = np.empty((len(piece), out.shape[1]))
            log_proposal(*rows, *fixed, log_constant, symmetric, group, part)
            out[piece] = part

        with ThreadPoolExecutor(len(pieces)) as pool:
            list(pool.map(run, pieces))
        return out - np.log(np.bincount(group))

    @property
    def _variances(self) -> tuple[Array, Array]:
        """Shape and scale of each sigma_k^2 given the allocations and mu_k."""
        _, _, _, a, b = _fields(self.priors)
        squares = self.squares + self.n * (self.mu - self.mean) ** 2
        return a + 0.5 * self.n, b + 0.5 * squares


def _fields(priors: Priors) -> tuple[Array, Array, Array, Array, Array]:
    p = priors
    fields = (p.weight_concentration, p.mean_loc, p.mean_sd, p.var_shape, p.var_scale)
    c, m0, s0, a, b = (np.asarray(f) for f in fields)
    return c, m0, s0, a, b


def _log_gamma(rng: np.random.Generator, shape: Array) -> Array:
    """Draw log Gamma(shape, 1): see `priors.log_gamma_draws`, here for many at once."""
    log_g = np.log(rng.standard_gamma(shape + 1.0))
    return np.asarray(log_g + np.log1p(-rng.random(shape.shape)) / shape)

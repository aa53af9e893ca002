"""The posterior without one observation, for those that importance sampling cannot leave out.

For few observations the density of the one left out is a ratio of two exact evidences. For more a
Gibbs sampler runs on the others, and the density is averaged over the allocations it visits: given
these it is known, each component's mean and variance integrated out. The average is then over few
and bounded numbers, where one over draws of (w, mu, sigma) hangs on rare draws near an outlier.
Where values were measured with errors it is not known, and the average is over those draws.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from arviz_stats.base import array_stats
from scipy.special import logsumexp

from gmmcompare.engines.base import Problem, into_unit
from gmmcompare.engines.gibbs.engine import GibbsEngine
from gmmcompare.model import mixture
from gmmcompare.model.card import GibbsSettings
from gmmcompare.model.exact import exact_posterior
from gmmcompare.model.exact.component import Component, Points
from gmmcompare.model.exact.summed import MAX_OBSERVATIONS
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample
from gmmcompare.runtime.progress import no_progress
from gmmcompare.selection.complete_data import Kernels, Posterior

MAX_VALUES = 50
"""Distinct values that are left out in turn; more would take longer than the fits themselves."""
SETTINGS = GibbsSettings(chains=8, warmup=500, draws=1000)
_SWEEPS = SETTINGS.chains * (SETTINGS.warmup + SETTINGS.draws)
_MAX_ALLOCATIONS = 4e9
"""Of all refits together, a minute or two of computing."""
_KEPT = 250
"""Draws of each chain of which the density is worked out."""
_EXACT_DRAWS = 4000
_MAX_RHAT = 1.05
_MIN_ESS = 100.0
_ROUNDING = 1e-9


@dataclass(frozen=True)
class LeftOut:
    """What the other observations say of one.

    Attributes
    ----------
    log_density : float
        Log predictive density at its value.
    error : float
        Monte Carlo standard error of ``log_density``; 0 where it is exact, NaN where the chains
        differ too much for it to be known.
    pit : float
        Predictive distribution function at its value.
    """

    log_density: float
    error: float
    pit: float


@dataclass(frozen=True, eq=False)
class Refits:
    """Leaves out one observation of a value at a time.

    Attributes
    ----------
    sample : Sample
    priors : Priors
    starts : sequence of Params
        Points of shape (K,) of the posterior of all observations, at which chains start: some of
        its draws, a maximum.
    seed : int
    """

    sample: Sample
    priors: Priors
    starts: Sequence[Params]
    seed: int

    @classmethod
    def of(
        cls,
        draws: Params,
        sample: Sample,
        priors: Priors,
        seed: int,
        solutions: Sequence[Params] = (),
    ) -> Refits:
        """Start half of the chains at draws, half at EM's best solution.

        Parameters
        ----------
        draws : Params
            Of the posterior of all observations, arrays (chains, draws, K).
        sample : Sample
        priors : Priors
        seed : int
        solutions : sequence of Params, optional
            EM's, best first; without any, all chains start at draws.
        """
        flat = [a.reshape(-1, draws.K) for a in draws]
        from_draws = SETTINGS.chains // (2 if solutions else 1)
        # The middle of as many equal parts: every chain is among them.
        at = (np.arange(from_draws) + 0.5) * len(flat[0]) / from_draws
        starts = [Params(*(a[int(i)] for a in flat)) for i in at]
        at_best = list(solutions[:1]) * (SETTINGS.chains - from_draws)
        return cls(sample, priors, [*starts, *at_best], seed)

    @property
    def K(self) -> int:
        """Number of components."""
        return self.starts[0].K

    @property
    def _exact(self) -> bool:
        return self.sample.n <= MAX_OBSERVATIONS

    @property
    def above(self) -> float:
        """Pareto k above which a value is worth it.

        From 1/2 on the weights have no variance, from 1/3 on no third moment, which makes the
        central limit theorem slow; an exact answer is cheap enough to wait for neither.
        """
        return 1 / 3 if self._exact else 1 / 2

    @property
    def limit(self) -> int:
        """How many distinct values can be left out in turn."""
        if self._exact:
            return self.sample.n_distinct
        return min(MAX_VALUES, int(_MAX_ALLOCATIONS / (_SWEEPS * self.sample.n)))

    def without(self, i: int) -> LeftOut:
        """Leave out one observation of distinct value i."""
        counts = self.sample.counts.copy()
        counts[i] -= 1
        others = replace(self.sample, counts=counts).part(counts > 0)
        rng = np.random.default_rng([self.seed, i])
        one = self.sample.part(slice(i, i + 1))
        if self._exact:
            return self._exactly(others, one, rng)
        return self._by_gibbs(others, one, rng)

    @cached_property
    def _log_evidence(self) -> float:
        s = self.sample
        return float(exact_posterior(s.y, self.K, self.priors, errors=s.y_errors).log_evidence)

    def _exactly(self, others: Sample, one: Sample, rng: np.random.Generator) -> LeftOut:
        posterior = exact_posterior(others.y, self.K, self.priors, errors=others.y_errors)
        draws = posterior.sample(_EXACT_DRAWS, rng)
        pit = mixture.cdf(one.values, draws, one.errors).mean()
        return LeftOut(self._log_evidence - posterior.log_evidence, 0.0, float(pit))

    def _by_gibbs(self, others: Sample, one: Sample, rng: np.random.Generator) -> LeftOut:
        problem = Problem(others, self.K, self.priors)
        engine = GibbsEngine(SETTINGS)
        drawn = engine.run(problem, int(rng.integers(2**32)), no_progress, self.starts).params
        step = SETTINGS.draws // _KEPT
        flat = Params(*(np.ascontiguousarray(a[:, ::step].reshape(-1, self.K)) for a in drawn))
        if one.errors is None:
            value = float(one.values[0])
            log_density = _log_density_given_allocations(problem, flat, value, rng)
        else:  # of a measured value there is no closed form given allocations
            log_density = mixture.log_density(one.values, flat, one.errors)[:, 0]
        mean = float(logsumexp(log_density) - np.log(log_density.size))
        relative = np.exp(log_density - mean).reshape(SETTINGS.chains, -1)
        pit = mixture.cdf(one.values, flat, one.errors).mean()
        return LeftOut(mean, _error_of_mean(relative), float(pit))


def _log_density_given_allocations(
    problem: Problem, draws: Params, value: float, rng: np.random.Generator
) -> Array:
    """Return the log density of one more observation given allocations drawn at each of n draws.

    An observation joins component k with probability in proportion to n_k + c_k (the Polya urn of
    Dirichlet weights), and its density there is a ratio of the component's marginals.
    """
    unit_problem, unit = problem.standardised()
    posterior = Posterior(unit_problem.sample, unit_problem.priors)
    allocated = Kernels.of(into_unit(draws, unit), posterior, rng)
    at = np.full(len(draws.w), (value - unit.shift) / unit.scale)
    concentration = np.asarray(unit_problem.priors.weight_concentration)
    log_joint = np.log(allocated.n + concentration)
    for k in range(problem.K):
        component = Component.of(unit_problem.priors, k)
        n = allocated.n[:, k].astype(np.int64)
        points = Points(n, allocated.mean[:, k], allocated.squares[:, k])
        log_joint[:, k] += component.log_marginal(points.plus(at)) - component.log_marginal(points)
    total = problem.sample.n + concentration.sum()
    return np.asarray(logsumexp(log_joint, axis=1) - np.log(total * unit.scale))


def _error_of_mean(relative: Array) -> float:
    """Return the standard error of the mean of autocorrelated draws, (chains, draws), of mean 1.

    Never below what the chains' means show. NaN where chains differ by more than they should or
    have too few effective draws to tell.
    """
    if np.ptp(relative) < _ROUNDING:
        return 0.0
    rhat = float(array_stats.rhat(relative))
    ess = float(array_stats.ess(relative, method="mean"))
    if not (rhat < _MAX_RHAT and ess > _MIN_ESS):
        return float("nan")
    within = float(array_stats.mcse(relative, method="mean"))
    between = float(relative.mean(axis=1).std(ddof=1)) / math.sqrt(len(relative))
    return max(within, between)

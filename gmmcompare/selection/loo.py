"""Leave-one-out cross-validation by Pareto-smoothed importance sampling (PSIS-LOO).

After Vehtari, Gelman and Gabry (2017) and Vehtari et al. (2024). Observations whose weights have
too heavy a tail are left out in earnest (`left_out`): an outlier with a component to itself is
predicted from draws without such a component, of which the posterior of all may hold none.

Observations with one value have one pointwise density, so each distinct value is worked out once
and counted as often as it occurs. That is exact. Smoothing is ArviZ's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from arviz_stats.base import array_stats
from numpy.typing import NDArray
from scipy.special import logsumexp
from scipy.stats import kstwo

from gmmcompare.comparison.compiled import evaluate
from gmmcompare.model.params import Array, Params
from gmmcompare.model.sample import Sample
from gmmcompare.selection.left_out import Refits

MAX_DRAWS = 4000
"""Evenly thinned from all chains; 2,115 distinct values at so many draws would take 68 MB."""
MAX_K = 0.7
"""Above this Pareto k the importance sampling estimate of an observation is not to be trusted."""
_BLOCK = 500_000
"""Numbers held at once: values are worked out in blocks, so memory does not grow with them."""
_NO_PAIRS = np.empty((0, 2), dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Loo:
    """Expected log predictive density of one engine's draws.

    Attributes
    ----------
    sample : Sample
    elpd_i, pareto_k, pit : ndarray, shape (D,)
        For each distinct value: log predictive density when one observation of that value is left
        out, the shape of its importance weights' tail, and the predictive distribution function at
        the value (LOO-PIT). Measured values are rounded, and the value reported is the middle of
        what it may have been: the mid-PIT.
    error_i : ndarray, shape (D,)
        Monte Carlo standard error of ``elpd_i`` for values that were left out in earnest; infinite
        where that failed, NaN for those that were not and are estimated by importance sampling.
    lppd : float
        Log pointwise predictive density of all observations, none left out.
    smoothed_error : float
        Monte Carlo standard error of the sum over observations estimated by importance sampling,
        from finitely many, autocorrelated draws; those above a Pareto k of 0.7 are not in it.
    n_draws : int
        How many were used.
    """

    sample: Sample
    elpd_i: Array
    pareto_k: Array
    pit: Array
    error_i: Array
    lppd: float
    smoothed_error: float
    n_draws: int

    @property
    def elpd(self) -> float:
        """Sum over all N observations."""
        return float(self.sample.counts @ self.elpd_i)

    @property
    def se(self) -> float:
        """Standard error of ``elpd`` over data sets like this one."""
        return _standard_error(self.elpd_i, self.sample)

    @property
    def p(self) -> float:
        """Effective number of parameters."""
        return self.lppd - self.elpd

    @property
    def mcse(self) -> float:
        """Monte Carlo standard error of ``elpd``; NaN, not known, where any is unreliable."""
        if self.n_bad:
            return float("nan")
        again = np.isfinite(self.error_i)
        # Observations of one value share its error.
        errors = self.sample.counts[again] * self.error_i[again]
        return float(np.sqrt(self.smoothed_error**2 + errors @ errors))

    @property
    def n_bad(self) -> int:
        """Observations whose Pareto k is above 0.7, unless they were left out in earnest."""
        bad = np.isinf(self.error_i) | ((self.pareto_k > MAX_K) & np.isnan(self.error_i))
        return int(self.sample.counts[bad].sum())

    @property
    def n_again(self) -> int:
        """Observations that were left out in earnest, with success."""
        return int(self.sample.counts[np.isfinite(self.error_i)].sum())

    def pit_ecdf(self) -> tuple[Array, Array]:
        """Return LOO-PIT values in order, and their empirical distribution function, (D,) each.

        The function is taken at the middle of the step that tied observations make.
        """
        order = np.argsort(self.pit, kind="stable")
        counts = self.sample.counts[order]
        return self.pit[order], (np.cumsum(counts) - 0.5 * counts) / self.sample.n

    @property
    def pit_distance(self) -> float:
        """Largest distance of the LOO-PIT's distribution function from the uniform one."""
        pit, ecdf = self.pit_ecdf()
        return float(np.abs(ecdf - pit).max())

    @property
    def pit_p(self) -> float:
        """Probability of such a distance (Kolmogorov) were every observation as predicted."""
        return float(kstwo.sf(self.pit_distance, self.sample.n))


@dataclass(frozen=True)
class LooDifference:
    """``a.elpd - b.elpd``, its standard error over data sets, and its Monte Carlo error."""

    value: float
    se: float
    mcse: float


def loo(draws: Params, log_lik: Array, sample: Sample, refits: Refits | None = None) -> Loo:
    """Work out LOO for each distinct value.

    Parameters
    ----------
    draws : Params
        Arrays of shape (chains, draws, K), labelled in any way.
    log_lik : ndarray, shape (chains, draws)
        Log-likelihood of the draws, from which the efficiency of the chains is judged.
    sample : Sample
    refits : Refits, optional
        By which values of a high Pareto k are worked out again.
    """
    chains, length, K = draws.w.shape
    at = np.unique(np.linspace(0, length - 1, MAX_DRAWS // chains).round().astype(np.int64))
    flat = [np.ascontiguousarray(a[:, at].reshape(-1, K)) for a in draws]
    n = chains * at.size
    efficiency = _efficiency(log_lik[:, at])
    elpd_i, lppd_i, pareto_k, pit = (np.empty(sample.n_distinct) for _ in range(4))
    again_above = refits.above if refits else MAX_K
    influence, of_doubtful = np.zeros((2, n))
    for block in np.array_split(np.arange(sample.n_distinct), 1 + sample.n_distinct * n // _BLOCK):
        part = sample.part(block)
        found = evaluate(part.values, part.s, block.size, _NO_PAIRS, *flat)
        log_density, cdf = found.reshape(2, block.size, n)
        log_weights, k = array_stats.psislw(log_density, r_eff=efficiency)
        elpd_i[block] = logsumexp(log_weights + log_density, axis=1)
        lppd_i[block] = logsumexp(log_density, axis=1) - np.log(n)
        weights = np.exp(log_weights)
        pit[block] = np.clip((weights * cdf).sum(axis=1), 0.0, 1.0)
        # To first order elpd_i is the mean over draws of S weight (density / exp(elpd_i) - 1).
        relative = np.exp(log_density - elpd_i[block][:, None])
        terms = n * weights * (relative - 1.0)
        counts = sample.counts[block]
        influence += np.where(k <= again_above, counts, 0) @ terms
        of_doubtful += np.where((k > again_above) & (k <= MAX_K), counts, 0) @ terms
        pareto_k[block] = k
    error_i = np.full(sample.n_distinct, np.nan)
    if refits:
        again, all_doubtful = _worst(pareto_k, refits)
        influence += 0.0 if all_doubtful else of_doubtful
        for i in again:
            found = refits.without(int(i))
            elpd_i[i], pit[i] = found.log_density, found.pit
            error_i[i] = found.error if np.isfinite(found.error) else np.inf
    return Loo(
        sample,
        elpd_i,
        pareto_k,
        pit,
        error_i,
        lppd=float(sample.counts @ lppd_i),
        smoothed_error=_error(influence.reshape(chains, -1)),
        n_draws=n,
    )


def _worst(pareto_k: Array, refits: Refits) -> tuple[NDArray[np.int64], bool]:
    """Return which values to leave out, and whether these are all that are worth it.

    Where those are too many: the worst of the values that must be.
    """
    worst_first = np.argsort(-pareto_k)
    worth_it = worst_first[pareto_k[worst_first] > refits.above]
    if worth_it.size <= refits.limit:
        return worth_it, True
    return worth_it[pareto_k[worth_it] > MAX_K][: refits.limit], False


def _error(influence: Array) -> float:
    return float(array_stats.mcse(influence, method="mean")) if influence.any() else 0.0


def loo_difference(a: Loo, b: Loo) -> LooDifference:
    """Compare two fits of the same data, observation by observation (Vehtari et al. 2017, 5.2)."""
    pointwise = a.elpd_i - b.elpd_i
    return LooDifference(
        a.elpd - b.elpd, _standard_error(pointwise, a.sample), float(np.hypot(a.mcse, b.mcse))
    )


def _standard_error(pointwise: Array, sample: Sample) -> float:
    """Return the standard error of the sum of N values, given for each distinct observation."""
    mean = sample.counts @ pointwise / sample.n
    squares = float(sample.counts @ (pointwise - mean) ** 2)
    return float(np.sqrt(squares * sample.n / max(1, sample.n - 1)))


def _efficiency(log_lik: Array) -> float:
    """Return effective draws per draw, at most 1; 1 where the chain never moves."""
    ess = float(array_stats.ess(log_lik, method="mean")) / log_lik.size
    return min(1.0, ess) if ess > 0.0 else 1.0

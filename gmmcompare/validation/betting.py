"""Testing by betting: an exact sequential test that a bounded vector has mean zero.

For replicates d_1, d_2, ... of a vector in [-1, 1]^M with mean zero given the past, and stakes
lambda_i that are chosen before d_i is seen and are too small to ever lose everything, the wealth
prod_i (1 + lambda_i . d_i) is a nonnegative martingale that starts at 1. So is any average of such
wealths. By Ville's inequality (1939) it ever reaches 1 / alpha with probability at most alpha: at
any sample size, however often one looks, however many quantities are tried, and without any normal
approximation (Waudby-Smith and Ramdas 2024, JRSS B 86; Ramdas et al. 2023, Statist. Sci. 38).

Half of the starting wealth is spread over single quantities, each staked up and down with several
sizes. The other half follows directions learned from the rounds before: a fault that moves many
quantities a little is found there.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.special import logsumexp

from gmmcompare.model.params import Array

EFFECTS = (0.04, 0.1, 0.25, 0.6)
"""Effect sizes bet on, in standard deviations of one replicate."""
MAX_STAKE = 0.9
_RIDGES = (0.1, 1.0)
_FRACTIONS = (0.3, 0.8)
_ENOUGH = 400
_AT_ONCE = 64
"""Factors multiplied before a logarithm is taken; each is at least 1 - MAX_STAKE."""
_FIRST_SD = 0.35


def smallest_effect(m: int, n: int, alpha: float) -> float:
    """Return the effect in one of m quantities that n replicates show in half of all cases.

    In standard deviations of one replicate. A bet with the best stake on an effect d grows by
    d^2 / 2 a replicate; it has to make up for its share of the starting wealth as well.

    Parameters
    ----------
    m, n : int
    alpha : float
        The wealth to be reached is 1 / alpha.
    """
    needed = np.log(1.0 / alpha) + np.log(2.0 * m * 2 * len(EFFECTS))
    return float(np.sqrt(2.0 * needed / max(n, 1)))


@dataclass
class Wealth:
    """Running wealth of all bets on one stream of replicates; see the module.

    Attributes
    ----------
    n : int
        Replicates seen.
    log_single : ndarray, shape (M, bets)
        Log wealth of the bets on single quantities.
    log_learned : ndarray, shape (ridges * fractions,)
        Log wealth of the bets on learned directions.
    """

    m: int
    n: int = 0
    log_single: Array = field(init=False)
    log_learned: Array = field(init=False)
    _sum: Array = field(init=False)
    _products: Array = field(init=False)

    def __post_init__(self) -> None:
        self.log_single = np.zeros((self.m, 2 * len(EFFECTS)))
        self.log_learned = np.zeros(len(_RIDGES) * len(_FRACTIONS))
        self._sum = np.zeros(self.m)
        self._products = np.zeros((self.m, self.m))

    def add(self, d: Array) -> None:
        """Stake on one round of replicates, shape (n, M), entries in [-1, 1].

        Stakes depend on earlier rounds only, so a round's size may depend on them too.
        """
        for stake, log_wealth in zip(self._single_stakes(), self.log_single.T, strict=True):
            log_wealth += _log_product(1.0 + stake * d)
        if self.n >= _ENOUGH:
            for j, stakes in enumerate(self._learned_stakes()):
                self.log_learned[j] += np.log1p(d @ stakes).sum()
        self.n += len(d)
        self._sum += d.sum(axis=0)
        self._products += d.T @ d

    @property
    def log_wealth(self) -> float:
        """Log of the total; from 0."""
        single = logsumexp(self.log_single) - np.log(self.log_single.size)
        learned = logsumexp(self.log_learned) - np.log(self.log_learned.size)
        return float(np.logaddexp(single, learned) - np.log(2.0))

    @property
    def mean(self) -> Array:
        """Mean of each quantity, shape (M,)."""
        return self._sum / max(self.n, 1)

    @property
    def sd(self) -> Array:
        """Standard deviation of each quantity, shape (M,)."""
        variance = np.diag(self._products) / max(self.n, 1) - self.mean**2
        return np.sqrt(np.maximum(variance, 0.0))

    @property
    def effect(self) -> Array:
        """Mean of each quantity in standard deviations of one replicate, shape (M,)."""
        return np.asarray(self.mean / np.maximum(self.sd, 1e-6))

    @property
    def correlation(self) -> Array:
        """Correlations of the quantities, shape (M, M)."""
        sd = np.maximum(self.sd, 1e-6)
        covariance = self._products / max(self.n, 1) - np.outer(self.mean, self.mean)
        return np.asarray(covariance / np.outer(sd, sd))

    def _single_stakes(self) -> list[Array]:
        """Return the stake on each quantity for every effect size and sign; each (M,)."""
        prior = 50.0  # replicates' worth of the guess at the sd
        variance = (prior * _FIRST_SD**2 + self.n * self.sd**2) / (prior + self.n)
        sd = np.sqrt(variance)
        sizes = [np.minimum(effect / sd, MAX_STAKE) for effect in EFFECTS]
        return [sign * size for size in sizes for sign in (1.0, -1.0)]

    def _learned_stakes(self) -> list[Array]:
        """Return fractions of the ridge estimate of the best stakes (Kelly 1956), each (M,)."""
        second = self._products / self.n
        scale = np.diag(second) + 1e-9
        stakes: list[Array] = []
        for ridge in _RIDGES:
            best = np.linalg.solve(second + ridge * np.diag(scale), self.mean)
            best *= min(1.0, MAX_STAKE / max(np.abs(best).sum(), 1e-300))
            stakes.extend(fraction * best for fraction in _FRACTIONS)
        return stakes


def _log_product(factors: Array) -> Array:
    """Return the log of the product of each column: few logarithms, as they take most time."""
    whole = len(factors) - len(factors) % _AT_ONCE
    blocks = factors[:whole].reshape(-1, _AT_ONCE, factors.shape[1])
    products = np.vstack([blocks.prod(axis=1), factors[whole:].prod(axis=0)])
    return np.asarray(np.log(products).sum(axis=0))

"""Steps in another order or from old values: some are wrong, some are not."""

from __future__ import annotations

from typing import Any

import numpy as np

from gmmcompare.engines.gibbs.plain import Allocations
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors
from gmmcompare.validation.faults.sweep import GibbsSweep, sums, sums_of_squares


class Memory:
    """What one sweep leaves for the next, as long as calls continue one chain."""

    def __init__(self) -> None:
        self._last: tuple[Params, Any] | None = None

    def recalled(self, old: Params) -> Any:
        """Return what was kept if ``old`` is where the last call left the chain, else None."""
        if self._last is None or not all(map(np.array_equal, self._last[0], old)):
            return None
        return self._last[1]

    def keep(self, new: Params, what: Any) -> Params:
        """Remember ``what`` for the sweep after ``new``."""
        self._last = (Params(*(a.copy() for a in new)), what)
        return new


class StaleWeights(Memory):
    """Allocations drawn with the weights before the last."""

    def __call__(
        self,
        correct: GibbsSweep,
        w: Array,
        mu: Array,
        sigma: Array,
        y: Array,
        priors: Priors,
        rng: np.random.Generator,
    ) -> Params:
        """Make one sweep."""
        stale = self.recalled(Params(w, mu, sigma))
        new = correct.sweep(w if stale is None else stale, mu, sigma, y, priors, rng)
        return self.keep(new, w.copy())


class PreviousCounts(Memory):
    """Means drawn with the counts of the previous sweep."""

    def __call__(
        self,
        correct: GibbsSweep,
        z: Allocations,
        n_k: Array,
        old: Params,
        y: Array,
        priors: Priors,
        rng: np.random.Generator,
    ) -> Params:
        """Draw w, mu and sigma."""
        previous = self.recalled(old)
        counts = n_k if previous is None else previous
        w = correct.draw_weights(n_k, priors, rng)
        variance = 1.0 / (counts / old.sigma**2 + 1.0 / np.asarray(priors.mean_sd) ** 2)
        pull = priors.mean_loc / np.asarray(priors.mean_sd) ** 2
        loc = variance * (sums(z, y, w.size) / old.sigma**2 + pull)
        mu = rng.normal(loc, np.sqrt(variance))
        sigma = correct.draw_sigmas(n_k, sums_of_squares(z, y, mu), priors, rng)
        return self.keep(Params(w, mu, sigma), n_k)


class PreviousCountsOfSigma(Memory):
    """Standard deviations drawn with the counts of the previous sweep."""

    def __call__(
        self,
        correct: GibbsSweep,
        z: Allocations,
        n_k: Array,
        old: Params,
        y: Array,
        priors: Priors,
        rng: np.random.Generator,
    ) -> Params:
        """Draw w, mu and sigma."""
        previous = self.recalled(old)
        counts = n_k if previous is None else previous
        w = correct.draw_weights(n_k, priors, rng)
        mu = correct.draw_means(n_k, sums(z, y, w.size), old.sigma, priors, rng)
        sigma = correct.draw_sigmas(counts, sums_of_squares(z, y, mu), priors, rng)
        return self.keep(Params(w, mu, sigma), n_k)


def both_from_old_values(
    correct: GibbsSweep,
    z: Allocations,
    n_k: Array,
    old: Params,
    y: Array,
    priors: Priors,
    rng: np.random.Generator,
) -> Params:
    """Draw sigma about the old means: two conditionals, each given the other's old value."""
    w = correct.draw_weights(n_k, priors, rng)
    mu = correct.draw_means(n_k, sums(z, y, w.size), old.sigma, priors, rng)
    sigma = correct.draw_sigmas(n_k, sums_of_squares(z, y, old.mu), priors, rng)
    return Params(w, mu, sigma)


def sigma_before_mu(
    correct: GibbsSweep,
    z: Allocations,
    n_k: Array,
    old: Params,
    y: Array,
    priors: Priors,
    rng: np.random.Generator,
) -> Params:
    """Draw sigma first; not a fault."""
    w = correct.draw_weights(n_k, priors, rng)
    sigma = correct.draw_sigmas(n_k, sums_of_squares(z, y, old.mu), priors, rng)
    mu = correct.draw_means(n_k, sums(z, y, w.size), sigma, priors, rng)
    return Params(w, mu, sigma)


def empty_left_as_it_was(
    correct: GibbsSweep,
    z: Allocations,
    n_k: Array,
    old: Params,
    y: Array,
    priors: Priors,
    rng: np.random.Generator,
) -> Params:
    """Redraw mu and sigma of occupied components only; not a fault."""
    new = correct.draw_parameters(z, n_k, old, y, priors, rng)
    occupied = n_k > 0
    mu, sigma = (np.where(occupied, a, b) for a, b in zip(new[1:], old[1:], strict=True))
    return Params(new.w, mu, sigma)


def one_seed_for_all_chains(
    _: object, chains: int, rng: np.random.Generator
) -> list[np.random.Generator]:
    """Start every chain's stream from the same seed."""
    seed = int(rng.integers(2**32))
    return [np.random.default_rng(seed) for _ in range(chains)]

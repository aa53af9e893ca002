"""Conditions for a comparison: enough sound draws from each engine, all from the same mode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gmmcompare.compare.diagnostics import Convergence, convergence
from gmmcompare.compare.functionals import Functional, as_mapping, functionals
from gmmcompare.engines.check import copied_chains
from gmmcompare.fit import Fit
from gmmcompare.params import Array, Params
from gmmcompare.sample import Sample

MIN_CHAINS = 4
MAX_RHAT = 1.01
MIN_ESS = 1000.0
MODE_GAP = 10.0
"""A chain whose mean log-likelihood is this far below another's is in a minor mode."""
MAX_SMALL = 1e-3
MIN_CROSSINGS = 100


@dataclass(frozen=True)
class Evidence:
    """One engine's draws, prepared for judging; arrays (chains, draws).

    ``prob_small`` is P(some n_k <= 1) at each draw.
    """

    name: str
    functionals: tuple[Functional, ...]
    log_lik: Array
    prob_small: Array
    divergences: int | None
    copies: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, fit: Fit, aligned: Params, sample: Sample) -> Evidence:
        """Prepare a fit whose draws were aligned."""
        log_lik = fit.stat("log_lik")
        return cls(
            name=fit.engine,
            functionals=tuple(functionals(aligned, log_lik, sample)),
            log_lik=log_lik,
            prob_small=fit.stat("prob_small"),
            divergences=int(fit.stat("diverging").sum()) if fit.has_stat("diverging") else None,
            copies=tuple(copied_chains(fit.params)),
        )

    @cached_property
    def convergence(self) -> Convergence:
        """R-hat and ESS of every functional."""
        return convergence(as_mapping(list(self.functionals)))

    @property
    def chain_log_lik(self) -> Array:
        """Mean log-likelihood of each chain, shape (chains,)."""
        return np.asarray(self.log_lik.mean(axis=1))


def failed_checks(engine: Evidence, everyone: Sequence[Evidence]) -> list[str]:
    """Say in words which conditions for a comparison the engine does not meet.

    Parameters
    ----------
    engine : Evidence
    everyone : sequence of Evidence
        All engines of the comparison, among which the best chain is looked for.
    """
    return [
        *_copied(engine),
        *_too_few_chains(engine),
        *_minor_mode(engine, everyone),
        *_empty_states(engine),
        *_unconverged(engine),
        *_diverging(engine),
    ]


def low_chains(engine: Evidence, everyone: Sequence[Evidence]) -> tuple[list[int], float, str]:
    """Return chains in a minor mode (from 1), the largest gap, and whose chain is best."""
    best = max(everyone, key=lambda e: float(e.chain_log_lik.max()))
    gaps = best.chain_log_lik.max() - engine.chain_log_lik
    low = [int(c) + 1 for c in np.flatnonzero(gaps > MODE_GAP)]
    return low, float(gaps.max()), best.name


def suspects(pair: Sequence[Evidence], everyone: Sequence[Evidence]) -> list[str]:
    """Return the engines that have chains in a minor mode."""
    return [engine.name for engine in pair if low_chains(engine, everyone)[0]]


def _copied(engine: Evidence) -> list[str]:
    if not engine.copies:
        return []
    pairs = ", ".join(f"{a + 1} and {b + 1}" for a, b in engine.copies)
    return [f"chains {pairs} are copies of each other: they share a random stream"]


def _too_few_chains(engine: Evidence) -> list[str]:
    chains = engine.log_lik.shape[0]
    if chains >= MIN_CHAINS:
        return []
    return [
        f"has {chains} chain{'s' if chains > 1 else ''}; at least {MIN_CHAINS} are needed to see "
        "whether chains found the same mode"
    ]


def _minor_mode(engine: Evidence, everyone: Sequence[Evidence]) -> list[str]:
    low, gap, best = low_chains(engine, everyone)
    if not low:
        return []
    chains = engine.log_lik.shape[0]
    which = "all chains" if len(low) == chains else f"chain{'s' if len(low) > 1 else ''} "
    which += "" if len(low) == chains else ", ".join(map(str, low))
    whom = "its best chain" if best == engine.name else best
    return [f"{which} {gap:.0f} below {whom} in log-likelihood: a minor mode"]


def _empty_states(engine: Evidence) -> list[str]:
    share = float(engine.prob_small.mean())
    if share <= MAX_SMALL:
        return []
    crossings = int(np.count_nonzero(np.diff(engine.prob_small > 0.5, axis=1)))
    if crossings >= MIN_CROSSINGS:
        return []
    return [
        f"a component has at most one observation in {100 * share:.2g} % of the draws, entered and "
        f"left {crossings} times; {MIN_CROSSINGS} are needed to know how often"
    ]


def _unconverged(engine: Evidence) -> list[str]:
    found = []
    name, rhat = engine.convergence.worst_rhat
    if not np.isnan(rhat) and rhat >= MAX_RHAT:
        found.append(f"R-hat {rhat:.3f} of {name} (below {MAX_RHAT} needed)")
    name, ess = engine.convergence.worst_ess
    if not np.isnan(ess) and ess < MIN_ESS:
        found.append(f"ESS {ess:,.0f} of {name} ({MIN_ESS:,.0f} needed)")
    return found


def _diverging(engine: Evidence) -> list[str]:
    if not engine.divergences:
        return []
    return [f"{engine.divergences} divergences"]

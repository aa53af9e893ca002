"""Conditions for a comparison: enough sound draws from each engine, all from the same mode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmmcompare.comparison.diagnostics import SHORTEST
from gmmcompare.comparison.evidence import Evidence
from gmmcompare.comparison.reasons import Code, Reason
from gmmcompare.comparison.thresholds import (
    MAX_RHAT,
    MAX_SMALL,
    MIN_CHAINS,
    MIN_CROSSINGS,
    MIN_ESS,
    MIN_SLOWEST,
    MODE_GAP,
)
from gmmcompare.model.mixture import log_likelihood
from gmmcompare.model.params import Params

MOST_RESTORED = 5
"""Components of which all orders are tried."""


@dataclass(frozen=True)
class Checked:
    """One engine's evidence, and what it failed of the conditions for a comparison.

    Attributes
    ----------
    evidence : Evidence
    faults : tuple of Reason
        What casts doubt on the engine.
    shortages : tuple of Reason
        That it ran too short, which does not.
    """

    evidence: Evidence
    faults: tuple[Reason, ...]
    shortages: tuple[Reason, ...]

    @property
    def name(self) -> str:
        """Name of the engine."""
        return self.evidence.name

    @property
    def failures(self) -> tuple[Reason, ...]:
        """All that it failed."""
        return self.faults + self.shortages

    def failed(self, *codes: Code) -> bool:
        """Whether it failed any of these."""
        return any(why.code in codes for why in self.failures)


def check(engine: Evidence, everyone: Sequence[Evidence]) -> Checked:
    """Check one engine.

    Parameters
    ----------
    engine : Evidence
    everyone : sequence of Evidence
        All engines of the comparison, among which the best chain is looked for.
    """
    return Checked(
        engine,
        faults=(
            *_copied(engine),
            *_dependent(engine),
            *_low_chains(engine, everyone),
            *_empty_states(engine),
            *_diverging(engine),
            *_unconverged(engine),
        ),
        shortages=(*_too_few_chains(engine), *_too_few_draws(engine)),
    )


def _best_chain(engine: Evidence, everyone: Sequence[Evidence]) -> tuple[float, str]:
    """Return the highest mean log-likelihood of a chain, and its engine.

    Another engine's, if that is enough above this one's lowest; else the engine's own best chain.
    """
    tops = {e.name: float(e.chain_log_lik.max()) for e in (engine, *everyone)}
    own = tops.pop(engine.name)
    other = max(tops, key=tops.__getitem__, default=engine.name)
    best = max(own, tops.get(other, own))
    by_other = tops.get(other, -np.inf) - float(engine.chain_log_lik.min())
    return best, other if by_other > MODE_GAP else engine.name


def _low_chains(engine: Evidence, everyone: Sequence[Evidence]) -> list[Reason]:
    """Say what chains are that have a lower log-likelihood than the best of any engine.

    They may have started low, be made of components that do not belong together, or else be in a
    minor mode.
    """
    best, whose = _best_chain(engine, everyone)
    gaps = best - engine.chain_log_lik
    low = gaps > MODE_GAP
    if engine.log_lik is None:
        return []
    late = engine.log_lik[:, engine.log_lik.shape[1] * 3 // 4 :].mean(axis=1)
    rising = low & (best - late <= MODE_GAP)
    found = []
    if rising.any():
        numbers = {
            **_which(rising),
            "gap": float((late - engine.chain_log_lik)[rising].max()),
        }
        found.append(Reason(Code.TREND, numbers, engine=engine.name))
    stuck = low & ~rising
    if not stuck.any():
        return found
    gap = float(gaps[stuck].max())
    mixed = _mixed(engine, best) if stuck.all() else None
    if mixed:
        return [*found, Reason(Code.MIXED_COMPONENTS, {"gap": gap, **mixed}, engine=engine.name)]
    numbers = {**_which(stuck), "gap": gap, "best": "" if whose == engine.name else whose}
    return [*found, Reason(Code.MINOR_MODE, numbers, engine=engine.name)]


def _which(chains: NDArray[np.bool_]) -> dict[str, Any]:
    return {
        "chains": tuple(int(c) + 1 for c in np.flatnonzero(chains)),
        "n_chains": chains.size,
    }


def _mixed(engine: Evidence, best: float) -> dict[str, Any] | None:
    """Find a field which is in another order than the others: w, mu or sigma sorted by itself.

    In the best order in each draw, its log-likelihood is as high as that of the best chain.
    """
    if engine.some is None or engine.sample is None or not 1 < engine.some.K <= MOST_RESTORED:
        return None
    w, mu, sigma = engine.some
    orders = [list(order) for order in permutations(range(engine.some.K))]
    restored = {}
    for field in Params._fields:
        tried = (
            Params(w, mu, sigma)._replace(**{field: getattr(engine.some, field)[:, order]})
            for order in orders
        )
        heights = np.stack([log_likelihood(engine.sample, params) for params in tried])
        restored[field] = best - float(heights.max(axis=0).mean())
    field = min(restored, key=restored.__getitem__)
    return {"field": field, "restored": restored[field]} if restored[field] <= MODE_GAP else None


def _copied(engine: Evidence) -> list[Reason]:
    if not engine.copies:
        return []
    pairs = tuple((a + 1, b + 1) for a, b in engine.copies)
    return [Reason(Code.COPIED_CHAINS, {"pairs": pairs}, engine=engine.name)]


def _dependent(engine: Evidence) -> list[Reason]:
    if not engine.dependent:
        return []
    first = max(engine.dependent, key=lambda d: abs(d.correlation))
    numbers = {
        "pairs": tuple((d.a + 1, d.b + 1) for d in engine.dependent),
        "correlation": first.correlation,
        "shift": first.shift,
    }
    return [Reason(Code.DEPENDENT_CHAINS, numbers, engine=engine.name)]


def _too_few_chains(engine: Evidence) -> list[Reason]:
    chains, draws = engine.shape
    if draws < SHORTEST:
        return [Reason(Code.TOO_SHORT, {"draws": draws, "needed": SHORTEST}, engine=engine.name)]
    if chains >= MIN_CHAINS:
        return []
    return [
        Reason(Code.TOO_FEW_CHAINS, {"chains": chains, "needed": MIN_CHAINS}, engine=engine.name)
    ]


def _empty_states(engine: Evidence) -> list[Reason]:
    p = engine.prob_small
    if p is None or p.mean() <= MAX_SMALL:
        return []
    # Given the draws, allocations are independent: so many changes of state are expected.
    crossings = float((p[:, 1:] * (1.0 - p[:, :-1]) + p[:, :-1] * (1.0 - p[:, 1:])).sum())
    if crossings >= MIN_CROSSINGS:
        return []
    numbers = {
        "chains": tuple(int(c) + 1 for c in np.flatnonzero(p.mean(axis=1) > MAX_SMALL)),
        "n_chains": len(p),
        "share": float(p.mean()),
        "transitions": crossings,
        "needed": MIN_CROSSINGS,
    }
    return [Reason(Code.RARE_EMPTY_STATES, numbers, engine=engine.name)]


def _unconverged(engine: Evidence) -> list[Reason]:
    name, rhat = engine.convergence.worst_rhat
    if np.isnan(rhat) or rhat < MAX_RHAT:
        return []
    numbers = {"functional": name, "rhat": rhat, "limit": MAX_RHAT}
    return [Reason(Code.HIGH_RHAT, numbers, engine=engine.name)]


def _too_few_draws(engine: Evidence) -> list[Reason]:
    name, ess = engine.convergence.worst_ess
    if ess < MIN_ESS:
        numbers = {"functional": name, "ess": ess, "needed": MIN_ESS}
        return [Reason(Code.LOW_ESS, numbers, engine=engine.name)]
    slowest = engine.convergence.slowest
    if slowest < MIN_SLOWEST:
        numbers = {"ess": slowest, "needed": MIN_SLOWEST}
        return [Reason(Code.SLOW_COMBINATION, numbers, engine=engine.name)]
    return []


def _diverging(engine: Evidence) -> list[Reason]:
    if not engine.divergences:
        return []
    return [Reason(Code.DIVERGENCES, {"count": engine.divergences}, engine=engine.name)]

"""Evidence made of independent normal draws, spoilt in known ways."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from gmmcompare.comparison.agreement import PairVerdict, judge_draws
from gmmcompare.comparison.checks import Checked, check
from gmmcompare.comparison.evidence import Evidence
from gmmcompare.comparison.functionals import Functional
from gmmcompare.comparison.remedies import remedies

NAMES = ("log_lik", "mean", "sorted_w[1]", "w[1]", "mu[1]", "log_sigma[1]")


def make_evidence(
    name: str,
    seed: int,
    *,
    chains: int = 4,
    draws: int = 2500,
    shift: float = 0.0,
    chain_log_lik: tuple[float, ...] = (),
    prob_small: np.ndarray | None = None,
    **changed: object,
) -> Evidence:
    """Return evidence; ``shift`` moves mu[1] alone, ``chain_log_lik`` is added by chain."""
    values = np.random.default_rng(seed).standard_normal((len(NAMES), chains, draws))
    values[NAMES.index("mu[1]")] += shift
    if chain_log_lik:
        values[0] += np.array(chain_log_lik)[:, None]
    found = (
        Functional(n, v, n in NAMES[:3], n.startswith(("w[", "mu[", "log_sigma[")))
        for n, v in zip(NAMES, values, strict=True)
    )
    none = np.zeros((chains, draws))
    return Evidence(
        name,
        tuple(found),
        log_lik=values[0],
        prob_small=none if prob_small is None else prob_small,
        divergences=changed.pop("divergences", None),
        **changed,
    )


def judge(
    a: Evidence,
    b: Evidence,
    refit: Callable[[str, int], Evidence | None] | None = None,
    peers: Sequence[Evidence] = (),
) -> PairVerdict:
    """Check two engines, among their peers, and judge them."""
    everyone = list(peers) or [a, b]

    def again(name: str, this_round: int) -> Checked | None:
        found = refit(name, this_round) if refit else None
        return found and check(found, everyone)

    found = judge_draws(check(a, everyone), check(b, everyone), refit and again)
    if found.verdict == "inconclusive":
        fits = {e.name: _fit(e) for e in (a, b)}
        assert remedies([found], fits, {a.name: 500.0, b.name: 500.0}), "nothing would settle it"
    return found


def _fit(of: Evidence) -> Any:
    """Return what `remedies` looks at of a fit."""
    params = SimpleNamespace(w=np.empty((*of.log_lik.shape, 1)))
    return SimpleNamespace(
        engine=of.name, kind="draws", origin="own", K=1, settings={}, params=params
    )

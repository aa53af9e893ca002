"""What each criterion selects, how clearly, and what stands against believing it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gmmcompare.comparison.reasons import Reason, to_codes
from gmmcompare.selection.criteria import Criteria
from gmmcompare.selection.left_out import MAX_VALUES
from gmmcompare.selection.loo import MAX_K
from gmmcompare.selection.reasons import Code
from gmmcompare.selection.words import sentence

_SMALL = 4.0
"""Differences of LOO below this are too small for their standard errors to be relied on (Sivula,
Magnusson, Matamoros and Vehtari 2020)."""
_APART = 2.0
"""Standard errors between two values that are told apart."""
_MONTE_CARLO = 3.0
_MIN_CHANGES, _NO_CHANGES = 100.0, 0.01
"""Expected changes of occupancy below which the share of the rarer state is not known, unless there
are so few that the state does not matter."""


@dataclass(frozen=True)
class Conclusion:
    """One criterion's answer.

    Attributes
    ----------
    criterion : str
        aic, bic, icl, loo or evidence.
    engine : str
        Whose draws it rests on; empty for a criterion of the maximum likelihood.
    prefers : int or None
    answer : Reason
        What it selects and how clearly.
    doubts : tuple of Reason
        Empty where nothing stands against it.
    """

    criterion: str
    engine: str
    prefers: int | None
    answer: Reason
    doubts: tuple[Reason, ...]

    @property
    def sentence(self) -> str:
        """The answer in words."""
        return sentence(self.answer)

    def to_dict(self) -> dict[str, Any]:
        """Return an entry of ``conclusions`` in ``selection.json``."""
        return {
            "criterion": self.criterion,
            "engine": self.engine,
            "prefers": self.prefers,
            "sentence": self.sentence,
            "doubts": [sentence(doubt) for doubt in self.doubts],
            "codes": to_codes((self.answer, *self.doubts)),
        }


def conclusions(criteria: Criteria) -> tuple[Conclusion, ...]:
    """Return the answer of every criterion, by every engine that draws."""
    found = [_of_maximum(criteria, name) for name in ("aic", "bic", "icl")]
    found += [_of_loo(criteria, engine) for engine in criteria.engines]
    found += [_of_evidence(criteria, engine) for engine in criteria.engines]
    return tuple(found)


def _of_maximum(criteria: Criteria, criterion: str) -> Conclusion:
    values, best = criteria.values(criterion), criteria.best(criterion)
    if best is None:
        nothing = Reason(Code.NO_SELECTION, {"criterion": criterion})
        return Conclusion(criterion, "", None, nothing, ())
    gaps = tuple((K, value - values[best]) for K, value in values.items() if best != K)
    numbers = {"criterion": criterion, "selected": best, "gaps": gaps}
    answer = Reason(Code.SELECTED_BY_MAXIMUM, numbers)
    return Conclusion(criterion, "", best, answer, tuple(_missing(criteria, criterion, values)))


def _of_loo(criteria: Criteria, engine: str) -> Conclusion:
    best = criteria.best("loo", engine)
    assert best is not None, "an engine of the selection drew for at least one K"
    gaps = [(K, d.value, d.se) for K, d in criteria.loo_differences(engine).items()]
    alike = tuple(gap for gap in gaps if gap[1] < max(_APART * gap[2], _SMALL))
    numbers = {
        "draws": engine,
        "selected": best,
        "alike": alike,
        "worse": tuple(gap for gap in gaps if gap not in alike),
    }
    sampled = criteria.sampled(engine)
    unreliable = {"draws": engine, "n": criteria.sample.n, "limit": MAX_K, "refits": MAX_VALUES}
    doubts = [
        Reason(Code.HIGH_PARETO_K, {**unreliable, "count": s.loo.n_bad}).of_components(K)
        for K, s in sampled.items()
        if s.loo.n_bad
    ]
    doubts += [
        Reason(Code.MODES_POOLED, {"draws": engine}).of_components(K)
        for K, s in sampled.items()
        if len(s.evidence.modes) > 1
    ]
    answer = Reason(Code.SELECTED_BY_LOO, numbers)
    return Conclusion("loo", engine, best, answer, (*doubts, *_doubted(criteria, engine)))


def _of_evidence(criteria: Criteria, engine: str) -> Conclusion:
    best = criteria.best("evidence", engine)
    assert best is not None, "an engine of the selection drew for at least one K"
    found = {K: s.evidence for K, s in criteria.sampled(engine).items()}
    p = criteria.probabilities(engine)[best]
    numbers = {
        "draws": engine,
        "selected": best,
        "probability": p.value,
        "low": p.low,
        "high": p.high,
        "gaps": tuple(
            (K, found[best].value - e.value, float(np.hypot(found[best].se, e.se)))
            for K, e in found.items()
            if best != K
        ),
    }
    answer = Reason(Code.SELECTED_BY_EVIDENCE, numbers)
    doubts = (*_modes(criteria, engine), *_rare(criteria, engine), *_doubted(criteria, engine))
    return Conclusion("evidence", engine, best, answer, doubts)


def sampling_doubts(criteria: Criteria) -> tuple[Reason, ...]:
    """Return why engines' draws are in doubt, or missing, by number of components."""
    return tuple(
        reason.of_components(c.K)
        for c in criteria.candidates
        for reason in (*(d for s in c.sampled.values() for d in s.doubts), *c.notes.values())
    )


def disagreements(criteria: Criteria, found: Sequence[Conclusion]) -> tuple[Reason, ...]:
    """Return where criteria or engines differ, and why they may."""
    said = [_between_criteria(found), *_price_of_components(criteria)]
    for criterion in ("loo", "evidence"):
        said += _between_engines(criteria, criterion)
    largest = criteria.components[-1]
    edge = tuple(dict.fromkeys(c.criterion for c in found if c.prefers == largest))
    if edge:
        said.append(Reason(Code.LARGEST_SELECTED, {"largest": largest, "criteria": edge}))
    return tuple(said)


def _between_criteria(found: Sequence[Conclusion]) -> Reason:
    by_K: dict[int, list[tuple[str, str]]] = {}
    for c in found:
        if c.prefers is not None:
            by_K.setdefault(c.prefers, []).append((c.criterion, c.engine))
    if len(by_K) == 1:
        return Reason(Code.ALL_SELECT, {"selected": next(iter(by_K))})
    choices = tuple((K, tuple(who)) for K, who in by_K.items())
    return Reason(Code.CRITERIA_DIFFER, {"choices": choices})


def _price_of_components(criteria: Criteria) -> list[Reason]:
    """Contrast what a further component gains in fit with what it costs in prior volume."""
    engine = criteria.engines[0] if criteria.engines else ""
    best = criteria.best("evidence", engine)
    fits = {c.K: c.information.log_lik for c in criteria.candidates if c.information}
    values = criteria.values("evidence", engine)
    more = [K for K in criteria.components if best is not None and best < K and K in values]
    if best is None or not more or best not in fits or more[0] not in fits:
        return []
    numbers = {
        "draws": engine,
        "selected": best,
        "more": more[0],
        "gain": fits[more[0]] - fits[best],
        "loss": values[best] - values[more[0]],
    }
    return [Reason(Code.PRICE_OF_COMPONENTS, numbers)]


def _between_engines(criteria: Criteria, criterion: str) -> list[Reason]:
    """Say at which K two engines' values differ by more than their Monte Carlo errors."""
    if len(criteria.engines) < 2:
        return []
    a, b = (criteria.sampled(engine) for engine in criteria.engines[:2])
    numbers = {"criterion": criterion, "engines": criteria.engines[:2]}
    apart, largest, compared = [], 0.0, False
    for K in sorted(set(a) & set(b)):
        if criterion == "loo":
            gap, error = a[K].loo.elpd - b[K].loo.elpd, np.hypot(a[K].loo.mcse, b[K].loo.mcse)
        else:
            one, other = a[K].evidence, b[K].evidence
            gap, error = one.value - other.value, np.hypot(one.se, other.se)
        if not np.isfinite(error):
            continue
        compared = True
        # Values that are exact have no error and are the same.
        largest = max(largest, float(abs(gap) / error) if gap else 0.0)
        if abs(gap) > _MONTE_CARLO * error:
            apart.append((K, float(abs(gap)), float(error)))
    if apart:
        return [Reason(Code.ENGINES_APART, {**numbers, "at": tuple(apart)})]
    if not compared:
        return []
    return [Reason(Code.ENGINES_ALIKE, {**numbers, "largest": largest})]


def _missing(criteria: Criteria, criterion: str, values: Iterable[int]) -> list[Reason]:
    return [
        Reason(Code.NO_VALUE, {"criterion": criterion, "run": "em" in c.notes}).of_components(c.K)
        for c in criteria.candidates
        if c.K not in values
    ]


def _doubted(criteria: Criteria, engine: str) -> list[Reason]:
    """Say at which numbers of components an engine's draws are in doubt, if at any."""
    at = tuple(K for K, s in criteria.sampled(engine).items() if s.doubts)
    return [Reason(Code.DOUBTFUL_DRAWS, {"draws": engine, "at": at})] if at else []


def _rare(criteria: Criteria, engine: str) -> list[Reason]:
    """Say where the number of occupied components hardly ever changed in an engine's draws."""
    return [
        Reason(
            Code.RARE_OCCUPANCY,
            {"draws": engine, "changes": s.occupancy_changes, "needed": _MIN_CHANGES},
        ).of_components(K)
        for K, s in criteria.sampled(engine).items()
        if _NO_CHANGES < s.occupancy_changes < _MIN_CHANGES
    ]


def _modes(criteria: Criteria, engine: str) -> list[Reason]:
    """Say which chains sit in which mode, and what each mode is worth."""
    found = []
    for K, s in criteria.sampled(engine).items():
        if len(s.evidence.modes) > 1:
            modes = tuple(
                (tuple(c + 1 for c in chains), share)
                for chains, share in zip(s.evidence.modes, s.evidence.shares.tolist(), strict=True)
            )
            numbers = {"draws": engine, "modes": modes}
            found.append(Reason(Code.SEVERAL_MODES, numbers).of_components(K))
    return found

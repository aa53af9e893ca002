"""What each criterion prefers, how clearly, and what stands against believing it, in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gmmcompare.comparison.names import display_name
from gmmcompare.comparison.words import phrase

if TYPE_CHECKING:
    from gmmcompare.selection.selection import Selection

NAMES = {"aic": "AIC", "bic": "BIC", "icl": "ICL", "loo": "LOO", "evidence": "The evidence"}
_STRENGTH = ((2.0, "hardly"), (6.0, "moderately"), (10.0, "strongly"), (np.inf, "very strongly"))
"""Differences of minus twice a log probability, in words (Kass and Raftery 1995)."""
_SMALL = 4.0
"""Differences of LOO below this are too small for their standard errors to be relied on (Sivula,
Magnusson, Matamoros and Vehtari 2020)."""
_APART = 2.0
"""Standard errors between two values that are told apart."""
_MONTE_CARLO = 3.0
_WIDE = 0.005
"""An interval of a probability narrower than this is not worth its words."""


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
    sentence : str
    doubts : tuple of str
        One sentence each; empty where nothing stands against it.
    """

    criterion: str
    engine: str
    prefers: int | None
    sentence: str
    doubts: tuple[str, ...]


def conclusions(selection: Selection) -> tuple[Conclusion, ...]:
    """Return the answer of every criterion, by every engine that draws."""
    found = [_of_maximum(selection, name) for name in ("aic", "bic", "icl")]
    found += [_of_loo(selection, engine) for engine in selection.engines]
    found += [_of_evidence(selection, engine) for engine in selection.engines]
    return tuple(found)


def _of_maximum(selection: Selection, criterion: str) -> Conclusion:
    values, best = selection.values(criterion), selection.best(criterion)
    title = NAMES[criterion]
    if best is None:
        return Conclusion(criterion, "", None, f"{title} has no value: there is no fit by EM.", ())
    gaps = {K: value - values[best] for K, value in values.items() if best != K}
    sentence = f"{title} prefers {best}"
    if gaps:
        next_best = min(gaps, key=gaps.__getitem__)
        sentence = (
            f"{title} {_strength(gaps[next_best])} prefers {best}: "
            f"{gaps[next_best]:,.1f} lower than with {next_best}"
        )
    return Conclusion(criterion, "", best, f"{sentence}.", tuple(_missing(selection, values)))


def _of_loo(selection: Selection, engine: str) -> Conclusion:
    best = selection.best("loo", engine)
    assert best is not None, "an engine of the selection drew for at least one K"
    name, gaps = display_name(engine), selection.loo_differences(engine)
    alike = [K for K, d in gaps.items() if d.value < max(_APART * d.se, _SMALL)]
    worse = {K: d for K, d in gaps.items() if K not in alike}
    sentence = f"LOO by {name} is highest with {best}"
    if alike:
        told = _listed([f"{K} ({gaps[K].value:.1f} ± {gaps[K].se:.1f} lower)" for K in alike])
        sentence += f" but cannot tell it from {told}"
    if worse:
        nearest = min(worse, key=lambda K: worse[K].value)
        d = worse[nearest]
        rest = f"{nearest} is" if len(worse) == 1 else f"of the rest, {nearest} comes nearest,"
        sentence += f"; {rest} {d.value:,.1f} ± {d.se:,.1f} lower"
    doubts = [
        f"With {K} components, {s.loo.n_bad} of {selection.sample.n:,} observations have a Pareto "
        "k above 0.7: their part of the sum is not to be relied on."
        for K, s in selection.sampled(engine).items()
        if s.loo.n_bad
    ]
    doubts += [
        f"With {K} components LOO takes all chains alike, not each mode by its weight."
        for K, s in selection.sampled(engine).items()
        if len(s.evidence.modes) > 1
    ]
    return Conclusion("loo", engine, best, f"{sentence}.", (*doubts, *_doubted(selection, engine)))


def _of_evidence(selection: Selection, engine: str) -> Conclusion:
    best = selection.best("evidence", engine)
    assert best is not None, "an engine of the selection drew for at least one K"
    name, values = display_name(engine), selection.values("evidence", engine)
    p = selection.probabilities(engine)[best]
    sentence = f"The evidence by {name} gives {best} components probability {_percent(p.value)}"
    if p.high - p.low > _WIDE:
        sentence += f" (90 % interval of the estimate: {_percent(p.low)} to {_percent(p.high)})"
    gaps = {K: values[best] - value for K, value in values.items() if best != K}
    if gaps:
        next_best = min(gaps, key=gaps.__getitem__)
        one, other = (selection.sampled(engine)[K].evidence for K in (best, next_best))
        sentence += (
            f" and {_strength(2 * gaps[next_best])} prefers it: its log evidence is "
            f"{gaps[next_best]:.2f} ± {np.hypot(one.se, other.se):.2f} above that of {next_best}"
        )
    doubts = (*_modes(selection, engine), *_doubted(selection, engine))
    return Conclusion("evidence", engine, best, f"{sentence}.", doubts)


def sampling_doubts(selection: Selection) -> tuple[str, ...]:
    """Say why an engine's draws are in doubt, or missing, a sentence for each K and engine."""
    said = []
    for c in selection.candidates:
        for engine, s in c.sampled.items():
            if s.doubts:
                said.append(
                    f"{c.K} components, {display_name(engine)}: {'; '.join(map(phrase, s.doubts))}."
                )
        said += [
            f"{c.K} components, {display_name(name)}: {note}." for name, note in c.notes.items()
        ]
    return tuple(said)


def disagreements(selection: Selection, found: Sequence[Conclusion]) -> tuple[str, ...]:
    """Say where criteria or engines differ, and why they may."""
    said = [*_between_criteria(found), *_price_of_components(selection, found)]
    for criterion in ("loo", "evidence"):
        said += _between_engines(selection, criterion)
    edge = [NAMES[c.criterion] for c in found if c.prefers == selection.components[-1]]
    if edge:
        names = _listed(list(dict.fromkeys(n[0].lower() + n[1:] if " " in n else n for n in edge)))
        said.append(
            f"{selection.components[-1]} is the largest number tried and {names} would have it: "
            "more components may do better still."
        )
    return tuple(said)


def _between_criteria(found: Sequence[Conclusion]) -> list[str]:
    by_K: dict[int, list[str]] = {}
    for c in found:
        if c.prefers is not None:
            who = NAMES[c.criterion].removeprefix("The ")
            by_K.setdefault(c.prefers, []).append(
                f"{who} by {display_name(c.engine)}" if c.engine else who
            )
    if len(by_K) == 1:
        return [f"Every criterion prefers {next(iter(by_K))} components."]
    parts = [f"{_listed(names)} prefer{'s' * (len(names) == 1)} {K}" for K, names in by_K.items()]
    return ["The criteria disagree: " + "; ".join(parts) + "."]


def _price_of_components(selection: Selection, found: Sequence[Conclusion]) -> list[str]:
    """Contrast what a further component gains in fit with what it costs in prior volume."""
    engine = selection.engines[0] if selection.engines else ""
    best = selection.best("evidence", engine)
    fits = {c.K: c.information.log_lik for c in selection.candidates if c.information}
    values = selection.values("evidence", engine)
    more = [K for K in selection.components if best is not None and best < K and K in values]
    if best is None or not more or best not in fits or more[0] not in fits:
        return []
    gain = fits[more[0]] - fits[best]
    loss = values[best] - values[more[0]]
    return [
        f"From {best} to {more[0]} components the maximum of the log-likelihood rises by "
        f"{gain:.1f}, and the log evidence falls by {loss:.1f}: averaging over the prior costs "
        f"{gain + loss:.1f}. The wider the priors, the more each further component costs (Bartlett "
        "1957, Lindley 1957): the evidence answers for these priors, and says little of whether a "
        "component is there where they are vague. LOO, AIC and BIC hardly see the priors."
    ]


def _between_engines(selection: Selection, criterion: str) -> list[str]:
    """Say at which K two engines' values differ by more than their Monte Carlo errors."""
    if len(selection.engines) < 2:
        return []
    a, b = (selection.sampled(engine) for engine in selection.engines[:2])
    what = "LOO" if criterion == "loo" else "The log evidence"
    apart, largest = [], 0.0
    for K in sorted(set(a) & set(b)):
        if criterion == "loo":
            gap, error = a[K].loo.elpd - b[K].loo.elpd, np.hypot(a[K].loo.mcse, b[K].loo.mcse)
        else:
            one, other = a[K].evidence, b[K].evidence
            gap, error = one.value - other.value, np.hypot(one.se, other.se)
        largest = max(largest, abs(gap) / error)
        if abs(gap) > _MONTE_CARLO * error:
            apart.append(f"{K} ({abs(gap):.2f} apart, Monte Carlo error {error:.2f})")
    names = _listed([display_name(engine) for engine in selection.engines[:2]])
    if apart:
        missed = " The smaller may have missed a mode, which none of its chains found."
        return [
            f"{what} by {names} differs by more than Monte Carlo error at {_listed(apart)}."
            f"{missed if criterion == 'evidence' else ''}"
        ]
    return [
        f"{what} by {names} agrees at every number of components: within {largest:.1f} Monte Carlo "
        "errors."
    ]


def _missing(selection: Selection, values: Iterable[int]) -> list[str]:
    return [
        f"With {c.K} components there is no value: {c.notes.get('em', 'EM was not run')}."
        for c in selection.candidates
        if c.K not in values
    ]


def _doubted(selection: Selection, engine: str) -> list[str]:
    """Say at which numbers of components an engine's draws are in doubt, if at any."""
    at = [str(K) for K, s in selection.sampled(engine).items() if s.doubts]
    if not at:
        return []
    return [f"With {_listed(at)} components the draws of {display_name(engine)} are in doubt."]


def _modes(selection: Selection, engine: str) -> list[str]:
    """Say which chains sit in which mode, and what each mode is worth."""
    said = []
    for K, s in selection.sampled(engine).items():
        if len(s.evidence.modes) > 1:
            worth = [
                f"that of chain{'s' if len(chains) > 1 else ''} "
                f"{_listed([str(c + 1) for c in chains])} has {_percent(share)}"
                for chains, share in zip(s.evidence.modes, s.evidence.shares.tolist(), strict=True)
            ]
            said.append(
                f"With {K} components the chains sit in {len(worth)} modes and do not move "
                f"between them. The evidence adds up these modes: {_listed(worth)} of the "
                "posterior. A mode that no chain found is not in it."
            )
    return said


def _strength(difference: float) -> str:
    return next(word for limit, word in _STRENGTH if difference < limit)


def _percent(value: float) -> str:
    if 0.0 < value < 0.001:
        return "below 0.1 %"
    return "above 99.9 %" if 0.999 < value < 1.0 else f"{100 * value:.3g} %"


def _listed(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"

"""What a page says first: the verdict, how sure it is, which engine is fastest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gmmcompare.comparison.agreement import PairVerdict
from gmmcompare.comparison.comparison import Comparison
from gmmcompare.comparison.thresholds import (
    ALPHA,
    CLOUD_QUANTILE,
    CONFIRM_ALPHA,
    MARGIN,
    MIN_ESS,
    UNREPEATED_ALPHA,
)
from gmmcompare.comparison.words import sentence
from gmmcompare.report.comparison.figures import Looks
from gmmcompare.report.frame.words import (
    NO_BREAK,
    number,
    quantity,
    seconds,
    significant,
    statistic,
    typeset,
)

VERDICT_TITLES = {
    "agree": "The engines agree",
    "disagree": "The engines disagree",
    "inconclusive": "Inconclusive",
}


@dataclass(frozen=True)
class PairText:
    """One pair's verdict in words and key figures."""

    a: str
    b: str
    verdict: str
    reasons: tuple[str, ...]
    suspect: str
    figures: tuple[tuple[str, str, str], ...]
    """(glossary key, what, value)"""


@dataclass(frozen=True)
class Speed:
    """One engine's times; ``ess`` and ``per_second`` are NaN for a point estimate."""

    engine: str
    prepare: float
    sample: float
    draws: int
    ess: float
    worst: str
    per_second: float
    share: float
    """Of the fastest engine's effective draws per second, 0 to 1."""


def pair_texts(comparison: Comparison, looks: Looks) -> list[PairText]:
    """Put every pair's verdict in words."""
    return [
        PairText(
            a=looks[pair.a].text,
            b=looks[pair.b].text,
            verdict=pair.verdict,
            reasons=tuple(typeset(sentence(reason)) for reason in pair.reasons),
            suspect=looks[pair.suspect].text if pair.suspect else "",
            figures=tuple(_pair_figures(pair)),
        )
        for pair in comparison.pairs
    ]


def _pair_figures(pair: PairVerdict) -> list[tuple[str, str, str]]:
    if pair.functionals:
        tested = f"{pair.statistics}"
        found = [
            ("quantity", "statistics compared", tested),
            ("margin", "difference still possible", f"{number(pair.bound, 3)} sd"),
            ("mdd", "detectable difference", f"{number(pair.mdd, 3)} sd"),
        ]
        if pair.rounds > 1:
            found.append(("seed", "rounds with fresh seeds", str(pair.rounds)))
        if pair.ess_needed:
            found.append(("ess", "effective draws needed", number(pair.ess_needed, 0)))
        return found
    found = []
    if "mahalanobis" in pair.numbers:
        limit = number(pair.numbers.get("mahalanobis_limit", np.nan), 1)
        distance = number(pair.numbers["mahalanobis"], 2)
        found.append(("mahalanobis", "distance from the centre", f"{distance} (limit {limit})"))
    gaps = {
        "log-likelihood short of the best": pair.numbers.get("log_lik_gap", np.nan),
        "log posterior density short of the best": pair.numbers.get("density_gap", np.nan),
    }
    known = {what: gap for what, gap in gaps.items() if not np.isnan(gap)}
    if known:
        what = min(known, key=known.__getitem__)
        found.append(("log-likelihood", what, number(known[what], 2)))
    return found


def speeds(comparison: Comparison, looks: Looks) -> list[Speed]:
    """Return every engine's times, and effective draws of its slowest quantity per second."""
    rows = []
    for name, summary in comparison.summaries.items():
        fit = comparison.fits[name]
        worst, ess = "", float("nan")
        if summary.diagnostics:
            worst, ess = summary.diagnostics.parameters.worst_ess
        took = fit.seconds.sample
        rows.append((name, fit, worst, ess, ess / took if took > 0 else float("nan")))
    best = max((r[4] for r in rows if not np.isnan(r[4])), default=float("nan"))
    return [
        Speed(
            engine=looks[name].text,
            prepare=fit.seconds.prepare,
            sample=fit.seconds.sample,
            draws=int(fit.params.w.shape[0] * fit.params.w.shape[1]),
            ess=ess,
            worst=quantity(worst) if worst else "",
            per_second=rate,
            share=rate / best if best > 0 else 0.0,
        )
        for name, fit, worst, ess, rate in rows
    ]


def brief(comparison: Comparison, looks: Looks, speed: list[Speed]) -> list[tuple[str, str]]:
    """Answer in one line each: where do they differ most, how small a difference would show, speed.

    Parameters
    ----------
    comparison : Comparison
    looks : mapping of str to EngineLook
        How each engine is named and drawn.
    speed : list of Speed
        See `speeds`.

    Returns
    -------
    list of tuple
        (question, answer)
    """
    answers = []
    tested = [pair for pair in comparison.pairs if pair.functionals]
    if tested:
        pair = max(tested, key=lambda p: abs(p.largest.diff) if p.largest else 0.0)
        largest = max(pair.functionals, key=lambda f: abs(f.diff))
        answers.append(
            (
                "Where do their draws differ most?",
                f"In the {quantity(largest.name)}{statistic(largest.statistic)}: "
                f"{looks[pair.a].text} and {looks[pair.b].text} are {number(abs(largest.diff), 3)} "
                f"posterior sd apart, ± {number(2 * largest.se, 3)} (two standard errors).",
            )
        )
        mdd = max(p.mdd for p in tested)
        answers.append(
            (
                "How small a difference would have been detected?",
                f"One of {number(mdd, 2)} posterior sd in any quantity, with 80{NO_BREAK}% power.",
            )
        )
    answers += _fastest(speed)
    return answers


def _fastest(speed: list[Speed]) -> list[tuple[str, str]]:
    timed = sorted((s for s in speed if not np.isnan(s.per_second)), key=lambda s: -s.per_second)
    if not timed:
        return []
    first = timed[0]
    text = f"{first.engine}: {significant(first.per_second, 3)} effective draws per second"
    if len(timed) > 1:
        ratio = first.per_second / timed[1].per_second
        text += f", {significant(ratio)} times as many as {timed[1].engine}"
    points = [f"{s.engine}, a point estimate, took {seconds(s.sample)}" for s in speed]
    points = [text for text, s in zip(points, speed, strict=True) if s.draws == 1]
    return [("Which is fastest?", ". ".join([text, *points]) + ".")]


def sureness(comparison: Comparison) -> dict[str, object]:
    """Return the numbers that the section "how sure" puts into words."""
    tested = [pair for pair in comparison.pairs if pair.functionals]
    most = max((pair.functionals for pair in tested), key=len, default=())
    pairs = sum(f.statistics for f in most if f.statistic == "dependence")
    alone = [f.statistics for f in most if f.statistic != "dependence"]
    ess = {
        name: summary.diagnostics.parameters.worst_ess[1]
        for name, summary in comparison.summaries.items()
        if summary.diagnostics
    }
    return {
        "tested": len(tested),
        "points": sum(not pair.functionals for pair in comparison.pairs),
        "quantities": len(alone),
        "statistics": sum(alone) + pairs,
        "per_quantity": max(alone, default=0),
        "pairs": pairs,
        "margin": number(MARGIN, 1),
        "min_ess": number(MIN_ESS, 0),
        "cloud": f"{100 * CLOUD_QUANTILE:g}",
        "alpha": f"{100 * ALPHA:g}",
        "confirm_alpha": f"{100 * CONFIRM_ALPHA:g}",
        "alone": f"{100 * UNREPEATED_ALPHA:g}",
        "from_files": [n for n, fit in comparison.fits.items() if fit.origin == "draws"],
        "mdd": number(max((p.mdd for p in tested), default=np.nan), 3),
        "bound": number(max((p.bound for p in tested), default=np.nan), 3),
        "bound_value": max((p.bound for p in tested), default=np.nan),
        "ess": {name: number(value, 0) for name, value in ess.items()},
        "rounds": max((p.rounds for p in tested), default=1),
    }

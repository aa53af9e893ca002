"""Do two engines sample the same posterior? A verdict with known error rates.

For every function of a draw (`functionals`), eleven bounded statistics are compared by the
difference of their means (`equality`), and so is the dependence of every pair of parameters. The
smallest of m p-values, times m, decides at level 0.01; a rejection counts only if it repeats with
fresh seeds and four times the draws at level 0.001. Agreement has to be shown as well: every
difference, with its one-sided 95 % limit, must lie within a tenth of a posterior sd, and neither
engine may have failed a check (`checks`). Anything else is inconclusive.
This module judges numbers; it never runs an engine but calls the ``refit`` it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from scipy.special import ndtri

from gmmcompare.comparison.checks import Checked
from gmmcompare.comparison.dependent import dependent_engines
from gmmcompare.comparison.diagnostics import Convergence
from gmmcompare.comparison.equality import Differences, dependences, differences
from gmmcompare.comparison.functionals import STATISTICS, Functional, pairs_of
from gmmcompare.comparison.names import parts
from gmmcompare.comparison.reasons import Code, Reason, from_codes, to_codes
from gmmcompare.comparison.thresholds import (
    ALPHA,
    CONFIRM_ALPHA,
    MARGIN,
    MAX_ROUNDS,
    POWER_80,
    UNREPEATED_ALPHA,
)
from gmmcompare.comparison.words import clause

Verdict = Literal["agree", "disagree", "inconclusive"]


@dataclass(frozen=True)
class FunctionalResult:
    """One function's most significant statistic, in units of that statistic's posterior sd.

    All pairs of parameters together are one more such function, ``dependence``, that goes by the
    name of the most significant pair.

    ``p`` is not yet corrected for multiplicity; ``mdd`` is the difference that the procedure would
    detect with probability 0.8; ``bound`` is the largest ``|diff| + t_.95 se`` over all
    ``statistics`` of it,
    ``se_largest`` their largest standard error by batches, and ``ess`` the smaller of the engines'
    bulk ESS.
    """

    name: str
    statistic: str
    diff: float
    se: float
    p: float
    mdd: float
    bound: float
    label_free: bool
    ess: float = float("nan")
    se_largest: float = float("nan")
    statistics: int = 9
    """How many were compared; an earlier version, which did not say, compared nine."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers for ``comparison.json``."""
        return asdict(self)


@dataclass(frozen=True)
class PairVerdict:
    """What is concluded of two engines, and why.

    Attributes
    ----------
    a, b : str
        Names of the engines.
    verdict : "agree", "disagree" or "inconclusive"
    reasons : tuple of Reason
        The first is the most telling; those of the suspect come before others'.
    functionals : tuple of FunctionalResult
        Empty for a pair with a point estimate.
    suspect : str or None
        The engine that is probably wrong where the evidence points to one.
    rounds : int
        1, or how often the comparison was repeated with fresh seeds to confirm a difference.
    ess_needed : float or None
        ESS of each engine with which agreement could be shown, where that is what lacks.
    numbers : dict
        Further figures, such as a point's log-likelihood gap and Mahalanobis distance.
    """

    a: str
    b: str
    verdict: Verdict
    reasons: tuple[Reason, ...]
    functionals: tuple[FunctionalResult, ...] = ()
    suspect: str | None = None
    rounds: int = 1
    ess_needed: float | None = None
    numbers: dict[str, float] = field(default_factory=dict)

    @property
    def corrected_p(self) -> float:
        """Smallest p-value times the number of statistics, at most 1."""
        if not self.functionals:
            return float("nan")
        return _corrected(self.functionals)

    @property
    def statistics(self) -> int:
        """How many statistics were compared."""
        return sum(f.statistics for f in self.functionals)

    @property
    def largest(self) -> FunctionalResult | None:
        """The function whose difference is the most significant."""
        return min(self.functionals, key=lambda f: f.p, default=None)

    @property
    def bound(self) -> float:
        """The largest difference still possible, in posterior sds (NaN without functionals)."""
        return max((f.bound for f in self.functionals), default=float("nan"))

    @property
    def mdd(self) -> float:
        """The largest minimum detectable difference over all functions, in posterior sds."""
        return max((f.mdd for f in self.functionals), default=float("nan"))

    def to_dict(self) -> dict[str, Any]:
        """Return the entry of ``pairs`` in ``comparison.json``."""
        return {
            "a": self.a,
            "b": self.b,
            "verdict": self.verdict,
            "reasons": [clause(reason) for reason in self.reasons],
            "codes": to_codes(self.reasons),
            "suspect": self.suspect,
            "rounds": self.rounds,
            "ess_needed": self.ess_needed,
            "numbers": dict(self.numbers),
            "functionals": [f.to_dict() for f in self.functionals],
        }

    @classmethod
    def from_dict(cls, entry: dict[str, Any]) -> PairVerdict:
        """Return the verdict that `to_dict` described."""
        return cls(
            **{
                **{key: value for key, value in entry.items() if key != "codes"},
                "reasons": _reasons(entry),
                "numbers": _known(entry["numbers"]),
                "functionals": tuple(_functional(f) for f in entry["functionals"]),
            }
        )


def _reasons(entry: dict[str, Any]) -> tuple[Reason, ...]:
    """Return the reasons of an entry; an earlier version kept sentences and no more."""
    if "codes" in entry:
        return from_codes(entry["codes"])
    return tuple(Reason(Code.EARLIER_VERSION, {"text": text}) for text in entry["reasons"])


def _known(numbers: dict[str, Any]) -> dict[str, Any]:
    """Undo what JSON did to NaN."""
    return {key: float("nan") if value is None else value for key, value in numbers.items()}


def _functional(entry: dict[str, Any]) -> FunctionalResult:
    """Read one function's result; an earlier version called co-clustering ``together``."""
    kind, inside = parts(entry["name"])
    name = f"coclustering[{inside}]" if kind == "together" else entry["name"]
    return FunctionalResult(**_known({**entry, "name": name}))


Refit = Callable[[str, int], Checked | None]
"""``refit(engine, round)`` runs an engine with a fresh seed and 4**(round - 1) times the draws."""

Pair = tuple[Checked, Checked]
NOT_INDEPENDENT = (Code.COPIED_CHAINS, Code.DEPENDENT_CHAINS)
NOT_MIXED = (Code.HIGH_RHAT, Code.LOW_ESS, Code.SLOW_COMBINATION, Code.TOO_SHORT)
"""Failures with which an engine's errors are not known well enough to trust one difference."""


def judge_draws(
    a: Checked, b: Checked, refit: Refit | None = None, comparisons: int = 1
) -> PairVerdict:
    """Judge two engines that draw.

    Parameters
    ----------
    a, b : Checked
    refit : callable, optional
        Without it, or where it returns None for either engine (draws that were made elsewhere
        cannot be repeated), a difference counts at once if it is significant at `UNREPEATED_ALPHA`
        and the chains of both have mixed.
    comparisons : int, optional
        Pairs that are judged together: the false-positive rate is that of all of them.

    Returns
    -------
    PairVerdict
    """
    copied = next((e for e in (a, b) if e.failed(*NOT_INDEPENDENT)), None)
    if copied:  # copies carry no information about the error, so no test is possible
        problems = _suspect_first(a.failures + b.failures, copied.name)
        return PairVerdict(a.name, b.name, "inconclusive", problems, suspect=copied.name)
    last = _confirm((a, b), refit, comparisons)
    rounds = {1: (a, b), last.round: last.pair}
    suspect = _suspect(list(rounds.values()), last.confirmed)
    found = [
        why if this_round == 1 else why.of_round(this_round)
        for this_round, pair in rounds.items()
        for engine in pair
        for why in engine.failures
    ]
    verdict, reasons, needed = _conclude(last, _suspect_first(found, suspect))
    reasons += _same_draws(a, b)
    return PairVerdict(a.name, b.name, verdict, reasons, last.results, suspect, last.round, needed)


def _same_draws(a: Checked, b: Checked) -> tuple[Reason, ...]:
    """Say so if chains of one engine are chains of the other: their agreement is worth little."""
    found = dependent_engines(a.evidence.label_free[:1], b.evidence.label_free[:1])
    if not found:
        return ()
    numbers = {
        "a": a.name,
        "b": b.name,
        "pairs": tuple((d.a + 1, d.b + 1) for d in found),
        "correlation": max((d.correlation for d in found), key=abs),
    }
    return (Reason(Code.SAME_DRAWS, numbers),)


@dataclass(frozen=True)
class _Round:
    """Where the comparison stopped: the last pair, and what it says."""

    pair: Pair
    results: tuple[FunctionalResult, ...]
    round: int
    rejected: bool
    confirmed: bool
    unrepeatable: bool = False
    p: float = 1.0
    """Corrected for all statistics and pairs."""


def _confirm(pair: Pair, refit: Refit | None, comparisons: int) -> _Round:
    """Compare; repeat a rejection with fresh seeds until it is confirmed, gone or out of rounds."""
    results = _compare(*pair, comparisons)
    p = _corrected(results, comparisons)
    for this_round in range(2, MAX_ROUNDS + 1):
        if p >= ALPHA:
            return _Round(pair, results, this_round - 1, rejected=False, confirmed=False, p=p)
        again = _repeat(pair, refit, this_round)
        if again is None:
            sure = p < UNREPEATED_ALPHA and not any(e.failed(*NOT_MIXED) for e in pair)
            return _Round(
                pair, results, this_round - 1, True, confirmed=sure, unrepeatable=True, p=p
            )
        pair, results = again, _compare(*again, comparisons)
        p = _corrected(results, comparisons)
        if p < CONFIRM_ALPHA:
            return _Round(pair, results, this_round, rejected=True, confirmed=True, p=p)
    return _Round(pair, results, MAX_ROUNDS, rejected=p < ALPHA, confirmed=False, p=p)


def _repeat(pair: Pair, refit: Refit | None, this_round: int) -> Pair | None:
    if refit is None:
        return None
    a, b = refit(pair[0].name, this_round), refit(pair[1].name, this_round)
    return None if a is None or b is None else (a, b)


def _conclude(
    last: _Round, problems: tuple[Reason, ...]
) -> tuple[Verdict, tuple[Reason, ...], float | None]:
    """Return the verdict, its reasons, and the ESS that is needed where that is what lacks."""
    results = last.results
    if last.confirmed:
        again = {"repeats": last.round - 1}
        return "disagree", (_difference(last, Code.DIFFERENCE, again), *problems), None
    worst = max(results, key=lambda r: r.bound, default=None)
    needed = _needed(results) if worst and worst.bound >= MARGIN else None
    if last.rejected and last.p < UNREPEATED_ALPHA:
        return "inconclusive", (_difference(last, Code.UNREPEATED_DIFFERENCE), *problems), needed
    if last.rejected:
        needed_level = UNREPEATED_ALPHA if last.unrepeatable else CONFIRM_ALPHA
        levels = {"alpha": ALPHA, "confirm_alpha": needed_level}
        why = Reason(Code.UNCONFIRMED_DIFFERENCE, levels)
        return "inconclusive", (*problems, why), needed
    if problems:
        return "inconclusive", problems, needed
    if worst is None:
        return "inconclusive", (Reason(Code.NOTHING_VARIES),), None
    if needed is None:
        found = {"bound": worst.bound, "statistics": sum(r.statistics for r in results)}
        return "agree", (Reason(Code.NO_DIFFERENCE, found),), None
    open_ = {"functional": worst.name, "bound": worst.bound, "ess_needed": needed}
    return "inconclusive", (Reason(Code.DIFFERENCE_POSSIBLE, open_),), needed


def _compare(a: Checked, b: Checked, comparisons: int) -> tuple[FunctionalResult, ...]:
    """Test every function that varies, and the dependence of every pair of parameters that do."""
    tested: list[_Test] = []
    both = tuple(zip(a.evidence.functionals, b.evidence.functionals, strict=True))
    mixing = a.evidence.convergence, b.evidence.convergence
    slowest = mixing[0].slowest, mixing[1].slowest
    for fa, fb in both:
        ess = mixing[0].ess_bulk[fa.name], mixing[1].ess_bulk[fa.name]
        found = differences(fa.values, fb.values, ess, slowest)
        if found is not None:
            tested.append(_Test([fa.name], STATISTICS, fa.label_free, ess, found))
    varying = {name for test in tested for name in test.names}
    pairs = [(fa, fb) for fa, fb in both if fa.is_parameter and fa.name in varying]
    if len(pairs) > 1:
        tested.append(_dependence(pairs, mixing))
    factor = _z(comparisons * sum(test.found.p.size for test in tested)) + POWER_80
    return tuple(test.result(factor) for test in tested)


def _dependence(
    pairs: Sequence[tuple[Functional, Functional]], mixing: tuple[Convergence, Convergence]
) -> _Test:
    names = [fa.name for fa, _ in pairs]
    chosen = pairs_of(len(names))
    of_a, of_b = (np.array([m.ess_bulk[name] for name in names]) for m in mixing)
    slowest = mixing[0].slowest, mixing[1].slowest
    found = dependences(
        [fa.values for fa, _ in pairs],
        [fb.values for _, fb in pairs],
        (of_a, of_b),
        slowest,
        chosen,
    )
    each = [f"dependence[{names[i]},{names[j]}]" for i, j in zip(*chosen, strict=True)]
    return _Test(each, ["dependence"] * len(each), False, (of_a.min(), of_b.min()), found)


@dataclass(frozen=True)
class _Test:
    """Statistics of one function, or of all pairs: then each has a name of its own."""

    names: Sequence[str]
    statistics: Sequence[str]
    label_free: bool
    ess: tuple[float, float]
    found: Differences

    def result(self, factor: float) -> FunctionalResult:
        """Return the most significant; ``factor`` errors are a difference that is detected."""
        found, worst = self.found, int(np.argmin(self.found.p))
        known = [e for e in self.ess if np.isfinite(e)]  # it may be constant in one engine
        return FunctionalResult(
            self.names[worst if len(self.names) > 1 else 0],
            self.statistics[worst],
            float(found.diff[worst]),
            float(found.se[worst]),
            float(found.p[worst]),
            factor * float(np.sqrt(sum(1.0 / e for e in known))),
            float(found.limit.max()),
            self.label_free,
            float(min(known, default=float("nan"))),
            float(found.se_of_batches.max()),
            found.p.size,
        )


def _z(statistics: int) -> float:
    """Return the normal quantile of the corrected level."""
    return -float(ndtri(ALPHA / (2 * max(1, statistics))))


def _corrected(results: tuple[FunctionalResult, ...], comparisons: int = 1) -> float:
    m = comparisons * sum(r.statistics for r in results)
    return min(1.0, m * min((r.p for r in results), default=1.0))


def _needed(results: tuple[FunctionalResult, ...]) -> float:
    """Return the ESS of each engine at which equal engines would probably be found to agree.

    There the minimum detectable difference equals the margin, by its formula or, where a statistic
    mixes worse than its function's bulk, by its standard error. Where that is reached and does not
    suffice, there is a small difference to resolve: four times the draws.
    """
    factor = _z(sum(r.statistics for r in results)) + POWER_80
    by_formula = 2.0 * (factor / MARGIN) ** 2
    have = min((r.ess for r in results if np.isfinite(r.ess)), default=by_formula)
    by_error = max(r.ess * (r.se_largest * factor / MARGIN) ** 2 for r in results)
    needed = max(by_formula, by_error if np.isfinite(by_error) else 0.0)
    return needed if needed > have else 4.0 * have


def _difference(last: _Round, code: Code, also: Mapping[str, int] = MappingProxyType({})) -> Reason:
    a, b = last.pair
    largest = min(last.results, key=lambda r: r.p)
    numbers = {
        "a": a.name,
        "b": b.name,
        "functional": largest.name,
        "statistic": largest.statistic,
        "diff": largest.diff,
        "se": largest.se,
        **also,
    }
    return Reason(code, numbers)


def _suspect_first(failures: Sequence[Reason], suspect: str | None) -> tuple[Reason, ...]:
    return tuple(sorted(failures, key=lambda why: why.engine != suspect))


def _suspect(rounds: Sequence[Pair], confirmed: bool) -> str | None:
    """Name the engine in a minor mode; else the only one at fault, or that is not exact.

    An engine that merely ran too short is suspected only where a difference was confirmed.
    """
    for doubtful in (
        *({e.name for e in pair if e.failed(Code.MINOR_MODE)} for pair in rounds),
        *({e.name for e in pair if e.faults} for pair in rounds),
        {e.name for e in rounds[-1] if confirmed and not e.evidence.exact},
        {e.name for pair in rounds for e in pair if confirmed and e.failures},
    ):
        if len(doubtful) == 1:
            return doubtful.pop()
    return None

"""Do two engines sample the same posterior? A verdict with known error rates.

For every function of a draw (`functionals`), nine bounded statistics are compared by the difference
of their means (`equality`). The smallest of m p-values, times m, decides at level 0.01; a rejection
counts only if it repeats with fresh seeds and four times the draws at level 0.001. Agreement has to
be shown as well: every difference, with its one-sided 95 % limit, must lie within a tenth of a
posterior sd, and neither engine may have failed a check (`checks`). Anything else is inconclusive.
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
from gmmcompare.comparison.equality import Differences, differences
from gmmcompare.comparison.functionals import STATISTICS
from gmmcompare.comparison.names import parts
from gmmcompare.comparison.reasons import Code, Reason, from_codes, to_codes
from gmmcompare.comparison.thresholds import ALPHA, CONFIRM_ALPHA, MARGIN, MAX_ROUNDS, POWER_80
from gmmcompare.comparison.words import clause

Verdict = Literal["agree", "disagree", "inconclusive"]


@dataclass(frozen=True)
class FunctionalResult:
    """One function's most significant statistic, in units of that statistic's posterior sd.

    ``p`` is not yet corrected for multiplicity; ``mdd`` is the difference that the procedure would
    detect with probability 0.8; ``bound`` is the largest ``|diff| + t_.95 se`` over all nine,
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
        m = len(self.functionals) * len(STATISTICS)
        return min(1.0, m * min(f.p for f in self.functionals))

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
NOT_MIXED = (Code.HIGH_RHAT, Code.LOW_ESS, Code.SLOW_COMBINATION, Code.TOO_SHORT)
"""Failures with which an engine's errors are not known well enough to trust one difference."""


def judge_draws(a: Checked, b: Checked, refit: Refit | None = None) -> PairVerdict:
    """Judge two engines that draw.

    Parameters
    ----------
    a, b : Checked
    refit : callable, optional
        Without it, or where it returns None for either engine (draws that were made elsewhere
        cannot be repeated), a difference counts at once if it is significant at `CONFIRM_ALPHA` and
        the chains of both have mixed.

    Returns
    -------
    PairVerdict
    """
    copied = next((e for e in (a, b) if e.failed(Code.COPIED_CHAINS)), None)
    if copied:  # copies carry no information about the error, so no test is possible
        problems = _suspect_first(a.failures + b.failures, copied.name)
        return PairVerdict(a.name, b.name, "inconclusive", problems, suspect=copied.name)
    last = _confirm((a, b), refit)
    rounds = {1: (a, b), last.round: last.pair}
    suspect = _suspect(list(rounds.values()), last.confirmed)
    found = [
        why if this_round == 1 else why.of_round(this_round)
        for this_round, pair in rounds.items()
        for engine in pair
        for why in engine.failures
    ]
    verdict, reasons, needed = _conclude(last, _suspect_first(found, suspect))
    return PairVerdict(a.name, b.name, verdict, reasons, last.results, suspect, last.round, needed)


@dataclass(frozen=True)
class _Round:
    """Where the comparison stopped: the last pair, and what it says."""

    pair: Pair
    results: tuple[FunctionalResult, ...]
    round: int
    rejected: bool
    confirmed: bool


def _confirm(pair: Pair, refit: Refit | None) -> _Round:
    """Compare; repeat a rejection with fresh seeds until it is confirmed, gone or out of rounds."""
    results = _compare(*pair)
    p = _corrected(results)
    for this_round in range(2, MAX_ROUNDS + 1):
        if p >= ALPHA:
            return _Round(pair, results, this_round - 1, rejected=False, confirmed=False)
        again = _repeat(pair, refit, this_round)
        if again is None:
            sure = p < CONFIRM_ALPHA and not any(e.failed(*NOT_MIXED) for e in pair)
            return _Round(pair, results, this_round - 1, rejected=True, confirmed=sure)
        pair, results = again, _compare(*again)
        p = _corrected(results)
        if p < CONFIRM_ALPHA:
            return _Round(pair, results, this_round, rejected=True, confirmed=True)
    return _Round(pair, results, MAX_ROUNDS, rejected=p < ALPHA, confirmed=False)


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
    if last.rejected and _corrected(results) < CONFIRM_ALPHA:
        return "inconclusive", (_difference(last, Code.UNREPEATED_DIFFERENCE), *problems), needed
    if last.rejected:
        levels = {"alpha": ALPHA, "confirm_alpha": CONFIRM_ALPHA}
        why = Reason(Code.UNCONFIRMED_DIFFERENCE, levels)
        return "inconclusive", (*problems, why), needed
    if problems:
        return "inconclusive", problems, needed
    if worst is None:
        return "inconclusive", (Reason(Code.NOTHING_VARIES),), None
    if needed is None:
        found = {"bound": worst.bound, "statistics": len(results) * len(STATISTICS)}
        return "agree", (Reason(Code.NO_DIFFERENCE, found),), None
    open_ = {"functional": worst.name, "bound": worst.bound, "ess_needed": needed}
    return "inconclusive", (Reason(Code.DIFFERENCE_POSSIBLE, open_),), needed


def _compare(a: Checked, b: Checked) -> tuple[FunctionalResult, ...]:
    """Test every function that varies; m is nine times their number."""
    tested = []
    mixing = a.evidence.convergence, b.evidence.convergence
    slowest = mixing[0].slowest, mixing[1].slowest
    for fa, fb in zip(a.evidence.functionals, b.evidence.functionals, strict=True):
        ess = mixing[0].ess_bulk[fa.name], mixing[1].ess_bulk[fa.name]
        found = differences(fa.values, fb.values, ess, slowest)
        if found is not None:
            tested.append((fa.name, fa.label_free, ess, found))
    factor = _z(len(tested)) + POWER_80
    return tuple(_result(*test, factor) for test in tested)


def _result(
    name: str, label_free: bool, ess: tuple[float, float], found: Differences, factor: float
) -> FunctionalResult:
    worst = int(np.argmin(found.p))
    known = [e for e in ess if np.isfinite(e)]  # a function may be constant in one engine
    return FunctionalResult(
        name,
        STATISTICS[worst],
        float(found.diff[worst]),
        float(found.se[worst]),
        float(found.p[worst]),
        factor * float(np.sqrt(sum(1.0 / e for e in known))),
        float(found.limit.max()),
        label_free,
        min(known, default=float("nan")),
        float(found.se_of_batches.max()),
    )


def _z(functions: int) -> float:
    """Return the normal quantile of the corrected level."""
    return -float(ndtri(ALPHA / (2 * max(1, functions * len(STATISTICS)))))


def _corrected(results: tuple[FunctionalResult, ...]) -> float:
    m = len(results) * len(STATISTICS)
    return min(1.0, m * min((r.p for r in results), default=1.0))


def _needed(results: tuple[FunctionalResult, ...]) -> float:
    """Return the ESS of each engine at which equal engines would probably be found to agree.

    There the minimum detectable difference equals the margin, by its formula or, where a statistic
    mixes worse than its function's bulk, by its standard error. Where that is reached and does not
    suffice, there is a small difference to resolve: four times the draws.
    """
    factor = _z(len(results)) + POWER_80
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

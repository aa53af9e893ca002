"""Do two engines sample the same posterior? A verdict with known error rates.

For every function of a draw (`functionals`), nine bounded statistics are compared by the difference
of their means, with standard errors from batch means and Welch's t. The smallest of m p-values,
times m, decides at level 0.01; a rejection counts only if it repeats with fresh seeds and four
times the draws at level 0.001. Agreement has to be shown as well: every difference, with its
one-sided 95 % limit, must lie within a tenth of a posterior sd. Anything else is inconclusive.
This module judges numbers; it never runs an engine but calls the ``refit`` it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
from scipy import stats

from gmmcompare.compare.checks import Evidence, failed_checks, suspects
from gmmcompare.compare.functionals import STATISTICS, bounded_statistics
from gmmcompare.params import Array

Verdict = Literal["agree", "disagree", "inconclusive"]

ALPHA = 0.01
CONFIRM_ALPHA = 0.001
MAX_ROUNDS = 3
MARGIN = 0.1
"""Differences below a tenth of a posterior sd are of no consequence."""
BATCHES_PER_CHAIN = 10
POWER_80 = 0.84


@dataclass(frozen=True)
class FunctionalResult:
    """One function's most significant statistic, in units of that statistic's posterior sd.

    ``p`` is not yet corrected for multiplicity; ``mdd`` is the difference that the procedure would
    detect with probability 0.8; ``bound`` is the largest ``|diff| + t_.95 se`` over all nine.
    """

    name: str
    statistic: str
    diff: float
    se: float
    p: float
    mdd: float
    bound: float
    label_free: bool

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
    reasons : tuple of str
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
    reasons: tuple[str, ...]
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
            "reasons": list(self.reasons),
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
                **entry,
                "reasons": tuple(entry["reasons"]),
                "numbers": _known(entry["numbers"]),
                "functionals": tuple(FunctionalResult(**_known(f)) for f in entry["functionals"]),
            }
        )


def _known(numbers: dict[str, Any]) -> dict[str, Any]:
    """Undo what JSON did to NaN."""
    return {key: float("nan") if value is None else value for key, value in numbers.items()}


Refit = Callable[[str, int], Evidence | None]
"""``refit(engine, round)`` runs an engine with a fresh seed and 4**(round - 1) times the draws."""


def judge_draws(
    a: Evidence, b: Evidence, refit: Refit | None = None, peers: Sequence[Evidence] = ()
) -> PairVerdict:
    """Judge two engines that draw.

    Parameters
    ----------
    a, b : Evidence
    refit : callable, optional
        Without it, or where it returns None for either engine (draws that were made elsewhere
        cannot be repeated), a difference counts at once if it is significant at `CONFIRM_ALPHA`.
    peers : sequence of Evidence
        All engines of the comparison: a chain may be below the best of any of them.

    Returns
    -------
    PairVerdict
    """
    everyone = list(peers) or [a, b]
    failures = {e.name: failed_checks(e, everyone) for e in (a, b)}
    copied = next((e.name for e in (a, b) if e.copies), None)
    if copied:  # copies carry no information about the error, so no test is possible
        reasons = tuple(f"{copied}: {reason}" for reason in failures[copied])
        return PairVerdict(a.name, b.name, "inconclusive", reasons, suspect=copied)
    results, rounds = _compare(a, b), 1
    rejected = _corrected(results) < ALPHA
    confirmed = False
    while rejected and not confirmed and rounds < MAX_ROUNDS:
        again = _repeat(a, b, refit, rounds + 1)
        if again is None:
            confirmed = _corrected(results) < CONFIRM_ALPHA
            break
        rounds += 1
        results = _compare(*again)
        confirmed = _corrected(results) < CONFIRM_ALPHA
        rejected = _corrected(results) < ALPHA
        a, b = again
        failures = {e.name: failed_checks(e, [*everyone, *again]) for e in again}
    suspect = _suspect(failures, everyone, a, b)
    reasons = tuple(f"{name}: {why}" for name, found in failures.items() for why in found)
    if confirmed:
        largest = min(results, key=lambda r: r.p)
        size = _difference_sentence(largest, a.name, b.name, rounds)
        return PairVerdict(a.name, b.name, "disagree", (size, *reasons), results, suspect, rounds)
    if reasons:
        return PairVerdict(
            a.name, b.name, "inconclusive", reasons, results, suspect, rounds, _needed(results)
        )
    if rejected:
        why = "a difference was found but did not repeat beyond doubt; run longer"
        return PairVerdict(a.name, b.name, "inconclusive", (why,), results, None, rounds)
    worst = max(results, key=lambda r: r.bound)
    if worst.bound < MARGIN:
        why = (
            f"no difference found, and none above {worst.bound:.3f} posterior sd is left possible "
            f"({len(results) * len(STATISTICS)} statistics)"
        )
        return PairVerdict(a.name, b.name, "agree", (why,), results, None, rounds)
    why = (
        f"no difference found, but one of up to {worst.bound:.2f} posterior sd in {worst.name} is "
        f"still possible; about {_needed(results):,.0f} effective draws from each would settle it"
    )
    return PairVerdict(
        a.name, b.name, "inconclusive", (why,), results, None, rounds, _needed(results)
    )


def _repeat(
    a: Evidence, b: Evidence, refit: Refit | None, this_round: int
) -> tuple[Evidence, Evidence] | None:
    if refit is None:
        return None
    again = refit(a.name, this_round), refit(b.name, this_round)
    return None if again[0] is None or again[1] is None else (again[0], again[1])


def _compare(a: Evidence, b: Evidence) -> tuple[FunctionalResult, ...]:
    """Test every function that varies; m is nine times their number."""
    tested = []
    for fa, fb in zip(a.functionals, b.functionals, strict=True):
        rows = bounded_statistics(fa.values, fb.values)
        if rows is not None:
            tested.append((fa.name, fa.label_free, _tests(*rows)))
    m = max(1, len(tested) * len(STATISTICS))
    z = float(stats.norm.isf(ALPHA / (2 * m)))
    results = []
    for name, label_free, (diff, se, p, bound) in tested:
        worst = int(np.argmin(p))
        ess = a.convergence.ess_bulk[name], b.convergence.ess_bulk[name]
        mdd = (z + POWER_80) * float(np.sqrt(sum(1.0 / e for e in ess if np.isfinite(e))))
        results.append(
            FunctionalResult(
                name,
                STATISTICS[worst],
                float(diff[worst]),
                float(se[worst]),
                float(p[worst]),
                mdd,
                float(bound.max()),
                label_free,
            )
        )
    return tuple(results)


def _tests(a: Array, b: Array) -> tuple[Array, Array, Array, Array]:
    """Return differences of means, their standard errors, p-values and one-sided 95 % limits.

    ``a`` and ``b`` have shape (9, chains, draws); the results (9,). Batch means about the engine's
    grand mean (Flegal and Jones 2010) carry autocorrelation and differences between chains alike.
    """
    mean_a, var_a, df_a = _batch_means(a)
    mean_b, var_b, df_b = _batch_means(b)
    diff, var = mean_a - mean_b, var_a + var_b
    se = np.sqrt(var)
    with np.errstate(divide="ignore", invalid="ignore"):
        df = np.where(var > 0, var**2 / (var_a**2 / df_a + var_b**2 / df_b), df_a + df_b)
        t = np.where(se > 0, np.abs(diff) / se, np.where(diff == 0, 0.0, np.inf))
    p = 2.0 * stats.t.sf(t, df)
    return diff, se, np.asarray(p), np.abs(diff) + stats.t.ppf(0.95, df) * se


def _batch_means(x: Array) -> tuple[Array, Array, int]:
    """Return means (9,), variances of those means (9,), and degrees of freedom."""
    n_statistics, chains, draws = x.shape
    batches = min(BATCHES_PER_CHAIN, draws)
    length = draws // batches
    means = x[:, :, : batches * length].reshape(n_statistics, chains * batches, length).mean(-1)
    n = chains * batches
    return x.mean(axis=(1, 2)), means.var(axis=1, ddof=1) / n, n - 1


def _corrected(results: tuple[FunctionalResult, ...]) -> float:
    m = len(results) * len(STATISTICS)
    return min(1.0, m * min((r.p for r in results), default=1.0))


def _needed(results: tuple[FunctionalResult, ...]) -> float:
    """ESS of each engine at which the minimum detectable difference is the margin."""
    z = float(stats.norm.isf(ALPHA / (2 * max(1, len(results) * len(STATISTICS)))))
    return 2.0 * ((z + POWER_80) / MARGIN) ** 2


def _difference_sentence(largest: FunctionalResult, a: str, b: str, rounds: int) -> str:
    repeated = (
        f"repeated {rounds - 1} time{'s' if rounds > 2 else ''} with fresh seeds"
        if rounds > 1
        else "could not be repeated with fresh seeds"
    )
    direction = "above" if largest.diff > 0 else "below"
    return (
        f"{largest.name} ({largest.statistic}): {a} is {abs(largest.diff):.2f} posterior sd "
        f"{direction} {b} (standard error {largest.se:.3f}); {repeated}"
    )


def _suspect(
    failures: dict[str, list[str]], everyone: Sequence[Evidence], a: Evidence, b: Evidence
) -> str | None:
    """Name the engine in a minor mode; else the only one of the pair that failed a check."""
    in_minor_mode = [name for name in suspects([a, b], everyone) if name in failures]
    if len(in_minor_mode) == 1:
        return in_minor_mode[0]
    failing = [name for name, found in failures.items() if found]
    return failing[0] if len(failing) == 1 else None

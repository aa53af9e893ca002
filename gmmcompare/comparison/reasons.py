"""Why a verdict was reached, as data: a code, the engine it is about, and numbers.

Verdicts, suspects and pages are decided from these; `words` alone puts them in sentences, and no
code reads a sentence. JSON has both, the sentences under ``reasons`` and these under ``codes``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Self


class ReasonCode(StrEnum):
    """What a reason says. Each member documents the numbers that come with it, by name.

    Every kind of result has codes of its own: `Code` for a comparison, and those of `selection`
    and `validation`. Names of engines and of functionals, such as ``"gibbs"`` and ``"mu[1]"``,
    count as numbers; chains and components are counted from 1.
    """

    numbers: Mapping[str, str]

    def __new__(cls, value: str, numbers: Mapping[str, str] | None = None) -> Self:
        """Make a member of a code and the numbers it comes with."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.numbers = numbers or {}
        return member

    @classmethod
    def named(cls, value: str) -> ReasonCode:
        """Return the code of a name, of whatever kind of result.

        Raises
        ------
        ValueError
            If there is none.
        """
        for kind in ReasonCode.__subclasses__():
            if value in kind:
                return kind(value)
        raise ValueError(f"no reason has the code {value!r}")


class Code(ReasonCode):
    """Reasons for the verdict on two engines, or for doubting one."""

    # Of one engine's draws: what casts doubt on them (`checks.faults`) ...
    COPIED_CHAINS = "copied-chains", {"pairs": "chains that are copies of each other, two by two"}
    DEPENDENT_CHAINS = (
        "dependent-chains",
        {
            "pairs": "chains that are not independent of each other, two by two",
            "correlation": "of what each chain's past does not tell of it, the largest",
            "shift": "by which the second chain of that pair is late, in draws",
        },
    )
    MINOR_MODE = (
        "minor-mode",
        {
            "chains": "that sit in it",
            "n_chains": "of the engine",
            "gap": "how far the lowest mean log-likelihood is below that of the best chain",
            "best": "the engine of the best chain; empty where it is its own",
        },
    )
    TREND = (
        "trend",
        {
            "chains": "that start low",
            "n_chains": "of the engine",
            "gap": "between the mean log-likelihood of such a chain and that of its last quarter",
        },
    )
    MIXED_COMPONENTS = (
        "mixed-components",
        {
            "field": "w, mu or sigma: what is in another order than the others",
            "gap": "how far the mean log-likelihood is below that of the best chain",
            "restored": "the same, with that in the best order in each draw",
        },
    )
    RARE_EMPTY_STATES = (
        "rare-empty-states",
        {
            "chains": "that visit states with a nearly empty component",
            "n_chains": "of the engine",
            "share": "of all draws that are such states",
            "transitions": "expected number of entries and exits",
            "needed": "transitions for the share to be known",
        },
    )
    DIVERGENCES = "divergences", {"count": "of divergent transitions"}
    HIGH_RHAT = (
        "high-rhat",
        {"functional": "with the largest R-hat", "rhat": "R-hat", "limit": "R-hat must be below"},
    )
    # ... and that there are too few.
    TOO_FEW_CHAINS = "too-few-chains", {"chains": "of the engine", "needed": "at least"}
    TOO_SHORT = "too-short", {"draws": "of each chain", "needed": "at least, for any diagnosis"}
    LOW_ESS = (
        "low-ess",
        {"functional": "with the smallest ESS", "ess": "bulk or tail ESS", "needed": "at least"},
    )
    SLOW_COMBINATION = (
        "slow-combination",
        {"ess": "of the slowest combination of quantities", "needed": "at least"},
    )

    # Of two engines that draw.
    DIFFERENCE = (
        "difference",
        {
            "a": "an engine",
            "b": "the other",
            "functional": "with the most significant difference",
            "statistic": "of that functional",
            "diff": "of the statistic, a less b, in posterior sds",
            "se": "of diff",
            "repeats": "how often it was seen again with fresh seeds; 0 where that cannot be done",
        },
    )
    SAME_DRAWS = (
        "same-draws",
        {
            "a": "an engine",
            "b": "the other",
            "pairs": "a chain of a and a chain of b that are not independent, two by two",
            "correlation": "of what each chain's past does not tell of it, the largest",
        },
    )
    UNCONFIRMED_DIFFERENCE = (
        "unconfirmed-difference",
        {"alpha": "level at which it is significant", "confirm_alpha": "level at which it is not"},
    )
    UNREPEATED_DIFFERENCE = (
        "unrepeated-difference",
        {
            "a": "an engine",
            "b": "the other",
            "functional": "with the most significant difference",
            "statistic": "of that functional",
            "diff": "of the statistic, a less b, in posterior sds",
            "se": "of diff",
        },
    )
    NO_DIFFERENCE = (
        "no-difference",
        {"bound": "largest difference left possible, in sds", "statistics": "number compared"},
    )
    DIFFERENCE_POSSIBLE = (
        "difference-possible",
        {
            "functional": "that is known worst",
            "bound": "its largest difference left possible, in sds",
            "ess_needed": "of each engine, to show agreement",
        },
    )
    NOTHING_VARIES = "nothing-varies"

    # Of a point estimate and an engine that draws.
    STATUS = "status", {"status": "what the engine says of its own point"}
    BELOW_A_DRAW = (
        "below-a-draw",
        {"gap": "by which a draw is higher in log-likelihood", "best": "the engine that drew it"},
    )
    NO_ELLIPSE = "no-ellipse", {"share": "of draws with a nearly empty component"}
    OUTSIDE_POSTERIOR = (
        "outside-posterior",
        {
            "point": "the engine of the point",
            "draws": "the engine that draws",
            "distance": "Mahalanobis distance of the point",
            "limit": "that a share `quantile` of the draws is within",
            "quantile": "of the draws' own distances",
        },
    )
    SPIKE = (
        "spike",
        {
            "component": "the component that is one",
            "sigma": "its standard deviation",
            "value": "on which it is",
            "count": "of observations that have it",
        },
    )
    STOPPED_EARLY = (
        "stopped-early",
        {
            "log_lik": "that EM gains in log-likelihood from there",
            "density": "that EM gains in log posterior density from there",
        },
    )
    PRIOR_MOVES = (
        "prior-moves",
        {
            "point": "the engine of the point, a maximum of the likelihood",
            "draws": "the engine that draws",
            "distance": "Mahalanobis distance of the point",
            "limit": "of that distance",
            "mode_distance": "that of the posterior's mode that belongs to the point",
            "parameter": "which the prior moves furthest",
            "sds": "by how many posterior sds",
        },
    )
    AT_MAXIMUM = (
        "at-maximum",
        {
            "of": "log_lik or density: the height that no draw exceeds",
            "distance": "Mahalanobis distance of the point",
            "limit": "of that distance",
        },
    )

    # Of two point estimates.
    SAME_MAXIMUM = "same-maximum", {"gap": "between their log-likelihoods"}
    LOWER_MAXIMUM = (
        "lower-maximum",
        {"gap": "by which the other's log-likelihood is higher", "higher": "the other engine"},
    )
    DIFFERENT_OBJECTIVES = (
        "different-objectives",
        {
            "likelier": "the engine with the higher log-likelihood",
            "denser": "the engine with the higher posterior density",
            "gap": "between their log-likelihoods",
        },
    )

    EARLIER_VERSION = "earlier-version", {"text": "a sentence, from a version that kept no codes"}


class Remedy(ReasonCode):
    """What would settle an inconclusive comparison; a program can follow `RUN_WITH` alone."""

    RUN_WITH = "run-with", {"settings": "of the engine, by their keys in a card"}
    FOLLOWED = (
        "followed",
        {"settings": "with which engines were run again", "times": "which round of settling"},
    )
    DRAWS_ELSEWHERE = (
        "draws-elsewhere",
        {
            "chains": "that are needed, each from a start and a seed of its own",
            "draws": "that each needs",
            "warmup": "whether a longer warm-up is needed, too",
        },
    )
    SMALLER_STEPS = "smaller-steps"
    OWN_STREAMS = "own-streams", {"elsewhere": "whether the draws were made elsewhere"}
    TOGETHER = "together", {"elsewhere": "whether the draws were made elsewhere"}
    STANDS_STILL = "stands-still"
    SAME_OBJECTIVE = (
        "same-objective",
        {"settings": "of EM, by their keys in a card; empty where none would do"},
    )
    CONVERGE = "converge"
    LEAVE_OUT = (
        "leave-out",
        {"engines": "that remain", "fewer": "components to try instead; 0 where there is one"},
    )
    ANOTHER_ENGINE = "another-engine"
    SEEDS = "seeds", {"engines": "whose draws were made elsewhere"}
    COMPARE_AGAIN = "compare-again"


@dataclass(frozen=True)
class Reason:
    """One reason for a verdict.

    Attributes
    ----------
    code : ReasonCode
    numbers : mapping
        What ``code.numbers`` documents: numbers, names, and tuples or mappings of them. Also, where
        it applies, ``round`` (2 or 3), the run with fresh seeds in which it was seen if not in the
        first; and ``components``, the number of components of the fit among several that were
        tried.
    engine : str
        The engine it is about, and speaks against; empty where it is about a pair or about no
        engine.

    Raises
    ------
    ValueError
        If the numbers are not those of the code.
    """

    code: ReasonCode
    numbers: Mapping[str, Any] = field(default_factory=dict)
    engine: str = ""

    def __post_init__(self) -> None:
        if set(self.numbers) - {"round", "components"} != set(self.code.numbers):
            raise ValueError(f"{self.code}: has {[*self.numbers]}, not {[*self.code.numbers]}")
        # Tuples throughout, so that what JSON gives back is equal.
        object.__setattr__(self, "numbers", _unlisted(self.numbers))

    def of_round(self, this_round: int) -> Reason:
        """Return the same reason, seen in a repetition with fresh seeds."""
        return replace(self, numbers={**self.numbers, "round": this_round})

    def of_components(self, K: int) -> Reason:
        """Return the same reason, of the fit with so many components."""
        return replace(self, numbers={**self.numbers, "components": K})

    def to_dict(self) -> dict[str, Any]:
        """Return an entry of ``codes`` in JSON."""
        return {"code": str(self.code), "engine": self.engine, "numbers": dict(self.numbers)}

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> Reason:
        """Return the reason that `to_dict` described; null is NaN."""
        numbers = _unlisted(entry["numbers"], null=math.nan)
        return cls(ReasonCode.named(entry["code"]), numbers, entry["engine"])


def settings_of(found: Iterable[Reason]) -> dict[str, Any]:
    """Return all settings that remedies name and a program can follow, by their keys in a card.

    Where two engines share a setting, as samplers of one's own do, it is the larger.
    """
    settings: dict[str, Any] = {}
    for remedy in found:
        if remedy.code == Remedy.RUN_WITH:
            for key, value in remedy.numbers["settings"].items():
                settings[key] = max(value, settings.get(key, value))
    return settings


def to_codes(reasons: Iterable[Reason]) -> list[dict[str, Any]]:
    """Return reasons as JSON has them under ``codes``."""
    return [reason.to_dict() for reason in reasons]


def from_codes(codes: Iterable[Mapping[str, Any]]) -> tuple[Reason, ...]:
    """Read back what `to_codes` made."""
    return tuple(map(Reason.from_dict, codes))


def _unlisted(value: Any, null: float | None = None) -> Any:
    """Return a value with every list a tuple, and every None what it stands for."""
    if isinstance(value, Mapping):
        return {key: _unlisted(item, null) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_unlisted(item, null) for item in value)
    return null if value is None else value

"""What a validation came to: plain data, for the terminal, for JSON and for the page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from gmmcompare._version import __version__
from gmmcompare.comparison.words import sentence
from gmmcompare.runtime.errors import InputError
from gmmcompare.runtime.files import to_json, write_text
from gmmcompare.validation.faults.catalogue import FAULTS
from gmmcompare.validation.reasons import Code, Reason, from_codes, to_codes
from gmmcompare.validation.remedies import remedies
from gmmcompare.validation.words import phrases, rate

if TYPE_CHECKING:
    import pandas as pd

Verdict = Literal["passed", "failed", "inconclusive"]
SCHEMA = 1


@dataclass(frozen=True)
class Check:
    """One kind of test and what it came to.

    Attributes
    ----------
    name : str
        contract, conditionals, invariance, sbc, posterior sbc, exact posterior, joint distribution
        or nuts.
    verdict : "passed", "failed" or "inconclusive"
    reasons : tuple of Reason
        What the verdict rests on.
    replicates : int
        How many independent replicates were made.
    seconds : float
        Wall time.
    error_rate : float
        Bound on the probability that a correct sampler fails this check.
    data : mapping
        What the page draws: numbers, strings, arrays and mappings of them.
    """

    name: str
    verdict: Verdict
    reasons: tuple[Reason, ...]
    replicates: int = 0
    seconds: float = 0.0
    error_rate: float = 0.0
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """The reasons in words."""
        return "; ".join(phrases(self.reasons))

    def to_dict(self) -> dict[str, Any]:
        """Return the entry of ``checks`` in JSON."""
        entry = {**vars(self), "summary": self.summary, "codes": to_codes(self.reasons)}
        del entry["reasons"]
        return entry


@dataclass(frozen=True)
class Suspect:
    """A fault of the gallery that moves the same quantities the same way.

    ``score`` is the similarity of the two signatures, without the part of Monte Carlo error: at
    most 1, which is the same signature (see `diagnosis.similarity`). Below
    `error_rates.SUSPECT_SIMILARITY` nobody is named.
    """

    fault: str
    score: float

    @property
    def mistake(self) -> str:
        """The code as written and as it should be."""
        return FAULTS[self.fault].mistake

    @property
    def effect(self) -> str:
        """What the fault does to draws."""
        return FAULTS[self.fault].effect


@dataclass(frozen=True)
class Diagnosis:
    """What moves, and which known faults do the same, likeliest first."""

    reasons: tuple[Reason, ...] = ()
    suspects: tuple[Suspect, ...] = ()

    @property
    def findings(self) -> tuple[str, ...]:
        """What moves, in words."""
        return phrases(self.reasons)

    def __str__(self) -> str:
        lines = list(self.findings)
        if self.suspects:
            lines.append("Known faults with the same signature, likeliest first:")
            lines += [
                f"  {rank}. {s.fault} (similarity {s.score:.2f}): {s.effect}\n     {s.mistake}"
                for rank, s in enumerate(self.suspects, start=1)
            ]
        return "\n".join(lines)


@dataclass(frozen=True)
class Validation:
    """The verdict on one sampler and everything it rests on.

    Attributes
    ----------
    name : str
        The sampler, as it was named.
    kind : str
        kernel, sampler, or "" where it could not be loaded.
    checks : tuple of Check
    diagnosis : Diagnosis
        Empty unless a check failed.
    noticed : tuple of Reason
        What is odd but no reason to fail: it prints, it warns, it is not reproducible.
    untested : tuple of Reason
        What this verdict says nothing about.
    seed : int
    seconds : float
        Wall time of all checks.
    version : str
        Of this package.
    scope : tuple of Reason
        What the verdict is about: sizes and priors, and what the sampler does not take.
    """

    name: str
    kind: str
    checks: tuple[Check, ...]
    diagnosis: Diagnosis
    noticed: tuple[Reason, ...]
    untested: tuple[Reason, ...]
    seed: int
    seconds: float
    version: str = __version__
    scope: tuple[Reason, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Failed if any check failed; passed if all passed; else inconclusive."""
        verdicts = {check.verdict for check in self.checks}
        if "failed" in verdicts:
            return "failed"
        return "passed" if verdicts == {"passed"} else "inconclusive"

    @property
    def error_rate(self) -> float:
        """Bound on the probability that a correct sampler fails: the sum over the checks."""
        return sum(check.error_rate for check in self.checks)

    @property
    def reasons(self) -> tuple[str, ...]:
        """One sentence for each check that did not pass."""
        return tuple(f"{c.name}: {c.summary}" for c in self.checks if c.verdict != "passed")

    @property
    def remedies(self) -> tuple[str, ...]:
        """What would settle an inconclusive verdict, in words."""
        return tuple(map(sentence, remedies(self)))

    @property
    def tested(self) -> tuple[str, ...]:
        """What the verdict is about, in words."""
        return phrases(self.scope)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was noticed, in words."""
        return phrases(self.noticed)

    @property
    def of_model(self) -> bool:
        """Whether it is a sampler of a model of the user's, and not of the mixture."""
        return any(reason.code == Code.MODEL_SCOPE for reason in self.scope)

    @property
    def stream(self) -> str:
        """Whether it draws from its rng: only, not only or never; "" where that is unknown."""
        codes = {reason.code for reason in self.noticed}
        if Code.RNG_UNUSED in codes:
            return "never"
        if codes & {Code.RNG_NOT_ALONE, Code.NOT_REPRODUCIBLE}:
            return "not only"
        kept = any(r.code == Code.CONTRACT_KEPT for check in self.checks for r in check.reasons)
        return "only" if kept else ""

    @property
    def not_tested(self) -> tuple[str, ...]:
        """What was not tested, in words."""
        return phrases(self.untested)

    @property
    def news(self) -> Diagnosis:
        """The diagnosis without what `reasons` say already: the calls that broke."""
        reasons = tuple(r for r in self.diagnosis.reasons if r.code != Code.BROKEN_CALL)
        return Diagnosis(reasons, self.diagnosis.suspects)

    def table(self) -> pd.DataFrame:
        """Return one row for each check."""
        import pandas as pd

        columns = ["check", "verdict", "replicates", "seconds", "error_rate", "summary"]
        rows = [
            (c.name, c.verdict, c.replicates, c.seconds, c.error_rate, c.summary)
            for c in self.checks
        ]
        return pd.DataFrame(rows, columns=columns)

    def quantities(self) -> pd.DataFrame:
        """Return one row for each quantity tested by betting, the most suspect first.

        Columns: check, scene, quantity, sweeps, reference, effect (mean difference in standard
        deviations of one replicate), z, replicates and log_wealth (of its best bet).
        """
        import pandas as pd

        frames = [
            pd.DataFrame(table).assign(check=check.name, scene=scene)
            for check in self.checks
            for scene, table in check.data.get("quantities", {}).items()
        ]
        if not frames:
            return pd.DataFrame()
        return pd.concat(frames, ignore_index=True).sort_values(
            "log_wealth", ascending=False, ignore_index=True
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything as numbers, strings, arrays, lists and dicts."""
        return {
            "schema": SCHEMA,
            "version": self.version,
            "sampler": self.name,
            "kind": self.kind,
            "verdict": self.verdict,
            "seed": self.seed,
            "seconds": self.seconds,
            "error_rate": self.error_rate,
            "checks": [check.to_dict() for check in self.checks],
            "diagnosis": {
                "findings": self.diagnosis.findings,
                "codes": to_codes(self.diagnosis.reasons),
                "suspects": [
                    {"fault": s.fault, "mistake": s.mistake, "effect": s.effect, "score": s.score}
                    for s in self.diagnosis.suspects
                ],
            },
            "remedies": self.remedies,
            "tested": self.tested,
            "notes": self.notes,
            "not_tested": self.not_tested,
            "codes": {
                "tested": to_codes(self.scope),
                "notes": to_codes(self.noticed),
                "not_tested": to_codes(self.untested),
                "remedies": to_codes(remedies(self)),
            },
        }

    def to_json(self) -> str:
        """Return `to_dict` as JSON."""
        return to_json(self.to_dict())

    def save(self, path: str | Path) -> None:
        """Write the JSON."""
        write_text(path, self.to_json())

    @classmethod
    def from_json(cls, text: str) -> Validation:
        """Read back what `to_json` wrote; arrays come back as lists.

        Raises
        ------
        InputError
            If it was written by a version whose codes were others, or that kept none.
        """
        found = json.loads(text)
        try:
            return cls._of_dict(found)
        except (KeyError, ValueError):
            raise InputError(
                f"{found['sampler']}: validated with gmmcompare {found['version']}, whose results "
                "cannot be read any more; validate it again"
            ) from None

    @classmethod
    def _of_dict(cls, found: Mapping[str, Any]) -> Validation:
        codes = found["codes"]
        diagnosis = Diagnosis(
            from_codes(found["diagnosis"]["codes"]),
            tuple(Suspect(s["fault"], s["score"]) for s in found["diagnosis"]["suspects"]),
        )
        return cls(
            found["sampler"],
            found["kind"],
            tuple(_check(entry) for entry in found["checks"]),
            diagnosis,
            from_codes(codes["notes"]),
            from_codes(codes["not_tested"]),
            found["seed"],
            found["seconds"],
            found["version"],
            from_codes(codes.get("tested", ())),
        )

    def __str__(self) -> str:
        lines = [f"{self.name}: {self.verdict} ({self.seconds:.1f} s)"]
        lines += [f"  {what}" for what in self.tested]
        for check in self.checks:
            lines.append(f"  {check.verdict:12s} {check.name}: {check.summary}")
        lines += [f"  to settle it: {what}" for what in self.remedies]
        if self.error_rate:
            lines.append(f"  false-positive rate at most {rate(self.error_rate)}")
        if str(self.news):
            lines += ["", str(self.news)]
        lines += [f"note: {note}" for note in self.notes]
        lines += [f"not tested: {what}" for what in self.not_tested]
        return "\n".join(lines)


def _check(entry: Mapping[str, Any]) -> Check:
    known = {key: value for key, value in entry.items() if key not in ("summary", "codes")}
    return Check(reasons=from_codes(entry["codes"]), **known)

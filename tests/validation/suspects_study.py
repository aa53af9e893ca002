"""How often is the wrong fault suspected? Known faults left out in turn, and faults unknown to it.

``python tests/validation/suspects_study.py``, from the root of
the repository, writes ``reports/suspects.md``. It takes about three minutes of processor time, and
can be continued.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from inprocess import InProcess, silent
from not_in_gallery import OUTSIDE

from gmmcompare.runtime.store import Row
from gmmcompare.studies import markdown
from gmmcompare.studies.study import Found, Study
from gmmcompare.validation import error_rates
from gmmcompare.validation.checks.invariance import Plan, SceneTest, check_invariance
from gmmcompare.validation.checks.scenes import ASYMMETRIC, CALIBRATION, SPARSE
from gmmcompare.validation.diagnosis.signatures import stored_signatures
from gmmcompare.validation.diagnosis.similarity import similarity
from gmmcompare.validation.faults.catalogue import FAULTS, KERNEL_FAULTS, Variant

PRIORS = {"vectors": (CALIBRATION, ASYMMETRIC), "numbers": (CALIBRATION, SPARSE)}
"""The two main priors of kernels that take vectors, and of those that take only numbers."""
TOO_FAINT = "z-from-stale-weights"
"""The one fault that these few replicates cannot show; see the report on the gallery."""
ONE_ROUND = Plan(first=1000, base=2000, most=2000)
CASES = {
    **{n: f for n, f in KERNEL_FAULTS.items() if n != TOO_FAINT},
    **{f.name: f for f in OUTSIDE},
}


def row_of(fault: Variant, verdict: str, tests: Sequence[SceneTest]) -> Row:
    """Return its similarity to itself and the most similar other, under each pair of priors."""
    known = stored_signatures()
    alike = np.array([FAULTS[f].remembers == fault.remembers for f in known.faults])
    found: Row = {"verdict": verdict, "replicates": min(t.wealth.n for t in tests)}
    for which, scenes in PRIORS.items():
        scores = similarity([t for t in tests if t.scene in scenes], known)
        scores = np.where(alike & np.isfinite(scores), scores, 0.0)
        own = known.faults.index(fault.name) if fault.name in known.faults else None
        mine = 0.0 if own is None else float(scores[own])
        if own is not None:
            scores[own] = 0.0
        nearest = int(scores.argmax())
        best = float(scores[nearest])
        found[which] = {
            "own": mine,
            "nearest": known.faults[nearest] if best > 0 else "",
            "similarity": best,
        }
    return found


@dataclass(frozen=True)
class SuspectsStudy(Study):
    """Similarities of one round of replicates with all stored signatures."""

    name = "suspects"

    def plan(self, repetitions: int) -> dict[str, int]:
        """Repeat each fault as often as that."""
        return dict.fromkeys(CASES, repetitions)

    def repeat(self, case: str, number: int) -> Row:
        """Make the replicates of one fault."""
        scenes = (CALIBRATION, ASYMMETRIC, SPARSE)
        with np.errstate(all="ignore"):
            outcome = check_invariance(
                InProcess(CASES[case].build()), scenes, ONE_ROUND, self.seed + number, silent
            )
        return row_of(CASES[case], outcome.check.verdict, outcome.tests)

    def page(self, found: Found) -> str:
        """Return the tables of known and of unknown faults."""
        unknown_names = {fault.name for fault in OUTSIDE}
        known = {n: rows for n, rows in found.items() if n in KERNEL_FAULTS}
        unknown = {n: rows for n, rows in found.items() if n in unknown_names}
        tests = sum(map(len, (known | unknown).values()))
        return markdown.page(
            "# Suspects: how often the wrong fault is named",
            f"Written by `tests/validation/suspects_study.py` (seed {self.seed}) from "
            f"{tests} tests of 1,000 or 2,000 replicates of each prior, as many as a failed "
            "validation makes at least. A suspect is named at a similarity above "
            f"{error_rates.SUSPECT_SIMILARITY} (see `gmmcompare/validation/diagnosis/similarity.py`"
            "), which was chosen from known faults that were left out in turn, with seeds 5 and "
            "6. A dash is a similarity that is not above 0, or effects no clearer than their Monte "
            "Carlo error. `vectors` are the two main priors of kernels that take vectors as priors,"
            " `numbers` those of kernels that do not.",
            markdown.bullets(_headlines(known, unknown)),
            "## Known faults, each left out in turn",
            _table(known, ("vectors: itself", "numbers: itself"), ("own",)),
            "## Faults that the gallery does not have",
            "`tests/validation/not_in_gallery.py` has their code. Any name is a wrong one, "
            "however close the mistake.",
            _table(unknown, (), ()),
        )


def _table(found: Found, own: Sequence[str], keys: Sequence[str]) -> str:
    head = ["fault", "failed", *own]
    for which in PRIORS:
        head += [f"{which}: likeliest", f"{which}: similarity"]
    rows = []
    for name, (row, *_) in found.items():
        cells = [name, "yes" if row["verdict"] == "failed" else "no"]
        cells += [_number(row[which][key]) for which in PRIORS for key in keys]
        for which in PRIORS:
            cells += [row[which]["nearest"] or "-", _number(row[which]["similarity"])]
        rows.append(cells)
    return markdown.table(head, rows, "ll" + "r" * len(own) + "lr" * len(PRIORS))


def _number(similarity: float) -> str:
    return f"{min(similarity, 1.0):.3f}" if similarity > 0 else "-"


def _headlines(known: Found, unknown: Found) -> Iterator[str]:
    for which in PRIORS:
        yield (
            f"Under the priors of `{which}`: {_named(known, which, 'own')} of {len(known)} known "
            f"faults are named; left out, {_named(known, which, 'similarity')} of {len(known)} "
            f"would have another named in their place; of faults not in the gallery, "
            f"{_named(unknown, which, 'similarity')} of {len(unknown)} are given a suspect."
        )


def _named(found: Found, which: str, key: str) -> int:
    return sum(
        row["verdict"] == "failed" and row[which][key] > error_rates.SUSPECT_SIMILARITY
        for row, *_ in found.values()
    )


if __name__ == "__main__":
    study = SuspectsStudy(Path("reports/suspects"), 6)
    study.run(1)
    print(study.write())

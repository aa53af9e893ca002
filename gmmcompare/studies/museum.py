"""Whether bugs of the museum are found and repaired twins pass, and what R-hat and ESS said."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gmmcompare.comparison.diagnostics import convergence
from gmmcompare.model.params import Array
from gmmcompare.model.points import flat, mapped, one_of
from gmmcompare.model.protocol import scalar_names
from gmmcompare.runtime.store import Row
from gmmcompare.studies import markdown
from gmmcompare.studies.study import Found, Study
from gmmcompare.studies.validations import (
    caught_by,
    count,
    median_and_most,
    median_processor,
    replicates,
    validated,
)
from gmmcompare.validation import error_rates
from gmmcompare.validation.checks.invariance import DOUBT
from gmmcompare.validation.faults.museum.catalogue import PIECES, PREFIX, REPAIRED, Piece

CHAINS, DRAWS, WARMUP = 4, 1000, 500
BROKEN = tuple(PREFIX + name for name in PIECES)
TWINS = tuple(PREFIX + name + REPAIRED for name in PIECES)


@dataclass(frozen=True)
class MuseumStudy(Study):
    """Full validations of the pieces of the museum and of their repaired twins.

    The first seed is the study's, then the next.
    """

    name = "museum"

    def plan(self, repetitions: int) -> dict[str, int]:
        """Repeat repaired twins most often: their rate of failures must be smallest."""
        few = -(-repetitions // 5)
        return {**dict.fromkeys(BROKEN, few), **dict.fromkeys(TWINS, repetitions)}

    def repeat(self, case: str, number: int) -> Row:
        """Validate a sampler on one core; the first time say what R-hat and ESS are as well."""
        row = validated(case, case.removeprefix(PREFIX), quick=False, seed=self.seed + number)
        if number == 0 and case in BROKEN:
            return {**row, **diagnosed(PIECES[case.removeprefix(PREFIX)], self.seed)}
        return row

    def page(self, found: Found) -> str:
        """Return the tables of bugs, of repaired twins, and of where the bugs come from."""
        return markdown.page(
            "# The museum of bugs: samplers that shipped, and what finds them",
            f"{self.origin(found, 'validations')} Every validation is a full one, with a seed of "
            "its own. The study can be interrupted and continued; the tables say how many runs "
            "there are.",
            markdown.bullets(_headlines(found)),
            "## Bugs",
            "Replicates are those until the verdict. Processor seconds are those of the whole "
            f"validation on one {platform.machine()} core. R-hat (the largest) and ESS (the "
            f"smallest, bulk or tail) are ArviZ' of {CHAINS} chains of {DRAWS:,} draws from the "
            "wrong sampler, on one data set, after "
            f"{WARMUP} draws of warmup: what its users could see.",
            markdown.table(
                [
                    "bug", "what it was", "runs", "failed", "caught by",
                    "replicates: median, most", "processor seconds: median", "R-hat", "ESS",
                ],
                [_bug_cells(case, found[case]) for case in BROKEN if case in found],
                "llrrlrrrr",
            ),
            "## Repaired twins",
            "A correct kernel fails with probability at most "
            f"{markdown.number(error_rates.INVARIANCE)}, and leaves a doubt, which is no pass "
            f"either, with at most {markdown.number(DOUBT)}; the whole sampler fails with at most "
            f"{markdown.number(error_rates.SBC_RANKS + error_rates.SBC_MEANS)}.",
            markdown.table(
                [
                    "sampler", "runs", "passed", "failed", "replicates: median, most",
                    "processor seconds: median",
                ],
                [_twin_cells(case, found[case]) for case in TWINS if case in found],
            ),
            "## Where they come from",
            "The reports are public; code and models here are our own. Step sizes are fixed, and "
            "memory from sweep to sweep is gone where it is not itself the bug.",
            markdown.table(
                ["bug", "the mistake", "what it does", "report"],
                [(p.name, p.mistake, p.effect, f"<{p.report}>") for p in PIECES.values()],
                "llll",
            ),
        )  # fmt: skip


def diagnosed(piece: Piece, seed: int) -> Row:
    """Return the largest R-hat and the smallest ESS of the wrong sampler on one data set.

    Parameters
    ----------
    piece : Piece
    seed : int
        Data and draws follow from it.
    """
    model = piece.model()
    rng = np.random.default_rng(seed)
    theta = model.draw_prior(1, rng)
    y = one_of(model.draw_data(theta, rng), 0)
    sampler = piece.build()
    if piece.whole:
        run = sampler(y, DRAWS, WARMUP, CHAINS, rng)
        table = np.stack([flat({k: v[chain] for k, v in run.items()}) for chain in range(CHAINS)])
    else:
        starts = model.draw_prior(CHAINS, rng)
        chains = []
        for chain in range(CHAINS):
            at, rows = mapped(lambda a: np.asarray(a)[()], one_of(starts, chain)), []
            for i in range(-WARMUP, DRAWS):
                at = sampler(at, y, rng)
                if i >= 0:
                    rows.append(np.concatenate([np.ravel(at[k]) for k in model.parameters]))
            chains.append(np.array(rows, dtype=float))
        table = np.stack(chains)
    names = scalar_names(model.parameters)
    values: dict[str, Array] = {name: table[:, :, j] for j, name in enumerate(names)}
    said = convergence(values, with_mcse=False)
    return {"rhat": said.worst_rhat[1], "ess": said.worst_ess[1]}


def _headlines(found: Found) -> Iterator[str]:
    broken = [row for case in BROKEN for row in found.get(case, ())]
    twins = [row for case in TWINS for row in found.get(case, ())]
    shown = [row for row in broken if "rhat" in row]
    quiet = [row for row in shown if round(row["rhat"], 3) < 1.01]  # as the table prints it
    yield f"{count(broken, 'failed')} of {len(broken)} validations of a bug came out *failed*."
    yield (
        f"{count(twins, 'passed')} of {len(twins)} validations of a repaired twin came out "
        "*passed*."
    )
    yield f"R-hat was below 1.01 for {len(quiet)} of {len(shown)} wrong samplers."


def _bug_cells(case: str, rows: Sequence[Row]) -> list[object]:
    name = case.removeprefix(PREFIX)
    first = next((row for row in rows if "rhat" in row), None)
    return [
        name,
        PIECES[name].title,
        len(rows),
        count(rows, "failed"),
        caught_by(rows),
        median_and_most([r["replicates"] for r in rows]),
        median_processor(rows),
        f"{first['rhat']:.3f}" if first else "-",
        f"{first['ess']:,.0f}" if first else "-",
    ]


def _twin_cells(case: str, rows: Sequence[Row]) -> list[object]:
    return [
        case.removeprefix(PREFIX),
        len(rows),
        count(rows, "passed"),
        count(rows, "failed"),
        median_and_most([replicates(r) for r in rows]),
        median_processor(rows),
    ]

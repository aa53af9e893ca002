"""How often does a quick validation fail a correct sampler of any model? The examples, repeated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gmmcompare.runtime.errors import InputError
from gmmcompare.runtime.store import Row
from gmmcompare.studies import markdown
from gmmcompare.studies.study import Found, Study
from gmmcompare.studies.validations import (
    count,
    median_and_most,
    median_processor,
    replicates,
    validated,
)
from gmmcompare.validation import error_rates


@dataclass(frozen=True)
class ShelfStudy(Study):
    """Quick validations of correct kernels; the first seed is the study's, then the next.

    Parameters
    ----------
    shelf : Path
        A folder of Python files. Each defines ``sweep`` and its model, a class that is called like
        the file: ``change_point.py`` has ``ChangePoint``.
    """

    shelf: Path = Path("examples/shelf")

    name = "shelf"

    def __post_init__(self) -> None:
        """Find the folder, which workers may see from elsewhere."""
        super().__post_init__()
        object.__setattr__(self, "shelf", Path(self.shelf).resolve())

    @property
    def cases(self) -> tuple[str, ...]:
        """Names of the models.

        Raises
        ------
        InputError
            If the folder has none.
        """
        names = tuple(sorted(path.stem for path in self.shelf.glob("*.py")))
        if not names:
            raise InputError(
                f"{self.shelf}: has no models; run the study in the project's folder, or give "
                "--shelf DIR"
            )
        return names

    def plan(self, repetitions: int) -> dict[str, int]:
        """Repeat all alike."""
        return dict.fromkeys(self.cases, repetitions)

    def repeat(self, case: str, number: int) -> Row:
        """Validate a kernel on one core."""
        path = self.shelf / f"{case}.py"
        model = "".join(word.capitalize() for word in case.split("_"))
        return validated(
            f"{path}:sweep", case, model=f"{path}:{model}", quick=True, seed=self.seed + number
        )

    def page(self, found: Found) -> str:
        """Return the table."""
        return markdown.page(
            "# Correct samplers of the models on the shelf: how often a validation fails one",
            f"{self.origin(found, 'validations')} Every validation is a quick one, with a seed of "
            "its own, of a kernel in `examples/shelf/` that agrees with the exact posterior of its "
            "model. The study can be interrupted and continued.",
            markdown.bullets(_headlines(found)),
            "An *inconclusive* validation says that it could not tell: chains that have not met in "
            "the few sweeps of a quick run, or a wealth of the bet between a thousand and a "
            "hundred thousand. Processor seconds are those of the whole validation on one core.",
            markdown.table(
                [
                    "model", "runs", "passed", "inconclusive", "failed",
                    "replicates: median, most", "processor seconds: median",
                ],
                [_cells(case, rows) for case, rows in sorted(found.items())],
            ),
        )  # fmt: skip


def _headlines(found: Found) -> Iterator[str]:
    rows = [row for some in found.values() for row in some]
    yield (
        f"{count(rows, 'failed')} of {len(rows):,} validations of a correct sampler came out "
        f"*failed*; the stated rate is at most {markdown.number(error_rates.INVARIANCE)} each."
    )
    yield f"{count(rows, 'inconclusive')} of {len(rows):,} came out *inconclusive*."


def _cells(case: str, rows: Sequence[Row]) -> list[object]:
    return [
        case,
        len(rows),
        *(count(rows, verdict) for verdict in ("passed", "inconclusive", "failed")),
        median_and_most([replicates(r) for r in rows]),
        median_processor(rows),
    ]

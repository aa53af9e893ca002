"""What does `validate` say about samplers from public code? Verdict and first suspect of each.

``python -m tests.benchmarks.public_kernels [--seed N] [--jobs N] [--only NAME ...] [--fresh]``
writes ``reports/public-kernels.md`` from what `tests/validation/public_kernels.py` collects. Each
kernel gets a quick validation; one that is wrong and passes it gets a full one. Outcomes are kept
as they come, so that an interrupted run goes on; those of a kernel whose source has changed are
made again. They are not made again when `validate` changes: that is what ``--fresh`` is for.
"""

from __future__ import annotations

import argparse
import hashlib
import inspect
import os
import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from gmmcompare._version import __version__
from gmmcompare.runtime.files import write_text
from gmmcompare.runtime.store import Row, Store
from gmmcompare.studies import markdown
from gmmcompare.validation import Validation, validate

sys.path.insert(0, str(Path(__file__).parents[1] / "validation"))

from public_kernels import PUBLIC, Public

REPORT = Path("reports/public-kernels.md")
OUTCOMES = Path("reports/public-kernels/outcomes.jsonl")
SEED = 1
LENGTHS = ("quick", "full")
LONGEST = 160
"""Characters of what was said that fit into a cell."""

type Outcomes = Mapping[str, Row]
"""The last outcome of each kernel, by its name."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", nargs="+", choices=tuple(PUBLIC), default=tuple(PUBLIC))
    parser.add_argument("--fresh", action="store_true")
    given = parser.parse_args()
    if given.fresh:
        OUTCOMES.unlink(missing_ok=True)
    identity = {"benchmark": "public kernels", "version": __version__, "seed": given.seed}
    store = Store(OUTCOMES, identity, ("kernel", "source", "length")).begin()
    for name in given.only:
        validate_one(PUBLIC[name], store, given.seed, given.jobs)
        write_text(REPORT, page(last_outcomes(store), given.seed))
    print(REPORT.read_text(encoding="utf-8"))


def validate_one(kernel: Public, store: Store, seed: int, jobs: int) -> None:
    """Validate a kernel as far as is needed and not yet done."""
    for length in LENGTHS:
        key = (kernel.name, source(kernel), length)
        if key not in store.rows:
            before = _processor_seconds()
            found = validate(kernel.spec, quick=length == "quick", seed=seed, jobs=jobs)
            spent = _processor_seconds() - before
            store.append(key, {**outcome(found), "processor_seconds": spent})
        if kernel.kind != "wrong" or store.rows[key]["verdict"] != "passed":
            return


def source(kernel: Public) -> str:
    """Return a few digits that change with the file in which a kernel is, or with its helpers."""
    files = {inspect.getfile(kernel.function), inspect.getfile(Public)}
    content = b"".join(Path(file).read_bytes() for file in sorted(files))
    return hashlib.sha256(content).hexdigest()[:12]


def outcome(found: Validation) -> Row:
    """Return what is kept of a validation."""
    suspects = found.diagnosis.suspects
    said = (*found.diagnosis.findings, *found.reasons, *found.notes)
    return {
        "verdict": found.verdict,
        "suspect": suspects[0].fault if suspects else "",
        "said": said[0] if said else "",
        "checks": [check.name for check in found.checks if check.verdict != "passed"],
    }


def last_outcomes(store: Store) -> dict[str, Row]:
    """Return each kernel's longest validation, its length among the entries."""
    found: dict[str, Row] = {}
    for kernel in PUBLIC.values():
        for length in LENGTHS:
            row = store.rows.get((kernel.name, source(kernel), length))
            if row is not None:
                found[kernel.name] = {**row, "length": length, **_sum(found, kernel, row)}
    return found


def _sum(found: Outcomes, kernel: Public, row: Row) -> Row:
    """Return the time of all validations of a kernel so far."""
    before = found.get(kernel.name, {}).get("processor_seconds", 0.0)
    return {"processor_seconds": before + row["processor_seconds"]}


def page(found: Outcomes, seed: int) -> str:
    """Return the report in Markdown."""
    rows = [(PUBLIC[name], row) for name, row in found.items()]
    return markdown.page(
        "# Samplers from public code: what `validate` says of them",
        f"Written by `python -m tests.benchmarks.public_kernels` on {datetime.now(UTC):%Y-%m-%d} "
        f"(version {__version__}, seed {seed}, one {platform.machine()} machine of "
        f"{os.cpu_count()} cores) from {len(rows)} of the {len(PUBLIC)} kernels in "
        "`tests/validation/public_kernels.py`: samplers of univariate Gaussian mixtures found in "
        "repositories, lecture notes and blogs, written anew in our contract, no code copied. "
        "Their truth was derived by hand before they were validated.",
        markdown.bullets(_headlines(rows)),
        "A validation is a quick one; a wrong sampler that passes it gets a full one (*full*), and "
        "the seconds are of both. A correct sampler of another model differs from ours, so that "
        "it should not pass; a suspect named for it is not a fault of its authors. What neither "
        "passed nor failed is *inconclusive*.",
        markdown.table(
            [
                "kernel", "from", "truth", "verdict", "first suspect, or what was said",
                "processor seconds",
            ],
            [_cells(kernel, row) for kernel, row in rows],
            "lllllr",
        ),
    )  # fmt: skip


def _headlines(rows: Sequence[tuple[Public, Row]]) -> Iterator[str]:
    wrong, right, other = (
        [row for kernel, row in rows if kernel.kind == kind]
        for kind in ("wrong", "correct", "another model")
    )
    late = sum(row["length"] == "full" and row["verdict"] == "failed" for row in wrong)
    yield (
        f"{_count(wrong, 'failed')} of {len(wrong)} wrong samplers came out *failed*, {late} of "
        f"them only in a full validation; {_count(wrong, 'passed')} *passed* both."
    )
    yield (
        f"{_count(right, 'passed')} of {len(right)} correct samplers came out *passed*; "
        f"{_count(right, 'failed')} *failed*."
    )
    yield (
        f"{_count(other, 'failed')} of {len(other)} correct samplers of another model came out "
        f"*failed* and {_count(other, 'passed')} *passed*."
    )
    yield (
        f"A suspect was named for {_suspected(wrong)} wrong samplers, {_suspected(right)} correct "
        f"ones and {_suspected(other)} of another model."
    )


def _count(rows: Sequence[Row], verdict: str) -> int:
    return sum(row["verdict"] == verdict for row in rows)


def _suspected(rows: Sequence[Row]) -> int:
    return sum(bool(row["suspect"]) for row in rows)


def _cells(kernel: Public, row: Row) -> list[object]:
    verdict = row["verdict"] + (" (full)" if row["length"] == "full" else "")
    said = f"`{row['suspect']}`" if row["suspect"] else _shortened(row["said"])
    seconds = f"{row['processor_seconds']:.1f}"
    return [kernel.name, kernel.source, kernel.truth, verdict, said, seconds]


def _shortened(text: str) -> str:
    text = " ".join(text.replace("|", "/").split())
    return text if len(text) <= LONGEST else text[: LONGEST - 3].rsplit(" ", 1)[0] + " ..."


def _processor_seconds() -> float:
    """Return the time that this process and its finished children spent computing."""
    return sum(os.times()[:4])


if __name__ == "__main__":
    main()

"""What `reports/public-kernels.md` says in a sentence is what its table says."""

from __future__ import annotations

import sys

from printed import REPORTS, counts, printed, read, tables

sys.path.insert(0, str(REPORTS.parent / "tests" / "validation"))

from benchmarks.public_kernels import page as public_page
from public_kernels import PUBLIC


def check_public_kernels(text: str) -> None:
    """Hold every figure above the table against it, and every row against the kernels."""
    (table,) = tables(text)
    kinds = [truth.partition(":")[0] for truth in table.column("truth")]
    verdicts = [verdict.partition(" ")[0] for verdict in table.column("verdict")]
    full = ["(full)" in verdict for verdict in table.column("verdict")]
    named = [cell.startswith("`") for cell in table.column("first suspect")]
    found = list(zip(kinds, verdicts, full, named, strict=True))
    of = {kind: kinds.count(kind) for kind in ("wrong", "correct", "another model")}
    times = {
        (kind, verdict): sum(f[:2] == (kind, verdict) for f in found)
        for kind in of
        for verdict in ("failed", "passed")
    }
    late = sum(f[:3] == ("wrong", "failed", True) for f in found)
    suspected = tuple(sum(f[0] == kind and f[3] for f in found) for kind in of)
    assert counts(text, r"from (\d+) of the (?:\d+) kernels") == (len(found),)
    wrong = (
        r"- (\d+) of (\d+) wrong samplers came out \*failed\*, (\d+) of .*; (\d+) \*passed\* both"
    )
    passed, failed = times["wrong", "passed"], times["wrong", "failed"]
    assert counts(text, wrong) == (failed, of["wrong"], late, passed)
    right = r"- (\d+) of (\d+) correct samplers came out \*passed\*; (\d+) \*failed\*"
    passed, failed = times["correct", "passed"], times["correct", "failed"]
    assert counts(text, right) == (passed, of["correct"], failed)
    other = r"- (\d+) of (\d+) correct .* model came out \*failed\* and (\d+) \*passed\*"
    passed, failed = times["another model", "passed"], times["another model", "failed"]
    assert counts(text, other) == (failed, of["another model"], passed)
    said = counts(text, r"named for (\d+) wrong samplers, (\d+) correct ones and (\d+) of another")
    assert said == suspected
    # Only a wrong sampler that passed a quick validation is given a full one.
    assert {kind for kind, _, longer, _ in found if longer} <= {"wrong"}
    assert not any(f[:3] == ("wrong", "passed", False) for f in found)
    printed(table.column("processor seconds"))


def test_public_kernels() -> None:
    text = read("public-kernels")
    check_public_kernels(text)
    (table,) = tables(text)
    rows = zip(*(table.column(name) for name in ("kernel", "from", "truth")), strict=True)
    known = {kernel.name: (kernel.source, kernel.truth) for kernel in PUBLIC.values()}
    assert all(known[name] == (source, truth) for name, source, truth in rows)
    assert counts(text, r"of the (\d+) kernels") == (len(PUBLIC),)


def test_public_kernels_are_written_with_figures_that_agree() -> None:
    """All kinds of outcomes, some of them by a full validation."""
    outcomes = {
        "gibbs-sampler-gmm": verdict("failed", suspect="prior-sd-as-variance"),
        "mollica-script": verdict("failed", length="full", said="mu is off | by 0.1"),
        "slot-reference": verdict("passed", length="full"),
        "villani-template": verdict("inconclusive"),
        "course-lesson": verdict("passed"),
        "finite-mixture-in-c": verdict("failed", suspect="mean-loc-ignored"),
        "unorm-gibbs": verdict("failed", said="words " * 60),
        "five-minute-stats": verdict("passed"),
    }
    text = public_page(outcomes, 7)
    check_public_kernels(text)
    assert "- 2 of 4 wrong samplers came out *failed*, 1 of them only in a full" in text
    assert "; 1 *passed* both" in text
    assert "- 1 of 2 correct samplers came out *passed*; 1 *failed*" in text
    assert "- 1 of 2 correct samplers of another model came out *failed* and 1 *passed*" in text
    assert "for 1 wrong samplers, 1 correct ones and 0 of another" in text


def verdict(name: str, **given: object) -> dict[str, object]:
    """Return what is kept of one validation."""
    row = {"verdict": name, "suspect": "", "said": "", "length": "quick", "checks": []}
    return {**row, "processor_seconds": 1.25, **given}

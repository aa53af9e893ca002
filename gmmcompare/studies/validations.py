"""What studies have in common whose repetitions are validations."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from gmmcompare.runtime.store import Row
from gmmcompare.validation.gallery import exhibit
from gmmcompare.validation.run import validate


def validated(sampler: str, name: str, *, quick: bool, seed: int, model: Any = None) -> Row:
    """Validate a sampler on one core.

    Parameters
    ----------
    sampler : str
        As `validation.run.validate` takes it.
    name : str
        What the row calls it.
    quick : bool
    seed : int
    model : Model or str, optional

    Returns
    -------
    dict
        The fields of `validation.gallery.Exhibit`, processor seconds, and every check's verdict,
        replicates and seconds.
    """
    before = _processor_seconds()
    found = validate(
        sampler, model=model, quick=quick, seed=seed, jobs=1, time_limit=3600.0, call_limit=300.0
    )
    return {
        **exhibit(name, found)._asdict(),
        "processor_seconds": _processor_seconds() - before,
        "checks": {c.name: [c.verdict, c.replicates, c.seconds] for c in found.checks},
    }


def _processor_seconds() -> float:
    """Return the time that this process and its finished children spent computing."""
    return sum(os.times()[:4])


def count(rows: Sequence[Row], verdict: str) -> int:
    """Count validations that came out like this."""
    return sum(r["verdict"] == verdict for r in rows)


def caught_by(rows: Sequence[Row]) -> str:
    """Return the checks that failed, each combination of them once."""
    return "; ".join(sorted({r["caught_by"] for r in rows} - {""}))


def median_and_most(values: Sequence[int]) -> str:
    """Return "median, most"."""
    return f"{np.median(values):,.0f}, {max(values):,}"


def median_processor(rows: Sequence[Row]) -> str:
    """Return the median of processor seconds."""
    return f"{np.median([r['processor_seconds'] for r in rows]):.1f}"


def replicates(row: Row) -> int:
    """Return the replicates of the test that decides, where it was reached."""
    checks = row["checks"]
    return next((checks[name][1] for name in ("invariance", "sbc") if name in checks), 0)

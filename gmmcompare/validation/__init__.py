"""Is this sampler correct? Checks on small data, a verdict, and a diagnosis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gmmcompare.runtime.lazy import on_first_use

if TYPE_CHECKING:
    from gmmcompare.validation.gallery import run_gallery
    from gmmcompare.validation.grading import grade
    from gmmcompare.validation.run import validate
    from gmmcompare.validation.verdict import Check, Diagnosis, Suspect, Validation

__all__ = [
    "Check", "Diagnosis", "Suspect", "Validation", "grade", "run_gallery", "validate",
]  # fmt: skip
_HOMES = {
    **dict.fromkeys(__all__, "gmmcompare.validation.verdict"),
    "grade": "gmmcompare.validation.grading",
    "run_gallery": "gmmcompare.validation.gallery",
    "validate": "gmmcompare.validation.run",
}


def __getattr__(name: str) -> Any:
    """Import on first use: the child process needs little of this, and starts at once."""
    return on_first_use(__name__, _HOMES, name)

"""Is this sampler correct? Checks on small data, a verdict, and a diagnosis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gmmcompare.validation.gallery import run_gallery
    from gmmcompare.validation.grading import grade
    from gmmcompare.validation.run import validate
    from gmmcompare.validation.verdict import Check, Diagnosis, Suspect, Validation

__all__ = [
    "Check", "Diagnosis", "Suspect", "Validation", "grade", "run_gallery", "validate",
]  # fmt: skip
_HOMES = {"validate": "run", "grade": "grading", "run_gallery": "gallery"}


def __getattr__(name: str) -> Any:
    """Import on first use: the child process needs little of this, and starts at once."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_HOMES.get(name, 'verdict')}"), name)

"""The exceptions that a user is meant to read: one line each, with what, where and the remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class GmmCompareError(Exception):
    """Base of every error that gmmcompare raises on purpose; the command line exits with 2."""


class InputError(GmmCompareError):
    """Something the user gave cannot be used: a file, a card, a value, a column."""


class EngineError(GmmCompareError):
    """An engine raised, or returned something that is not draws or a point."""


def did_you_mean(found: str, allowed: Iterable[str]) -> str:
    """Return ``" (did you mean 'x'?)"`` for the nearest allowed word, or an empty string."""
    near = difflib.get_close_matches(found, list(allowed), n=1, cutoff=0.5)
    return f" (did you mean '{near[0]}'?)" if near else ""

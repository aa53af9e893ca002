"""The committed lesson pages, and the data inside them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PAGES = Path(__file__).parents[2] / "reports" / "samples" / "lessons"


@pytest.fixture(scope="session")
def page() -> Callable[[str], str]:
    """Return a function from a lesson's name to its committed page."""
    return lambda name: (PAGES / f"{name}.html").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def embedded(page: Callable[[str], str]) -> Callable[[str], Any]:
    """Return a function from a lesson's name to the data embedded in its committed page."""

    def read(name: str) -> Any:
        found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page(name))
        assert found
        return json.loads(found[1])

    return read

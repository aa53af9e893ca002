"""The page of a validation in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gmmcompare.report import write_validation
from gmmcompare.validation import validate

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the pages of a kernel that fails and of one that passes."""
    folder = tmp_path_factory.mktemp("validation")
    names = {"failed": "fault:rate-for-scale", "passed": "gibbs_plain"}
    return {
        verdict: write_validation(validate(name, quick=True, seed=3), folder / f"{verdict}.html")
        for verdict, name in names.items()
    }


@pytest.mark.parametrize("verdict", ["failed", "passed"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(
    open_file: Callable[..., Any],
    violations: Callable[[Any], Any],
    pages: dict[str, Path],
    verdict: str,
    scheme: str,
) -> None:
    page = open_file(pages[verdict], scheme=scheme, bypass_csp=True)
    assert violations(page) == []


@pytest.mark.parametrize("width", [390, 768, 1440])
def test_the_page_never_scrolls_sideways(
    open_file: Callable[..., Any], pages: dict[str, Path], width: int
) -> None:
    page = open_file(pages["failed"], width=width)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide == page.evaluate("document.documentElement.clientWidth")

"""The page on the sensitivity to priors in a real browser: quiet, readable at any width."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import gmmcompare as gc
from gmmcompare.data import Rows
from gmmcompare.model.card import validated_card
from gmmcompare.report import write_sensitivity

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the page of few data, where a component may be empty and the draws are in doubt."""
    content = {
        "title": "Six numbers",
        "data": {"path": "six.csv"},
        "mixture": {"components": 2},
        "priors": gc.Priors(1.0, 0.0, 1.0, 3.0, 2.0).to_dict(),
        "engines": {"gibbs": {"draws": 300, "warmup": 50}, "em": {"starts": 4}},
    }
    card = validated_card(content, Path("six.toml"))
    found = gc.sensitivity(card, rows=Rows.of([0.3, 1.9, 1.1, 0.7, 2.2, 1.4]))
    assert found.reruns[0].odds
    return write_sensitivity(found, tmp_path_factory.mktemp("priors") / "index.html")


@pytest.mark.parametrize("width", [390, 768, 1440])
def test_it_never_scrolls_sideways(open_file: Callable[..., Any], page: Path, width: int) -> None:
    opened = open_file(page, width=width)
    opened.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    assert opened.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_axe_finds_nothing_serious(
    open_file: Callable[..., Any],
    violations: Callable[[Any], list[tuple[str, str, str]]],
    page: Path,
    scheme: str,
    width: int,
) -> None:
    assert violations(open_file(page, width, scheme)) == []

"""The page of a selection in a real browser: quiet, readable at any width, for everyone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gmmcompare as gc
from gmmcompare.fitting.requests import engine_requests
from gmmcompare.model.card import validated_card
from gmmcompare.report import write_selection
from gmmcompare.workflows.load import Data
from gmmcompare.workflows.select import select_card

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the page of a short selection by two samplers, with draws in doubt."""
    rng = np.random.default_rng(1)
    sample = gc.Sample.of(np.round(np.r_[rng.normal(0, 1, 60), rng.normal(8, 0.5, 40)], 1))
    few = {"draws": 200, "warmup": 100}
    content = {
        "title": "Two heaps",
        "data": {"path": "heaps.csv"},
        "mixture": {"components": 2},
        "priors": gc.Priors(1.0, 0.0, 10.0, 2.0, 1.0).to_dict(),
        "engines": {"gibbs": few, "gibbs_plain": few, "em": {"starts": 4}},
    }
    card = validated_card(content, Path("heaps.toml"))
    outcome = select_card(
        card, (1, 2), engine_requests(("em", "gibbs", "gibbs_plain")), data=Data(sample)
    )
    assert outcome.selection.doubts
    return write_selection(outcome, tmp_path_factory.mktemp("selection") / "index.html")


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

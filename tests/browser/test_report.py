"""The report in a real browser: quiet, self-contained, readable at any width, by everyone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gmmcompare as gc
from gmmcompare.fitting.requests import engine_requests
from gmmcompare.report import write_index
from gmmcompare.workflows.compare import compare_card
from gmmcompare.workflows.load import load

Opener = Callable[..., Any]

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a report of three engines and an index."""
    folder = tmp_path_factory.mktemp("report")
    changes = ["mixture.components=2", "engines.gibbs.draws=300", "engines.gibbs_plain.draws=300"]
    card = gc.load_card("galaxies-k4", changes)
    outcome = compare_card(
        card,
        load(card),
        engine_requests(["em", "gibbs", "gibbs_plain"]),
        folder=folder,
        command="gmmcompare compare galaxies-k4",
    )
    gc.write_report(outcome, folder / "index.html")
    write_index([outcome], folder / "all.html")
    return folder


@pytest.fixture
def open_page(open_file: Callable[..., Any], folder: Path) -> Opener:
    """Return a function that opens a page of the folder, the report unless another is named."""
    return lambda name="index.html", **options: open_file(folder / name, **options)


@pytest.mark.parametrize("width", [390, 768, 1440])
def test_the_page_never_scrolls_sideways(open_page: Opener, width: int) -> None:
    page = open_page(width=width)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide == page.evaluate("document.documentElement.clientWidth")


def test_a_phone_gets_the_narrow_figure(open_page: Opener) -> None:
    page = open_page(width=390)
    assert page.locator("#density .narrow-only").is_visible()
    assert not page.locator("#density .wide-only").is_visible()


def test_figures_follow_the_colour_scheme(open_page: Opener) -> None:
    """The ink of text inside a figure is light on dark and dark on light."""
    shade = "getComputedStyle(document.querySelector('#density svg text')).fill"
    background = "getComputedStyle(document.body).backgroundColor"
    seen = {}
    for scheme in ("light", "dark"):
        page = open_page(scheme=scheme)
        seen[scheme] = [_lightness(page.evaluate(code)) for code in (shade, background)]
    assert seen["light"][0] < seen["light"][1]
    assert seen["dark"][0] > seen["dark"][1]


def _lightness(colour: str) -> float:
    return float(np.mean([float(c) for c in colour.strip("rgba()").split(",")[:3]]))


def test_a_term_explains_itself_on_focus(open_page: Opener) -> None:
    page = open_page()
    meaning = page.locator("#meaning")
    assert not meaning.is_visible()
    page.locator("a.term[href='#g-margin']").first.focus()
    assert meaning.is_visible()
    assert "0.1 posterior standard deviations" in meaning.inner_text()
    page.keyboard.press("Escape")
    assert not meaning.is_visible()


def test_a_term_leads_to_the_glossary(open_page: Opener) -> None:
    page = open_page()
    page.locator("a.term[href='#g-margin']").first.click()
    page.wait_for_function("location.hash === '#g-margin'")
    assert page.locator("#g-margin").is_visible()


def test_the_copy_button_copies_the_command(open_page: Opener) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    page.locator("button[data-copy=command]").click()
    page.wait_for_function(
        "document.querySelector('button[data-copy=command]').textContent === 'Copied'"
    )
    assert page.evaluate("navigator.clipboard.readText()") == "gmmcompare compare galaxies-k4"


def test_printing_unfolds_everything_and_folds_it_again(open_page: Opener) -> None:
    page = open_page()
    count = "document.querySelectorAll('details:not([open])').length"
    folded = page.evaluate(count)
    assert folded > 0
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(count) == 0
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(count) == folded


def test_a_link_to_something_folded_unfolds_it(open_page: Opener) -> None:
    page = open_page()
    fold = page.locator("#engine-em")
    assert not fold.evaluate("d => d.open")
    page.evaluate("location.hash = 'engine-em'")
    page.wait_for_function("document.getElementById('engine-em').open")


@pytest.mark.parametrize("name", ["index.html", "all.html"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(
    open_page: Opener, violations: Callable[[Any], Any], name: str, scheme: str
) -> None:
    page = open_page(name, scheme=scheme, bypass_csp=True)  # axe's script is not ours
    assert violations(page) == []

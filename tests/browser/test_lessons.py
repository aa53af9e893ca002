"""The lessons in a real browser: quiet, self-contained, moved by their sliders, for everyone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gmmcompare.lessons import LESSONS

PAGES = Path(__file__).parents[2] / "reports" / "samples" / "lessons"

pytestmark = pytest.mark.browser
Open = Callable[..., Any]


@pytest.fixture
def open_lesson(open_file: Open) -> Open:
    """Return a function that opens a lesson by name."""
    return lambda name, **options: open_file(PAGES / f"{name}.html", **options)


def drawn(page: Any) -> str:
    """Return what the first chart, or the one that the slider moves most, shows."""
    return "".join(page.locator(".chart svg").evaluate_all("all => all.map(s => s.innerHTML)"))


@pytest.mark.parametrize("name", LESSONS)
def test_the_slider_moves_the_pictures_and_speaks(open_lesson: Open, name: str) -> None:
    page = open_lesson(name)
    slider = page.locator("#slider")
    seen, spoken = {drawn(page)}, {slider.get_attribute("aria-valuetext")}
    slider.focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
        seen.add(drawn(page))
        spoken.add(slider.get_attribute("aria-valuetext"))
    assert len(seen) == 5
    assert len(spoken) >= 2  # steps within one sweep share its number
    page.keyboard.press("End")
    assert page.locator("#slider").input_value() == page.locator("#slider").get_attribute("max")


@pytest.mark.parametrize("name", LESSONS)
def test_it_plays_and_pauses(open_lesson: Open, name: str) -> None:
    page = open_lesson(name)
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("document.getElementById('slider').value !== '0'")
    page.get_by_role("button", name="Pause").click()
    assert page.get_by_role("button", name="Play").count() == 1


@pytest.mark.parametrize("width", [390, 768, 1440])
@pytest.mark.parametrize("name", LESSONS)
def test_it_never_scrolls_sideways(open_lesson: Open, name: str, width: int) -> None:
    page = open_lesson(name, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
@pytest.mark.parametrize("name", LESSONS)
def test_axe_finds_nothing_serious(
    open_lesson: Open, violations: Open, name: str, scheme: str, width: int
) -> None:
    found = violations(open_lesson(name, width=width, scheme=scheme))
    assert [v for v in found if v[1] in ("serious", "critical")] == []


def test_dark_is_dark(open_lesson: Open) -> None:
    shade = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)[0]"
    assert open_lesson("em").evaluate(shade) > 200
    assert open_lesson("em", scheme="dark").evaluate(shade) < 60


def test_print_leaves_out_the_controls(open_lesson: Open) -> None:
    page = open_lesson("em")
    assert page.locator("#slider").is_visible()
    page.emulate_media(media="print")
    assert not page.locator("#slider").is_visible()
    assert page.locator("#points svg").is_visible()


def test_every_picture_states_its_finding(open_lesson: Open) -> None:
    for name in LESSONS:
        page = open_lesson(name)
        labels = page.locator(".chart svg").evaluate_all(
            "all => all.map(s => s.getAttribute('aria-label') || '')"
        )
        assert labels
        assert all(len(label) > 20 for label in labels), name


def test_em_stands_still_when_all_means_are_equal(open_lesson: Open) -> None:
    page = open_lesson("em")
    page.get_by_role("radio", name="All means equal").check(force=True)
    shown = []
    for step in (1, 2, 30):
        page.evaluate(f"steps.set({step})")
        shown.append(page.locator("#groups").inner_text())
    assert len(set(shown)) == 1
    assert "nothing moves" in page.locator("#say").inner_text()


@pytest.mark.parametrize("start", ["Means at quantiles", "Nearly equal"])
def test_em_asks_whether_it_is_over_only_where_it_is_not(open_lesson: Open, start: str) -> None:
    page = open_lesson("em")
    page.get_by_role("radio", name=start).check(force=True)
    gains = page.evaluate("path.gain")
    said = []
    for step in range(len(gains)):
        page.evaluate(f"steps.set({step})")
        said.append(page.locator("#say").inner_text())
    asked = [i for i, text in enumerate(said) if "Is it over?" in text]
    assert asked
    assert all(gains[i] < 0.1 <= max(gains[i + 1 :]) for i in asked)
    assert any("Nearly settled" in text for text in said)
    assert not any("by 0.000" in text or "by only 0.000" in text for text in said)


def test_a_collapsed_group_is_shown_by_an_arrow(open_lesson: Open) -> None:
    page = open_lesson("em")
    shown = []
    for start in ("Means at quantiles", "On one point"):
        page.get_by_role("radio", name=start).check(force=True)
        page.evaluate("steps.set(4)")
        shown.append(page.locator("#points path[data-arrow]").count())
    assert shown == [0, 1]


def test_no_whisker_leaves_its_picture(open_lesson: Open) -> None:
    page = open_lesson("broken")
    for i in range(page.locator("#fault option").count()):
        page.evaluate(f"choose({i})")
        lines = page.locator("#large svg path.line")
        assert lines.count() == page.locator("#large svg g[clip-path] path.line").count()


def test_alignment_takes_the_spikes_away(open_lesson: Open) -> None:
    page = open_lesson("labels")
    shown = []
    for name in ("The lower mean", "Aligned"):
        page.get_by_role("radio", name=name).check(force=True)
        shown.append(page.locator("#trace svg").inner_html())
    assert shown[0] != shown[1]
    assert "wide one" in page.locator("#say").inner_text()


def test_a_fault_goes_red_and_the_correct_sampler_does_not(open_lesson: Open) -> None:
    page = open_lesson("broken")
    page.evaluate("steps.set(10)")
    assert "Convicted" in page.locator("#verdict-small").inner_text()
    assert "Looks perfect" in page.locator("#verdict-large").inner_text()
    page.get_by_label("Fault", exact=True).select_option(label="none: the correct sampler")
    page.evaluate("steps.set(10)")
    assert "Not convicted" in page.locator("#verdict-small").inner_text()

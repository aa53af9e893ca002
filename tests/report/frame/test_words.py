"""Numbers, names and positions as a page prints and draws them."""

from __future__ import annotations

import math
from importlib.resources import files

import pytest

from gmmcompare.comparison.functionals import STATISTICS
from gmmcompare.comparison.numerals import decimals_for
from gmmcompare.report.frame.look import COMPONENT_COLOURS
from gmmcompare.report.frame.strips import Scale
from gmmcompare.report.frame.words import (
    number,
    quantity,
    significant,
    statistic,
)


@pytest.mark.parametrize(
    ("value", "decimals", "sign", "text"),
    [
        (-1234.5, 1, False, "−1,234.5"),
        (-0.0004, 2, True, "0.00"),
        (0.25, 2, True, "+0.25"),
        (math.nan, 2, False, "—"),
        (-math.inf, 0, False, "−∞"),
    ],
)
def test_numbers(value: float, decimals: int, sign: bool, text: str) -> None:
    assert number(value, decimals, sign) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.000123, "0.00012"),
        (3.2e-6, "3.2 × 10⁻⁶"),
        (5004.4, "5,004"),
        (0.0, "0"),
        (-1.25e9, "−1.2 × 10⁹"),
    ],
)
def test_significant_digits(value: float, text: str) -> None:
    assert significant(value) == text


@pytest.mark.parametrize(("spread", "decimals"), [(0.0064, 4), (0.64, 2), (29.9, 0), (math.inf, 4)])
def test_a_spread_is_shown_to_two_digits(spread: float, decimals: int) -> None:
    assert decimals_for(spread) == decimals


def test_every_statistic_has_words() -> None:
    assert len({statistic(name) for name in STATISTICS}) == len(STATISTICS)
    assert quantity("log_density[q0.3]").startswith("log density at the 30")
    assert quantity("something new") == "something new"


def test_a_scale_is_symmetric_and_holds_what_lies_beyond() -> None:
    scale = Scale.around([0.3, math.nan, -0.1], margin=0.1)
    assert scale.percent(0.0) == 50.0
    assert scale.percent(0.2) - 50.0 == pytest.approx(50.0 - scale.percent(-0.2))
    assert scale.percent(9.0) == scale.percent(scale.limit) < 100.0
    mark = scale.mark(-9.0, 0.1, "M0,0")
    assert mark is not None
    assert mark.beyond == -1
    assert scale.mark(math.nan, 0.1, "M0,0") is None


def test_the_style_sheet_has_the_colours_of_the_figures() -> None:
    style = (
        files("gmmcompare.report.frame").joinpath("templates/style.css").read_text(encoding="utf-8")
    )
    light, _, dark = style.partition("prefers-color-scheme: dark")
    for k, colour in enumerate(COMPONENT_COLOURS):
        assert f"--c{k + 1}: {colour};" in light
        assert f"--c{k + 1}: " in dark


@pytest.mark.parametrize("limit", [0.2, 0.25, 0.32, 0.6, 1.0])
def test_an_axis_has_few_ticks_and_one_zero(limit: float) -> None:
    texts = [text for _, text in Scale(limit).ticks]
    assert 3 <= len(texts) <= 5
    assert texts.count("0") == 1
    assert texts[0][1:] == texts[-1][1:]

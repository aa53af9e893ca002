"""Numbers can be read at any scale: no rows of zeros, and no digits that nobody knows."""

from __future__ import annotations

import math

import pytest

from gmmcompare.comparison.numerals import decimals_for, rounded, scaled, with_spread
from gmmcompare.report.frame.words import in_units_of_data, number
from gmmcompare.report.frame.words import with_spread as on_page


@pytest.mark.parametrize(
    ("value", "spread", "text", "page"),
    [
        (20.123, 0.45, "20.12 ± 0.45", ("20.12", "± 0.45")),
        (-0.00123, 0.00045, "-0.00123 ± 0.00045", ("\u22120.00123", "± 0.00045")),
        (1.234e-12, 5.6e-14, "(1.234 ± 0.056)e-12", ("1.234", "± 0.056 × 10⁻¹²")),
        (-1.234e-5, 5.6e-6, "(-1.23 ± 0.56)e-05", ("\u22121.23", "± 0.56 × 10⁻⁵")),
        (1.234e150, 5.6e148, "(1.234 ± 0.056)e+150", ("1.234", "± 0.056 × 10¹⁵⁰")),
        (1.234e8, 5.6e7, "(1.23 ± 0.56)e+08", ("1.23", "± 0.56 × 10⁸")),
        (123456789.0, 2.5, "123456789.0 ± 2.5", ("123,456,789.0", "± 2.5")),
        (1e12, 1.5, "1000000000000.0 ± 1.5", ("1,000,000,000,000.0", "± 1.5")),
        (0.0, 3e-13, "(0.0 ± 3.0)e-13", ("0.0", "± 3.0 × 10⁻¹³")),
        (1e-300, 2e-302, "(1.000 ± 0.020)e-300", ("1.000", "± 0.020 × 10⁻³⁰⁰")),
        (1e308, 2e306, "(1.000 ± 0.020)e+308", ("1.000", "± 0.020 × 10³⁰⁸")),
        (2.5e-12, math.nan, "2.5e-12", ("2.500 × 10⁻¹²", "")),
        (2.5, math.nan, "2.5", ("2.50", "")),
        (0.0, 0.0, "0", ("0.00", "± 0.00")),
        (5.0, 0.0, "5", ("5.00", "± 0.00")),
    ],
)
def test_a_number_and_its_spread(
    value: float, spread: float, text: str, page: tuple[str, str]
) -> None:
    assert with_spread(value, spread) == text
    decimals = decimals_for(spread) if spread > 0 else 2
    assert on_page(value, spread, decimals) == page


@pytest.mark.parametrize("exponent", range(-300, 301, 7))
def test_no_number_is_long_and_none_is_zero(exponent: int) -> None:
    value, spread = scaled(4.321, -exponent), scaled(0.1234, -exponent)
    text = with_spread(value, spread)
    assert len(text) < 32
    mantissas = [float(part) for part in text.strip("()").partition(")")[0].split(" ± ")]
    assert mantissas[1] / mantissas[0] == pytest.approx(0.1234 / 4.321, rel=0.05)
    assert len("".join(on_page(value, spread, decimals_for(spread)))) < 32
    assert len(in_units_of_data(value, spread)) < 22


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (100.0, 2, "100"),  # "1e+02"
        (1000.0, 2, "1,000"),
        (99.96, 2, "100"),
        (12.34, 2, "12"),
        (0.0, 2, "0"),
        (0.0123, 2, "0.012"),
        (1.2e-7, 2, "1.2e-07"),
        (3e9, 2, "3.0e+09"),
    ],
)
def test_rounded(value: float, digits: int, text: str) -> None:
    assert rounded(value, digits) == text


def test_a_page_never_prints_more_than_fifteen_digits() -> None:
    assert number(1.5e150, 2) == "1.500 × 10¹⁵⁰"
    assert number(-2e15, 0) == "\u22122.000 × 10¹⁵"
    assert number(123456.0, 1) == "123,456.0"

"""Numbers as text, at any scale: plain where that can be read, by a power of ten elsewhere."""

from __future__ import annotations

import math

MOST_DECIMALS = 12


def decimals_for(spread: float) -> int:
    """Return how many decimals show a spread to two significant digits."""
    if not math.isfinite(spread) or spread <= 0:
        return 4
    return max(0, min(MOST_DECIMALS, 1 - math.floor(math.log10(spread))))


def power_for(value: float, spread: float) -> int:
    """Return the power of ten by which to divide a number and its spread; 0 where none is needed.

    Millionths and less would be rows of zeros, and 1e150 has 151 digits, most of which nobody
    knows.
    """
    sizes = [abs(v) for v in (value, spread) if math.isfinite(v) and v != 0]
    if not sizes:
        return 0
    largest = max(sizes)
    known_to = spread if math.isfinite(spread) and spread > 0 else largest
    if 1e-4 <= largest < 1e7 or (largest < 1e15 and known_to < 1e4 and largest >= 1e-4):
        return 0
    return math.floor(math.log10(largest))


def with_spread(value: float, spread: float) -> str:
    """Write a number and its spread with two significant digits of the spread: ``1.23 ± 0.45``."""
    power = power_for(value, spread)
    value, spread = scaled(value, power), scaled(spread, power)
    if not math.isfinite(spread) or spread <= 0:
        return f"{value:.4g}" + (f"e{power:+03d}" if power else "")
    decimals = decimals_for(spread)
    text = f"{value:z.{decimals}f} ± {spread:.{decimals}f}"
    return f"({text})e{power:+03d}" if power else text


def scaled(value: float, power: int) -> float:
    """Return value / 10**power; the power may be one that no number of its own reaches."""
    half = power // 2
    return float(value / 10.0**half / 10.0 ** (power - half))


def rounded(value: float, digits: int = 2) -> str:
    """Write a number to so many significant digits, without an exponent from 1e-4 to 1e7."""
    if not math.isfinite(value) or value == 0:
        return f"{value:g}"
    if not 1e-4 <= abs(value) < 1e7:
        return f"{value:.{digits - 1}e}"
    decimals = digits - 1 - math.floor(math.log10(abs(value)))
    return f"{round(value, decimals):,.{max(0, decimals)}f}"

"""Numbers and names as a page prints them."""

from __future__ import annotations

import math
import re

from gmmcompare.comparison import names
from gmmcompare.comparison.numerals import decimals_for, power_for, scaled

MINUS = "\N{MINUS SIGN}"
MISSING = "\N{EM DASH}"
NO_BREAK = "\N{NO-BREAK SPACE}"
_TOO_LONG = 1e15
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float, decimals: int = 2, sign: bool = False) -> str:
    """Write a number with a true minus; an infinite one as such, a missing one as a dash.

    Parameters
    ----------
    value : float
    decimals : int, optional
        Places after the point.
    sign : bool, optional
        Write a plus before positive numbers.
    """
    if math.isnan(value):
        return MISSING
    if math.isinf(value):
        return "\N{INFINITY}" if value > 0 else f"{MINUS}\N{INFINITY}"
    if abs(value) >= _TOO_LONG:
        return scientific(value, 4)
    rounded = round(value, decimals) + 0.0  # no negative zero
    return f"{rounded:{'+' if sign and rounded else ''},.{decimals}f}".replace("-", MINUS)


def significant(value: float, digits: int = 2) -> str:
    """Write a number to so many significant digits, by powers of ten only where it must be."""
    if not math.isfinite(value) or value == 0:
        return number(value, 0)
    if not 1e-5 <= abs(value) < 1e7:
        return scientific(value, digits)
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return number(value, decimals)


def with_spread(value: float, spread: float, decimals: int) -> tuple[str, str]:
    """Write a number and, after its ±, its spread; both by one power of ten where it must be.

    Parameters
    ----------
    value, spread : float
    decimals : int
        Of both, where no power of ten is needed.

    Returns
    -------
    tuple of str
        The second is empty where there is no spread.
    """
    power = power_for(value, spread)
    if not power or not math.isfinite(value):
        return number(value, decimals), f"± {number(spread, decimals)}" if known(spread) else ""
    value, spread = scaled(value, power), scaled(spread, power)
    times = f" × 10{str(power).translate(_SUPERSCRIPT)}"
    if not known(spread):
        return number(value, 3) + times, ""
    decimals = decimals_for(spread) if spread > 0 else 3
    return number(value, decimals), f"± {number(spread, decimals)}{times}"


def in_units_of_data(value: float, unit: float) -> str:
    """Write a value of the data to two digits more than those of their spread."""
    if power_for(value, unit) or power_for(unit, unit):
        return scientific(value, 4)
    return number(value, 2 + decimals_for(unit))


def known(value: float) -> bool:
    """Whether a number is finite."""
    return math.isfinite(value)


def power_of_ten(value: float) -> str:
    """Write a power of ten."""
    return f"10{str(round(math.log10(value))).translate(_SUPERSCRIPT)}"


def scientific(value: float, digits: int = 2) -> str:
    """Write a number to so many significant digits and a power of ten."""
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    return f"{mantissa.replace('-', MINUS)} × {power_of_ten(10.0 ** int(exponent))}"


def powers(text: str) -> str:
    """Write every 10^n of a text with a raised exponent."""
    return re.sub(r"10\^(-?\d+)\b(?!\.\d)", lambda m: f"10{m[1].translate(_SUPERSCRIPT)}", text)


def seconds(value: float) -> str:
    """Write a duration."""
    return f"{significant(value, 2 if value < 10 else 3)} s"


def typeset(text: str) -> str:
    """Keep every number with its per cent sign."""
    return text.replace(" %", f"{NO_BREAK}%")


def quantity(name: str) -> str:
    """Turn a functional's or a parameter's short name into words."""
    return typeset(names.quantity(name))


def statistic(name: str) -> str:
    """Say which statistic of a quantity is meant, as an addition to its name."""
    if at := names.quantile_of(name):
        return typeset(f", share below its {at} quantile")
    return ", its spread" if name == "spread" else ""


def quantity_in_group(name: str) -> str:
    """Return a functional's name as it stands under its group's heading."""
    kind, inside = names.parts(name)
    if kind in ("log_density", "cdf"):
        return typeset(f"at the {names.percent_point(inside)} point")
    if kind == "sorted_w":
        return f"no. {inside}"
    if kind == "coclustering":
        return typeset(f"{' and '.join(map(names.percent_point, inside.split(',')))} points")
    return f"component {inside}" if kind in names.PARAMETERS else quantity(name)


def short_statistic(name: str) -> str:
    """Return the name of a statistic as it fits into a column."""
    at = names.quantile_of(name)
    return typeset(f"< {at}") if at else name


def component_of(name: str) -> int | None:
    """Return the component (from 0) that an aligned parameter belongs to."""
    kind, inside = names.parts(name)
    return int(inside) - 1 if kind in names.PARAMETERS and inside else None

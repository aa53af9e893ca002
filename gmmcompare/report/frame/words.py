"""Numbers and names as a page prints them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

MINUS = "\N{MINUS SIGN}"
MISSING = "\N{EM DASH}"
NO_BREAK = "\N{NO-BREAK SPACE}"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_PARAMETERS = {"w": "weight", "mu": "mean", "sigma": "sd", "log_sigma": "log sd"}


def decimals_for(spread: float) -> int:
    """Return how many decimals show a spread to two significant digits."""
    if not math.isfinite(spread) or spread <= 0:
        return 4
    return max(0, min(12, 1 - math.floor(math.log10(spread))))


def number(value: float, decimals: int = 2, sign: bool = False) -> str:
    """Write a number with a true minus; an infinite one as such, a missing one as a dash."""
    if math.isnan(value):
        return MISSING
    if math.isinf(value):
        return "\N{INFINITY}" if value > 0 else f"{MINUS}\N{INFINITY}"
    rounded = round(value, decimals) + 0.0  # no negative zero
    return f"{rounded:{'+' if sign and rounded else ''},.{decimals}f}".replace("-", MINUS)


def significant(value: float, digits: int = 2) -> str:
    """Write a number to so many significant digits, by powers of ten only where it must be."""
    if not math.isfinite(value) or value == 0:
        return number(value, 0)
    if not 1e-5 <= abs(value) < 1e7:
        mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
        return f"{mantissa.replace('-', MINUS)} × {power_of_ten(10.0 ** int(exponent))}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return number(value, decimals)


def power_of_ten(value: float) -> str:
    """Write a power of ten."""
    return f"10{str(round(math.log10(value))).translate(_SUPERSCRIPT)}"


def powers(text: str) -> str:
    """Write every 10^n of a text with a raised exponent."""
    return re.sub(r"10\^(-?\d+)\b(?!\.\d)", lambda m: f"10{m[1].translate(_SUPERSCRIPT)}", text)


def seconds(value: float) -> str:
    """Write a duration."""
    return f"{significant(value, 2 if value < 10 else 3)} s"


def listed(items: list[str]) -> str:
    """Join as in a sentence: a, b and c."""
    if len(items) <= 1:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def quantity(name: str) -> str:
    """Turn a functional's or a parameter's short name into words."""
    kind, _, inside = name.rstrip("]").partition("[")
    if kind == "log_lik":
        return "log-likelihood"
    if kind == "mean":
        return "mean of the mixture"
    if kind in ("log_density", "cdf"):
        what = "log density" if kind == "log_density" else "distribution function"
        return f"{what} at the {_percent(inside)} point of the data"
    if kind == "sorted_w":
        return f"weight no. {inside} by size"
    if kind == "together":
        first, second = (_percent(q) for q in inside.split(","))
        return f"co-clustering of the {first} and {second} points"
    if kind in _PARAMETERS:
        return f"{_PARAMETERS[kind]} of component {inside}"
    return name


def statistic(name: str) -> str:
    """Say which of the nine statistics of a quantity is meant, as an addition to its name."""
    if name.startswith("below q"):
        return f", share below its {_percent(name.removeprefix('below '))} quantile"
    return ", its spread" if name == "spread" else ""


def quantity_in_group(name: str) -> str:
    """Return a functional's name as it stands under its group's heading."""
    kind, _, inside = name.rstrip("]").partition("[")
    if kind in ("log_density", "cdf"):
        return f"at the {_percent(inside)} point"
    if kind == "sorted_w":
        return f"no. {inside}"
    if kind == "together":
        return f"{' and '.join(_percent(q) for q in inside.split(','))} points"
    return f"component {inside}" if kind in _PARAMETERS else quantity(name)


def short_statistic(name: str) -> str:
    """Return the name of one of the nine statistics as it fits into a column."""
    return f"< {_percent(name.removeprefix('below '))}" if name.startswith("below q") else name


def prose(text: str, names: Mapping[str, str] | None = None) -> str:
    """Put a finding in words: short names of quantities, and of engines as text calls them."""
    pattern = r"\b(log_lik|(?:log_density|cdf|sorted_w|together|log_sigma|sigma|mu|w)\[[^\]]+\])"
    text = re.sub(pattern, lambda m: quantity(m[1]), text)
    share = "share below its {} quantile"
    text = re.sub(r"\bbelow (q0\.\d+)", lambda m: share.format(_percent(m[1])), text)
    for name, words in (names or {}).items():
        text = re.sub(rf"(?<![\w.]){re.escape(name)}(?![\w=]|\.\w)", words, text)
    return text


def component_of(name: str) -> int | None:
    """Return the component (from 0) that an aligned parameter belongs to."""
    found = re.fullmatch(r"(?:w|mu|sigma|log_sigma)\[(\d+)\]", name)
    return int(found[1]) - 1 if found else None


def _percent(quantile: str) -> str:
    return f"{100 * float(quantile.removeprefix('q')):g}{NO_BREAK}%"

"""Reading the committed reports as a reader would: tables, sentences, and rounded numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

REPORTS = Path(__file__).parents[1] / "reports"


class Table(NamedTuple):
    head: list[str]
    rows: list[list[str]]

    def column(self, name: str, nth: int = 0) -> list[str]:
        """Return the cells of the nth column whose heading begins like this."""
        at = [i for i, heading in enumerate(self.head) if heading.startswith(name)][nth]
        return [row[at] for row in self.rows]


def read(name: str) -> str:
    return (REPORTS / f"{name}.md").read_text(encoding="utf-8")


def tables(text: str, heading: str = "") -> list[Table]:
    """Return the tables of a report, or those below one of its headings."""
    below = text.partition(f"# {heading}\n")[2] if heading else text
    section = re.split(r"^#", below, flags=re.MULTILINE)[0] if heading else text
    found = []
    for block in re.findall(r"(?:^\|.*\n?)+", section, re.MULTILINE):
        head, rule, *body = ([c.strip() for c in x[1:-1].split("|")] for x in block.splitlines())
        assert all(re.fullmatch(r":?-+:?", cell) for cell in rule)
        assert body
        assert {len(row) for row in body} == {len(head)}
        found.append(Table(head, body))
    assert found
    return found


def stated(text: str, pattern: str) -> list[tuple[str, ...]]:
    """Return the groups of every place where the text says this; it must say so somewhere."""
    found = [match.groups() for match in re.finditer(pattern, text)]
    assert found, pattern
    return found


def counts(text: str, pattern: str) -> tuple[int, ...]:
    """Return the whole numbers in the one place where the text says this."""
    (found,) = stated(text, pattern)
    return tuple(map(whole, found))


def whole(text: str) -> int:
    return int(text.replace(",", ""))


class Printed(NamedTuple):
    """All numbers that are printed like this, or are computed from such."""

    low: float
    high: float

    @classmethod
    def of(cls, text: str) -> Printed:
        """Read a number with a unit or without: of "1.2 ms", 1.15 to 1.25 thousandths."""
        digits, unit = re.fullmatch(r"([\d.,]+) ?(x|s|ms|us|ns|MB)?", text).groups()  # type: ignore[union-attr]
        scale = {"ms": 1e-3, "us": 1e-6, "ns": 1e-9}.get(unit, 1.0)
        half = 0.5 * 10.0 ** -len(digits.partition(".")[2])
        value = float(digits.replace(",", ""))
        return cls(scale * (value - half), scale * (value + half))

    def reaches(self, other: Printed) -> bool:
        # A rounding of the sums and products in between is not a contradiction.
        return self.low <= other.high * (1 + 1e-9) and other.low <= self.high * (1 + 1e-9)

    def __add__(self, other: Printed) -> Printed:  # type: ignore[override]
        return Printed(self.low + other.low, self.high + other.high)

    def __truediv__(self, other: Printed) -> Printed:
        return Printed(self.low / other.high, self.high / other.low)

    def times(self, factor: float) -> Printed:
        return Printed(factor * self.low, factor * self.high)


def printed(cells: Sequence[str]) -> list[Printed]:
    return [Printed.of(cell) for cell in cells]

"""Pages in Markdown: blocks of text, lists, tables and figures, with an empty line in between."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_RULES = {"l": "---", "r": "--:"}


def page(*blocks: str) -> str:
    """Join blocks to a page; empty ones are left out."""
    return "\n\n".join(block for block in blocks if block) + "\n"


def bullets(items: Iterable[str]) -> str:
    """Return a list of one line an item."""
    return "\n".join(f"- {item}" for item in items)


def figure(caption: str, path: str) -> str:
    """Return a picture, its path as seen from the page."""
    return f"![{caption}]({path})"


def number(value: float) -> str:
    """Write a small number as 1.1e-5."""
    return re.sub(r"e([+-])0*", r"e\1", f"{value:.2g}")


def table(head: Sequence[str], rows: Iterable[Sequence[object]], align: str = "") -> str:
    """Return a table.

    Parameters
    ----------
    head : sequence of str
        A heading for each column.
    rows : iterable of sequences
        Cells, written by `str`.
    align : str, optional
        A letter for each column, ``l`` for text and ``r`` for numbers; by default the first column
        is text and all others are numbers.

    Raises
    ------
    ValueError
        If a row or ``align`` is not as long as ``head``.
    """
    rules = [_RULES[letter] for letter in align or "l" + "r" * (len(head) - 1)]
    body = list(rows)
    for cells in (rules, *body):
        if len(cells) != len(head):
            raise ValueError(f"a table of {len(head)} columns has {cells}")
    return "\n".join([_line(head), f"|{'|'.join(rules)}|", *map(_line, body)])


def _line(cells: Sequence[object]) -> str:
    # A bar would begin another cell, even within code.
    escaped = (str(cell).replace("|", r"\|").replace("\n", " ") for cell in cells)
    return f"| {' | '.join(escaped)} |"


@dataclass(frozen=True)
class Frequency:
    """How often something happened, with its 95 % Clopper-Pearson interval (1934)."""

    count: int
    of: int

    @property
    def interval(self) -> tuple[float, float]:
        """Both limits, each with an error of 2.5 %."""
        from scipy.stats import binomtest

        found = binomtest(self.count, self.of).proportion_ci(0.95, method="exact")
        return float(found.low), float(found.high)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{100 * self.count / self.of:.1f} ({100 * low:.1f}-{100 * high:.1f})"

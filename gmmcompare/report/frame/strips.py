"""Small dot-and-interval graphics, drawn in a table cell beside the numbers they show.

Positions are percentages, so a strip is as wide as its cell and its marks never change size.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

_EDGE = 3.0
"""Per cent of the strip kept free at either end, so that no mark is cut."""


@dataclass(frozen=True)
class Mark:
    """One value with its interval, in per cent of the strip's width.

    ``beyond`` is -1 or 1 where the value lies outside the scale: an arrow at that end shows it.
    """

    at: float
    low: float
    high: float
    beyond: int
    shape: str
    colour: str
    hollow: bool = False
    reach: tuple[float, float] | None = None
    title: str = ""


@dataclass(frozen=True)
class Scale:
    """A symmetric axis about zero, linear up to ``limit``."""

    limit: float

    @classmethod
    def around(cls, values: Sequence[float], margin: float, most: float = 1.0) -> Scale:
        """Choose a limit that shows the values and twice the margin.

        Parameters
        ----------
        values : sequence of float
            Those that are not finite play no part.
        margin : float
        most : float, optional
            The limit is at most this.
        """
        known = [abs(v) for v in values if math.isfinite(v)]
        wanted = max([1.05 * v for v in known], default=0.0)
        return cls(min(max(wanted, 2.0 * margin), most))

    def percent(self, value: float) -> float:
        """Return where a value lies, 0 to 100, held within the strip."""
        share = max(-1.0, min(1.0, value / self.limit))
        return round(50.0 + share * (50.0 - _EDGE), 2)

    def mark(
        self,
        value: float,
        half_width: float,
        shape: str,
        colour: str = "var(--ink)",
        hollow: bool = False,
        reach: float = math.nan,
        title: str = "",
    ) -> Mark | None:
        """Place a value and its interval; nothing where the value is unknown.

        Parameters
        ----------
        value, half_width : float
            The interval is the value plus and minus its half width, if that is finite.
        shape : str
            Of the mark.
        colour : str, optional
            As in CSS.
        hollow : bool, optional
        reach : float, optional
            Draws a pale bar from minus to plus this: what is still possible.
        title : str, optional
            What a mouse over the mark shows.
        """
        if math.isnan(value):
            return None
        half = half_width if math.isfinite(half_width) else 0.0
        return Mark(
            at=self.percent(value),
            low=self.percent(value - half),
            high=self.percent(value + half),
            beyond=0 if abs(value) <= self.limit else int(math.copysign(1, value)),
            shape=shape,
            colour=colour,
            hollow=hollow,
            reach=None if math.isnan(reach) else (self.percent(-reach), self.percent(reach)),
            title=title,
        )

    def band(self, margin: float) -> tuple[float, float]:
        """Return the start and the width of a band of plus and minus a margin."""
        low, high = self.percent(-margin), self.percent(margin)
        return low, round(high - low, 2)

    @property
    def ticks(self) -> tuple[tuple[float, str], ...]:
        """Return positions and texts of the axis labels."""
        step = next((s for s in (0.1, 0.2, 0.5) if self.limit < 2.5 * s + 1e-9), 1.0)
        count = int(self.limit / step + 1e-9)
        values = [i * step for i in range(-count, count + 1)]
        return tuple(
            (self.percent(v), f"{v:+.1f}".replace("-", "\N{MINUS SIGN}"))
            if v
            else (self.percent(0.0), "0")
            for v in values
        )

"""How engines and components look: the same in every figure, table and legend of a page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from gmmcompare.comparison.comparison import Comparison
from gmmcompare.comparison.names import leading_name

COMPONENT_COLOURS = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#e69f00",
    "#56b4e9",
    "#8c6d31",
    "#7b61c4",
)
"""Okabe and Ito (2008), without black and yellow, and two more; beyond eight they repeat."""

INK, MUTED, RULE, SOFT = "#1a1b1e", "#6a6c72", "#dcdde1", "#e7e8eb"
"""Text, secondary text, hairlines and fills; a page's style sheet gives each a light and a dark."""


@dataclass(frozen=True)
class EngineLook:
    """An engine's name in text, its line in figures and its mark in small graphics.

    Widths are nested, the first the widest and palest, so that curves which lie on top of one
    another can all be seen. ``dash`` is in units of the width, as Matplotlib and SVG have it.
    """

    name: str
    text: str
    kind: Literal["draws", "point"]
    dash: tuple[float, ...]
    width: float
    opacity: float
    mark: str

    @property
    def line(self) -> dict[str, Any]:
        """Keyword arguments for Matplotlib's ``plot``."""
        dash = (0, self.dash) if self.dash else "solid"
        return {"linestyle": dash, "linewidth": self.width, "alpha": self.opacity}

    @property
    def dasharray(self) -> str:
        """The dash for SVG, in pixels."""
        return " ".join(f"{d * self.width:.1f}" for d in self.dash)


_LINES: tuple[tuple[tuple[float, ...], float, float], ...] = (
    ((), 4.5, 0.4),
    ((3.2, 1.6), 1.9, 1.0),
    ((1.0, 1.4), 1.7, 1.0),
    ((4.0, 1.4, 1.0, 1.4), 1.4, 1.0),
    ((), 1.0, 1.0),
)
_MARKS = (
    "M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0z",  # circle
    "M-3.6,-3.6h7.2v7.2h-7.2z",  # square
    "M0,-5L5,0L0,5L-5,0z",  # diamond
    "M0,-4.8L4.6,3.6L-4.6,3.6z",  # triangle up
    "M0,4.8L4.6,-3.6L-4.6,-3.6z",  # triangle down
)


def engine_looks(comparison: Comparison) -> dict[str, EngineLook]:
    """Give every engine its look, those that draw first; in the order of the comparison."""
    fits = comparison.fits
    ranked = sorted(fits, key=lambda name: fits[name].kind == "point")
    looks = {}
    for i, name in enumerate(ranked):
        dash, width, opacity = _LINES[i % len(_LINES)]
        looks[name] = EngineLook(
            name=name,
            text=leading_name(name),
            kind=fits[name].kind,
            dash=dash,
            width=width,
            opacity=opacity,
            mark=_MARKS[i % len(_MARKS)],
        )
    return {name: looks[name] for name in fits}


def component_colour(k: int) -> str:
    """Return the colour of component k (from 0)."""
    return COMPONENT_COLOURS[k % len(COMPONENT_COLOURS)]


def component_variable(k: int) -> str:
    """Return the CSS variable that holds the colour of component k (from 0)."""
    return f"var(--c{k % len(COMPONENT_COLOURS) + 1})"


def css_variables() -> Mapping[str, str]:
    """Return the CSS variable that stands for each colour a figure may use."""
    named = {INK: "var(--ink)", MUTED: "var(--muted)", RULE: "var(--rule)", SOFT: "var(--soft)"}
    return {**named, **{c: component_variable(k) for k, c in enumerate(COMPONENT_COLOURS)}}

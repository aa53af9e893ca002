"""One style of axes for every figure, and figures as SVG inside the page.

A figure is drawn in a few fixed colours, which become CSS variables in the SVG: the same figure is
readable on a light and on a dark page, and on paper.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from typing import Any

import matplotlib as mpl
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from gmmcompare.report.frame.look import INK, MUTED, RULE, css_variables

_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "gmmcompare",
    "figure.dpi": 72,  # one unit of the figure is one pixel
    "font.size": 11.0,
    "text.color": INK,
    "text.parse_math": False,  # a $ in the name of a column is a $
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "axes.edgecolor": MUTED,
    "axes.labelcolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.formatter.useoffset": False,
    "axes.formatter.limits": (-4, 5),
    "axes.unicode_minus": True,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 3.0,
    "ytick.major.size": 3.0,
    "grid.color": RULE,
    "grid.linewidth": 0.8,
    "lines.solid_capstyle": "round",
    "path.simplify": True,
    "path.simplify_threshold": 0.3,
}


@dataclass(frozen=True)
class Panel:
    """A drawn figure: its SVG, and a text that states the finding for those who cannot see it."""

    svg: Markup
    alt: str
    name: str = ""
    figure: Drawing | None = field(default=None, compare=False, repr=False)


class Drawing(Figure):
    """A figure that a notebook shows, whether or not Pyplot was imported."""

    def _repr_png_(self) -> bytes:
        out = io.BytesIO()
        self.savefig(out, format="png", dpi=110)
        return out.getvalue()


class Canvas:
    """A figure of some pixels' width and height, with rows of axes in the common style.

    Use it as a context manager, draw on ``axes`` (the first row's) or on ``rows``, then take
    ``panel``.
    """

    def __init__(self, name: str, width: int = 360, height: int = 230, rows: int = 1) -> None:
        self._name = name
        self._style = mpl.rc_context(_STYLE)
        self._size = (width / 72, height / 72)
        self._n_rows = rows

    def __enter__(self) -> Canvas:
        self._style.__enter__()
        self.figure = Drawing(
            figsize=self._size, layout=ConstrainedLayoutEngine(h_pad=0.06, w_pad=0.06)
        )
        grid = self.figure.subplots(self._n_rows, 1, sharex=True, squeeze=False)
        self.rows: list[Axes] = list(grid[:, 0])
        self.axes = self.rows[0]
        return self

    def __exit__(self, *error: object) -> None:
        self._style.__exit__(None, None, None)

    def panel(self, alt: str) -> Panel:
        """Return the figure as SVG; call it inside the ``with``."""
        out = io.StringIO()
        # Figure.savefig would draw three times; a page has some thirty figures.
        canvas: Any = FigureCanvasSVG(self.figure)
        canvas.print_svg(out)
        return Panel(_embedded(out.getvalue(), self._name, alt), alt, self._name, self.figure)


def _embedded(svg: str, name: str, alt: str) -> Markup:
    """Make a file's SVG fit for the inside of a page: own ids, short numbers, CSS colours."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<style[^>]*>.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)
    box = re.search(r'viewBox="([^"]+)"', svg)
    assert box, "Matplotlib writes a viewBox"
    width = float(box[1].split()[2])
    head = (
        f'<svg viewBox="{box[1]}" role="img" aria-label="{escape(alt)}" '
        f'style="max-width:{width * 1.5:.0f}px">'
    )
    svg = re.sub(r"<svg[^>]*>", lambda _: head, svg, count=1)
    svg = re.sub(r' d="[^"]*"', lambda m: re.sub(r"(\d\.\d)\d+", r"\1", m[0]), svg)
    svg = re.sub(r' id="', f' id="{name}-', svg)
    svg = svg.replace("url(#", f"url(#{name}-").replace('xlink:href="#', f'href="#{name}-')
    svg = re.sub(r"font(-family)?: ?([0-9.]+px )?'[^;\"]*", r"font-size: \2", svg)
    for colour, variable in css_variables().items():
        svg = svg.replace(colour, variable)
    return Markup(re.sub(r"\s*\n\s*", "\n", svg).strip())

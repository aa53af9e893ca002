"""Figures for a slide or a notebook: every figure of a page, and those that lectures draw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from gmmcompare.comparison.comparison import Comparison
from gmmcompare.report.comparison import figures
from gmmcompare.report.comparison.page import report_context
from gmmcompare.report.frame.canvas import Canvas, Drawing, Panel
from gmmcompare.report.frame.look import INK, SOFT, component_colour, engine_looks
from gmmcompare.report.selection.page import drawings
from gmmcompare.report.sensitivity.page import sensitivity_context
from gmmcompare.report.validation.page import validation_context
from gmmcompare.runtime.errors import InputError, did_you_mean
from gmmcompare.selection.selection import Selection
from gmmcompare.validation.verdict import Validation
from gmmcompare.workflows.outcome import Outcome
from gmmcompare.workflows.sensitivity import Sensitivity

PLUG_IN = "plug-in"
WIDE, NARROW = "720", "360"
_LINES = ("solid", "dashed", "dotted", "dashdot")

Result = Comparison | Outcome | Selection | Sensitivity | Validation


def plot(
    result: Result | Sequence[Comparison],
    what: str = PLUG_IN,
    *,
    engines: Sequence[str] = (),
    size: tuple[float, float] = (8.0, 4.5),
) -> Figure:
    """Draw one figure of a result, as Matplotlib's ``Figure``: save it by ``savefig``.

    Parameters
    ----------
    result : Comparison, Outcome, Selection, Sensitivity or Validation, or several comparisons
        Several, as of K = 2 and of K = 3 on the same data, are drawn over one another; that is for
        ``"plug-in"``.
    what : str
        ``"plug-in"``, of comparisons: the mixture density at the posterior means (or at the point)
        on the histogram of the data, as lectures draw it. Or a figure of the result's page, such as
        ``"clustering"``, ``"density"`` or ``"gibbs-0-trace"`` of a comparison; a name that does not
        exist is answered by those that do.
    engines : sequence of str
        Whose curves ``"plug-in"`` draws; by default the first engine that draws, and with one
        engine and one comparison its components as well.
    size : tuple of float
        Width and height of ``"plug-in"``, in inches; figures of a page have their own.

    Raises
    ------
    InputError
        If there is no such figure or engine.
    """
    if isinstance(result, Outcome):
        result = result.comparison
    several = list(result) if isinstance(result, Sequence) else [result]
    compared = [one for one in several if isinstance(one, Comparison)]
    if what == PLUG_IN and compared and len(compared) == len(several):
        return _plug_in(compared, engines, size)
    if len(several) != 1:
        raise InputError(f"plot: several results can only be drawn as {PLUG_IN!r}")
    found = figures_of(several[0])
    if what not in found:
        names = [*([PLUG_IN] if compared else []), *found]
        raise InputError(
            f"plot: no figure {what!r}{did_you_mean(what, names)}; there are {', '.join(names)}"
        )
    drawn = found[what]
    drawn.set_facecolor("white")
    return drawn


def figures_of(result: Result) -> dict[str, Drawing]:
    """Return all figures of the result's page by name; of those in two widths the wide one."""
    context: Any
    if isinstance(result, Comparison):
        context = report_context(result, None)
    elif isinstance(result, Selection):
        context = drawings(result)
    elif isinstance(result, Sensitivity):
        context = sensitivity_context(result)
    elif isinstance(result, Validation):
        context = validation_context(result)
    else:
        raise InputError(
            "plot: give what compare, select, sensitivity or validate returned, not "
            f"{type(result).__name__}"
        )
    return {
        panel.name.removesuffix(WIDE): panel.figure
        for panel in _panels_in(context)
        if panel.figure is not None and not panel.name.endswith(NARROW)
    }


def _panels_in(content: object) -> Iterator[Panel]:
    if isinstance(content, Panel):
        yield content
    elif isinstance(content, Mapping):
        for item in content.values():
            yield from _panels_in(item)
    elif isinstance(content, list | tuple):
        for item in content:
            yield from _panels_in(item)
    elif is_dataclass(content) and type(content).__module__.startswith("gmmcompare.report."):
        for part in fields(content):
            yield from _panels_in(getattr(content, part.name))


def _plug_in(
    compared: Sequence[Comparison], engines: Sequence[str], size: tuple[float, float]
) -> Drawing:
    """Draw densities at posterior means over the histogram, each comparison in its colour."""
    first = compared[0]
    if any(one.sample.fingerprint != first.sample.fingerprint for one in compared):
        raise InputError("plot: these comparisons are of different data; draw each by itself")
    finest = max(compared, key=lambda one: one.K)
    width, height = (round(72 * inches) for inches in size)
    with Canvas(PLUG_IN, width, height) as canvas:
        ax = canvas.axes
        edges, sample = figures.bin_edges(finest), first.sample
        heights, _ = np.histogram(sample.values, edges, weights=sample.counts, density=True)
        ax.stairs(heights, edges, fill=True, color=SOFT)
        curves = [(one, name) for one in compared for name in _chosen(one, engines)]
        for i, (one, name) in enumerate(curves):
            density, who = one.densities[name], engine_looks(one)[name].text
            alone = len(curves) == 1
            if alone:
                for k, component in enumerate(density.components):
                    ax.fill_between(
                        one.grid, component, color=component_colour(k), alpha=0.25, lw=0
                    )
                    ax.plot(one.grid, component, color=component_colour(k), lw=1.8)
            label = who if len(compared) == 1 else f"{who}, K = {one.K}"
            colour = INK if alone else component_colour(i)
            ax.plot(
                one.grid,
                density.plug_in,
                color=colour,
                lw=2.2,
                ls=_LINES[i % len(_LINES)],
                label=label,
            )
        ax.set_xlim(first.grid[0], first.grid[-1])
        ax.set_ylim(0, None)
        ax.set_xlabel(sample.origin.label)
        ax.set_ylabel("density")
        ax.legend(frameon=False)
        canvas.figure.set_facecolor("white")
        return canvas.figure


def _chosen(comparison: Comparison, engines: Sequence[str]) -> Sequence[str]:
    """Return whose curves are drawn."""
    fits = comparison.fits
    unknown = [name for name in engines if name not in fits]
    if unknown:
        raise InputError(
            f"plot: no engine {unknown[0]!r}{did_you_mean(unknown[0], list(fits))}; there are "
            f"{', '.join(fits)}"
        )
    drawing = [name for name, fit in fits.items() if fit.kind == "draws"]
    return list(engines) or (drawing or list(fits))[:1]

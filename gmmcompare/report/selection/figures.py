"""The figures of a selection's page, each a function from results to a `Panel`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator
from scipy.stats import kstwo

from gmmcompare.comparison.names import criterion_name, display_name, draws_of, listed
from gmmcompare.model.params import Array
from gmmcompare.report.frame.canvas import Canvas, Panel
from gmmcompare.report.frame.look import INK, MUTED, RULE, SOFT, component_colour
from gmmcompare.report.frame.words import number
from gmmcompare.selection.candidate import Sampled
from gmmcompare.selection.loo import Loo
from gmmcompare.selection.selection import Selection

PIT_LEVEL = 0.95
_LINEAR = 4.0
"""Differences up to this are drawn to scale, larger ones by their logarithm."""
_STYLES: tuple[dict[str, Any], ...] = (
    {"marker": "o", "ms": 6, "lw": 1.4},
    {"marker": "s", "ms": 5, "lw": 1.4, "ls": (0, (4, 2)), "mfc": "none"},
    {"marker": "^", "ms": 6, "lw": 1.4, "ls": (0, (1, 1.5))},
    {"marker": "v", "ms": 6, "lw": 1.4, "ls": (0, (5, 1.5, 1, 1.5)), "mfc": "none"},
)


def fit_panel(selection: Selection, K: int, found: Sampled, alt: str) -> Panel:
    """Histogram, posterior predictive density with its 90 % band, weighted components.

    Parameters
    ----------
    selection : Selection
    K : int
        Number of components.
    found : Sampled
        What was drawn with so many.
    alt : str
        The figure in words.
    """
    check, density = found.predictive, found.density
    heights = check.observed / (selection.sample.n * np.diff(check.edges))
    with Canvas(f"fit{K}", 340, 230) as canvas:
        ax = canvas.axes
        ax.stairs(heights, check.edges, fill=True, color=SOFT)
        ax.fill_between(selection.grid, density.low, density.high, color=INK, alpha=0.2, lw=0)
        for k, component in enumerate(density.components):
            ax.plot(selection.grid, component, color=component_colour(k), lw=1.6)
        ax.plot(selection.grid, density.mean, color=INK, lw=1.3)
        ax.set_ylim(0, 1.05 * _common_height(selection))
        ax.set_xlim(selection.grid[0], selection.grid[-1])
        ax.set_xlabel(selection.sample.origin.label)
        ax.set_ylabel("density")
        ax.yaxis.set_major_locator(MaxNLocator(4))
        return canvas.panel(alt)


def _common_height(selection: Selection) -> float:
    """Return one height for all panels, so that they can be held against each other."""
    first = next(s for c in selection.candidates for s in c.sampled.values())
    edges, observed = first.predictive.edges, first.predictive.observed
    heights = [float((observed / (selection.sample.n * np.diff(edges))).max())]
    heights += [
        float(s.density.mean.max()) for c in selection.candidates for s in c.sampled.values()
    ]
    # A spike far above the histogram would flatten all the rest.
    return min(max(heights), 1.8 * heights[0])


def information_panel(selection: Selection) -> Panel:
    """AIC, BIC and ICL above the least of each."""
    curves = {}
    for name in ("aic", "bic", "icl"):
        values = selection.values(name)
        least = min(values.values(), default=0.0)
        curves[name.upper()] = {K: (value - least, 0.0) for K, value in values.items()}
    best = [
        f"{name.upper()} is lowest at K = {selection.best(name)}" for name in ("aic", "bic", "icl")
    ]
    return _curves("information", selection, curves, "above the lowest", f"{listed(best)}.")


def loo_panel(selection: Selection) -> Panel:
    """LOO below the best, with the standard error of the difference."""
    curves = {}
    for engine in selection.engines:
        best = selection.best("loo", engine)
        gaps = selection.loo_differences(engine)
        curve = {
            K: (d.value, float(np.hypot(d.se, np.nan_to_num(d.mcse)))) for K, d in gaps.items()
        }
        curves[display_name(engine)] = dict(sorted({**curve, best or 0: (0.0, 0.0)}.items()))
    best_of = [
        f"{criterion_name('loo', e)} is highest at K = {selection.best('loo', e)}"
        for e in selection.engines
    ]
    return _curves("loo", selection, curves, "LOO below the highest", _sentence(best_of))


def evidence_panel(selection: Selection) -> Panel:
    """Log evidence below the highest, with its standard error."""
    curves = {}
    for engine in selection.engines:
        found = {K: s.evidence for K, s in selection.sampled(engine).items()}
        top = max(e.value for e in found.values())
        curves[display_name(engine)] = {K: (top - e.value, e.se) for K, e in found.items()}
    best_of = [
        f"{criterion_name('evidence', e)} is highest at K = {selection.best('evidence', e)}"
        for e in selection.engines
    ]
    return _curves(
        "evidence", selection, curves, "log evidence below the highest", _sentence(best_of)
    )


def _sentence(parts: list[str]) -> str:
    text = listed(parts)
    return f"{text[:1].upper()}{text[1:]}."


def _curves(
    name: str,
    selection: Selection,
    curves: Mapping[str, Mapping[int, tuple[float, float]]],
    label: str,
    alt: str,
) -> Panel:
    """Draw how far each K is from the best, with two standard errors; the best is at zero."""
    width = len(curves)
    with Canvas(name, 340, 260) as canvas:
        ax = canvas.axes
        ax.axhline(0, color=RULE, lw=1.0)
        highest = _LINEAR
        for i, (text, curve) in enumerate(curves.items()):
            at = np.array(list(curve)) + 0.1 * (i - 0.5 * (width - 1))
            values, errors = np.array(list(curve.values())).reshape(-1, 2).T
            ax.errorbar(
                at,
                values,
                2 * errors if errors.any() else None,
                color=INK,
                capsize=2.5,
                elinewidth=1.0,
                label=text,
                **_STYLES[i % len(_STYLES)],
            )
            highest = max(highest, float((values + 2 * errors).max()))
        _distance_axis(ax, highest)
        ax.set_ylabel(label)
        _components_axis(ax, selection)
        ax.legend(frameon=False, labelcolor=INK, fontsize=10.5, handlelength=2.6)
        return canvas.panel(alt)


def _distance_axis(ax: Axes, highest: float) -> None:
    ax.set_yscale("symlog", linthresh=_LINEAR, linscale=0.7)
    ax.set_ylim(-1.5, highest * 1.6)
    ticks = [0.0, 2.0, 4.0, *(m * 10.0**e for e in range(1, 7) for m in (1, 3))]
    ax.set_yticks([t for t in ticks if t <= highest * 1.6])
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value, 0)))
    ax.yaxis.set_minor_locator(MaxNLocator(1))


def _components_axis(ax: Axes, selection: Selection) -> None:
    ax.set_xticks(selection.components, [str(K) for K in selection.components])
    ax.set_xlim(selection.components[0] - 0.5, selection.components[-1] + 0.5)
    ax.set_xlabel("components")


def probability_panel(selection: Selection) -> Panel:
    """Posterior probability of each K, with what the evidences' errors leave open."""
    width = 0.8 / len(selection.engines)
    with Canvas("probability", 340, 260) as canvas:
        ax = canvas.axes
        said = []
        for i, engine in enumerate(selection.engines):
            found = selection.probabilities(engine)
            at = np.array(list(found)) + width * (i - 0.5 * (len(selection.engines) - 1))
            value, low, high = np.array([(p.value, p.low, p.high) for p in found.values()]).T
            ax.bar(at, value, 0.9 * width, color=INK if i == 0 else SOFT, edgecolor=INK, lw=1.0,
                   label=display_name(engine))  # fmt: skip
            ax.vlines(at, low, high, color=MUTED, lw=2.4)
            likeliest = max(found, key=lambda K: found[K].value)
            said.append(
                f"posterior probability of K = {likeliest}: {number(found[likeliest].value, 3)} "
                f"({draws_of(engine)})"
            )
        ax.set_ylim(0, 1.02)
        ax.set_ylabel("posterior probability")
        _components_axis(ax, selection)
        ax.legend(frameon=False, labelcolor=INK, fontsize=10.5)
        return canvas.panel(_sentence(said))


def pit_panel(K: int, found: Loo, alt: str) -> Panel:
    """LOO-PIT: its distribution function less the uniform one, with a 95 % simultaneous band.

    Parameters
    ----------
    K : int
        Number of components, for the figure's name.
    found : Loo
    alt : str
        The figure in words.
    """
    pit, ecdf = found.pit_ecdf()
    shown = _thinned(pit)
    band = float(kstwo.ppf(PIT_LEVEL, found.sample.n))
    with Canvas(f"pit{K}", 300, 180) as canvas:
        ax = canvas.axes
        ax.axhspan(-band, band, color=INK, alpha=0.12, lw=0)
        ax.axhline(0, color=MUTED, lw=0.8)
        ax.plot(pit[shown], (ecdf - pit)[shown], color=INK, lw=1.3)
        reach = max(2.2 * band, 1.1 * found.pit_distance)
        ax.set_ylim(-reach, reach)
        ax.set_xlim(0, 1)
        ax.set_xlabel("LOO-PIT")
        ax.set_ylabel("ECDF less uniform")
        ax.yaxis.set_major_locator(MaxNLocator(4))
        return canvas.panel(alt)


def _thinned(values: Array, most: int = 400) -> Array:
    """Return indices of at most so many values, evenly spaced, both ends among them."""
    return np.unique(np.linspace(0, len(values) - 1, most).round().astype(np.int64))

"""The figures of a page, each a function from results to a `Panel`. Nothing here fits anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from gmmcompare.comparison.comparison import Comparison
from gmmcompare.comparison.density import measured_density
from gmmcompare.comparison.names import listed
from gmmcompare.model.params import Array, Params
from gmmcompare.model.sample import Sample
from gmmcompare.report.frame.canvas import Canvas, Panel
from gmmcompare.report.frame.look import INK, MUTED, RULE, SOFT, EngineLook, component_colour
from gmmcompare.report.frame.words import number, power_of_ten, significant
from gmmcompare.workflows.sensitivity import Sensitivity

Looks = Mapping[str, EngineLook]
MIN_BINS, MAX_BINS = 12, 100
TRACE_POINTS = 400
"""Draws of each chain in a trace, evenly thinned."""
LABEL_POINTS = 200
MIN_OBJECTIVE_RANGE = 0.1
"""Objectives that differ by less are shown as equal."""
MAX_ROWS = 12
"""Labels that are shown, a row each."""


def bin_edges(comparison: Comparison) -> Array:
    """Return edges of bins fit for the narrowest component, by the rule of Scott (1979) for it."""
    return _edges(comparison.sample, comparison.reference.params)


def _edges(sample: Sample, params: Params) -> Array:
    w, _, sigma = params
    widths = 3.49 * sigma * np.maximum(w * sample.n, 1.0) ** (-1 / 3)
    extent = float(np.ptp(sample.values)) or 1.0
    bins = int(np.clip(extent / widths.min(), MIN_BINS, MAX_BINS))
    return np.histogram_bin_edges(sample.values, bins)


def density_panel(comparison: Comparison, looks: Looks, width: int) -> Panel:
    """Histogram, every engine's density with its 90 % band, and the weighted components.

    Parameters
    ----------
    comparison : Comparison
    looks : mapping of str to EngineLook
        How each engine is named and drawn.
    width : int
        In pixels; above 500 the figure is higher, too.
    """
    wide = width > 500
    with Canvas(f"density{width}", width, 400 if wide else 300) as canvas:
        ax = canvas.axes
        sample = comparison.sample
        heights, edges = np.histogram(
            sample.values, bin_edges(comparison), weights=sample.counts, density=True
        )
        ax.stairs(heights, edges, fill=True, color=SOFT)
        for name, look in looks.items():
            density = comparison.densities[name]
            ax.fill_between(comparison.grid, density.low, density.high, color=INK, alpha=0.16, lw=0)
            for k, component in enumerate(density.components):
                ax.plot(comparison.grid, component, color=component_colour(k), **look.line)
            ax.plot(comparison.grid, density.mean, color=INK, **look.line)
        if sample.errors is not None:
            point = comparison.summaries[next(iter(looks))].point
            measured = measured_density(sample, point, comparison.grid)
            ax.plot(comparison.grid, measured, color=MUTED, lw=1.0)
        _density_axes(ax, comparison, heights)
        return canvas.panel(_density_alt(comparison, looks))


def _density_axes(ax: Axes, comparison: Comparison, heights: Array) -> None:
    densities = comparison.densities.values()
    mean = max(float(heights.max()), *(float(d.mean.max()) for d in densities))
    band = max(float(d.high.max()) for d in densities)
    ax.set_ylim(0, 1.03 * min(max(mean, band), 1.6 * mean))
    ax.set_xlim(comparison.grid[0], comparison.grid[-1])
    ax.set_xlabel(comparison.sample.origin.label)
    ax.set_ylabel("density")
    ax.yaxis.set_major_locator(MaxNLocator(4))


def _density_alt(comparison: Comparison, looks: Looks) -> str:
    who = listed([look.text for look in looks.values()])
    point = next(iter(comparison.summaries.values())).point
    parts = [
        f"component {k + 1} with weight {number(w, 2)} around {significant(m, 3)}"
        for k, (w, m) in enumerate(zip(point.w, point.mu, strict=True))
    ]
    text = f"Histogram of the data with the mixture density of {who}: {listed(parts)}."
    if comparison.sample.errors is not None:
        text += " The density is that of true values; a thin line has that of measured ones."
    if comparison.distances:
        worst = max(d.total_variation for d in comparison.distances.values())
        text += (
            f" The densities of two engines differ by at most {significant(100 * worst)} per cent "
            "of the probability."
        )
    return text


def difference_panel(comparison: Comparison, looks: Looks, magnified: bool) -> Panel:
    """Draw differences between engines' densities.

    Parameters
    ----------
    comparison : Comparison
    looks : mapping of str to EngineLook
        How each engine is named and drawn.
    magnified : bool
        On a scale of their own, not against the posterior's own width.
    """
    pairs = list(comparison.distances)
    base = _drawing(looks) or list(looks)
    width = comparison.densities[base[0]]
    curves = [comparison.densities[a].mean - comparison.densities[b].mean for a, b in pairs]
    name = "difference-magnified" if magnified else "difference"
    with Canvas(name, 380, 250) as canvas:
        ax = canvas.axes
        if not magnified:
            ax.fill_between(
                comparison.grid,
                width.low - width.mean,
                width.high - width.mean,
                color=INK,
                alpha=0.16,
                lw=0,
            )
        ax.axhline(0, color=MUTED, lw=0.8)
        for i, curve in enumerate(curves):
            ax.plot(comparison.grid, curve, color=INK, **_pair_line(i))
        ax.set_xlim(comparison.grid[0], comparison.grid[-1])
        ax.set_xlabel(comparison.sample.origin.label)
        ax.set_ylabel("difference of density")
        ax.yaxis.set_major_locator(MaxNLocator(5))
        largest = max(float(np.abs(c).max()) for c in curves)
        band = float(np.max(width.high - width.low)) / 2
        alt = f"The largest difference between two engines' densities is {significant(largest)}"
        if band > 0:
            alt += f", where the 90 % band of {looks[base[0]].text} is ±{significant(band)} wide"
        return canvas.panel(alt + ".")


PAIR_LINES: tuple[tuple[str | tuple[int, tuple[float, ...]], str], ...] = (
    ("solid", ""),
    ((0, (4.0, 2.0)), "6 3"),
    ((0, (1.0, 1.5)), "1.5 2.2"),
    ((0, (5.0, 1.5, 1.0, 1.5)), "7 2 1.5 2"),
)


def _pair_line(i: int) -> dict[str, Any]:
    return {"linestyle": PAIR_LINES[i % len(PAIR_LINES)][0], "linewidth": 1.4}


def _drawing(looks: Looks) -> list[str]:
    return [name for name, look in looks.items() if look.kind == "draws"]


def trace_panel(name: str, values: Array, colour: str, label: str, alt: str) -> Panel:
    """Traces with the chains side by side.

    Side by side, a chain that is elsewhere than the others is seen at once, without a legend.

    Parameters
    ----------
    name : str
        Of the figure, its own on the page.
    values : ndarray, shape (chains, draws)
    colour : str
    label : str
        Of the values' axis.
    alt : str
        The figure in words.
    """
    chains, draws = values.shape
    thinned = values[:, :: max(1, draws // TRACE_POINTS)]
    low, high = _window(thinned)
    shown = thinned.shape[1]
    with Canvas(name, 300, 190) as canvas:
        ax = canvas.axes
        for c, chain in enumerate(np.clip(thinned, low, high)):
            ax.plot(c + np.arange(shown) / shown, chain, color=colour, lw=0.7)
        _chain_axes(ax, chains)
        ax.set_ylim(low, high)
        ax.set_ylabel(label)
        ax.yaxis.set_major_locator(MaxNLocator(4))
        return canvas.panel(alt)


def labels_panel(name: str, mu: Array, component: NDArray[np.int64], alt: str) -> Panel:
    """Traces of means, a row for each label, coloured by the component each draw belongs to.

    Parameters
    ----------
    name : str
        Of the figure, its own on the page.
    mu : ndarray, shape (chains, draws, K)
    component : ndarray, shape (chains, draws, K)
        Component (from 0) that stands in each place.
    alt : str
        The figure in words.
    """
    chains, draws, K = mu.shape
    step, rows = max(1, draws // LABEL_POINTS), min(K, MAX_ROWS)
    mu, component = mu[:, ::step], component[:, ::step]
    low, high = _window(mu)
    mu, shown = np.clip(mu, low, high), mu.shape[1]
    start = np.arange(chains)[:, None] + np.arange(shown) / shown
    with Canvas(name, 380, 60 + max(34, 84 - 8 * rows) * rows, rows=rows) as canvas:
        for j, ax in enumerate(canvas.rows):
            for k in range(K):
                chosen = component[..., j] == k
                # A dash for each draw: a single draw between two switches must be seen as well.
                x = np.stack([start, start + 1 / shown, np.full_like(start, np.nan)], axis=-1)
                y = np.repeat(mu[..., j, None], 3, axis=-1)
                ax.plot(x[chosen].ravel(), y[chosen].ravel(), color=component_colour(k), lw=1.3)
            _chain_axes(ax, chains, last=j == rows - 1)
            ax.set_ylim(low, high)
            ax.set_ylabel(str(j + 1), rotation=0, ha="right", va="center", fontweight="bold")
            ax.yaxis.set_major_locator(MaxNLocator(2 if rows < 6 else 1))
        return canvas.panel(alt)


def _window(values: Array) -> tuple[float, float]:
    """Return limits that show nearly all; an empty component's draws may be anywhere."""
    flat = values[np.isfinite(values)]
    if flat.size == 0:
        return 0.0, 1.0
    low, high = np.quantile(flat, [0.002, 0.998])
    pad = 0.08 * (high - low) or 1.0
    return float(low - pad), float(high + pad)


def _chain_axes(ax: Axes, chains: int, last: bool = True) -> None:
    for c in range(1, chains):
        ax.axvline(c, color=RULE, lw=0.8)
    ax.set_xlim(0, chains)
    ax.set_xticks(np.arange(chains) + 0.5, [str(c + 1) for c in range(chains)])
    ax.tick_params(axis="x", length=0)
    if last:
        ax.set_xlabel("chain")


def rank_panel(name: str, ranks: Array, expected_sd: float, colour: str, alt: str) -> Panel:
    """Histograms of each chain's ranks among all draws, chains side by side (Vehtari 2021).

    Parameters
    ----------
    name : str
        Of the figure, its own on the page.
    ranks : ndarray, shape (chains, bins)
        Share of a chain's draws in each bin times the number of bins; 1 where chains agree.
    expected_sd : float
        Its standard deviation were all chains in the same distribution.
    colour : str
    alt : str
        The figure in words.
    """
    chains, bins = ranks.shape
    with Canvas(name, 300, 190) as canvas:
        ax = canvas.axes
        ax.axhspan(1 - 2.58 * expected_sd, 1 + 2.58 * expected_sd, color=INK, alpha=0.12, lw=0)
        for c in range(chains):
            edges = c + 0.06 + 0.88 * np.linspace(0, 1, bins + 1)
            ax.stairs(ranks[c], edges, color=colour, lw=1.2, baseline=None)
        _chain_axes(ax, chains)
        ax.set_ylim(0, max(2.0, 1.05 * float(ranks.max())))
        ax.set_ylabel("share of ranks")
        ax.yaxis.set_major_locator(MaxNLocator(4))
        return canvas.panel(alt)


def autocorrelation_panel(name: str, rho: Array, colour: str, alt: str) -> Panel:
    """Autocorrelation of each chain.

    Parameters
    ----------
    name : str
        Of the figure, its own on the page.
    rho : ndarray, shape (chains, lags)
    colour : str
    alt : str
        The figure in words.
    """
    with Canvas(name, 300, 190) as canvas:
        ax = canvas.axes
        ax.axhline(0, color=MUTED, lw=0.8)
        for row in rho:
            ax.plot(np.arange(row.size), row, color=colour, lw=1.2)
        ax.set_ylim(min(-0.1, float(rho.min())), 1.02)
        ax.set_xlim(0, rho.shape[1] - 1)
        ax.set_xlabel("draws apart")
        ax.set_ylabel("autocorrelation")
        ax.yaxis.set_major_locator(MaxNLocator(4))
        return canvas.panel(alt)


def climb_panel(path: Array, alt: str) -> Panel:
    """How far below its end EM's objective was at each step, on a logarithmic axis."""
    remaining = path[-1] - path[:-1]
    with Canvas("em-path", 380, 230) as canvas:
        ax = canvas.axes
        ax.plot(np.arange(remaining.size), np.maximum(remaining, 1e-12), color=INK, lw=1.4)
        ax.set_yscale("log")
        ax.yaxis.set_major_formatter(lambda value, _: power_of_ten(value))
        ax.set_xlabel("iteration")
        ax.set_ylabel("still to climb")
        return canvas.panel(alt)


def starts_panel(objective: Array, iterations: Array, kept: Array, alt: str) -> Panel:
    """Where EM's starts ended, and after how many iterations.

    Parameters
    ----------
    objective, iterations : ndarray, shape (starts,)
        At the end of each start.
    kept : ndarray of bool, shape (starts,)
        Those that were not are open circles.
    alt : str
        The figure in words.
    """
    with Canvas("em-starts", 380, 230) as canvas:
        ax = canvas.axes
        for chosen, face in ((kept, INK), (np.logical_not(kept), "none")):
            ax.scatter(
                iterations[chosen],
                objective[chosen],
                s=26,
                facecolors=face,
                edgecolors=INK,
                alpha=0.7,
            )
        low, high = ax.get_ylim()
        if high - low < MIN_OBJECTIVE_RANGE:  # all at one maximum, up to rounding
            middle = float(np.mean(objective[kept])) if kept.any() else 0.5 * (low + high)
            ax.set_ylim(middle - MIN_OBJECTIVE_RANGE, middle + MIN_OBJECTIVE_RANGE)
        ax.set_xlabel("iterations")
        ax.set_ylabel("objective at the end")
        ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        return canvas.panel(alt)


def clustering_panel(
    comparison: Comparison, engine: str, allocation: NDArray[np.intp], width: int, alt: str
) -> Panel:
    """Histogram coloured by modal allocation, above the weighted component densities, as lectures.

    Parameters
    ----------
    comparison : Comparison
    engine : str
        Whose component densities are drawn.
    allocation : ndarray, shape (D,)
        Component, 0 to K - 1, of each distinct value.
    width : int
        In pixels.
    alt : str
        The figure in words.
    """
    with Canvas(f"clustering{width}", width, 420, rows=2) as canvas:
        _draw_allocations(canvas.rows[0], comparison, allocation)
        _draw_components(canvas.rows[1], comparison, engine)
        low, high = comparison.sample.values[[0, -1]]
        canvas.axes.set_xlim(low, high if high > low else low + 1.0)
        return canvas.panel(alt)


def _draw_allocations(ax: Axes, comparison: Comparison, allocation: NDArray[np.intp]) -> None:
    sample, edges = comparison.sample, bin_edges(comparison)
    base = np.zeros(edges.size - 1)
    for k in range(comparison.K):
        weights = sample.counts * (allocation == k)
        top = base + np.histogram(sample.values, edges, weights=weights)[0]
        ax.stairs(top, edges, baseline=base, fill=True, color=component_colour(k))
        base = top
    ax.set_ylabel("observations")
    ax.yaxis.set_major_locator(MaxNLocator(4, integer=True))


def _draw_components(ax: Axes, comparison: Comparison, engine: str) -> None:
    density, grid = comparison.densities[engine], comparison.grid
    for k, component in enumerate(density.components):
        ax.fill_between(grid, component, color=component_colour(k), alpha=0.22, lw=0)
        ax.plot(grid, component, color=component_colour(k), lw=1.8)
    ax.plot(grid, density.plug_in, color=INK, lw=1.2)
    ax.set_ylim(0, None)
    ax.set_xlabel(comparison.sample.origin.label)
    ax.set_ylabel("density")
    ax.yaxis.set_major_locator(MaxNLocator(4))


def together_panel(probability: Array, engine: str) -> Panel:
    """Draw the co-clustering probabilities of data quantiles: the darker, the more likely one.

    Parameters
    ----------
    probability : ndarray, shape (n, n)
    engine : str
        How text calls it.
    """
    n = len(probability)
    edges = np.linspace(0, 100, n + 1)
    with Canvas("together", 300, 300) as canvas:
        ax = canvas.axes
        cells = [
            Rectangle((edges[i], edges[j]), 100 / n, 100 / n) for i in range(n) for j in range(n)
        ]
        colours = [(*to_rgb(INK), float(p)) for p in probability.ravel()]
        ax.add_collection(
            PatchCollection(cells, facecolors=colours, linewidths=0, antialiased=False)
        )
        ax.set_xlim(0, 100)
        ax.set_ylim(0, 100)
        ax.set_aspect("equal")
        ax.set_xlabel("per cent of the data")
        ax.set_ylabel("per cent of the data")
        low, high = float(probability.min()), float(probability.max())
        return canvas.panel(
            f"How probably two observations share a component in {engine}, by their place in the "
            f"data: from {number(low, 2)} to {number(high, 2)}."
        )


def priors_panel(found: Sensitivity, width: int) -> Panel:
    """Histogram, the density under the card's priors with its 90 % band, and under every change."""
    sample, grid = found.sample, found.grid
    wide = width > 500
    with Canvas(f"priors{width}", width, 340 if wide else 280) as canvas:
        ax = canvas.axes
        edges = _edges(sample, found.reference.params)
        heights, _ = np.histogram(sample.values, edges, weights=sample.counts, density=True)
        ax.stairs(heights, edges, fill=True, color=SOFT)
        base = found.base.density
        ax.fill_between(grid, base.low, base.high, color=INK, alpha=0.16, lw=0)
        for rerun in found.reruns:
            ax.plot(grid, rerun.fit.density.mean, color=component_colour(1), lw=1.0, alpha=0.7)
        ax.plot(grid, base.mean, color=INK, lw=1.6)
        tops = [float(base.high.max()), *(float(r.fit.density.mean.max()) for r in found.reruns)]
        ax.set_ylim(0, 1.05 * min(max(tops), 3.0 * float(base.mean.max())))
        ax.set_xlim(grid[0], grid[-1])
        ax.set_xlabel(sample.origin.label)
        ax.set_ylabel("density")
        ax.yaxis.set_major_locator(MaxNLocator(4))
        gaps = [
            0.5 * np.trapezoid(np.abs(r.fit.density.mean - base.mean), grid) for r in found.reruns
        ]
        return canvas.panel(
            "The mean density under the card's priors and under every change; they differ by at "
            f"most {significant(100 * float(max(gaps, default=0.0)))} per cent of the probability."
        )

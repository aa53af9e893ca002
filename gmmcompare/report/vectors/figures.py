"""Figures of a comparison in d dimensions: marginal densities, and every pair of dimensions."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np

from gmmcompare.comparison.vectors import VectorComparison
from gmmcompare.model import mixture
from gmmcompare.model.params import Array, Params
from gmmcompare.report.frame.canvas import Canvas, Panel
from gmmcompare.report.frame.look import INK, MUTED, component_colour

WIDTH, HEIGHT = 340, 260
BAND_DRAWS = 400
MOST_POINTS = 3000
NINETY_FIVE = float(np.sqrt(5.991))
"""Radius, in sds, of the ellipse that holds 95 % of a bivariate normal."""
LINES = ("-", "--", ":", "-.")


def marginal_panels(comparison: VectorComparison) -> list[tuple[str, Panel]]:
    """Draw, for each dimension, the data, and every engine's density with a 90 % band."""
    panels = []
    for j, name in enumerate(comparison.names):
        column = comparison.sample.column(j)
        margin = 0.4 * (column.sd or 1.0)
        grid = np.linspace(column.values[0] - margin, column.values[-1] + margin, 200)
        edges = np.linspace(column.values[0], column.values[-1], 31)
        with Canvas(f"marginal-{j}", WIDTH, HEIGHT) as canvas:
            ax = canvas.axes
            counts, _ = np.histogram(column.y, edges)
            ax.stairs(counts / (column.n * np.diff(edges)), edges, color=MUTED, lw=0.8)
            for e, engine in enumerate(comparison.fits):
                low, mean, high = _band(comparison.alignments[engine].params, j, grid)
                if comparison.fits[engine].kind == "draws":
                    ax.fill_between(grid, low, high, color=MUTED, alpha=0.25, lw=0)
                ax.plot(grid, mean, LINES[e % len(LINES)], color=INK, lw=1.4)
            ax.set_xlabel(name)
            ax.set_yticks([])
            ax.set_ylim(bottom=0.0)
            ax.spines["left"].set_visible(False)
            alt = f"Marginal density of {name} by {', '.join(comparison.fits)}, over the data."
            panels.append((name, canvas.panel(alt)))
    return panels


def pair_panels(comparison: VectorComparison) -> list[tuple[str, Panel]]:
    """Draw the data in each pair of dimensions, by component, with every engine's ellipses."""
    names, values = comparison.names, comparison.sample.values
    if len(names) < 2:
        return []
    main = next((n for n, f in comparison.fits.items() if f.kind == "draws"), None)
    main = main or next(iter(comparison.fits))
    modal = comparison.allocation[main].argmax(axis=1)
    shown = np.arange(len(values))
    if len(values) > MOST_POINTS:
        shown = np.random.default_rng(0).choice(len(values), MOST_POINTS, replace=False)
    panels = []
    for i, j in combinations(range(len(names)), 2):
        with Canvas(f"pair-{i}-{j}", WIDTH, HEIGHT) as canvas:
            ax = canvas.axes
            for k in range(comparison.K):
                own = shown[modal[shown] == k]
                x, y = values[own, i], values[own, j]
                ax.plot(x, y, "o", color=component_colour(k), ms=2.2, alpha=0.6, mew=0)
            for e, engine in enumerate(comparison.fits):
                mean, _ = comparison.estimate(engine)
                for k in range(comparison.K):
                    x, y = _ellipse(mean.mu[k, [i, j]], mean.cov[k][np.ix_([i, j], [i, j])])
                    ax.plot(x, y, LINES[e % len(LINES)], color=INK, lw=1.2)
            ax.set_xlabel(names[i])
            ax.set_ylabel(names[j])
            alt = f"{names[j]} against {names[i]}, with the components' 95 % ellipses."
            panels.append((f"{names[i]} and {names[j]}", canvas.panel(alt)))
    return panels


def _band(params: Any, j: int, grid: Array) -> tuple[Array, Array, Array]:
    flat = [a.reshape(-1, *a.shape[2:]) for a in params]
    step = max(1, len(flat[0]) // BAND_DRAWS)
    one = Params(flat[0][::step], flat[1][::step, :, j], np.sqrt(flat[2][::step, :, j, j]))
    curves = np.exp(mixture.log_density(grid, one))
    low, high = np.quantile(curves, [0.05, 0.95], axis=0)
    return low, curves.mean(axis=0), high


def _ellipse(centre: Array, cov: Array) -> tuple[Array, Array]:
    angle = np.linspace(0.0, 2.0 * np.pi, 100)
    circle = np.stack([np.cos(angle), np.sin(angle)])
    x, y = centre[:, None] + NINETY_FIVE * np.linalg.cholesky(cov) @ circle
    return x, y

"""Figures of the number of components: probabilities, densities, traces."""

from __future__ import annotations

import numpy as np

from gmmcompare.comparison.names import display_name
from gmmcompare.comparison.number import Components, Road
from gmmcompare.report.frame.canvas import Canvas, Panel
from gmmcompare.report.frame.look import INK, MUTED, component_colour

_SHOWN = 1e-3
_MOST_STEPS = 400


def bars(found: Components, occupied: bool) -> Panel:
    """Draw the probability of each number by every road, with two standard errors.

    Parameters
    ----------
    found : Components
    occupied : bool
        Of the occupied components, in place of all.
    """
    shown = []
    for name, road in found.roads.items():
        prob, se = (road.prob_occupied, road.occupied_se) if occupied else (road.prob, road.se)
        if prob is not None and se is not None:
            shown.append((name, prob[1:], se[1:]) if occupied else (name, prob, se))
    seen = [
        j for j in range(found.on_k.max_K) if any(np.nan_to_num(p[j]) > _SHOWN for _, p, _ in shown)
    ]
    low, high = min(seen), max(seen)
    at = np.arange(low, high + 1)
    width = 0.8 / max(len(shown), 1)
    what = "occupied components K+" if occupied else "components K"
    with Canvas(f"bars{int(occupied)}", 520, 280) as canvas:
        ax = canvas.axes
        if not occupied:
            ax.step(
                at + 1, found.on_k.prob[at], where="mid", color=MUTED, lw=1.0, ls=":", label="prior"
            )
        for i, (name, prob, se) in enumerate(shown):
            x = at + 1 + (i - (len(shown) - 1) / 2) * width
            ax.bar(
                x,
                np.nan_to_num(prob[at]),
                width,
                color=component_colour(i),
                label=display_name(name),
            )
            ax.errorbar(
                x,
                np.nan_to_num(prob[at]),
                2 * np.nan_to_num(se[at]),
                fmt="none",
                ecolor=INK,
                elinewidth=0.9,
            )
        ax.set_xticks(at + 1)
        ax.set_xlabel(f"number of {what}")
        ax.set_ylabel("posterior probability")
        ax.legend(
            frameon=False, fontsize=10, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2
        )
        said = "; ".join(
            f"{display_name(n)}: {int(np.nanargmax(p)) + 1} most probable" for n, p, _ in shown
        )
        return canvas.panel(f"Posterior probability of the number of {what}. {said}.")


def density(found: Components, name: str) -> Panel:
    """Draw the data and a sampler's density with its 90 % band.

    Parameters
    ----------
    found : Components
    name : str
        The sampler.
    """
    mean, low, high = found.densities[name]
    sample = found.sample
    with Canvas(f"density-{name}", 420, 250) as canvas:
        ax = canvas.axes
        n_bins = int(np.clip(2 * sample.n**0.4, 10, 60))
        edges = np.linspace(sample.values[0], sample.values[-1] + 1e-9, n_bins + 1)
        counts, _ = np.histogram(sample.values, edges, weights=sample.counts)
        ax.stairs(counts / sample.n / np.diff(edges), edges, fill=True, color=MUTED, alpha=0.35)
        ax.fill_between(found.grid, low, high, color=component_colour(0), alpha=0.3, lw=0)
        ax.plot(found.grid, mean, color=component_colour(0), lw=1.6)
        ax.set_ylim(bottom=0.0)
        ax.set_xlabel(sample.origin.label)
        ax.set_ylabel("density")
        return canvas.panel(f"Posterior density of the data by {display_name(name)} with its band.")


def trace(road: Road) -> Panel:
    """Draw K and K+ of every chain, one draw after another.

    Parameters
    ----------
    road : Road
        With draws.
    """
    draws = road.draws
    assert draws is not None
    step = max(1, draws.K.shape[1] // _MOST_STEPS)
    with Canvas(f"trace-{road.name}", 420, 260, rows=2) as canvas:
        for ax, values, what in zip(
            canvas.rows, (draws.K, draws.n_occupied), ("K", "K+"), strict=True
        ):
            for c, chain in enumerate(values[:, ::step]):
                x = np.arange(chain.size) * step
                ax.step(x, chain + 0.12 * (c - 1.5), color=component_colour(c), lw=0.5)
            ax.set_ylabel(what)
        canvas.rows[-1].set_xlabel("draw")
        span = f"K from {draws.K.min()} to {draws.K.max()}"
        return canvas.panel(f"Traces of K and K+ by {display_name(road.name)}: {span}.")

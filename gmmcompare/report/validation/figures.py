"""The figures of a validation's page, each a function from a check's data to a `Panel`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, NullFormatter

from gmmcompare.comparison.names import listed
from gmmcompare.model.params import Array
from gmmcompare.report.frame.canvas import Canvas, Panel
from gmmcompare.report.frame.look import INK, MUTED, RULE, SOFT, component_colour
from gmmcompare.report.frame.words import number

BAND_ALPHA = 0.05
"""Probability that a correct sampler leaves a band somewhere."""
FAILED_AT, SUSPECT_AT = 5.0, 3.0
"""Powers of ten of the wealth at which a kernel has failed, or has not passed."""
_HIGHEST = 12.0
"""Power of ten that is drawn highest, so that the lines above stay apart."""


def wealth_panel(path: Mapping[str, Sequence[float]]) -> Panel:
    """Draw the wealth of the bet against the kernel as replicates came in."""
    n = np.asarray(path["replicates"], dtype=float)
    power = np.asarray(path["log_wealth"], dtype=float) / np.log(10.0)
    with Canvas("wealth", 440, 230) as canvas:
        ax = canvas.axes
        for at, text in ((FAILED_AT, "failed"), (SUSPECT_AT, "inconclusive"), (0.0, "the stake")):
            ax.axhline(at, color=MUTED if at else RULE, lw=1.0, ls=(0, (3, 2)) if at else "-")
            ax.annotate(
                text, (1.0, at), (-2, 2), xycoords=ax.get_yaxis_transform(),
                textcoords="offset points", ha="right", va="bottom", color=MUTED, fontsize=10,
            )  # fmt: skip
        ax.plot(n, np.minimum(power, _HIGHEST), color=INK, marker="o", ms=4, lw=1.5)
        if power[-1] > _HIGHEST:
            ax.annotate(
                f"{power[-1]:.0f} ↑", (n[-1], _HIGHEST), (6, 0), textcoords="offset points",
                va="center", color=INK, fontsize=10,
            )  # fmt: skip
        ax.set_xscale("log", base=10)
        ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.set_xlim(n[0] / 1.3, max(n[-1] * 1.6, n[0] * 20))
        ax.set_ylim(min(-1.0, power.min() - 0.5), max(6.0, min(power.max() * 1.08, _HIGHEST + 1.0)))
        ax.set_xlabel("replicates")
        ax.set_ylabel("wealth, powers of ten")
        ax.yaxis.set_major_locator(MaxNLocator(6, integer=True))
        return canvas.panel(
            f"The bet's wealth after {n[-1]:,.0f} replicates is 10 to the power of "
            f"{number(float(power[-1]), 1)}; a kernel fails at 5."
        )


def difference_panels(
    name: str, title: str, histograms: Mapping[str, Array], *, independent: bool
) -> list[tuple[str, Panel]]:
    """Draw ECDF minus uniform for positions counted in equal bins, a panel for each parameter.

    Parameters
    ----------
    name, title : str
        What names of figures, and titles of panels, begin with.
    histograms : mapping of str to ndarray
        Counts (bins,) by label; ``w 1`` and ``w 2``, or ``w[0]`` and ``w[1]``,
        share the panel of ``w``.
    independent : bool
        Whether positions are independent draws, so that the band of Massart (1990) holds.
    """
    groups: dict[str, dict[str, Array]] = {}
    for label, counts in histograms.items():
        groups.setdefault(_parameter(label), {})[label] = np.asarray(counts, dtype=float)
    return [
        (f"{title}: {group}", _differences(f"{name}-{group}", group, members, independent))
        for group, members in groups.items()
    ]


def _parameter(label: str) -> str:
    """Return what a scalar is of: ``w 1`` of w, ``beta[0]`` and ``mean of beta`` of beta."""
    return label.rpartition(" of ")[2].split(" ")[0].split("[")[0]


def _differences(name: str, group: str, members: Mapping[str, Array], independent: bool) -> Panel:
    outside = []
    with Canvas(name) as canvas:
        ax = canvas.axes
        n = max(float(counts.sum()) for counts in members.values())
        half = band_half_width(n)
        if independent:
            ax.axhspan(-half, half, color=SOFT, lw=0)
        largest = half
        for k, (label, counts) in enumerate(members.items()):
            z = np.linspace(0.0, 1.0, counts.size + 1)
            d = np.concatenate([[0.0], np.cumsum(counts) / max(counts.sum(), 1.0)]) - z
            colour = component_colour(k) if len(members) > 1 else INK
            ax.plot(z, d, color=colour, lw=1.6)
            largest = max(largest, float(np.abs(d).max()))
            if np.abs(d).max() > half:
                outside.append(label)
        _difference_axes(ax, largest)
        if not independent:
            return canvas.panel(
                f"Positions of draws of {group}: largest distance from uniform {largest:.3f}."
            )
        finding = f"{listed(outside)} outside the band" if outside else "all within the band"
        return canvas.panel(f"Positions of {group}: {finding}.")


def band_half_width(n: float) -> float:
    """Return how far an ECDF of n uniforms strays with probability `BAND_ALPHA` (Massart 1990)."""
    return float(np.sqrt(np.log(2.0 / BAND_ALPHA) / (2.0 * max(n, 1.0))))


def _difference_axes(ax: Axes, largest: float) -> None:
    ax.axhline(0.0, color=MUTED, lw=0.8)
    ax.set_xlim(0.0, 1.0)
    ax.set_ylim(-1.25 * largest, 1.25 * largest)
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.yaxis.set_major_locator(MaxNLocator(5))
    ax.set_xlabel("position")
    ax.set_ylabel("ECDF minus uniform")


def rank_panels(ecdf: Mapping[str, Any], names: Sequence[str], n: int) -> list[tuple[str, Panel]]:
    """Draw each quantity's ECDF of ranks minus uniform with its simultaneous band.

    Parameters
    ----------
    ecdf : mapping
        As `checks.sbc` keeps it: ``z``, ``lower``, ``upper``, and ``counts`` by name.
    names : sequence of str
        Of the quantities.
    n : int
        Number of ranks of each.
    """
    z = np.asarray(ecdf["z"], dtype=float)
    ends = np.concatenate([[0.0], z, [1.0]])
    panels = []
    for i, name in enumerate(names):
        counts = np.asarray(ecdf["counts"][name], dtype=float)
        low, high, d = (
            np.concatenate([[0.0], np.asarray(v, dtype=float) / n - z, [0.0]])
            for v in (ecdf["lower"], ecdf["upper"], counts)
        )
        outside = bool(((d < low) | (d > high)).any())
        with Canvas(f"ranks{i}", 300, 190) as canvas:
            ax = canvas.axes
            ax.fill_between(ends, low, high, color=SOFT, lw=0)
            ax.plot(ends, d, color=component_colour(1) if outside else INK, lw=1.5)
            _difference_axes(ax, float(max(np.abs(d).max(), high.max(), -low.min())))
            ax.set_xlabel("rank of the true value")
            finding = "leaves its band" if outside else "stays within its band"
            panels.append((name, canvas.panel(f"ECDF of the ranks of {name}: {finding}.")))
    return panels

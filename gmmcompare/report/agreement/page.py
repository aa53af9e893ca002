"""From an agreement to a page: the verdict, every parameter, every pair, how draws mixed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gmmcompare.comparison.agreed import Agreement
from gmmcompare.comparison.agreement import PairVerdict
from gmmcompare.comparison.names import display_name, leading_name, quantity
from gmmcompare.comparison.numerals import with_spread
from gmmcompare.comparison.thresholds import (
    ALPHA,
    MARGIN,
    MAX_RHAT,
    MIN_ESS,
    UNREPEATED_ALPHA,
)
from gmmcompare.comparison.words import sentence
from gmmcompare.model.params import Array
from gmmcompare.report.frame.canvas import Canvas, Panel
from gmmcompare.report.frame.glossary import GLOSSARY
from gmmcompare.report.frame.look import INK, component_colour, component_variable
from gmmcompare.report.frame.render import render
from gmmcompare.report.frame.strips import Scale
from gmmcompare.report.frame.words import number, seconds
from gmmcompare.runtime.files import write_text
from gmmcompare.workflows.agree import Agreed

TITLES = {"agree": "Agree", "disagree": "Disagree", "inconclusive": "Inconclusive"}
_TERMS = (
    "chain", "divergence", "ess", "false-alarm", "margin", "mcse", "posterior",
    "posterior-sd", "rhat",
)  # fmt: skip
MOST_ROWS = 40
MOST_PANELS = 9
_BINS = 40


def write_agreement(found: Agreed, path: str | Path) -> Path:
    """Write an agreement as one self-contained HTML page.

    Parameters
    ----------
    found : Agreed
    path : str or Path

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    path = Path(path)
    write_text(path, render("agreed.html.j2", agreement_context(found)))
    return path


def agreement_context(found: Agreed) -> dict[str, Any]:
    """Collect everything the template shows."""
    agreement = found.agreement
    shown = _by_difference(agreement)
    engines = list(agreement.names_of_engines)
    return {
        "title": " and ".join(engines) if len(engines) < 4 else f"{len(engines)} sets of draws",
        "model": found.model,
        "verdict": agreement.verdict,
        "verdict_title": TITLES[agreement.verdict],
        "sentence": agreement.sentence(),
        "brief": _brief(agreement),
        "engines": engines,
        "looks": {name: _look(i) for i, name in enumerate(engines)},
        "table": _table(agreement, shown[:MOST_ROWS]),
        "left": len(shown) - len(shown[:MOST_ROWS]),
        "panels": [_panel(agreement, name, i) for i, name in enumerate(shown[:MOST_PANELS])],
        "pairs": [_pair(pair) for pair in agreement.pairs],
        "rows": [_row(agreement, name) for name in engines],
        "left_out": agreement.left_out,
        "sources": found.sources,
        "glossary": {key: GLOSSARY[key] for key in _TERMS},
        "notes": {n: d.notes for n, d in agreement.draws.items() if d.notes},
        "command": found.command,
        "sure": {
            "statistics": max((p.statistics for p in agreement.pairs), default=0),
            "pairs": len(agreement.pairs),
            "alpha": f"{100 * ALPHA:g}",
            "alone": f"{100 * UNREPEATED_ALPHA:g}",
            "margin": number(MARGIN, 1),
            "min_ess": number(MIN_ESS, 0),
            "max_rhat": number(MAX_RHAT, 2),
        },
    }


def _brief(agreement: Agreement) -> list[tuple[str, str]]:
    scalars, arrays = len(agreement.scalars), next(iter(agreement.draws.values())).arrays
    rows = [
        ("What was compared", f"{scalars:,} numbers in {len(arrays)} parameters."),
        ("Pairs", f"{len(agreement.pairs)}, judged together."),
    ]
    if agreement.left_out:
        rows.append(("Left out", f"{', '.join(agreement.left_out)}: not in all of them."))
    needed = max((p.ess_needed or 0.0 for p in agreement.pairs), default=0.0)
    if agreement.verdict == "inconclusive" and needed:
        rows.append(
            ("What would settle it", f"About {needed:,.0f} effective draws of each sampler.")
        )
    return rows


def _look(i: int) -> dict[str, str]:
    return {"colour": component_variable(i)}


def _differences(agreement: Agreement, name: str) -> list[float]:
    """Return differences of means from the first engine's, in pooled posterior sds."""
    columns = list(agreement.columns.values())
    pooled = float(np.sqrt(np.mean([c.sd[name] ** 2 for c in columns]))) or np.nan
    return [(c.mean[name] - columns[0].mean[name]) / pooled for c in columns[1:]]


def _by_difference(agreement: Agreement) -> list[str]:
    """Return scalars in their own order; of many, those that differ most first."""
    names = list(agreement.scalars)
    if len(names) <= MOST_ROWS:
        return names
    size = {n: float(np.nanmax(np.abs([0.0, *_differences(agreement, n)]))) for n in names}
    return sorted(names, key=lambda n: -size[n])


def _table(agreement: Agreement, names: Sequence[str]) -> dict[str, Any]:
    every = {n: _differences(agreement, n) for n in names}
    scale = Scale.around([d for ds in every.values() for d in ds], MARGIN, most=2.0)
    columns = list(agreement.columns.items())
    rows = []
    for name in names:
        marks = [
            scale.mark(d, _half_width(agreement, name, other), "", component_variable(i + 1))
            for i, (d, (other, _)) in enumerate(zip(every[name], columns[1:], strict=True))
        ]
        rows.append(
            {
                "name": name,
                "cells": [with_spread(c.mean[name], c.sd[name]) for _, c in columns],
                "marks": [m for m in marks if m],
                "outside": any(abs(d) > MARGIN for d in every[name]),
            }
        )
    return {"scale": scale, "band": scale.band(MARGIN), "rows": rows}


def _half_width(agreement: Agreement, name: str, other: str) -> float:
    first, column = next(iter(agreement.columns.values())), agreement.columns[other]
    pooled = float(np.sqrt((first.sd[name] ** 2 + column.sd[name] ** 2) / 2.0)) or np.nan
    return float(
        1.96
        * np.hypot(first.convergence.mcse_mean[name], column.convergence.mcse_mean[name])
        / pooled
    )


def _panel(agreement: Agreement, name: str, i: int) -> tuple[str, Panel]:
    """Draw one scalar's marginal density by every engine."""
    values: dict[str, Array] = {n: d.scalars()[name] for n, d in agreement.draws.items()}
    pooled = np.concatenate([v.ravel() for v in values.values()])
    low, high = np.quantile(pooled, [0.001, 0.999])
    edges = np.linspace(low, high if high > low else low + 1.0, _BINS + 1)
    with Canvas(f"marginal{i}", 300, 190) as canvas:
        ax = canvas.axes
        for k, (engine, v) in enumerate(values.items()):
            counts, _ = np.histogram(v, edges)
            density = counts / (v.size * np.diff(edges))
            colour = component_colour(k) if len(values) > 1 else INK
            ax.stairs(density, edges, color=colour, lw=1.4, label=engine)
        ax.set_ylim(bottom=0.0)
        ax.set_yticks([])
        ax.spines["left"].set_visible(False)
        means = ", ".join(f"{e} {v.mean():.3g}" for e, v in values.items())
        return name, canvas.panel(f"Marginal posterior of {name}; means: {means}.")


def _pair(pair: PairVerdict) -> dict[str, Any]:
    largest = pair.largest
    figures = []
    if largest is not None:
        figures = [
            ("most significant", quantity(largest.name)),
            ("its difference, sd", f"{largest.diff:+.3f} (se {largest.se:.3f})"),
            ("largest still possible, sd", number(pair.bound, 3)),
            ("detectable with 80 % power, sd", number(pair.mdd, 3)),
        ]
    return {
        "a": leading_name(pair.a),
        "b": display_name(pair.b),
        "verdict": pair.verdict,
        "reasons": [sentence(reason) for reason in pair.reasons],
        "suspect": display_name(pair.suspect) if pair.suspect else "",
        "figures": figures,
    }


def _row(agreement: Agreement, name: str) -> dict[str, str]:
    column, draws = agreement.columns[name], agreement.draws[name]
    slowest, ess = column.convergence.worst_ess
    worst, rhat = column.convergence.worst_rhat
    known = np.isfinite(column.seconds)
    return {
        "name": name,
        "chains": f"{draws.shape[0]}",
        "draws": f"{draws.shape[1]:,}",
        "ess": f"{number(ess, 0)} ({slowest})",
        "rhat": f"{number(rhat, 3)} ({worst})",
        "divergences": "not applicable" if draws.divergences is None else f"{draws.divergences:,}",
        "seconds": seconds(column.seconds) if known else "made elsewhere",
        "speed": number(ess / column.seconds, 1) if known and column.seconds > 0 else "",
    }

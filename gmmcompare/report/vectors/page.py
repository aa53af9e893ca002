"""From a comparison in d dimensions to a page."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from gmmcompare.comparison.agreed import Agreement
from gmmcompare.comparison.names import display_name
from gmmcompare.comparison.numerals import with_spread
from gmmcompare.comparison.vectors import VectorComparison
from gmmcompare.report.agreement.page import agreement_context
from gmmcompare.report.frame.look import component_variable
from gmmcompare.report.frame.render import render
from gmmcompare.report.vectors.figures import LINES, marginal_panels, pair_panels
from gmmcompare.runtime.files import write_text
from gmmcompare.workflows.agree import Agreed
from gmmcompare.workflows.provenance import Provenance

_LINE_WORDS = {"-": "solid", "--": "dashed", ":": "dotted", "-.": "dash-dotted"}


def write_vector_report(
    comparison: VectorComparison, path: str | Path, provenance: Provenance | None = None
) -> Path:
    """Write a comparison in d dimensions as one self-contained HTML page.

    Parameters
    ----------
    comparison : VectorComparison
    path : str or Path
    provenance : Provenance, optional

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
    write_text(path, render("vectors.html.j2", vector_context(comparison, provenance)))
    return path


def vector_context(comparison: VectorComparison, provenance: Provenance | None) -> dict[str, Any]:
    """Collect everything the template shows."""
    origin = comparison.sample.origin
    drawn = Agreement(draws=comparison.draws, pairs=comparison.pairs, seconds=comparison.seconds)
    seeds = {name: f"seed {fit.seed}" for name, fit in comparison.fits.items()}
    sources = {"data": origin.source, "SHA-256": f"{origin.sha256[:16]}…", **seeds}
    command = provenance.command if provenance else ""
    context = agreement_context(Agreed(drawn, sources, command)) if comparison.draws else {}
    simulated = " (simulated)" if origin.simulated else ""
    return {
        **context,
        "title": provenance.card.title if provenance else origin.name,
        "verdict": comparison.verdict,
        "sentence": comparison.sentence(),
        "meta": f"{origin.name}{simulated}, {comparison.sample.n:,} observations of "
        f"{len(comparison.names)} dimensions, {origin.n_missing:,} rows with missing values left "
        f"out, {comparison.K} components",
        "names": comparison.names,
        "lines": [
            (display_name(name), _LINE_WORDS[LINES[e % len(LINES)]])
            for e, name in enumerate(comparison.fits)
        ],
        "marginals": marginal_panels(comparison),
        "planes": pair_panels(comparison),
        "components": [component_variable(k) for k in range(comparison.K)],
        "estimates": _estimates(comparison),
        "fitted": [display_name(name) for name in comparison.fits],
        "fit_notes": {n: fit.notes for n, fit in comparison.fits.items() if fit.notes},
    }


def _estimates(comparison: VectorComparison) -> list[dict[str, Any]]:
    """Tabulate, component by component, weight, means, sds and correlations of every engine."""
    quantities: dict[str, list[Any]] = {}
    names, K = comparison.names, comparison.K
    for engine in comparison.fits:
        params: Any = comparison.alignments[engine].params
        sds, correlations = np.sqrt(params.variances), params.correlations
        for k in range(K):
            quantities.setdefault(f"{k}|weight", []).append(params.w[..., k])
            for j, name in enumerate(names):
                quantities.setdefault(f"{k}|mean of {name}", []).append(params.mu[..., k, j])
            for j, name in enumerate(names):
                quantities.setdefault(f"{k}|sd of {name}", []).append(sds[..., k, j])
            for i, j in combinations(range(len(names)), 2):
                what = f"{k}|correlation of {names[i]} and {names[j]}"
                quantities.setdefault(what, []).append(correlations[..., k, i, j])
    rows = []
    for key, values in quantities.items():
        number, _, what = key.partition("|")
        cells = [
            with_spread(float(v.mean()), float(v.std()) if v.size > 1 else float("nan"))
            for v in values
        ]
        rows.append({"component": int(number) + 1, "what": what, "cells": cells})
    return sorted(rows, key=lambda row: int(row["component"]))

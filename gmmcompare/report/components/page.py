"""From a posterior of the number of components to a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from gmmcompare.comparison.names import display_name, leading_name
from gmmcompare.comparison.number import Components, Road
from gmmcompare.comparison.words import sentence
from gmmcompare.fitting.requests import engine_seed
from gmmcompare.report.components import figures
from gmmcompare.report.frame.provenance import provenance_section
from gmmcompare.report.frame.render import render
from gmmcompare.report.frame.words import number, seconds
from gmmcompare.runtime.files import write_text
from gmmcompare.workflows.components import ComponentsOutcome

_TITLES = {"agree": "Agree", "disagree": "Disagree", "inconclusive": "Inconclusive"}


def write_components(outcome: ComponentsOutcome, path: str | Path) -> Path:
    """Write the posterior of the number of components as one self-contained HTML page.

    Parameters
    ----------
    outcome : ComponentsOutcome
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
    write_text(path, render("components.html.j2", components_context(outcome)))
    return path


def components_context(outcome: ComponentsOutcome) -> dict[str, Any]:
    """Collect everything the template shows."""
    found, provenance = outcome.components, outcome.provenance
    judged = len(found.names_of_engines) > 1
    verdict = found.verdict if judged else "inconclusive"
    sampled = [road for road in found.roads.values() if road.draws is not None]
    return {
        "title": provenance.card.title,
        "card_name": provenance.card.name,
        "origin": found.sample.origin,
        "n": found.sample.n,
        "dynamic": outcome.problem.dynamic,
        "concentration": f"{outcome.problem.concentrations[0]:g}",
        "prior": found.on_k.name,
        "max_K": found.on_k.max_K,
        "verdict": verdict,
        "verdict_title": _TITLES[verdict] if judged else "One sampler alone",
        "sentence": found.sentence() if judged else "There is nothing to compare it with.",
        "answer": found.answer(),
        "who": [display_name(name) for name in found.roads],
        "bars": [figures.bars(found, occupied) for occupied in (False, True)],
        "densities": [
            (leading_name(road.name), figures.density(found, road.name)) for road in sampled
        ],
        "traces": [(leading_name(road.name), figures.trace(road)) for road in sampled],
        "table": _table(found),
        "roads": [_row(road) for road in found.roads.values()],
        "distances": [
            (leading_name(a), display_name(b), number(d, 4))
            for (a, b), d in found.total_variation.items()
        ],
        "pairs": [
            {
                "a": leading_name(pair.a),
                "b": display_name(pair.b),
                "verdict": pair.verdict,
                "reasons": [sentence(reason) for reason in pair.reasons],
            }
            for pair in found.pairs
        ],
        "provenance": provenance_section(
            found.sample,
            [
                (display_name(road.name), str(engine_seed(provenance.card.run.seed, road.name)))
                for road in sampled
            ],
            provenance,
        ),
    }


def _table(found: Components) -> dict[str, Any]:
    """Return the probabilities of all numbers that any road gives a thousandth."""
    heads, columns = [], []
    for name, road in found.roads.items():
        for what, prob, se in (
            ("K", road.prob, road.se),
            ("K+", *(_without_zero(v) for v in (road.prob_occupied, road.occupied_se))),
        ):
            if prob is not None and se is not None:
                heads.append(f"{what}, {display_name(name)}")
                columns.append((prob, se))
    shown = [
        j
        for j in range(found.on_k.max_K)
        if any(np.nan_to_num(prob[j]) > 1e-3 for prob, _ in columns)
    ]
    rows = [
        {
            "number": j + 1,
            "prior": number(float(found.on_k.prob[j]), 3),
            "cells": [_cell(float(prob[j]), float(se[j])) for prob, se in columns],
        }
        for j in shown
    ]
    return {"heads": heads, "rows": rows}


def _without_zero(values: Any) -> Any:
    return None if values is None else values[1:]


def _cell(prob: float, se: float) -> str:
    if np.isnan(prob):
        return "not worked out"
    return number(prob, 4) + (f" ± {number(se, 4)}" if se > 0 else "")


def _row(road: Road) -> dict[str, Any]:
    draws = road.draws
    moves = draws.acceptance if draws else {}
    return {
        "name": leading_name(road.name),
        "draws": f"{draws.K.size:,}" if draws else "",
        "ess": number(road.ess, 0) if draws else "",
        "rhat": number(road.rhat, 3) if draws else "",
        "seconds": seconds(road.seconds),
        "acceptance": ", ".join(f"{m} {100 * share:.1f} %" for m, share in moves.items()),
        "notes": "; ".join(road.notes),
    }

"""From a selection to a page: fits, criteria, what each prefers, and what to make of it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from gmmcompare.comparison.names import criterion_name, display_name, draws_of, listed
from gmmcompare.comparison.words import sentence
from gmmcompare.fitting.requests import engine_seed
from gmmcompare.report.frame.look import component_variable
from gmmcompare.report.frame.provenance import provenance_section
from gmmcompare.report.frame.render import render
from gmmcompare.report.frame.words import number, seconds, significant, typeset
from gmmcompare.report.selection import figures
from gmmcompare.report.selection.glossary import SELECTION_GLOSSARY
from gmmcompare.runtime.files import write_text
from gmmcompare.selection.candidate import Candidate, Sampled
from gmmcompare.selection.conclusions import Conclusion
from gmmcompare.selection.selection import Selection
from gmmcompare.workflows.select import SelectionOutcome

_TITLES = {"evidence": "Evidence"}


def write_selection(outcome: SelectionOutcome, path: str | Path) -> Path:
    """Write a selection as one self-contained HTML page.

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
    write_text(path, render("select.html.j2", selection_context(outcome)))
    return path


def drawings(selection: Selection) -> dict[str, Any]:
    """Collect those parts of the page that have figures."""
    main = selection.engines[0]
    sampled = [c for c in selection.candidates if main in c.sampled]
    return {
        "fits": [_fit(selection, c, main) for c in sampled],
        "curves": [
            figures.information_panel(selection),
            figures.loo_panel(selection),
            figures.evidence_panel(selection),
            figures.probability_panel(selection),
        ],
        "calibration": [_calibration(c, main) for c in sampled],
    }


def selection_context(outcome: SelectionOutcome) -> dict[str, Any]:
    """Collect everything the template shows."""
    selection, provenance = outcome.selection, outcome.provenance
    main = selection.engines[0]
    preferred = {c.prefers for c in selection.conclusions if c.prefers is not None}
    return {
        "title": provenance.card.title,
        "card_name": provenance.card.name,
        "components_page": _components_page(outcome),
        "selection": selection,
        "sample": selection.sample,
        "origin": selection.sample.origin,
        "engines": [display_name(engine) for engine in selection.engines],
        "who": [
            display_name(e)
            for e in dict.fromkeys(e for c in selection.candidates for e in c.seconds)
        ],
        "main": display_name(main),
        "agreed": len(preferred) == 1,
        "headline": _headline(selection),
        **drawings(selection),
        "conclusions": [_answer(c) for c in selection.conclusions],
        "table": _table(selection),
        "disagreements": [typeset(sentence(reason)) for reason in selection.disagreements],
        "doubts": [typeset(sentence(reason)) for reason in selection.doubts],
        "seconds": _seconds(selection),
        "provenance": provenance_section(
            selection.sample,
            [
                (display_name(engine), str(engine_seed(provenance.card.run.seed, engine)))
                for engine in selection.engines
            ],
            provenance,
        ),
        "glossary": SELECTION_GLOSSARY,
    }


def _components_page(outcome: SelectionOutcome) -> str:
    """Return the way to the page of ``gmmcompare components``, if it lies beside this one."""
    way = "../components/index.html"
    return way if outcome.folder and (outcome.folder / way).is_file() else ""


def _headline(selection: Selection) -> str:
    """Say in one sentence which criteria select which number."""
    by_K: dict[int, dict[str, None]] = {}
    for c in selection.conclusions:
        if c.prefers is not None:
            by_K.setdefault(c.prefers, {})[criterion_name(c.criterion)] = None
    parts = [
        f"{listed(list(names))} select{'s' if len(names) == 1 else ''} {K} "
        f"component{'s' if K > 1 else ''}"
        for K, names in sorted(by_K.items(), key=lambda item: -len(item[1]))
    ]
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:]}."


def _answer(conclusion: Conclusion) -> dict[str, Any]:
    return {
        "key": conclusion.criterion,
        "name": _TITLES.get(conclusion.criterion, criterion_name(conclusion.criterion)),
        "by": f" ({draws_of(conclusion.engine)})" if conclusion.engine else "",
        "prefers": conclusion.prefers,
        "sentence": typeset(conclusion.sentence),
        "doubts": [typeset(sentence(doubt)) for doubt in conclusion.doubts],
    }


def _fit(selection: Selection, candidate: Candidate, engine: str) -> dict[str, Any]:
    found, K = candidate.sampled[engine], candidate.K
    components = [
        {
            "number": k + 1,
            "colour": component_variable(k),
            "text": f"{number(100 * float(w), 1)} % at {significant(float(mu), 3)}"
            f" ± {significant(float(sigma), 2)}",
        }
        for k, (w, mu, sigma) in enumerate(zip(*found.components, strict=True))
    ]
    alt = (
        f"{K} component{'s' if K > 1 else ''}: histogram, predictive density with its 90 % band, "
        f"and components with {listed([str(c['text']) for c in components])}."
    )
    return {
        "K": K,
        "panel": figures.fit_panel(selection, K, found, alt),
        "components": components,
        "empty": number(100 * found.prob_empty, 1) if found.prob_empty >= 5e-4 else "",
        "doubts": found.doubts,
    }


def _calibration(candidate: Candidate, engine: str) -> dict[str, Any]:
    found, K = candidate.sampled[engine], candidate.K
    check = found.predictive
    alt = (
        f"{K} component{'s' if K > 1 else ''}: the distribution function of LOO-PIT is at most "
        f"{significant(found.loo.pit_distance)} from uniform (p {_p(found.loo.pit_p)})."
    )
    return {
        "K": K,
        "panel": figures.pit_panel(K, found.loo, alt),
        "distance": significant(found.loo.pit_distance),
        "pit_p": _p(found.loo.pit_p),
        "outside": check.n_outside,
        "bins": len(check.observed),
        "predictive_p": _p(check.p),
    }


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else number(value, 3)


def _table(selection: Selection) -> dict[str, Any]:
    """Return rows by K: criteria of the maximum, then LOO, evidence and probability by engine."""
    best = {name: selection.best(name) for name in ("aic", "bic", "icl")}
    rows = []
    for c in selection.candidates:
        values = vars(c.information) if c.information else {}
        cells = [
            {
                "text": number(float(values.get(name, math.nan)), 1),
                "best": best.get(name) == c.K,
            }
            for name in ("log_lik", *best)
        ]
        rows.append({"K": c.K, "cells": cells, "engines": _engine_cells(selection, c)})
    return {"rows": rows}


def _engine_cells(selection: Selection, candidate: Candidate) -> list[dict[str, Any] | None]:
    """Return None for an engine that has no draws."""
    found = candidate.sampled
    return [
        _numbers(selection, candidate.K, engine, found[engine]) if engine in found else None
        for engine in selection.engines
    ]


def _numbers(selection: Selection, K: int, engine: str, found: Sampled) -> dict[str, Any]:
    p, difference = selection.probabilities(engine)[K], selection.loo_differences(engine).get(K)
    modes = [
        f"{listed([str(c + 1) for c in chains])}: {number(100 * share, 1)} %"
        for chains, share in zip(found.evidence.modes, found.evidence.shares.tolist(), strict=True)
    ]
    return {
        "elpd": number(found.loo.elpd, 1),
        "mcse": number(found.loo.mcse, 1) if math.isfinite(found.loo.mcse) else "not known",
        "below": number(difference.value, 1) if difference else "0",
        "below_se": number(difference.se, 1) if difference else "",
        "best_loo": difference is None,
        "bad": f"{found.loo.n_bad:,}",
        "again": f"{found.loo.n_again:,}",
        "worst_k": number(float(found.loo.pareto_k.max()), 2),
        "p_loo": number(found.loo.p, 1),
        "evidence": number(found.evidence.value, 2),
        "evidence_se": number(found.evidence.se, 2),
        "best_evidence": selection.best("evidence", engine) == K,
        "overlap": number(100 * found.evidence.overlap, 0),
        "modes": modes if len(modes) > 1 else [],
        "probability": number(p.value, 3),
        "doubtful": bool(found.doubts),
    }


def _seconds(selection: Selection) -> list[tuple[str, str]]:
    """Return how long each K took to fit, by engine."""
    return [
        (
            f"{c.K} component{'s' if c.K > 1 else ''}",
            listed([f"{display_name(engine)} {seconds(s)}" for engine, s in c.seconds.items()]),
        )
        for c in selection.candidates
    ]

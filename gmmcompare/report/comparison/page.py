"""From a comparison to a page: collects what the templates show, and writes it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from gmmcompare.comparison.comparison import Comparison
from gmmcompare.comparison.vectors import VectorComparison
from gmmcompare.comparison.words import phrase, sentence
from gmmcompare.comparison.words import remedies as words
from gmmcompare.report import latex
from gmmcompare.report.comparison import figures, tables, verdict
from gmmcompare.report.comparison.clustering import clustering_section
from gmmcompare.report.comparison.diagnosis import engine_section, label_section
from gmmcompare.report.frame.look import component_variable, engine_looks
from gmmcompare.report.frame.provenance import provenance_section
from gmmcompare.report.frame.render import render
from gmmcompare.report.frame.words import number, significant, typeset
from gmmcompare.report.vectors.page import write_vector_report
from gmmcompare.runtime.files import write_text
from gmmcompare.workflows.outcome import Outcome
from gmmcompare.workflows.provenance import Provenance

WIDE, NARROW = 720, 360


def write_report(
    comparison: Comparison | VectorComparison | Outcome,
    path: str | Path,
    provenance: Provenance | None = None,
) -> Path:
    """Write a comparison as one self-contained HTML page.

    Parameters
    ----------
    comparison : Comparison, VectorComparison or Outcome
    path : str or Path
        The file; it is written under a temporary name and renamed.
    provenance : Provenance, optional
        Card, command and versions; an `Outcome` brings its own.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    if isinstance(comparison, Outcome):
        return write_report(comparison.comparison, path, provenance or comparison.provenance)
    if isinstance(comparison, VectorComparison):
        return write_vector_report(comparison, path, provenance)
    path = Path(path)
    write_text(path, render("report.html.j2", report_context(comparison, provenance)))
    return path


def write_index(outcomes: Sequence[Outcome], path: str | Path) -> Path:
    """Write one page over several comparisons: verdicts, key numbers and links to the reports.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    path = Path(path)
    entries = [_index_entry(outcome, path.parent) for outcome in outcomes]
    write_text(path, render("index.html.j2", {"entries": entries, "title": "Comparisons"}))
    return path


def report_context(comparison: Comparison, provenance: Provenance | None) -> dict[str, Any]:
    """Collect everything the template shows."""
    looks = engine_looks(comparison)
    speed = verdict.speeds(comparison, looks)
    return {
        "title": _title(comparison, provenance),
        "comparison": comparison,
        "sample": comparison.sample,
        "origin": comparison.sample.origin,
        "looks": looks,
        "verdict": comparison.verdict,
        "verdict_title": _verdict_title(comparison),
        "sentence": typeset(comparison.sentence()),
        "followed": [typeset(phrase(step)) for step in comparison.followed],
        "remedies": [typeset(sentence(remedy)) for remedy in comparison.remedies],
        "settling": words.settling(comparison.remedies, comparison.followed)
        if comparison.remedies
        else "",
        "brief": verdict.brief(comparison, looks, speed),
        "sure": verdict.sureness(comparison),
        "pairs": verdict.pair_texts(comparison, looks),
        "components": _component_legend(comparison),
        "pair_lines": [line for _, line in figures.PAIR_LINES],
        "measured": comparison.sample.errors is not None,
        "density": [figures.density_panel(comparison, looks, w) for w in (WIDE, NARROW)],
        "table": tables.parameter_table(comparison, looks),
        "latex": latex.tables(comparison),
        "agreement": tables.agreement(comparison, looks),
        "distances": tables.distance_rows(comparison, looks),
        "differences": [
            figures.difference_panel(comparison, looks, magnified)
            for magnified in (False, True)
            if comparison.distances
        ],
        "engines": [engine_section(comparison, name, looks) for name in comparison.fits],
        "labels": [
            label_section(comparison, name, looks)
            for name, look in looks.items()
            if look.kind == "draws" and comparison.K > 1
        ],
        "clustering": clustering_section(comparison, looks),
        "speed": speed,
        "provenance": provenance_section(
            comparison.sample,
            [(looks[name].text, str(fit.seed)) for name, fit in comparison.fits.items()],
            provenance,
        ),
    }


def _title(comparison: Comparison, provenance: Provenance | None) -> str:
    if provenance:
        return _titled(provenance)
    K = comparison.K
    return f"{comparison.sample.origin.name}, {K} component{'s' if K > 1 else ''}"


def _titled(provenance: Provenance) -> str:
    """Return a card's title, and K where the command line changed what the title may say."""
    card = provenance.card
    changed = f"mixture.components={card.K}" in provenance.command
    return f"{card.title} (K = {card.K}, set on the command line)" if changed else card.title


def _verdict_title(comparison: Comparison) -> str:
    return verdict.VERDICT_TITLES[comparison.verdict] if comparison.pairs else "One engine only"


def _component_legend(comparison: Comparison) -> list[dict[str, str]]:
    base = next(
        (s for s in comparison.summaries.values() if s.diagnostics),
        next(iter(comparison.summaries.values())),
    )
    return [
        {
            "number": str(k + 1),
            "colour": component_variable(k),
            "text": f"{number(100 * float(base.point.w[k]), 0)} % around "
            f"{significant(float(base.point.mu[k]), 3)}",
        }
        for k in range(comparison.K)
    ]


def _index_entry(outcome: Outcome, folder: Path) -> dict[str, Any]:
    comparison = outcome.comparison
    looks = engine_looks(comparison)
    speed = verdict.speeds(comparison, looks)
    link = ""
    if outcome.folder:
        page = outcome.folder / "index.html"
        try:
            link = quote(page.resolve().relative_to(folder.resolve(), walk_up=True).as_posix())
        except ValueError:
            link = page.resolve().as_uri()
    return {
        "title": _titled(outcome.provenance),
        "link": link,
        "verdict": comparison.verdict,
        "verdict_title": _verdict_title(comparison),
        "sentence": typeset(comparison.sentence()),
        "sample": comparison.sample,
        "origin": comparison.sample.origin,
        "K": comparison.K,
        "sure": verdict.sureness(comparison),
        "speed": speed,
        "summaries": [(looks[n].text, s) for n, s in comparison.summaries.items()],
        "created": outcome.provenance.created,
    }

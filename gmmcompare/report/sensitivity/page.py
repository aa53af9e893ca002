"""From a study of sensitivity to a page: which prior matters, how fast and how far things move."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from gmmcompare.comparison.names import listed
from gmmcompare.comparison.numerals import decimals_for, power_for
from gmmcompare.comparison.thresholds import MARGIN
from gmmcompare.comparison.words import sentence
from gmmcompare.prior_sensitivity.findings import PriorFit, Rerun
from gmmcompare.prior_sensitivity.statistics import PARTS, SENSITIVE, Shift
from gmmcompare.report.comparison import figures
from gmmcompare.report.comparison.tables import group_of
from gmmcompare.report.frame.glossary import SENSITIVITY_GLOSSARY
from gmmcompare.report.frame.look import component_variable
from gmmcompare.report.frame.provenance import provenance_section
from gmmcompare.report.frame.render import render
from gmmcompare.report.frame.strips import Mark, Scale
from gmmcompare.report.frame.words import (
    component_of,
    number,
    quantity,
    quantity_in_group,
    scientific,
    significant,
    typeset,
)
from gmmcompare.runtime.files import write_text
from gmmcompare.workflows.sensitivity import Sensitivity

FOURFOLD = 4
"""Times the draws that are asked for where they are inconclusive: half the Monte Carlo error."""
FINDINGS = {"matters": "matters", "does not matter": "does not matter", "open": "inconclusive"}
"""How text calls what was found of a hyperparameter."""
WIDE, NARROW = 720, 360
PRIOR_OF = {
    "weight_concentration": "weights",
    "mean_loc": "means",
    "mean_sd": "means",
    "var_shape": "variances",
    "var_scale": "variances",
}
"""The prior that a hyperparameter belongs to."""


def write_sensitivity(found: Sensitivity, path: str | Path) -> Path:
    """Write a study of sensitivity as one self-contained HTML page.

    Parameters
    ----------
    found : Sensitivity
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
    write_text(path, render("sensitivity.html.j2", sensitivity_context(found)))
    return path


def sensitivity_context(found: Sensitivity) -> dict[str, Any]:
    """Collect everything the template shows."""
    title, finding = conclusion(found)
    values = [v for r in found.reruns for s in r.shifts for v in (s.bound, abs(s.location))]
    scale = Scale.around(values, MARGIN, most=2.0)
    provenance = found.provenance
    return {
        "title": provenance.card.title,
        "sample": found.sample,
        "origin": found.sample.origin,
        "K": provenance.card.K,
        "settled": all(found.finding(field) == "does not matter" for field in found.fields),
        "heading": title,
        "sentence": finding,
        "brief": [_brief(found, field) for field in found.fields],
        "doubts": [typeset(sentence(doubt)) for doubt in found.base.doubts],
        "margin": f"{MARGIN:g}",
        "sensitive": f"{SENSITIVE:g}",
        "factor": f"{found.factor:g}",
        "step": f"{1 - 1 / found.factor:.2g}",
        "parts": PARTS,
        "fastest": _fastest(found),
        "scaling": _scaling(found),
        "fields": [_field(found, field, scale) for field in found.fields],
        "scale": scale,
        "band": scale.band(MARGIN),
        "fits": [_fit_row("as in the card", found.base)]
        + [_fit_row(_named(r), r.fit) for r in found.reruns],
        "odds": _odds(found),
        "occupied": _occupied(found.base),
        "panels": [figures.priors_panel(found, width) for width in (WIDE, NARROW)],
        "provenance": provenance_section(
            found.sample, [("card", str(provenance.card.run.seed))], provenance
        ),
        "glossary": SENSITIVITY_GLOSSARY,
    }


def conclusion(found: Sensitivity) -> tuple[str, str]:
    """Return what was found of the five hyperparameters, as a heading and as a sentence."""
    by_finding = {
        finding: [f for f in found.fields if found.finding(f) == finding]
        for finding in ("matters", "open", "does not matter")
    }
    if not by_finding["matters"] and not by_finding["open"]:
        largest = max((s.bound for r in found.reruns for s in r.shifts), default=0.0)
        limit = math.ceil(100 * largest) / 100
        return "No prior matters here", (
            f"Changing any hyperparameter by a factor of {found.factor:g} moves no quantity by as "
            f"much as {limit:.2f} posterior standard deviations, Monte Carlo error included."
        )
    parts = []
    if by_finding["matters"]:
        worst = max(
            (r for r in found.reruns if r.finding == "matters"),
            key=lambda r: abs(r.largest.diff) if r.largest else 0.0,
        )
        verb = "matters" if len(by_finding["matters"]) == 1 else "matter"
        parts.append(f"{listed(by_finding['matters'])} {verb}{_most(worst)}.")
    if by_finding["open"]:
        draws = FOURFOLD * found.provenance.card.engines.gibbs.draws
        parts.append(
            f"For {listed(by_finding['open'])} the draws are inconclusive: run it with --set "
            f"engines.gibbs.draws={draws}."
        )
    if by_finding["does not matter"]:
        no = by_finding["does not matter"]
        parts.append(f"{listed(no)} {'does' if len(no) == 1 else 'do'} not.")
    parts += _largest_odds(found)
    return ("Some priors matter" if by_finding["matters"] else "Inconclusive"), " ".join(parts)


def _largest_odds(found: Sensitivity) -> list[str]:
    """Return a sentence on the largest change of odds, if numbers of components varied at all."""
    odds = [(abs(np.log(o.factor)), r, o) for r in found.reruns for o in r.odds]
    if not odds:
        return []
    _, rerun, largest = max(odds, key=lambda item: item[0])
    return [
        "The number of occupied components depends on the priors as well: "
        f"{_named(rerun)} multiplies the odds of {largest.occupied} against "
        f"{largest.occupied - 1} by {significant(largest.factor)}."
    ]


def _most(rerun: Rerun) -> str:
    largest = rerun.largest
    if largest is None:
        return ""
    return (
        f", {rerun.change.field} {rerun.change.words} the most: it moves the "
        f"{quantity(largest.name)} by {number(abs(largest.diff), 2)} posterior sd"
    )


def _brief(found: Sensitivity, field: str) -> tuple[str, str, str]:
    """Return a hyperparameter with its value, the finding, and the largest shift."""
    value = np.atleast_1d(getattr(found.base.priors, field)).tolist()
    shown = ", ".join(f"{v:g}" for v in value)
    reruns = [r for r in found.reruns if r.change.field == field]
    worst = max(reruns, key=lambda r: abs(r.largest.diff) if r.largest else 0.0)
    text = ""
    if worst.largest:
        s = worst.largest
        text = (
            f"{worst.change.words}, the {quantity(s.name)} moves by "
            f"{number(s.diff, 2, sign=True)} ± {number(s.se, 2)} sd"
        )
    odds = [(r.change.words, o) for r in reruns for o in r.odds]
    if odds:
        words, o = max(odds, key=lambda item: abs(np.log(item[1].factor)))
        text += f"; {words}, the odds of {o.occupied} components are {significant(o.factor)} times"
    return f"{field} = {shown}", FINDINGS[found.finding(field)], text


def _named(rerun: Rerun) -> str:
    return f"{rerun.change.field} {rerun.change.words}"


@dataclass(frozen=True)
class ScalingRow:
    """One quantity's sensitivity to each factor, and which exceed the threshold."""

    words: str
    colour: str
    values: tuple[tuple[str, bool], ...]


def _scaling(found: Sensitivity) -> list[tuple[str, list[ScalingRow]]]:
    """Return the rows of every group of quantities."""
    ordered = sorted(found.scaling, key=lambda s: group_of(s.name))
    return [
        (
            title,
            [
                ScalingRow(
                    quantity_in_group(s.name),
                    _colour(s.name),
                    tuple((_rate(getattr(s, p)), getattr(s, p) >= SENSITIVE) for p in PARTS),
                )
                for s in rows
            ],
        )
        for (_, title), rows in groupby(ordered, key=lambda s: group_of(s.name))
    ]


def _fastest(found: Sensitivity) -> list[tuple[str, str, str, bool, float]]:
    """Return each factor's largest sensitivity: name, value, quantity, whether large, per cent."""
    rows = []
    for part in PARTS:
        rates = {s.name: getattr(s, part) for s in found.scaling if np.isfinite(getattr(s, part))}
        if rates:
            name = max(rates, key=rates.__getitem__)
            rows.append((part, rates[name], quantity(name)))
    top = max((rate for _, rate, _ in rows), default=1.0)
    return [
        (part, _rate(rate), name, rate >= SENSITIVE, round(100 * rate / top, 1))
        for part, rate, name in rows
    ]


def _rate(value: float) -> str:
    return number(value, 3)


def _colour(name: str) -> str:
    k = component_of(name)
    return "var(--ink)" if k is None else component_variable(k)


@dataclass(frozen=True)
class Move:
    """One change's effect on one quantity, drawn and printed."""

    mark: Mark | None
    median: str
    shift: str
    status: str


@dataclass(frozen=True)
class FieldSection:
    """One hyperparameter: a column for each of its two changes.

    ``marks`` has lines of marks for each change; ``groups`` has (title, rows), and a row has words,
    colour, the median under the card's prior, and moves.
    """

    name: str
    finding: str
    changes: tuple[str, ...]
    columns: tuple[str, ...]
    marks: tuple[tuple[tuple[Mark, ...], ...], ...]
    n_moved: tuple[int, ...]
    groups: tuple[tuple[str, tuple[tuple[str, str, str, tuple[Move, ...]], ...]], ...]


def _field(found: Sensitivity, field: str, scale: Scale) -> FieldSection:
    reruns = [r for r in found.reruns if r.change.field == field]
    by_name = [{s.name: s for s in r.shifts} for r in reruns]
    names = sorted({name: None for shifts in by_name for name in shifts}, key=group_of)
    rows = {
        name: (
            quantity_in_group(name),
            _colour(name),
            _median(found.base.medians[name], found.base.errors[name]),
            tuple(
                _move(shifts.get(name), r.fit, scale)
                for r, shifts in zip(reruns, by_name, strict=True)
            ),
        )
        for name in names
    }
    return FieldSection(
        name=field,
        finding=found.finding(field),
        changes=tuple(r.change.words for r in reruns),
        columns=tuple(
            ", ".join(f"{v:g}" for v in np.atleast_1d(getattr(r.change.priors, field)).tolist())
            for r in reruns
        ),
        marks=tuple(_marks(r.shifts, scale) for r in reruns),
        n_moved=tuple(sum(s.status == "moves" for s in r.shifts) for r in reruns),
        groups=tuple(
            (title, tuple(rows[name] for name in group))
            for (_, title), group in groupby(names, key=group_of)
        ),
    )


def _marks(shifts: Iterable[Shift], scale: Scale) -> tuple[tuple[Mark, ...], ...]:
    """Place one mark for each quantity, a line for each group of them."""
    ordered = sorted(shifts, key=lambda s: group_of(s.name))
    lines = [
        [_mark(s, scale) for s in line] for _, line in groupby(ordered, lambda s: group_of(s.name))
    ]
    return tuple(tuple(m for m in line if m) for line in lines)


def _mark(s: Shift, scale: Scale) -> Mark | None:
    text = f"{quantity(s.name)}: {number(s.location, 3, sign=True)} ± {number(s.error, 3)}"
    return scale.mark(
        s.location, 1.645 * s.error, "", _colour(s.name), hollow=s.status == "open", title=text
    )


def _move(s: Shift | None, fit: PriorFit, scale: Scale) -> Move:
    if s is None:
        return Move(None, "", "", "stays")
    shift = f"{number(s.location, 3, sign=True)} ± {number(s.error, 3)}"
    return Move(_mark(s, scale), _median(fit.medians[s.name], fit.errors[s.name]), shift, s.status)


def _median(median: float, error: float) -> str:
    if power_for(median, error):
        return scientific(median, 4)
    return number(median, min(5, decimals_for(error)) if np.isfinite(error) else 3)


def _fit_row(name: str, fit: PriorFit) -> dict[str, Any]:
    empty = significant(fit.prob_empty, 3)
    if fit.prob_empty_error:
        empty += f" ± {significant(fit.prob_empty_error)}"
    return {
        "name": name,
        "empty": empty,
        "rhat": number(fit.rhat_max, 3),
        "ess": number(fit.ess_min, 0),
        "doubts": [typeset(sentence(d)) for d in fit.doubts],
    }


def _odds(found: Sensitivity) -> list[tuple[str, list[tuple[int, str, str]]]]:
    """Return for each change: (occupied, factor, error) of the odds against one fewer."""
    return [
        (
            _named(r),
            [
                (o.occupied, number(o.factor, 3), number(o.error, 3) if o.error > 5e-4 else "")
                for o in r.odds
            ],
        )
        for r in found.reruns
        if r.odds
    ]


def _occupied(fit: PriorFit) -> str:
    shares: Sequence[str] = [
        f"{m} in {significant(100 * share, 3)} % of the draws" for m, share in fit.occupied.items()
    ]
    return listed(list(shares))

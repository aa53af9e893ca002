"""The tables of numbers with their small graphics: parameters, quantities tested, distances."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

import numpy as np

from gmmcompare.comparison.agreement import FunctionalResult, PairVerdict
from gmmcompare.comparison.comparison import Comparison
from gmmcompare.comparison.names import parts
from gmmcompare.comparison.numerals import decimals_for
from gmmcompare.comparison.thresholds import MARGIN
from gmmcompare.report.comparison.figures import Looks
from gmmcompare.report.frame.look import component_variable
from gmmcompare.report.frame.strips import Mark, Scale
from gmmcompare.report.frame.words import (
    component_of,
    number,
    quantity,
    quantity_in_group,
    short_statistic,
    significant,
    with_spread,
)

_NAMES = {"w": "Weights", "mu": "Means", "sigma": "Standard deviations"}
_LIMITS = 1.645
"""Either end of an interval is a one-sided 95 % limit, as in the rule for agreement."""


@dataclass(frozen=True)
class Cell:
    """One engine's value of one parameter."""

    estimate: str
    spread: str
    mcse: str


@dataclass(frozen=True)
class Row:
    """One parameter of one component, in every engine, and the differences drawn."""

    component: int
    colour: str
    cells: tuple[Cell, ...]
    marks: tuple[Mark, ...]
    differences: tuple[str, ...]


@dataclass(frozen=True)
class ParameterTable:
    """Weights, means and sds; differences are from ``base``, in units of its posterior sd."""

    base: str
    others: tuple[str, ...]
    groups: tuple[tuple[str, tuple[Row, ...]], ...]
    fit: tuple[tuple[str, str, tuple[str, ...]], ...]
    scale: Scale
    band: tuple[float, float]
    unbounded: bool
    """Whether a mean is infinite: some draws have an empty component's sd from its prior."""


def parameter_table(comparison: Comparison, looks: Looks) -> ParameterTable:
    """Build the table of parameters."""
    drawing = [name for name, look in looks.items() if look.kind == "draws"]
    base = (drawing or list(looks))[0]
    others = [name for name in looks if name != base]
    values = {
        name: [
            [_difference(comparison, base, other, field, k) for other in others]
            for k in range(comparison.K)
        ]
        for field, name in enumerate(_NAMES)
    }
    flat = [abs(d) + half for rows in values.values() for row in rows for d, half in row]
    scale = Scale.around(flat, MARGIN)
    groups = []
    for field, (name, title) in enumerate(_NAMES.items()):
        rows = []
        for k, differences in enumerate(values[name]):
            marks = [
                scale.mark(
                    d,
                    half,
                    looks[other].mark,
                    component_variable(k),
                    hollow=looks[other].kind == "point",
                    title=f"{looks[other].text}: {number(d, 2, sign=True)}",
                )
                for other, (d, half) in zip(others, differences, strict=True)
            ]
            rows.append(
                Row(
                    component=k + 1,
                    colour=component_variable(k),
                    cells=_cells(comparison, looks, field, k),
                    marks=tuple(m for m in marks if m),
                    differences=tuple(number(d, 2, sign=True) for d, _ in differences),
                )
            )
        groups.append((title, tuple(rows)))
    return ParameterTable(
        looks[base].text,
        tuple(looks[o].text for o in others),
        tuple(groups),
        _fit_rows(comparison, looks),
        scale,
        scale.band(MARGIN),
        any(not np.isfinite(s.point.sigma).all() for s in comparison.summaries.values()),
    )


def _difference(
    comparison: Comparison, base: str, other: str, field: int, k: int
) -> tuple[float, float]:
    """Return other minus base in posterior sds of base, and the half width of its interval."""
    a, b = comparison.summaries[base], comparison.summaries[other]
    unit = float(a.spread[field][k])
    if not (np.isfinite(unit) and unit > 0):
        return float("nan"), float("nan")
    diff = float(b.point[field][k] - a.point[field][k]) / unit
    error = float(np.hypot(a.mcse[field][k], b.mcse[field][k])) / unit
    return (diff if np.isfinite(diff) else float("nan")), _LIMITS * error


def _cells(comparison: Comparison, looks: Looks, field: int, k: int) -> tuple[Cell, ...]:
    summaries = [comparison.summaries[name] for name in looks]
    spreads = [float(s.spread[field][k]) for s in summaries]
    finest = max(map(decimals_for, spreads))
    cells = []
    for summary, spread in zip(summaries, spreads, strict=True):
        # The same decimals in a row, unless one engine's spread is of another order.
        decimals = min(finest, decimals_for(spread) + 1)
        mcse = float(summary.mcse[field][k])
        estimate, beside = with_spread(float(summary.point[field][k]), spread, decimals)
        cells.append(
            Cell(
                estimate=estimate,
                spread=beside,
                mcse=f"MCSE {significant(mcse)}" if np.isfinite(mcse) and mcse > 0 else "",
            )
        )
    return tuple(cells)


def _fit_rows(comparison: Comparison, looks: Looks) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """Return (glossary key, what, value in each engine) for the mixture as a whole."""
    summaries = [comparison.summaries[name] for name in looks]
    return (
        ("log-likelihood", "log-likelihood", tuple(number(s.log_lik, 2) for s in summaries)),
        (
            "empty",
            "probability of an empty component",
            tuple(significant(s.prob_empty) for s in summaries),
        ),
    )


@dataclass(frozen=True)
class Tested:
    """One quantity of one pair: its most significant statistic, drawn and printed."""

    words: str
    statistic: str
    colour: str
    mark: Mark | None
    diff: str
    error: str
    p: str
    bound: str
    outside: bool


@dataclass(frozen=True)
class PairTable:
    """Every quantity of one pair of engines that draw, in groups."""

    a: str
    b: str
    verdict: str
    groups: tuple[tuple[str, tuple[Tested, ...]], ...]
    n_outside: int


@dataclass(frozen=True)
class Agreement:
    """All pairs on one scale."""

    pairs: tuple[PairTable, ...]
    group_names: tuple[str, ...]
    scale: Scale
    band: tuple[float, float]


_GROUPS = {
    "log_lik": "Whole fit",
    "mean": "Whole fit",
    "log_density": "Log density",
    "cdf": "Distribution function",
    "sorted_w": "Weights by size",
    "coclustering": "Pairs of observations",
    "w": "Weights",
    "mu": "Means",
    "log_sigma": "Log standard deviations",
    "dependence": "Pairs of parameters",
}
_OTHER = "Other quantities"


def group_of(name: str) -> tuple[int, str]:
    """Return the group that a quantity belongs to: its place in the order, and its title."""
    title = _GROUPS.get(parts(name)[0], _OTHER)
    return [*dict.fromkeys(_GROUPS.values()), _OTHER].index(title), title


def agreement(comparison: Comparison, looks: Looks) -> Agreement:
    """Lay out every quantity of every pair of engines that draw, on one common scale."""
    tested = [pair for pair in comparison.pairs if pair.functionals]
    values = [
        v
        for pair in tested
        for f in pair.functionals
        for v in (f.bound, abs(f.diff) + _LIMITS * f.se)
    ]
    scale = Scale.around(values, MARGIN)
    pairs = tuple(_pair_table(pair, looks, scale) for pair in tested)
    names = [name for name, _ in pairs[0].groups] if pairs else []
    return Agreement(pairs, tuple(names), scale, scale.band(MARGIN))


def _pair_table(pair: PairVerdict, looks: Looks, scale: Scale) -> PairTable:
    functionals = sorted(pair.functionals, key=lambda f: group_of(f.name))
    groups = [
        (title, tuple(_tested(f, scale) for f in found))
        for (_, title), found in groupby(functionals, key=lambda f: group_of(f.name))
    ]
    outside = sum(f.bound >= MARGIN for f in pair.functionals)
    return PairTable(looks[pair.a].text, looks[pair.b].text, pair.verdict, tuple(groups), outside)


def _tested(f: FunctionalResult, scale: Scale) -> Tested:
    k = component_of(f.name)
    colour = "var(--ink)" if k is None else component_variable(k)
    return Tested(
        words=quantity_in_group(f.name),
        statistic=short_statistic(f.statistic),
        colour=colour,
        mark=scale.mark(
            f.diff,
            _LIMITS * f.se,
            "",
            colour,
            reach=f.bound,
            title=f"{quantity(f.name)}: {number(f.diff, 3, sign=True)}",
        ),
        diff=number(f.diff, 3, sign=True),
        error=number(f.se, 3),
        p=significant(f.p) if f.p >= 1e-4 else "< 0.0001",
        bound=number(f.bound, 3),
        outside=f.bound >= MARGIN,
    )


@dataclass(frozen=True)
class DistanceRow:
    """How far two engines' mean densities are apart."""

    a: str
    b: str
    per_cent: str
    kl_ab: str
    kl_ba: str


def distance_rows(comparison: Comparison, looks: Looks) -> list[DistanceRow]:
    """Return a row for each pair of engines."""
    return [
        DistanceRow(
            looks[a].text,
            looks[b].text,
            f"{significant(100 * d.total_variation)} %",
            significant(max(d.kl_ab, 0.0)),
            significant(max(d.kl_ba, 0.0)),
        )
        for (a, b), d in comparison.distances.items()
    ]

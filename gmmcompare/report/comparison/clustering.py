"""The section on clustering: who belongs where, who is in between, and do engines agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gmmcompare.comparison.clustering import CERTAIN, Between, Clustering, Doubtful
from gmmcompare.comparison.comparison import Comparison
from gmmcompare.comparison.names import listed
from gmmcompare.report.comparison import figures
from gmmcompare.report.comparison.figures import Looks
from gmmcompare.report.frame.canvas import Panel
from gmmcompare.report.frame.look import component_variable
from gmmcompare.report.frame.words import in_units_of_data, number, significant

WIDE, NARROW = 720, 360
MOST_GROUPS = 5


@dataclass(frozen=True)
class AlikeRow:
    """How far two engines' clusterings agree."""

    a: str
    b: str
    same_mode: str
    adjusted_rand: str


@dataclass(frozen=True)
class DoubtfulRow:
    """One value between two components; ``bar`` has (colour, start, width) in per cent."""

    who: str
    value: str
    bar: tuple[tuple[str, float, float], ...]
    first: str
    second: str


@dataclass(frozen=True)
class BetweenGroup:
    """The observations between two components (numbered from 1)."""

    first: int
    second: int
    n: str
    rows: tuple[DoubtfulRow, ...]


@dataclass(frozen=True)
class ClusteringSection:
    """Everything the template shows of the clustering; numbers are text."""

    engine: str
    sizes: tuple[str, ...]
    certain: str
    threshold: str
    averaged: str
    alike: tuple[AlikeRow, ...]
    groups: tuple[BetweenGroup, ...]
    others: str
    named: bool
    panels: tuple[Panel, ...]
    together: Panel
    together_apart: str


def clustering_section(comparison: Comparison, looks: Looks) -> ClusteringSection:
    """Lay out the clustering of the first engine that draws, and how others compare to it."""
    clustering = comparison.clustering
    chosen = clustering.chosen
    main = clustering.allocations[chosen]
    groups = clustering.between
    return ClusteringSection(
        engine=looks[chosen].text,
        sizes=tuple(number(float(n), 0) for n in main.sizes),
        certain=number(100 * main.share_certain, 0),
        threshold=f"{100 * CERTAIN:g}",
        averaged=_averaged(main.n_draws, main.n_available),
        alike=tuple(
            AlikeRow(
                looks[pair.a].text,
                looks[pair.b].text,
                f"{number(100 * pair.same_mode, 2).removesuffix('.00')} %",
                number(pair.adjusted_rand, 4),
            )
            for pair in clustering.alike
        ),
        groups=tuple(_group(group, clustering) for group in groups[:MOST_GROUPS]),
        others=number(float(sum(group.n for group in groups[MOST_GROUPS:])), 0),
        named=bool(clustering.names),
        panels=tuple(
            figures.clustering_panel(
                comparison, chosen, main.modal, width, _alt(clustering, looks[chosen].text)
            )
            for width in (WIDE, NARROW)
        ),
        together=figures.together_panel(clustering.coclustering[chosen], looks[chosen].text),
        together_apart=_furthest_apart(clustering, looks),
    )


def _averaged(used: int, available: int) -> str:
    if available == 1:
        return ""
    thinned = f", evenly thinned from {available:,}" if used < available else ""
    return f"averaged over {used:,} draws{thinned}"


def _alt(clustering: Clustering, engine: str) -> str:
    sizes = clustering.allocations[clustering.chosen].sizes
    counted = listed([f"{n:,} in component {k + 1}" for k, n in enumerate(sizes)])
    return (
        f"Above, the histogram coloured by modal allocation: {counted}. Below, the weighted "
        f"component densities of {engine} and their sum."
    )


def _group(group: Between, clustering: Clustering) -> BetweenGroup:
    first, second = group.components
    sd = clustering.sample.sd
    return BetweenGroup(
        first + 1,
        second + 1,
        f"{group.n:,}",
        tuple(
            DoubtfulRow(
                who=_who(one),
                value=in_units_of_data(one.value, sd),
                bar=_bar(one.probability),
                first=number(one.probability[first], 3),
                second=number(one.probability[second], 3),
            )
            for one in group.worst
        ),
    )


def _who(one: Doubtful) -> str:
    """Name the observations at a value, or count them."""
    if not one.names:
        return "one observation" if one.n == 1 else f"{one.n:,} observations"
    more = one.n - len(one.names)
    return listed([*one.names, *([f"{more:,} more"] if more else [])])


def _bar(probability: Sequence[float]) -> tuple[tuple[str, float, float], ...]:
    pieces, start = [], 0.0
    for k, p in enumerate(probability):
        pieces.append((component_variable(k), round(100 * start, 2), round(100 * p, 2)))
        start += p
    return tuple(piece for piece in pieces if piece[2] > 0)


def _furthest_apart(clustering: Clustering, looks: Looks) -> str:
    """Say how far the co-clustering of any other engine is from the chosen one's."""
    own = clustering.coclustering[clustering.chosen]
    gaps = {
        name: float(abs(other - own).max())
        for name, other in clustering.coclustering.items()
        if name != clustering.chosen
    }
    if not gaps:
        return ""
    worst = max(gaps, key=gaps.__getitem__)
    gap = significant(gaps[worst])
    return f"No other engine's is further from it than {gap} ({looks[worst].text})."

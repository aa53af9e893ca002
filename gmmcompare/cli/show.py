"""Results as text on stdout."""

from __future__ import annotations

import importlib.metadata
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.table import Table

from gmmcompare.comparison.numerals import with_spread
from gmmcompare.comparison.reasons import from_codes
from gmmcompare.comparison.words import clause, phrase, remedies, sentence
from gmmcompare.runtime.files import to_json

if TYPE_CHECKING:
    from gmmcompare.comparison.comparison import Comparison
    from gmmcompare.comparison.number import Components
    from gmmcompare.comparison.vectors import VectorComparison
    from gmmcompare.data import Description, Listing
    from gmmcompare.selection.selection import Selection
    from gmmcompare.validation.gallery import Exhibit
    from gmmcompare.validation.verdict import Validation
    from gmmcompare.workflows.agree import Agreed
    from gmmcompare.workflows.sensitivity import Sensitivity

WIDE = 200
"""Columns assumed where stdout is no terminal, so that nothing is cut."""


SMALLEST = 1e-3
"""Numbers of components that are less probable are not printed."""


def _console() -> Console:
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDE
    return Console(file=sys.stdout, width=width, highlight=False, markup=False)


def print_comparison(content: Mapping[str, Any], page: Path) -> None:
    """Print the verdict first, then the table, the pairs and where the files are.

    Parameters
    ----------
    content : mapping
        Of ``comparison.json``, made now or read.
    page : Path
    """
    console = _console()
    console.print(f"{content['verdict'].upper()}: {content['sentence']}", soft_wrap=True)
    followed = from_codes(content["followed"])
    for step in followed:
        console.print(phrase(step), soft_wrap=True)
    if content["remedies"]:
        console.print("To settle it:")
        for remedy in content["remedies"]:
            console.print(f"  {remedy}", soft_wrap=True)
        more = remedies.settling(from_codes(content["remedy_codes"]), followed)
        if more:
            console.print(f"  {more}", soft_wrap=True)
    console.print(_estimates(content["engines"]))
    for pair in content["pairs"]:
        said = "; ".join(pair["reasons"])
        console.print(f"{pair['a']} and {pair['b']}: {pair['verdict']}. {said}.", soft_wrap=True)
    if content["clustering"]["pairs"]:
        console.print(_clusterings(content["clustering"]["pairs"]))
    for name, engine in content["engines"].items():
        for note in engine["notes"]:
            console.print(f"{name}: {note}", soft_wrap=True)
    console.print(f"report: {page}", soft_wrap=True)


def _clusterings(pairs: Iterable[Mapping[str, Any]]) -> Table:
    table = Table(box=None, header_style="")
    table.add_column("observations put into the same component by")
    for heading in ("share", "adjusted Rand index"):
        table.add_column(heading, justify="right")
    for alike in pairs:
        share, rand = f"{100 * alike['same_mode']:.2f} %", f"{alike['adjusted_rand']:.4f}"
        table.add_row(f"{alike['a']} and {alike['b']}", share, rand)
    return table


def print_fit(comparison: Comparison | VectorComparison, as_json: bool) -> None:
    """Print one engine's estimates, or its entry of ``comparison.json``."""
    (name,) = comparison.fits
    engines = comparison.to_dict()["engines"]
    if as_json:
        print(to_json(engines[name]), end="")
        return
    console, fit = _console(), comparison.fits[name]
    console.print(f"{name}: {fit.status}", soft_wrap=True)
    console.print(_estimates(engines))
    for what, value in comparison.diagnostics(name):
        console.print(f"{what}: {value}", soft_wrap=True)
    for note in fit.notes:
        console.print(note, soft_wrap=True)


def print_components(found: Components, page: Path) -> None:
    """Print the answer, the verdict on the samplers, and the probabilities of each number."""
    from gmmcompare.comparison.names import display_name

    console = _console()
    console.print(found.answer(), soft_wrap=True)
    if found.pairs:
        console.print(f"{found.verdict.upper()}: {found.sentence()}", soft_wrap=True)
    table = Table(box=None, header_style="")
    frame = found.table()
    table.add_column("number", justify="right")
    for column in frame.columns.tolist():
        table.add_column(f"{column[1]}, {display_name(column[0])}", justify="right")
    for number, row in frame.iterrows():
        if (row.drop(("prior", "K")) > SMALLEST).any():
            table.add_row(f"{number}", *("-" if np.isnan(p) else f"{p:.4f}" for p in row))
    console.print(table)
    for (a, b), distance in found.total_variation.items():
        console.print(f"total variation of {a} and {b}: {distance:.4f}", soft_wrap=True)
    for name, road in found.roads.items():
        for note in road.notes:
            console.print(f"{name}: {note}", soft_wrap=True)
    console.print(f"report: {page}", soft_wrap=True)


def print_selection(selection: Selection, page: Path) -> None:
    """Print the criteria by number of components, what each prefers, and where the page is."""
    console = _console()
    console.print(_criteria(selection))
    for conclusion in selection.conclusions:
        console.print(conclusion.sentence, soft_wrap=True)
        for doubt in conclusion.doubts:
            console.print(f"  but: {sentence(doubt)}", soft_wrap=True)
    for reason in (*selection.disagreements, *selection.doubts):
        console.print(sentence(reason), soft_wrap=True)
    console.print(f"report: {page}", soft_wrap=True)


def _criteria(selection: Selection) -> Table:
    from gmmcompare.comparison.names import display_name

    table = Table(box=None, header_style="")
    names = [display_name(engine) for engine in selection.engines]
    for heading in (
        "components",
        "log-likelihood",
        *("AIC", "BIC", "ICL"),
        *(f"{what} ({name})" for name in names for what in ("LOO", "log evidence", "P(K)")),
    ):
        table.add_column(heading, justify="right")
    for c in selection.candidates:
        found = c.information
        cells = [f"{c.K}"]
        cells += (
            [f"{v:.1f}" for v in (found.log_lik, found.aic, found.bic, found.icl)]
            if found
            else ["-"] * 4
        )
        for engine in selection.engines:
            if engine not in c.sampled:
                cells += ["-"] * 3
                continue
            s, p = c.sampled[engine], selection.probabilities(engine)[c.K]
            mark = "*" if s.doubts or s.loo.n_bad else ""
            cells += [
                f"{s.loo.elpd:.1f} ± {_or_not_known(s.loo.mcse)}{mark}",
                f"{s.evidence.value:.2f} ± {s.evidence.se:.2f}{mark}",
                f"{p.value:.3f}",
            ]
        table.add_row(*cells)
    table.caption = "± Monte Carlo error; * in doubt, see below"
    return table


def _or_not_known(error: float) -> str:
    return f"{error:.1f}" if np.isfinite(error) else "not known"


def print_sensitivity(found: Sensitivity, page: Path, as_json: bool) -> None:
    """Print which priors matter, and a line for each change.

    Parameters
    ----------
    found : Sensitivity
    page : Path
        Where its page is.
    as_json : bool
        Print ``sensitivity.json`` instead.
    """
    if as_json:
        print(to_json(found.to_dict()), end="")
        return
    from gmmcompare.report.sensitivity.page import FINDINGS, conclusion

    console = _console()
    heading, finding = conclusion(found)
    console.print(f"{heading.upper()}: {finding}", soft_wrap=True)
    for doubt in found.base.doubts:
        console.print(f"in doubt: {clause(doubt)}", soft_wrap=True)
    table = Table(box=None, header_style="")
    for heading in ("change", "finding", "moves most", "shift, sd", "P(empty)", "odds"):
        table.add_column(heading)
    table.add_row("as in the card", "", "", "", f"{found.base.prob_empty:.3g}", "")
    for rerun in found.reruns:
        s = rerun.largest
        odds = [f"{o.occupied}:{o.occupied - 1} x {o.factor:.3g}" for o in rerun.odds]
        table.add_row(
            f"{rerun.change.field} {rerun.change.words}",
            FINDINGS[rerun.finding],
            f"{s.name} ({s.statistic})" if s else "",
            f"{s.diff:+.3f} ± {s.se:.3f}" if s else "",
            f"{rerun.fit.prob_empty:.3g}",
            ", ".join(odds),
        )
    console.print(table)
    console.print(f"page: {page}", soft_wrap=True)


def print_validation(found: Validation, as_json: bool, page: Path | None = None) -> None:
    """Print the verdict on one sampler and what it rests on.

    Parameters
    ----------
    found : Validation
    as_json : bool
        Print JSON instead of words.
    page : Path, optional
        Where its page is, to be named below the words.
    """
    print(found.to_json() if as_json else found, end="" if as_json else "\n")
    if page and not as_json:
        print(f"page: {page}")


def print_agreement(found: Agreed, as_json: bool, page: Path | None = None) -> None:
    """Print whether draws agree, the parameters, and every pair.

    Parameters
    ----------
    found : Agreed
    as_json : bool
        Print JSON instead of words.
    page : Path, optional
        Where its page is.
    """
    if as_json:
        print(to_json(found.to_dict()), end="")
        return
    agreement, console = found.agreement, _console()
    console.print(f"{agreement.verdict.upper()}: {agreement.sentence()}", soft_wrap=True)
    needed = max((p.ess_needed or 0.0 for p in agreement.pairs), default=0.0)
    if agreement.verdict == "inconclusive" and needed:
        console.print(f"To settle it: about {needed:,.0f} effective draws of each sampler.")
    table = Table(box=None, header_style="")
    for heading in ("", *agreement.draws):
        table.add_column(heading, justify="right" if heading else "left")
    for name in agreement.scalars[:_MOST_SCALARS]:
        cells = [with_spread(c.mean[name], c.sd[name]) for c in agreement.columns.values()]
        table.add_row(name, *cells)
    console.print(table)
    if len(agreement.scalars) > _MOST_SCALARS:
        console.print(f"and {len(agreement.scalars) - _MOST_SCALARS:,} more (--json has all)")
    if agreement.left_out:
        console.print(f"not in all of them: {', '.join(agreement.left_out)}", soft_wrap=True)
    for pair in agreement.pairs:
        said = "; ".join(clause(reason) for reason in pair.reasons)
        console.print(f"{pair.a} and {pair.b}: {pair.verdict}. {said}.", soft_wrap=True)
    for name, draws in agreement.draws.items():
        for note in draws.notes:
            console.print(f"{name}: {note}", soft_wrap=True)
    if page:
        console.print(f"page: {page}", soft_wrap=True)


_MOST_SCALARS = 30


def print_gallery(exhibits: Iterable[Exhibit]) -> None:
    """Print which check caught each fault, a line at a time as they are done."""
    line = "{:<36} {:<13} {:<36} {:>12} {:>8}  {}"
    print(line.format("sampler", "verdict", "caught by", "replicates", "seconds", "named"))
    for e in exhibits:
        named = _ORDINALS.get(e.rank, "") if e.is_fault else "correct: no fault"
        cells = (e.name, e.verdict, e.caught_by, f"{e.replicates:,}", f"{e.seconds:.1f}", named)
        print(line.format(*cells), flush=True)


_ORDINALS = {1: "first", 2: "second", 3: "third"}


def print_museum() -> None:
    """List the bugs of samplers that shipped, and how to validate one."""
    from gmmcompare.validation.faults.museum.catalogue import PIECES, PREFIX, REPAIRED

    table = Table(box=None, header_style="")
    for heading in ("sampler", "what it was"):
        table.add_column(heading)
    for piece in PIECES.values():
        table.add_row(f"{PREFIX}{piece.name}", piece.title)
    console = _console()
    console.print(table)
    console.print(f"the same with its bug mended: {PREFIX}NAME{REPAIRED}")


def print_grades(table: Path) -> None:
    """Print where the grades are, and the grades."""
    print(table.read_text(encoding="utf-8"), end="")
    print(f"grades: {table}", file=sys.stderr)


def print_engines() -> None:
    """List built-in engines with versions, and entry points of other packages."""
    from gmmcompare.engines.base import BUILT_IN, install_command
    from gmmcompare.engines.own import ENTRY_POINTS

    table = Table(box=None, header_style="")
    for heading in ("engine", "what", "versions"):
        table.add_column(heading)
    for name in BUILT_IN:
        what, packages = _ENGINES[name]
        if command := install_command(name):
            found = f"not installed: {command}"
        else:
            found = ", ".join(f"{p} {importlib.metadata.version(p)}" for p in packages)
        table.add_row(name, what, found)
    for point in importlib.metadata.entry_points(group=ENTRY_POINTS):
        origin = f"{point.dist.name} {point.dist.version}" if point.dist else ""
        table.add_row(point.name, point.value, origin)
    console = _console()
    console.print(table)
    console.print("your own: --engine NAME=FILE.py:FUNC; draws made elsewhere: --draws NAME=FILE")


_ENGINES = {
    "em": ("expectation-maximisation, ML or MAP", ("gmmcompare", "numba")),
    "gibbs": ("Gibbs sampler, compiled", ("gmmcompare", "numba")),
    "gibbs_plain": ("Gibbs sampler to read", ("gmmcompare", "numpy")),
    "nuts": ("NUTS on the marginal likelihood", ("pymc", "nutpie")),
    "jags": ("Gibbs sampler of JAGS", ("pyjags",)),
    "numpyro": ("NumPyro's NUTS on the marginal likelihood", ("numpyro", "jax")),
    "stan": ("Stan's NUTS on the marginal likelihood", ("httpstan",)),
    "exact": ("independent exact draws, N <= 16", ("gmmcompare",)),
}


def print_datasets(listings: Sequence[Listing]) -> None:
    """List data sets."""
    table = Table(box=None, header_style="")
    for heading in ("name", "what", "column", "status"):
        table.add_column(heading)
    for listing in listings:
        d = listing.dataset
        table.add_row(d.name, d.description, d.column, listing.status)
    _console().print(table)


def print_description(description: Description) -> None:
    """Show one data set."""
    dataset, sample = description.listing.dataset, description.sample
    rows = [
        ("name", dataset.name),
        ("what", dataset.description),
        ("source", dataset.source),
        ("licence", dataset.licence),
        ("status", description.listing.status),
        ("column", f"{dataset.column}: {dataset.label}"),
    ]
    if description.path:
        rows.append(("file", str(description.path)))
    if description.snapshot:
        rows += [("query", description.snapshot.query), ("fetched", description.snapshot.date)]
    if sample:
        quantiles = ", ".join(f"{q:g}" for q in sample.quantiles([0.05, 0.25, 0.5, 0.75, 0.95]))
        rows += [
            ("values", f"{sample.n:,} ({sample.n_distinct:,} distinct)"),
            ("missing", f"{sample.origin.n_missing:,}"),
            ("range", f"{sample.values[0]:g} to {sample.values[-1]:g}"),
            ("quantiles", f"{quantiles} (5, 25, 50, 75, 95 %)"),
            ("sha256", sample.origin.sha256),
        ]
    table = Table(box=None, show_header=False)
    for row in rows:
        table.add_row(*row)
    _console().print(table)


def _estimates(engines: Mapping[str, Mapping[str, Any]]) -> Table:
    """Tabulate weights, means and sds of the entries ``engines`` of ``comparison.json``."""
    table = Table(box=None, header_style="")
    for heading in ("", *engines):
        table.add_column(heading, justify="right" if heading else "left")
    K = len(next(iter(engines.values()))["weights"])
    for label in ("weight", "mean", "sd"):
        for k in range(K):
            each = [(e[f"{label}s"][k], e[f"{label}s_sd"][k]) for e in engines.values()]
            if not isinstance(each[0][0], list):
                table.add_row(f"{label} {k + 1}", *(_with_spread(*cell) for cell in each))
                continue
            for j in range(len(each[0][0])):  # one row for each dimension
                cells = [_with_spread(value[j], spread[j]) for value, spread in each]
                table.add_row(f"{label} {k + 1}, dimension {j + 1}", *cells)
    table.add_row("log-likelihood", *(f"{e['log_lik']:.2f}" for e in engines.values()))
    seconds = [e["seconds"] for e in engines.values()]
    table.add_row("seconds", *(f"{s['prepare']:.1f} + {s['sample']:.1f}" for s in seconds))
    return table


def _with_spread(value: float | None, spread: float | None) -> str:
    # An empty component's sd under a nearly improper prior has no mean; JSON has null for it.
    if value is None or not np.isfinite(value):
        return "no mean"
    return with_spread(value, np.nan if spread is None else spread)

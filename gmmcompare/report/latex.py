"""The tables of a comparison as LaTeX: what a page shows, ready to be put into a paper."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from gmmcompare._version import __version__
from gmmcompare.comparison.agreement import PairVerdict
from gmmcompare.comparison.comparison import Comparison
from gmmcompare.report.comparison.tables import parameter_table
from gmmcompare.report.frame.look import EngineLook, engine_looks
from gmmcompare.report.frame.words import number, significant

_PLAIN = {"&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}"}
_PLAIN |= {"~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}"}
_MATH = {"\N{MINUS SIGN}": "-", "±": r"\pm ", "×": r"\times ", "\N{INFINITY}": r"\infty "}
_SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def tables(comparison: Comparison, command: str = "") -> str:
    """Return the tables of parameters and of verdicts, for the package booktabs.

    Parameters
    ----------
    comparison : Comparison
    command : str
        How it was made, for a comment.
    """
    head = f"% gmmcompare {__version__}{': ' + command if command else ''}"
    parts = [head, r"% \usepackage{booktabs}", parameters(comparison)]
    if any(pair.functionals for pair in comparison.pairs):
        parts.append(verdicts(comparison))
    return "\n\n".join(parts) + "\n"


def parameters(comparison: Comparison) -> str:
    """Return weights, means and standard deviations, a column for each engine."""
    looks = engine_looks(comparison)
    table = parameter_table(comparison, looks)
    rows = []
    for title, group in table.groups:
        rows.append(rf"\multicolumn{{{len(looks) + 1}}}{{l}}{{\emph{{{escaped(title)}}}}} \\")
        for row in group:
            cells = (formula(f"{cell.estimate} {cell.spread}") for cell in row.cells)
            rows.append(_row([str(row.component), *cells]))
    rows.append(r"\midrule")
    rows += [_row([_capital(what), *map(formula, values)]) for _, what, values in table.fit]
    points = [look.text for look in looks.values() if look.kind == "point"]
    of_points = f"; of {_listed(points)} the point and its standard errors" if points else ""
    return _table(
        f"{escaped(comparison.sample.origin.name)}, $K = {comparison.K}$: posterior means and "
        f"standard deviations{of_points}.",
        "parameters",
        ["", *(look.text for look in looks.values())],
        rows,
    )


def verdicts(comparison: Comparison) -> str:
    """Return what was concluded of every two engines that draw."""
    looks = engine_looks(comparison)
    tested = [pair for pair in comparison.pairs if pair.functionals]
    return _table(
        "Differences between engines, in posterior standard deviations: the largest that a one-"
        r"sided 95\,\% limit leaves possible, and the smallest $p$ corrected for all statistics.",
        "verdicts",
        ["Engines", "Verdict", "Statistics", "Limit", "$p$"],
        [_verdict(pair, looks) for pair in tested],
        columns="llrrr",
    )


def _verdict(pair: PairVerdict, looks: dict[str, EngineLook]) -> str:
    engines = f"{looks[pair.a].text} and {looks[pair.b].text}"
    p = significant(pair.corrected_p)
    return _row(
        [
            escaped(engines),
            pair.verdict,
            str(pair.statistics),
            formula(number(pair.bound, 3)),
            formula(p),
        ]
    )


def _table(
    caption: str, label: str, head: Sequence[str], rows: Iterable[str], columns: str = ""
) -> str:
    titles = " & ".join(t if "$" in t else escaped(t) for t in head)
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{caption}}}",
            rf"\label{{tab:{label}}}",
            rf"\begin{{tabular}}{{{columns or 'l' + 'r' * (len(head) - 1)}}}",
            r"\toprule",
            rf"{titles} \\",
            r"\midrule",
            *rows,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
        ]
    )


def _row(cells: Iterable[str]) -> str:
    return rf"{' & '.join(cells)} \\"


def formula(text: str) -> str:
    """Return a number of a page, with its spread and power of ten, as LaTeX's mathematics."""
    text = re.sub(
        r"10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda m: f"10^{{{m[1].translate(_SUPERSCRIPTS)}}}", text.strip()
    )
    for sign, command in _MATH.items():
        text = text.replace(sign, command)
    text = text.replace(",", "{,}").replace("\N{NO-BREAK SPACE}", " ")
    return "--" if text == "\N{EM DASH}" else f"${' '.join(text.split())}$"


def escaped(text: str) -> str:
    """Return words as LaTeX prints them."""
    return "".join(_PLAIN.get(letter, letter) for letter in text)


def _capital(text: str) -> str:
    return escaped(text[:1].upper() + text[1:])


def _listed(names: Sequence[str]) -> str:
    return escaped(", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else names[0])

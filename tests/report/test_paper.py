"""Tables and figures for a paper."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import gmmcompare as gc
from gmmcompare.report.latex import escaped, formula, tables
from gmmcompare.report.paper import write_paper


@pytest.mark.parametrize(
    ("printed", "wanted"),
    [
        ("0.112 ± 0.032", r"$0.112 \pm 0.032$"),
        ("\N{MINUS SIGN}210.80", "$-210.80$"),
        ("1.2 ± 0.3 × 10⁻⁵", r"$1.2 \pm 0.3 \times 10^{-5}$"),
        ("12,345", "$12{,}345$"),
        ("\N{EM DASH}", "--"),
        ("\N{INFINITY}", r"$\infty$"),
    ],
)
def test_a_number_of_a_page_becomes_a_formula(printed: str, wanted: str) -> None:
    assert formula(printed) == wanted


def test_words_are_escaped() -> None:
    assert escaped("gibbs_plain & 5 %") == r"gibbs\_plain \& 5 \%"


def test_tables_hold_every_engine_and_component(comparison: gc.Comparison) -> None:
    text = tables(comparison, "gmmcompare compare my_card.toml")
    parameters, verdicts = re.findall(r"\\begin\{table\}.*?\\end\{table\}", text, re.S)
    rows = [line for line in parameters.splitlines() if re.match(r"\d+ &", line)]
    assert len(rows) == 3 * comparison.K
    assert all(row.count("&") == len(comparison.fits) for row in rows)
    weight = comparison.summaries["gibbs"].point.w[0]
    assert f"${weight:.3f}" in rows[0]
    assert "Gibbs and gibbs\\_plain" in verdicts
    # What LaTeX would refuse: braces that do not match, signs that it does not know.
    assert text.count("{") == text.count("}")
    assert text.isascii()


def test_the_page_has_the_table_to_copy(
    two: gc.Comparison, tmp_path: Path, unwritten_figures: None
) -> None:
    page = gc.write_report(two, tmp_path / "page.html").read_text("utf-8")
    found = re.search(r'<pre id="latex"[^>]*>(.*?)</pre>', page, re.S)
    assert found
    assert r"\begin{tabular}" in found[1]
    assert 'data-copy="latex"' in page


@pytest.mark.slow
def test_every_figure_is_written_twice(two: gc.Comparison, tmp_path: Path) -> None:
    paths = write_paper(two, tmp_path)
    drawn = {p.stem for p in paths if p.suffix == ".pdf"}
    assert {"plug-in", "density", "gibbs-0-trace"} <= drawn
    assert drawn == {p.stem for p in paths if p.suffix == ".svg"}
    for path in paths:
        assert path.is_file()
        head = path.read_bytes()[:100]
        assert {".pdf": b"%PDF", ".svg": b"<?xml", ".tex": b"% gmm"}[path.suffix] in head

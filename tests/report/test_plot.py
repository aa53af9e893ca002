"""Figures for slides: those of a page by name, and those that lectures draw."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

import gmmcompare as gc
from gmmcompare.runtime.errors import InputError

SAMPLE = gc.Sample.of(np.round(np.random.default_rng(1).normal(np.repeat([0.0, 6.0], 50)), 1))
NOTEBOOK = Path(__file__).parents[2] / "examples" / "lecture_figures.ipynb"


def compared(K: int, sample: gc.Sample = SAMPLE) -> gc.Comparison:
    gibbs = gc.fit(sample, "gibbs", components=K, draws=200, warmup=50)
    return gc.compare([gc.fit(sample, "em", components=K), gibbs])


@pytest.fixture(scope="module")
def two() -> gc.Comparison:
    return compared(2)


def lines(figure: Figure) -> list[str]:
    return [str(text.get_text()) for text in figure.axes[0].get_legend().get_texts()]


def test_the_density_at_the_posterior_means_stands_on_the_histogram(two: gc.Comparison) -> None:
    figure = gc.plot(two)
    assert lines(figure) == ["Gibbs"]
    *components, mixture = figure.axes[0].lines
    assert len(components) == 2
    np.testing.assert_array_equal(mixture.get_ydata(), two.densities["gibbs"].plug_in)
    np.testing.assert_allclose(
        sum(np.asarray(line.get_ydata()) for line in components), mixture.get_ydata()
    )


def test_one_engine_is_drawn_over_another(two: gc.Comparison) -> None:
    figure = gc.plot(two, engines=["gibbs", "em"])
    assert lines(figure) == ["Gibbs", "EM"]
    assert len(figure.axes[0].lines) == 2


def test_numbers_of_components_are_drawn_over_one_another(two: gc.Comparison) -> None:
    assert lines(gc.plot([two, compared(1)])) == ["Gibbs, K = 2", "Gibbs, K = 1"]


def test_every_figure_of_the_page_can_be_had(two: gc.Comparison) -> None:
    from gmmcompare.report.comparison.page import report_context
    from gmmcompare.report.frame.render import render

    page = render("report.html.j2", report_context(two, None))
    with pytest.raises(InputError) as told:
        gc.plot(two, "nonsense")
    names = str(told.value).rpartition("there are ")[2].split(", ")
    drawn = re.findall(r'<svg viewBox="[^"]*" role="img"', page)
    narrow = 2  # density and clustering are there in two widths
    assert len(names) - 1 == len(drawn) - narrow  # but for "plug-in", which is on no page
    assert {"density", "clustering", "together", "em-path", "gibbs-0-trace"} <= set(names)
    assert len(gc.plot(two, "clustering").axes) == 2


def test_a_figure_shows_itself_in_a_notebook_and_is_saved(
    two: gc.Comparison, tmp_path: Path
) -> None:
    figure = gc.plot(two, "gibbs-0-trace")
    assert figure._repr_png_().startswith(b"\x89PNG")
    figure.savefig(tmp_path / "trace.pdf")
    assert (tmp_path / "trace.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(
    ("what", "engines", "told"),
    [
        ("clusterin", (), "no figure 'clusterin' .did you mean 'clustering'"),
        ("plug-in", ("gibs",), "no engine 'gibs'"),
    ],
)
def test_what_there_is_not_is_bad_input(
    two: gc.Comparison, what: str, engines: Sequence[str], told: str
) -> None:
    with pytest.raises(InputError, match=told):
        gc.plot(two, what, engines=engines)


def test_several_results_are_comparisons_of_the_same_data(two: gc.Comparison) -> None:
    other = compared(1, gc.Sample.of(SAMPLE.y + 1.0))
    with pytest.raises(InputError, match="of different data"):
        gc.plot([two, other])
    with pytest.raises(InputError, match="can only be drawn as 'plug-in'"):
        gc.plot([two, two], "clustering")
    with pytest.raises(InputError, match="not list"):
        gc.plot([[1.0]], "density")  # type: ignore[list-item]


@pytest.mark.slow
def test_the_lectures_figures_are_drawn_by_a_short_notebook(tmp_path: Path) -> None:
    import nbclient
    import nbformat

    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    sources = [cell["source"] for cell in notebook.cells]
    assert sum(len(source.splitlines()) for source in sources) <= 25
    client = nbclient.NotebookClient(
        notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    shown = [
        output for cell in notebook.cells for output in cell.get("outputs", ()) if "data" in output
    ]
    assert sum("image/png" in output["data"] for output in shown) == 4
    assert (tmp_path / "clusters.pdf").is_file()
    assert not json.loads(NOTEBOOK.read_text())["cells"][1]["outputs"]  # it is kept without

"""Tables and figures of a comparison as files for a paper: ``tables.tex``, SVG and PDF."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG

from gmmcompare.comparison.comparison import Comparison
from gmmcompare.report.latex import tables
from gmmcompare.report.plot import PLUG_IN, figures_of, plot
from gmmcompare.runtime.errors import InputError
from gmmcompare.runtime.files import make_folder, replacing, write_text
from gmmcompare.workflows.outcome import Outcome

_FONTS: Any = {"pdf.fonttype": 42, "svg.fonttype": "path", "svg.hashsalt": "gmmcompare"}
"""Letters of a PDF as fonts, which journals ask for; those of an SVG as paths."""


def write_paper(result: Comparison | Outcome, folder: str | Path) -> list[Path]:
    """Write the tables and every figure of a report beside it.

    Parameters
    ----------
    result : Comparison or Outcome
    folder : str or Path
        For ``tables.tex``, ``figures/NAME.svg`` and ``figures/NAME.pdf``.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    InputError
        If they cannot be written.
    """
    folder = Path(folder)
    comparison = result.comparison if isinstance(result, Outcome) else result
    command = result.provenance.command if isinstance(result, Outcome) else ""
    make_folder(folder / "figures")
    paths = [folder / "tables.tex"]
    write_text(paths[0], tables(comparison, command))
    plug_in = plot(comparison)
    plug_in.draw_without_rendering()
    figures = {PLUG_IN: plug_in, **figures_of(comparison)}
    for name, figure in figures.items():
        figure.set_facecolor("white")
        figure.set_layout_engine("none")  # it has been laid out for the page
        # Figure.savefig would draw three times.
        canvases: dict[str, Any] = {"svg": FigureCanvasSVG(figure), "pdf": FigureCanvasPdf(figure)}
        for ending, canvas in canvases.items():
            path = folder / "figures" / f"{name}.{ending}"
            try:
                with replacing(path) as partial, mpl.rc_context(_FONTS):
                    getattr(canvas, f"print_{ending}")(str(partial))
            except OSError as error:
                raise InputError(f"{path}: cannot be written: {error.strerror}") from None
            paths.append(path)
    return paths

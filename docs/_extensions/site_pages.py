"""Pages that are no documents of the site: samples, reports of measurements, what a run wrote.

The role ``site`` links to one, as ``a report <samples/galaxies/index.html>``; the path is from the
root of the site. Sample pages are copied there from ``reports/samples``; the measurements in
``reports/*.md`` become pages below ``measured/``.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxRole

REPORTS = Path(__file__).parents[2] / "reports"


class Site(SphinxRole):
    """A link relative to the root of the site."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return the link."""
        found = re.fullmatch(r"(?s)(.*?)\s*<(.*)>", self.text)
        text, path = (found[1], found[2]) if found else (self.text, self.text)
        up = "../" * self.env.docname.count("/")
        return [nodes.reference(self.rawtext, text, refuri=up + path)], []


def _copy_measurements(app: Sphinx) -> None:
    folder = Path(app.srcdir) / "measured"
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    for path in [*REPORTS.glob("*.md"), *REPORTS.glob("figures/*.svg")]:
        shutil.copy2(path, folder / path.relative_to(REPORTS))


def _copy_samples(app: Sphinx, error: Exception | None) -> None:
    if not error and app.builder.format == "html":
        shutil.copytree(REPORTS / "samples", Path(app.outdir) / "samples", dirs_exist_ok=True)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the role, and what is copied."""
    app.add_role("site", Site())
    app.connect("builder-inited", _copy_measurements)
    app.connect("build-finished", _copy_samples)
    return {"parallel_read_safe": True}

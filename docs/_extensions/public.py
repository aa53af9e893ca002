"""The directive ``other-names``: every public name that its page does not list by itself."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import gmmcompare


def others(text: str) -> list[str]:
    """Return the public names that a page's text has no directive for."""
    listed = {line.partition(":: ")[2].strip() for line in text.splitlines()}
    return [n for n in gmmcompare.__all__ if n not in listed and not n.startswith("_")]


def markdown(text: str) -> str:
    """Return directives that document them."""
    lines = [".. currentmodule:: gmmcompare", ""]
    for name in others(text):
        if inspect.isclass(getattr(gmmcompare, name)):
            lines += [f".. autoclass:: {name}", "   :members:"]
        else:
            lines.append(f".. autofunction:: {name}")
    return "\n".join(["```{eval-rst}", *lines, "```"])


def setup(app: Any) -> dict[str, Any]:
    """Register the directive."""
    from docutils import nodes
    from sphinx.util.docutils import SphinxDirective

    class OtherNames(SphinxDirective):
        def run(self) -> list[nodes.Node]:
            page = Path(self.env.doc2path(self.env.docname)).read_text(encoding="utf-8")
            return self.parse_text_to_nodes(markdown(page))

    app.add_directive("other-names", OtherNames)
    return {"parallel_read_safe": True}

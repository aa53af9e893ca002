"""The directives ``run`` and ``file``: a block of a page, and below it what it printed just now."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from running import Block, Outcome, block_of, blocks_of, commands_of, outcome_of
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

logger = logging.getLogger(__name__)
_OUTCOMES: dict[str, Outcome | None] = {}


class _Runnable(SphinxDirective):
    has_content = True
    required_arguments = 1
    option_spec = {  # noqa: RUF012 - docutils reads it from the class
        "exit": directives.unchanged,
        "keep": directives.unchanged,
        "alt": directives.unchanged,
        "from": directives.unchanged,
        "show": directives.unchanged,
    }

    def run(self) -> list[nodes.Node]:
        block = block_of(self.name, self.arguments[0], self.options, "\n".join(self.content) + "\n")
        place = self.env.temp_data.setdefault("next run", 0)
        self.env.temp_data["next run"] = place + 1
        outcome = self._outcome()
        if block.what == "file":
            return [self._code(block.content, "python", caption=block.name)]
        if outcome is None:
            return []
        output = outcome.outputs[place]
        if block.what == "sh":
            commands = [command.replace("\0", "\\\n") for command in commands_of(block.content)]
            return [
                part
                for command, text in zip(commands, output.texts, strict=True)
                for part in (self._code(command, "sh"), *self._printed(text))
            ]
        return [self._code(block.content, "python"), *self._printed(*output.texts),
                *self._drawn(output.figures)]  # fmt: skip

    def _outcome(self) -> Outcome | None:
        """Return what this page's blocks did; the first block of a page runs them all."""
        name = self.env.docname
        if name not in _OUTCOMES:
            blocks: list[Block] = blocks_of(Path(self.env.doc2path(name)).read_text("utf-8"))
            try:
                _OUTCOMES[name] = outcome_of(blocks)
            except RuntimeError as error:
                logger.warning("%s", error, location=self.get_location())
                self.env.note_reread()  # else the next build would not try again
                _OUTCOMES[name] = None
        return _OUTCOMES[name]

    def _code(self, text: str, language: str, caption: str = "") -> nodes.Node:
        text = text.rstrip()
        code = nodes.literal_block(text, text, language=language)
        if not caption:
            return code
        box = nodes.container("", literal_block=True, classes=["literal-block-wrapper"])
        box += nodes.caption(caption, "", nodes.literal(caption, caption))
        box += code
        return box

    def _printed(self, *texts: str) -> list[nodes.Node]:
        return [
            nodes.literal_block(text, text, language="text", classes=["printed"])
            for text in map(str.rstrip, texts)
            if text and self.options.get("show") != "nothing"
        ]

    def _drawn(self, figures: tuple[str, ...]) -> list[nodes.Node]:
        alternative = self.options.get("alt", "figure drawn by the code above")
        return [
            nodes.raw(
                "",
                f'<img class="drawn" alt="{alternative}" src="data:image/svg+xml;base64,'
                f'{base64.b64encode(figure.encode()).decode()}">',
                format="html",
            )
            for figure in figures
        ]


def _write_pages(app: Sphinx, error: Exception | None) -> None:
    if error or app.builder.format != "html":
        return
    for name, outcome in _OUTCOMES.items():
        for path, text in (outcome.pages if outcome else {}).items():
            page = Path(app.outdir) / "pages" / Path(name).name / path
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives."""
    app.add_directive("run", _Runnable)
    app.add_directive("file", _Runnable)
    app.connect("build-finished", _write_pages)
    return {"parallel_read_safe": False, "version": "1"}

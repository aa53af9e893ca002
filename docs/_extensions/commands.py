"""Write the commands with their arguments and options, from the application itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer


def markdown(heading: str = "##") -> str:
    """Return every command: a heading, its help, its usage and its options."""
    from gmmcompare.cli import app

    group: Any = typer.main.get_command(app)
    parts = [str(group.epilog or "")]
    for words, command in _commands(group, ["gmmcompare"]):
        parts += [
            f"{heading} `{' '.join(words)}`",
            _plain(command.help),
            f"```text\n{_usage(words, command)}\n```",
            _options(command),
        ]
    return "\n\n".join(part for part in parts if part) + "\n"


def names() -> list[str]:
    """Return every command with its words, such as ``gmmcompare data list``."""
    from gmmcompare.cli import app

    group: Any = typer.main.get_command(app)
    return [" ".join(words) for words, _ in _commands(group, ["gmmcompare"])]


def _commands(group: Any, words: list[str]) -> Iterator[tuple[list[str], Any]]:
    for name in sorted(group.commands):
        command = group.commands[name]
        if hasattr(command, "commands"):
            yield from _commands(command, [*words, name])
        elif not command.hidden:
            yield [*words, name], command


def _usage(words: list[str], command: Any) -> str:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    shown = [p.metavar or p.name.upper() for p in arguments]
    placed = [
        name if p.required or name.startswith("[") else f"[{name}]"
        for name, p in zip(shown, arguments, strict=True)
    ]
    return " ".join([*words, *placed, "[OPTIONS]"])


def _options(command: Any) -> str:
    rows = ["| | | |", "|---|---|---|"]
    for parameter in command.params:
        if getattr(parameter, "hidden", False) or parameter.name == "help":
            continue
        if parameter.param_type_name == "argument":
            name = f"`{parameter.metavar or parameter.name.upper()}`"
        else:
            value = "" if parameter.is_flag else f" {parameter.metavar or _kind(parameter)}"
            name = f"`{parameter.opts[0]}{value}`"
        rows.append(f"| {name} | {_plain(parameter.help)} | {_default(parameter)} |")
    return "\n".join(rows) if len(rows) > 2 else ""


def _kind(parameter: Any) -> str:
    return {int: "N", float: "X"}.get(parameter.bare_type, "TEXT")


def _default(parameter: Any) -> str:
    value = parameter.default
    if value is None or value is False or value == () or callable(value):
        return "required" if parameter.required else ""
    return f"`{value}`"


def _plain(text: str | None) -> str:
    return " ".join((text or "").replace("``", "`").replace("|", "\\|").split())


def setup(app: Any) -> dict[str, Any]:
    """Register the directive ``command-line``."""
    from docutils import nodes
    from sphinx.util.docutils import SphinxDirective

    class CommandLine(SphinxDirective):
        def run(self) -> list[nodes.Node]:
            return self.parse_text_to_nodes(markdown(), allow_section_headings=True)

    app.add_directive("command-line", CommandLine)
    return {"parallel_read_safe": True}

"""Templates to HTML: one environment, with style and script inside every page."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

from gmmcompare._version import __version__
from gmmcompare.report.frame.glossary import GLOSSARY
from gmmcompare.report.frame.look import component_variable
from gmmcompare.report.frame.words import NO_BREAK, number, powers, seconds, significant


def _unbroken(value: object) -> object:
    """Keep a number and its per cent sign on one line."""
    return value.replace(" %", f"{NO_BREAK}%") if type(value) is str else value


_TYPED = re.compile(r"`([^`]+)`|--[a-z]+(?: [a-z_.]+=[^\s,;)]*| [a-z]+(?:,[a-z]+)+| [A-Z]\S*)?")


def _code(text: str) -> Markup:
    """Set what is to be typed as code: options with their values, and what is between backticks."""
    out, at = Markup(), 0
    for found in _TYPED.finditer(text):
        typed = found[1] or found[0]
        kept = typed.rstrip(".")
        out += Markup("{}<code>{}</code>{}").format(
            text[at : found.start()], kept, typed[len(kept) :]
        )
        at = found.end()
    return out + text[at:]


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("gmmcompare.report.frame"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        finalize=_unbroken,
    )
    environment.filters.update(
        number=number, significant=significant, seconds=seconds, powers=powers, code=_code
    )
    environment.globals.update(
        glossary=GLOSSARY, version=__version__, zip=zip, component_variable=component_variable
    )
    return environment


def render(template: str, context: dict[str, Any]) -> str:
    """Render with style and script inside, and a policy that forbids everything outside."""
    assets = files("gmmcompare.report.frame").joinpath("templates")
    style = assets.joinpath("style.css").read_text(encoding="utf-8")
    script = assets.joinpath("script.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        _environment()
        .get_template(template)
        .render(
            **context,
            style=Markup(style),
            script=Markup(script),
            script_hash=f"'sha256-{digest}'",
        )
    )

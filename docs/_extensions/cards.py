"""Write the keys of a model card as tables, from the models that check cards.

``python docs/_extensions/cards.py`` writes the same tables into ``models/README.md``.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gmmcompare.model.card import Card

README = Path(__file__).parents[2] / "models" / "README.md"
BEGIN, END = "<!-- keys: written by `make docs` -->", "<!-- end of keys -->"


def markdown(heading: str = "###") -> str:
    """Return every section of a card as a heading, a sentence and a table of its keys."""
    parts = [f"{heading} The card itself", _table(Card, defaults=None)]
    for path, model, defaults in _sections(Card):
        said = inspect.cleandoc(model.__doc__ or "").replace("``", "`")
        parts += [f"{heading} `[{path}]`", said, _table(model, defaults)]
    return "\n\n".join(part for part in parts if part) + "\n"


def keys() -> list[str]:
    """Return every key, as ``--set`` takes it."""
    own = [name for name, field in Card.model_fields.items() if not _is_section(field, name)]
    return own + [
        f"{path}.{name}"
        for path, model, _ in _sections(Card)
        for name, field in model.model_fields.items()
        if not _is_section(field, name)
    ]


def undescribed() -> list[str]:
    """Return the keys that no docstring describes."""
    return [
        f"{path}.{name}"
        for path, model, _ in [("", Card, None), *_sections(Card)]
        for name, field in model.model_fields.items()
        if not _is_section(field, name) and not _description(model, name)
    ]


def _sections(
    model: type[BaseModel], path: str = ""
) -> Iterator[tuple[str, type[BaseModel], BaseModel | None]]:
    for name, field in model.model_fields.items():
        here = f"{path}.{name}" if path else name
        defaults = None if field.is_required() else field.get_default(call_default_factory=True)
        for section in [*_kinds_of_section(field.annotation), *_of_other_cards(model, name)]:
            if any(not _kinds_of_section(f.annotation) for f in section.model_fields.values()):
                yield here, section, defaults
            yield from _sections(section, here)


def _of_other_cards(model: type[BaseModel], name: str) -> Iterator[type[BaseModel]]:
    """Yield what a section is in cards of other families, where it is another."""
    cards = model.__subclasses__() if issubclass(model, Card) else []
    found = [s for card in cards for s in _kinds_of_section(card.model_fields[name].annotation)]
    own = _kinds_of_section(model.model_fields[name].annotation)
    yield from (section for section in dict.fromkeys(found) if section not in own)


def _kinds_of_section(annotation: Any) -> list[type[BaseModel]]:
    """Return the models of a section: several where what it holds depends on another key."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [kind for inner in get_args(annotation) for kind in _kinds_of_section(inner)]


def _is_section(field: FieldInfo, name: str) -> bool:
    return bool(_kinds_of_section(field.annotation)) or name == "file"


def _table(model: type[BaseModel], defaults: BaseModel | None) -> str:
    rows = ["| key | value | default | |", "|---|---|---|---|"]
    for name, field in model.model_fields.items():
        if _is_section(field, name):
            continue
        default = _default(field, getattr(defaults, name, None) if defaults else None)
        described = re.sub(r"\s+", " ", _description(model, name)).replace("``", "`")
        described = described.replace("|", "\\|")
        rows.append(f"| `{name}` | {_allowed(field)} | {default} | {described} |")
    return "\n".join(rows)


def _description(model: type[BaseModel], name: str) -> str:
    """Return the docstring of a field, or of the one that it overrides."""
    for kind in model.__mro__:
        fields = getattr(kind, "model_fields", {})
        if issubclass(kind, BaseModel) and name in fields and fields[name].description:
            return str(fields[name].description)
    return ""


def _default(field: FieldInfo, of_section: object) -> str:
    if field.is_required():
        return "required"
    value = field.default if of_section is None else of_section
    if value is None:
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _allowed(field: FieldInfo) -> str:
    limits = [_limit(rule) for rule in field.metadata]
    return ", ".join([_kind(field.annotation), *filter(None, limits)])


def _limit(rule: Any) -> str:
    signs = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    own = [
        f"{sign} {getattr(rule, name)}"
        for name, sign in signs.items()
        if getattr(rule, name, None) is not None
    ]
    return ", ".join([*own, *filter(None, map(_limit, getattr(rule, "metadata", ())))])


def _kind(annotation: Any) -> str:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        limits = [_limit(rule) for rule in inner[1:]]
        return ", ".join([_kind(inner[0]), *filter(None, limits)])
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in inner)
    if origin in (Union, UnionType):
        kinds = [_kind(kind) for kind in inner if kind is not NoneType]
        lists = {f"list: {kind}" for kind in kinds}
        if lists & set(kinds):  # X or a list of X
            kinds = [f"{k}; or a list" for k in kinds if k not in lists]
        return " or ".join(kinds)
    if origin in (list, tuple):
        return f"list: {_kind(inner[0])}" if inner else "list"
    words = {int: "whole number", float: "number", bool: "`true` or `false`", str: "text"}
    return words.get(annotation, getattr(annotation, "__name__", str(annotation)))


def readme() -> str:
    """Return ``models/README.md`` with today's keys between its two marks."""
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{markdown()}\n{END}{after}"


def setup(app: Any) -> dict[str, Any]:
    """Register the directive ``card-keys``."""
    from docutils import nodes
    from sphinx.util.docutils import SphinxDirective

    class CardKeys(SphinxDirective):
        def run(self) -> list[nodes.Node]:
            return self.parse_text_to_nodes(markdown("##"), allow_section_headings=True)

    app.add_directive("card-keys", CardKeys)
    return {"parallel_read_safe": True}


if __name__ == "__main__":
    README.write_text(readme(), encoding="utf-8")

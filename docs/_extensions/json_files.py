"""Write the keys of a result's JSON file as a table, from the models that are its schema."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel

from gmmcompare.workflows.documents import FILES


def markdown(name: str) -> str:
    """Return a table of the keys of ``NAME.json``, nested ones with their path."""
    rows = [f"| `{path}` | {_cell(said or '')} |" for path, said in _keys(FILES[name])]
    return "\n".join(["| key | |", "|---|---|", *rows]) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("``", "`").replace("|", "\\|")


def _keys(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, str | None]]:
    for name, field in model.model_fields.items():
        here = f"{path}{field.alias or name}"
        yield here, field.description
        inner, mark = _model_in(field.annotation)
        if inner is not None and inner.__name__ != "Coded":
            yield from _keys(inner, f"{here}{mark}.")


def _model_in(annotation: Any, mark: str = "") -> tuple[type[BaseModel] | None, str]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, mark
    for inner in get_args(annotation):
        origin = getattr(annotation, "__origin__", None)
        found = _model_in(inner, "[]" if origin is list else ".NAME" if origin is dict else mark)
        if found[0] is not None:
            return found
    return None, mark


def setup(app: Any) -> dict[str, Any]:
    """Register the directive ``json-keys``."""
    from docutils import nodes
    from sphinx.util.docutils import SphinxDirective

    class JsonKeys(SphinxDirective):
        required_arguments = 1

        def run(self) -> list[nodes.Node]:
            return self.parse_text_to_nodes(markdown(self.arguments[0]))

    app.add_directive("json-keys", JsonKeys)
    return {"parallel_read_safe": True}

"""What is wrong with a model card, in one line."""

from __future__ import annotations

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from gmmcompare.model.scope import not_covered, value_not_covered
from gmmcompare.runtime.errors import did_you_mean


def explained(error: ErrorDetails, card: type[BaseModel]) -> str:
    """Turn one of pydantic's complaints about a card into: key, what was found, what is allowed."""
    names = [str(part) for part in error["loc"]]
    if error["type"] == "extra_forbidden":
        allowed = _fields_at(card, names[:-1])
        if beyond := not_covered(".".join(names[:-1]), names[-1]):
            return f"{'.'.join(names)}: {beyond}"
        return (
            f"unknown key '{'.'.join(names)}'{did_you_mean(names[-1], allowed)}; "
            f"allowed here: {', '.join(allowed)}"
        )
    # A field that takes a number or a list reports the branch that failed as a last location.
    key = ".".join(n for n in names if not n.startswith(("constrained-", "list[", "function-")))
    key = key.removesuffix(".float")
    if error["type"] == "missing":
        return f"key '{key}' is missing"
    if beyond := value_not_covered(key, error["input"]):
        return f"{key} = {error['input']!r}: {beyond}"
    if error["type"] == "model_type":
        return f"{key} = {error['input']!r}: must be a section, written [{key}]"
    message = error["msg"].removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    if isinstance(error["input"], dict):
        return f"{key}: {message}"
    return f"{key} = {error['input']!r}: {message}"


def _fields_at(model: type[BaseModel], path: list[str]) -> list[str]:
    for part in path:
        annotation = model.model_fields[part].annotation
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        model = annotation
    return [name for name in model.model_fields if name != "file"]

"""Messages name what can be reached, and nothing of how the program is made."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import gmmcompare

PACKAGE = Path(gmmcompare.__file__).parent
ERRORS = ("InputError", "EngineError", "CopiedChainsError")


def trees() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        if "_bundled" not in path.parts:
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def named() -> list[str]:
    """Return every dotted name of ours that a text of the package holds."""
    found = {
        name.rstrip(".")
        for _, tree in trees()
        for text in texts(tree)
        for name in re.findall(r"(?<![\w/\"-])gmmcompare(?:\.[A-Za-z_]\w*)+", text)
    }
    return sorted(name for name in found if not name.endswith((".html", ".toml", ".nc")))


@pytest.mark.parametrize("name", named())
def test_what_is_named_can_be_reached(name: str) -> None:
    """``gmmcompare.validate.conditionals`` could not: a function hid the package."""
    module, _, attribute = name.rpartition(".")
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        assert hasattr(importlib.import_module(module), attribute)


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ERRORS:
            yield node


def test_no_error_tells_the_class_of_another() -> None:
    """As in "cannot be read as draws (OSError)"."""
    shown = [
        f"{path.relative_to(PACKAGE)}:{call.lineno}"
        for path, tree in trees()
        for call in calls(tree)
        if "type(error).__name__" in ast.unparse(call)
    ]
    assert shown == []


def test_every_error_of_more_than_a_few_words_says_where_or_what_to_do() -> None:
    """A message without a place and without a remedy is a guess game."""
    bare = [
        f"{path.relative_to(PACKAGE)}:{call.lineno}: {text}"
        for path, tree in trees()
        for call in calls(tree)
        if call.args and isinstance(call.args[0], ast.Constant | ast.JoinedStr)
        for text in ["".join(texts(call.args[0]))]
        if not re.search(r"[;:,]| by | must ", text)
    ]
    assert bare == []

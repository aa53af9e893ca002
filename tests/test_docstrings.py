"""Every public function of three or more arguments says what each of them is."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import gmmcompare
from gmmcompare.validation.faults.catalogue import FAULTS, NOT_FAULTS, Variant
from gmmcompare.validation.faults.museum.catalogue import PIECES
from gmmcompare.validation.faults.sweep import GibbsSampler, GibbsSweep

PACKAGE = Path(gmmcompare.__file__).parent
FEW = 2
"""So many arguments a summary line can describe."""
REPLACED = [row for row in (*FAULTS.values(), *NOT_FAULTS.values()) if row.replacement]
"""Faults are functions of the arguments of the step that they replace, which describes them."""
SHOWN = [piece.sampler for piece in PIECES.values()]
"""Samplers of the museum are functions of the arguments that `Piece` describes."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Described(NamedTuple):
    """A public function: its arguments, and those that its Parameters section names."""

    place: str
    arguments: tuple[str, ...]
    named: tuple[str, ...]


def functions_of(path: Path) -> Iterator[Described]:
    module = ".".join((PACKAGE.name, *path.relative_to(PACKAGE).with_suffix("").parts))
    elsewhere = (*(row.replacement for row in REPLACED), *SHOWN)
    replacements = {(f.__module__, f.__name__) for f in elsewhere if f is not None}
    for name, function in public_functions(ast.parse(path.read_text(encoding="utf-8"))):
        if (module, name) in replacements:
            continue
        place = f"{path.relative_to(PACKAGE)}:{function.lineno} {name}"
        yield Described(place, arguments_of(function), named_in(ast.get_docstring(function) or ""))


def public_functions(
    tree: ast.Module | ast.ClassDef, prefix: str = ""
) -> Iterator[tuple[str, Function]]:
    """Yield functions and methods with their names, without what begins with an underscore."""
    for node in tree.body:
        if not isinstance(node, ast.ClassDef | Function) or node.name.startswith("_"):
            continue
        if isinstance(node, ast.ClassDef):
            yield from public_functions(node, f"{prefix}{node.name}.")
        elif not is_command(node):
            yield prefix + node.name, node


def is_command(function: Function) -> bool:
    """Whether a function is a command, whose arguments are described by ``--help``."""
    called = (d.func for d in function.decorator_list if isinstance(d, ast.Call))
    return any(isinstance(f, ast.Attribute) and f.attr == "command" for f in called)


def arguments_of(function: Function) -> tuple[str, ...]:
    a = function.args
    every = [*a.posonlyargs, *a.args, a.vararg, *a.kwonlyargs, a.kwarg]
    return tuple(arg.arg for arg in every if arg and arg.arg not in ("self", "cls"))


def named_in(docstring: str) -> tuple[str, ...]:
    """Return the names in a numpydoc section Parameters; one line may hold several."""
    found = re.search(r"^Parameters\n-{10}\n(.*?)(?=\n\n\S.*\n---|\Z)", docstring, re.M | re.S)
    lines = found[1].splitlines() if found else []
    heads = (line.partition(" : ")[0] for line in lines if line[:1].strip())
    return tuple(name.strip().lstrip("*") for head in heads for name in head.split(","))


def modules() -> list[Path]:
    every = sorted(PACKAGE.rglob("*.py"))
    scripts = {"_bundled", "sessions", "exercises"}  # of a course, for students to read
    return [p for p in every if not scripts & {*p.relative_to(PACKAGE).parts}]


def test_functions_of_three_or_more_arguments_describe_each() -> None:
    wrong = [
        f"{place}: takes {', '.join(arguments)}; Parameters has {', '.join(named) or 'nothing'}"
        for path in modules()
        for place, arguments, named in functions_of(path)
        if (len(arguments) > FEW or named) and named != arguments
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("row", REPLACED, ids=lambda row: row.name)
def test_a_fault_takes_the_arguments_of_the_step_it_replaces(row: Variant) -> None:
    step = getattr(GibbsSampler() if row.whole else GibbsSweep(), row.step)
    replacement = row.replacement() if row.remembers else row.replacement
    assert [*inspect.signature(replacement).parameters][1:] == [*inspect.signature(step).parameters]


def test_sections_are_read_as_numpydoc_writes_them() -> None:
    text = (
        "Do it.\n\nParameters\n----------\na, b : int\n    Two.\n*rest : str\n    Many, as in\n"
        "    c : d.\nlast\n\nReturns\n-------\nfloat : no argument\n"
    )
    assert named_in(text) == ("a", "b", "rest", "last")
    assert named_in("Do it.") == ()

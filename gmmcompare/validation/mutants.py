"""Small mistakes planted in a kernel's own source, one place at a time.

Each mutant is the user's file with one expression changed in the function that is tested, or in a
function of the same file that it calls: a term left out, a division by two dropped, a standard
deviation for a variance, a rate for a scale, a sign, a comparison, an old value for a new one
(DeMillo, Lipton and Sayward 1978, Computer 11: mutation testing). How many of them a validation
catches is the power that it has for this very kernel.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from gmmcompare.runtime.errors import InputError

_OLD = "_before_"
_ROOTS = ("sqrt",)
_SYMMETRIC = ("normal", "standard_normal")
"""Draws whose sign does not matter."""
_TWO_NUMBERS = {"normal": "({}) ** 2", "gamma": "1 / ({})", "standard_cauchy": "({}) ** 2"}
"""Methods of a generator whose second argument is taken for something else."""
_COMPARED = {
    ast.Lt: ("<=", ">"), ast.LtE: ("<", ">"), ast.Gt: (">=", "<"), ast.GtE: (">", "<"),
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One change of a source.

    Attributes
    ----------
    line : int
        Of the original, from 1.
    change : str
        What was changed, in words.
    before, after : str
        The expression as it was and as it is now.
    source : str
        The whole file with the change.
    """

    line: int
    change: str
    before: str
    after: str
    source: str


@dataclass(frozen=True)
class _Edit:
    """A stretch of the source and what takes its place."""

    node: ast.expr | ast.stmt
    new: str
    change: str


def mutants_of(source: str, function: str, place: str) -> list[Mutant]:
    """Return every mutant of a function.

    Parameters
    ----------
    source : str
        The text of a Python file.
    function : str
        The name of a function defined at its top level.
    place : str
        How to call the file in messages.

    Raises
    ------
    InputError
        If the function is not defined there.
    """
    tree = ast.parse(source)
    defined = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef)}
    if function not in defined:
        raise InputError(
            f"{place}: mutants are made of a function's source, and '{function}' is not defined "
            "at the top level of that file; write it there as a plain function"
        )
    text = _Text(source)
    found: list[Mutant] = []
    for reached in _reached(defined, function):
        for edit in _edits(reached, text):
            changed = text.replaced(edit)
            if changed is not None and changed != source:
                before, line = text.of(edit.node), edit.node.lineno
                found.append(Mutant(line, edit.change, before, edit.new, changed))
        found += _stale(reached, text)
    unique = {m.source: m for m in found}
    return sorted(unique.values(), key=lambda m: m.line)


def _reached(defined: dict[str, ast.FunctionDef], function: str) -> list[ast.FunctionDef]:
    """Return a function and those of the same file that it calls, directly or not."""
    names, out = [function], []
    for name in names:
        out.append(defined[name])
        called = {n.id for n in ast.walk(defined[name]) if isinstance(n, ast.Name)}
        names += [n for n in defined if n in called and n not in names]
    return out


class _Text:
    """A source by lines and columns."""

    def __init__(self, source: str) -> None:
        self.source = source
        starts, at = [], 0
        for line in source.splitlines(keepends=True):
            starts.append((at, line))
            at += len(line)
        self._lines = starts

    def position(self, line: int, column: int) -> int:
        """Return where a line and a column (of bytes, as `ast` counts them) are in the text."""
        start, text = self._lines[line - 1]
        return start + len(text.encode()[:column].decode())

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """Return where a node begins and ends."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return (
            self.position(node.lineno, node.col_offset),
            self.position(node.end_lineno, node.end_col_offset),
        )

    def of(self, node: ast.expr | ast.stmt) -> str:
        """Return a node's text in one line."""
        begin, end = self.span(node)
        return " ".join(self.source[begin:end].split())

    def replaced(self, edit: _Edit) -> str | None:
        """Return the source with an edit made, or None if it is no Python then."""
        begin, end = self.span(edit.node)
        changed = f"{self.source[:begin]}({edit.new}){self.source[end:]}"
        if isinstance(edit.node, ast.stmt):
            changed = f"{self.source[:begin]}{edit.new}{self.source[end:]}"
        try:
            ast.parse(changed)
        except SyntaxError:
            return None
        return changed


def _edits(function: ast.FunctionDef, text: _Text) -> Iterator[_Edit]:
    """Yield every change of an expression of a function."""
    places = {id(n) for node in ast.walk(function) for n in _places(node)}
    for statement in function.body:
        for node in ast.walk(statement):
            if id(node) in places:
                continue
            if isinstance(node, ast.BinOp):
                yield from _of_operation(node, text)
            elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
                yield _Edit(node, text.of(node.operand), "the sign is dropped")
            elif isinstance(node, ast.Call):
                yield from _of_call(node, text)
            elif isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARED:
                left, right = text.of(node.left), text.of(node.comparators[0])
                for sign in _COMPARED[type(node.ops[0])]:
                    yield _Edit(node, f"{left} {sign} {right}", f"compared by {sign}")
            elif isinstance(node, ast.AugAssign):
                yield _Edit(node, "pass", "the update is left out")


def _places(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what only says where or how many: indices, sizes, annotations."""
    if isinstance(node, ast.Subscript):
        yield from ast.walk(node.slice)
    if isinstance(node, ast.keyword) and node.arg in ("size", "axis", "shape", "dtype"):
        yield from ast.walk(node.value)
    if isinstance(node, ast.Call) and _name(node) in ("range", "reshape", "zeros", "empty", "ones"):
        for argument in node.args:
            yield from ast.walk(argument)


def _of_operation(node: ast.BinOp, text: _Text) -> Iterator[_Edit]:
    left, right = text.of(node.left), text.of(node.right)
    if isinstance(node.op, ast.Div):
        yield _Edit(node, left, f"/ {right} is dropped")
        yield _Edit(node, f"{left} * ({right})", "times for divided by")
    elif isinstance(node.op, ast.Mult):
        yield _Edit(node, left, f"* {right} is dropped")
        yield _Edit(node, right, f"{left} * is dropped")
    elif isinstance(node.op, ast.Add):
        yield _Edit(node, left, f"+ {right} is left out")
        yield _Edit(node, right, f"{left} + is left out")
        if not (_symmetric(node.left) or _symmetric(node.right)):
            yield _Edit(node, f"{left} - ({right})", "minus for plus")
    elif isinstance(node.op, ast.Sub):
        if not (_symmetric(node.left) or _symmetric(node.right)):
            yield _Edit(node, f"{left} + {right}", "plus for minus")
        yield _Edit(node, left, f"- {right} is left out")
    elif isinstance(node.op, ast.Pow):
        yield _Edit(node, left, f"** {right} is dropped")


def _of_call(node: ast.Call, text: _Text) -> Iterator[_Edit]:
    name = _name(node)
    if name in _ROOTS and len(node.args) == 1:
        yield _Edit(node, text.of(node.args[0]), "the root is dropped")
    if name in _TWO_NUMBERS and len(node.args) >= 2:
        second = node.args[1]
        yield _Edit(second, _TWO_NUMBERS[name].format(text.of(second)), f"{name}'s second argument")


def _name(node: ast.Call) -> str:
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _symmetric(node: ast.expr) -> bool:
    """Whether an expression has a draw in it whose sign does not matter."""
    return any(isinstance(n, ast.Call) and _name(n) in _SYMMETRIC for n in ast.walk(node))


def _stale(function: ast.FunctionDef, text: _Text) -> list[Mutant]:
    """Return mutants that use the value which a parameter had before the sweep.

    Of a kernel ``(theta, y, rng)`` any variable with the name of a parameter, ``theta["mu"]`` for
    ``mu``; of another the arguments that get new values.
    """
    arguments = [a.arg for a in function.args.args]
    body = _without_docstring(function.body)
    known = _keys(function) if "theta" in arguments else set()
    out = []
    for name in sorted(_assigned(function) & (known | set(arguments))):
        first = min(n.lineno for n in _names(function, name, ast.Store))
        for use in _names(function, name, ast.Load):
            if use.lineno <= first:
                continue
            if name in arguments:
                changed = text.replaced(_Edit(use, _OLD + name, ""))
                source = _kept_at_start(changed, body[0], name)
            else:
                source = text.replaced(_Edit(use, f'theta["{name}"]', ""))
            if source is not None:
                old = f"{name} of the sweep before"
                out.append(Mutant(use.lineno, "an old value for a new one", name, old, source))
    return out


def _kept_at_start(source: str | None, first: ast.stmt, name: str) -> str | None:
    """Return a source that keeps an argument's value before a function's first statement."""
    if source is None:
        return None
    lines = source.splitlines(keepends=True)
    keep = f"{' ' * first.col_offset}{_OLD}{name} = {name}\n"
    lines.insert(first.lineno - 1, keep)
    return "".join(lines)


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0]
    is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return body[1:] if is_text and len(body) > 1 else body


def _names(function: ast.FunctionDef, name: str, kind: type[ast.expr_context]) -> list[ast.Name]:
    return [
        n
        for n in ast.walk(function)
        if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, kind)
    ]


def _assigned(function: ast.FunctionDef) -> set[str]:
    return {
        n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }


def _keys(function: ast.FunctionDef) -> set[str]:
    """Return the parameters that a kernel takes from theta: constant keys of subscripts."""
    return {
        n.slice.value
        for n in ast.walk(function)
        if isinstance(n, ast.Subscript)
        and isinstance(n.slice, ast.Constant)
        and isinstance(n.slice.value, str)
    }

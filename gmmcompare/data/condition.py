"""Which rows count: a condition on columns, which pandas reads."""

from __future__ import annotations

import ast
import contextlib
import re
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gmmcompare.data.numeric import numbers
from gmmcompare.data.table import Table, listed
from gmmcompare.runtime.errors import InputError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

_ALLOWED = (
    ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.Invert,
    ast.BinOp, ast.BitAnd, ast.BitOr, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.Mod,
    ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn,
    ast.Name, ast.Load, ast.Constant, ast.List, ast.Tuple,
)  # fmt: skip
_METHODS = ("isna", "notna", "str.startswith", "str.endswith", "str.contains")


def rows_where(table: Table, where: str) -> NDArray[np.bool_]:
    """Say for each row whether it meets a condition, which pandas reads.

    A card may be somebody else's, so that a condition compares columns and calls nothing.
    """
    import pandas as pd

    how = "write a condition on columns, as in default_flag == 1 or name != 'Sun'"
    try:
        tree = ast.parse(re.sub(r"`[^`]*`", "column", where).strip(), mode="eval")
    except SyntaxError:
        raise InputError(f"data.where = {where!r}: is not a condition; {how}") from None
    for node in ast.walk(_without_methods(tree)):
        if not isinstance(node, _ALLOWED):
            raise InputError(f"data.where = {where!r}: does more than compare columns; {how}")
    frame = _with_numbers(table, where)
    try:
        found = frame.eval(where.strip(), engine="python")
    except pd.errors.UndefinedVariableError as error:
        missing = str(error).split("'")[1]
        raise InputError(
            f"{table.path}: data.where = {where!r}: no column '{missing}'"
            f"{did_you_mean(missing, table.header)}; columns: {listed(table.header)}"
        ) from None
    except Exception as error:  # whatever a comparison of text and numbers makes pandas raise
        reason = " ".join(str(error).split())[:80]
        raise InputError(f"{table.path}: data.where = {where!r}: {reason}; {how}") from None
    met = np.asarray(found)
    if met.dtype != np.bool_ or met.shape != (len(frame),):
        raise InputError(f"{table.path}: data.where = {where!r}: is true or false of no row; {how}")
    if not met.any():
        raise InputError(f"{table.path}: data.where = {where!r}: no row meets it; choose another")
    return met


def _with_numbers(table: Table, where: str) -> pd.DataFrame:
    """Return all columns; those that are named, as numbers if they can be read as such."""
    frame = table.frame()
    for at, name in enumerate(table.header):
        if name and name in where and frame.dtypes.iloc[at].kind not in "iufb":
            with contextlib.suppress(InputError):  # it is a column of text
                frame.isetitem(at, numbers(table, at, quiet=True))
    return frame


def _without_methods(tree: ast.Expression) -> ast.AST:
    """Replace the calls that are allowed, such as ``name.str.startswith('HD')``, by a name."""

    class Replacing(ast.NodeTransformer):
        def visit_Call(self, node: ast.Call) -> ast.AST:
            method = ast.unparse(node.func).partition(".")[2]
            plain = isinstance(node.func, ast.Attribute) and not node.keywords
            constant = all(isinstance(a, ast.Constant) for a in node.args)
            allowed = plain and constant and method in _METHODS
            return ast.Name("column", ast.Load()) if allowed else node

    replaced: ast.AST = Replacing().visit(tree)
    return replaced

"""Run pieces of Python, one JSON string on a line each, in one namespace; answer with JSON lines.

The value of a last expression is shown as a notebook shows it. Figures that are open, or that are
that value, are returned as SVG.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import os
import sys
import traceback
from typing import Any


def evaluate(code: str, namespace: dict[str, Any]) -> object:
    """Run code and return the value of its last expression, or None."""
    tree = ast.parse(code)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "<page>", "exec"), namespace)
    if last is None:
        return None
    return eval(compile(ast.Expression(last.value), "<page>", "eval"), namespace)


def figures_of(value: object) -> list[str]:
    """Return Matplotlib's open figures, and a value that is one, as SVG; close them."""
    if "matplotlib" not in sys.modules:
        return []
    import matplotlib.pyplot as plt
    from matplotlib.figure import Figure

    drawn = [plt.figure(number) for number in plt.get_fignums()]
    if isinstance(value, Figure) and value not in drawn:
        drawn.append(value)
    texts = []
    for figure in drawn:
        text = io.StringIO()
        figure.savefig(text, format="svg", bbox_inches="tight")
        texts.append(text.getvalue())
    plt.close("all")
    return texts


def main() -> None:
    """Answer until the input ends."""
    # Child processes of a validation must not write into the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.path.insert(0, os.getcwd())  # where the page's own files are
    namespace: dict[str, Any] = {"__name__": "__page__"}
    for line in sys.stdin:
        printed, failed, figures = io.StringIO(), False, list[str]()
        with contextlib.redirect_stdout(printed):
            try:
                value = evaluate(json.loads(line), namespace)
                figures = figures_of(value)
                if value is not None and not figures:
                    print(value)
            except Exception as error:
                failed = True
                print("".join(traceback.format_exception_only(error)))
        answer = {"text": printed.getvalue(), "failed": failed, "figures": figures}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()

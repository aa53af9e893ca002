"""A script in cells, as a Jupyter notebook.

The format is small and stable (nbformat 4.5), so writing it needs no library; a test holds the
result to nbformat's own schema.
"""

from __future__ import annotations

from typing import Any

_CODE, _MARKDOWN = "# %%", "# %% [markdown]"


def notebook_of(script: str) -> dict[str, Any]:
    """Turn a script whose cells begin with ``# %%`` or ``# %% [markdown]`` into a notebook.

    What stands before the first cell is left out; markdown is written as comments.
    """
    cells: list[tuple[str, list[str]]] = []
    for line in script.splitlines():
        if line in (_CODE, _MARKDOWN):
            cells.append(("code" if line == _CODE else "markdown", []))
        elif cells:
            kind, lines = cells[-1]
            lines.append(line.removeprefix("#").removeprefix(" ") if kind == "markdown" else line)
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "cells": [_cell(i, kind, lines) for i, (kind, lines) in enumerate(cells)],
    }


def _cell(i: int, kind: str, lines: list[str]) -> dict[str, Any]:
    source = "\n".join(lines).strip()
    cell: dict[str, Any] = {
        "cell_type": kind,
        "id": f"cell-{i}",
        "metadata": {},
        "source": source.splitlines(keepends=True),
    }
    return {**cell, "execution_count": None, "outputs": []} if kind == "code" else cell

"""Points of a parameter space, and data: arrays, or several arrays under names.

A batch of points is a mapping or a named tuple (`Params`) whose arrays have one leading axis in
common; a data set is an array, or a mapping of arrays where a model has several observed variables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmmcompare.model.params import Array

type Points = Mapping[str, Array]
"""Parameters by name; ``{name: (n, *shape)}`` for n points."""
type Data = Array | Mapping[str, Array]
"""One data set, or with a leading axis several."""


def mapped[T](f: Callable[..., Any], tree: T, *more: T) -> T:
    """Apply a function to arrays of the same place: of arrays, mappings or named tuples.

    Parameters
    ----------
    f : callable
        Takes as many arrays as there are trees.
    tree, *more : array, mapping of arrays or named tuple of arrays
        All of one kind.
    """
    result: Any
    if isinstance(tree, Mapping):
        result = {k: mapped(f, tree[k], *(m[k] for m in more)) for k in tree}  # type: ignore[index]
    elif isinstance(tree, tuple):
        result = type(tree)(*(mapped(f, *arrays) for arrays in zip(tree, *more, strict=True)))
    else:
        result = f(tree, *more)
    return result  # type: ignore[no-any-return]


def joined[T](trees: list[T]) -> T:
    """Join batches along their leading axis."""
    return mapped(lambda *arrays: np.concatenate(arrays), *trees)


def one_of[T](tree: T, index: int) -> T:
    """Return one point, or one data set, of a batch."""
    return mapped(lambda array: array[index], tree)


def size_of(tree: Any) -> int:
    """Return how many points or data sets a batch has."""
    while isinstance(tree, Mapping | tuple):
        tree = next(iter(tree.values() if isinstance(tree, Mapping) else tree))
    return len(tree)


def same(a: Any, b: Any) -> bool:
    """Whether two trees hold the same numbers."""
    if isinstance(a, Mapping):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    a, b = np.asarray(a), np.asarray(b)
    alike = a.dtype == b.dtype and a.dtype != object and a.shape == b.shape
    # Bytes are compared in a tenth of the time, and nearly always are the same.
    return (alike and a.tobytes() == b.tobytes()) or np.array_equal(a, b, equal_nan=True)


def flat(tree: Any) -> NDArray[Any]:
    """Return a batch as a table: one row for each point, shape (n, scalars)."""
    if isinstance(tree, Mapping):
        tree = tuple(tree.values())
    if not isinstance(tree, tuple):
        array = np.asarray(tree)
        return array.reshape(len(array), -1)
    return np.hstack([flat(part) for part in tree])


def with_labels_in_order(
    points: Mapping[str, Any], groups: Sequence[Sequence[str]], leading: int
) -> dict[str, Any]:
    """Return points whose labels ascend in the first parameter of each group; groups move together.

    Parameters
    ----------
    points : mapping of str to ndarray
        Arrays (..., *shape).
    groups : sequence of sequence of str
        Parameters whose first axes may be permuted together.
    leading : int
        How many axes come before a parameter's own.
    """
    out = dict(points)
    for group in groups:
        key = points[group[0]]
        while key.ndim > leading + 1:
            key = key[..., 0]
        order = np.argsort(key, axis=leading, kind="stable")
        for name in group:
            values = points[name]
            index = order.reshape(order.shape + (1,) * (values.ndim - order.ndim))
            out[name] = np.take_along_axis(values, index, axis=leading)
    return out

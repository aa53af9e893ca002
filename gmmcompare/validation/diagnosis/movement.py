"""What moved, in a failed test of a kernel of any model: in the names and units of the user."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from gmmcompare.model.params import Array
from gmmcompare.validation.checks.invariance import SceneTest
from gmmcompare.validation.checks.model_scene import ModelScene
from gmmcompare.validation.checks.scene import Quantity
from gmmcompare.validation.reasons import Code, Reason
from gmmcompare.validation.verdict import Diagnosis

_CLEAR = 4.5
"""Least z value of a clear change, as in `findings`."""
_MOST = 4
_DATA = ("data", "score")


class _Effect(NamedTuple):
    """One quantity, what its mean changed by in standard deviations, and the z value of that."""

    quantity: Quantity
    effect: float
    z: float


def diagnose_model(test: SceneTest[ModelScene], still: Sequence[str] = ()) -> Diagnosis:
    """Say which parameters move, which way, and whether it is the data that tell.

    Parameters
    ----------
    test : SceneTest
        A test that failed.
    still : sequence of str
        Parameters that never move.
    """
    first, last = _effects(test)
    clear = [e for e in last if abs(e.z) > _CLEAR]
    marginal = _parameters(test, [e for e in clear if e.quantity.kind == "marginal"], first)
    if marginal:
        return Diagnosis(tuple(marginal[:_MOST]))
    by_data = sorted((e for e in clear if e.quantity.kind in _DATA), key=lambda e: -abs(e.z))
    reasons = [
        Reason(
            Code.DEPENDS_WRONGLY,
            {
                "parameter": e.quantity.name,
                "kind": e.quantity.kind,
                "shape": e.quantity.shape,
                "larger": bool(e.effect > 0),
            },
        )
        for e in _first_of_each(by_data)
    ]
    return Diagnosis(tuple(reasons[:_MOST]) or (_most_moved(test),))


def _effects(test: SceneTest[ModelScene]) -> tuple[list[_Effect], list[_Effect]]:
    """Return effects of one sweep and of all, by quantity."""
    count, n = len(test.names), test.wealth.n
    effect, z = test.wealth.effect, test.wealth.effect * np.sqrt(n)
    halves = [
        [_Effect(q, float(effect[at + i]), float(z[at + i])) for i, q in enumerate(test.names)]
        for at in (0, count)
    ]
    return halves[0], halves[1]


def _parameters(
    test: SceneTest[ModelScene], clear: Sequence[_Effect], first: Sequence[_Effect]
) -> list[Reason]:
    """Describe every scalar whose own distribution moves, the clearest first."""
    before, after = (test.scene.scalars(p) for p in (test.made.start, test.made.last))
    after_one = {e.quantity: e.z for e in first}
    reasons = []
    for e in _first_of_each(sorted(clear, key=lambda e: -abs(e.z))):
        name = e.quantity.name
        old, new = before[name], after[name]
        numbers: dict[str, Any] = {
            "parameter": name,
            "shape": e.quantity.shape,
            "larger": bool(e.effect > 0),
            "before": _typical(old, e.quantity.shape),
            "after": _typical(new, e.quantity.shape),
            "at_once": bool(abs(after_one[e.quantity]) > _CLEAR),
            "sweeps": test.scene.sweeps,
        }
        reasons.append(Reason(Code.SCALAR_MOVES, numbers))
    return reasons


def _typical(values: Array, shape: str) -> float:
    """Return the median, or half of the range of the middle two thirds."""
    if shape == "location":
        return float(np.median(values))
    return float(0.5 * np.subtract(*np.percentile(values, [84, 16])))


def _first_of_each(effects: Sequence[_Effect]) -> list[_Effect]:
    """Return the clearest effect of each scalar."""
    found: dict[str, _Effect] = {}
    for e in effects:
        found.setdefault(e.quantity.name, e)
    return list(found.values())


def _most_moved(test: SceneTest[ModelScene]) -> Reason:
    """Name the quantity on which the best bet won."""
    row = int(test.wealth.log_single.max(axis=1).argmax())
    quantity = test.names[row % len(test.names)]
    numbers = {
        "quantity": str(quantity),
        "marginal": False,
        "larger": bool(test.wealth.mean[row] > 0),
        "scene": "",
    }
    return Reason(Code.MOST_MOVED, numbers)

"""What moved, and which way, from the first replicates of a failed invariance test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import NamedTuple

import numpy as np

from gmmcompare.model.mixture_model import log_joints
from gmmcompare.model.params import Array, Params
from gmmcompare.validation.checks.invariance import SceneTest
from gmmcompare.validation.checks.scenes import MixtureScene
from gmmcompare.validation.reasons import Code, Reason

_CLEAR = 4.5
"""Least z value of a clear change: by chance alone, one of 40 is clear in 4,000 validations."""
_SAME = 0.6
"""An error does not shrink with n if so much of it is left where observations are several."""
_LOADS = {"empty": (0.0, 0.3), "few": (0.8, 2.5), "several": (3.5, np.inf)}
"""Kinds of components, by their expected number of observations."""


class Change(NamedTuple):
    """A mean after the sweeps minus the mean before, in units of its own, with its z value."""

    size: float
    z: float

    @property
    def clear(self) -> bool:
        """Whether it is beyond doubt."""
        return abs(self.z) > _CLEAR

    @property
    def unknown(self) -> bool:
        """Whether there are too few of these components to say anything."""
        return bool(np.isnan(self.z))


class _Values(NamedTuple):
    """Standardised parameters (n, K) and expected counts (n, K)."""

    w: Array
    mu: Array
    log_sigma: Array
    n_k: Array


def describe(tests: Sequence[SceneTest[MixtureScene]]) -> list[Reason]:
    """Return what moved, from the scene in which it shows best; other sizes come second."""
    kept = [t for t in tests if t.kept]
    sorted_labels = [reason for t in kept if (reason := _sorted_labels(t))]
    telling = [(t, found) for t in kept if (found := _scene_findings(t))]
    if not telling:
        return sorted_labels[:1] or [_most_moved(tests)]
    best = max(telling, key=lambda pair: (pair[0].scene.share, _strength(pair[0])))
    return sorted_labels[:1] + best[1]


def _most_moved(tests: Sequence[SceneTest[MixtureScene]]) -> Reason:
    """Name the quantity on which the best bet won; there is one where nothing else is clear."""
    best = max(tests, key=lambda t: float(t.wealth.log_single.max()))
    row = int(best.wealth.log_single.max(axis=1).argmax())
    quantity = best.names[row % len(best.names)]
    numbers = {
        "quantity": str(quantity),
        "marginal": quantity.kind == "marginal",
        "larger": bool(best.wealth.mean[row] > 0),
        "scene": best.scene.name,
    }
    return Reason(Code.MOST_MOVED, numbers)


def _strength(test: SceneTest[MixtureScene]) -> float:
    return float(test.wealth.log_wealth / max(test.wealth.n, 1))


def _scene_findings(test: SceneTest[MixtureScene]) -> list[Reason]:
    made = test.made
    before = _values(made.start, made.y, test.scene)
    after = _values(made.last, made.y, test.scene)
    found = [
        _by_load("sigma", before, after, test.scene),
        _by_load("mu", before, after, test.scene),
        _weights(before.w, after.w, test.scene),
    ]
    return [reason for reason in found if reason]


def _values(params: Params, y: Array, scene: MixtureScene) -> _Values:
    p = scene.priors.expanded(scene.K)
    _, m0, s0, *_ = (np.asarray(getattr(p, f.name)) for f in fields(p))
    joint = log_joints(params, y)
    r = np.exp(joint - np.logaddexp.reduce(joint, axis=2, keepdims=True))
    return _Values(params.w, (params.mu - m0) / s0, np.log(params.sigma), r.sum(axis=1))


def _change(before: Array, after: Array) -> Change:
    if min(before.size, after.size) < 30:
        return Change(0.0, np.nan)
    size = float(after.mean() - before.mean())
    se = np.sqrt(before.var() / before.size + after.var() / after.size)
    return Change(size, size / max(float(se), 1e-12))


def _by_load(parameter: str, before: _Values, after: _Values, scene: MixtureScene) -> Reason | None:
    """Describe location and spread of sigma or mu, for components of few and many points."""
    attribute = "log_sigma" if parameter == "sigma" else parameter
    old_values, new_values = getattr(before, attribute), getattr(after, attribute)
    locations: dict[str, Change] = {}
    spreads: dict[str, Change] = {}
    for load, (low, high) in _LOADS.items():
        old = old_values[(before.n_k >= low) & (before.n_k < high)]
        new = new_values[(after.n_k >= low) & (after.n_k < high)]
        locations[load] = _change(old, new)
        centre = np.median(old) if old.size else 0.0
        spreads[load] = _change(np.abs(old - centre), np.abs(new - centre))
    empty_spread_kept = not spreads["empty"].clear
    empty_kept = _empty_are_correct(attribute, before, after) and empty_spread_kept
    for shape, changes, kept in (
        ("location", locations, empty_kept),
        ("spread", spreads, empty_spread_kept),
    ):
        clear = {load: change.size for load, change in changes.items() if change.clear}
        if clear:
            numbers = {
                "parameter": parameter,
                "shape": shape,
                "changes": clear,
                "hint": _hint(changes, kept),
                "scene": scene.name,
            }
            return Reason(Code.PARAMETER_OFF, numbers)
    return None


def _empty_are_correct(attribute: str, before: _Values, after: _Values) -> bool:
    """Whether no component, taken by itself, is off where it is empty."""
    low, high = _LOADS["empty"]
    for k in range(before.n_k.shape[1]):
        old, new = (
            getattr(v, attribute)[(v.n_k[:, k] >= low) & (v.n_k[:, k] < high), k]
            for v in (before, after)
        )
        if _change(old, new).clear:
            return False
    return True


def _hint(changes: Mapping[str, Change], empty_correct: bool) -> str:
    """Say where to look, from how an error depends on the number of observations; see `words`."""
    empty, few, several = changes["empty"], changes["few"], changes["several"]
    if empty.unknown:
        return "conditional"
    if empty_correct and not empty.clear:
        return "data"
    if not empty.clear:
        return "prior"
    if several.clear and abs(several.size) > _SAME * abs(empty.size):
        return "draw"
    if abs(empty.size) >= abs(few.size):
        return "prior-share"
    return "conditional"


def _weights(before: Array, after: Array, scene: MixtureScene) -> Reason | None:
    change = _change(before.max(axis=1), after.max(axis=1))
    if not change.clear:
        return None
    return Reason(Code.WEIGHTS_OFF, {"change": change.size, "scene": scene.name})


def _sorted_labels(test: SceneTest[MixtureScene]) -> Reason | None:
    """Say so where components that have one prior come out in the order of their means."""
    if not test.scene.priors.exchangeable:
        return None
    made = test.made
    before, after = made.start.mu, made.last.mu
    steps = [
        _change(-d_old, -d_new) for d_old, d_new in zip(_gaps(before), _gaps(after), strict=True)
    ]
    if not all(step.clear and step.size < 0 for step in steps):
        return None
    return Reason(Code.LABELS_SORTED, {"together": not _label_free_moves(test)})


def _label_free_moves(test: SceneTest[MixtureScene]) -> bool:
    label_free = [q.label_free for q in test.names]
    z = test.wealth.effect.reshape(-1, len(test.names))[:, label_free] * np.sqrt(test.wealth.n)
    return bool((np.abs(z) > _CLEAR).any())


def _gaps(mu: Array) -> Array:
    return np.diff(mu, axis=1).T

"""What moved, in a student's words, from the first replicates of a failed invariance test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import NamedTuple

import numpy as np

from gmmcompare.model.params import Array, Params
from gmmcompare.validation.checks.invariance import SceneTest, merged
from gmmcompare.validation.checks.quantities import log_joints
from gmmcompare.validation.checks.scenes import Scene

_CLEAR = 4.5
_SAME = 0.6
_LOADS = (
    ("empty components", 0.0, 0.3),
    ("components of one or two points", 0.8, 2.5),
    ("components of several points", 3.5, np.inf),
)


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


def describe(tests: Sequence[SceneTest]) -> list[str]:
    """Return what moved, from the scene in which it shows best; other sizes come second."""
    kept = [t for t in tests if t.kept]
    sorted_labels = [text for t in kept if (text := _sorted_labels(t))]
    telling = [(t, found) for t in kept if (found := _scene_findings(t))]
    if not telling:
        return sorted_labels[:1] or [_most_moved(tests)]
    best = max(telling, key=lambda pair: (pair[0].scene.share, _strength(pair[0])))
    return sorted_labels[:1] + best[1]


def _most_moved(tests: Sequence[SceneTest]) -> str:
    """Name the quantity on which the best bet won; there is one where nothing else is clear."""
    best = max(tests, key=lambda t: float(t.wealth.log_single.max()))
    row = int(best.wealth.log_single.max(axis=1).argmax())
    quantity = best.names[row % len(best.names)]
    way = "larger" if best.wealth.mean[row] > 0 else "smaller"
    return (
        f"no parameter by itself is clearly off; what moves is how they hang together: {quantity}, "
        f"is {way} than it should be (with the {best.scene.name} prior)"
    )


def _strength(test: SceneTest) -> float:
    return float(test.wealth.log_wealth / max(test.wealth.n, 1))


def _scene_findings(test: SceneTest) -> list[str]:
    made = merged(test.kept)
    before = _values(made.start, made.y, test.scene)
    after = _values(made.last, made.y, test.scene)
    found = [
        _by_load("sigma", "log_sigma", before, after),
        _by_load("mu", "mu", before, after),
        _weights(before.w, after.w),
    ]
    where = f" (with the {test.scene.name} prior)"
    return [text + where for text in found if text]


def _values(params: Params, y: Array, scene: Scene) -> _Values:
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


def _by_load(name: str, attribute: str, before: _Values, after: _Values) -> str:
    """Describe location and spread of sigma or mu, for components of few and many points."""
    locations, spreads = [], []
    for _, low, high in _LOADS:
        old = getattr(before, attribute)[(before.n_k >= low) & (before.n_k < high)]
        new = getattr(after, attribute)[(after.n_k >= low) & (after.n_k < high)]
        locations.append(_change(old, new))
        centre = np.median(old) if old.size else 0.0
        spreads.append(_change(np.abs(old - centre), np.abs(new - centre)))
    hint = _hint(locations, _empty_are_right(attribute, before, after) and not spreads[0].clear)
    if any(c.clear for c in locations):
        size = _size_of_sigma if name == "sigma" else _size_of_mu
        return f"{_sentence(name, locations, size)}; {hint}"
    if any(c.clear for c in spreads):
        hint = _hint(spreads, not spreads[0].clear)
        return f"{_sentence(f'the spread of {name}', spreads, _size_of_spread)}; {hint}"
    return ""


def _empty_are_right(attribute: str, before: _Values, after: _Values) -> bool:
    """Whether no component, taken by itself, is off where it is empty."""
    low, high = _LOADS[0][1:]
    for k in range(before.n_k.shape[1]):
        old, new = (
            getattr(v, attribute)[(v.n_k[:, k] >= low) & (v.n_k[:, k] < high), k]
            for v in (before, after)
        )
        if _change(old, new).clear:
            return False
    return True


def _sentence(what: str, changes: Sequence[Change], words: Callable[[float], str]) -> str:
    parts = [
        f"{words(change.size)} in {load}"
        for change, (load, _, _) in zip(changes, _LOADS, strict=True)
        if change.clear
    ]
    return f"{what} is {', '.join(parts)}"


def _hint(changes: Sequence[Change], empty_right: bool) -> str:
    empty, few, several = changes
    if empty.unknown:
        return "look at this conditional, and at how observations are allocated"
    if empty_right and not empty.clear:
        return "empty components are right, so look at what the data add to this conditional"
    if not empty.clear:
        return "empty components are off too, so look at how this conditional uses its prior"
    if several.clear and abs(several.size) > _SAME * abs(empty.size):
        return "it does not shrink with n: look at the draw itself (scale or rate, sd or variance)"
    if abs(empty.size) >= abs(few.size):
        return "it shrinks with n, so look at what the prior adds to this conditional"
    return "look at this conditional, and at how observations are allocated"


def _size_of_sigma(log_ratio: float) -> str:
    word = "too large" if log_ratio > 0 else "too small"
    return f"{word} by a factor of {np.exp(abs(log_ratio)):.2f}"


def _size_of_mu(shift: float) -> str:
    return f"too {'high' if shift > 0 else 'low'} by {abs(shift):.2f} prior sds"


def _size_of_spread(change: float) -> str:
    return "too large" if change > 0 else "too small"


def _weights(before: Array, after: Array) -> str:
    change = _change(before.max(axis=1), after.max(axis=1))
    if not change.clear:
        return ""
    word = "extreme: the largest is" if change.size > 0 else "even: the largest is"
    way = "too large" if change.size > 0 else "too small"
    return f"weights are too {word} {way} by {abs(change.size):.3f} on average"


def _sorted_labels(test: SceneTest) -> str:
    """Say so where components that have one prior come out in the order of their means."""
    if not test.scene.priors.exchangeable:
        return ""
    made = merged(test.kept)
    before, after = made.start.mu, made.last.mu
    steps = [
        _change(-d_old, -d_new) for d_old, d_new in zip(_gaps(before), _gaps(after), strict=True)
    ]
    if not all(step.clear and step.size < 0 for step in steps):
        return ""
    start = "mu comes out in ascending order, which the model knows nothing of: labels are sorted "
    if _label_free_moves(test):
        return f"{start}inside the sweep, and not w, mu and sigma together"
    return (
        f"{start}inside the sweep. What does not depend on labels is right, but with priors that "
        "differ between components it would not be: sort after sampling"
    )


def _label_free_moves(test: SceneTest) -> bool:
    label_free = [q.label_free for q in test.names]
    z = test.wealth.effect.reshape(-1, len(test.names))[:, label_free] * np.sqrt(test.wealth.n)
    return bool((np.abs(z) > _CLEAR).any())


def _gaps(mu: Array) -> Array:
    return np.diff(mu, axis=1).T

"""How alike two signatures are, in direction and in size.

The *identity coefficient* of two vectors a and b is 2 a.b / (|a|^2 + |b|^2): 1 if they are the
same, 0 if they have nothing in common (Zegers and ten Berge 1985, Psychometrika 50). A cosine is 1
for any multiple as well, but a fault moves a scene's quantities by a certain amount: half of it is
another fault.

Quantities are correlated, so that anything about sigma moves a hundred of them. They are made less
so by the metric (C + I)^-1, where C is their correlation in one replicate: directions that many
quantities share count for little more than those of few. Monte Carlo error makes vectors longer;
its expected part is taken out of both lengths, so that the same fault has about 1 however few the
replicates, and by chance a little more (Spearman 1904 on attenuation).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from gmmcompare.model.params import Array
from gmmcompare.validation.checks.invariance import SceneTest
from gmmcompare.validation.checks.scenes import MixtureScene
from gmmcompare.validation.diagnosis.signatures import Signatures

_LEAST_SIGNAL = 0.5
"""A signature shorter than so many times its own error, in square, is like none."""

_LEAST_SIGNAL_OF_RUNS = 10.0
"""The same for whole runs, of which there are few: directions nearer to noise look all alike."""


class _Products(NamedTuple):
    """Inner products of what was seen with stored signatures, summed over scenes."""

    seen: float
    stored: Array  # (faults,)
    both: Array  # (faults,)
    seen_noise: float
    stored_noise: float


def similarity(tests: Sequence[SceneTest[MixtureScene]], known: Signatures) -> Array:
    """Estimate how alike the effects seen are to each known fault's, (faults,); see the module.

    Over the scenes that both have: those with few replicates are not stored. -inf where there are
    none, or where one of the two is no clearer than its error.
    """
    parts = [
        _products(
            t.wealth.effect,
            t.wealth.n,
            t.wealth.correlation,
            known.effects[t.scene.name].astype(float),
            known.n,
        )
        for t in tests
        if t.scene.name in known.effects and known.effects[t.scene.name].shape[1] == t.wealth.m
    ]
    if not parts:
        return np.full(len(known.faults), -np.inf)
    total = _Products(*(sum(values) for values in zip(*parts, strict=True)))
    seen, stored = total.seen - total.seen_noise, total.stored - total.stored_noise
    clear = (seen > _LEAST_SIGNAL * total.seen_noise) & (
        stored > _LEAST_SIGNAL * total.stored_noise
    )
    return np.where(clear, 2.0 * total.both / np.maximum(seen + stored, 1e-12), -np.inf)


def _products(seen: Array, n: int, correlation: Array, stored: Array, known_n: int) -> _Products:
    """Return inner products in the metric of the module, and expected squares of their errors.

    Parameters
    ----------
    seen : ndarray, shape (M,)
        Effects, in standard deviations of one replicate.
    n : int
        Replicates behind them.
    correlation : ndarray, shape (M, M)
        Of the quantities in one replicate.
    stored : ndarray, shape (faults, M)
    known_n : int
        Replicates behind each of these.
    """
    metric = np.linalg.inv(correlation + np.eye(seen.size))
    noise = float(np.sum(metric * correlation))
    turned = stored @ metric
    return _Products(
        float(seen @ metric @ seen),
        (turned * stored).sum(axis=1),
        turned @ seen,
        noise / n,
        noise / known_n,
    )


def cosines(seen: Array, n: int, stored: Array, known_n: int) -> Array:
    """Estimate cosines between effects of whole runs (M,) and stored ones (faults, M).

    For effects whose sizes cannot be compared. -inf as in `similarity`.

    Parameters
    ----------
    seen : ndarray, shape (M,)
        In standard deviations of one run.
    n : int
        Runs behind them.
    stored : ndarray, shape (faults, M)
    known_n : int
        Replicates behind each of these.
    """
    noise, stored_noise = seen.size / n, seen.size / known_n
    squared, stored_squared = (seen**2).sum() - noise, (stored**2).sum(axis=1) - stored_noise
    clear = (squared > _LEAST_SIGNAL_OF_RUNS * noise) & (
        stored_squared > _LEAST_SIGNAL * stored_noise
    )
    lengths = np.sqrt(np.maximum(squared, 1e-12) * np.maximum(stored_squared, 1e-12))
    return np.where(clear, stored @ seen / lengths, -np.inf)

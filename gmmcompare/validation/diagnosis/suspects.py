"""Which known faults do the same: the signature of what moved, held against the gallery's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gmmcompare.model.params import Array
from gmmcompare.validation.checks.invariance import SceneTest
from gmmcompare.validation.checks.quantities import quantities
from gmmcompare.validation.checks.scenes import Scene
from gmmcompare.validation.diagnosis.findings import describe
from gmmcompare.validation.diagnosis.signatures import Signatures, stored_signatures
from gmmcompare.validation.faults.catalogue import FAULTS
from gmmcompare.validation.reasons import Code, Reason
from gmmcompare.validation.verdict import Diagnosis, Suspect

_SUSPECTS = 3
_ALIKE = 0.7
"""Least similarity of a suspect; the same fault has about 1, unlike ones seldom above 0.6."""
_LEAST_SIGNAL = 0.05


def diagnose(tests: Sequence[SceneTest], remembers: bool) -> Diagnosis:
    """Describe what a failed invariance test found, and name the likeliest faults.

    Parameters
    ----------
    tests : sequence of SceneTest
    remembers : bool
        Whether results depend on earlier calls: faults that remember something are then the only
        suspects, and else are none.
    """
    reasons = describe(tests)
    if not any(test.doubtful for test in tests if test.scene.main):
        return Diagnosis((_only_elsewhere(tests), *reasons))
    if remembers:
        reasons.insert(0, Reason(Code.KEPT_TOO_LONG))
    named = suspects(tests, remembers)
    if not named:
        reasons.append(Reason(Code.UNLIKE_ANY_FAULT))
    return Diagnosis(tuple(reasons), named)


def _only_elsewhere(tests: Sequence[SceneTest]) -> Reason:
    """Say in which sizes or units a kernel is wrong that is correct in the main scenes."""
    scenes = [test.scene for test in tests if test.doubtful]
    numbers = {
        "scenes": [scene.name for scene in scenes],
        "sizes": [scene.about for scene in scenes],
        "crowded": all(scene.crowded for scene in scenes),
    }
    return Reason(Code.ONLY_ELSEWHERE, numbers)


def suspects(
    tests: Sequence[SceneTest], remembers: bool, known: Signatures | None = None
) -> tuple[Suspect, ...]:
    """Return the faults whose signatures are most like the one seen, likeliest first.

    Parameters
    ----------
    tests : sequence of SceneTest
        What an invariance test found.
    remembers : bool
        Whether results depend on earlier calls; only faults that are alike in this are returned.
    known : Signatures, optional
        By default those of the gallery.
    """
    known = known or stored_signatures()
    allowed = np.array([FAULTS[f].remembers == remembers for f in known.faults])
    # Few faults remember anything, and their traces are faint: they are named at any similarity.
    least = 0.0 if remembers else _ALIKE
    return _likeliest(known.faults, np.where(allowed, similarity(tests, known), -np.inf), least)


def suspects_of_runs(effect: Array, n: int, scene: Scene) -> tuple[Suspect, ...]:
    """Return the likeliest faults of a whole sampler, from the effects that SBC found.

    Only functions that do not depend on labels are compared, with what a few sweeps do to them.

    Parameters
    ----------
    effect : ndarray, shape (M,)
        Mean of each quantity, in standard deviations of one run.
    n : int
        Number of runs.
    scene : Scene
        Where they were made.
    """
    known = stored_signatures()
    if scene.name not in known.effects:
        return ()
    label_free = np.array([q.label_free for q in quantities(scene)])
    after_all_sweeps = known.effects[scene.name][:, effect.size : 2 * effect.size]
    stored, seen = after_all_sweeps[:, label_free].astype(float), effect[label_free]
    scores = _cosines(stored, seen.size / known.n, seen, seen.size / n)
    return _likeliest(known.faults, scores, _ALIKE)


def _likeliest(faults: Sequence[str], scores: Array, least: float) -> tuple[Suspect, ...]:
    order = np.argsort(-scores, kind="stable")[:_SUSPECTS]
    # The estimate may pass 1, a cosine may not: the nearest it can be is 1. The order is that
    # of the estimates, so that suspects above 1 are still told apart.
    return tuple(
        Suspect(name, round(min(float(score), 1.0), 3))
        for name, score in ((faults[i], scores[i]) for i in order)
        if score > least
    )


def similarity(tests: Sequence[SceneTest], known: Signatures) -> Array:
    """Estimate the cosine between the effects seen and each known fault's, (faults,).

    Monte Carlo error makes vectors of effects longer and so the cosine smaller; its expected part
    in both lengths is taken out, so that the same fault has about 1 however few the replicates, and
    by chance a little more (Spearman 1904 on attenuation). Over the scenes that both have: those
    with few replicates are not stored.
    """
    both = [t for t in tests if _has_signatures(t, known)]
    if not both:
        return np.full(len(known.faults), -np.inf)
    seen = np.concatenate([t.wealth.effect for t in both])
    stored = np.hstack([known.effects[t.scene.name] for t in both]).astype(float)
    noise = sum(t.wealth.effect.size / t.wealth.n for t in both)
    return _cosines(stored, stored.shape[1] / known.n, seen, noise)


def _has_signatures(test: SceneTest, known: Signatures) -> bool:
    """Whether the same quantities were stored: not for other sizes, or label-free ones alone."""
    stored = known.effects.get(test.scene.name)
    return stored is not None and stored.shape[1] == test.wealth.m


def _cosines(stored: Array, stored_noise: float, seen: Array, noise: float) -> Array:
    """Estimate cosines; the noises are expected squared lengths of Monte Carlo error."""
    squared = _without(noise, seen) * _without(stored_noise, stored)
    return np.asarray(stored @ seen / np.sqrt(np.maximum(squared, 1e-24)))


def _without(noise: float, effects: Array) -> Array:
    squared = (effects**2).sum(axis=-1)
    return np.asarray(np.maximum(squared - noise, _LEAST_SIGNAL * squared))

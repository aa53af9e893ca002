"""Which known faults do the same: the signature of what moved, held against the gallery's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gmmcompare.model.params import Array
from gmmcompare.validation import error_rates
from gmmcompare.validation.checks.invariance import SceneTest
from gmmcompare.validation.checks.mixture_quantities import quantities
from gmmcompare.validation.checks.scenes import MixtureScene
from gmmcompare.validation.diagnosis.findings import describe
from gmmcompare.validation.diagnosis.other_models import another_prior, other_models
from gmmcompare.validation.diagnosis.signatures import Signatures, stored_signatures
from gmmcompare.validation.diagnosis.similarity import cosines, similarity
from gmmcompare.validation.faults.catalogue import FAULTS
from gmmcompare.validation.reasons import Code, Reason
from gmmcompare.validation.verdict import Diagnosis, Suspect

_SUSPECTS = 3


def diagnose(tests: Sequence[SceneTest[MixtureScene]], remembers: bool) -> Diagnosis:
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
    models = [] if remembers else other_models(tests)
    named = tuple(s for s in suspects(tests, remembers) if _possible(s, models))
    model = _told(models, reasons, named)
    if not named and not model:
        reasons.append(Reason(Code.UNLIKE_ANY_FAULT))
        model = [] if remembers else another_prior(reasons)
    return Diagnosis((*model, *reasons), named)


def _possible(suspect: Suspect, models: Sequence[Reason]) -> bool:
    """Whether a fault that shows for certain does show."""
    model = FAULTS[suspect.fault].model
    return model != "one-sigma" or any(reason.numbers["model"] == model for reason in models)


def _told(
    models: Sequence[Reason], reasons: Sequence[Reason], named: Sequence[Suspect]
) -> list[Reason]:
    """Return other models that the sampler may be correct for, unless something better is known.

    What is only suggested gives way to a suspect that is correct for no such model, and to sorted
    labels, which make components depend on one another.
    """
    ordered = any(reason.code == Code.LABELS_SORTED for reason in reasons)
    likeliest = FAULTS[named[0].fault].model if named else None
    return [
        r
        for r in models
        if r.numbers["certain"] or (not ordered and likeliest in (None, r.numbers["model"]))
    ]


def _only_elsewhere(tests: Sequence[SceneTest[MixtureScene]]) -> Reason:
    """Say in which sizes or units a kernel is wrong that is correct in the main scenes."""
    scenes = [test.scene for test in tests if test.doubtful]
    numbers = {
        "scenes": [scene.name for scene in scenes],
        "sizes": [scene.about for scene in scenes],
        "crowded": all(scene.crowded for scene in scenes),
    }
    return Reason(Code.ONLY_ELSEWHERE, numbers)


def suspects(
    tests: Sequence[SceneTest[MixtureScene]], remembers: bool, known: Signatures | None = None
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
    scores = np.where(allowed, similarity(tests, known), -np.inf)
    return _likeliest(known.faults, scores, error_rates.SUSPECT_SIMILARITY)


def suspects_of_runs(effect: Array, n: int, scene: MixtureScene) -> tuple[Suspect, ...]:
    """Return the likeliest faults of a whole sampler, from the effects that SBC found.

    Only functions that do not depend on labels are compared, with what a few sweeps do to them, and
    only their direction: many sweeps move them further. A fault that only moves labels leaves next
    to nothing of its signature, and is not suspected.

    Parameters
    ----------
    effect : ndarray, shape (M,)
        Mean of each quantity, in standard deviations of one run.
    n : int
        Number of runs.
    scene : MixtureScene
        Where they were made.
    """
    known = stored_signatures()
    if scene.name not in known.effects:
        return ()
    label_free = np.array([q.label_free for q in quantities(scene)])
    after_all_sweeps = known.effects[scene.name][:, effect.size : 2 * effect.size]
    stored, seen = after_all_sweeps[:, label_free].astype(float), effect[label_free]
    scores = cosines(seen, n, stored, known.n)
    return _likeliest(known.faults, scores, error_rates.SUSPECT_COSINE_OF_RUNS)


def _likeliest(faults: Sequence[str], scores: Array, least: float) -> tuple[Suspect, ...]:
    order = np.argsort(-scores, kind="stable")[:_SUSPECTS]
    # The estimate may pass 1, a cosine may not: the nearest it can be is 1. The order is that
    # of the estimates, so that suspects above 1 are still told apart.
    return tuple(
        Suspect(name, round(min(float(score), 1.0), 3))
        for name, score in ((faults[i], scores[i]) for i in order)
        if score > least
    )

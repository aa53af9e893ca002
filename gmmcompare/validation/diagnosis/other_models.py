"""Is a sampler correct, but for another model? What its trace shows of the prior that it has.

A component that holds no observation is a draw of the prior, whatever the data. So components that
are nearly empty show which prior a sampler has, mistaken or meant; and what is the same in every
sweep, or in all components, is certain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import NamedTuple

import numpy as np

from gmmcompare.model.mixture_model import log_joints
from gmmcompare.model.params import Array, Params
from gmmcompare.validation.checks.invariance import Replicates, SceneTest
from gmmcompare.validation.checks.scenes import MixtureScene
from gmmcompare.validation.reasons import Code, Reason

_SAME = 1e-12
"""Relative difference below which two numbers are one."""
_EMPTY = 0.3
"""A component with fewer expected observations is a draw of the prior, or nearly."""
_CLEAR = 4.5
"""Least z value of a clear correlation, as in `findings`."""
_LEAST_CORRELATION = 0.1
_FEWEST = 200
"""Nearly empty components without which correlations are not looked at."""


class _Empty(NamedTuple):
    """Nearly empty components, one after another: arrays (E,)."""

    mu: Array  # from the prior's centre, in its sds
    log_sigma: Array  # from the mean of its scene's component
    others_mu: Array  # mean over the same point's other components
    others_log_sigma: Array


def other_models(tests: Sequence[SceneTest[MixtureScene]]) -> list[Reason]:
    """Name the model that a failed kernel may be correct for, if its trace shows one.

    What is certain comes alone. Else correlations in nearly empty components, of which this
    model's prior has none: of |mu| with sigma under a conjugate prior, between components where
    they share a parameter of the prior that is drawn as well.
    """
    kept = [t for t in tests if t.kept and t.scene.main]
    if not kept:
        return []
    made = [(t.scene, t.made) for t in kept]
    certain = _one_sigma(made) + _known(made)
    return certain or _suggested(made)


def another_prior(findings: Sequence[Reason]) -> list[Reason]:
    """Say so where a parameter is off in empty components, of which only the prior tells."""
    off = [f.numbers for f in findings if f.code == Code.PARAMETER_OFF]
    names = dict.fromkeys(n["parameter"] for n in off if "empty" in n["changes"])
    return [_reason("prior", name, False) for name in names]


def _one_sigma(made: Sequence[tuple[MixtureScene, Replicates]]) -> list[Reason]:
    sigmas = [r.last.sigma for scene, r in made if scene.K > 1]
    if not sigmas or not all(_constant(sigma, axis=1) for sigma in sigmas):
        return []
    return [_reason("one-sigma", "sigma", True)]


def _known(made: Sequence[tuple[MixtureScene, Replicates]]) -> list[Reason]:
    """Say which parameter is the same after sweeps on whatever data."""
    return [
        _reason("known", name, True)
        for name in Params._fields
        if all(_constant(getattr(r.last, name), axis=0) for scene, r in made if scene.K > 1)
    ]


def _constant(values: Array, axis: int) -> bool:
    return bool((np.ptp(values, axis=axis) <= _SAME * np.abs(values).max()).all())


def _suggested(made: Sequence[tuple[MixtureScene, Replicates]]) -> list[Reason]:
    before, after = (
        _joined([_empty(scene, r.y, r.start if first else r.last) for scene, r in made])
        for first in (True, False)
    )
    if min(before.mu.size, after.mu.size) < _FEWEST:
        return []
    if _correlated(*((np.log(np.abs(e.mu) + _SAME), e.log_sigma) for e in (before, after))):
        return [_reason("conjugate", "mu", False)]
    return [
        _reason("hyperprior", name, False)
        for name in ("mu", "sigma")
        if _correlated(*(_with_others(e, name) for e in (before, after)))
    ]


def _with_others(e: _Empty, name: str) -> tuple[Array, Array]:
    return (e.mu, e.others_mu) if name == "mu" else (e.log_sigma, e.others_log_sigma)


def _correlated(before: tuple[Array, Array], after: tuple[Array, Array]) -> bool:
    """Whether a rank correlation is clear after the sweeps, and more than before (Fisher's z)."""
    old, new = _correlation(*before), _correlation(*after)
    se = np.sqrt(1.0 / before[0].size + 1.0 / after[0].size)
    rise = float(np.arctanh(new) - np.arctanh(old)) / se
    return bool(new > _LEAST_CORRELATION and rise > _CLEAR)


def _correlation(x: Array, y: Array) -> float:
    first, second = (np.argsort(np.argsort(v)).astype(float) for v in (x, y))
    return float(np.clip(np.corrcoef(first, second)[0, 1], -0.999, 0.999))


def _empty(scene: MixtureScene, y: Array, params: Params) -> _Empty:
    p = scene.priors.expanded(scene.K)
    _, m0, s0, a, b = (np.asarray(getattr(p, f.name)) for f in fields(p))
    mu = (params.mu - m0) / s0
    log_sigma = np.log(np.maximum(params.sigma, 1e-300)) - 0.5 * np.log(b / a)
    joint = log_joints(params, y)
    n_k = np.exp(joint - np.logaddexp.reduce(joint, axis=2, keepdims=True)).sum(axis=1)
    inside = n_k < _EMPTY
    return _Empty(*(v[inside] for v in (mu, log_sigma, _others(mu), _others(log_sigma))))


def _others(values: Array) -> Array:
    """Return the mean over each point's other components, (n, K)."""
    K = values.shape[1]
    return np.asarray((values.sum(axis=1, keepdims=True) - values) / max(K - 1, 1))


def _joined(parts: Sequence[_Empty]) -> _Empty:
    return _Empty(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def _reason(model: str, parameter: str, certain: bool) -> Reason:
    return Reason(Code.OTHER_MODEL, {"model": model, "parameter": parameter, "certain": certain})

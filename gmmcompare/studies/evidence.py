"""Is the bridge's standard error honest? Repeated estimates against exact evidences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gmmcompare.engines.base import Draws, Problem, built_in_engine, no_progress
from gmmcompare.model.card import GibbsSettings
from gmmcompare.model.exact import exact_posterior
from gmmcompare.model.params import Array
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample
from gmmcompare.selection.evidence import log_evidence

KERNELS, DRAWS = 200, 1000
"""Fewer than on real data: the exact answers are for at most 16 observations."""
_SETTINGS = GibbsSettings(chains=4, warmup=500, draws=4000)


@dataclass(frozen=True)
class Scene:
    """A small data set, a number of components and priors under which Gibbs moves everywhere."""

    name: str
    y: tuple[float, ...]
    K: int
    priors: Priors


_PAIRS = (-1.3, -0.9, -1.05, 0.8, 1.4, 1.0)
_TIED = (-1.0, -1.0, -1.0, 0.5, 0.5, 2.0, 2.0, 2.1)
_GROUPS = (-3.0, -2.8, -1.0, -0.9, 1.0, 1.1, 3.0, 3.2, 3.1)

SCENES = (
    Scene("one component", _PAIRS, 1, Priors()),
    Scene("two, default priors", _PAIRS, 2, Priors()),
    Scene("two, informative priors", _PAIRS, 2, Priors(1.0, 0.0, 2.0, 3.0, 2.0)),
    Scene("three, ties", _TIED, 3, Priors(2.0, 0.0, 2.0, 3.0, 2.0)),
    Scene(
        "three, priors that differ",
        (*_PAIRS, 3.0),
        3,
        Priors(
            [1.0, 2.0, 3.0], [-1.0, 0.0, 1.0], [1.0, 2.0, 1.5], [3.0, 2.0, 4.0], [1.0, 2.0, 1.5]
        ),
    ),
    Scene("four, sparse weights", _GROUPS, 4, Priors(0.5, 0.0, 2.0, 3.0, 2.0)),
    Scene(
        "two, far from zero, priors that differ",
        tuple(1000.0 + 10.0 * y for y in _PAIRS),
        2,
        Priors(1.0, 1000.0, [20.0, 5.0], 2.0, [30.0, 100.0]),
    ),
)


@dataclass(frozen=True)
class Scores:
    """A scene's exact log evidence, and each repetition's estimate and standard error."""

    scene: Scene
    exact: float
    estimates: Array
    standard_errors: Array

    @property
    def z(self) -> Array:
        """Errors in units of their standard errors, shape (repetitions,)."""
        return np.asarray((self.estimates - self.exact) / self.standard_errors)


def study_evidence(
    repetitions: int,
    seed: int,
    scenes: Sequence[Scene] = SCENES,
    progress: Callable[[float], None] = no_progress,
) -> list[Scores]:
    """Run Gibbs and the bridge afresh so many times on every scene."""
    found = []
    for i, scene in enumerate(scenes):
        sample = Sample.of(scene.y)
        exact = exact_posterior(scene.y, scene.K, scene.priors).log_evidence
        pairs = []
        for r in range(repetitions):
            rng = np.random.default_rng([seed, i, r])
            pairs.append(_estimate(scene, sample, rng))
            progress((i + (r + 1) / repetitions) / len(scenes))
        estimates, errors = np.array(pairs).T
        found.append(Scores(scene, exact, estimates, errors))
    return found


def _estimate(scene: Scene, sample: Sample, rng: np.random.Generator) -> tuple[float, float]:
    engine = built_in_engine("gibbs", _SETTINGS)
    problem = Problem(sample, scene.K, scene.priors)
    draws = engine.run(problem, int(rng.integers(2**32)), no_progress)
    assert isinstance(draws, Draws)
    found = log_evidence(draws.params, sample, scene.priors, rng, KERNELS, DRAWS)
    return found.value, found.se


def study_page(found: Sequence[Scores]) -> str:
    """Return the outcome as a page in Markdown."""
    lines = [
        "# Is the error of the log evidence honest?",
        "",
        "Bridge sampling from Gibbs draws against exact evidences of small data sets, each "
        f"repeated {len(found[0].z)} times with fresh draws: z is the estimate less the exact "
        "value, in units of the estimate's own standard error. Honest errors give z a variance "
        "near 1. Where Gibbs seldom visits a part of the posterior, as under the default priors, "
        "a run that missed it is too low by that part's share.",
        "",
        "| data and priors | N | K | exact log evidence | mean se | mean z | variance of z "
        "| largest absolute z | within 3 se |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for s in found:
        lines.append(
            f"| {s.scene.name} | {len(s.scene.y)} | {s.scene.K} | {s.exact:.6f} "
            f"| {s.standard_errors.mean():.4f} | {_z_cells(s.z)} |"
        )
    lines += ["", "Made by `gmmcompare study evidence`."]
    return "\n".join(lines) + "\n"


def _z_cells(z: Array) -> str:
    return (
        f"{z.mean():+.2f} | {z.var(ddof=1):.2f} | {np.abs(z).max():.1f} "
        f"| {int((np.abs(z) < 3).sum())} of {z.size}"
    )

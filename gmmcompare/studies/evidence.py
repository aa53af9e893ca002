"""Is the bridge's standard error calibrated? Repeated estimates against exact evidences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gmmcompare.engines.base import Draws, Problem, built_in_engine, no_progress
from gmmcompare.model.card import GibbsSettings
from gmmcompare.model.exact import exact_posterior
from gmmcompare.model.params import Array
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample
from gmmcompare.runtime.store import Row
from gmmcompare.selection.evidence import log_evidence
from gmmcompare.studies import markdown
from gmmcompare.studies.study import Found, Study

KERNELS, DRAWS = 200, 1000
"""Fewer than on real data: the exact answers are for at most 16 observations."""
SETTINGS = GibbsSettings(chains=4, warmup=500, draws=4000)


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


@dataclass(frozen=True)
class EvidenceStudy(Study):
    """Gibbs and the bridge, run afresh in every repetition on every scene."""

    name = "evidence"

    def plan(self, repetitions: int) -> dict[str, int]:
        """Repeat every scene so many times."""
        return {scene.name: repetitions for scene in SCENES}

    def repeat(self, case: str, number: int) -> Row:
        """Estimate the log evidence of a scene."""
        (at,) = (i for i, scene in enumerate(SCENES) if scene.name == case)
        scene, rng = SCENES[at], np.random.default_rng([self.seed, at, number])
        sample = Sample.of(scene.y)
        draws = built_in_engine("gibbs", SETTINGS).run(
            Problem(sample, scene.K, scene.priors), int(rng.integers(2**32)), no_progress
        )
        assert isinstance(draws, Draws)
        found = log_evidence(draws.params, sample, scene.priors, rng, KERNELS, DRAWS)
        return {"estimate": found.value, "standard_error": found.se}

    def page(self, found: Found) -> str:
        """Return the outcome as a page in Markdown."""
        every = scores(found)
        return markdown.page(
            "# Is the standard error of the log evidence calibrated?",
            self.origin(found, "estimates of known evidences"),
            "Bridge sampling from Gibbs draws against the exact evidence of small data sets, each "
            f"repeated {_repetitions(every)} times with fresh draws. z is the estimate minus the "
            "exact value, in units of the estimate's own standard error: calibrated standard "
            "errors give z a variance near 1. Where Gibbs rarely visits a part of the posterior, "
            "as under the default priors, a run that misses that part underestimates the evidence "
            "by its share.",
            markdown.table(
                [
                    "data and priors", "N", "K", "exact log evidence", "mean se", "mean z",
                    "variance of z", "largest absolute z", "within 3 se",
                ],
                map(_cells, every),
            ),
        )  # fmt: skip


def scores(found: Found) -> list[Scores]:
    """Hold what was found against exact answers."""
    every = []
    for scene in SCENES:
        if rows := found.get(scene.name):
            exact = exact_posterior(scene.y, scene.K, scene.priors).log_evidence
            pairs = [(row["estimate"], row["standard_error"]) for row in rows]
            every.append(Scores(scene, exact, *np.array(pairs).T))
    return every


def _repetitions(every: Sequence[Scores]) -> str:
    least, most = (f(s.z.size for s in every) for f in (min, max))
    return f"{most}" if least == most else f"{least} to {most}"


def _cells(s: Scores) -> list[object]:
    z = s.z
    return [
        s.scene.name,
        len(s.scene.y),
        s.scene.K,
        f"{s.exact:.6f}",
        f"{s.standard_errors.mean():.4f}",
        f"{z.mean():+.2f}",
        f"{z.var(ddof=1):.2f}" if z.size > 1 else "",
        f"{np.abs(z).max():.1f}",
        f"{int((np.abs(z) < 3).sum())} of {z.size}",
    ]

"""Data of the lesson on EM: plain iterations from five starts on the galaxies, K = 3."""

from __future__ import annotations

from typing import Any

import numpy as np

from gmmcompare.engines.base import Problem
from gmmcompare.engines.em.compiled import Sums, expectation, flat_prior, maximisation
from gmmcompare.engines.starts import start_point
from gmmcompare.lessons.cards import card_with_data
from gmmcompare.model.params import Array, Params
from gmmcompare.model.sample import Sample
from gmmcompare.runtime.progress import Step

K = 3
CARD = "galaxies-k4"
OVERRIDES = (f"mixture.components={K}", "engines.em.objective=ml")
COMMANDS = (
    f"gmmcompare fit {CARD} --engine em --set mixture.components={K} --set engines.em.objective=ml",
    f"gmmcompare fit {CARD} --engine em --set mixture.components={K} --set engines.em.objective=ml"
    " --set engines.em.start=lecture",
)
FACTS = (
    "Each path is made of plain iterations of the EM engine’s own E-step and M-step, for maximum "
    "likelihood; nothing in it is random.",
)
LONGEST = 120
SETTLED = 1e-7
"""A path ends once the log-likelihood rises by less than this, or after `LONGEST` steps."""
GAIN_DECIMALS = 9
"""What a step gains is small against the log-likelihood; more decimals would be rounding error."""
STANDSTILL = 30
"""Steps shown of a path that does not move: enough to see it."""


def problem() -> Problem:
    """Return the lesson's data and model."""
    card, sample = card_with_data(CARD, *OVERRIDES)
    return Problem(sample, K, card.build_priors())


def compute(progress: Step) -> dict[str, Any]:
    """Return the data, the mixture's log-likelihood and parameters along each path, and texts."""
    model = problem()
    sample = model.sample
    paths = [
        {"name": name, **path_from(start, sample)} for name, start in start_points(model).items()
    ]
    return {
        "y": sample.y,
        "label": sample.origin.label,
        "source": sample.origin.source,
        "K": K,
        "sd": sample.sd,
        "mean": sample.mean,
        "smallest_gap": float(np.diff(sample.values).min()),
        "nudge": nudge(sample),
        "paths": paths,
    }


def start_points(model: Problem) -> dict[str, Params]:
    """Return the five starts by name."""
    sample = model.sample
    equal = np.full(K, 1.0 / K)
    low, middle, high = sample.values[0], float(np.median(sample.y)), sample.values[-1]
    lecture = start_point("lecture", model, np.random.default_rng(0))
    gap = sample.values[-1] - sample.values[-2]
    wide = np.full(K, sample.sd)
    return {
        "ends": Params(equal, np.array([low, middle, high]), np.full(K, 0.5 * sample.sd)),
        "quantiles": Params(equal, sample.quantiles([0.1, 0.5, 0.9]), wide),
        "equal": lecture,
        "nudged": lecture._replace(mu=lecture.mu + nudge(sample) * np.array([-1.0, 0.0, 1.0])),
        "point": Params(
            equal,
            np.array([low, middle, high]),
            np.array([*lecture.sigma[:2], gap / 7.0]),
        ),
    }


def nudge(sample: Sample) -> float:
    """Return how far the nearly equal means are apart: a thousandth of the data's sd."""
    return 1e-3 * sample.sd


def em_step(sample: Sample, here: Params) -> tuple[Params, float]:
    """Make one iteration of EM; return the new point, and the log-likelihood of the old one."""
    counts = sample.counts.astype(float)
    K = here.K
    sums = Sums(*(np.empty(K) for _ in Sums._fields))
    log_lik = expectation(sample.values, counts, *here, sums)
    new = (np.empty(K), np.empty(K), np.empty(K))
    maximisation(*here, sums, flat_prior(K), new)
    return Params(*new), log_lik


def path_from(start: Params, sample: Sample) -> dict[str, Array]:
    """Return w, mu, sigma, shape (steps, K), and log_lik and gain, shape (steps,), along a path.

    A path that collapses ends at the last point whose log-likelihood is a number.
    """
    here, points, heights = start, [], []
    for step in range(LONGEST + 1):
        new, log_lik = em_step(sample, here)
        if not np.isfinite(log_lik) or here.sigma.min() == 0.0:
            break
        points.append(here)
        heights.append(log_lik)
        still = step > 1 and heights[-1] - heights[-2] < SETTLED
        moved = heights[-1] - heights[1] > SETTLED if step else True
        if still and (moved or step >= STANDSTILL):
            break
        here = new
    stacked = (np.stack(a) for a in zip(*points, strict=True))
    height = np.array(heights)
    gain = np.diff(height, prepend=height[0]).round(GAIN_DECIMALS)
    return dict(zip(Params._fields, stacked, strict=True)) | {"log_lik": height, "gain": gain}

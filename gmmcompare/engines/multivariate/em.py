"""EM for mixtures of multivariate normals: maximum likelihood, or maximum a posteriori.

Dempster, Laird and Rubin (1977). The MAP is over (w, mu, cov); a mode depends on the coordinates in
which the density is written. A start counts as collapsed if a component expects less than one
observation or is a hundred thousand times narrower than the data in some direction, where the
likelihood is unbounded. The setting ``accelerate`` plays no part.
"""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from gmmcompare.engines.base import (
    Configured,
    Point,
    Problem,
    Seconds,
    Step,
    into_unit,
    out_of_unit,
)
from gmmcompare.engines.multivariate.compiled import (
    COLLAPSED,
    CONVERGED,
    OUT_OF_ITERATIONS,
    VectorPrior,
    climb,
    prior_arrays,
)
from gmmcompare.engines.multivariate.starts import random_start
from gmmcompare.model.card import EmSettings
from gmmcompare.model.multivariate.compiled import columns_of
from gmmcompare.model.multivariate.params import MultivariateParams
from gmmcompare.model.params import Array
from gmmcompare.runtime.errors import EngineError, InputError

GAIN = 1e-12
"""EM stops where two steps in a row gain less than this times N."""
SAME = 1e-6
"""Solutions whose objectives differ by less, relative to N, are one."""


class End(NamedTuple):
    """One start's end."""

    params: MultivariateParams
    path: Array
    outcome: int


class EmEngine(Configured[EmSettings]):
    """EM from many starts; see the module."""

    name = "em"

    def run(self, problem: Problem, seed: int, progress: Step) -> Point:
        """Climb from every start and return the best end.

        Parameters
        ----------
        problem : Problem
            Its priors play a part only under ``objective = "map"``; its ``starts`` none.
        seed : int
            Of the starting points, the only thing random in EM.
        progress : callable
            Called with the fraction of starts done.

        Returns
        -------
        Point
            Without standard errors.

        Raises
        ------
        EngineError
            If every start collapsed.
        InputError
            If a MAP is asked for under a weight_concentration below 1: it has no mode inside.
        """
        started = time.perf_counter()
        settings = self._settings
        unit_problem, unit = problem.standardised()
        is_map = settings.objective == "map"
        concentration = np.asarray(problem.priors.weight_concentration)
        if is_map and (concentration < 1.0).any():
            raise InputError(
                "em: under a priors.weight_concentration below 1 the posterior is infinite at "
                "weight 0; use objective = 'ml'"
            )
        columns, counts = columns_of(unit_problem.sample)
        prior = prior_arrays(unit_problem.priors, problem.K)
        rng = np.random.default_rng(seed)
        starts = [random_start(unit_problem, rng) for _ in range(settings.starts)]
        if is_map and not problem.priors.exchangeable:
            starts = [s.permuted(unit_problem.priors.favoured_order(s)) for s in starts]

        def run(start: MultivariateParams, steps: int = settings.max_iterations) -> End:
            return _climb(columns, counts, start, prior, is_map, steps)

        run(starts[0], 1)  # loads the compiled code
        ready = time.perf_counter()
        ends = []
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            for end in pool.map(run, starts):
                ends.append(end)
                progress(len(ends) / len(starts))
        seconds = Seconds(ready - started, time.perf_counter() - ready)
        return _collected(ends, problem, unit, seconds)


def _climb(
    columns: Array,
    counts: Array,
    start: MultivariateParams,
    prior: VectorPrior,
    is_map: bool,
    steps: int,
) -> End:
    point = [np.array(a) for a in start]
    path = np.empty(steps)
    n, outcome = climb(columns, counts, *point, prior, is_map, GAIN * counts.sum(), path)
    return End(MultivariateParams(*point), path[:n], outcome)


def _collected(ends: list[End], problem: Problem, unit: Any, seconds: Seconds) -> Point:
    """Return the best end as a point, with what became of the others."""
    outcomes = np.array([end.outcome for end in ends])
    good = [end for end in ends if end.outcome != COLLAPSED]
    n_collapsed = int((outcomes == COLLAPSED).sum())
    if not good:
        raise EngineError(
            f"em: all {len(ends)} starts collapsed to a component without spread, where the "
            "likelihood is unbounded; use fewer components, or engines.em.objective = 'map'"
        )
    good.sort(key=lambda end: -end.path[-1])
    distinct: list[End] = []
    for end in good:
        if all(abs(end.path[-1] - e.path[-1]) > SAME * problem.sample.n for e in distinct):
            distinct.append(end)
    best = good[0]
    notes = []
    if n_collapsed:
        notes.append(
            f"{n_collapsed} of {len(ends)} starts collapsed to a component without spread, where "
            "the likelihood is unbounded, and were discarded"
        )
    status = "ok" if best.outcome == CONVERGED else "out of iterations before it converged"
    return Point(
        out_of_unit(best.params, unit),
        seconds,
        solutions=tuple(out_of_unit(end.params, unit) for end in distinct),
        extra={
            "path": best.path - problem.sample.n * float(np.log(unit.scale).sum()),
            "outcomes": outcomes,
            "out_of_iterations": np.array(int((outcomes == OUT_OF_ITERATIONS).sum())),
        },
        notes=tuple(notes),
        status=status,
    )


def mode_near(problem: Problem, start: MultivariateParams) -> MultivariateParams | None:
    """Climb to the posterior mode from a point, in the units of the data.

    Parameters
    ----------
    problem : Problem
    start : MultivariateParams
        One point.

    Returns
    -------
    MultivariateParams or None
        Arrays of shape (1, 1, K) and so on; None if there is no mode inside.
    """
    if (np.asarray(problem.priors.weight_concentration) < 1.0).any():
        return None
    inner, unit = problem.standardised()
    columns, counts = columns_of(inner.sample)
    prior = prior_arrays(inner.priors, problem.K)
    end = _climb(columns, counts, into_unit(start, unit), prior, True, 20_000)
    if end.outcome == COLLAPSED:
        return None
    found = out_of_unit(end.params, unit)
    return MultivariateParams(*(a[None, None] for a in found))

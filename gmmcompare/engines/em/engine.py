"""EM for mixtures of normals: maximum likelihood, or maximum a posteriori under the same priors.

The method is that of Dempster, Laird and Rubin (1977), with squared extrapolation (Varadhan and
Roland 2008) and standard errors from the observed information (Louis 1982). The MAP is over
(w, mu, log sigma^2): a mode depends on the coordinates in which the density is written.

Every start ends in one of four ways, and all are counted in the result: converged; out of
iterations; collapsed (a component with fewer than two observations, or an sd below the smallest gap
of the data, where the likelihood is unbounded); or at the fixed point where all components are
equal, which EM cannot leave, though it is a saddle and no maximum.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gmmcompare.engines.base import (
    Configured,
    Point,
    Problem,
    Seconds,
    Step,
    out_of_unit,
)
from gmmcompare.engines.em.compiled import (
    COLLAPSED,
    CONVERGED,
    OUT_OF_ITERATIONS,
    Penalty,
    climb,
    flat_prior,
    log_penalty,
    penalty_of,
)
from gmmcompare.engines.em.information import (
    InformationSums,
    criteria,
    information_sums,
    standard_errors,
)
from gmmcompare.engines.em.measured import (
    measured_climb,
    measured_information_sums,
    smallest_gap,
)
from gmmcompare.engines.em.short import best_of_short_runs
from gmmcompare.engines.lecture import lecture_start
from gmmcompare.model.card import EmSettings
from gmmcompare.model.params import Array, Params
from gmmcompare.model.sample import Sample, Standardisation
from gmmcompare.runtime.errors import EngineError, InputError

EQUAL_MEANS = 3
OUTCOMES = ("converged", "out of iterations", "collapsed", "all components equal")
SCORE_TOLERANCE = 1e-8
"""EM stops where no derivative of the objective exceeds this times N."""


@dataclass(frozen=True)
class End:
    """One start's end: parameters, objective at each iterate, and how it ended."""

    params: Params
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
            Its priors play a part only under ``objective = "map"``, or ``start = "lecture"``; its
            ``starts`` none.
        seed : int
            Of the starting points, the only thing random in EM.
        progress : callable
            Called with the fraction of starts done.

        Returns
        -------
        Point
            With standard errors, unless the observed information is not positive definite.

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
        penalty = penalty_for(settings, unit_problem)
        starts = _starts(unit_problem, settings, seed, unit.scale)
        # In the values as given: standardising may round two of them to one.
        gap = smallest_gap(problem.sample) / unit.scale
        _climb(unit_problem.sample, settings, penalty, gap, starts[0], 1)  # loads the compiled code
        ready = time.perf_counter()
        climbs = []
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            ends = pool.map(
                lambda start: _climb(unit_problem.sample, settings, penalty, gap, start), starts
            )
            for i, end in enumerate(ends):
                climbs.append(end)
                progress((i + 1) / len(starts))
        seconds = Seconds(ready - started, time.perf_counter() - ready)
        sample = problem.sample
        return collected(
            climbs,
            problem,
            settings,
            unit,
            seconds,
            lambda params: _information_sums(sample, params),
        )


def _information_sums(sample: Sample, params: Params) -> InformationSums:
    if sample.errors is None:
        return information_sums(sample.values, sample.counts, params)
    return measured_information_sums(sample.values, sample.errors, sample.counts, params)


def climb_from(problem: Problem, objective: Literal["ml", "map"]) -> Params | None:
    """Climb from the problem's starts.

    Returns
    -------
    Params or None
        The best end, shape (K,), in the units of the data, components numbered as in the start;
        None where every climb collapsed.
    """
    unit_problem, unit = problem.standardised()
    settings = EmSettings(objective=objective)
    penalty = penalty_for(settings, unit_problem)
    gap = smallest_gap(problem.sample) / unit.scale
    ends = [
        _climb(unit_problem.sample, settings, penalty, gap, start) for start in unit_problem.starts
    ]
    usable = [end for end in ends if end.outcome != COLLAPSED]
    best = max(usable, key=lambda end: float(end.path[-1]), default=None)
    return out_of_unit(best.params, unit) if best else None


def _starts(problem: Problem, settings: EmSettings, seed: int, scale: float) -> list[Params]:
    """Return the starting points: k-means++ and random responsibilities in turn, or a lecture's.

    Where values were measured with errors: k-means++ and the best of short runs in turn. The others
    see components as wide as their errors make them, and miss those that are narrower.
    """
    rng = np.random.default_rng(seed)
    if settings.start == "lecture":
        return [lecture_start(problem, scale)] * settings.starts
    measured = problem.sample.errors is not None
    rules = (_spread_start, best_of_short_runs if measured else _random_responsibilities_start)
    starts = [rules[i % 2](problem, rng) for i in range(settings.starts)]
    return [problem.priors.nearest(start) for start in starts]


def _spread_start(problem: Problem, rng: np.random.Generator) -> Params:
    """k-means++ seeding (Arthur and Vassilvitskii 2007) on 200 quantile-spread points."""
    sample, K = problem.sample, problem.K
    points = sample.quantiles((np.arange(200) + 0.5) / 200)
    centres = [rng.choice(points)]
    for _ in range(K - 1):
        distance = np.min((points[:, None] - np.array(centres)) ** 2, axis=1)
        total = distance.sum()
        centres.append(rng.choice(points, p=distance / total) if total > 0 else points[0])
    mu = np.array(centres)
    nearest = np.argmin(np.abs(points[:, None] - mu), axis=1)
    w = (np.bincount(nearest, minlength=K) + 1.0) / (points.size + K)
    spread = np.bincount(nearest, weights=(points - mu[nearest]) ** 2, minlength=K)
    floor = (_spread(sample) / (10.0 * K)) ** 2
    sigma = np.sqrt(spread / np.maximum(np.bincount(nearest, minlength=K), 1) + floor)
    return Params(w, mu, sigma)


def _random_responsibilities_start(problem: Problem, rng: np.random.Generator) -> Params:
    """Give every distinct value random responsibilities and take one M-step."""
    sample, K = problem.sample, problem.K
    r = rng.dirichlet(np.full(K, 0.3), size=sample.n_distinct) * sample.counts[:, None]
    n_k = r.sum(axis=0)
    mu = r.T @ sample.values / n_k
    sigma = np.sqrt((r * (sample.values[:, None] - mu) ** 2).sum(axis=0) / n_k)
    return Params(n_k / sample.n, mu, np.maximum(sigma, _spread(sample) / 100.0))


def _spread(sample: Sample) -> float:
    """Return the sd of the sample, or 1 where all values are equal: a start needs an sd."""
    return sample.sd or 1.0


def penalty_for(settings: EmSettings, problem: Problem) -> Penalty:
    """Return what is added to the log-likelihood, in the units of the problem.

    Raises
    ------
    InputError
        If a MAP is asked for under a weight_concentration below 1: it has no mode inside.
    """
    if settings.objective == "ml":
        return flat_prior(problem.K, problem.priors)
    known = getattr(problem.priors, "weights", None) is not None
    if not known and np.min(np.asarray(problem.priors.weight_concentration)) < 1.0:
        raise InputError(
            "em: objective=map needs weight_concentration >= 1: below 1 the density grows "
            "without bound as a weight goes to 0; use objective=ml or a larger concentration"
        )
    return penalty_of(problem.priors, problem.K)


def _climb(
    sample: Sample,
    settings: EmSettings,
    penalty: Penalty,
    gap: float,
    start: Params,
    max_iterations: int | None = None,
) -> End:
    params = Params(*(np.array(a, dtype=float) for a in start))
    path = np.empty(max_iterations or settings.max_iterations)
    how = (penalty, SCORE_TOLERANCE * sample.n, gap, settings.accelerate, path)
    v, c = sample.values, sample.counts.astype(float)
    if sample.errors is None:
        outcome, used = climb(v, c, *params, *how)
    else:
        outcome, used = measured_climb(v, sample.errors, c, *params, *how)
    return end_at(params, path[:used], outcome)


def end_at(params: Params, path: Array, outcome: int) -> End:
    """Return where a climb ended, and tell a maximum from the point where all are equal.

    Parameters
    ----------
    params : Params
        The end, arrays of shape (K,).
    path : ndarray, shape (iterates,)
        The objective at each iterate; copied.
    outcome : int
        CONVERGED, OUT_OF_ITERATIONS or COLLAPSED.

    Returns
    -------
    End
        Its outcome may be EQUAL_MEANS instead of CONVERGED.
    """
    if outcome == CONVERGED and params.K > 1 and _all_equal(params):
        outcome = EQUAL_MEANS
    return End(params, path.copy(), outcome)


def _all_equal(params: Params) -> bool:
    """Whether all components coincide, in units of their sd."""
    sd = params.sigma.mean()
    return bool(np.ptp(params.mu) < 1e-6 * sd and np.ptp(params.sigma) < 1e-6 * sd)


def collected(
    climbs: list[End],
    problem: Problem,
    settings: EmSettings,
    unit: Standardisation,
    seconds: Seconds,
    sums_at: Callable[[Params], InformationSums],
) -> Point:
    """Return the best end, in the units of the data, with all that is said of it and the others.

    Parameters
    ----------
    climbs : list of End
        One for each start, in the units of ``unit``.
    problem : Problem
        In the units of the data.
    settings : EmSettings
    unit : Standardisation
    seconds : Seconds
    sums_at : callable
        Given a point in the units of the data, returns the `InformationSums` over all of them.

    Returns
    -------
    Point

    Raises
    ------
    EngineError
        If every start collapsed, or the objective fell along the best path.
    """
    usable = [c for c in climbs if c.outcome != COLLAPSED]
    if not usable:
        raise EngineError(
            f"em: all {len(climbs)} starts collapsed: a component shrank onto one value, where the "
            "likelihood is unbounded; use fewer components or engines.em.objective=map"
        )
    # The saddle where all components are equal counts only if nothing else was reached.
    usable.sort(key=lambda c: (c.outcome == EQUAL_MEANS, -c.path[-1]))
    best = usable[0]
    _assert_monotone(best.path)
    params = problem.priors.kept(out_of_unit(best.params, unit))
    offset = -problem.sample.n * float(np.log(unit.scale))
    if settings.objective == "map":
        offset += _prior_constant(problem, unit, best.params)
    sums = sums_at(params)
    extra: dict[str, NDArray[Any]] = {
        "objective_path": best.path + offset,
        "start_objective": np.array([c.path[-1] for c in climbs]) + offset,
        "start_outcome": np.array([c.outcome for c in climbs]),
        "start_iterations": np.array([c.path.size for c in climbs]),
        **criteria(sums, problem.K, problem.sample.n, problem.priors),
    }
    distinct = (out_of_unit(p, unit) for p in _distinct(usable))
    solutions = tuple(problem.priors.kept(p) for p in distinct)
    errors = None
    if best.outcome != EQUAL_MEANS:
        of_map = problem.priors if settings.objective == "map" else None
        errors = standard_errors(params, sums, of_map, problem.priors)
    status = "ok" if best.outcome == CONVERGED else _explained(best.outcome)
    notes = _notes(climbs, errors is None)
    return Point(params, seconds, errors, solutions, extra, notes, status)


def _prior_constant(problem: Problem, unit: Standardisation, params: Params) -> float:
    """Return the log prior over (w, mu, log sigma^2) less the penalty of the standardised problem.

    It is the same for all points; ``params`` (standardised) is one of them.
    """
    here = out_of_unit(params, unit)
    here = problem.priors.kept(here)
    log_prior = float(problem.priors.log_density(here) + problem.priors.log_scale(here))
    in_unit = problem.priors.expanded(problem.K).transformed(unit.shift, unit.scale)
    return log_prior - float(log_penalty(*params, penalty_of(in_unit, problem.K)))


def _assert_monotone(path: Array) -> None:
    fall = float(np.max(-np.diff(path), initial=0.0))
    if fall > 1e-9 * max(1.0, float(np.abs(path).max())):
        raise EngineError(f"em: the objective fell by {fall:.3g}, which EM never does: a bug")


def _distinct(climbs: list[End]) -> list[Params]:
    """Return converged ends that differ, best first."""
    found: list[End] = []
    for c in climbs:
        if c.outcome == CONVERGED and all(
            abs(c.path[-1] - other.path[-1]) > 1e-4
            or not np.allclose(
                c.params.ordered_by_mean(), other.params.ordered_by_mean(), rtol=0, atol=1e-2
            )
            for other in found
        ):
            found.append(c)
    return [c.params for c in found]


def _explained(outcome: int) -> str:
    if outcome == EQUAL_MEANS:
        return (
            "stuck where all components are equal: a fixed point of EM that is no maximum; "
            "start from different means (engines.em.start=spread)"
        )
    return "did not converge: raise engines.em.max_iterations"


def _notes(climbs: list[End], no_errors: bool) -> tuple[str, ...]:
    counts = np.bincount([c.outcome for c in climbs], minlength=len(OUTCOMES))
    notes = [f"{counts[CONVERGED]} of {len(climbs)} starts converged"]
    if counts[COLLAPSED]:
        notes.append(
            f"{counts[COLLAPSED]} starts collapsed onto one value (unbounded likelihood), discarded"
        )
    if counts[OUT_OF_ITERATIONS]:
        notes.append(f"{counts[OUT_OF_ITERATIONS]} starts ran out of iterations")
    if counts[EQUAL_MEANS]:
        notes.append(
            f"{counts[EQUAL_MEANS]} starts ended with all components equal, a fixed point of EM "
            "that is no maximum"
        )
    if no_errors:
        notes.append("no standard errors: the observed information is not positive definite there")
    return tuple(notes)

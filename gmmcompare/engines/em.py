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
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmmcompare.card import EmSettings
from gmmcompare.engines.base import (
    Point,
    Problem,
    Progress,
    Seconds,
    out_of_unit,
)
from gmmcompare.engines.em_kernel import (
    COLLAPSED,
    CONVERGED,
    OUT_OF_ITERATIONS,
    climb,
    flat_prior,
    log_penalty,
    penalty_of,
)
from gmmcompare.engines.starts import start_point
from gmmcompare.errors import EngineError, InputError
from gmmcompare.mixture import log_likelihood, responsibilities
from gmmcompare.params import Array, Params
from gmmcompare.sample import Sample, Standardisation

EQUAL_MEANS = 3
OUTCOMES = ("converged", "out of iterations", "collapsed", "all components equal")
SCORE_TOLERANCE = 1e-8
"""EM stops where no derivative of the objective exceeds this times N."""
BLOCK = 10_000
"""Values treated together for standard errors, which need 3 K^2 numbers for each."""


@dataclass(frozen=True)
class _Climb:
    """One start's end: parameters, objective at each iterate, and how it ended."""

    params: Params
    path: Array
    outcome: int


class EmEngine:
    """EM from many starts; see the module."""

    name = "em"

    def __init__(self, settings: EmSettings) -> None:
        self._settings = settings

    @property
    def settings(self) -> Mapping[str, Any]:
        """Settings of the card."""
        return self._settings.model_dump()

    def run(self, problem: Problem, seed: int, progress: Progress) -> Point:
        """Climb from every start and return the best end.

        Raises
        ------
        EngineError
            If every start collapsed.
        InputError
            If a MAP is asked for under a weight_concentration below 1: it has no mode inside.
        """
        started = time.perf_counter()
        settings = self._settings
        if settings.objective == "map" and (
            np.min(np.asarray(problem.priors.weight_concentration)) < 1.0
        ):
            raise InputError(
                "em: objective=map needs weight_concentration >= 1: below 1 the density grows "
                "without bound as a weight goes to 0; use objective=ml or a larger concentration"
            )
        unit_problem, unit = problem.standardised()
        starts = _starts(unit_problem, settings, seed, unit.scale)
        # In the values as given: standardising may round two of them to one.
        gap = float(np.diff(problem.sample.values).min(initial=np.inf)) / unit.scale
        _climb(unit_problem, settings, gap, starts[0], 1)  # loads the compiled code
        ready = time.perf_counter()
        climbs = []
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            ends = pool.map(lambda start: _climb(unit_problem, settings, gap, start), starts)
            for i, end in enumerate(ends):
                climbs.append(end)
                progress((i + 1) / len(starts))
        seconds = Seconds(ready - started, time.perf_counter() - ready)
        return _collected(climbs, problem, settings, unit, seconds)


def _starts(problem: Problem, settings: EmSettings, seed: int, scale: float) -> list[Params]:
    """Return the starting points: k-means++ and random responsibilities in turn, or a lecture's."""
    rng = np.random.default_rng(seed)
    if settings.start == "lecture":
        return [start_point("lecture", problem, rng, scale)] * settings.starts
    rules = (_spread_start, _random_responsibilities_start)
    return [rules[i % 2](problem.sample, problem.K, rng) for i in range(settings.starts)]


def _spread_start(sample: Sample, K: int, rng: np.random.Generator) -> Params:
    """k-means++ seeding (Arthur and Vassilvitskii 2007) on 200 quantile-spread points."""
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


def _random_responsibilities_start(sample: Sample, K: int, rng: np.random.Generator) -> Params:
    """Give every distinct value random responsibilities and take one M-step."""
    r = rng.dirichlet(np.full(K, 0.3), size=sample.n_distinct) * sample.counts[:, None]
    n_k = r.sum(axis=0)
    mu = r.T @ sample.values / n_k
    sigma = np.sqrt((r * (sample.values[:, None] - mu) ** 2).sum(axis=0) / n_k)
    return Params(n_k / sample.n, mu, np.maximum(sigma, _spread(sample) / 100.0))


def _spread(sample: Sample) -> float:
    """Return the sd of the sample, or 1 where all values are equal: a start needs an sd."""
    return sample.sd or 1.0


def _climb(
    problem: Problem,
    settings: EmSettings,
    gap: float,
    start: Params,
    max_iterations: int | None = None,
) -> _Climb:
    sample, K = problem.sample, problem.K
    penalty = flat_prior(K) if settings.objective == "ml" else penalty_of(problem.priors, K)
    params = Params(*(np.array(a, dtype=float) for a in start))
    path = np.empty(max_iterations or settings.max_iterations)
    outcome, used = climb(
        sample.values,
        sample.counts.astype(float),
        *params,
        penalty,
        SCORE_TOLERANCE * sample.n,
        gap,
        settings.accelerate,
        path,
    )
    if outcome == CONVERGED and K > 1 and _all_equal(params):
        outcome = EQUAL_MEANS
    return _Climb(params, path[:used].copy(), outcome)


def _all_equal(params: Params) -> bool:
    """Whether all components coincide, in units of their sd."""
    sd = params.sigma.mean()
    return bool(np.ptp(params.mu) < 1e-6 * sd and np.ptp(params.sigma) < 1e-6 * sd)


def _collected(
    climbs: list[_Climb],
    problem: Problem,
    settings: EmSettings,
    unit: Standardisation,
    seconds: Seconds,
) -> Point:
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
    params = out_of_unit(best.params, unit)
    offset = -problem.sample.n * float(np.log(unit.scale))
    if settings.objective == "map":
        offset += _prior_constant(problem, unit, best.params)
    extra: dict[str, NDArray[Any]] = {
        "objective_path": best.path + offset,
        "start_objective": np.array([c.path[-1] for c in climbs]) + offset,
        "start_outcome": np.array([c.outcome for c in climbs]),
        "start_iterations": np.array([c.path.size for c in climbs]),
        **_criteria(problem.sample, params),
    }
    solutions = tuple(out_of_unit(p, unit) for p in _distinct(usable))
    errors = None
    if best.outcome != EQUAL_MEANS:
        errors = standard_errors(problem, params, settings.objective == "map")
    status = "ok" if best.outcome == CONVERGED else _explained(best.outcome)
    notes = _notes(climbs, errors is None)
    return Point(params, seconds, errors, solutions, extra, notes, status)


def _prior_constant(problem: Problem, unit: Standardisation, params: Params) -> float:
    """Return the log prior over (w, mu, log sigma^2) less the penalty of the standardised problem.

    It is the same for all points; ``params`` (standardised) is one of them.
    """
    here = out_of_unit(params, unit)
    log_prior = float(problem.priors.log_density(here)) + 2.0 * float(np.log(here.sigma).sum())
    in_unit = problem.priors.expanded(problem.K).transformed(unit.shift, unit.scale)
    return log_prior - float(log_penalty(*params, penalty_of(in_unit, problem.K)))


def _assert_monotone(path: Array) -> None:
    fall = float(np.max(-np.diff(path), initial=0.0))
    if fall > 1e-9 * max(1.0, float(np.abs(path).max())):
        raise EngineError(f"em: the objective fell by {fall:.3g}, which EM never does: a bug")


def _distinct(climbs: list[_Climb]) -> list[Params]:
    """Return converged ends that differ, best first."""
    found: list[_Climb] = []
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


def _notes(climbs: list[_Climb], no_errors: bool) -> tuple[str, ...]:
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


def _criteria(sample: Sample, params: Params) -> dict[str, NDArray[Any]]:
    """AIC, BIC and ICL (Biernacki, Celeux and Govaert 2000); smaller is better."""
    log_lik = float(log_likelihood(sample, params))
    free = 3 * params.K - 1
    r = responsibilities(sample.values, params)
    entropy = -float(sample.counts @ np.sum(r * np.log(np.maximum(r, 1e-300)), axis=1))
    bic = -2.0 * log_lik + free * float(np.log(sample.n))
    values = {"aic": -2.0 * log_lik + 2 * free, "bic": bic, "icl": bic + 2.0 * entropy}
    return {name: np.array(value) for name, value in values.items()}


def standard_errors(problem: Problem, params: Params, with_priors: bool) -> Params | None:
    """Return standard errors of (w, mu, sigma) from the observed information (Louis 1982).

    Returns None where the information is not positive definite: the point is no strict maximum.
    """
    information = observed_information(problem, params, with_priors)
    K = params.K
    try:
        np.linalg.cholesky(information)
        covariance = np.linalg.inv(information)
    except np.linalg.LinAlgError:
        return None
    # Delta method: dw/dlogit = diag(w) - w w', the last logit being fixed at 0.
    jacobian = (np.diag(params.w) - np.outer(params.w, params.w))[:, : K - 1]
    w = np.sqrt(np.einsum("ki,ij,kj->k", jacobian, covariance[: K - 1, : K - 1], jacobian))
    spread = np.sqrt(np.diag(covariance)[K - 1 :])
    return Params(w, spread[:K], params.sigma * spread[K:])


def observed_information(problem: Problem, params: Params, with_priors: bool) -> Array:
    """Return minus the Hessian in (logits of w with the last at 0, mu, log sigma).

    Louis's identity: expected complete-data information less the covariance of complete-data
    scores given y, each summed over distinct values with their counts. Shape (3K-1, 3K-1).
    """
    K, w, sigma = params.K, params.w, params.sigma
    v, c = problem.sample.values, problem.sample.counts
    sums = np.zeros((3, K))
    covariance = np.zeros((3 * K, 3 * K))
    for start in range(0, v.size, BLOCK):
        at = slice(start, start + BLOCK)
        _add_information(v[at], c[at], params, sums, covariance)
    n_k, sum_t, sum_tt = sums
    complete = np.zeros((3 * K, 3 * K))
    complete[:K, :K] = n_k.sum() * (np.diag(w) - np.outer(w, w))
    i = np.arange(K)
    complete[K + i, K + i] = n_k / sigma**2
    complete[K + i, 2 * K + i] = complete[2 * K + i, K + i] = 2.0 * sum_t / sigma
    complete[2 * K + i, 2 * K + i] = 2.0 * sum_tt
    if with_priors:
        p = problem.priors.expanded(K)
        concentration = np.asarray(p.weight_concentration) - 1.0
        complete[:K, :K] += concentration.sum() * (np.diag(w) - np.outer(w, w))
        complete[K + i, K + i] += np.asarray(p.mean_sd) ** -2.0
        complete[2 * K + i, 2 * K + i] += 4.0 * np.asarray(p.var_scale) / sigma**2
    free = np.delete(np.arange(3 * K), K - 1)
    return np.asarray((complete - covariance)[np.ix_(free, free)])


def _add_information(
    v: Array, c: NDArray[np.integer], params: Params, sums: Array, covariance: Array
) -> None:
    """Add what a block of values contributes to expected sums and to the scores' covariance.

    ``sums`` (3, K) are of r, r t and r t^2 with t = (v - mu) / sigma; ``covariance`` (3K, 3K) is of
    the complete-data scores given y, in (logits, mu, log sigma).
    """
    K, (w, mu, sigma) = params.K, params
    r = responsibilities(v, params)
    t = (v[:, None] - mu) / sigma
    sums += np.stack([c @ r, c @ (r * t), c @ (r * t**2)])
    # Scores of an observation allocated to k: (values, K, parameter).
    s = np.zeros((v.size, K, 3 * K))
    for k in range(K):
        s[:, k, :K] = -w
        s[:, k, k] += 1.0
        s[:, k, K + k] = t[:, k] / sigma[k]
        s[:, k, 2 * K + k] = t[:, k] ** 2 - 1.0
    s -= np.einsum("dk,dkp->dp", r, s)[:, None]
    covariance += np.einsum("d,dk,dkp,dkq->pq", c, r, s, s, optimize=True)

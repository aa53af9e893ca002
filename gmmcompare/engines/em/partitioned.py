"""EM over data in partitions, here or on Dask workers.

The E-step needs from each partition its expected sufficient statistics, 3 K numbers for every
climb, and the log-likelihood; the M-step, the extrapolation and the test of convergence are those
for data in one piece. Climbs begin at the solutions of EM on the sketch of the data, and go on side
by side until all have ended.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numba import njit

from gmmcompare.data.partitions.grid import PartitionedSample
from gmmcompare.data.partitions.pieces import sum_in_order
from gmmcompare.engines.base import (
    Point,
    Problem,
    Seconds,
    Step,
    into_unit,
    no_progress,
)
from gmmcompare.engines.checkpoint import Checkpoint
from gmmcompare.engines.em.compiled import (
    CLIMBING,
    Climb,
    Penalty,
    Sums,
    add_expectation,
    largest_score,
    next_point,
    proceed,
    start_climb,
    start_sums,
)
from gmmcompare.engines.em.engine import (
    SCORE_TOLERANCE,
    EmEngine,
    End,
    collected,
    end_at,
    penalty_for,
)
from gmmcompare.engines.em.information import InformationSums, information_sums
from gmmcompare.engines.layout import Layout
from gmmcompare.model.card import EmSettings
from gmmcompare.model.params import Array, Params

MOST_CLIMBS = 5
"""So many of the sketch's solutions, the best ones, are climbed from on all data."""


def expected_sums(layout: Layout, index: int, points: Sequence[Params]) -> Array:
    """Return a partition's share of the E-step at several points.

    Parameters
    ----------
    layout : Layout
        The partition's values.
    index : int
        Of the partition; not used, but every function that a `Placement` calls is given it.
    points : sequence of Params
        Each with arrays of shape (K,), in the units of the layout.

    Returns
    -------
    ndarray, shape (points, 3 K + 1)
        Expected counts, sums of y - centre_k and of its square, and the log-likelihood.
    """
    return np.stack([_expected_sums(layout, *point) for point in points])


@njit(nogil=True, cache=True, error_model="numpy")
def _expected_sums(layout: Layout, w: Array, mu: Array, sigma: Array) -> Array:
    K = w.size
    sums = Sums(np.empty(K), np.empty(K), np.empty(K), np.empty(K))
    start_sums(layout.low, layout.high, mu, sums)
    log_lik = 0.0
    for t in range(layout.heavy.size):
        a, b, at = layout.first[t], layout.first[t + 1], layout.first_c[t]
        log_lik += add_expectation(layout.v[a:b], layout.c[at : at + b - a], w, mu, sigma, sums)
    out = np.empty(3 * K + 1)
    out[:K], out[K : 2 * K], out[2 * K : 3 * K] = sums.n_k, sums.sum_d, sums.sum_sq
    out[3 * K] = log_lik
    return out


def information_of(layout: Layout, index: int, params: Params) -> InformationSums:
    """Return a partition's share of the sums behind standard errors and criteria.

    Parameters
    ----------
    layout : Layout
        The partition's values.
    index : int
        Of the partition; not used, but every function that a `Placement` calls is given it.
    params : Params
        One point, arrays of shape (K,), in the units of the layout.

    Returns
    -------
    InformationSums
    """
    parts = [information_sums(*layout.tile(t), params) for t in range(layout.n_tiles)]
    return added(parts)


def added(parts: Sequence[InformationSums]) -> InformationSums:
    """Add sums in the order given."""
    total = parts[0]
    for part in parts[1:]:
        total = total.plus(part)
    return total


class _Ascent:
    """One climb over all data, driven from outside."""

    def __init__(self, at: Climb, penalty: Penalty, tolerance: float, gap: float) -> None:
        self._at, self._penalty, self._tolerance, self._gap = at, penalty, tolerance, gap
        self.outcome = CLIMBING
        self.fraction = 0.0
        self._first_score = 0.0

    @property
    def point(self) -> Params:
        """Where the E-step is needed."""
        return Params(*(a.copy() for a in next_point(self._at)))

    def step(self, expected: Array, limits: tuple[float, float], accelerate: bool) -> None:
        """Go on, given the E-step's sums over all partitions."""
        w, mu, sigma = self.point
        n_k, sum_d, sum_sq = expected[:-1].reshape(3, -1)
        sums = Sums(np.clip(mu, *limits), n_k, sum_d, sum_sq)
        self._watch(float(largest_score(w, mu, sigma, sums, self._penalty)))
        self.outcome = proceed(
            self._at, expected[-1], sums, self._penalty, self._tolerance, self._gap, accelerate
        )

    def _watch(self, score: float) -> None:
        """Progress is the digits of the score won, of those to be won."""
        self._first_score = self._first_score or max(score, 2.0 * self._tolerance)
        to_win = np.log(self._first_score / self._tolerance)
        won = np.log(self._first_score / max(score, self._tolerance)) / to_win
        self.fraction = max(self.fraction, min(float(won), 1.0))

    @property
    def end(self) -> End:
        """Where it ended."""
        return end_at(Params(*self._at.here), self._at.path[: self._at.marks[0]], self.outcome)

    def state(self) -> tuple[Array, Array, Array]:
        """Return all there is to it, for a checkpoint: points, path, and the rest."""
        at = self._at
        points = np.array([at.here, at.old, at.step, at.jump])
        rest = np.r_[at.objective, at.marks, self.outcome, self.fraction, self._first_score]
        return points, at.path, rest

    def restore(self, points: Array, path: Array, rest: Array) -> None:
        """Go back to a state."""
        for own, kept in zip(
            (self._at.here, self._at.old, self._at.step, self._at.jump), points, strict=True
        ):
            for one, other in zip(own, kept, strict=True):
                one[:] = other
        self._at.path[: path.size] = path
        self._at.objective[:] = rest[0]
        self._at.marks[:] = rest[1:4].astype(np.int64)
        self.outcome, self.fraction, self._first_score = (
            int(rest[4]),
            float(rest[5]),
            float(rest[6]),
        )


class PartitionedEmEngine:
    """EM over partitions as an engine; see the module."""

    name = "em"

    def __init__(self, settings: EmSettings, checkpoint: Checkpoint | None = None) -> None:
        self._settings, self._checkpoint = settings, checkpoint or Checkpoint.nowhere()

    @property
    def settings(self) -> Mapping[str, Any]:
        """Settings of the card."""
        return self._settings.model_dump()

    def resuming(self, checkpoint: Checkpoint) -> PartitionedEmEngine:
        """Return the engine with a file from which it goes on, and in which it keeps its state."""
        return PartitionedEmEngine(self._settings, checkpoint)

    def run(self, problem: Problem, seed: int, progress: Step) -> Point:
        """Climb on all data from where EM on the sketch ended.

        Parameters
        ----------
        problem : Problem
            Its sample is a `PartitionedSample`.
        seed : int
            Of the starting points on the sketch.
        progress : callable
            Called after every pass over the data with the digits of the score won, as a fraction.

        Returns
        -------
        Point

        Raises
        ------
        EngineError
            If every start collapsed, or the cluster is lost.
        InputError
            If a MAP is asked for under a weight_concentration below 1.
        """
        sample, settings = problem.sample, self._settings
        assert isinstance(sample, PartitionedSample)
        started = time.perf_counter()
        sketched = replace(problem, sample=sample.summary.sketch)
        rough = EmEngine(settings).run(sketched, seed, no_progress)
        starts = (rough.solutions or (rough.params,))[:MOST_CLIMBS]
        penalty = penalty_for(settings, sketched.in_unit(sample.unit))
        ascents = [self._ascent(into_unit(start, sample.unit), penalty, sample) for start in starts]
        before = self._resume(ascents)
        ready = time.perf_counter()
        self._climb(ascents, sample, progress, before)
        self._checkpoint.discard()
        point = collected(
            [ascent.end for ascent in ascents],
            problem,
            settings,
            sample.unit,
            Seconds(ready - started, before + time.perf_counter() - ready),
            lambda params: _information_at(sample, params),
        )
        return replace(point, notes=(*_origin_of_starts(rough, sample), *point.notes))

    def _ascent(self, start: Params, penalty: Penalty, sample: PartitionedSample) -> _Ascent:
        point = (np.array(a, dtype=float) for a in start)
        at = start_climb(*point, np.empty(self._settings.max_iterations))
        gap = sample.summary.gap / sample.unit.scale
        return _Ascent(at, penalty, SCORE_TOLERANCE * sample.n, gap)

    def _climb(
        self,
        ascents: list[_Ascent],
        sample: PartitionedSample,
        progress: Step,
        before: float,
    ) -> None:
        """Go through the data again and again, for all climbs at once, until all have ended."""
        started = time.perf_counter()
        while active := [ascent for ascent in ascents if ascent.outcome == CLIMBING]:
            points = [ascent.point for ascent in active]
            sums = sum_in_order(sample.partitions.collect(expected_sums, points))
            for ascent, own in zip(active, sums, strict=True):
                ascent.step(own, sample.limits, self._settings.accelerate)
            self._save(ascents, before + time.perf_counter() - started)
            progress(float(np.mean([ascent.fraction for ascent in ascents])))
        progress(1.0)

    def _save(self, ascents: list[_Ascent], seconds: float) -> None:
        points, paths, rest = zip(*(ascent.state() for ascent in ascents), strict=True)
        longest = max(int(r[1]) for r in rest)
        self._checkpoint.save(
            {
                "points": np.array(points),
                "paths": np.array([path[:longest] for path in paths]),
                "rest": np.array(rest),
                "seconds": np.array(seconds),
            }
        )

    def _resume(self, ascents: list[_Ascent]) -> float:
        """Go back to the checkpoint, if there is one; return the seconds that were spent."""
        kept = self._checkpoint.load()
        if kept is None:
            return 0.0
        states = zip(kept["points"], kept["paths"], kept["rest"], strict=True)
        for ascent, state in zip(ascents, states, strict=True):
            ascent.restore(*state)
        return float(kept["seconds"])


def _information_at(sample: PartitionedSample, params: Params) -> InformationSums:
    """Return the sums over all values, at a point in the units of the data."""
    here = into_unit(params, sample.unit)
    sums = added(sample.partitions.collect(information_of, here))
    return sums.for_unit(sample.n, sample.unit.scale)


def _origin_of_starts(rough: Point, sample: PartitionedSample) -> tuple[str, ...]:
    points = sample.summary.sketch.n_distinct
    return (
        f"on a sketch of {points:,} points, {rough.notes[0]}",
        f"from its best solutions EM climbed on all {sample.n:,} values",
    )

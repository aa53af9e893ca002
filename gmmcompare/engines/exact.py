"""The exact posterior as an engine: independent draws, which no sampler can better.

They stand in for a sampler known to be correct, where data are few enough (see `model.exact`).
"""

from __future__ import annotations

import time

import numpy as np

from gmmcompare.engines.base import Configured, Draws, Problem, Seconds, Step, chain_streams
from gmmcompare.model.card import ExactSettings
from gmmcompare.model.exact import exact_posterior


class ExactEngine(Configured[ExactSettings]):
    """Independent posterior draws, presented as chains."""

    name = "exact"

    def run(self, problem: Problem, seed: int, progress: Step) -> Draws:
        """Draw from the exact posterior.

        Parameters
        ----------
        problem : Problem
            Of at most 16 observations.
        seed : int
        progress : callable
            Called with the fraction of chains drawn.

        Returns
        -------
        Draws
            ``extra`` holds the log evidence, P(occupancy) and the co-clustering matrix, all exact.

        Raises
        ------
        InputError
            If there are more observations than `exact_posterior` takes.
        """
        started = time.perf_counter()
        errors = problem.sample.y_errors
        posterior = exact_posterior(problem.sample.y, problem.K, problem.priors, errors)
        prepared = time.perf_counter()
        points, counts = [], []
        for streams in chain_streams(seed, self._settings.chains):
            point, z = posterior.sample_with_allocations(self._settings.draws, streams.parameters)
            points.append(point)
            counts.append((z[..., None] == np.arange(problem.K)).sum(axis=1).astype(float))
            progress(len(points) / self._settings.chains)
        return Draws(
            type(points[0])(*(np.stack(chains) for chains in zip(*points, strict=True))),
            Seconds(prepared - started, time.perf_counter() - prepared),
            stats={"n_k": np.stack(counts)},
            extra={
                "log_evidence": np.array(posterior.log_evidence),
                "prob_occupied": posterior.prob_occupied,
                "coclustering": posterior.coclustering,
            },
        )

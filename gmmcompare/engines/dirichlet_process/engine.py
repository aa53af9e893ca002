"""The Dirichlet process mixture as it is run: chains on threads."""

from __future__ import annotations

from functools import partial

import numpy as np

from gmmcompare.engines.base import Streams, no_progress
from gmmcompare.engines.components import (
    Chain,
    ComponentsDraws,
    ComponentsProblem,
    Lengths,
    RunChain,
    run_chains,
)
from gmmcompare.engines.dirichlet_process.compiled import AUXILIARY, Model, State, advance
from gmmcompare.engines.gibbs.plain import allocated
from gmmcompare.model.mixture import responsibilities
from gmmcompare.model.params import Params
from gmmcompare.runtime.progress import Step


def run(
    problem: ComponentsProblem,
    alpha: float,
    seed: int,
    lengths: Lengths,
    progress: Step = no_progress,
) -> ComponentsDraws:
    """Run chains of a Dirichlet process mixture.

    Parameters
    ----------
    problem : ComponentsProblem
        The prior on K and the weights' concentration play no part, but that ``max_K`` clusters of
        each draw are stored.
    alpha : float
        Concentration of the process.
    seed : int
    lengths : Lengths
    progress : callable
        Called with the fraction of sweeps done.

    Returns
    -------
    ComponentsDraws
        Weights are n_k / (N + alpha): what is missing to 1 is the weight of clusters not seen.
    """
    return run_chains(problem, seed, lengths, (), partial(prepared, alpha), progress)


def prepared(
    alpha: float, problem: ComponentsProblem, start: Params, streams: Streams, chain: Chain
) -> RunChain:
    """Prepare a chain, which starts with the clusters of a random allocation.

    Parameters
    ----------
    alpha : float
    problem : ComponentsProblem
        In standardised units.
    start : Params
        Arrays of shape (K,).
    streams : Streams
    chain : Chain
        Where draws are written.
    """
    y, rng = problem.sample.y, streams.parameters
    model = Model(*problem.of_one, alpha)
    first = allocated(responsibilities(y, start), rng.random(y.size))
    occupied, z = np.unique(first, return_inverse=True)
    room = np.ones(y.size + AUXILIARY - occupied.size)
    state = State(
        np.append(start.mu[occupied], room),
        np.append(start.sigma[occupied], room),
        np.append(np.bincount(z).astype(float), 0.0 * room),
        z.astype(np.int64),
    )
    used = int(occupied.size)
    out = (*chain.params, chain.K, chain.n_occupied)

    def run(n_sweeps: int, at: int, every: int) -> None:
        nonlocal used
        used = advance(n_sweeps, used, y, state, model, rng, at, every, out)

    return run

"""Reversible jump as it is run: chains on threads."""

from __future__ import annotations

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
from gmmcompare.engines.reversible_jump.compiled import MOVES, advance
from gmmcompare.engines.reversible_jump.ratios import Model, State, Terms
from gmmcompare.model.params import Params
from gmmcompare.runtime.progress import Step


def run(
    problem: ComponentsProblem,
    seed: int,
    lengths: Lengths,
    progress: Step = no_progress,
) -> ComponentsDraws:
    """Run chains of the reversible jump sampler.

    Parameters
    ----------
    problem : ComponentsProblem
    seed : int
    lengths : Lengths
    progress : callable
        Called with the fraction of sweeps done.
    """
    return run_chains(problem, seed, lengths, MOVES, prepared, progress)


def model_of(problem: ComponentsProblem) -> Model:
    """Return the priors as compiled code takes them."""
    return Model(*problem.of_one, problem.on_k.log_prob, problem.concentrations)


def prepared(
    problem: ComponentsProblem,
    start: Params,
    streams: Streams,
    chain: Chain,
    terms: Terms = Terms(),  # noqa: B008 (immutable)
) -> RunChain:
    """Prepare a chain.

    Parameters
    ----------
    problem : ComponentsProblem
    start : Params
        Arrays of shape (K,).
    streams : Streams
        Only that of the parameters is used.
    chain : Chain
        Where draws are written.
    terms : Terms
        Of the acceptance ratios; others than the default make a wrong sampler.
    """
    K, y, model = start.K, problem.sample.y, model_of(problem)
    w, mu, sigma = (np.append(a, np.ones(problem.max_K - K)) for a in start)
    state = State(w, mu, sigma, np.zeros(problem.max_K), np.zeros(y.size, dtype=np.int64))
    out = (*chain.params, chain.K, chain.n_occupied)
    counts = (chain.proposed, chain.accepted)

    def run(n_sweeps: int, at: int, every: int) -> None:
        nonlocal K
        K = advance(n_sweeps, K, y, state, model, terms, streams.parameters, at, every, out, counts)

    return run

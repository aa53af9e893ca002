"""The telescoping sampler as it is run: compiled chains on threads, or the plain one."""

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
from gmmcompare.engines.gibbs.compiled import prior_arrays, workspace
from gmmcompare.engines.layout import build_layout
from gmmcompare.engines.telescoping import plain
from gmmcompare.engines.telescoping.compiled import Numbers, advance
from gmmcompare.model.params import Params
from gmmcompare.runtime.progress import Step


def run(
    problem: ComponentsProblem,
    seed: int,
    lengths: Lengths,
    progress: Step = no_progress,
    *,
    compiled: bool = True,
) -> ComponentsDraws:
    """Run chains of the telescoping sampler.

    Parameters
    ----------
    problem : ComponentsProblem
    seed : int
    lengths : Lengths
    progress : callable
        Called with the fraction of sweeps done.
    compiled : bool
        False: run the plain sampler, which makes the same draws.
    """
    make = compiled_chain if compiled else plain_chain
    return run_chains(problem, seed, lengths, (), make, progress)


def compiled_chain(
    problem: ComponentsProblem, start: Params, streams: Streams, chain: Chain
) -> RunChain:
    """Prepare a compiled chain.

    Parameters
    ----------
    problem : ComponentsProblem
        In standardised units.
    start : Params
        Arrays of shape (K,).
    streams : Streams
    chain : Chain
        Where draws are written.
    """
    max_K, K = problem.max_K, start.K
    layout = build_layout(problem.sample)
    padded = Params(*(np.append(a, np.ones(max_K - K)) for a in start))
    work = workspace(padded, layout.width)
    prior = prior_arrays(problem.priors, max_K)
    numbers = Numbers(problem.on_k.log_prob, problem.concentrations)
    u, log_p = np.empty(problem.sample.n), np.empty(max_K)
    out = (*chain.params, chain.K, chain.n_occupied)

    def run(n_sweeps: int, at: int, every: int) -> None:
        nonlocal K
        K = advance(
            n_sweeps,
            K,
            layout,
            u,
            work,
            prior,
            numbers,
            log_p,
            streams.allocations,
            streams.parameters,
            at,
            every,
            out,
        )

    return run


def plain_chain(
    problem: ComponentsProblem, start: Params, streams: Streams, chain: Chain
) -> RunChain:
    """Prepare a plain chain, which goes through the data in the compiled one's order.

    Parameters
    ----------
    problem : ComponentsProblem
        In standardised units.
    start : Params
        Arrays of shape (K,).
    streams : Streams
    chain : Chain
        Where draws are written.
    """
    y = build_layout(problem.sample).observations()
    point = start

    def run(n_sweeps: int, at: int, every: int) -> None:
        nonlocal point
        for sweep in range(at, at + n_sweeps):
            u = streams.allocations.random(y.size)
            point, occupied = plain.sweep(point, y, problem, u, streams.parameters)
            if sweep >= 0 and sweep % every == 0:
                draw = sweep // every
                for array, value in zip(chain.params, point, strict=True):
                    array[draw, : point.K] = value
                chain.K[draw], chain.n_occupied[draw] = point.K, occupied

    return run

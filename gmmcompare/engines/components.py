"""What samplers of a mixture with a random number of components are given, and what they return.

Draws have a changing number of components. They are stored padded: of the last axis, as long as
``max_K``, the first K entries are components and the rest NaN, in every draw.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from gmmcompare.engines.base import Problem, Seconds, Streams, chain_streams, out_of_unit
from gmmcompare.engines.starts import start_point
from gmmcompare.model.params import Array, Params
from gmmcompare.model.prior_on_k import PriorOnK
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample, Standardisation
from gmmcompare.runtime.progress import Step

BLOCK = 1000
"""Sweeps between two reports of progress."""


@dataclass(frozen=True)
class ComponentsProblem:
    """One data set, priors on K and on the components.

    Attributes
    ----------
    sample : Sample
    priors : Priors
        One number for each field.
    on_k : PriorOnK
    dynamic : bool
        Weights given K are Dirichlet(c / K, ...) in place of Dirichlet(c, ...).
    """

    sample: Sample
    priors: Priors
    on_k: PriorOnK
    dynamic: bool = False

    @property
    def of_one(self) -> tuple[float, float, float, float]:
        """Location and sd of a component's mean; shape and scale of its variance."""
        p = self.priors.expanded(1)
        fields = (p.mean_loc, p.mean_sd, p.var_shape, p.var_scale)
        m0, s0, a, b = (float(np.asarray(value)[0]) for value in fields)
        return m0, s0, a, b

    @property
    def max_K(self) -> int:
        """Largest number of components."""
        return self.on_k.max_K

    @cached_property
    def weights_given(self) -> tuple[Priors, ...]:
        """Priors of the weights given K = 1..max_K, each with fields of shape (K,)."""
        return tuple(Priors(c).expanded(K) for K, c in enumerate(self.concentrations, 1))

    @cached_property
    def concentrations(self) -> Array:
        """The concentration of the weights given K = 1..max_K, shape (max_K,)."""
        c = float(np.atleast_1d(self.priors.weight_concentration)[0])
        K = np.arange(1.0, self.max_K + 1)
        return np.asarray(c / K if self.dynamic else np.full(K.size, c))

    def standardised(self) -> tuple[ComponentsProblem, Standardisation]:
        """Return the same problem for standardised data, and the way back."""
        unit = Standardisation.of(self.sample)
        priors = self.priors.transformed(unit.shift, unit.scale)
        return replace(self, sample=unit.apply(self.sample), priors=priors), unit


class Chain(NamedTuple):
    """One chain's draws: parameters (n, max_K) with NaN beyond K, numbers (n,), and counts."""

    params: Params
    K: NDArray[np.int64]
    n_occupied: NDArray[np.int64]
    proposed: NDArray[np.int64]  # (moves,) how often each move was proposed
    accepted: NDArray[np.int64]

    @classmethod
    def of(cls, n: int, max_K: int, n_moves: int) -> Chain:
        """Return room for n draws.

        Parameters
        ----------
        n : int
            Number of draws.
        max_K : int
        n_moves : int
            Number of moves that may be rejected.
        """
        params = Params(*(np.full((n, max_K), np.nan) for _ in Params._fields))
        numbers = [np.zeros(n, dtype=np.int64) for _ in range(2)]
        moves = [np.zeros(n_moves, dtype=np.int64) for _ in range(2)]
        return cls(params, *numbers, *moves)


@dataclass(frozen=True)
class ComponentsDraws:
    """Draws of a sampler of K.

    Attributes
    ----------
    params : Params
        Arrays of shape (chains, draws, max_K), NaN beyond each draw's K, in the units of the data.
    K, n_occupied : ndarray of int, shape (chains, draws)
        Number of components, and of those that hold an observation.
    seconds : Seconds
    acceptance : mapping of str to float
        Share of proposals accepted, by move; empty for samplers that always move.
    """

    params: Params
    K: NDArray[np.int64]
    n_occupied: NDArray[np.int64]
    seconds: Seconds
    acceptance: Mapping[str, float] = field(default_factory=dict)

    def tree(self) -> Any:
        """Return the draws as an ArviZ DataTree: K, K_plus and padded w, mu, sigma."""
        import arviz as az

        posterior = {"K": self.K, "K_plus": self.n_occupied, **self.params._asdict()}
        dims = {name: ["component"] for name in Params._fields}
        return az.from_dict({"posterior": posterior}, dims=dims)


class Lengths(NamedTuple):
    """How long chains are: ``every`` sweeps for each draw that is kept."""

    chains: int
    warmup: int
    draws: int
    every: int = 1


class RunChain(Protocol):
    """Run sweeps ``at``, ``at + 1``, ... of one chain, negative in warmup; keep some of them."""

    def __call__(self, n_sweeps: int, at: int, every: int) -> None:
        """Run them."""
        ...


def run_chains(
    problem: ComponentsProblem,
    seed: int,
    lengths: Lengths,
    moves: tuple[str, ...],
    make: Callable[[ComponentsProblem, Params, Streams, Chain], RunChain],
    progress: Step,
) -> ComponentsDraws:
    """Run chains on threads; the draws do not depend on the number of threads.

    Parameters
    ----------
    problem : ComponentsProblem
        In the units of the data; chains see standardised data.
    seed : int
    lengths : Lengths
    moves : tuple of str
        Names of the moves that may be rejected.
    make : callable
        ``make(problem, start, streams, chain)`` prepares a chain and returns what runs it.
    progress : callable
        Called with the fraction of sweeps done.
    """
    started = time.perf_counter()
    n_chains, warmup, draws, every = lengths
    sweeps = draws * every
    in_unit, unit = problem.standardised()
    chains = [Chain.of(draws, problem.max_K, len(moves)) for _ in range(n_chains)]
    runners = []
    for i, streams in enumerate(chain_streams(seed, n_chains)):
        # Far apart, and with many components: superfluous ones are soon empty, but from
        # one component for thousands of observations no sampler finds a second.
        K = max(1, problem.max_K - (i * problem.max_K) // (2 * n_chains))
        of_this_K = Problem(in_unit.sample, K, in_unit.priors)
        start = start_point("overdispersed", of_this_K, streams.parameters)
        runners.append(make(in_unit, start, streams, chains[i]))
    for runner in runners[:1]:
        runner(0, 0, every)  # compile before the clock of sampling starts
    compiled = time.perf_counter()
    done, lock, total = 0, threading.Lock(), n_chains * (warmup + sweeps)
    stop = threading.Event()

    def run(runner: RunChain) -> None:
        nonlocal done
        at = -warmup
        while at < sweeps and not stop.is_set():
            n = min(BLOCK, sweeps - at)
            runner(n, at, every)
            at += n
            with lock:
                done += n
                fraction = done / total
            progress(fraction)

    with ThreadPoolExecutor(min(n_chains, os.cpu_count() or 1)) as pool:
        try:
            for running in [pool.submit(run, runner) for runner in runners]:
                running.result()
        finally:
            stop.set()  # on Ctrl-C the chains end at their next block
    seconds = Seconds(compiled - started, time.perf_counter() - compiled)
    return _collected(chains, moves, unit, seconds)


def _collected(
    chains: list[Chain], moves: tuple[str, ...], unit: Standardisation, seconds: Seconds
) -> ComponentsDraws:
    params = Params(
        *(np.stack([getattr(c.params, name) for c in chains]) for name in Params._fields)
    )
    proposed, accepted = (
        np.sum([getattr(c, name) for c in chains], axis=0) for name in ("proposed", "accepted")
    )
    shares = {m: a / p for m, p, a in zip(moves, proposed, accepted, strict=True) if p}
    return ComponentsDraws(
        out_of_unit(params, unit),
        np.stack([c.K for c in chains]),
        np.stack([c.n_occupied for c in chains]),
        seconds,
        {m: float(s) for m, s in shares.items()},
    )

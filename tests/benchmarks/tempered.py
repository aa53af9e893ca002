"""Samplers of the number of components that go up and down a ladder of concentrations.

With c = 1 and thousands of observations a component that is born has to grow from one observation
to hundreds through sizes that are improbable, about 1/N each; with c = 1/16 such sizes are common.
Serial tempering (Marinari and Parisi 1992; Geyer and Thompson 1995) makes the concentration a
variable: it is drawn given the allocations, from rungs whose pseudo-priors are learnt in warmup and
then left alone. Every draw counts for every prior on K and on the weights, by its importance
weight, in which data and parameters cancel: only sizes of components are left.

``python -m tests.benchmarks.tempered SAMPLER SWEEPS`` prints p(K | y) of the exoplanets under the
four priors of `reports/components.md`; GMMCOMPARE_EXOPLANETS names the table.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from math import lgamma
from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.special import logsumexp

from gmmcompare.data import load_sample
from gmmcompare.engines.base import Problem, Streams, chain_streams
from gmmcompare.engines.components import ComponentsProblem
from gmmcompare.engines.gibbs.compiled import prior_arrays, workspace
from gmmcompare.engines.layout import build_layout
from gmmcompare.engines.reversible_jump import compiled as reversible_jump
from gmmcompare.engines.reversible_jump.engine import model_of
from gmmcompare.engines.reversible_jump.ratios import State, Terms
from gmmcompare.engines.starts import start_point
from gmmcompare.engines.telescoping.compiled import Numbers, advance
from gmmcompare.model.params import Array, Params
from gmmcompare.model.prior_on_k import PriorOnK
from gmmcompare.model.priors import Priors

RUNGS = np.geomspace(1 / 16, 1.0, 8)
BATCHES = 25


class Tables(NamedTuple):
    """Log prior of K and concentration given K, of several priors, (priors, max_K) each."""

    log_prob: Array
    concentration: Array

    @classmethod
    def of(cls, problems: list[ComponentsProblem]) -> Tables:
        return cls(
            np.array([p.on_k.log_prob for p in problems]),
            np.array([p.concentrations for p in problems]),
        )


@njit
def log_joint(n_k: Array, log_prob: Array, concentration: Array) -> Array:
    """Return log p(K) p(allocations | K) of every prior and K, for sizes n_k of occupied ones.

    Allocations are told apart by their partition only. Shape (priors, max_K).
    """
    occupied, n = n_k.size, n_k.sum()
    out = np.full(log_prob.shape, -np.inf)
    for i in range(log_prob.shape[0]):
        last, sizes = -1.0, 0.0
        for K in range(occupied, log_prob.shape[1] + 1):
            c = concentration[i, K - 1]
            if c != last:
                sizes = 0.0
                for k in range(occupied):
                    sizes += lgamma(n_k[k] + c) - lgamma(c)
                last = c
            ways = lgamma(K + 1.0) - lgamma(K - occupied + 1.0)
            value = lgamma(K * c) - lgamma(n + K * c) + ways
            out[i, K - 1] = log_prob[i, K - 1] + value + sizes
    return out


class Tempered:
    """One chain; ``sweep(rung)`` makes a sweep and returns K and the sizes of the occupied.

    Parameters
    ----------
    problem : ComponentsProblem
        In standardised units; its concentration plays no part.
    rungs : Tables
    K : int
        Of the start.
    streams : Streams
    """

    collapsed = True
    """Whether K is drawn anew given the partition, so that it need not be kept."""

    def __init__(self, problem: ComponentsProblem, rungs: Tables, K: int, streams: Streams) -> None:
        self.problem, self.rungs, self.streams, self.K = problem, rungs, streams, K
        of_this_K = Problem(problem.sample, K, problem.priors)
        start = start_point("overdispersed", of_this_K, streams.parameters)
        padded = Params(*(np.append(a, np.ones(problem.max_K - K)) for a in start))
        self._prepare(padded)

    def _prepare(self, padded: Params) -> None:
        raise NotImplementedError

    def sweep(self, rung: int) -> tuple[int, Array]:
        raise NotImplementedError

    def redraw(self, K: int, rung: int) -> None:
        """Draw what depends on the concentration again: K, empty components, weights."""
        raise NotImplementedError


class Telescoping(Tempered):
    """The telescoping sampler: K is integrated out of the step between rungs."""

    def _prepare(self, padded: Params) -> None:
        max_K = self.problem.max_K
        self.layout = build_layout(self.problem.sample)
        self.work = workspace(padded, self.layout.width)
        self.prior = prior_arrays(self.problem.priors, max_K)
        self.numbers = [Numbers(*row) for row in zip(*self.rungs, strict=True)]
        self.scratch = np.empty(self.problem.sample.n), np.empty(max_K)
        self.out = _room(max_K)

    def sweep(self, rung: int) -> tuple[int, Array]:
        (u, log_p), streams = self.scratch, self.streams
        numbers, random = self.numbers[rung], (streams.allocations, streams.parameters)
        self.K = advance(
            1,
            self.K,
            self.layout,
            u,
            self.work,
            self.prior,
            numbers,
            log_p,
            *random,
            0,
            1,
            self.out,
        )
        self.occupied = int(self.out[-1][0])
        return self.K, self.work.n_k[: self.occupied].copy()

    def redraw(self, K: int, rung: int) -> None:
        rng, work, occupied = self.streams.parameters, self.work, self.occupied
        m0, s0, a, b = self.problem.of_one
        empty = slice(occupied, K)
        work.n_k[empty] = 0.0
        work.mu[empty] = rng.normal(m0, s0, K - occupied)
        work.sigma[empty] = np.sqrt(b / rng.gamma(a, size=K - occupied))
        c = self.rungs.concentration[rung, K - 1]
        work.w[:K] = rng.dirichlet(c + work.n_k[:K])
        self.K = K


class ReversibleJump(Tempered):
    """Reversible jump: K moves by its proposals only; weights are integrated out between rungs."""

    collapsed = False

    def _prepare(self, padded: Params) -> None:
        max_K, y = self.problem.max_K, self.problem.sample.y
        self.y = y
        self.state = State(*padded, np.zeros(max_K), np.zeros(y.size, dtype=np.int64))
        model = model_of(self.problem)
        self.models = [
            model._replace(log_prob=p, concentration=c) for p, c in zip(*self.rungs, strict=True)
        ]
        self.out = _room(max_K)
        self.counts = tuple(np.zeros(4, dtype=np.int64) for _ in range(2))

    def sweep(self, rung: int) -> tuple[int, Array]:
        model, rng = self.models[rung], self.streams.parameters
        self.K = reversible_jump.advance(
            1, self.K, self.y, self.state, model, Terms(), rng, 0, 1, self.out, self.counts
        )
        n_k = self.state.n_k[: self.K]
        return self.K, n_k[n_k > 0.0]

    def redraw(self, K: int, rung: int) -> None:
        c = self.rungs.concentration[rung, K - 1]
        self.state.w[:K] = self.streams.parameters.dirichlet(c + self.state.n_k[:K])


def _room(max_K: int) -> tuple[Array, ...]:
    numbers = (np.full((1, max_K), np.nan) for _ in range(3))
    return (*numbers, *(np.zeros(1, dtype=np.int64) for _ in range(2)))


class Sums(NamedTuple):
    """Of importance weights, by batch and target; the first axes are (batches, targets)."""

    weight: Array
    square: Array
    number: Array  # (..., max_K)
    occupied: Array  # (..., max_K + 1)
    rungs: Array  # (batches, rungs): how often each was visited


def run_chain(chain: Tempered, targets: Tables, warmup: int, sweeps: int) -> Sums:
    """Run one chain, learning the pseudo-priors in the first nine tenths of warmup."""
    rng, m = chain.streams.parameters, len(chain.rungs.log_prob)
    max_K, n_targets = chain.problem.max_K, len(targets.log_prob)
    both = [np.concatenate(pair) for pair in zip(chain.rungs, targets, strict=True)]
    pseudo, rung, learning = np.zeros(m), m - 1, 0.9 * warmup
    sums = Sums(
        *(np.zeros((BATCHES, n_targets, *tail)) for tail in ((), (), (max_K,), (max_K + 1,))),
        np.zeros((BATCHES, m), dtype=int),
    )
    for t in range(-warmup, sweeps):
        K, n_k = chain.sweep(rung)
        table = log_joint(n_k, *both)
        log_p = logsumexp(table, axis=1) if chain.collapsed else table[:, K - 1]
        to_rung = log_p[:m] + pseudo
        log_q = logsumexp(to_rung)
        prob = np.exp(to_rung - log_q)
        rung = int(rng.choice(m, p=prob / prob.sum()))
        if chain.collapsed:
            given = np.exp(table[rung] - log_p[rung])
            K = 1 + int(rng.choice(max_K, p=given / given.sum()))
        chain.redraw(K, rung)
        if t < 0:
            if warmup + t < learning:
                pseudo -= min(1.0, 20.0 * m / (warmup + t + 1)) * (prob - 1 / m)
            continue
        batch = t * BATCHES // sweeps
        weight = np.exp(log_p[m:] - log_q)
        sums.rungs[batch, rung] += 1
        sums.weight[batch] += weight
        sums.square[batch] += weight**2
        sums.occupied[batch, :, n_k.size] += weight
        if chain.collapsed:
            sums.number[batch] += np.exp(table[m:] - log_q)
        else:
            sums.number[batch, :, K - 1] += weight
    return sums


class Found(NamedTuple):
    """P(K | y) and P(K+ | y) of the targets, their errors, and effective draws of K+."""

    prob: Array
    se: Array
    occupied: Array
    occupied_se: Array
    ess: Array
    rungs: Array


def sample(
    problem: ComponentsProblem,
    targets: list[ComponentsProblem],
    make: Callable[..., Tempered],
    seed: int,
    lengths: tuple[int, int, int],
    rungs: Array = RUNGS,
) -> Found:
    """Run chains and weight their draws for each target.

    Parameters
    ----------
    problem : ComponentsProblem
        Its prior on K is that of every rung.
    targets : list of ComponentsProblem
        Of the same data and priors of components.
    make : callable
        A class of chains.
    seed : int
    lengths : tuple of int
        Chains, sweeps of warmup, sweeps.
    rungs : ndarray, shape (rungs,)
        Concentrations.
    """
    n_chains, warmup, sweeps = lengths
    in_unit, _ = problem.standardised()
    max_K = problem.max_K
    ladder = Tables(
        np.tile(problem.on_k.log_prob, (rungs.size, 1)), np.tile(rungs[:, None], (1, max_K))
    )
    found = []
    for i, streams in enumerate(chain_streams(seed, n_chains)):
        K = max(1, max_K - (i * max_K) // (2 * n_chains))  # as `run_chains`
        chain = make(in_unit, ladder, K, streams)
        found.append(run_chain(chain, Tables.of(targets), warmup, sweeps))
    sums = Sums(*(np.concatenate(parts) for parts in zip(*found, strict=True)))
    prob, se = _ratio(sums.number, sums.weight)
    occupied, occupied_se = _ratio(sums.occupied, sums.weight)
    with np.errstate(invalid="ignore", divide="ignore"):
        ess = np.nanmedian(
            np.where(occupied > 0.05, occupied * (1 - occupied) / occupied_se**2, np.nan), axis=1
        )
    return Found(
        prob,
        se,
        occupied,
        occupied_se,
        ess,
        sums.rungs.reshape(n_chains, -1, rungs.size).sum(axis=1),
    )


def _ratio(part: Array, weight: Array) -> tuple[Array, Array]:
    """Return sums over weights and standard errors by batches, (targets, values)."""
    total = weight.sum(axis=0)
    ratio = part.sum(axis=0) / total[:, None]
    off = part - weight[:, :, None] * ratio
    n = len(weight)
    return ratio, np.sqrt((off**2).sum(axis=0) * n / (n - 1)) / total[:, None]


def exoplanets(c: float = 1.0, prior: str = "uniform", dynamic: bool = False) -> ComponentsProblem:
    """Return the radii, K up to 16, as `reports/components.md` has them."""
    data = load_sample(os.environ["GMMCOMPARE_EXOPLANETS"], "pl_radj", "log10")
    return ComponentsProblem(data, Priors(c, 0.0, 1.0, 2.0, 0.02), PriorOnK.of(prior, 16), dynamic)


TARGETS = {
    "uniform": ("uniform", False),
    "K - 1 ~ Poisson(1)": ("poisson(1)", False),
    "K - 1 ~ BNB(1, 4, 3)": ("bnb", False),
    "uniform, weights Dirichlet(1/K, ...)": ("uniform", True),
}
MAKERS = {"telescoping": Telescoping, "reversible_jump": ReversibleJump}


def main(name: str, sweeps: int) -> None:
    """Print what one sampler finds of the exoplanets."""
    started = time.process_time()
    targets = [exoplanets(1.0, *target) for target in TARGETS.values()]
    found = sample(targets[0], targets, MAKERS[name], 5, (4, min(sweeps, 8000), sweeps))
    seconds = time.process_time() - started
    print(f"{name}, 4 chains of {sweeps:,} sweeps, {seconds:.0f} processor seconds")
    for i, target in enumerate(TARGETS):
        print(f"{target}: ESS of K+ {found.ess[i]:.0f}")
        of_number = found.prob[i], found.se[i]
        of_occupied = found.occupied[i][1:], found.occupied_se[i][1:]
        for what, (prob, se) in (("K", of_number), ("K+", of_occupied)):
            shown = [
                f"{k}: {p:.4f} ({error:.4f})"
                for k, (p, error) in enumerate(zip(prob, se, strict=True), 1)
                if p > 5e-4
            ]
            print(f"  {what} {', '.join(shown)}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

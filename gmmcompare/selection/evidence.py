"""Log evidence of a mixture by bridge sampling over its symmetric posterior.

Fruehwirth-Schnatter (2004), with one change: her proposal averages products of full conditionals;
here the mean is drawn given the new variance, so that a kernel is a sweep of the Gibbs sampler and
the proposal tends to the posterior as kernels are added. Instead of permuting labels at random,
each kernel is averaged over all permutations, exactly: a permanent. Kernels come from the first
half of each chain and the draws they are held against from the second, since draws that make a
proposal look closer to it than others (Overstall and Forster 2010).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from scipy.special import logsumexp

from gmmcompare.engines.base import Problem, into_unit
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample
from gmmcompare.runtime.errors import InputError
from gmmcompare.selection.bridge import bridge
from gmmcompare.selection.complete_data import Kernels, LogPoints, Posterior

MAX_COMPONENTS = 10
"""The permanent costs K 2^K for each kernel and point."""
KERNELS = 800
DRAWS = 4000
"""From the posterior, and about as many from the proposal."""
_LINKED = 0.1
"""Two chains that exchange this share of draws are in one mode; chains alike exchange more."""


@dataclass(frozen=True)
class LogEvidence:
    """The log density of the data with all parameters integrated out.

    Attributes
    ----------
    value, se : float
    modes : tuple of tuple of int
        Chains, from 0, that move in the same part of the posterior.
    shares : ndarray, shape (modes,)
        The posterior probability of each.
    shares_se : ndarray, shape (modes,)
        Standard errors of their logarithms.
    overlap : float
        Probability that proposal and posterior share: one minus their total variation distance.
    """

    value: float
    se: float
    modes: tuple[tuple[int, ...], ...]
    shares: Array
    shares_se: Array
    overlap: float


def log_evidence(
    draws: Params,
    sample: Sample,
    priors: Priors,
    rng: np.random.Generator,
    n_kernels: int = KERNELS,
    n_draws: int = DRAWS,
) -> LogEvidence:
    """Estimate the log evidence from posterior draws of any sampler.

    Parameters
    ----------
    draws : Params
        Arrays of shape (chains, draws, K), labelled in any way.
    sample : Sample
    priors : Priors
        Where they differ between components, labels mean something and are left alone.
    rng : numpy.random.Generator
    n_kernels, n_draws : int
        How many draws make the proposal, and how many are held against it.

    Raises
    ------
    InputError
        If there are more than ten components, or fewer than four draws in a chain.
    """
    chains, length, K = draws.w.shape
    if K > MAX_COMPONENTS:
        raise InputError(
            f"the evidence of {K} components takes too long; ask for at most {MAX_COMPONENTS}"
        )
    if length < 4:
        raise InputError(f"the evidence needs at least 4 draws in each chain, found {length}")
    problem, unit = Problem(sample, K, priors).standardised()
    posterior = Posterior(problem.sample, problem.priors)
    scaled = into_unit(draws, unit)
    half = length // 2
    first = _spaced(scaled, 0, half, n_kernels // chains)
    second = _spaced(scaled, half, length, n_draws // chains)
    kernels = Kernels.of(first, posterior, rng)
    chain = np.repeat(np.arange(chains), len(first.w) // chains)
    # One more sweep leaves the posterior as it is, and gives sds that no longer overflow.
    from_p = Kernels.of(second, posterior, rng).draw(rng)
    from_q = kernels.draw(rng, max(1, n_draws // len(chain)))
    (ratio_p, by_chain_p), (ratio_q, by_chain_q) = (
        _ratios(points, posterior, kernels, chain) for points in (from_p, from_q)
    )
    mode_of_chain = _modes(by_chain_p.reshape(chains, -1, chains))
    region_p, region_q = (_region(by_chain, mode_of_chain) for by_chain in (by_chain_p, by_chain_q))
    found = bridge(ratio_p.reshape(chains, -1), region_p.reshape(chains, -1), ratio_q, region_q)
    modes = [np.flatnonzero(mode_of_chain == m) for m in range(mode_of_chain.max() + 1)]
    return LogEvidence(
        value=found.log_z - sample.n * float(np.log(unit.scale)),
        se=found.se,
        modes=tuple(tuple(int(c) for c in mode) for mode in modes),
        shares=found.shares,
        shares_se=found.shares_se,
        overlap=float(np.minimum(1.0, np.exp(ratio_q - found.log_z)).mean()),
    )


def _spaced(draws: Params, start: int, stop: int, n: int) -> Params:
    """Return at most n evenly spaced draws of each chain, arrays (chains * n, K)."""
    at = np.unique(np.linspace(start, stop - 1, max(1, n)).round().astype(np.int64))
    return Params(*(np.ascontiguousarray(a[:, at].reshape(-1, draws.K)) for a in draws))


def _ratios(
    points: LogPoints, posterior: Posterior, kernels: Kernels, chain: NDArray[np.int64]
) -> tuple[Array, Array]:
    """Return log posterior less log proposal (n,), and the log proposal of each chain."""
    by_chain = kernels.log_density(points, chain)
    log_q = logsumexp(by_chain, axis=1) - np.log(by_chain.shape[1])
    return posterior.log_density(points) - log_q, by_chain


def _modes(by_chain: Array) -> NDArray[np.int64]:
    """Return the mode of each chain, from the log proposals at its draws (chains, draws, chains).

    A draw belongs to the chain whose kernels are nearest. Chains in one mode are near each other's
    draws as often as not; the others never are.
    """
    chains = len(by_chain)
    nearest = by_chain.argmax(axis=2)
    exchanged = np.array([np.bincount(row, minlength=chains) for row in nearest])
    exchanged = exchanged / by_chain.shape[1]
    linked = (exchanged + exchanged.T > _LINKED) | np.eye(chains, dtype=bool)
    return np.asarray(connected_components(linked, directed=False)[1], dtype=np.int64)


def _region(by_chain: Array, mode_of_chain: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the mode to which each point belongs: that of the nearest kernels."""
    return np.asarray(mode_of_chain[by_chain.argmax(axis=1)])

"""The exact posterior of the number of components, for at most 14 observations.

`exact_components` sums over all partitions of the observations and all K, `exact_dirichlet_process`
over all partitions. Nothing here is random.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln, logsumexp

from gmmcompare.model.exact.marginals import SubsetMarginals, common_prior, subset_marginals
from gmmcompare.model.exact.partitions import Blocks, log_v_given_K, log_v_process
from gmmcompare.model.exact.summed import without_nan
from gmmcompare.model.params import Array
from gmmcompare.model.prior_on_k import PriorOnK
from gmmcompare.runtime.errors import InputError

MAX_OBSERVATIONS = 14
_LOST_MASS = 1e-13


def exact_components(
    y: ArrayLike,
    priors: Any,
    prior_on_K: str | PriorOnK | ArrayLike = "uniform",
    max_K: int = 10,
    dynamic: bool = False,
) -> ExactComponents:
    """Sum the posterior of a mixture over all allocations and all numbers of components.

    Parameters
    ----------
    y : array_like, shape (N,), or (N, d) under `MultivariatePriors`
        At most 14 observations, in any order; ties are welcome.
    priors : Priors, ConjugatePriors, RestrictedPriors or MultivariatePriors
        The same for every component. ``weight_concentration`` is c of Dirichlet(c, ..., c). Known
        sds are one number; a shared sd or fixed weights have no meaning for a number of components
        that varies.
    prior_on_K : str, PriorOnK or array_like
        ``"uniform"``, ``"poisson"`` (K - 1 ~ Poisson(1); ``"poisson(3)"`` for another rate) or
        ``"beta-negative-binomial"`` (K - 1 ~ BNB(1, 4, 3)), cut at max_K; or a list of p(K).
    max_K : int
        Largest number of components.
    dynamic : bool
        Weights given K are Dirichlet(c / K, ..., c / K), c the concentration (Fruehwirth-Schnatter,
        Malsiner-Walli and Gruen 2021), in place of Dirichlet(c, ..., c).

    Raises
    ------
    InputError
        If y is not at most 14 finite numbers (rows of d), priors differ between components or tie
        them to one another, or there is no such prior on K.
    """
    on_K = PriorOnK.of(prior_on_K, max_K)
    marginals = subset_marginals(y, priors, MAX_OBSERVATIONS)
    K = np.arange(1, on_K.max_K + 1)
    concentration = float(np.asarray(common_prior(priors).weight_concentration)[0])
    c = concentration / K if dynamic else np.full(K.size, concentration)
    N = int(marginals.n[-1])
    most = min(N, on_K.max_K)
    log_v, log_v_next = (log_v_given_K(c, n, most + 1) for n in (N, N + 1))
    together = [np.arange(K.size)] if not dynamic else list(K[:, None] - 1)
    terms, log_evidence = [], np.empty(K.size)
    for rows in together:
        # With one concentration for all K the sums E_k are the same, and the V(k) add up.
        log_p = on_K.log_prob[rows, None]
        averaged = [np.asarray(logsumexp(log_p + v[rows], axis=0)) for v in (log_v, log_v_next)]
        term = _Term(marginals, c[rows[0]], *averaged)
        log_evidence[rows] = logsumexp(log_v[rows, : most + 1] + term.log_sums, axis=1)
        terms.append(term)
    return ExactComponents(marginals, tuple(terms), on_K, log_evidence)


def exact_dirichlet_process(y: ArrayLike, priors: Any, alpha: float = 1.0) -> ExactPartition:
    """Sum the posterior of a Dirichlet process mixture over all partitions.

    Parameters
    ----------
    y : array_like, shape (N,), or (N, d) under `MultivariatePriors`
        At most 14 observations, in any order; ties are welcome.
    priors : Priors, ConjugatePriors, RestrictedPriors or MultivariatePriors
        As for `exact_components`; ``weight_concentration`` plays no part.
    alpha : float
        Concentration of the process, positive.

    Raises
    ------
    InputError
        If y is not at most 14 finite numbers (rows of d), priors differ between components or tie
        them to one another, or alpha is not positive.
    """
    if not (np.isfinite(alpha) and alpha > 0):
        raise InputError(f"alpha must be a positive number, found {alpha!r}")
    marginals = subset_marginals(y, priors, MAX_OBSERVATIONS)
    N = int(marginals.n[-1])
    log_v, log_v_next = (log_v_process(alpha, n, N + 1) for n in (N, N + 1))
    return ExactPartition(marginals, (_Term(marginals, 0.0, log_v, log_v_next),))


class _Term:
    """Partitions whose weights are one V(k) times a product over blocks.

    Parameters
    ----------
    marginals : SubsetMarginals
    c : float
        A block of n has the factor Gamma(n + c)/Gamma(c); 0 means Gamma(n).
    log_v, log_v_next : ndarray, shape (most + 2,)
        Log V(k) for N and for N + 1 observations; with N there are at most ``most`` blocks.
    """

    def __init__(
        self, marginals: SubsetMarginals, c: float, log_v: Array, log_v_next: Array
    ) -> None:
        self._c = c
        self._log_v, self._log_v_next = log_v[:-1], log_v_next
        log_f: Array = marginals.log_marginal + self._log_size(marginals.n.astype(float))
        self._blocks = Blocks(log_f, log_v.size - 2)

    @property
    def log_sums(self) -> Array:
        """Log E_k of all the observations, shape (most + 1,)."""
        return self._blocks.log_all

    @property
    def log_by_blocks(self) -> Array:
        """Log joint probability of y and k blocks, shape (most + 1,)."""
        return np.asarray(self._log_v + self.log_sums)

    def _log_size(self, n: Array) -> Array:
        return np.asarray(gammaln(n + self._c) - (gammaln(self._c) if self._c > 0 else 0.0))

    def log_blocks(self) -> Array:
        """Return log of the joint probability of y and of S being a block, shape (2^N,)."""
        return self._blocks.log_f + self._blocks.log_with_block(self._log_v)

    def log_joined(self, n: Array) -> Array:
        """Return log weights of the blocks that one more observation may join, shape (2^N,).

        Times the density of that block with the new observation, they sum to the joint density of
        all. The empty set stands for a block of its own.

        Parameters
        ----------
        n : ndarray, shape (2^N,)
            Number of observations in each subset.
        """
        log_weight = self._blocks.log_with_block(self._log_v_next[:-1])
        log_weight[0] = logsumexp(self._log_v_next[1:] + self.log_sums)
        return np.asarray(log_weight + self._log_size(n + 1.0))


@dataclass(frozen=True, eq=False)
class ExactPartition:
    """The posterior of how observations are partitioned; made by `exact_dirichlet_process`.

    All numbers are for the data as they were given.
    """

    _marginals: SubsetMarginals
    _terms: tuple[_Term, ...]

    @property
    def N(self) -> int:
        """Number of observations."""
        return int(self._marginals.n[-1])

    @property
    def log_evidence(self) -> float | Array:
        """Log density of the data, with everything else integrated out."""
        return self._log_total

    @property
    def prob_occupied(self) -> Array:
        """P(j components hold an observation), j = 0..J, J the largest number possible."""
        log_by_blocks = logsumexp([term.log_by_blocks for term in self._terms], axis=0)
        return np.asarray(np.exp(log_by_blocks - self._log_total))

    @property
    def coclustering(self) -> Array:
        """P(observations i and j are in the same component), shape (N, N), in the order of y."""
        log_blocks = logsumexp([term.log_blocks() for term in self._terms], axis=0)
        root = np.exp(0.5 * (log_blocks - self._log_total))
        member = ((np.arange(root.size)[:, None] >> np.arange(self.N)) & 1) * root[:, None]
        together = np.minimum(member.T @ member, 1.0)
        np.fill_diagonal(together, 1.0)
        return np.asarray(together)

    def predictive(self, x: ArrayLike) -> Array:
        """Return the posterior predictive density of one more observation.

        Parameters
        ----------
        x : array_like, shape (...), or (..., d) if observations have d columns

        Returns
        -------
        ndarray, shape (...)

        Raises
        ------
        InputError
            If x has NaN, or another number of columns than the observations.
        """
        at = without_nan(x)
        row = self._marginals.row_shape
        shape = at.shape[: at.ndim - len(row)]
        if at.shape != (*shape, *row):
            raise InputError(
                f"a density is of observations of {row[0]} columns, found shape {at.shape}"
            )
        flat = at.reshape(-1, *row)
        finite = np.flatnonzero(np.isfinite(flat).reshape(len(flat), -1).all(axis=1))
        n, log_marginal, log_with, _ = self._marginals
        joined = [term.log_joined(n.astype(float)) for term in self._terms]
        log_weight = logsumexp(joined, axis=0) - self._log_total
        log_prob = log_weight + log_marginal  # but for the new observation's density
        least = log_prob.max() + np.log(_LOST_MASS / log_prob.size)
        log_prob[0] = np.inf  # far from all others a new observation is in a block of its own
        rows = np.flatnonzero(log_prob > least)
        density = np.zeros(len(flat))
        density[finite] = np.exp(log_with(flat[finite], rows) + log_weight[rows]).sum(axis=1)
        return density.reshape(shape)

    @property
    def _log_total(self) -> float:
        return float(logsumexp([term.log_by_blocks for term in self._terms]))


@dataclass(frozen=True, eq=False)
class ExactComponents(ExactPartition):
    """The posterior of K and of how observations are partitioned; made by `exact_components`."""

    on_k: PriorOnK
    _log_evidence: Array

    @property
    def prob(self) -> Array:
        """P(K | y), K = 1..max_K."""
        return np.asarray(np.exp(self.on_k.log_prob + self._log_evidence - self._log_total))

    @property
    def log_evidence(self) -> Array:
        """Log p(y | K), K = 1..max_K."""
        return self._log_evidence.copy()

    @property
    def prob_occupied(self) -> Array:
        """P(j components hold an observation), shape (max_K + 1,)."""
        found = super().prob_occupied
        return np.pad(found, (0, self.on_k.max_K + 1 - found.size))

"""Priors on the number of components K.

Each is a distribution on 1, 2, ... of which the part up to ``max_K`` is kept and scaled to sum to
one, so that exact sums and every sampler have the same prior:

* ``uniform``: 1/max_K each (Richardson and Green 1997).
* ``poisson``: K - 1 ~ Poisson(rate), the rate 1 unless said, as in ``poisson(3)`` (Nobile 2004).
* ``beta-negative-binomial``: K - 1 ~ BNB(1, 4, 3), with other numbers as in ``bnb(1,4,3)``
  (Fruehwirth-Schnatter, Malsiner-Walli and Gruen 2021, section 2.1).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaln, gammaln, logsumexp

from gmmcompare.model.params import Array
from gmmcompare.runtime.errors import InputError

_DEFAULTS = {"uniform": (), "poisson": (1.0,), "beta-negative-binomial": (1.0, 4.0, 3.0)}
_ALIASES = {"bnb": "beta-negative-binomial"}
_CALL = re.compile(r"\s*([a-z-]+)\s*(?:\(([^()]*)\))?\s*")


@dataclass(frozen=True, eq=False)
class PriorOnK:
    """p(K) for K = 1..max_K.

    Attributes
    ----------
    name : str
        As it was asked for, such as ``poisson(3)``.
    log_prob : ndarray, shape (max_K,)
        Normalised; ``-inf`` for numbers that the prior excludes.
    """

    name: str
    log_prob: Array

    @classmethod
    def of(cls, prior: str | PriorOnK | ArrayLike, max_K: int) -> PriorOnK:
        """Make the prior that a name, or a list of probabilities, stands for.

        Parameters
        ----------
        prior : str, PriorOnK or array_like
            A name as in the head of this module, or p(1), p(2), ..., at most max_K numbers in
            proportion to the probabilities.
        max_K : int

        Raises
        ------
        InputError
            If max_K < 1, or there is no such prior, or its numbers are not allowed.
        """
        if isinstance(max_K, bool) or int(max_K) != max_K or max_K < 1:
            raise InputError(f"max_K must be a whole number of at least 1, found {max_K!r}")
        if isinstance(prior, PriorOnK):
            return prior if prior.max_K == max_K else cls._listed(prior.prob[:max_K], max_K)
        if not isinstance(prior, str):
            return cls._listed(prior, max_K)
        kind, numbers = _parsed(prior)
        log_prob = _log_mass(kind, numbers, np.arange(float(max_K)))
        return cls(prior, np.asarray(log_prob - logsumexp(log_prob)))

    @classmethod
    def _listed(cls, prob: ArrayLike, max_K: int) -> PriorOnK:
        try:
            given = np.asarray(prob, dtype=float)
        except (TypeError, ValueError):
            raise InputError(f"prior_on_K must be a name or a list, found {prob!r}") from None
        if given.ndim != 1 or not 1 <= given.size <= max_K:
            raise InputError(
                f"prior_on_K lists p(1), p(2), ..., at most max_K = {max_K} numbers, "
                f"found shape {given.shape}"
            )
        if not (np.isfinite(given).all() and (given >= 0).all() and given.sum() > 0):
            raise InputError("prior_on_K must list probabilities: none negative, not all zero")
        full = np.zeros(int(max_K))
        full[: given.size] = given / given.sum()
        with np.errstate(divide="ignore"):  # an excluded number has log probability -inf
            return cls("listed", np.log(full))

    @property
    def max_K(self) -> int:
        """The largest number of components."""
        return int(self.log_prob.size)

    @property
    def prob(self) -> Array:
        """p(1), ..., p(max_K)."""
        return np.asarray(np.exp(self.log_prob))


def _parsed(text: str) -> tuple[str, tuple[float, ...]]:
    """Return the kind of prior and its numbers."""
    found = _CALL.fullmatch(text.lower())
    kind = found and _ALIASES.get(found[1], found[1])
    if not found or kind not in _DEFAULTS:
        raise InputError(
            f"there is no prior on K called {text!r}: give {', '.join(_DEFAULTS)}, or a list of "
            "probabilities"
        )
    if found[2] is None:
        return kind, _DEFAULTS[kind]
    expected = len(_DEFAULTS[kind])
    try:
        numbers = tuple(float(part) for part in found[2].split(",") if part.strip())
    except ValueError:
        numbers = ()
    if len(numbers) != expected or not all(np.isfinite(n) and n > 0 for n in numbers):
        raise InputError(f"prior on K {text!r}: {kind} takes {_counted(expected)}")
    return kind, numbers


def _counted(expected: int) -> str:
    return {0: "no numbers", 1: "one positive number"}.get(
        expected, f"{expected} positive numbers, separated by commas"
    )


def _log_mass(kind: str, numbers: Sequence[float], k: Array) -> Array:
    """Return the log probability of k = K - 1, not scaled."""
    if kind == "uniform":
        return np.zeros(k.size)
    if kind == "poisson":
        return np.asarray(k * np.log(numbers[0]) - numbers[0] - gammaln(k + 1.0))
    shape, a, b = numbers
    terms = gammaln(shape + k) - gammaln(shape) - gammaln(k + 1.0)
    return np.asarray(terms + betaln(shape + a, k + b) - betaln(a, b))

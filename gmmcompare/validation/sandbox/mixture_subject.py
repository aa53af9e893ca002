"""The sampler of a mixture under test: every call checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from math import isfinite
from typing import Any

import numpy as np

from gmmcompare.engines.check import CopiedChainsError, check_engine
from gmmcompare.engines.own import kind_of, takes_errors
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors
from gmmcompare.runtime.errors import EngineError
from gmmcompare.validation.sandbox.known_errors import known_errors
from gmmcompare.validation.sandbox.subject import BrokenError, Subject, SubjectKind, described

_SIMPLEX = 1e-6


class MixtureSubject(Subject):
    """A kernel or a whole sampler of a mixture; see `Subject`."""

    @staticmethod
    def kind_of(function: Callable[..., Any]) -> SubjectKind:
        """Tell a kernel from a whole sampler by the names of the arguments."""
        return kind_of(function)

    @cached_property
    def takes_errors(self) -> bool:
        """Whether it has an argument ``errors``: then trials have `known_errors`."""
        return takes_errors(self.function)

    def _errors(self, n: int, priors: Priors) -> dict[str, Array]:
        return {"errors": known_errors(n, priors)} if self.takes_errors else {}

    def sweep(self, at: Params, y: Array, priors: Priors, rng: np.random.Generator) -> Params:
        """Make one checked sweep; arrays (K,).

        Parameters
        ----------
        at : Params
            Where the chain stands.
        y : ndarray, shape (N,)
        priors : Priors
        rng : numpy.random.Generator

        Raises
        ------
        BrokenError
            If it raises, exits, or returns something other than a point.
        """
        w, mu, sigma = at
        state = w.copy(), mu.copy(), sigma.copy()
        if self.takes_errors:
            errors = known_errors(y.size, priors)
            result = self.called(y.size, *state, y, priors, rng, errors=errors)
        else:
            result = self.called(y.size, *state, y, priors, rng)
        try:
            w, mu, sigma = result
            new = Params(np.asarray(w, float), np.asarray(mu, float), np.asarray(sigma, float))
        except (TypeError, ValueError):
            raise BrokenError(
                f"{self.name}: a sweep returned {described(result)} ({self.here(y.size)}); "
                "return the new (w, mu, sigma)"
            ) from None
        self._check(new, at.w.shape, y.size)
        return new

    def chain(
        self,
        at: Params,
        y: Array,
        priors: Priors,
        rng: np.random.Generator,
        draws: int,
        warmup: int = 0,
    ) -> Params:
        """Run a kernel from a point, every sweep checked; arrays (draws, K).

        Parameters
        ----------
        at : Params
            Where it starts, arrays (K,).
        y : ndarray, shape (N,)
        priors : Priors
        rng : numpy.random.Generator
        draws : int
            Sweeps that are kept.
        warmup : int, optional
            Sweeps before these.

        Raises
        ------
        BrokenError
            If a sweep fails, or changes the data.
        """
        data = y.copy()
        out = Params(*(np.empty((draws, at.w.size)) for _ in at))
        for i in range(-warmup, draws):
            at = self.sweep(at, data, priors, rng)
            if i >= 0:
                for kept, value in zip(out, at, strict=True):
                    kept[i] = value
        self._check_unchanged(data, y)
        return out

    def chains(
        self,
        starts: Iterable[Params],
        y: Array,
        priors: Priors,
        rng: np.random.Generator,
        draws: int,
        warmup: int = 0,
    ) -> Params:
        """Run a kernel from several points in turn; arrays (chains, draws, K).

        Parameters
        ----------
        starts : iterable of Params
            One for each chain, arrays (K,).
        y, priors, rng, draws, warmup
            As for `chain`.

        Raises
        ------
        BrokenError
            If a sweep fails, or changes the data.
        """
        chains = [self.chain(at, y, priors, rng, draws, warmup) for at in starts]
        return Params(*(np.stack(arrays) for arrays in zip(*chains, strict=True)))

    def run(
        self,
        y: Array,
        K: int,
        priors: Priors,
        draws: int,
        warmup: int,
        chains: int,
        rng: np.random.Generator,
    ) -> Params:
        """Make one checked run; arrays (chains, draws, K).

        Parameters
        ----------
        y : ndarray, shape (N,)
        K : int
        priors : Priors
        draws, warmup, chains : int
            Draws of each chain, sweeps before them, and number of chains.
        rng : numpy.random.Generator

        Raises
        ------
        BrokenError
            If it raises, exits, or returns something other than draws.
        """
        data = y.copy()
        given = {"draws": draws, "warmup": warmup, "chains": chains, "rng": rng}
        errors = self._errors(y.size, priors)
        result = self.called(y.size, data, K, priors, **given, **errors)
        try:
            params: Params = check_engine(result, K, chains, draws, self.name)
        except EngineError as error:
            what = "copied chains" if isinstance(error, CopiedChainsError) else "returned"
            raise BrokenError(f"{error} ({self.here(y.size)})", what) from None
        if params.w.ndim == 1:
            raise BrokenError(
                f"{self.name}: returned one point of shape (K,), as an optimiser does; a sampler "
                "returns arrays of shape (chains, draws, K)"
            )
        if not np.isfinite(params.sigma).all():
            raise BrokenError(f"{self.name}: sigma is infinite ({self.here(y.size)})")
        self._check_unchanged(data, y)
        return params

    def _check_unchanged(self, data: Array, y: Array) -> None:
        if not np.array_equal(data, y):
            raise BrokenError(f"{self.name}: changes y in place; work on a copy: y = y.copy()")

    def _check(self, new: Params, shape: tuple[int, ...], n: int) -> None:
        """Check a point; quick where nothing is wrong, as this is done after every sweep."""
        w, mu, sigma = new
        if not w.shape == mu.shape == sigma.shape == shape:
            raise BrokenError(
                f"{self.name}: a sweep returned shapes {w.shape}, {mu.shape} and {sigma.shape} "
                f"({self.here(n)}); return (w, mu, sigma), each of shape {shape}"
            )
        weights, sds = w.tolist(), sigma.tolist()  # of a few numbers, Python is faster
        good = (
            abs(sum(weights) - 1.0) < _SIMPLEX
            and min(weights) >= 0.0
            and isfinite(sum(mu.tolist()))
            and isfinite(sum(sds))
            and min(sds) > 0.0
        )
        if not good:
            problem = new.problem() or "sigma is infinite"
            if (sigma == 0).any():
                problem += "; without var_scale sigma collapses onto a single observation"
            finite = all(np.isfinite(values).all() for values in new)
            raise BrokenError(
                f"{self.name}: a sweep returned bad values: {problem} ({self.here(n)})",
                "returned" if finite else "not a number",
            )

"""The sampler under test: how it is called, and what can go wrong in a call.

It is loaded (see `target`) and called in a child process (see `sandbox`).
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable
from math import isfinite
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from gmmcompare.engines.check import CopiedChainsError, check_engine
from gmmcompare.engines.own import kind_of
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors
from gmmcompare.runtime.errors import EngineError

SubjectKind = Literal["kernel", "sampler"]
_HEARTBEAT = 0.5
_SIMPLEX = 1e-6


class BrokenError(EngineError):
    """A call of the user's code failed, or returned what is not a point or draws.

    ``what`` is a short word for tables: raised, exited, hangs, returned (something that is no point
    or draws), not a number, hidden seed, copied chains, does not move, ignores the data, ignores
    the priors, replaces a prior, or failed.
    """

    def __init__(self, message: str, what: str = "returned", details: str = "") -> None:
        super().__init__(message)
        self.what, self.details = what, details

    def __reduce__(self) -> tuple[type[BrokenError], tuple[str, str, str]]:
        return BrokenError, (str(self), self.what, self.details)


class Call(NamedTuple):
    """Where a sampler stands in a test, for messages."""

    number: int
    n: int

    def __str__(self) -> str:
        return f"call {self.number:,}, with {self.n} observations"


class Subject:
    """The user's function with every call checked.

    Parameters
    ----------
    function : callable
    name : str
        How to call it in messages.
    alive : callable
        Called between calls at most every half second, so that the parent knows it does not hang.
    """

    def __init__(
        self, function: Callable[..., Any], name: str, alive: Callable[[], None] = lambda: None
    ) -> None:
        self.function, self.name = function, Path(name).name
        self.kind: SubjectKind = kind_of(function)
        self.calls = 0
        self._alive, self._last = alive, time.monotonic()

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
        w, mu, sigma = (a.copy() for a in at)
        result = self._called(y.size, w, mu, sigma, y, priors, rng)
        try:
            w, mu, sigma = result
            new = Params(
                np.asarray(w, dtype=float),
                np.asarray(mu, dtype=float),
                np.asarray(sigma, dtype=float),
            )
        except (TypeError, ValueError):
            raise BrokenError(
                f"{self.name}: a sweep returned {_described(result)} ({self._here(y.size)}); "
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
        result = self._called(
            y.size, data, K, priors, draws=draws, warmup=warmup, chains=chains, rng=rng
        )
        try:
            params = check_engine(result, K, chains, draws, self.name)
        except EngineError as error:
            what = "copied chains" if isinstance(error, CopiedChainsError) else "returned"
            raise BrokenError(f"{error} ({self._here(y.size)})", what) from None
        if params.w.ndim == 1:
            raise BrokenError(
                f"{self.name}: returned one point of shape (K,), as an optimiser does; a sampler "
                "returns arrays of shape (chains, draws, K)"
            )
        if not np.isfinite(params.sigma).all():
            raise BrokenError(f"{self.name}: sigma is infinite ({self._here(y.size)})")
        self._check_unchanged(data, y)
        return params

    def beat(self) -> None:
        """Tell the parent, now and then, that nothing hangs."""
        now = time.monotonic()
        if now - self._last > _HEARTBEAT:
            self._last = now
            self._alive()

    def _called(self, n: int, *args: Any, **kwargs: Any) -> Any:
        self.calls += 1
        self.beat()
        try:
            return self.function(*args, **kwargs)
        except KeyboardInterrupt:
            raise
        except SystemExit as error:
            raise BrokenError(
                f"{self.name}: called exit({error.code}) {_place(error)} ({self._here(n)}); "
                "a sampler returns, it does not end the program",
                "exited",
            ) from None
        except BaseException as error:
            raise BrokenError(
                f"{self.name}: raised {type(error).__name__}: {_one_line(error)} "
                f"{_place(error)} ({self._here(n)})",
                "raised",
                "".join(traceback.format_exception(error)),
            ) from None

    def _check_unchanged(self, data: Array, y: Array) -> None:
        if not np.array_equal(data, y):
            raise BrokenError(f"{self.name}: changes y in place; work on a copy: y = y.copy()")

    def _check(self, new: Params, shape: tuple[int, ...], n: int) -> None:
        """Check a point; quick where nothing is wrong, as this is done after every sweep."""
        w, mu, sigma = new
        if not w.shape == mu.shape == sigma.shape == shape:
            raise BrokenError(
                f"{self.name}: a sweep returned shapes {w.shape}, {mu.shape} and {sigma.shape} "
                f"({self._here(n)}); return (w, mu, sigma), each of shape {shape}"
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
                f"{self.name}: a sweep returned bad values: {problem} ({self._here(n)})",
                "returned" if finite else "not a number",
            )

    def _here(self, n: int) -> Call:
        return Call(self.calls, n)


def _described(result: Any) -> str:
    if isinstance(result, tuple | list):
        return f"{len(result)} values"
    return type(result).__name__


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]


_NOT_THEIRS = ("site-packages", "gmmcompare/validation", "<frozen")


def _place(error: BaseException) -> str:
    """Say which line of the user's own file an error comes from: the last one not in a library."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if not any(part in f.filename for part in _NOT_THEIRS)]
    frame = (own or list(frames))[-1]
    code = f": {frame.line}" if frame.line else ""
    return f"in {Path(frame.filename).name}, line {frame.lineno}{code}"

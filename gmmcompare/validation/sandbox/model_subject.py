"""The sampler of any model under test: every call checked."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from gmmcompare.model.points import Data, Points, mapped, same
from gmmcompare.runtime.errors import InputError
from gmmcompare.validation.sandbox.subject import BrokenError, Subject, SubjectKind, described

KERNEL = ("theta", "y", "rng")
SAMPLER = ("y", "draws", "warmup", "chains", "rng")


class ModelSubject(Subject):
    """A kernel or a whole sampler of a model of the user's; see `Subject`.

    Points are dictionaries; ``like`` is one point of the model's, whose names, shapes and kinds of
    numbers every result has to have.
    """

    @staticmethod
    def kind_of(function: Callable[..., Any]) -> SubjectKind:
        """Tell a kernel from a whole sampler by the names of the arguments.

        Raises
        ------
        InputError
            If the names are neither's.
        """
        try:
            found = tuple(inspect.signature(function).parameters)
        except (TypeError, ValueError):
            found = ("?",)
        if found[: len(KERNEL)] == KERNEL:
            return "kernel"
        if found[: len(SAMPLER)] == SAMPLER:
            return "sampler"
        raise InputError(
            f"{getattr(function, '__name__', function)}({', '.join(found)}): with a model, name "
            f"the arguments ({', '.join(KERNEL)}) for one sweep, which returns a dict as theta "
            f"is one, or ({', '.join(SAMPLER)}) for a whole run"
        )

    def sweep(self, at: Points, y: Data, rng: np.random.Generator) -> Points:
        """Make one checked sweep.

        Parameters
        ----------
        at : dict of str to ndarray
            Where the chain stands.
        y : ndarray or dict of ndarray
        rng : numpy.random.Generator

        Raises
        ------
        BrokenError
            If it raises, exits, or returns something other than a point.
        """
        theta = {name: value.copy() for name, value in at.items()}
        result = self.called(_observations(y), theta, y, rng)
        return self.checked(result, at, y)

    def chain(
        self, at: Points, y: Data, rng: np.random.Generator, draws: int, warmup: int = 0
    ) -> Points:
        """Run a kernel from a point, every sweep checked; arrays (draws, *shape).

        Parameters
        ----------
        at : dict of str to ndarray
            Where it starts.
        y : ndarray or dict of ndarray
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
        data = mapped(np.copy, y)
        out = {k: np.empty((draws, *np.shape(v)), np.asarray(v).dtype) for k, v in at.items()}
        for i in range(-warmup, draws):
            at = self.sweep(at, data, rng)
            if i >= 0:
                for name, kept in out.items():
                    kept[i] = at[name]
        self._check_unchanged(data, y)
        return out

    def run(
        self,
        like: Points,
        y: Data,
        draws: int,
        warmup: int,
        chains: int,
        rng: np.random.Generator,
    ) -> Points:
        """Make one checked run; arrays (chains, draws, *shape).

        Parameters
        ----------
        like : dict of str to ndarray
            One point, for names and shapes.
        y : ndarray or dict of ndarray
        draws, warmup, chains : int
        rng : numpy.random.Generator

        Raises
        ------
        BrokenError
            If it raises, exits, or returns something other than draws.
        """
        data = mapped(np.copy, y)
        n = _observations(y)
        result = self.called(n, data, draws=draws, warmup=warmup, chains=chains, rng=rng)
        self._check_unchanged(data, y)
        sized = {k: np.broadcast_to(v, (chains, draws, *np.shape(v))) for k, v in like.items()}
        found = self.checked(result, sized, y, "a run")
        if (
            chains > 1
            and draws > 1
            and any(
                same({k: v[i] for k, v in found.items()}, {k: v[j] for k, v in found.items()})
                for i in range(chains)
                for j in range(i)
            )
        ):
            raise BrokenError(
                f"{self.name}: two chains are copies of each other ({self.here(n)}); give each "
                "its own stream, such as rng.spawn(chains)",
                "copied chains",
            )
        return found

    def checked(self, result: Any, like: Points, y: Data, what: str = "a sweep") -> Points:
        """Return a result with the names, shapes and kinds of numbers of ``like``.

        Parameters
        ----------
        result : object
            What the user's function returned.
        like : dict of str to ndarray
        y : ndarray or dict of ndarray
            For messages.
        what : str, optional
            What was made.

        Raises
        ------
        BrokenError
            If it has not.
        """
        where = self.here(_observations(y))
        if not isinstance(result, Mapping):
            raise BrokenError(
                f"{self.name}: {what} returned {described(result)} ({where}); return a dict with "
                f"{', '.join(like)}"
            )
        if result.keys() != like.keys():
            missing = [name for name in like if name not in result]
            more = [name for name in result if name not in like]
            parts = [f"without {', '.join(missing)}"] if missing else []
            parts += [f"with {', '.join(map(str, more))}"] if more else []
            raise BrokenError(
                f"{self.name}: {what} returned a dict {' but '.join(parts)} ({where}); return "
                f"the names of theta: {', '.join(like)}"
            )
        return {name: self._array(name, result[name], like[name], where) for name in like}

    def _array(self, name: str, value: Any, like: Any, where: object) -> Any:
        try:
            array = np.asarray(value)
            numbers = array.astype(float)
        except (TypeError, ValueError):
            raise BrokenError(
                f"{self.name}: returned {described(value)} as {name} ({where}); return numbers"
            ) from None
        if array.shape != np.shape(like):
            raise BrokenError(
                f"{self.name}: returned {name} of shape {array.shape} ({where}); its shape is "
                f"{np.shape(like)}"
            )
        if not np.isfinite(numbers).all():
            bad = "NaN" if np.isnan(numbers).any() else "an infinite value"
            raise BrokenError(f"{self.name}: returned {bad} in {name} ({where})", "not a number")
        wanted: DTypeLike = np.asarray(like).dtype
        if np.issubdtype(wanted, np.integer) and (numbers != np.round(numbers)).any():
            raise BrokenError(
                f"{self.name}: returned {name} = {numbers.ravel()[0]:g} ({where}); it is discrete"
            )
        return array.astype(wanted)[()]

    def _check_unchanged(self, data: Data, y: Data) -> None:
        if not same(data, y):
            raise BrokenError(f"{self.name}: changes y in place; work on a copy: y = y.copy()")


def _observations(y: Data) -> int:
    parts = y.values() if isinstance(y, Mapping) else [y]
    return max((np.size(part) for part in parts), default=0)

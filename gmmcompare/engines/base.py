"""What an engine is, what it returns, and how one is found by name.

An engine takes a `Problem` and a seed and returns `Draws` or a `Point`. The built-in ones live in
modules of this package and are imported only when asked for; a user's own is a function in a file,
in an importable module or behind an entry point, wrapped by `engines.own`.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self, runtime_checkable

import numpy as np
from pydantic import BaseModel

from gmmcompare.model.params import Array, Params
from gmmcompare.model.sample import Sample, Standardisation
from gmmcompare.runtime.errors import InputError
from gmmcompare.runtime.progress import Step as Step
from gmmcompare.runtime.progress import no_progress as no_progress

if TYPE_CHECKING:
    from gmmcompare.engines.checkpoint import Checkpoint

Kind = Literal["draws", "point"]


@dataclass(frozen=True)
class Problem:
    """One data set, one K, one set of priors: what every engine is given.

    ``starts`` are points worth starting a chain at (EM's distinct solutions, best first); an engine
    may ignore them.
    """

    sample: Sample
    K: int
    priors: Any
    starts: tuple[Params, ...] = ()

    def __post_init__(self) -> None:
        if self.sample.errors is not None and self.priors.family != "normal":
            raise InputError(
                "measurement errors are covered under the priors of family normal, nothing known "
                "or shared: leave data.error out"
            )

    def standardised(self) -> tuple[Problem, Standardisation]:
        """Return the same problem for standardised data, and the way back."""
        unit = Standardisation.of(self.sample)
        return self.in_unit(unit), unit

    def in_unit(self, unit: Standardisation) -> Problem:
        """Return the same problem in other units."""
        starts = tuple(into_unit(p, unit) for p in self.starts)
        priors = self.priors.expanded(self.K).transformed(unit.shift, unit.scale)
        return Problem(unit.apply(self.sample), self.K, priors, starts)


def into_unit[P: Movable](params: P, unit: Standardisation) -> P:
    """Return parameters for standardised data."""
    return params.transformed(unit.shift, unit.scale)


def out_of_unit[P: Movable](params: P, unit: Standardisation) -> P:
    """Return parameters for the data as they were; the inverse of `into_unit`."""
    return params.restored(unit.shift, unit.scale)


class Movable(Protocol):
    """Parameters of any family: they can be given for data in other units."""

    def transformed(self, shift: Any, scale: Any) -> Self:
        """Return the same mixture for data ``(y - shift) / scale``."""
        ...

    def restored(self, shift: Any, scale: Any) -> Self:
        """Return the mixture of which this is `transformed`."""
        ...


@dataclass(frozen=True)
class Seconds:
    """Wall time of an engine: getting ready (compiling, tuning the graph) and sampling."""

    prepare: float
    sample: float


@dataclass(frozen=True)
class Draws:
    """What a sampler returns.

    Attributes
    ----------
    params : Params
        Arrays of shape (chains, draws, K), warmup removed, labels as the engine had them.
    seconds : Seconds
    stats : mapping of str to ndarray
        The engine's own statistics by name, each of shape (chains, draws, ...).
    extra : mapping of str to ndarray
        Anything else worth keeping, of any shape; stored in the fit's group ``engine``.
    notes : tuple of str
        Findings in words.
    """

    params: Any
    seconds: Seconds
    stats: Mapping[str, Array] = field(default_factory=dict)
    extra: Mapping[str, Array] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Point:
    """What an optimiser returns.

    Attributes
    ----------
    params : Params
        One point, arrays of shape (K,).
    seconds : Seconds
    standard_errors : Params or None
        Of (w, mu, sigma), each of shape (K,), from the observed information.
    solutions : tuple of Params
        Distinct solutions of the starts, best first; chains may start there.
    extra : mapping of str to ndarray
        The objective's path, the starts' outcomes and the like; stored in the group ``engine``.
    notes : tuple of str
        Findings in words, such as starts that were discarded and why.
    status : str
        ``"ok"`` or, in a phrase, why the point is not the one that was looked for.
    """

    params: Any
    seconds: Seconds
    standard_errors: Params | None = None
    solutions: tuple[Any, ...] = ()
    extra: Mapping[str, Array] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    status: str = "ok"


class Engine(Protocol):
    """Anything that can be compared."""

    @property
    def name(self) -> str:
        """Column heading in reports, and the file name of its fit."""
        ...

    @property
    def settings(self) -> Mapping[str, Any]:
        """Settings, as they enter the cache key and the provenance."""
        ...

    def run(self, problem: Problem, seed: int, progress: Step) -> Draws | Point:
        """Fit the problem. Same seed, same result.

        Parameters
        ----------
        problem : Problem
            In the units of the data; what is returned is in these units, too.
        seed : int
            Not negative. Of this engine: derived from the card's by its name (see `fitting`).
        progress : callable
            Called with the fraction done, from any thread.

        Returns
        -------
        Draws or Point

        Raises
        ------
        GmmCompareError
            An `InputError` if the problem or the settings cannot be used, an `EngineError` if the
            engine fails.
        """
        ...


class Configured[Settings: BaseModel]:
    """What engines have in common whose settings are a section of a card.

    Parameters
    ----------
    settings : pydantic model
        The engine's section, such as `card.GibbsSettings`.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @property
    def settings(self) -> Mapping[str, Any]:
        """Settings, as they enter the cache key and the provenance."""
        return self._settings.model_dump()


@runtime_checkable
class Resumable(Protocol):
    """An engine that can go on where it was interrupted."""

    def resuming(self, checkpoint: Checkpoint) -> Engine:
        """Return the engine with a file from which it goes on, and in which it keeps its state."""
        ...


BUILT_IN: Mapping[str, str] = {
    "em": "gmmcompare.engines.em.engine:EmEngine",
    "gibbs": "gmmcompare.engines.gibbs.engine:GibbsEngine",
    "gibbs_plain": "gmmcompare.engines.gibbs.plain:PlainGibbsEngine",
    "nuts": "gmmcompare.engines.nuts.engine:NutsEngine",
    "jags": "gmmcompare.engines.jags:JagsEngine",
    "numpyro": "gmmcompare.engines.numpyro:NumpyroEngine",
    "stan": "gmmcompare.engines.stan:StanEngine",
    "exact": "gmmcompare.engines.exact:ExactEngine",
}

EXTRAS: Mapping[str, str] = {"jags": "pyjags", "numpyro": "numpyro", "stan": "httpstan"}
"""Engines that are installed only if asked for, by the extra of their name, and what they need."""

_OWN_LANGUAGE = ("jags", "numpyro", "stan")  # which state the model of `Priors` alone
_NORMAL = {name: place for name, place in BUILT_IN.items() if name not in _OWN_LANGUAGE}

OF_FAMILY: Mapping[str, Mapping[str, str]] = {
    "normal": BUILT_IN,
    "normal-conjugate": _NORMAL,
    "normal-restricted": _NORMAL,
    "multivariate": {
        "em": "gmmcompare.engines.multivariate.em:EmEngine",
        "gibbs": "gmmcompare.engines.multivariate.gibbs:GibbsEngine",
        "gibbs_plain": "gmmcompare.engines.multivariate.plain:PlainGibbsEngine",
        "nuts": "gmmcompare.engines.multivariate.nuts:VectorNutsEngine",
        "exact": "gmmcompare.engines.exact:ExactEngine",
    },
}
"""Engines of each family of components (`model.family`), by the family's name."""

STARTS: Mapping[str, str] = {
    "multivariate": "gmmcompare.engines.multivariate.starts:dispersed_start",
}
"""Where a user's chains start if not as `engines.starts` says, ``f(standardised problem, rng)``."""

ON_PARTITIONS: Mapping[str, str] = {
    "em": "gmmcompare.engines.em.partitioned:PartitionedEmEngine",
    "gibbs": "gmmcompare.engines.gibbs.partitioned:PartitionedGibbsEngine",
}
"""Engines that go over data in partitions."""
ON_A_GRID = ("nuts", "numpyro", "stan")
"""Engines that are given the grid of data in partitions: distinct values and counts will do."""
WITH_ERRORS = ("em", "gibbs", "gibbs_plain", "nuts", "exact")
"""Engines that know measurement errors."""


@dataclass(frozen=True)
class BuiltIn:
    """A built-in engine, whose module is imported when it first runs.

    Its name and settings say what it will do; so a fit that is found in the cache costs no import
    of PyMC.

    Parameters
    ----------
    name : str
    section : pydantic model
        Its section of a card.
    place : str
        Its class, as ``module:class``.
    """

    name: str
    section: Any
    place: str

    @property
    def settings(self) -> Mapping[str, Any]:
        """Settings of the card."""
        return dict(self.section.model_dump())

    def imported(self) -> Engine:
        """Import the engine's module and give it its settings."""
        module, _, attribute = self.place.partition(":")
        engine: Engine = getattr(importlib.import_module(module), attribute)(self.section)
        return engine

    def run(self, problem: Problem, seed: int, progress: Step) -> Draws | Point:
        """Import the engine and fit the problem; see `Engine.run`.

        Parameters
        ----------
        problem : Problem
        seed : int
        progress : callable
        """
        return self.imported().run(problem, seed, progress)


def built_in_engine(
    name: str, settings: Any, partitioned: bool = False, family: str = "normal"
) -> Engine:
    """Return a built-in engine with its settings.

    Parameters
    ----------
    name : str
        A key of `BUILT_IN`.
    settings : pydantic model
        The engine's section of a card, such as `card.GibbsSettings`.
    partitioned : bool
        Whether the data are in partitions, for which some engines have a form of their own and
        others are given the grid.
    family : str, optional
        Of the components; see `model.family`.

    Returns
    -------
    Engine

    Raises
    ------
    InputError
        If the data are in partitions and the engine works on all values in one array, or the engine
        does not know such components.
    """
    of_family = OF_FAMILY.get(family, {})
    if name not in of_family:
        raise InputError(
            f"{name}: does not fit components of family {family!r}; "
            f"these do: {', '.join(of_family) or 'none'}"
        )
    if partitioned and name not in ON_PARTITIONS and name not in ON_A_GRID:
        raise InputError(all_values_needed(name))
    if partitioned and name in ON_PARTITIONS:  # these can be resumed, which their class says
        return BuiltIn(name, settings, ON_PARTITIONS[name]).imported()
    return BuiltIn(name, settings, of_family[name])


def install_command(name: str) -> str:
    """Return the command that installs what an engine of `EXTRAS` needs; empty if it is there."""
    missing = name in EXTRAS and importlib.util.find_spec(EXTRAS[name]) is None
    return f"pip install 'gmmcompare[{name}]'" if missing else ""


def all_values_needed(name: str) -> str:
    """Say that an engine cannot be run on data in partitions, and what can be done."""
    return (
        f"{name}: works on all values in one array, which data in partitions are too many for; "
        "run it on a random part of them: --set data.subsample=100000"
    )


@dataclass(frozen=True)
class Streams:
    """One chain's random streams, so that each kind of number can be drawn in blocks of any size.

    ``true_values`` are those of observations that were measured with errors.
    """

    allocations: np.random.Generator
    parameters: np.random.Generator
    true_values: np.random.Generator


def chain_streams(seed: int, chains: int) -> list[Streams]:
    """Return each chain's own streams, the same for any number of threads."""
    children = np.random.SeedSequence(seed).spawn(chains)
    return [
        Streams(*(np.random.Generator(np.random.SFC64(s)) for s in child.spawn(3)))
        for child in children
    ]

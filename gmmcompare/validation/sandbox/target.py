"""What is to be tested: a name that other processes and machines can resolve, or a function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np

from gmmcompare.engines.base import BUILT_IN, Draws, Problem, built_in_engine, no_progress
from gmmcompare.engines.own import resolve
from gmmcompare.model.params import Array
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample
from gmmcompare.runtime.errors import InputError
from gmmcompare.validation.faults.catalogue import PREFIX, fault
from gmmcompare.validation.faults.families import FAMILY_FAULTS
from gmmcompare.validation.faults.museum import catalogue as museum
from gmmcompare.validation.sandbox.family import adapted
from gmmcompare.validation.sandbox.mixture_subject import MixtureSubject
from gmmcompare.validation.sandbox.model_subject import ModelSubject
from gmmcompare.validation.sandbox.subject import Subject

KERNELS: Mapping[str, str] = {
    "gibbs": "gmmcompare.engines.gibbs.engine:sweep",
    "gibbs_plain": "gmmcompare.engines.gibbs.plain:sweep",
    "gibbs_measured": "gmmcompare.engines.gibbs.measured_chain:sweep",
    "gibbs_measured_plain": "gmmcompare.engines.gibbs.measured:sweep",
}
"""Built-in engines whose sweep is tested, which says more than whole runs do."""
COMPONENTS_PREFIX = "components:"
ENGINE_PREFIX = "engine:"
"""``engine:gibbs`` is the whole engine all the same."""


@dataclass(frozen=True)
class Target:
    """A name that can be resolved in another process, or the function itself, pickled.

    ``source`` is the content of the file that is named, for machines that do not have it.
    ``any_model`` says that it is a sampler of a model of the user's, and not of a mixture; with a
    ``family`` (of `family_model.TESTED`) it is one of a mixture after all, under other priors.
    """

    name: str
    pickled: bytes = b""
    source: bytes = b""
    any_model: bool = False
    family: str = ""

    @classmethod
    def of(
        cls, sampler: str | Callable[..., Any], any_model: bool = False, family: str = ""
    ) -> Target:
        """Take a name, such as ``FILE.py:FUNC``, ``fault:NAME`` or ``museum:NAME``, or a function.

        Parameters
        ----------
        sampler : str or callable
        any_model : bool, optional
            Whether it is of a model of the user's.
        family : str, optional
            The family of components that it is of.

        Raises
        ------
        InputError
            If it is a function that cannot be sent to another process.
        """
        if isinstance(sampler, str):
            return cls(sampler, any_model=any_model, family=family)
        name = str(getattr(sampler, "name", getattr(sampler, "__name__", type(sampler).__name__)))
        try:
            return cls(name, cloudpickle.dumps(sampler), any_model=any_model, family=family)
        except Exception as error:
            raise InputError(
                f"{name}: cannot be sent to the process that tests it ({error}); put it in a file "
                "and name it as FILE.py:FUNC"
            ) from None

    def with_source(self) -> Target:
        """Return the same with what is needed where there is no such file."""
        place, _, function = self.name.rpartition(":")
        path = Path(place)
        if self.pickled or path.suffix != ".py" or not path.is_file():
            return self
        name = f"{path.resolve()}:{function}"
        return replace(self, name=name, source=path.read_bytes())

    def placed_in(self, folder: Path) -> Target:
        """Return the same on this machine, its file written to a folder if it is not there."""
        if not self.source:
            return self
        place, _, function = self.name.rpartition(":")
        path = Path(place)
        if not path.is_file() or path.read_bytes() != self.source:
            path = folder / path.name
            path.write_bytes(self.source)
        return replace(self, name=f"{path}:{function}", source=b"")

    def subject(self, alive: Callable[[], None] = lambda: None) -> Subject:
        """Return the sampler with every call checked.

        Parameters
        ----------
        alive : callable, optional
            Called between calls; see `Subject`.
        """
        kind = ModelSubject if self.any_model else MixtureSubject
        return kind(self.load(), self.name, alive)

    def load(self) -> Callable[..., Any]:
        """Return the function; for a built-in engine its sweep, or a whole run of it."""
        return adapted(self._loaded(), self.family) if self.family else self._loaded()

    def _loaded(self) -> Callable[..., Any]:
        if self.pickled:
            function: Callable[..., Any] = cloudpickle.loads(self.pickled)
            return function
        if self.name.removeprefix(PREFIX) in FAMILY_FAULTS:
            return FAMILY_FAULTS[self.name.removeprefix(PREFIX)].sweep
        if self.name.startswith(PREFIX):
            return fault(self.name)  # type: ignore[no-any-return]
        if museum.is_piece(self.name):
            return museum.sampler(self.name)
        if self.name.startswith(COMPONENTS_PREFIX):
            from gmmcompare.validation.faults.number import sampler  # Numba is slow to import

            return sampler(self.name)
        if self.name.startswith(ENGINE_PREFIX):
            return EngineSampler(self.name.removeprefix(ENGINE_PREFIX))
        if self.name in KERNELS:
            return resolve(KERNELS[self.name])
        if self.name in BUILT_IN:
            return EngineSampler(self.name)
        return resolve(self.name)


class EngineSampler:
    """A built-in engine as a whole sampler, with the settings of a card but for the lengths."""

    def __init__(self, name: str, **settings: Any) -> None:
        if name == "em":
            raise InputError(
                "em: a point estimate has no posterior distribution to be tested; "
                "use `gmmcompare compare`, which tests where the point lies in the posterior"
            )
        self.name, self._settings = name, settings

    def __call__(
        self,
        y: Array,
        K: int,
        priors: Priors,
        draws: int,
        warmup: int,
        chains: int,
        rng: np.random.Generator,
    ) -> dict[str, Array]:
        """Run the engine."""
        from gmmcompare.model.card import EngineSection

        lengths = {"draws": draws, "chains": chains}
        if self.name != "exact":
            lengths["warmup"] = warmup
        section = type(getattr(EngineSection(), self.name))
        settings = section(**{**lengths, **self._settings})
        problem = Problem(Sample.of(y), K, priors.expanded(K))
        result = built_in_engine(self.name, settings).run(
            problem, int(rng.integers(2**31)), no_progress
        )
        assert isinstance(result, Draws)
        made: dict[str, Array] = result.params._asdict()
        return made

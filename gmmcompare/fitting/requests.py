"""What is to be fitted: requests for engines, and the seed of each."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from gmmcompare.engines.base import (
    BUILT_IN,
    EXTRAS,
    WITH_ERRORS,
    Engine,
    all_values_needed,
    built_in_engine,
    install_command,
)
from gmmcompare.engines.imported.names import parsed_rename
from gmmcompare.engines.own import OwnEngine, resolve, takes_errors
from gmmcompare.model.card import EngineSection
from gmmcompare.runtime.errors import InputError, did_you_mean

DEFAULT_ENGINES = ("em", "gibbs", "nuts")


@dataclass(frozen=True)
class EngineRequest:
    """One column of a comparison: a built-in engine, a user's function, or draws in a file."""

    name: str
    origin: Literal["built-in", "own", "draws"] = "built-in"
    spec: str = ""
    function: Callable[..., Any] | None = None
    rename: tuple[tuple[str, str], ...] = ()

    @classmethod
    def built_in(cls, name: str, otherwise: str) -> EngineRequest:
        """Ask for a built-in engine; ``otherwise`` tells how to name one of the user's.

        Raises
        ------
        InputError
            If there is none of this name, or it is an extra that is not installed.
        """
        if name not in BUILT_IN:
            raise InputError(
                f"{name}: no such engine{did_you_mean(name, BUILT_IN)}; built in are "
                f"{', '.join(BUILT_IN)}; {otherwise}"
            )
        if command := install_command(name):
            raise InputError(f"{name}: {EXTRAS[name]} is not installed; {command}")
        return cls(name)

    @classmethod
    def of(cls, engine: str | Callable[..., Any], name: str | None = None) -> EngineRequest:
        """Ask from Python for an engine: by name, as ``FILE.py:FUNC``, or a function.

        Raises
        ------
        InputError
            If there is none of this name.
        """
        if callable(engine):
            return cls(name or engine.__name__, "own", function=engine)
        if ":" in engine:
            return cls(name or engine.rpartition(":")[2], "own", engine)
        return cls.built_in(engine, "your own is a function or FILE.py:FUNC")

    def refuse_errors(self) -> None:
        """Refuse an engine that does not know measurement errors.

        Raises
        ------
        InputError
            If it is one of these, or a function without an argument ``errors``.
        """
        if self.origin == "built-in" and self.name not in WITH_ERRORS:
            raise InputError(
                f"{self.name}: does not know measurement errors; run {', '.join(WITH_ERRORS)}, or "
                "leave data.error out"
            )
        if self.origin == "own" and not takes_errors(self.function or resolve(self.spec)):
            raise InputError(
                f"{self.name}: the data have measurement errors and the function takes none; give "
                "it a last argument named errors (their sds, of the shape of y), or leave "
                "data.error out"
            )

    def build(
        self,
        settings: EngineSection,
        log_folder: Path | None = None,
        partitioned: bool = False,
        family: str = "normal",
    ) -> Engine:
        """Return the engine with its settings from a card.

        Parameters
        ----------
        settings : EngineSection
            Of a card.
        log_folder : Path, optional
            Where the output of a user's own engine goes.
        partitioned : bool, optional
            Whether the data are in partitions.
        family : str, optional
            Of the components.

        Raises
        ------
        InputError
            If there is no such function, or it cannot be run on data in partitions.
        """
        if self.origin == "draws":
            from gmmcompare.engines.imported.engine import ImportedEngine

            return ImportedEngine(self.name, self.spec, dict(self.rename))
        if self.origin == "own":
            if partitioned:
                raise InputError(all_values_needed(self.name))
            function = self.function or resolve(self.spec)
            return OwnEngine(self.name, function, settings.custom, log_folder, family)
        return built_in_engine(self.name, getattr(settings, self.name), partitioned, family)


def engine_requests(
    engines: Sequence[str] = DEFAULT_ENGINES,
    own: Sequence[str] = (),
    draws: Sequence[str] = (),
    rename: str | None = None,
) -> list[EngineRequest]:
    """Turn what the command line says of engines into requests, EM's first.

    Parameters
    ----------
    engines : sequence of str, optional
        Names of built-in engines; by default `DEFAULT_ENGINES`.
    own : sequence of str, optional
        Each ``NAME=FILE.py:FUNC``, as for ``--engine``.
    draws : sequence of str, optional
        Each ``NAME=FILE``, as for ``--draws``.
    rename : str, optional
        What the parameters are called in all files of draws, as for ``--rename``.

    Raises
    ------
    InputError
        If a built-in engine is unknown, a ``NAME=`` is missing, two engines have one name, or
        ``rename`` cannot be read.
    """
    how = "add your own by --engine NAME=FILE.py:FUNC"
    requests = [EngineRequest.built_in(name, how) for name in engines]
    requests += [_named("--engine", text, "own", "FILE.py:FUNC") for text in own]
    renamed = tuple(parsed_rename(rename).items()) if rename else ()
    if renamed and not draws:
        raise InputError(
            "--rename: names arrays of a file of draws; give --draws NAME=FILE as well"
        )
    requests += [
        replace(_named("--draws", text, "draws", "FILE"), rename=renamed) for text in draws
    ]
    names = [r.name for r in requests]
    twice = next((n for n in names if names.count(n) > 1), None)
    if twice:
        raise InputError(f"{twice}: two engines have this name; give each its own")
    if not requests:
        raise InputError(
            "no engine to run; give --engines em,gibbs,nuts or --engine NAME=FILE.py:FUNC"
        )
    # EM first: NUTS starts where it ended. The rest as asked.
    return sorted(requests, key=lambda r: r.name != "em")


def _named(option: str, text: str, origin: Literal["own", "draws"], what: str) -> EngineRequest:
    name, equals, spec = text.partition("=")
    if not equals or not name or not spec:
        raise InputError(f"{option} {text}: write NAME={what}, as in mine={what.lower()}")
    if not name.replace("-", "_").isidentifier():
        raise InputError(
            f"{option} {text}: '{name}' cannot name a file; use letters, digits, - and _"
        )
    return EngineRequest(name, origin, spec)


def engine_seed(seed: int, name: str, this_round: int = 1) -> int:
    """Derive an engine's seed from the card's: independent of which other engines run.

    Parameters
    ----------
    seed : int
        The card's.
    name : str
        The engine's.
    this_round : int, optional
        1 for the first fit, 2 and more for repetitions with fresh seeds.
    """
    entropy = [seed, zlib.crc32(name.encode()), this_round]
    return int(np.random.SeedSequence(entropy).generate_state(1)[0])

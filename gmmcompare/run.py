"""From a card to fits to a comparison: seeds, caching of fits, provenance."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import logging
import os
import platform
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from gmmcompare import __version__
from gmmcompare.card import Card, EngineSection
from gmmcompare.compare.agreement import PairVerdict
from gmmcompare.compare.comparison import Comparison, compare_fits, sample_of
from gmmcompare.data import load_sample
from gmmcompare.engines.base import BUILT_IN, Engine, Problem, Progress, built_in_engine
from gmmcompare.engines.imported import ImportedEngine
from gmmcompare.engines.own import OwnEngine, resolve
from gmmcompare.errors import InputError, did_you_mean
from gmmcompare.fit import Fit, build_fit, load_fit
from gmmcompare.mixture import log_likelihood
from gmmcompare.params import Params
from gmmcompare.sample import Origin, Sample

SCHEMA = 1
DEFAULT_ENGINES = ("em", "gibbs", "nuts")
MODE_WINDOW = 10.0
"""NUTS starts at EM solutions whose log-likelihood is within this of the best."""

log = logging.getLogger("gmmcompare")


class Watcher(Protocol):
    """Is told what is going on; the command line shows it on stderr."""

    def fitting(self, name: str) -> Any:
        """Return a context manager that yields a `Progress` for one engine's run."""
        ...

    def reused(self, name: str) -> None:
        """Say that a finished fit is reused."""
        ...


class SilentWatcher:
    """Shows nothing."""

    @contextmanager
    def fitting(self, name: str) -> Iterator[Progress]:
        """Ignore progress."""
        yield lambda fraction: None

    def reused(self, name: str) -> None:
        """Say nothing."""


@dataclass(frozen=True)
class EngineRequest:
    """One column of a comparison: a built-in engine, a user's function, or draws in a file."""

    name: str
    origin: Literal["built-in", "own", "draws"] = "built-in"
    spec: str = ""

    def build(self, settings: EngineSection, log_folder: Path | None = None) -> Engine:
        """Return the engine with its settings from a card."""
        if self.origin == "draws":
            return ImportedEngine(self.name, self.spec)
        if self.origin == "own":
            return OwnEngine(self.name, resolve(self.spec), settings.custom, log_folder)
        return built_in_engine(self.name, getattr(settings, self.name))


@dataclass(frozen=True)
class Provenance:
    """Everything needed to make a comparison again."""

    card: Card
    created: str
    command: str
    versions: Mapping[str, str]


@dataclass(frozen=True)
class Outcome:
    """A comparison and where it came from."""

    comparison: Comparison
    provenance: Provenance
    folder: Path | None = None


@dataclass
class Runner:
    """Fits the engines of one card, keeping finished fits in a folder.

    Attributes
    ----------
    card : Card
    sample : Sample
    folder : Path or None
        Where fits are kept as ``fits/ENGINE.nc``; with None nothing is kept.
    fresh : bool
        Fit again even where a finished fit is there.
    watcher : Watcher
    """

    card: Card
    sample: Sample
    folder: Path | None = None
    fresh: bool = False
    watcher: Watcher = field(default_factory=SilentWatcher)

    def __post_init__(self) -> None:
        if self.sample.n_distinct < self.card.K:
            raise InputError(
                f"{self.sample.origin.name}: {self.sample.n_distinct} distinct values are fewer "
                f"than {self.card.K} components; ask for at most {self.sample.n_distinct} "
                "(--set mixture.components=...)"
            )
        self._requests: dict[str, EngineRequest] = {}

    def fit(self, request: EngineRequest, this_round: int = 1) -> Fit:
        """Return the engine's fit, from the folder if it is there and still the right one.

        ``this_round`` above 1 asks for fresh seeds and ``4**(this_round - 1)`` times the draws.
        """
        self._requests[request.name] = request
        engine = request.build(_scaled(self.card.engines, 4 ** (this_round - 1)), self._logs)
        seed = engine_seed(self.card.run.seed, request.name, this_round)
        starts, starts_key = self._starts(request)
        key = self._key(engine, seed, starts_key)
        path = self._path(request.name, this_round)
        finished = self._finished(path, key, request.name)
        if finished:
            return finished
        problem = Problem(self.sample, self.card.K, self.card.build_priors(), starts)
        with self.watcher.fitting(request.name) as progress:
            result = engine.run(problem, seed, progress)
        fit = build_fit(engine, problem, seed, result, key)
        if path:
            fit.save(path)
        return fit

    def refit(self, name: str, this_round: int) -> Fit | None:
        """Fit an engine again with a fresh seed and more draws; None for draws from a file."""
        request = self._requests[name]
        return None if request.origin == "draws" else self.fit(request, this_round)

    def _starts(self, request: EngineRequest) -> tuple[tuple[Params, ...], str]:
        """Return EM's solutions near the best for an engine that starts there, and EM's key."""
        settings = getattr(self.card.engines, request.name, None)
        if request.origin != "built-in" or getattr(settings, "start", None) != "em":
            return (), ""
        em = self.fit(EngineRequest("em"))
        if em.status != "ok":
            return (), em.key
        heights = [float(log_likelihood(self.sample, p)) for p in em.solutions]
        near = [
            p for p, h in zip(em.solutions, heights, strict=True) if h > max(heights) - MODE_WINDOW
        ]
        return tuple(near), em.key

    def _key(self, engine: Engine, seed: int, starts_key: str) -> str:
        content = {
            "version": __version__,
            "data": self.sample.fingerprint,
            "components": self.card.K,
            "priors": self.card.build_priors().to_dict(),
            "engine": engine.name,
            "settings": dict(engine.settings),
            "seed": seed,
            "starts": starts_key,
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def _finished(self, path: Path | None, key: str, name: str) -> Fit | None:
        if path is None or self.fresh or not path.is_file():
            return None
        try:
            fit = load_fit(path)
        except InputError:
            log.warning("%s is damaged; fitting %s again", path, name)
            return None
        if fit.key != key:
            return None
        self.watcher.reused(name)
        return fit

    def _path(self, name: str, this_round: int) -> Path | None:
        if self.folder is None:
            return None
        suffix = "" if this_round == 1 else f"-round{this_round}"
        return self.folder / "fits" / f"{name}{suffix}.nc"

    @property
    def _logs(self) -> Path | None:
        return self.folder / "logs" if self.folder else None


def _scaled(settings: EngineSection, factor: int) -> EngineSection:
    """Return engine settings with so many times the draws."""
    if factor == 1:
        return settings
    changed = {
        name: section.model_copy(update={"draws": section.draws * factor})
        for name, section in settings
        if hasattr(section, "draws")
    }
    return settings.model_copy(update=changed)


def engine_seed(seed: int, name: str, this_round: int = 1) -> int:
    """Derive an engine's seed from the card's: independent of which other engines run."""
    entropy = [seed, zlib.crc32(name.encode()), this_round]
    return int(np.random.SeedSequence(entropy).generate_state(1)[0])


def engine_requests(
    engines: Sequence[str] = DEFAULT_ENGINES,
    own: Sequence[str] = (),
    draws: Sequence[str] = (),
) -> list[EngineRequest]:
    """Turn ``--engines``, ``--engine NAME=FILE.py:FUNC`` and ``--draws NAME=FILE`` into requests.

    Raises
    ------
    InputError
        If a built-in engine is unknown, a ``NAME=`` is missing, or two engines have one name.
    """
    requests = []
    for name in engines:
        if name not in BUILT_IN:
            raise InputError(
                f"{name}: no such engine{did_you_mean(name, BUILT_IN)}; built in are "
                f"{', '.join(BUILT_IN)}; add your own by --engine NAME=FILE.py:FUNC"
            )
        requests.append(EngineRequest(name))
    requests += [_named("--engine", text, "own", "FILE.py:FUNC") for text in own]
    requests += [_named("--draws", text, "draws", "FILE") for text in draws]
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


def card_sample(card: Card, data: str | None = None, offline: bool = False) -> Sample:
    """Load the data a card asks for, or the same column of another file.

    A relative ``path`` in a card is relative to the card.
    """
    section = card.data
    source: str | Path
    if data is not None:
        source = data
    elif section.dataset is not None:
        source = section.dataset
    else:
        source = card.file.parent / str(section.path)
    return load_sample(source, section.column, section.transform, section.label, offline)


def compare_card(
    card: Card,
    requests: Sequence[EngineRequest] | None = None,
    *,
    sample: Sample | None = None,
    folder: Path | None = None,
    fresh: bool = False,
    watcher: Watcher | None = None,
    command: str = "",
) -> Outcome:
    """Fit every engine, compare, and write ``comparison.json`` if a folder is given.

    Raises
    ------
    InputError
        If the data or the card cannot be used, or the folder cannot be written.
    EngineError
        If an engine raises or returns nonsense; fits finished before it are kept.
    """
    sample = sample or card_sample(card)
    make_folder(folder)
    runner = Runner(card, sample, folder, fresh, watcher or SilentWatcher())
    fits = [runner.fit(request) for request in requests or engine_requests()]
    comparison = compare_fits(fits, sample, runner.refit)
    provenance = Provenance(
        card, datetime.now(UTC).isoformat(timespec="seconds"), command, versions()
    )
    outcome = Outcome(comparison, provenance, folder)
    if folder:
        _keep_aligned(comparison, folder)
        write_json(folder / "comparison.json", comparison_json(outcome))
    return outcome


def make_folder(folder: Path | None) -> None:
    """Create an output folder before any work is done.

    Raises
    ------
    InputError
        If it cannot be created or written.
    """
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe.{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be written: {error.strerror}; choose another by --out"
        ) from None


def _keep_aligned(comparison: Comparison, folder: Path) -> None:
    """Save fits with their aligned draws, unless that is how they were loaded."""
    for name, fit in comparison.fits.items():
        path = folder / "fits" / f"{name}.nc"
        if not path.is_file() or load_fit(path) != fit:
            fit.save(path)


def comparison_json(outcome: Outcome) -> dict[str, Any]:
    """Return the content of ``comparison.json``."""
    comparison, provenance = outcome.comparison, outcome.provenance
    return {
        "schema": SCHEMA,
        "version": __version__,
        "created": provenance.created,
        "command": provenance.command,
        "versions": dict(provenance.versions),
        "card": {
            "name": provenance.card.name,
            **provenance.card.model_dump(mode="json", exclude_none=True),
        },
        "data": data_entry(comparison.sample),
        **comparison.to_dict(),
    }


def data_entry(sample: Sample) -> dict[str, Any]:
    """Return the entry ``data`` of ``comparison.json``."""
    origin = sample.origin
    return {
        "name": origin.name,
        "label": origin.label,
        "source": origin.source,
        "simulated": origin.simulated,
        "n": sample.n,
        "n_distinct": sample.n_distinct,
        "n_missing": origin.n_missing,
        "sha256": origin.sha256,
    }


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON under a temporary name, then rename."""
    write_text(path, json.dumps(_finite(content), indent=1, allow_nan=False) + "\n")


def _finite(value: Any) -> Any:
    """Replace NaN and infinity, which JSON does not have, by null."""
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def write_text(path: Path, text: str) -> None:
    """Write a text file under a temporary name, then rename, so that it is never half-written.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise InputError(f"{path}: cannot be written: {error.strerror}") from None


def load_outcome(folder: str | Path) -> Outcome:
    """Load a finished comparison from its folder; nothing is fitted.

    Raises
    ------
    InputError
        If there is no ``comparison.json``, or it or a fit is damaged.
    """
    folder = Path(folder)
    path = folder / "comparison.json"
    if not path.is_file():
        raise InputError(
            f"{path}: no such file; make it with `gmmcompare compare CARD --out {folder}`"
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        described = dict(content["card"])
        file = Path(f"{described.pop('name')}.toml")
        card = Card.model_validate({**described, "file": file})
        fits = [load_fit(folder / "fits" / f"{name}.nc") for name in content["engines"]]
        pairs = tuple(PairVerdict.from_dict(pair) for pair in content["pairs"])
        data = content["data"]
        origin = Origin(**{f.name: data[f.name] for f in fields(Origin)})
    except InputError:
        raise
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path}: is damaged ({type(error).__name__}: {error}); run `gmmcompare compare` again"
        ) from None
    sample = replace(sample_of(fits[0]), origin=origin)
    comparison = compare_fits(fits, sample, pairs=pairs)
    provenance = Provenance(card, content["created"], content["command"], content["versions"])
    return Outcome(comparison, provenance, folder)


def versions() -> dict[str, str]:
    """Return the versions that a result depends on."""
    packages = ("numpy", "scipy", "numba", "pymc", "nutpie", "arviz")
    found = {name: importlib.metadata.version(name) for name in packages}
    return {
        "gmmcompare": __version__,
        "python": platform.python_version(),
        **found,
        "platform": f"{sys.platform} {platform.machine()}",
    }

"""Running one engine of a card: which engine, its seed, its cached fit, starts for NUTS."""

from __future__ import annotations

import hashlib
import json
import logging
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from gmmcompare._version import __version__
from gmmcompare.data.partitions.grid import PartitionedSample
from gmmcompare.engines.base import (
    BUILT_IN,
    Draws,
    Engine,
    Point,
    Problem,
    Progress,
    Resumable,
    all_values_needed,
    built_in_engine,
)
from gmmcompare.engines.checkpoint import Checkpoint
from gmmcompare.engines.imported import ImportedEngine
from gmmcompare.engines.own import OwnEngine, resolve
from gmmcompare.fitting.engine_tasks import EngineRun, run_engines
from gmmcompare.fitting.fit import Fit, build_fit, load_fit
from gmmcompare.model.card import Card, EngineSection
from gmmcompare.model.mixture import log_likelihood
from gmmcompare.model.params import Params
from gmmcompare.model.sample import Sample
from gmmcompare.runtime.errors import EngineError, InputError, did_you_mean
from gmmcompare.runtime.tasks import InProcess, Tasks

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
    function: Callable[..., Any] | None = None

    def build(
        self,
        settings: EngineSection,
        log_folder: Path | None = None,
        partitioned: bool = False,
    ) -> Engine:
        """Return the engine with its settings from a card.

        Raises
        ------
        InputError
            If there is no such function, or it cannot be run on data in partitions.
        """
        if self.origin == "draws":
            return ImportedEngine(self.name, self.spec)
        if self.origin == "own":
            if partitioned:
                raise InputError(all_values_needed(self.name))
            function = self.function or resolve(self.spec)
            return OwnEngine(self.name, function, settings.custom, log_folder)
        return built_in_engine(self.name, getattr(settings, self.name), partitioned)


_EM = EngineRequest("em")


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
    lenders : tuple of Path
        Folders of the same kind, whose fits are taken over where they are the right ones.
    tasks : Tasks
        Where engines run: here, or on a cluster.
    """

    card: Card
    sample: Sample
    folder: Path | None = None
    fresh: bool = False
    watcher: Watcher = field(default_factory=SilentWatcher)
    lenders: tuple[Path, ...] = ()
    tasks: Tasks = field(default_factory=InProcess)

    def __post_init__(self) -> None:
        if self.sample.n_distinct < self.card.K:
            raise InputError(
                f"{self.sample.origin.source}: {self.sample.n_distinct} distinct values are fewer "
                f"than {self.card.K} components; ask for at most {self.sample.n_distinct} "
                "(--set mixture.components=...)"
            )
        self._requests: dict[str, EngineRequest] = {}
        self._fitted: dict[tuple[str, int], Fit | EngineError] = {}

    def fit(self, request: EngineRequest, this_round: int = 1) -> Fit:
        """Return the engine's fit, from the folder if it is there and still the right one.

        ``this_round`` above 1 asks for fresh seeds and ``4**(this_round - 1)`` times the draws.
        """
        job = self.prepare(request, this_round)
        if job:
            _do([job], self.tasks)
        found = self._fitted[request.name, this_round]
        if isinstance(found, EngineError):
            raise found
        return found

    def prepare(self, request: EngineRequest, this_round: int = 1) -> Job | None:
        """Return what must be run so that `fit` has its answer; None where nothing must."""
        self._requests[request.name] = request
        at = request.name, this_round
        if at in self._fitted:
            return None
        settings = _scaled(self.card.engines, 4 ** (this_round - 1))
        partitioned = isinstance(self.sample, PartitionedSample)
        engine = request.build(settings, self._logs, partitioned)
        seed = engine_seed(self.card.run.seed, request.name, this_round)
        starts, starts_key = self._starts(request)
        key = self._key(engine, seed, starts_key)
        path = self._path(request.name, this_round)
        finished = self._finished(path, key, request.name) or self._borrowed(path, key)
        if finished:
            self.watcher.reused(request.name)
            self._fitted[at] = finished
            return None
        if path and isinstance(engine, Resumable):
            engine = engine.resuming(self._checkpoint(path, key))
        problem = Problem(self.sample, self.card.K, self.card.build_priors(), starts)
        here = partitioned or request.origin == "draws"  # workers have the data; the file is here
        return Job(self, at, key, path, here, EngineRun(engine, problem, seed))

    def keep(self, job: Job, result: Draws | Point | EngineError) -> None:
        """Take what a job came to."""
        if isinstance(result, EngineError):
            self._fitted[job.at] = result
            return
        fit = build_fit(job.run.engine, job.run.problem, job.run.seed, result, job.key)
        if job.path:
            fit.save(job.path)
        self._fitted[job.at] = fit

    def refit(self, name: str, this_round: int) -> Fit | None:
        """Fit an engine again with a fresh seed and more draws; None for draws from a file."""
        request = self._requests[name]
        return None if request.origin == "draws" else self.fit(request, this_round)

    def starts_at_em(self, request: EngineRequest) -> bool:
        """Whether an engine needs EM's solutions before it can run."""
        settings = getattr(self.card.engines, request.name, None)
        return request.origin == "built-in" and getattr(settings, "start", None) == "em"

    def _starts(self, request: EngineRequest) -> tuple[tuple[Params, ...], str]:
        """Return EM's solutions near the best for an engine that starts there, and EM's key."""
        if not self.starts_at_em(request):
            return (), ""
        em = self.fit(_EM)
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
        return fit if fit.key == key else None

    def _borrowed(self, path: Path | None, key: str) -> Fit | None:
        """Return another folder's fit if it is the right one, and keep a copy."""
        for lender in self.lenders if path else ():
            assert path is not None
            fit = self._finished(lender / "fits" / path.name, key, path.stem)
            if fit:
                fit.save(path)
                return fit
        return None

    def _checkpoint(self, path: Path, key: str) -> Checkpoint:
        checkpoint = Checkpoint(path.with_suffix(".checkpoint.npz"), key)
        if self.fresh:
            checkpoint.discard()
        return checkpoint

    def _path(self, name: str, this_round: int) -> Path | None:
        if self.folder is None:
            return None
        suffix = "" if this_round == 1 else f"-round{this_round}"
        return self.folder / "fits" / f"{name}{suffix}.nc"

    @property
    def _logs(self) -> Path | None:
        return self.folder / "logs" if self.folder else None


@dataclass(frozen=True)
class Job:
    """A fit that is still to be made: for whom, under which name and round, and where it is kept.

    ``here`` says that it has to run in this process.
    """

    runner: Runner
    at: tuple[str, int]
    key: str
    path: Path | None
    here: bool
    run: EngineRun


def fit_together(wanted: Sequence[tuple[Runner, EngineRequest]], tasks: Tasks) -> None:
    """Fit several engines, of one runner or of many, at the same time where tasks run.

    Afterwards `Runner.fit` has each fit at hand, or raises what went wrong in it. EM runs first
    where others start at its solutions.

    Parameters
    ----------
    wanted : sequence of (Runner, EngineRequest)
    tasks : Tasks
    """
    needed = {id(runner): (runner, _EM) for runner, q in wanted if runner.starts_at_em(q)}
    for these in (list(needed.values()), wanted):
        jobs = []
        for runner, request in these:
            with suppress(EngineError):  # of EM; whoever asks for the fit is told
                jobs.append(runner.prepare(request))
        _do([job for job in jobs if job], tasks)


def _do(jobs: Sequence[Job], tasks: Tasks) -> None:
    for place, here in ((InProcess(), True), (tasks, False)):
        of_place = [job for job in jobs if job.here is here]
        shows = [partial(job.runner.watcher.fitting, job.at[0]) for job in of_place]
        for index, result in run_engines([job.run for job in of_place], shows, place):
            of_place[index].runner.keep(of_place[index], result)


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

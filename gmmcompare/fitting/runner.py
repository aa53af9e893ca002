"""Running the engines of one problem: each found in the cache, or run where tasks run.

Engines are tasks: in this process one after another, on a cluster at the same time; their draws do
not depend on it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

from gmmcompare.data.partitions.grid import PartitionedSample
from gmmcompare.engines.base import BuiltIn, Draws, Engine, Point, Problem, Resumable
from gmmcompare.fitting.cache import NOTHING_KEPT, FitCache, fit_key
from gmmcompare.fitting.fit import Fit, build_fit
from gmmcompare.fitting.requests import EngineRequest, engine_seed
from gmmcompare.model.card import Card, EngineSection
from gmmcompare.model.family import family_of
from gmmcompare.model.params import Params
from gmmcompare.model.sample import Sample
from gmmcompare.runtime.errors import EngineError, InputError
from gmmcompare.runtime.progress import Progress, Step, no_progress
from gmmcompare.runtime.tasks import InProcess, Tasks

MODE_WINDOW = 10.0
"""NUTS starts at EM solutions whose log-likelihood is within this of the best."""

_EM = EngineRequest("em")
_REPEATED = {2: ", repeated with a fresh seed", 3: ", repeated again with a fresh seed"}
_one_at_a_time = threading.RLock()  # an engine of the user may call `fit` itself


@dataclass
class Runner:
    """Fits the engines of one card.

    Attributes
    ----------
    card : Card
    sample : Sample
    folder : Path or None
        Output folder: fits are put there as ``fits/ENGINE.nc``, what a user's sampler raises in
        ``logs``.
    cache : FitCache
        Where finished fits are looked for and kept.
    progress : Progress
        Is told of each engine.
    tasks : Tasks
        Where engines run: here, or on a cluster.
    """

    card: Card
    sample: Sample
    folder: Path | None = None
    cache: FitCache = NOTHING_KEPT
    progress: Progress = no_progress
    tasks: Tasks = field(default_factory=InProcess)

    def __post_init__(self) -> None:
        if self.sample.n_distinct < self.card.K:
            raise InputError(
                f"{self.sample.origin.source}: {self.sample.n_distinct} distinct values are fewer "
                f"than {self.card.K} components; ask for at most {self.sample.n_distinct} "
                "(--set mixture.components=...)"
            )
        self._requests: dict[str, EngineRequest] = {}
        self._expected: list[EngineRequest] = []
        self._fitted: dict[tuple[str, int], Fit | EngineError] = {}
        self._jobs: dict[tuple[str, int], Job] = {}

    def check(self, requests: Sequence[EngineRequest]) -> None:
        """Find a user's functions and read draws made elsewhere, before anything is fitted.

        Raises
        ------
        InputError
            If a function or a file is missing or is not what it should be.
        EngineError
            If draws are not those of such a mixture.
        """
        partitioned = isinstance(self.sample, PartitionedSample)
        family = self.card.build_priors().family
        self._expected = list(requests)
        for request in requests:
            if self.sample.errors is not None:
                request.refuse_errors()
            if request.origin == "own":
                request.build(self.card.engines, partitioned=partitioned, family=family)
        for request in requests:
            if request.origin == "draws":
                self.fit(request)

    def fit(self, request: EngineRequest, this_round: int = 1) -> Fit:
        """Return the engine's fit: at hand, from the cache, or run now.

        ``this_round`` above 1 asks for fresh seeds and ``4**(this_round - 1)`` times the draws.

        Raises
        ------
        EngineError
            If the engine raises or returns nonsense.
        """
        job = self.prepare(request, this_round)
        if job:
            if request.name != _EM.name:  # in a second EM is done, and others may start there
                self._import_ahead()
            _do([job], self.tasks)
        found = self._fitted[request.name, this_round]
        if isinstance(found, EngineError):
            raise found
        return found

    def refit(self, name: str, this_round: int) -> Fit | None:
        """Fit an engine again with a fresh seed and more draws; None where that cannot be done."""
        request = self._requests.get(name)
        if request is None or request.origin == "draws":
            return None
        return self.fit(request, this_round)

    def adopt(self, fit: Fit, request: EngineRequest | None = None) -> None:
        """Take over a fit that was made before; without a request it cannot be repeated."""
        self._fitted[fit.engine, 1] = fit
        if request:
            self._requests[request.name] = request

    def prepare(self, request: EngineRequest, this_round: int = 1) -> Job | None:
        """Return what must be run so that `fit` has its answer; None where nothing must."""
        self._requests[request.name] = request
        at = request.name, this_round
        if at in self._fitted or at in self._jobs:
            return self._jobs.get(at)
        if self.sample.errors is not None:
            request.refuse_errors()
        settings = _scaled(self.card.engines, 4 ** (this_round - 1))
        partitioned = isinstance(self.sample, PartitionedSample)
        logs = self.folder / "logs" if self.folder else None
        priors = self.card.build_priors()
        engine = request.build(settings, logs, partitioned, family_of(priors).name)
        seed = engine_seed(self.card.run.seed, request.name, this_round)
        starts, starts_key = self._starts(request)
        problem = Problem(self.sample, self.card.K, priors, starts)
        key = fit_key(problem, engine, seed, starts_key)
        name = request.name + _REPEATED.get(this_round, "")
        finished = self.cache.get(key)
        if finished:
            self.progress(name, 1.0)
            self._finish(at, finished.under(problem.priors))
            return None
        if isinstance(engine, Resumable):
            engine = engine.resuming(self.cache.checkpoint(key))
        here = partitioned or request.origin == "draws"  # workers have the data; the file is here
        run = _Run(engine, problem, seed)
        job = Job(self, at, key, here, partial(self.progress, name), run)
        self._jobs[at] = job
        return job

    def keep(self, job: Job, result: Draws | Point | EngineError) -> None:
        """Take what a job came to."""
        del self._jobs[job.at]
        if isinstance(result, EngineError):
            self._fitted[job.at] = result
            return
        origin = self._requests[job.at[0]].origin
        fit = build_fit(job.run.engine, job.run.problem, job.run.seed, result, job.key, origin)
        self.cache.put(fit)
        self._finish(job.at, fit)

    def _import_ahead(self) -> None:
        """Import what is still to run, in a thread: PyMC takes long, and Gibbs needs no GIL."""
        expected, self._expected = self._expected, []
        jobs = [self.prepare(request) for request in expected]
        engines = [job.run.engine for job in jobs if job and isinstance(job.run.engine, BuiltIn)]
        if engines:
            threading.Thread(target=_import_all, args=(engines,), daemon=True).start()

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
        family = family_of(self.card.build_priors())
        heights = [float(family.call("log_likelihood", self.sample, p)) for p in em.solutions]
        near = [
            p for p, h in zip(em.solutions, heights, strict=True) if h > max(heights) - MODE_WINDOW
        ]
        return tuple(near), em.key

    def _finish(self, at: tuple[str, int], fit: Fit) -> None:
        self._fitted[at] = fit
        if self.folder:
            name, this_round = at
            suffix = "" if this_round == 1 else f"-round{this_round}"
            self.cache.deliver(fit, self.folder / "fits" / f"{name}{suffix}.nc")


class _Run(NamedTuple):
    """What a task is given."""

    engine: Engine
    problem: Problem
    seed: int


@dataclass(frozen=True)
class Job:
    """A fit that is still to be made.

    Attributes
    ----------
    runner : Runner
        Whose it is.
    at : tuple of str and int
        The engine's name and the round.
    key : str
    here : bool
        Whether it has to run in this process.
    progress : Step
    run : NamedTuple
        What its task is given.
    """

    runner: Runner
    at: tuple[str, int]
    key: str
    here: bool
    progress: Step
    run: _Run


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
        watch = _Watch([job.progress for job in of_place])
        for index, result in place.run(_run, [job.run for job in of_place], watch=watch):
            watch.end(index)
            of_place[index].runner.keep(of_place[index], result)


def _import_all(engines: Sequence[BuiltIn]) -> None:
    for engine in engines:
        with suppress(Exception):  # whoever runs it is told
            engine.imported()


def _run(what: _Run, progress: Step) -> Draws | Point | EngineError:
    """Run one engine; not two in one process, since they compile and redirect output."""
    with _one_at_a_time:
        try:
            return what.engine.run(what.problem, what.seed, progress)
        except EngineError as error:  # the other runs go on
            return error


class _Watch:
    """Passes on how far each run is: 1 when it has ended, and no late news from workers then."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps, self._ended = steps, set[int]()
        self._lock = threading.Lock()

    def __call__(self, index: int, fraction: float) -> None:
        with self._lock:
            if fraction < 1.0 and index not in self._ended:
                self._steps[index](fraction)

    def end(self, index: int) -> None:
        with self._lock:
            self._ended.add(index)
            self._steps[index](1.0)


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

"""From a card to the posterior of the number of components, by several roads."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from gmmcompare._version import __version__
from gmmcompare.comparison.agreed import judge_pairs
from gmmcompare.comparison.density import density_grid
from gmmcompare.comparison.number import (
    OTHER_PRIOR,
    SAMPLERS,
    Components,
    Road,
    density_of,
    evidence_of,
)
from gmmcompare.data.partitions.grid import PartitionedSample
from gmmcompare.engines.base import Seconds
from gmmcompare.engines.components import ComponentsDraws, ComponentsProblem, Lengths
from gmmcompare.fitting.cache import NOTHING_KEPT, FitCache
from gmmcompare.fitting.requests import EngineRequest, engine_seed
from gmmcompare.fitting.runner import Runner
from gmmcompare.model.card import Card, ComponentsSection
from gmmcompare.model.exact import exact_components
from gmmcompare.model.exact.components import MAX_OBSERVATIONS
from gmmcompare.model.params import Params
from gmmcompare.model.prior_on_k import PriorOnK
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample
from gmmcompare.runtime.errors import InputError, did_you_mean
from gmmcompare.runtime.files import make_folder, replacing, write_json
from gmmcompare.runtime.progress import Progress, Step, no_progress
from gmmcompare.selection.evidence import log_evidence
from gmmcompare.workflows.load import Data, load
from gmmcompare.workflows.provenance import Provenance

ROADS = ("exact", *SAMPLERS, "bridge", OTHER_PRIOR)
MOST_BRIDGED = 8
"""The cost of the evidence doubles with each component."""
BRIDGE_KERNELS, BRIDGE_DRAWS = 400, 2000
"""Half of what `select` takes, for numbers up to 8 rather than 6."""
BRIDGED_SHARE = 1e-3
"""Numbers less probable by the samplers are left out by the bridge."""

log = logging.getLogger("gmmcompare")


@dataclass(frozen=True)
class ComponentsOutcome:
    """The posterior of K and where it came from."""

    components: Components
    provenance: Provenance
    problem: ComponentsProblem
    folder: Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the content of ``components.json``."""
        return {
            **self.provenance.header(self.components.sample),
            "dynamic": self.problem.dynamic,
            **self.components.to_dict(),
        }


def components_card(
    card: Card,
    roads: Sequence[str] | None = None,
    *,
    data: Data | None = None,
    folder: Path | None = None,
    cache: FitCache = NOTHING_KEPT,
    kept: Path | None = None,
    progress: Progress = no_progress,
    command: str = "",
) -> ComponentsOutcome:
    """Work out the posterior of the number of components of a card's data.

    Parameters
    ----------
    card : Card
        Its own number of components does not matter; ``[components]`` has the prior on K.
    roads : sequence of str, optional
        By default exact (if there are at most 14 observations), telescoping, reversible_jump,
        bridge and, if the card has ``components.alpha``, dirichlet_process.
    data : Data, optional
        By default the card's.
    folder : Path, optional
        For ``components.json``.
    cache : FitCache
        Of the Gibbs fits that the bridge needs.
    kept : Path, optional
        Folder in which finished roads are looked for and kept.
    progress : Progress
        Is told of each road.
    command : str
        The command line, for the record.

    Raises
    ------
    InputError
        If a road, the data or the card cannot be used, or the folder cannot be written.
    """
    settings = card.components or ComponentsSection()
    sample = (data or load(card)).sample
    problem = problem_of(card, sample, settings)
    chosen = _chosen(roads, sample, settings)
    if folder:
        make_folder(folder)
    store = _Store(kept, problem, card.run.seed, settings)
    found: dict[str, Road] = {}
    for name in chosen:
        step = partial(progress, name)
        step(0.0)
        if name == "exact":
            found[name] = _exact(problem)
        elif name == "bridge":
            found[name] = _bridge(card, problem, found, cache, store, progress)
        else:
            draws = store.draws(name, partial(_sample, name, problem, card, settings, step))
            found[name] = Road.of_draws(name, draws, problem.max_K)
        step(1.0)
    components = _judged(found, problem)
    outcome = ComponentsOutcome(components, Provenance.now(card, command), problem, folder)
    if folder:
        write_json(folder / "components.json", outcome.to_dict())
    return outcome


def problem_of(card: Card, sample: Sample, settings: ComponentsSection) -> ComponentsProblem:
    """Return what the samplers are given, after a look at whether they can take it.

    Parameters
    ----------
    card : Card
    sample : Sample
    settings : ComponentsSection

    Raises
    ------
    InputError
        If the components are not normal with one prior, or data have errors or are in partitions.
    """
    priors = card.build_priors()
    if type(priors) is not Priors or type(sample) is not Sample:
        what = "in partitions" if isinstance(sample, PartitionedSample) else "of another family"
        raise InputError(
            f"{card.file}: samplers of the number of components take normal components in one "
            f"dimension, and these are {what}; for at most 14 observations use gc.exact_components"
        )
    if getattr(sample, "errors", None) is not None:
        raise InputError(
            f"{card.file}: samplers of the number of components take no measurement errors; leave "
            "data.error out"
        )
    if not priors.exchangeable:
        raise InputError(
            f"{card.file}: the number of components varies, so all must have the same prior: give "
            "one number for each field of [priors]"
        )
    # The card's own K is one of many.
    one = {name: float(np.atleast_1d(value)[0]) for name, value in priors.to_dict().items()}
    return ComponentsProblem(
        sample, Priors(**one), PriorOnK.of(settings.prior, settings.max), settings.dynamic
    )


def _chosen(
    roads: Sequence[str] | None, sample: Sample, settings: ComponentsSection
) -> tuple[str, ...]:
    """Return the roads to take, in their order."""
    if roads is None:
        asked = set(ROADS)
        if sample.n > MAX_OBSERVATIONS:
            asked.discard("exact")
        if settings.alpha is None:
            asked.discard(OTHER_PRIOR)
        return tuple(name for name in ROADS if name in asked)
    for name in roads:
        if name in ("nuts", "numpyro", "stan", "jags"):
            raise InputError(
                f"{name} cannot change the number of components: it draws parameters of one K; "
                f"choose from {', '.join(ROADS)} (bridge puts evidence of each K together)"
            )
        if name not in ROADS:
            raise InputError(
                f"there is no road '{name}' to the number of components"
                f"{did_you_mean(name, ROADS)}; choose from {', '.join(ROADS)}"
            )
    if "exact" in roads and sample.n > MAX_OBSERVATIONS:
        raise InputError(
            f"exact: {sample.n} observations are too many; it takes at most {MAX_OBSERVATIONS}"
        )
    return tuple(name for name in ROADS if name in roads)


def _exact(problem: ComponentsProblem) -> Road:
    started = time.perf_counter()
    exact = exact_components(
        problem.sample.y, problem.priors, problem.on_k, problem.max_K, problem.dynamic
    )
    prob, occupied = exact.prob, exact.prob_occupied
    seconds = time.perf_counter() - started
    zero = np.zeros(prob.size)
    return Road("exact", prob, zero, occupied, np.append(zero, 0.0), seconds=seconds)


def _sample(
    name: str,
    problem: ComponentsProblem,
    card: Card,
    settings: ComponentsSection,
    step: Step,
) -> ComponentsDraws:
    lengths = Lengths(settings.chains, settings.warmup, settings.draws, settings.every)
    seed = engine_seed(card.run.seed, name)
    if name == "telescoping":
        from gmmcompare.engines.telescoping.engine import run as telescoping

        return telescoping(problem, seed, lengths, step)
    if name == "reversible_jump":
        from gmmcompare.engines.reversible_jump.engine import run as reversible_jump

        return reversible_jump(problem, seed, lengths, step)
    from gmmcompare.engines.dirichlet_process.engine import run as dirichlet_process

    return dirichlet_process(problem, settings.alpha or 1.0, seed, lengths, step)


def _bridge(
    card: Card,
    problem: ComponentsProblem,
    found: Mapping[str, Road],
    cache: FitCache,
    store: _Store,
    progress: Progress,
) -> Road:
    """Return p(K) times the evidence of each K, from Gibbs draws of each."""
    started = time.perf_counter()
    tried = _bridged(problem, found)
    log_joint, log_se = np.full(problem.max_K, np.nan), np.full(problem.max_K, np.nan)
    for K in tried:
        c = float(problem.concentrations[K - 1])
        own = card.changed({"mixture.components": K, "priors.weight_concentration": c})
        step = partial(progress, f"bridge K={K}")
        value, se = store.numbers(
            f"bridge{K}", partial(_evidence, own, problem.sample, cache, step)
        )
        log_joint[K - 1] = problem.on_k.log_prob[K - 1] + value
        log_se[K - 1] = se
        step(1.0)
    prob = np.exp(log_joint - np.nanmax(log_joint))
    prob /= np.nansum(prob)
    # Of p_K = e_K / sum e: the relative error is that of e_K less that of the sum.
    share = np.nan_to_num(prob)
    others = np.sqrt(np.sum((share * np.nan_to_num(log_se)) ** 2) - (share * log_se) ** 2)
    se = prob * np.hypot((1.0 - prob) * log_se, others)
    left = [K for K in range(1, problem.max_K + 1) if K not in tried]
    notes = (f"evidence was worked out for K = {tried[0]} to {tried[-1]} only",) if left else ()
    return Road("bridge", prob, se, seconds=time.perf_counter() - started, notes=notes)


def _bridged(problem: ComponentsProblem, found: Mapping[str, Road]) -> list[int]:
    """Return the numbers of components for which the evidence is worked out."""
    most = min(problem.max_K, MOST_BRIDGED, problem.sample.n_distinct)
    sampled = [road.prob for road in found.values() if road.prob is not None]
    allowed = [K for K in range(1, most + 1) if np.isfinite(problem.on_k.log_prob[K - 1])]
    if sampled:
        allowed = [K for K in allowed if max(p[K - 1] for p in sampled) > BRIDGED_SHARE]
    if not allowed:
        raise InputError(
            f"bridge: no number of components up to {most} has any probability; leave it out"
        )
    return allowed


def _evidence(card: Card, sample: Sample, cache: FitCache, step: Step) -> tuple[float, float]:
    fit = Runner(card, sample, None, cache, lambda _, done: step(0.5 * done)).fit(
        EngineRequest("gibbs")
    )
    rng = np.random.default_rng(engine_seed(card.run.seed, "bridge"))
    priors = card.build_priors()
    found = log_evidence(fit.params, sample, priors, rng, BRIDGE_KERNELS, BRIDGE_DRAWS)
    return found.value, found.se


def _judged(found: Mapping[str, Road], problem: ComponentsProblem) -> Components:
    samplers = {n: r.draws for n, r in found.items() if r.draws is not None}
    same = {n: d for n, d in samplers.items() if n in SAMPLERS}
    pairs = judge_pairs(evidence_of(same, problem.sample)) if len(same) > 1 else ()
    grid = density_grid(problem.sample)
    densities = {name: density_of(draws, grid) for name, draws in samplers.items()}
    return Components(found, pairs, problem.on_k, problem.sample, grid, densities)


class _Store:
    """Finished roads in a folder, by the hash of all that they depend on."""

    def __init__(
        self,
        folder: Path | None,
        problem: ComponentsProblem,
        seed: int,
        settings: ComponentsSection,
    ) -> None:
        self._folder = folder
        self._content = {
            "version": __version__,
            "data": problem.sample.fingerprint,
            "priors": problem.priors.to_dict(),
            "prior_on_K": problem.on_k.log_prob.tolist(),
            "settings": settings.model_dump(),
            "seed": seed,
        }

    def draws(self, name: str, make: Callable[[], ComponentsDraws]) -> ComponentsDraws:
        """Return a sampler's draws: kept, or made now."""
        arrays = self._load(name)
        if arrays is None:
            found = make()
            moves = list(found.acceptance)
            self._save(
                name,
                {
                    **found.params._asdict(),
                    "K": found.K,
                    "n_occupied": found.n_occupied,
                    "seconds": np.array(found.seconds.sample),
                    "moves": np.array(moves, dtype=str),
                    "acceptance": np.array([found.acceptance[m] for m in moves], dtype=float),
                },
            )
            return found
        acceptance = {
            str(m): float(a) for m, a in zip(arrays["moves"], arrays["acceptance"], strict=True)
        }
        params = Params(*(arrays[n] for n in Params._fields))
        seconds = Seconds(0.0, float(arrays["seconds"]))
        return ComponentsDraws(params, arrays["K"], arrays["n_occupied"], seconds, acceptance)

    def numbers(self, name: str, make: Callable[[], tuple[float, float]]) -> tuple[float, float]:
        """Return two numbers: kept, or worked out now."""
        arrays = self._load(name)
        if arrays is None:
            arrays = {"found": np.array(make())}
            self._save(name, arrays)
        a, b = (float(v) for v in arrays["found"])
        return a, b

    def _path(self, name: str) -> Path | None:
        text = json.dumps({**self._content, "road": name}, sort_keys=True)
        key = hashlib.sha256(text.encode()).hexdigest()
        return self._folder / f"{key}.npz" if self._folder else None

    def _load(self, name: str) -> dict[str, Any] | None:
        path = self._path(name)
        if path is None or not path.is_file():
            return None
        try:
            with path.open("rb") as file, np.load(file) as stored:
                return dict(stored)
        except Exception:  # a truncated file, whatever it makes NumPy raise
            log.warning("%s is damaged; running %s again", path, name)
            return None

    def _save(self, name: str, arrays: Mapping[str, Any]) -> None:
        path = self._path(name)
        if path is None:
            return
        try:
            make_folder(path.parent, "set GMMCOMPARE_CACHE to a folder that can")
            with replacing(path) as temporary, temporary.open("wb") as file:
                np.savez(file, **arrays)
        except (InputError, OSError) as error:  # a full disk is no reason to lose the draws
            log.warning("%s is not kept: %s", name, error)

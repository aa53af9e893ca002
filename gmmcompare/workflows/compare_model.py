"""From a PyMC model, and samplers or draws of it, to a verdict: `compare --model`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from gmmcompare.comparison.agreed import agree_on
from gmmcompare.comparison.general import GeneralDraws
from gmmcompare.model.card import EngineSection, NutsSettings, SamplerSettings
from gmmcompare.model.named import as_model, load_model
from gmmcompare.model.points import Data, Points, joined, mapped, one_of
from gmmcompare.model.protocol import Model, symmetries
from gmmcompare.runtime.code import find
from gmmcompare.runtime.errors import InputError
from gmmcompare.runtime.files import replacing
from gmmcompare.runtime.progress import Progress, no_progress
from gmmcompare.validation.sandbox.model_subject import ModelSubject
from gmmcompare.workflows.agree import Agreed, draws_in, with_density

Run = Callable[[int, int], tuple[GeneralDraws, float]]
"""``run(seed, factor)`` makes draws, ``factor`` times as many as the settings say."""
NUTS = "nuts"


def compare_model(
    model: Any,
    own: Mapping[str, str | Callable[..., Any]],
    elsewhere: Mapping[str, str | Path],
    *,
    chosen: Sequence[str] = (),
    nuts: NutsSettings | None = None,
    custom: SamplerSettings | None = None,
    seed: int = 4,
    folder: Path | None = None,
    command: str = "",
    progress: Progress = no_progress,
) -> Agreed:
    """Run NUTS on a PyMC model beside samplers of the user's, or beside draws; compare all.

    Parameters
    ----------
    model : pymc.Model, callable or str
        Or ``FILE.py:NAME``; its data are those that it observed.
    own : mapping of str to str or callable
        Samplers by name, ``FILE.py:FUNC`` or functions: kernels ``(theta, y, rng)`` or whole
        samplers ``(y, draws, warmup, chains, rng)``.
    elsewhere : mapping of str to path
        Draws made elsewhere, by name.
    chosen : sequence of str
        Parameters to compare; by default all that are common.
    nuts : NutsSettings, optional
    custom : SamplerSettings, optional
        Chains, warmup and draws of the user's samplers.
    seed : int
    folder : Path, optional
        Draws are kept there, as ``draws/NAME.npz``.
    command : str
        What was typed.
    progress : callable
        Is told of each sampler.

    Raises
    ------
    InputError
        If the model is not PyMC's, or a sampler or draws cannot be used.
    EngineError
        If a sampler fails.
    """
    title = _title(model)
    known: Any = pymc_model(model)
    runs: dict[str, Run] = {NUTS: partial(_nuts, known, nuts or NutsSettings())}
    for name, sampler in own.items():
        function = find(sampler) if isinstance(sampler, str) else sampler
        subject = ModelSubject(function, name)
        runs[name] = partial(_own, subject, known, custom or SamplerSettings())
    draws, seconds = [], {}
    for i, (name, run) in enumerate(runs.items()):
        progress(name, 0.0)
        made, took = run(seed + i, 1)
        draws.append(with_density(made, known, None))
        seconds[name] = took
        progress(name, 1.0)
    for name, place in elsewhere.items():
        draws.append(with_density(draws_in(place, name), known, None))
    if folder is not None:
        for d in draws:
            _keep(d, folder / "draws" / f"{d.name}.npz")

    def redraw(name: str, this_round: int) -> GeneralDraws | None:
        if name not in runs:
            return None
        progress(f"{name}, fresh seed", 0.0)
        made, _ = runs[name](seed + 1000 * this_round, 4 ** (this_round - 1))
        progress(f"{name}, fresh seed", 1.0)
        return with_density(made, known, None)

    sources = {d.name: str(elsewhere.get(d.name, own.get(d.name, title))) for d in draws}
    found = agree_on(draws, chosen, symmetries(known), redraw, seconds)
    return Agreed(found, sources, command, title)


def pymc_model(model: Any) -> Model:
    """Return the model that NUTS can sample.

    Parameters
    ----------
    model : pymc.Model, Model, callable or str
        Or ``FILE.py:NAME``.

    Raises
    ------
    InputError
        If there is none, or it is not PyMC's.
    """
    known = load_model(model) if isinstance(model, str) else as_model(model, _title(model))
    if not hasattr(known, "pymc_model"):
        raise InputError(
            f"{_title(model)}: NUTS needs a PyMC model; compare draws of others by "
            "`gmmcompare agree`"
        )
    return known


def _title(model: Any) -> str:
    return model if isinstance(model, str) else str(getattr(model, "name", "") or "a PyMC model")


def model_settings(overrides: Sequence[str]) -> tuple[NutsSettings, SamplerSettings]:
    """Return the settings of NUTS and of the user's samplers, with what ``--set`` overrides.

    Parameters
    ----------
    overrides : sequence of str
        ``engines.nuts.draws=5000`` and the like; ``engines.custom`` is the user's.

    Raises
    ------
    InputError
        If one is no such setting.
    """
    from gmmcompare.model.card import engine_settings

    found: EngineSection = engine_settings(overrides)
    return found.nuts, found.custom


def _nuts(model: Any, settings: NutsSettings, seed: int, factor: int) -> tuple[GeneralDraws, float]:
    from gmmcompare.engines.nuts.any_model import run_nuts

    longer = settings.model_copy(update={"draws": factor * settings.draws})
    run = run_nuts(model.pymc_model, longer, seed)
    return GeneralDraws(NUTS, run.arrays, {}, run.divergences, run.notes), run.seconds


def _own(
    subject: ModelSubject, model: Model, settings: SamplerSettings, seed: int, factor: int
) -> tuple[GeneralDraws, float]:
    """Run a kernel's chains from draws of the prior, or a whole sampler."""
    y: Data = model.observed  # type: ignore[attr-defined]
    rng = np.random.default_rng(seed)
    theta = model.draw_prior(settings.chains, rng)
    starts = {name: np.asarray(theta[name]) for name in model.parameters}
    draws = factor * settings.draws
    started = time.perf_counter()
    if subject.kind == "sampler":
        made = subject.run(one_of(starts, 0), y, draws, settings.warmup, settings.chains, rng)
    else:
        chains: list[Points] = [
            mapped(
                lambda a: a[None], subject.chain(one_of(starts, c), y, own, draws, settings.warmup)
            )
            for c, own in enumerate(rng.spawn(settings.chains))
        ]
        made = joined(chains)
    arrays = {name: np.asarray(made[name], dtype=float) for name in model.parameters}
    return GeneralDraws(subject.name, arrays), time.perf_counter() - started


def _keep(draws: GeneralDraws, path: Path) -> None:
    """Write draws so that `gmmcompare agree` reads them."""
    arrays: dict[str, Any] = dict(draws.arrays)
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)

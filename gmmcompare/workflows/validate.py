"""From a sampler, and perhaps a card, to a validation."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gmmcompare.model.card import Card, NutsSettings, SamplerSettings
from gmmcompare.model.family_model import family_tested
from gmmcompare.model.points import Data as Observed
from gmmcompare.model.protocol import Model
from gmmcompare.runtime.errors import InputError
from gmmcompare.runtime.progress import Progress, no_progress
from gmmcompare.runtime.tasks import Tasks
from gmmcompare.validation.faults.museum.catalogue import is_piece
from gmmcompare.validation.run import DEFAULT_SEED, validate
from gmmcompare.validation.verdict import Validation

if TYPE_CHECKING:
    # ArviZ and xarray take seconds to import, and only data of the user's need them.
    from gmmcompare.fitting.cache import FitCache
    from gmmcompare.validation.checks.on_data import OnData
    from gmmcompare.workflows.load import Data

LONG = 5000
"""Draws of each of four chains that are compared with NUTS on a model's own data."""


def validate_sampler(
    sampler: str | Callable[..., Any],
    card: Card | None = None,
    *,
    model: Any = None,
    data: Data | None = None,
    posterior_sbc: bool = False,
    nuts: bool = False,
    out: Path | None = None,
    cache: FitCache | None = None,
    progress: Progress = no_progress,
    tasks: Tasks | None = None,
    **options: Any,
) -> Validation:
    """Validate a sampler; with a card against NUTS on its data as well.

    Parameters
    ----------
    sampler : str or callable
        As for `validation.run.validate`.
    card : Card, optional
        The sampler's chains have the lengths of ``[engines.custom]``.
    model : Model, pymc.Model, callable or str, optional
        As for `validation.run.validate`; there is no card then.
    data : Data, optional
        By default the card's.
    posterior_sbc : bool
        Calibrate around the data as well.
    nuts : bool
        With a PyMC model: compare whole chains with a long run of NUTS on the data that the model
        observed, too; with a card this is done in any case. The sampler then runs in this process.
    out : Path, optional
        For all that `validation.run.validate` writes, and ``fits/nuts.nc``.
    cache : FitCache, optional
        Where NUTS' fit is looked for and kept; by default nowhere.
    progress : Progress
        Is told of NUTS and of each check.
    tasks : Tasks, optional
        Where NUTS and replicates run.
    **options
        Further ones of `validation.run.validate`.

    Raises
    ------
    InputError
        If card or data cannot be used, or there is no such sampler.
    """
    if card is not None and (model is not None or is_piece(sampler)):
        raise InputError("a card is of a mixture: give a card or a model, not both")
    if card is not None and card.build_priors().family != "normal":
        raise InputError(
            f"{card.file}: validate --card is for the priors of family normal, nothing known or "
            f"shared; test a sampler of yours by `validate SAMPLER --family "
            f"{family_tested(card.build_priors())}`, and compare it on these data by `gmmcompare "
            "compare CARD --engine NAME=FILE.py:FUNC`"
        )
    if card is None:
        if posterior_sbc or data is not None:
            raise InputError("posterior SBC, or agreement on data, needs a card")
        if nuts and model is None:
            raise InputError("to compare with NUTS give a PyMC model by --model, or a --card")
        known = _pymc(model) if nuts else None
        found = validate(sampler, model=model, out=out, progress=progress, tasks=tasks, **options)
        if known is not None and found.verdict != "failed":
            seed = int(options.get("seed", DEFAULT_SEED))
            found = _against_nuts(found, sampler, known, seed, progress)
            if out is not None:
                found.save(out / "validation.json")
        return found
    on_data = _on_data(card, data, posterior_sbc, out, cache, progress, tasks)
    return validate(sampler, out=out, on_data=on_data, progress=progress, tasks=tasks, **options)


def _on_data(
    card: Card,
    data: Data | None,
    posterior_sbc: bool,
    out: Path | None,
    cache: FitCache | None,
    progress: Progress,
    tasks: Tasks | None,
) -> OnData:
    """Fit the card's data by NUTS, for a sampler to be compared with."""
    from gmmcompare.data.partitions.grid import PartitionedSample
    from gmmcompare.engines.base import Problem
    from gmmcompare.fitting.cache import NOTHING_KEPT
    from gmmcompare.fitting.requests import EngineRequest
    from gmmcompare.validation.checks.on_data import OnData
    from gmmcompare.workflows.fit import fit_card
    from gmmcompare.workflows.load import load

    data = data or load(card)
    if data.sample.errors is not None and posterior_sbc:
        raise InputError(
            f"{data.sample.origin.name}: posterior SBC does not know measurement errors; leave it "
            "out, and the sampler is compared with NUTS on these data"
        )
    if isinstance(data.sample, PartitionedSample):
        raise InputError(
            f"{data.sample.origin.name}: a sampler of your own needs all values in one array; run "
            "it on a random part by --set data.subsample=10000"
        )
    fit = fit_card(
        card,
        EngineRequest("nuts"),
        data=data,
        folder=out,
        cache=cache or NOTHING_KEPT,
        progress=progress,
        tasks=tasks,
    )
    problem = Problem(data.sample, card.K, card.build_priors())
    return OnData(problem, fit, card.engines.custom, posterior_sbc)


def _pymc(model: Any) -> Model:
    """Return a PyMC model that observed data, as a `Model`."""
    from gmmcompare.workflows.compare_model import pymc_model

    return pymc_model(model)


def _against_nuts(
    found: Validation, sampler: str | Callable[..., Any], model: Model, seed: int, step: Progress
) -> Validation:
    """Add the check of whole chains on the model's own data against a long run of NUTS."""
    from gmmcompare.validation.checks.on_data import check_of_pair
    from gmmcompare.workflows.compare_model import compare_model

    started = time.perf_counter()
    lengths = SamplerSettings(draws=LONG)
    agreed = compare_model(
        model,
        {"yours": sampler},
        {},
        nuts=NutsSettings(draws=LONG),
        custom=lengths,
        seed=seed,
        progress=step,
    )
    y: Observed = model.observed  # type: ignore[attr-defined]
    check = check_of_pair(
        agreed.agreement.pairs[0],
        agreed.model,
        sum(map(np.size, y.values() if isinstance(y, Mapping) else [y])),
        replicates=lengths.chains * lengths.draws,
        seconds=time.perf_counter() - started,
    )
    return replace(found, checks=(*found.checks, check))

"""From a card to one engine's fit."""

from __future__ import annotations

from pathlib import Path

from gmmcompare.comparison.comparison import reference_point
from gmmcompare.comparison.labels import align
from gmmcompare.fitting.cache import NOTHING_KEPT, FitCache
from gmmcompare.fitting.fit import Fit
from gmmcompare.fitting.requests import EngineRequest
from gmmcompare.fitting.runner import Runner
from gmmcompare.model.card import Card
from gmmcompare.runtime.files import make_folder
from gmmcompare.runtime.progress import Progress, no_progress
from gmmcompare.runtime.tasks import InProcess, Tasks
from gmmcompare.workflows.load import Data, load
from gmmcompare.workflows.outcome import keep_aligned


def fit_card(
    card: Card,
    request: EngineRequest,
    *,
    data: Data | None = None,
    folder: Path | None = None,
    cache: FitCache = NOTHING_KEPT,
    progress: Progress = no_progress,
    tasks: Tasks | None = None,
) -> Fit:
    """Fit one engine, and align its draws to the one of highest log-likelihood.

    Parameters
    ----------
    card : Card
    request : EngineRequest
    data : Data, optional
        By default the card's.
    folder : Path, optional
        For ``fits/ENGINE.nc``.
    cache : FitCache
        Where a finished fit is looked for and kept.
    progress : Progress
        Is told of the engine.
    tasks : Tasks, optional
        Where it runs; by default in this process.

    Raises
    ------
    InputError
        If the data or the card cannot be used, or the folder cannot be written.
    EngineError
        If the engine raises or returns nonsense.
    """
    sample = (data or load(card)).sample
    if folder:
        make_folder(folder)
    fit = Runner(card, sample, folder, cache, progress, tasks or InProcess()).fit(request)
    if fit.kind == "point":
        return fit
    fit = fit.with_aligned(align(fit, reference_point([fit]), sample).params)
    if folder:
        keep_aligned(fit, folder / "fits" / f"{fit.engine}.nc")
    return fit

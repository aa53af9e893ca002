"""From a card and its data to fits to a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gmmcompare.comparison.compared import compared
from gmmcompare.comparison.comparison import Comparison
from gmmcompare.fitting.cache import NOTHING_KEPT, FitCache
from gmmcompare.fitting.requests import EngineRequest, engine_requests
from gmmcompare.fitting.runner import Runner, fit_together
from gmmcompare.model.card import Card
from gmmcompare.runtime.files import make_folder
from gmmcompare.runtime.progress import Progress, no_progress
from gmmcompare.runtime.tasks import InProcess, Tasks
from gmmcompare.workflows.load import Data
from gmmcompare.workflows.outcome import Outcome, write_outcome
from gmmcompare.workflows.provenance import Provenance
from gmmcompare.workflows.settle import refuse_vectors, settle


def compare_card(
    card: Card,
    data: Data,
    requests: Sequence[EngineRequest] | None = None,
    *,
    folder: Path | None = None,
    cache: FitCache = NOTHING_KEPT,
    progress: Progress = no_progress,
    command: str = "",
    tasks: Tasks | None = None,
    settling: bool = False,
) -> Outcome:
    """Fit every engine, compare, and write the results if a folder is given.

    Parameters
    ----------
    card : Card
    data : Data
        The card's, from `workflows.load`, or others.
    requests : sequence of EngineRequest, optional
        By default EM, Gibbs and NUTS.
    folder : Path, optional
        For ``comparison.json``, ``fits/ENGINE.nc`` (put there as they are finished) and, where
        observations have rows, ``allocations.csv``.
    cache : FitCache
        Where finished fits are looked for and kept.
    progress : Progress
        Is told of each engine.
    command : str
        The command line, for the record.
    tasks : Tasks, optional
        Where engines run at the same time; by default one after another in this process. The
        results are the same.
    settling : bool, optional
        While the comparison is inconclusive, run engines again with the settings that it names:
        see `workflows.settle`.

    Raises
    ------
    InputError
        If the card cannot be used, or the folder cannot be written.
    EngineError
        If an engine raises or returns nonsense; fits finished before it are kept.
    """
    if settling:
        refuse_vectors(data.sample)
    if folder:
        make_folder(folder)

    def runner_of(changed: Card) -> Runner:
        said = progress if changed is card else _again(progress)
        return Runner(changed, data.sample, folder, cache, said, tasks or InProcess())

    runner = runner_of(card)
    requests = requests or engine_requests()
    runner.check(requests)
    if tasks:
        fit_together([(runner, request) for request in requests], tasks)
    fits = [runner.fit(request) for request in requests]
    names = card.dimensions or data.names
    comparison = compared(fits, data.sample, runner.refit, names=names)
    used = card
    if settling and isinstance(comparison, Comparison):
        by_name = {request.name: request for request in requests}
        comparison, used = settle(comparison, card, by_name, runner_of, tasks)
    outcome = Outcome(comparison, Provenance.now(used, command), folder)
    if folder:
        write_outcome(outcome, data.rows, folder)
    return outcome


def _again(progress: Progress) -> Progress:
    """Return what tells of engines that are run again to settle the comparison."""
    return lambda name, fraction: progress(f"{name}, to settle it", fraction)

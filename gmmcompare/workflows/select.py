"""From a card to a choice of the number of components: fits, criteria, ``selection.json``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from gmmcompare.comparison.density import density_grid
from gmmcompare.comparison.words import phrase
from gmmcompare.fitting.cache import NOTHING_KEPT, FitCache
from gmmcompare.fitting.fit import Fit
from gmmcompare.fitting.requests import EngineRequest, engine_requests, engine_seed
from gmmcompare.fitting.runner import Runner, fit_together
from gmmcompare.model.card import Card
from gmmcompare.runtime.errors import EngineError
from gmmcompare.runtime.files import make_folder, write_json
from gmmcompare.runtime.progress import Progress, no_progress
from gmmcompare.runtime.tasks import Tasks
from gmmcompare.selection.candidate import Candidate, assess
from gmmcompare.selection.predictive import bin_edges
from gmmcompare.selection.selection import Selection
from gmmcompare.workflows.load import Data, load
from gmmcompare.workflows.provenance import Provenance


@dataclass(frozen=True)
class SelectionOutcome:
    """A selection and where it came from."""

    selection: Selection
    provenance: Provenance
    folder: Path | None = None


def select_card(
    card: Card,
    components: Sequence[int],
    requests: Sequence[EngineRequest] | None = None,
    *,
    data: Data | None = None,
    folder: Path | None = None,
    cache: FitCache = NOTHING_KEPT,
    progress: Progress = no_progress,
    command: str = "",
    tasks: Tasks | None = None,
) -> SelectionOutcome:
    """Fit a card with every number of components and work out the criteria.

    Parameters
    ----------
    card : Card
        Its own number of components does not matter.
    components : sequence of int
        The numbers to try.
    requests : sequence of EngineRequest, optional
        By default EM, Gibbs and NUTS.
    data : Data, optional
        By default the card's.
    folder : Path, optional
        For ``selection.json``; each ``FOLDER/kK`` is a folder as `compare_card` writes it.
    cache : FitCache
        Where finished fits are looked for and kept.
    progress : Progress
        Is told of each engine, with its number of components.
    command : str
        The command line, for the record.
    tasks : Tasks, optional
        Where all engines run at the same time; by default one after another in this process. The
        results are the same.

    Raises
    ------
    InputError
        If the data or the card cannot be used with one of the numbers, or the folder cannot be
        written.
    EngineError
        If no engine has a fit for any number.
    """
    card.refuse_other_families("select", "compare several K by EM's BIC (compare, fits/em.nc)")
    sample = (data or load(card)).sample
    if folder:
        make_folder(folder)
    requests = requests or engine_requests()
    runners = []
    for K in components:
        # Information criteria are of the maximum of the likelihood, whatever the card maximises.
        of_this_K = card.changed({"mixture.components": K, "engines.em.objective": "ml"})
        own = folder / f"k{K}" if folder else None
        runners.append(Runner(of_this_K, sample, own, cache, partial(_tell, progress, K)))
    if tasks:
        fit_together([(runner, request) for runner in runners for request in requests], tasks)
    grid, edges = density_grid(sample), bin_edges(sample)
    seed = engine_seed(card.run.seed, "select")
    candidates: list[Candidate] = []
    for runner in runners:
        fits, failures = _fits(runner, requests)
        K, priors = runner.card.K, runner.card.build_priors()
        step = partial(progress, f"K={K} criteria")
        step(0.0)
        candidates.append(assess(fits, failures, K, sample, priors, grid, edges, seed, step))
        step(1.0)
    selection = Selection(tuple(candidates), sample, grid)
    if not selection.engines:
        notes = (phrase(note) for c in candidates for note in c.notes.values())
        why = next(notes, "none was asked for")
        raise EngineError(f"no engine has draws for any number of components: {why}")
    outcome = SelectionOutcome(selection, Provenance.now(card, command), folder)
    if folder:
        write_json(folder / "selection.json", selection_json(outcome))
    return outcome


def selection_json(outcome: SelectionOutcome) -> dict[str, Any]:
    """Return the content of ``selection.json``."""
    selection = outcome.selection
    return {**outcome.provenance.header(selection.sample), **selection.to_dict()}


def _tell(progress: Progress, K: int, name: str, fraction: float) -> None:
    """Tell of which K an engine is running."""
    progress(f"K={K} {name}", fraction)


def _fits(
    runner: Runner, requests: Sequence[EngineRequest]
) -> tuple[dict[str, Fit], dict[str, str]]:
    """Return the fits by engine, and why there is none where an engine gave up."""
    fits, failures = {}, {}
    for request in requests:
        try:
            fits[request.name] = runner.fit(request)
        except EngineError as error:
            failures[request.name] = str(error)
    return fits, failures

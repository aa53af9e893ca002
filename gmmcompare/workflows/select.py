"""From a card to a choice of the number of components: fits, criteria, ``selection.json``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gmmcompare._version import __version__
from gmmcompare.comparison.density import density_grid
from gmmcompare.comparison.words import phrase
from gmmcompare.engines.base import Progress
from gmmcompare.fitting.fit import Fit
from gmmcompare.fitting.runner import (
    EngineRequest,
    Runner,
    SilentWatcher,
    Watcher,
    engine_seed,
    fit_together,
)
from gmmcompare.model.card import Card
from gmmcompare.model.sample import Sample
from gmmcompare.runtime.errors import EngineError
from gmmcompare.runtime.files import write_json
from gmmcompare.runtime.tasks import Tasks
from gmmcompare.selection.candidate import Candidate, assess
from gmmcompare.selection.predictive import bin_edges
from gmmcompare.selection.selection import Selection
from gmmcompare.workflows.compare import Provenance, card_sample, data_entry, make_folder, versions

SCHEMA = 1
ENGINES = ("em", "gibbs", "nuts")


@dataclass(frozen=True)
class SelectionOutcome:
    """A selection and where it came from."""

    selection: Selection
    provenance: Provenance
    folder: Path | None = None


def select_card(
    card: Card,
    components: Sequence[int],
    *,
    sample: Sample | None = None,
    engines: Sequence[str] = ENGINES,
    folder: Path | None = None,
    fresh: bool = False,
    watcher: Watcher | None = None,
    command: str = "",
    tasks: Tasks | None = None,
) -> SelectionOutcome:
    """Fit a card with every number of components and work out the criteria.

    Fits are kept in ``FOLDER/kK/fits``, each ``FOLDER/kK`` a folder as `compare_card` writes it; a
    comparison of the same card in the folder beside, ``CARD``, lends its fits. With a folder,
    ``selection.json`` is written. Engines run one after another in this process, or all at the same
    time where ``tasks`` run; the results are the same.

    Raises
    ------
    InputError
        If the data or the card cannot be used with one of the numbers, or the folder cannot be
        written.
    EngineError
        If no engine has a fit for any number.
    """
    sample = sample or card_sample(card)
    make_folder(folder)
    watcher = watcher or SilentWatcher()
    runners = [_runner(card, K, sample, folder, fresh, watcher) for K in components]
    if tasks:
        fit_together([(r, EngineRequest(name)) for r in runners for name in engines], tasks)
    grid, edges = density_grid(sample), bin_edges(sample)
    candidates: list[Candidate] = []
    for runner in runners:
        fits, failures = _fits(runner, engines)
        with watcher.fitting(f"K={runner.card.K} criteria") as progress:
            candidates.append(
                assess(
                    fits,
                    failures,
                    runner.card.K,
                    sample,
                    runner.card.build_priors(),
                    grid,
                    edges,
                    engine_seed(card.run.seed, "select"),
                    progress,
                )
            )
    selection = Selection(tuple(candidates), sample, grid)
    if not selection.engines:
        notes = (phrase(note) for c in candidates for note in c.notes.values())
        why = next(notes, "none was asked for")
        raise EngineError(f"no engine has draws for any number of components: {why}")
    provenance = Provenance(
        card, datetime.now(UTC).isoformat(timespec="seconds"), command, versions()
    )
    outcome = SelectionOutcome(selection, provenance, folder)
    if folder:
        write_json(folder / "selection.json", selection_json(outcome))
    return outcome


def selection_json(outcome: SelectionOutcome) -> dict[str, Any]:
    """Return the content of ``selection.json``."""
    card = outcome.provenance.card
    return {
        "schema": SCHEMA,
        "version": __version__,
        "created": outcome.provenance.created,
        "command": outcome.provenance.command,
        "versions": dict(outcome.provenance.versions),
        "card": {"name": card.name, **card.model_dump(mode="json", exclude_none=True)},
        "data": data_entry(outcome.selection.sample),
        **outcome.selection.to_dict(),
    }


def _runner(
    card: Card, K: int, sample: Sample, folder: Path | None, fresh: bool, watcher: Watcher
) -> Runner:
    # Information criteria are of the maximum of the likelihood, whatever the card maximises.
    of_this_K = card.changed({"mixture.components": K, "engines.em.objective": "ml"})
    own = folder / f"k{K}" if folder else None
    lenders = (folder.parent / card.name,) if folder else ()
    return Runner(of_this_K, sample, own, fresh, _OfThisK(watcher, K), lenders)


def _fits(runner: Runner, engines: Sequence[str]) -> tuple[dict[str, Fit], dict[str, str]]:
    """Return the fits by engine, and why there is none where an engine gave up."""
    fits, failures = {}, {}
    for name in engines:
        try:
            fits[name] = runner.fit(EngineRequest(name))
        except EngineError as error:
            failures[name] = str(error)
    return fits, failures


@dataclass(frozen=True)
class _OfThisK:
    """Says of which K an engine is running."""

    watcher: Watcher
    K: int

    @contextmanager
    def fitting(self, name: str) -> Iterator[Progress]:
        """Show an engine's run under its K."""
        with self.watcher.fitting(f"K={self.K} {name}") as progress:
            yield progress

    def reused(self, name: str) -> None:
        """Say of which K a fit is reused."""
        self.watcher.reused(f"K={self.K} {name}")

"""`sensitivity`: which prior of a card matters, by power-scaling and by fitting again.

The reruns are the Gibbs sampler's, kept in a folder each; the statistics are those of
`prior_sensitivity`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gmmcompare.comparison.comparison import reference_point
from gmmcompare.comparison.labels import Reference
from gmmcompare.data import Rows
from gmmcompare.fitting.cache import NOTHING_KEPT, FitCache
from gmmcompare.fitting.fit import Fit
from gmmcompare.fitting.requests import EngineRequest, engine_seed
from gmmcompare.fitting.runner import Runner
from gmmcompare.model.card import Card
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample
from gmmcompare.prior_sensitivity.findings import Baseline, Findings
from gmmcompare.prior_sensitivity.statistics import Change, changes
from gmmcompare.runtime.errors import EngineError
from gmmcompare.runtime.files import make_folder, write_json
from gmmcompare.runtime.progress import Progress, no_progress
from gmmcompare.workflows.load import load
from gmmcompare.workflows.provenance import Provenance

ENGINE = EngineRequest("gibbs")


@dataclass(frozen=True, eq=False, kw_only=True)
class Sensitivity(Findings):
    """Which prior of a card matters, and where that came from.

    Attributes
    ----------
    provenance : Provenance
    folder : Path or None
    """

    provenance: Provenance
    folder: Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the content of ``sensitivity.json``."""
        return {**self.provenance.header(self.sample), **super().to_dict()}


def check_sensitivity(
    card: Card,
    *,
    source: str | Rows | None = None,
    factor: float = 2.0,
    offline: bool = False,
    folder: Path | None = None,
    cache: FitCache = NOTHING_KEPT,
    progress: Progress = no_progress,
    command: str = "",
) -> Sensitivity:
    """Find out which prior of a card matters.

    Parameters
    ----------
    card : Card
        Where it asks for a part of the data, components are numbered as in all of them, to which EM
        is fitted.
    source : str or Rows, optional
        Another file with the card's column, or observations, in place of the card's data.
    factor : float
        Divide and multiply each hyperparameter by this.
    offline : bool
        Do not use the network for a card's data.
    folder : Path, optional
        For ``sensitivity.json``, ``fits`` and ``CHANGE/fits``.
    cache : FitCache
        Where finished fits are looked for and kept.
    progress : Progress
        Is told of each fit.
    command : str
        The command line, for the record.

    Raises
    ------
    InputError
        If card, data, factor or folder cannot be used.
    """
    card.refuse_other_families("sensitivity", "change priors by --set and compare")
    whole = load(_of_all_data(card), source, offline=offline, progress=progress).sample
    used = whole
    if card.data.subsample is not None:
        used = load(card, source, offline=offline, progress=progress).sample
    priors = Priors(**card.priors.model_dump())
    planned = changes(priors, factor)
    if folder:
        make_folder(folder)
    fits = _Fits(card, used, folder, cache, progress)
    components = fits.components_of(whole)
    fit = fits.under_the_card()
    reference = Reference.of(reference_point([*components, fit]), whole, priors)
    base = Baseline(fit, priors, used, reference, len(planned))
    found = Sensitivity(
        sample=used,
        base=base.summary,
        scaling=base.scaling,
        reruns=tuple(base.rerun(change, fits.under(change)) for change in planned),
        factor=factor,
        reference=reference,
        grid=base.grid,
        provenance=Provenance.now(card, command),
        folder=folder,
    )
    if folder:
        write_json(folder / "sensitivity.json", found.to_dict())
    return found


def _of_all_data(card: Card) -> Card:
    return card.model_copy(update={"data": card.data.model_copy(update={"subsample": None})})


@dataclass(frozen=True)
class _Fits:
    """Fits the card and its changes, each in a folder of its own."""

    card: Card
    sample: Sample
    folder: Path | None
    cache: FitCache
    progress: Progress

    def components_of(self, sample: Sample) -> list[Fit]:
        """Return EM's fit; none where every start collapses, as with very few data."""
        runner = Runner(self.card, sample, None, self.cache, self.progress)
        try:
            return [runner.fit(EngineRequest("em"))]
        except EngineError:
            return []

    def under_the_card(self) -> Fit:
        """Return the fit under the card's own priors."""
        runner = Runner(self.card, self.sample, self.folder, self.cache, self.progress)
        return runner.fit(ENGINE)

    def under(self, change: Change) -> Fit:
        """Return the fit with one change, and a seed of its own."""
        value = np.asarray(getattr(change.priors, change.field)).tolist()
        seed = engine_seed(self.card.run.seed, change.name)
        card = self.card.changed({f"priors.{change.field}": value, "run.seed": seed})
        folder = self.folder / change.name if self.folder else None

        def progress(_: str, fraction: float) -> None:
            self.progress(f"{change.field} {change.words}", fraction)

        return Runner(card, self.sample, folder, self.cache, progress).fit(ENGINE)

"""`sensitivity`: which prior of a card matters, by power-scaling and by fitting again.

The reruns are the Gibbs sampler's, kept in a folder each and reused; the statistics are those of
`compare.sensitivity`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gmmcompare._version import __version__
from gmmcompare.comparison.checks import Evidence, faults
from gmmcompare.comparison.comparison import reference_point
from gmmcompare.comparison.density import DensityEstimate, density_grid, estimate_density
from gmmcompare.comparison.diagnostics import convergence, median_error
from gmmcompare.comparison.labels import Reference, align
from gmmcompare.comparison.reasons import Reason
from gmmcompare.comparison.words import clause
from gmmcompare.data import Rows
from gmmcompare.fitting.fit import Fit
from gmmcompare.fitting.runner import EngineRequest, Runner, SilentWatcher, Watcher, engine_seed
from gmmcompare.model.card import Card, load_card
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample
from gmmcompare.prior_sensitivity.occupancy import OddsFactor, occupied_shares, odds_factors
from gmmcompare.prior_sensitivity.statistics import (
    MAX_DRAWS,
    PARTS,
    SENSITIVE,
    Change,
    Scaling,
    Shift,
    changes,
    scale,
    shifts,
)
from gmmcompare.runtime.errors import EngineError
from gmmcompare.runtime.files import write_json
from gmmcompare.workflows.compare import Provenance, card_rows, data_entry, make_folder, versions

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = 1
ENGINE = "gibbs"
Finding = Literal["matters", "does not matter", "open"]


@dataclass(frozen=True)
class PriorFit:
    """What is kept of the fit under one prior.

    Attributes
    ----------
    priors : Priors
    medians, errors : dict of str to float
        Median of every quantity, and its Monte Carlo standard error.
    prob_empty, prob_empty_error : float
        Probability that at least one component has no observation, and its Monte Carlo error.
    occupied : dict of int to float
        Share of the draws with each number of components that have observations.
    rhat_max, ess_min : float
    doubts : tuple of Reason
        What is wrong with the draws.
    density : DensityEstimate
    """

    priors: Priors
    medians: Mapping[str, float]
    errors: Mapping[str, float]
    prob_empty: float
    prob_empty_error: float
    occupied: Mapping[int, float]
    rhat_max: float
    ess_min: float
    doubts: tuple[Reason, ...]
    density: DensityEstimate

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers for ``sensitivity.json``."""
        return {
            "priors": self.priors.to_dict(),
            "medians": dict(self.medians),
            "medians_mcse": dict(self.errors),
            "prob_empty": self.prob_empty,
            "prob_empty_mcse": self.prob_empty_error,
            "occupied": dict(self.occupied),
            "rhat_max": self.rhat_max,
            "ess_min": self.ess_min,
            "doubts": [clause(doubt) for doubt in self.doubts],
            "codes": [doubt.to_dict() for doubt in self.doubts],
        }


@dataclass(frozen=True)
class Rerun:
    """The fit under one changed hyperparameter, and what moved.

    ``odds`` are the factors by which the change multiplies the odds of numbers of occupied
    components, from the draws under the card's prior.
    """

    change: Change
    fit: PriorFit
    shifts: tuple[Shift, ...]
    odds: tuple[OddsFactor, ...]

    @property
    def largest(self) -> Shift | None:
        """The quantity whose most significant statistic differs most; of those that move, if any.

        None where nothing varies.
        """
        moved = [s for s in self.shifts if s.status == "moves"]
        return max(moved or self.shifts, key=lambda s: abs(s.diff), default=None)

    @property
    def finding(self) -> Finding:
        """Whether anything moves; that nothing does needs draws that are beyond doubt."""
        statuses = {s.status for s in self.shifts}
        if "moves" in statuses:
            return "matters"
        return "open" if "open" in statuses or self.fit.doubts else "does not matter"


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """Which prior of a card matters.

    Attributes
    ----------
    provenance : Provenance
    sample : Sample
        The data that were fitted, perhaps a part of the card's.
    base : PriorFit
        Under the card's own priors.
    scaling : tuple of Scaling
        Of every quantity, from the draws of ``base``.
    reruns : tuple of Rerun
    factor : float
        By which hyperparameters were divided and multiplied.
    reference : Reference
        What components are aligned to, by ascending mean.
    grid : ndarray
        Where densities are given.
    folder : Path or None
    """

    provenance: Provenance
    sample: Sample
    base: PriorFit
    scaling: tuple[Scaling, ...]
    reruns: tuple[Rerun, ...]
    factor: float
    reference: Reference
    grid: Array
    folder: Path | None = None

    def finding(self, field: str) -> Finding:
        """Return what is found of one hyperparameter, both changes together."""
        found = {r.finding for r in self.reruns if r.change.field == field}
        if "matters" in found:
            return "matters"
        return "open" if "open" in found or self.base.doubts else "does not matter"

    @property
    def fields(self) -> tuple[str, ...]:
        """The hyperparameters, in the order of a card."""
        return tuple(dict.fromkeys(r.change.field for r in self.reruns))

    def table(self) -> pd.DataFrame:
        """Return shifts in posterior sds, a row for each quantity and a column for each change."""
        import pandas as pd

        columns = {r.change.name: {s.name: s.location for s in r.shifts} for r in self.reruns}
        return pd.DataFrame(columns)

    def scaling_table(self) -> pd.DataFrame:
        """Return power-scaling sensitivities, a row for each quantity, a column for each factor."""
        import pandas as pd

        rows = {s.name: [getattr(s, part) for part in PARTS] for s in self.scaling}
        return pd.DataFrame.from_dict(rows, orient="index", columns=list(PARTS))

    def to_dict(self) -> dict[str, Any]:
        """Return the content of ``sensitivity.json``."""
        provenance = self.provenance
        return {
            "schema": SCHEMA,
            "version": __version__,
            "created": provenance.created,
            "command": provenance.command,
            "versions": dict(provenance.versions),
            "card": {
                "name": provenance.card.name,
                **provenance.card.model_dump(mode="json", exclude_none=True),
            },
            "data": data_entry(self.sample),
            "factor": self.factor,
            "findings": {field: self.finding(field) for field in self.fields},
            "base": self.base.to_dict(),
            "power_scaling": {
                "sensitive_from": SENSITIVE,
                "quantities": [vars(s) for s in self.scaling],
            },
            "reruns": [
                {
                    "name": r.change.name,
                    "field": r.change.field,
                    "change": r.change.words,
                    "finding": r.finding,
                    **r.fit.to_dict(),
                    "shifts": [s.to_dict() for s in r.shifts],
                    "odds": [vars(odds) for odds in r.odds],
                }
                for r in self.reruns
            ],
        }


def sensitivity(
    card: Card | str | Path,
    *,
    rows: Rows | None = None,
    data: str | None = None,
    subsample: int | None = None,
    factor: float = 2.0,
    folder: str | Path | None = None,
    fresh: bool = False,
    offline: bool = False,
    watcher: Watcher | None = None,
    command: str = "",
) -> Sensitivity:
    """Find out which prior of a card matters.

    Power-scaling tells from the draws of one Gibbs fit how fast each quantity moves with the power
    of each prior; ten more fits, with each of the five hyperparameters divided and multiplied by a
    factor, tell how far.

    Parameters
    ----------
    card : Card, str or Path
        A model card, or its file or short name.
    rows : Rows, optional
        All observations; by default the card's data.
    data : str, optional
        Another file, with the card's column.
    subsample : int, optional
        In place of the card's: use so many of the observations, chosen at random by its seed.
        Components are numbered as in all data, to which EM is fitted.
    factor : float
    folder : str or Path, optional
        Keep the fits and write ``sensitivity.json`` there; fits that are there are reused.
    fresh : bool
        Fit again even so.
    offline : bool
        Do not use the network for a card's data.
    watcher : Watcher, optional
    command : str
        The command line, for the record.

    Returns
    -------
    Sensitivity
        With ``.table()``, ``.scaling_table()`` and ``.finding(field)``.

    Raises
    ------
    InputError
        If card, data, factor or folder cannot be used.
    """
    card = card if isinstance(card, Card) else load_card(card)
    if subsample is not None:
        card = card.changed({"data.subsample": subsample})
    rows = rows or card_rows(_of_all_data(card), data, offline)
    part = card.data.subsample
    used = (rows if part is None else rows.random_part(part, card.run.seed)).sample
    priors = Priors(**card.priors.model_dump())
    planned = changes(priors, factor)
    folder = Path(folder) if folder else None
    make_folder(folder)
    fitting = _Fitting(card, used, folder, fresh, watcher or SilentWatcher())
    points = _points(card, rows.sample, fitting.watcher)
    fit = fitting.run()
    reference = Reference.of(reference_point([*points, fit]), rows.sample)
    grid = density_grid(used)
    aligned = align(fit.params, reference).params
    before = Evidence.of(fit, aligned, used, MAX_DRAWS)
    scaling = tuple(scale(fit, aligned, used, priors))
    base = _kept(fit, aligned, before, priors, grid)
    reruns = []
    for change in planned:
        rerun = fitting.run(change)
        aligned = align(rerun.params, reference).params
        after = Evidence.of(rerun, aligned, used, MAX_DRAWS)
        kept = _kept(rerun, aligned, after, change.priors, grid)
        moved = tuple(shifts(before, after, len(planned)))
        odds = tuple(odds_factors(fit, priors, change.priors))
        reruns.append(Rerun(change, kept, moved, odds))
    created = datetime.now(UTC).isoformat(timespec="seconds")
    provenance = Provenance(card, created, command, versions())
    found = Sensitivity(
        provenance, used, base, scaling, tuple(reruns), factor, reference, grid, folder
    )
    if folder:
        write_json(folder / "sensitivity.json", found.to_dict())
    return found


def _points(card: Card, sample: Sample, watcher: Watcher) -> list[Fit]:
    """Return EM's fit; none where every start collapses, as with very few data."""
    try:
        return [Runner(card, sample, watcher=watcher).fit(EngineRequest("em"))]
    except EngineError:
        return []


def _of_all_data(card: Card) -> Card:
    return card.model_copy(update={"data": card.data.model_copy(update={"subsample": None})})


@dataclass(frozen=True)
class _Fitting:
    """Fits the card and its changes, each in a folder of its own."""

    card: Card
    sample: Sample
    folder: Path | None
    fresh: bool
    watcher: Watcher

    def run(self, change: Change | None = None) -> Fit:
        """Return the fit under the card's priors, or with one change and a seed of its own."""
        if change is None:
            runner = Runner(self.card, self.sample, self.folder, self.fresh, self.watcher)
            return runner.fit(EngineRequest(ENGINE))
        value = np.asarray(getattr(change.priors, change.field)).tolist()
        seed = engine_seed(self.card.run.seed, change.name)
        card = self.card.changed({f"priors.{change.field}": value, "run.seed": seed})
        folder = self.folder / change.name if self.folder else None
        watcher = _Labelled(self.watcher, f"{change.field} {change.words}")
        return Runner(card, self.sample, folder, self.fresh, watcher).fit(EngineRequest(ENGINE))


@dataclass(frozen=True)
class _Labelled:
    """A watcher that is told of a change rather than of an engine."""

    watcher: Watcher
    label: str

    def fitting(self, name: str) -> Any:
        """Pass it on."""
        return self.watcher.fitting(self.label)

    def reused(self, name: str) -> None:
        """Pass it on."""
        self.watcher.reused(self.label)


def _kept(fit: Fit, aligned: Params, evidence: Evidence, priors: Priors, grid: Array) -> PriorFit:
    empty = fit.stat("prob_empty")
    error = convergence({"empty": empty}).mcse_mean["empty"]
    return PriorFit(
        priors=priors,
        medians={f.name: float(np.median(f.values)) for f in evidence.functionals},
        errors={f.name: median_error(f.values) for f in evidence.functionals},
        prob_empty=float(empty.mean()),
        prob_empty_error=0.0 if np.isnan(error) else error,  # it never changes
        occupied=occupied_shares(fit),
        rhat_max=evidence.convergence.worst_rhat[1],
        ess_min=evidence.convergence.worst_ess[1],
        doubts=tuple(faults(evidence, [evidence])),
        density=estimate_density(aligned, grid),
    )

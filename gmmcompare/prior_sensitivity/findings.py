"""Which prior matters: what is kept of every fit, and what is concluded from all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gmmcompare.comparison.checks import check
from gmmcompare.comparison.density import DensityEstimate, density_grid, estimate_density
from gmmcompare.comparison.diagnostics import convergence, median_error
from gmmcompare.comparison.evidence import Evidence
from gmmcompare.comparison.labels import Reference, align
from gmmcompare.comparison.reasons import Reason
from gmmcompare.comparison.words import clause
from gmmcompare.fitting.fit import Fit
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
    scale,
    shifts,
)

if TYPE_CHECKING:
    import pandas as pd

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

    @classmethod
    def of(
        cls, fit: Fit, aligned: Params, evidence: Evidence, priors: Priors, grid: Array
    ) -> PriorFit:
        """Sum up a fit.

        Parameters
        ----------
        fit : Fit
        aligned : Params
            Its draws aligned, each of shape (chains, draws, K).
        evidence : Evidence
            Of the same draws.
        priors : Priors
            Under which it was fitted.
        grid : ndarray
            Where the density is wanted.
        """
        empty = fit.stat("prob_empty")
        error = convergence({"empty": empty}).mcse_mean["empty"]
        return cls(
            priors=priors,
            medians={f.name: float(np.median(f.values)) for f in evidence.functionals},
            errors={f.name: median_error(f.values) for f in evidence.functionals},
            prob_empty=float(empty.mean()),
            prob_empty_error=0.0 if np.isnan(error) else error,  # it never changes
            occupied=occupied_shares(fit),
            rhat_max=evidence.convergence.worst_rhat[1],
            ess_min=evidence.convergence.worst_ess[1],
            doubts=check(evidence, [evidence]).faults,
            density=estimate_density(aligned, grid),
        )

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

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers for ``sensitivity.json``."""
        return {
            "name": self.change.name,
            "field": self.change.field,
            "change": self.change.words,
            "finding": self.finding,
            **self.fit.to_dict(),
            "shifts": [s.to_dict() for s in self.shifts],
            "odds": [vars(odds) for odds in self.odds],
        }


class Baseline:
    """The fit under the card's own priors, with which fits under changed ones are compared.

    Parameters
    ----------
    fit : Fit
    priors : Priors
        Under which it was fitted.
    sample : Sample
    reference : Reference
        What components are aligned to.
    n_changes : int
        Fits that will be compared with it, for the correction of p-values.
    """

    def __init__(
        self, fit: Fit, priors: Priors, sample: Sample, reference: Reference, n_changes: int
    ) -> None:
        self._fit, self._priors, self._sample = fit, priors, sample
        self._reference, self._n_changes = reference, n_changes
        self.grid = density_grid(sample)
        aligned, self._evidence = self._judged(fit)
        self.scaling = tuple(scale(fit, aligned, sample, priors))
        self.summary = PriorFit.of(fit, aligned, self._evidence, priors, self.grid)

    def rerun(self, change: Change, fit: Fit) -> Rerun:
        """Return what a change of prior moves, from the fit under it."""
        aligned, evidence = self._judged(fit)
        return Rerun(
            change,
            PriorFit.of(fit, aligned, evidence, change.priors, self.grid),
            tuple(shifts(self._evidence, evidence, self._n_changes)),
            tuple(odds_factors(self._fit, self._priors, change.priors)),
        )

    def _judged(self, fit: Fit) -> tuple[Params, Evidence]:
        aligned = align(fit.params, self._reference).params
        return aligned, Evidence.of(fit, aligned, self._sample, MAX_DRAWS)


@dataclass(frozen=True, eq=False)
class Findings:
    """Which prior of a model matters.

    Attributes
    ----------
    sample : Sample
        The data that were fitted.
    base : PriorFit
        Under the model's own priors.
    scaling : tuple of Scaling
        Of every quantity, from the draws of ``base``.
    reruns : tuple of Rerun
    factor : float
        By which hyperparameters were divided and multiplied.
    reference : Reference
        What components are aligned to, by ascending mean.
    grid : ndarray
        Where densities are given.
    """

    sample: Sample
    base: PriorFit
    scaling: tuple[Scaling, ...]
    reruns: tuple[Rerun, ...]
    factor: float
    reference: Reference
    grid: Array

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
        """Return plain numbers for ``sensitivity.json``."""
        return {
            "factor": self.factor,
            "findings": {field: self.finding(field) for field in self.fields},
            "base": self.base.to_dict(),
            "power_scaling": {
                "sensitive_from": SENSITIVE,
                "quantities": [vars(s) for s in self.scaling],
            },
            "reruns": [r.to_dict() for r in self.reruns],
        }

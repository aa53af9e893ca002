"""`Comparison`: several fits of one problem, aligned, diagnosed, judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from gmmcompare.comparison.agreement import PairVerdict
from gmmcompare.comparison.checks import Checked
from gmmcompare.comparison.clustering import Clustering, Names
from gmmcompare.comparison.density import (
    DensityEstimate,
    Distance,
    density_grid,
    distance,
    estimate_density,
)
from gmmcompare.comparison.evidence import Evidence
from gmmcompare.comparison.judged import Judged
from gmmcompare.comparison.labels import Alignment, Reference, align, align_point
from gmmcompare.comparison.point import judge_pairs, judge_point
from gmmcompare.comparison.reasons import Reason, to_codes
from gmmcompare.comparison.remedies import remedies
from gmmcompare.comparison.summary import EngineSummary, summarise
from gmmcompare.comparison.words import sentence
from gmmcompare.fitting.fit import Fit
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample
from gmmcompare.runtime.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

RefitFit = Callable[[str, int], Fit | None]


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Judged):
    """Fits side by side.

    Attributes
    ----------
    fits : dict of str to Fit
        By engine, each with the group ``aligned``.
    sample : Sample
    reference : Reference
    alignments : dict of str to Alignment
    summaries : dict of str to EngineSummary
    pairs : tuple of PairVerdict
    grid : ndarray
    densities : dict of str to DensityEstimate
    names : dict of float to sequence of str
        Names of the observations at each value, where the data have any.
    followed : tuple of Reason
        Rounds in which engines were run again with other settings to settle it.
    """

    fits: Mapping[str, Fit]
    sample: Sample
    reference: Reference
    alignments: Mapping[str, Alignment]
    summaries: Mapping[str, EngineSummary]
    pairs: tuple[PairVerdict, ...]
    grid: Array
    densities: Mapping[str, DensityEstimate]
    names: Names = field(default_factory=dict)
    followed: tuple[Reason, ...] = ()

    @property
    def K(self) -> int:
        """Number of components."""
        return self.reference.params.K

    @property
    def names_of_engines(self) -> tuple[str, ...]:
        """Names of all engines."""
        return tuple(self.fits)

    @property
    def points(self) -> tuple[str, ...]:
        """Names of the engines that return a point."""
        return tuple(name for name, fit in self.fits.items() if fit.kind == "point")

    @cached_property
    def remedies(self) -> tuple[Reason, ...]:
        """What would settle it: how each engine has to be run, or what else to do."""
        if self.verdict != "inconclusive":
            return ()
        drawing = {n: s.diagnostics for n, s in self.summaries.items() if s.diagnostics}
        return remedies(
            self.pairs, self.fits, {n: d.parameters.worst_ess[1] for n, d in drawing.items()}
        )

    @cached_property
    def distances(self) -> dict[tuple[str, str], Distance]:
        """Distances between the engines' mean densities, by pair of names."""
        return {
            (a, b): distance(self.densities[a].mean, self.densities[b].mean, self.grid)
            for a, b in combinations(self.fits, 2)
        }

    @cached_property
    def clustering(self) -> Clustering:
        """Which component each observation belongs to, by every engine."""
        drawing = [name for name, fit in self.fits.items() if fit.kind == "draws"]
        aligned = {name: alignment.params for name, alignment in self.alignments.items()}
        return Clustering.of(aligned, self.sample, (drawing or list(self.fits))[0], self.names)

    def diagnostics(self, name: str) -> list[tuple[str, str]]:
        """Return (what, value) pairs on an engine's draws; none of a point."""
        found = self.summaries[name].diagnostics
        return found.as_rows() if found else []

    def table(self) -> pd.DataFrame:
        """Return weights, means and sds of every engine, with spread and MCSE.

        Returns
        -------
        pandas.DataFrame
            Index (parameter, component); columns (engine, "estimate" | "spread" | "mcse").
        """
        import pandas as pd

        index = pd.MultiIndex.from_product(
            [["weight", "mean", "sd"], range(1, self.K + 1)], names=["parameter", "component"]
        )
        columns = {}
        for name, s in self.summaries.items():
            for kind, params in (("estimate", s.point), ("spread", s.spread), ("mcse", s.mcse)):
                columns[name, kind] = np.concatenate(params)
        return pd.DataFrame(columns, index=index)

    def differences(self) -> pd.DataFrame:
        """Return differences of estimates, in units of the pooled posterior sd, by pair."""
        import pandas as pd

        table = self.table()
        columns = {}
        for a, b in combinations(self.fits, 2):
            spreads = [table[n, "spread"] for n in (a, b) if self.fits[n].kind == "draws"]
            unit = np.sqrt(np.mean([s**2 for s in spreads], axis=0)) if spreads else np.nan
            columns[f"{a} - {b}"] = (table[a, "estimate"] - table[b, "estimate"]) / unit
        return pd.DataFrame(columns, index=table.index)

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict, engines and pairs of ``comparison.json``."""
        return {
            "verdict": self.verdict,
            "sentence": self.sentence(),
            "followed": to_codes(self.followed),
            "remedies": [sentence(remedy) for remedy in self.remedies],
            "remedy_codes": to_codes(self.remedies),
            "engines": {name: self._engine_entry(name) for name in self.fits},
            "pairs": [pair.to_dict() for pair in self.pairs],
        }

    def _engine_entry(self, name: str) -> dict[str, Any]:
        fit, summary = self.fits[name], self.summaries[name]
        entry: dict[str, Any] = {"kind": fit.kind}
        for suffix, params in (("", summary.point), ("_sd", summary.spread)):
            for word, values in zip(("weights", "means", "sds"), params, strict=True):
                entry[f"{word}{suffix}"] = values.tolist()
        worst = summary.diagnostics.parameters if summary.diagnostics else None
        entry.update(
            log_lik=float(summary.log_lik),
            prob_empty=float(summary.prob_empty),
            ess_min=float(worst.worst_ess[1]) if worst else None,
            rhat_max=float(worst.worst_rhat[1]) if worst else None,
            divergences=summary.diagnostics.divergences if summary.diagnostics else None,
            seconds={"prepare": fit.seconds.prepare, "sample": fit.seconds.sample},
            seed=fit.seed,
            status=fit.status,
            notes=list(fit.notes),
        )
        return entry

    def _repr_html_(self) -> str:
        """Show verdict and table in a notebook."""
        html: str = self.table().round(4).to_html()
        what = "".join(f"<li>{escape(sentence(remedy))}</li>" for remedy in self.remedies)
        to_do = f"<p>To settle it:</p><ul>{what}</ul>" if what else ""
        return f"<p><strong>{self.verdict}</strong>. {self.sentence()}</p>{to_do}{html}"


def compare_fits(
    fits: Sequence[Fit],
    sample: Sample | None = None,
    refit: RefitFit | None = None,
    reference: Params | None = None,
    pairs: tuple[PairVerdict, ...] | None = None,
    names: Names | None = None,
) -> Comparison:
    """Align, diagnose and judge fits of one problem.

    Parameters
    ----------
    fits : sequence of Fit
        At least one; of the same data and the same K.
    sample : Sample, optional
        The data; taken from the first fit if not given.
    refit : callable, optional
        ``refit(engine, round)`` runs an engine again with a fresh seed and ``4**(round - 1)`` times
        the draws, or returns None where that cannot be done.
    reference : Params, optional
        What components are aligned to, shape (K,); by default the best point estimate, or the
        draw of highest log-likelihood.
    pairs : tuple of PairVerdict, optional
        Verdicts that were reached before; by default they are reached now.
    names : dict of float to sequence of str, optional
        Names of the observations at each value, for the list of those between components.

    Raises
    ------
    InputError
        If there is no fit, two have one name, or data, K or the priors of draws differ.
    """
    _check_comparable(fits)
    sample = sample or fits[0].sample
    priors = _priors_of(fits)
    chosen = Reference.of(reference or reference_point(fits), sample, priors)
    alignments = {fit.engine: _align(fit, chosen, priors) for fit in fits}
    aligned = {fit.engine: fit.with_aligned(alignments[fit.engine].params) for fit in fits}
    if pairs is None:
        pairs = _judge(aligned, alignments, sample, chosen, priors, refit)
    grid = density_grid(sample)
    return Comparison(
        fits=aligned,
        sample=sample,
        reference=chosen,
        alignments=alignments,
        summaries={name: summarise(fit, alignments[name]) for name, fit in aligned.items()},
        pairs=pairs,
        grid=grid,
        densities={name: estimate_density(a.params, grid) for name, a in alignments.items()},
        names=names or {},
    )


def _check_comparable(fits: Sequence[Fit]) -> None:
    if not fits:
        raise InputError("nothing to compare: give at least one fit")
    names = [fit.engine for fit in fits]
    if len(set(names)) < len(names):
        raise InputError(f"two fits have one name: {', '.join(names)}; give each engine its own")
    if len({fit.K for fit in fits}) > 1:
        raise InputError(
            "fits differ in K: " + ", ".join(f"{fit.engine} has {fit.K}" for fit in fits)
        )
    if len({fit.sample.fingerprint for fit in fits}) > 1:
        raise InputError(f"fits are of different data: {', '.join(names)}; refit on the same data")


def _priors_of(fits: Sequence[Fit]) -> Priors | None:
    """Return the priors of the fits that draw, else of the first; None where no fit keeps them."""
    drawing = [fit for fit in fits if fit.kind == "draws"] or fits[:1]
    known = {fit.engine: fit.priors for fit in drawing if fit.priors}
    first = next(iter(known.values()), None)
    for name, priors in known.items():
        if first and not priors.is_same(first, fits[0].K):
            raise InputError(
                f"fits are of different priors: {next(iter(known))} and {name}; fit both under the "
                "same, or ask `gmmcompare sensitivity` which prior matters"
            )
    return first


def _align(fit: Fit, reference: Reference, priors: Priors | None) -> Alignment:
    if fit.kind == "point":
        return align_point(fit.params, reference, priors)
    return align(fit.params, reference)


def reference_point(fits: Sequence[Fit]) -> Params:
    """Return the best point estimate, else the draw of highest log-likelihood."""
    points = [fit for fit in fits if fit.kind == "point" and fit.status == "ok"]
    best = max(points or fits, key=lambda fit: float(fit.stat("log_lik").max()))
    at = np.unravel_index(int(best.stat("log_lik").argmax()), best.stat("log_lik").shape)
    return type(best.params)(*(a[at] for a in best.params))


def _judge(
    fits: Mapping[str, Fit],
    alignments: Mapping[str, Alignment],
    sample: Sample,
    reference: Reference,
    priors: Priors | None,
    refit: RefitFit | None,
) -> tuple[PairVerdict, ...]:
    drawing = {name: fit for name, fit in fits.items() if fit.kind == "draws"}
    evidence = {
        name: Evidence.of(fit, alignments[name].params, sample, priors=priors)
        for name, fit in drawing.items()
    }

    def judged(point: Fit, draws: Fit, checked: Checked) -> PairVerdict:
        place = Params(*(x[0, 0] for x in alignments[point.engine].params))
        aligned = alignments[draws.engine].params
        return judge_point(point, place, draws, aligned, checked, list(drawing.values()), sample)

    def repeated(fit: Fit) -> Evidence:
        return Evidence.of(fit, align(fit.params, reference).params, sample, priors=priors)

    return judge_pairs(fits, evidence, judged, repeated, refit)

"""One number of components: what every engine's fit says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from gmmcompare.comparison.checks import check
from gmmcompare.comparison.comparison import reference_point
from gmmcompare.comparison.density import DensityEstimate, estimate_density
from gmmcompare.comparison.evidence import Evidence
from gmmcompare.comparison.labels import Reference, align
from gmmcompare.comparison.reasons import Code, Reason
from gmmcompare.fitting.fit import Fit
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample
from gmmcompare.runtime.progress import Step, no_progress
from gmmcompare.selection.evidence import LogEvidence, log_evidence
from gmmcompare.selection.information import Information, information
from gmmcompare.selection.left_out import Refits
from gmmcompare.selection.loo import Loo, loo
from gmmcompare.selection.predictive import PredictiveCheck, predictive_check
from gmmcompare.selection.reasons import Code as SelectionCode


@dataclass(frozen=True, eq=False)
class Sampled:
    """What one engine's draws say of one K.

    Attributes
    ----------
    log_lik : float
        Mean over the draws.
    prob_empty : float
        Probability that at least one component has no observation.
    occupancy_changes : float
        How often the chains are expected to have gone from such states to others, or back.
    components : Params
        Posterior medians of aligned components, by ascending mean, shape (K,).
    density : DensityEstimate
    loo : Loo
    evidence : LogEvidence
    predictive : PredictiveCheck
    doubts : tuple of Reason
        Why the draws should not be trusted; empty where there is no reason.
    """

    log_lik: float
    prob_empty: float
    occupancy_changes: float
    components: Params
    density: DensityEstimate
    loo: Loo
    evidence: LogEvidence
    predictive: PredictiveCheck
    doubts: tuple[Reason, ...]


@dataclass(frozen=True, eq=False)
class Candidate:
    """One K.

    Attributes
    ----------
    K : int
    information : Information or None
        None where EM found no maximum.
    sampled : dict of str to Sampled
        By engine.
    notes : dict of str to Reason
        What an engine had to say: EM's doubts, or why an engine failed.
    seconds : dict of str to float
        Of each engine's fit.
    """

    K: int
    information: Information | None
    sampled: Mapping[str, Sampled]
    notes: Mapping[str, Reason] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)


def assess(
    fits: Mapping[str, Fit],
    failures: Mapping[str, str],
    K: int,
    sample: Sample,
    priors: Priors,
    grid: Array,
    edges: Array,
    seed: int,
    progress: Step = no_progress,
) -> Candidate:
    """Work out every criterion for one K.

    Parameters
    ----------
    fits : mapping of str to Fit
        By engine: at most one point estimate, which is the maximum of the likelihood, and any that
        draw.
    failures : mapping of str to str
        Why an engine has no fit.
    K : int
    sample : Sample
    priors : Priors
    grid : ndarray
        Where densities are drawn.
    edges : ndarray
        Of the bins of the predictive check.
    seed : int
    progress : callable
    """
    points = {name: fit for name, fit in fits.items() if fit.kind == "point"}
    drawing = {name: fit for name, fit in fits.items() if fit.kind == "draws"}
    usable = [fit for fit in points.values() if fit.status == "ok"]
    notes = {
        name: Reason(SelectionCode.NO_FIT, {"error": error}, engine=name)
        for name, error in failures.items()
    }
    for name, fit in points.items():
        if fit.status != "ok":
            notes[name] = Reason(Code.STATUS, {"status": fit.status}, engine=name)
    solutions = [fit.point for fit in usable]
    reference = Reference.of(reference_point(list(fits.values())), sample, priors) if fits else None
    sampled = {}
    if reference:
        aligned = {name: align(fit.params, reference).params for name, fit in drawing.items()}
        judged = {name: Evidence.of(fit, aligned[name], sample) for name, fit in drawing.items()}
        for i, (name, fit) in enumerate(drawing.items()):
            rng = np.random.default_rng([seed, K, i])
            doubts = check(judged[name], list(judged.values())).failures
            of_refits = int(rng.spawn(1)[0].integers(2**32))
            refits = Refits.of(fit.params, sample, priors, of_refits, solutions)
            sampled[name] = _sampled(fit, aligned[name], refits, grid, edges, doubts, rng)
            progress((i + 1) / len(drawing))
    return Candidate(
        K,
        information(usable[0]) if usable else None,
        sampled,
        notes,
        {name: fit.seconds.prepare + fit.seconds.sample for name, fit in fits.items()},
    )


def _sampled(
    fit: Fit,
    aligned: Params,
    refits: Refits,
    grid: Array,
    edges: Array,
    doubts: tuple[Reason, ...],
    rng: np.random.Generator,
) -> Sampled:
    sample, priors = refits.sample, refits.priors
    empty = fit.stat("prob_empty")
    before, after = empty[:, :-1], empty[:, 1:]
    return Sampled(
        log_lik=float(fit.stat("log_lik").mean()),
        prob_empty=float(empty.mean()),
        # Given the draws allocations are independent, so that changes too rare to be seen count.
        occupancy_changes=float((before * (1.0 - after) + after * (1.0 - before)).sum()),
        components=Params(*(np.median(a, axis=(0, 1)) for a in aligned)),
        density=estimate_density(aligned, grid),
        loo=loo(fit.params, fit.stat("log_lik"), sample, refits),
        evidence=log_evidence(fit.params, sample, priors, rng),
        predictive=predictive_check(fit.params, sample, edges, rng),
        doubts=doubts,
    )

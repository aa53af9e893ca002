"""Classic faults of a Gibbs sampler for mixtures, each a few lines over the correct sweep.

They serve three ends: tests (`validate` must flag every one and pass the correct sweep), teaching
(`gmmcompare validate fault:NAME` shows what a mistake does), and diagnosis (a user's sampler that
moves the same quantities the same way probably has the same mistake).

Where a mistake would end in a division by zero for an empty component, the empty component is drawn
from its prior, as a student would patch it: otherwise it would show at once and teach nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gmmcompare.engines.gibbs.plain import Allocations
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors
from gmmcompare.runtime.errors import InputError, did_you_mean
from gmmcompare.validation.faults.conditionals import (
    ConcentrationIgnored,
    DirichletWithoutPrior,
    LikelihoodWithoutSigma,
    MeanLocIgnored,
    MeanPrecisionDropped,
    NotHalved,
    PriorSdAsVariance,
    PriorTwice,
    RateForScale,
    RootOfSdOfMean,
    ShapeHalfTooLittle,
    ShapeHalfTooMuch,
    ShapeNMinusOne,
    ShapePlusN,
    ShapeScaleSwapped,
    SquaresAboutMean,
    VarianceForSdOfMean,
    VarianceReturned,
    VarScaleDropped,
    VarShapeDropped,
)
from gmmcompare.validation.faults.scan import (
    BothFromOld,
    CumulativeNotNormalised,
    MuSortedAlone,
    NoLogSigmaInZ,
    OneUniform,
    PermutedLabels,
    PreviousCounts,
    SortedJointly,
    StaleWeights,
    VarianceAsSdInZ,
    WeightsNotSorted,
)
from gmmcompare.validation.faults.sweep import GibbsSweep, sums, sums_of_squares

PREFIX = "fault:"


class SigmaBeforeMu(GibbsSweep):
    """Not a fault: sigma given the old mu, then mu given the new sigma, another order."""

    name = "sigma-before-mu"
    mistake = "none: sigma is drawn given the old mu, then mu given the new sigma"
    effect = "none: any order of the conditionals is right, as long as each sees the newest values"

    def draw_parameters(
        self,
        z: Allocations,
        n_k: Array,
        old: Params,
        y: Array,
        priors: Priors,
        rng: np.random.Generator,
    ) -> Params:
        """Draw sigma first."""
        w = self.draw_weights(n_k, priors, rng)
        sigma = self.draw_sigmas(n_k, sums_of_squares(z, y, old.mu), priors, rng)
        mu = self.draw_means(n_k, sums(z, y, w.size), sigma, priors, rng)
        return Params(w, mu, sigma)


class EmptyLeftAlone(GibbsSweep):
    """Not a fault: doing nothing to an empty component leaves its distribution as it is."""

    name = "empty-left-as-it-was"
    mistake = "none: an empty component keeps its mu and sigma until it holds an observation"
    effect = "none but slower mixing"

    def draw_parameters(
        self,
        z: Allocations,
        n_k: Array,
        old: Params,
        y: Array,
        priors: Priors,
        rng: np.random.Generator,
    ) -> Params:
        """Redraw occupied components only."""
        new = super().draw_parameters(z, n_k, old, y, priors, rng)
        occupied = n_k > 0
        mu, sigma = (np.where(occupied, a, b) for a, b in zip(new[1:], old[1:], strict=True))
        return Params(new.w, mu, sigma)


class OneSeedForAllChains:
    """Two chains with one seed: a fault of a whole sampler, whose every chain is right."""

    name = "one-seed-for-all-chains"
    mistake = "rng = np.random.default_rng(42) inside the loop over chains"
    effect = "chains are copies of each other: R-hat is 1.00 and means nothing"
    is_fault = True

    def __call__(
        self,
        y: Array,
        K: int,
        priors: Priors,
        draws: int,
        warmup: int,
        chains: int,
        rng: np.random.Generator,
    ) -> dict[str, Array]:
        """Run every chain on the same stream."""
        sweep = GibbsSweep()
        seed = int(rng.integers(2**32))
        out = {name: np.empty((chains, draws, K)) for name in Params._fields}
        for chain in range(chains):
            own = np.random.default_rng(seed)
            point = priors.sample(own, K)
            for i in range(-warmup, draws):
                point = sweep(*point, y, priors, own)
                if i >= 0:
                    for name, value in zip(Params._fields, point, strict=True):
                        out[name][chain, i] = value
        return out


KERNEL_FAULTS: dict[str, type[GibbsSweep]] = {
    fault.name: fault
    for fault in (
        RateForScale, ShapePlusN, ShapeHalfTooMuch, ShapeHalfTooLittle, ShapeNMinusOne,
        SquaresAboutMean, NotHalved,
        VarScaleDropped, VarShapeDropped, ShapeScaleSwapped, VarianceReturned, MeanPrecisionDropped,
        MeanLocIgnored, PriorSdAsVariance, LikelihoodWithoutSigma, VarianceForSdOfMean,
        RootOfSdOfMean,
        DirichletWithoutPrior, ConcentrationIgnored, PriorTwice,
        StaleWeights, BothFromOld, PreviousCounts,
        CumulativeNotNormalised, OneUniform, MuSortedAlone, WeightsNotSorted, SortedJointly,
        PermutedLabels, VarianceAsSdInZ, NoLogSigmaInZ,
    )
}  # fmt: skip
SAMPLER_FAULTS: dict[str, type[OneSeedForAllChains]] = {
    OneSeedForAllChains.name: OneSeedForAllChains
}
NOT_FAULTS: dict[str, type[GibbsSweep]] = {
    fault.name: fault for fault in (GibbsSweep, SigmaBeforeMu, EmptyLeftAlone)
}
FAULTS: dict[str, Any] = {**KERNEL_FAULTS, **SAMPLER_FAULTS}


def fault(name: str) -> Any:
    """Return a fresh kernel or sampler of the gallery, by its name with or without ``fault:``.

    Raises
    ------
    InputError
        If the gallery has none of that name.
    """
    gallery: dict[str, Any] = {**FAULTS, **NOT_FAULTS}
    short = name.removeprefix(PREFIX)
    if short not in gallery:
        raise InputError(
            f"{name}: the gallery has no such fault{did_you_mean(short, gallery)}; "
            f"it has: {', '.join(gallery)}"
        )
    return gallery[short]()

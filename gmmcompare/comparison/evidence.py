"""One engine's draws, prepared for judging: functions of them, whatever the model.

What is compared comes from a provider: for a mixture `Evidence.of`, whose draws are aligned; for
any other model `general.evidence_of_all`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gmmcompare.comparison.dependent import Dependence, dependent_chains
from gmmcompare.comparison.diagnostics import Convergence, convergence
from gmmcompare.comparison.functionals import Functional, as_mapping, functionals
from gmmcompare.engines.check import copied_chains
from gmmcompare.fitting.fit import Fit
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample

MAX_DRAWS = 100_000
"""Of more draws, evenly spaced ones are judged: enough for a hundredth of a posterior sd."""


SOME = 50
"""Draws in which other orders of components are tried."""


@dataclass(frozen=True)
class Evidence:
    """One engine's draws, prepared for judging; arrays (chains, draws).

    Attributes
    ----------
    name : str
    functionals : tuple of Functional
    log_lik : ndarray or None
        The log-likelihood, or another log density by which modes are told apart; None if there is
        none.
    prob_small : ndarray or None
        P(some n_k <= 1) given each draw, or a bound on it; None where there are no components.
    divergences : int or None
        None for an engine that cannot diverge.
    copies : tuple of pair of int
        Chains, counted from 0, that are copies of each other.
    exact : bool
        Whether the draws are independent draws from the posterior itself.
    some : Params or None
        A few of the aligned draws, (n, K), from all chains.
    sample : Sample or None
    """

    name: str
    functionals: tuple[Functional, ...]
    log_lik: Array | None
    prob_small: Array | None
    divergences: int | None
    copies: tuple[tuple[int, int], ...] = ()
    exact: bool = False
    some: Params | None = None
    sample: Sample | None = None

    @classmethod
    def of(
        cls,
        fit: Fit,
        aligned: Params,
        sample: Sample,
        max_draws: int = MAX_DRAWS,
        priors: Priors | None = None,
    ) -> Evidence:
        """Prepare a fit for judging.

        Parameters
        ----------
        fit : Fit
        aligned : Params
            Its draws aligned, (chains, draws, K).
        sample : Sample
        max_draws : int
            Of more draws, evenly spaced ones are taken.
        priors : Priors, optional
            What all engines were given; where they tell components apart, their density is judged.
        """
        log_lik = fit.stat("log_lik")
        step = -(-log_lik.size // max_draws)
        rare = max(1, log_lik.size // SOME)
        thinned = Params(*(a[:, ::step] for a in aligned))
        return cls(
            name=fit.engine,
            functionals=tuple(functionals(thinned, log_lik[:, ::step], sample, priors)),
            log_lik=log_lik,
            prob_small=fit.stat("prob_small"),
            divergences=int(fit.stat("diverging").sum()) if fit.has_stat("diverging") else None,
            copies=tuple(copied_chains(fit.params)),
            exact=fit.has_extra("log_evidence"),
            some=Params(*(a[:, ::rare].reshape(-1, aligned.K) for a in aligned)),
            sample=sample,
        )

    @cached_property
    def convergence(self) -> Convergence:
        """R-hat and ESS of every functional, and the ESS of the slowest combination."""
        return convergence(as_mapping(self.functionals), with_mcse=False, with_slowest=True)

    @cached_property
    def dependent(self) -> tuple[Dependence, ...]:
        """Chains that are no copies and yet not independent."""
        copies = {*self.copies}
        found = dependent_chains(self.label_free)
        return tuple(d for d in found if (d.a, d.b) not in copies)

    @property
    def shape(self) -> tuple[int, ...]:
        """Numbers of chains and of draws."""
        return self.functionals[0].values.shape if self.log_lik is None else self.log_lik.shape

    @property
    def label_free(self) -> list[Array]:
        """Two functions by which chains are told apart, whatever their labels.

        The log-likelihood at all draws, and the mixture's mean if none were left out; where there
        is no log-likelihood, the first two that do not depend on labels.
        """
        if self.log_lik is None:
            free = [f.values for f in self.functionals if f.label_free and np.ptp(f.values) > 0]
            return free[:2] or [self.functionals[0].values]
        mean = next((f.values for f in self.functionals if f.name == "mean"), self.log_lik)
        return [self.log_lik, mean] if mean.shape == self.log_lik.shape else [self.log_lik]

    @property
    def chain_log_lik(self) -> Array:
        """Mean log-likelihood of each chain, shape (chains,); zeros where there is none."""
        if self.log_lik is None:
            return np.zeros(self.shape[0])
        return np.asarray(self.log_lik.mean(axis=1))

"""One engine's column of the table of a comparison."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gmmcompare.comparison.diagnostics import EngineDiagnostics, diagnose
from gmmcompare.comparison.labels import Alignment
from gmmcompare.fitting.fit import Fit
from gmmcompare.model.params import Params


@dataclass(frozen=True)
class EngineSummary:
    """One engine's column of the table, components by ascending mean of the reference.

    Each array has shape (K,). For draws ``point`` is the posterior mean, ``spread`` the posterior
    sd and ``mcse`` the Monte Carlo standard error of the mean; for a point estimate ``spread`` is
    its standard error (NaN where it has none) and ``mcse`` is zero.
    """

    point: Params
    spread: Params
    mcse: Params
    log_lik: float
    prob_empty: float
    diagnostics: EngineDiagnostics | None


def summarise(fit: Fit, alignment: Alignment) -> EngineSummary:
    """Summarise a fit whose components are numbered as ``alignment`` says."""
    params, log_lik = alignment.params, fit.stat("log_lik")
    if fit.kind == "point":
        point = Params(*(a[0, 0] for a in params))
        nothing = Params(*(np.full(fit.K, np.nan) for _ in Params._fields))
        errors = fit.standard_errors
        spread = nothing if errors is None else errors.permuted(alignment.labels[0, 0])
        zero = Params(*(np.zeros(fit.K) for _ in Params._fields))
        return EngineSummary(
            point, spread, zero, float(log_lik[0, 0]), float(fit.stat("prob_empty")[0, 0]), None
        )
    diagnostics = diagnose(fit, params, alignment.switch_rate)
    mcse = diagnostics.parameters.mcse_mean
    still = [(a == a[:1, :1]).all(axis=(0, 1)) for a in params]  # what is known never moves
    with np.errstate(invalid="ignore"):
        sds = [np.where(s, 0.0, a.std(axis=(0, 1))) for a, s in zip(params, still, strict=True)]
        means = [
            np.where(s, a[0, 0], a.mean(axis=(0, 1))) for a, s in zip(params, still, strict=True)
        ]
    return EngineSummary(
        point=Params(*means),
        spread=Params(*sds),
        mcse=Params(
            *(np.array([mcse[f"{name}[{k + 1}]"] for k in range(fit.K)]) for name in Params._fields)
        ),
        log_lik=float(log_lik.mean()),
        prob_empty=float(fit.stat("prob_empty").mean()),
        diagnostics=diagnostics,
    )

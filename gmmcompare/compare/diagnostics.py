"""The only place that asks ArviZ for statistics: R-hat, ESS, MCSE, divergences, E-BFMI."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import arviz_stats as azs
import numpy as np
import xarray as xr
from arviz_stats.base import array_stats
from scipy.stats import rankdata

from gmmcompare.fit import Fit
from gmmcompare.params import Array, Params

NOT_APPLICABLE = "not applicable"
TAILS = (0.05, 0.95)


@dataclass(frozen=True)
class Convergence:
    """Rank-normalised R-hat, bulk and tail ESS, and the MCSE of the mean, by name of a quantity.

    All after Vehtari et al. (2021), as ArviZ computes them. A quantity that never changes has NaN.
    """

    rhat: Mapping[str, float]
    ess_bulk: Mapping[str, float]
    ess_tail: Mapping[str, float]
    mcse_mean: Mapping[str, float]

    @property
    def worst_rhat(self) -> tuple[str, float]:
        """Name and value of the largest R-hat."""
        return _extreme(self.rhat, max)

    @property
    def worst_ess(self) -> tuple[str, float]:
        """Name and value of the smallest ESS, bulk or tail."""
        both = {n: min(self.ess_bulk[n], self.ess_tail[n]) for n in self.ess_bulk}
        return _extreme(both, min)


def convergence(values: Mapping[str, Array], with_mcse: bool = True) -> Convergence:
    """Diagnose quantities given by name as arrays (chains, draws).

    R-hat and bulk ESS depend on ranks only, so a quantity with infinite values (the sd of an empty
    component under a nearly improper prior) is diagnosed by its ranks, and its mean has no MCSE.
    """
    varying = {name: v for name, v in values.items() if v.min() < v.max() and v.shape[1] >= 4}
    finite = {
        name: v if np.isfinite(v).all() else rankdata(v).reshape(v.shape)
        for name, v in varying.items()
    }

    def each(statistic: Callable[[Array], Any], over: Iterable[str]) -> dict[str, float]:
        found = {name: float(statistic(finite[name])) for name in over}
        return {name: found.get(name, float("nan")) for name in values}

    bounded = [name for name in finite if finite[name] is values[name]] if with_mcse else []
    with np.errstate(divide="ignore", invalid="ignore"):  # a chain may stand still
        return Convergence(
            rhat=each(lambda v: array_stats.rhat(v, method="rank"), finite),
            ess_bulk=each(lambda v: array_stats.ess(v, method="bulk"), finite),
            ess_tail=each(lambda v: array_stats.ess(v, method="tail", prob=TAILS), finite),
            mcse_mean=each(lambda v: array_stats.mcse(v, method="mean"), bounded),
        )


def parameter_values(aligned: Params, log_lik: Array) -> dict[str, Array]:
    """Return w, mu and sigma of each component and the log-likelihood, by name."""
    values = {
        f"{name}[{k + 1}]": array[..., k]
        for name, array in zip(Params._fields, aligned, strict=True)
        for k in range(aligned.K)
    }
    return {**values, "log_lik": log_lik}


@dataclass(frozen=True)
class EngineDiagnostics:
    """What the report shows of one engine that draws."""

    parameters: Convergence
    divergences: int | None
    e_bfmi: tuple[float, ...] | None
    switch_rate: tuple[float, ...]

    def as_rows(self) -> list[tuple[str, str]]:
        """Return (what, value) pairs for reading; "not applicable" where an engine has none."""
        rhat, ess = self.parameters.worst_rhat, self.parameters.worst_ess
        return [
            ("largest R-hat", f"{rhat[1]:.4f} ({rhat[0]})"),
            ("smallest ESS", f"{ess[1]:,.0f} ({ess[0]})"),
            ("divergences", NOT_APPLICABLE if self.divergences is None else str(self.divergences)),
            (
                "E-BFMI per chain",
                NOT_APPLICABLE
                if self.e_bfmi is None
                else ", ".join(f"{value:.2f}" for value in self.e_bfmi),
            ),
            (
                "label switches per 1,000 draws, per chain",
                ", ".join(f"{1000 * rate:.2g}" for rate in self.switch_rate),
            ),
        ]


def diagnose(fit: Fit, aligned: Params, switch_rate: Array) -> EngineDiagnostics:
    """Diagnose one engine's draws, aligned, shape (chains, draws, K)."""
    return EngineDiagnostics(
        parameters=convergence(parameter_values(aligned, fit.stat("log_lik"))),
        divergences=int(fit.stat("diverging").sum()) if fit.has_stat("diverging") else None,
        e_bfmi=_e_bfmi(fit),
        switch_rate=tuple(float(rate) for rate in switch_rate),
    )


def _e_bfmi(fit: Fit) -> tuple[float, ...] | None:
    if not fit.has_stat("energy"):
        return None
    found: Any = azs.bfmi(fit.tree)
    values = found["energy"] if isinstance(found, (xr.Dataset, xr.DataTree)) else found
    return tuple(float(v) for v in np.atleast_1d(np.asarray(values)))


def _extreme(values: Mapping[str, float], choose: Any) -> tuple[str, float]:
    known = {name: v for name, v in values.items() if not np.isnan(v)}
    if not known:
        return "nothing that varies", float("nan")
    name = choose(known, key=known.__getitem__)
    return name, known[name]

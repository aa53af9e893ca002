"""The only place that asks ArviZ for statistics of a posterior's draws.

R-hat, ESS, MCSE, divergences, E-BFMI and power-scaling.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import arviz_stats as azs
import numpy as np
import xarray as xr
from arviz_base import from_dict
from arviz_stats.base import array_stats
from scipy.special import ndtri
from scipy.stats import rankdata

from gmmcompare.comparison.numerals import rounded
from gmmcompare.fitting.fit import Fit
from gmmcompare.model.params import Array, Params

NOT_APPLICABLE = "not applicable"
TAILS = (0.05, 0.95)
LAGS = (1, 10, 100, 1000)
"""At which slow combinations of quantities are looked for."""
MOST_COMBINED = 60
"""Quantities among which slow combinations are looked for; of more, those that mix worst."""
SHORTEST = 8
"""Draws that a chain needs for a diagnosis: each is split in two."""


@dataclass(frozen=True)
class Convergence:
    """Rank-normalised R-hat, bulk and tail ESS, and the MCSE of the mean, by name of a quantity.

    All after Vehtari et al. (2021), as ArviZ computes them. A quantity that never changes has NaN.
    """

    rhat: Mapping[str, float]
    ess_bulk: Mapping[str, float]
    ess_tail: Mapping[str, float]
    mcse_mean: Mapping[str, float]
    slowest: float = float("nan")
    """Smallest ESS of all quantities and of a few combinations of them, if these were asked for."""

    @property
    def worst_rhat(self) -> tuple[str, float]:
        """Name and value of the largest R-hat."""
        return _extreme(self.rhat, max)

    @property
    def worst_ess(self) -> tuple[str, float]:
        """Name and value of the smallest ESS, bulk or tail."""
        both = {n: min(self.ess_bulk[n], self.ess_tail[n]) for n in self.ess_bulk}
        return _extreme(both, min)

    def as_rows(self) -> list[tuple[str, str]]:
        """Return (what, value) pairs for reading."""
        rhat, ess = self.worst_rhat, self.worst_ess
        return [
            ("largest R-hat", f"{rhat[1]:.4f} ({rhat[0]})"),
            ("smallest ESS", f"{ess[1]:,.0f} ({ess[0]})"),
        ]


def convergence(
    values: Mapping[str, Array], with_mcse: bool = True, with_slowest: bool = False
) -> Convergence:
    """Diagnose quantities given by name.

    R-hat and bulk ESS depend on ranks only, so a quantity with infinite values (the sd of an empty
    component under a nearly improper prior) is diagnosed by its ranks, and its mean has no MCSE.

    Parameters
    ----------
    values : mapping of str to ndarray
        Each of shape (chains, draws).
    with_mcse : bool
        Whether means get a Monte Carlo error.
    with_slowest : bool
        Whether the slowest combination is looked for.
    """
    scores = {name: _scores_of_halves(v) for name, v in values.items() if _varies(v)}
    found = {name: _diagnosed(v, scores.get(name)) for name, v in values.items()}
    own = [min(e) for _, *e in found.values() if not np.isnan(e[0])]
    mcse = {name: mcse_of_mean(v) for name, v in values.items() if with_mcse}
    return Convergence(
        rhat={name: numbers[0] for name, numbers in found.items()},
        ess_bulk={name: numbers[1] for name, numbers in found.items()},
        ess_tail={name: numbers[2] for name, numbers in found.items()},
        mcse_mean={name: mcse.get(name, float("nan")) for name in values},
        slowest=min([*own, *_combinations(_slow_ones(scores, found))], default=float("nan"))
        if with_slowest
        else float("nan"),
    )


def mcse_of_mean(v: Array) -> float:
    """Return the Monte Carlo standard error of a mean; NaN where it is infinite or never varies."""
    if not np.isfinite(v).all() or not _varies(v):
        return float("nan")
    return float(array_stats.mcse(v, method="mean"))


def _varies(v: Array) -> bool:
    return bool(v.min() < v.max()) and v.shape[1] >= SHORTEST


def _halves(v: Array) -> Array:
    """Return each chain's first and second half as chains of their own."""
    half = v.shape[1] // 2
    return np.concatenate([v[:, :half], v[:, -half:]])


def _scores_of_halves(v: Array) -> Array:
    return normal_scores(finite(_halves(v)))


def finite(v: Array) -> Array:
    """Return values, or their ranks where some are infinite."""
    return v if np.isfinite(v).all() else rankdata(v).reshape(v.shape)


def _slow_ones(
    scores: Mapping[str, Array], found: Mapping[str, tuple[float, float, float]]
) -> list[Array]:
    """Return the scores of the quantities that mix worst, at most `MOST_COMBINED` of them."""
    by_ess = sorted(scores, key=lambda name: found[name][1])
    chosen = {*by_ess[:MOST_COMBINED]}
    return [values for name, values in scores.items() if name in chosen]


def _combinations(scores: Sequence[Array]) -> list[float]:
    """Return the ESS of the slowest linear combinations of quantities' scores (chains, draws).

    A slow mode may have a small share in every quantity and a large one in a combination of them.
    Combinations are sought whose autocorrelation at a lag is largest (Molgedey and Schuster 1994),
    at several lags. Of independent draws the largest at one lag tells nothing of others, so that
    the ESS, which sums over lags, is not spoilt by the search.
    """
    if len(scores) < 2:
        return []
    x = np.stack(scores)
    n = x.shape[2]
    values, vectors = np.linalg.eigh(_lagged(x, 0))
    kept = values > 1e-6 * values[-1]
    whitened = vectors[:, kept] / np.sqrt(values[kept])
    found = []
    for lag in {lag for lag in LAGS if lag <= n // 4}:
        directions = whitened @ np.linalg.eigh(whitened.T @ _lagged(x, lag) @ whitened)[1][:, -2:]
        found += [
            float(array_stats.ess(np.tensordot(d, x, 1), method="identity")) for d in directions.T
        ]
    return [ess for ess in found if not np.isnan(ess)]


def _lagged(x: Array, lag: int) -> Array:
    """Return the autocovariance of quantities (quantities, chains, draws) at a lag, made even."""
    Q, chains, n = x.shape
    early, late = x[:, :, : n - lag].reshape(Q, -1), x[:, :, lag:].reshape(Q, -1)
    product = early @ late.T / (chains * (n - lag))
    return np.asarray(0.5 * (product + product.T))


def _diagnosed(v: Array, scores: Array | None) -> tuple[float, float, float]:
    """Return rank-normalised split R-hat, bulk ESS and tail ESS of one quantity (chains, draws).

    ArviZ's estimators of split chains, given normal scores that are computed once for both R-hat
    and ESS: sorting is most of the work.
    """
    if scores is None:  # it never changes
        return float("nan"), float("nan"), float("nan")
    split = _halves(v)
    values = finite(split)
    folded = normal_scores(np.abs(values - np.median(values)))
    low, high = (split <= np.quantile(v, q, method="lower") for q in TAILS)
    with np.errstate(divide="ignore", invalid="ignore"):  # a chain may stand still
        rhat = np.fmax(*(array_stats.rhat(x, method="identity") for x in (scores, folded)))
        ess = [array_stats.ess(x * 1.0, method="identity") for x in (scores, low, high)]
    return float(rhat), float(ess[0]), float(min(ess[1:]))


def normal_scores(v: Array) -> Array:
    """Return normal scores of ranks (Blom 1958), of the shape of v; ties share their mean rank."""
    flat = v.ravel()
    order = np.argsort(flat)
    ordered = flat[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    ends = np.append(starts[1:], flat.size)
    rank = np.repeat(0.5 * (starts + ends + 1), ends - starts)
    scores = np.empty(flat.size)
    scores[order] = ndtri((rank - 0.375) / (flat.size + 0.25))
    return scores.reshape(v.shape)


def autocorrelation(values: Array, max_lag: int) -> Array:
    """Return each chain's autocorrelation at lags from 0, of ranks where values are infinite.

    Parameters
    ----------
    values : ndarray, shape (chains, draws)
    max_lag : int

    Returns
    -------
    ndarray, shape (chains, lags)
        At most ``max_lag + 1`` lags; all 1 where a chain never moves.
    """
    if not np.isfinite(values).all():
        values = rankdata(values).reshape(values.shape)
    lags = min(max_lag, values.shape[1] - 1) + 1
    if not np.ptp(values, axis=1).all():
        return np.ones((values.shape[0], lags))
    return np.asarray(array_stats.autocorr(values, axis=-1), dtype=float)[:, :lags]


def median_error(values: Array) -> float:
    """Return the MCSE of the median of draws (chains, draws); NaN where it has none."""
    if not (_varies(values) and np.isfinite(values).all()):
        return float("nan")
    return float(array_stats.mcse(values, method="median"))


def power_scaling(
    values: Mapping[str, Array], log_parts: Mapping[str, Array]
) -> dict[str, dict[str, float]]:
    """Return how sensitive each quantity is to the power of each factor of the posterior.

    Quantities are replaced by normal scores of their ranks, so that the answer is the same for any
    increasing function of a quantity and exists where draws are infinite; a normal posterior is
    left as it is.

    Parameters
    ----------
    values : dict of str to ndarray, shape (chains, draws)
    log_parts : dict of str to ndarray, shape (chains, draws)
        Log of each factor: of the prior or of a part of it, or of the likelihood.

    Returns
    -------
    dict of str to dict of str to float
        By quantity and factor: the rate at which the posterior moves with the logarithm of the
        power. 0.05 and above is taken for sensitive.

    References
    ----------
    Kallioinen, N., Paananen, T., Bürkner, P.-C. and Vehtari, A. (2024). Detecting and diagnosing
    prior and likelihood sensitivity with power-scaling. Statistics and Computing 34, 57.
    """
    scores = {name: normal_scores(v) for name, v in values.items() if _varies(v)}
    # A factor that is the same everywhere (the prior of the weight of a single component) moves
    # nothing.
    found = {
        name: dict.fromkeys(log_parts, 0.0 if name in scores else float("nan")) for name in values
    }
    tree = from_dict({"posterior": scores, "log_prior": dict(log_parts)})
    for part in (part for part, v in log_parts.items() if _varies(v)):
        with warnings.catch_warnings():
            # Of few draws ArviZ smooths shorter tails, and says so.
            warnings.filterwarnings("ignore", message="Number of tail draws")
            sensitivity = azs.psense(tree, group="prior", group_var_names=[part])
        for name in scores:
            found[name][part] = float(sensitivity[name])
    return found


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
        return [
            *self.parameters.as_rows(),
            ("divergences", NOT_APPLICABLE if self.divergences is None else str(self.divergences)),
            (
                "E-BFMI per chain",
                NOT_APPLICABLE
                if self.e_bfmi is None
                else ", ".join(f"{value:.2f}" for value in self.e_bfmi),
            ),
            (
                "label switches per 1,000 draws, per chain",
                ", ".join(rounded(1000 * rate) for rate in self.switch_rate),
            ),
        ]


def diagnose(fit: Fit, aligned: Params, switch_rate: Array) -> EngineDiagnostics:
    """Diagnose one engine's draws.

    Parameters
    ----------
    fit : Fit
    aligned : Params
        Its draws, aligned, arrays (chains, draws, K).
    switch_rate : ndarray, shape (chains,)
        How often each chain switched labels.
    """
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

"""The verdict on a point estimate: the best point there is, and where the posterior is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gmmcompare.compare.agreement import PairVerdict, Verdict
from gmmcompare.compare.checks import Evidence, failed_checks
from gmmcompare.fit import Fit
from gmmcompare.params import Array, Params

CLOUD_QUANTILE = 0.999
MIN_FINITE = 0.99


def judge_point(
    point: Fit,
    place: Params,
    draws: Fit,
    aligned: Params,
    evidence: Evidence,
    everyone: Sequence[Evidence],
    all_draws: Sequence[Fit],
) -> PairVerdict:
    """Judge a point estimate against one engine's draws.

    A maximum has a log-likelihood (or, for a MAP, a posterior density over (w, mu, log sigma^2)) no
    lower than that of any draw of any engine; and its Mahalanobis distance in the aligned
    posterior, in logits of w, mu and log sigma, is within the 99.9 % quantile of the draws' own.

    Parameters
    ----------
    point : Fit
    place : Params
        The point, aligned, shape (K,).
    draws : Fit
    aligned : Params
        That engine's aligned draws, (chains, draws, K).
    evidence : Evidence
        Of the same engine.
    everyone : sequence of Evidence
        Of all engines that draw.
    all_draws : sequence of Fit
        Of all engines that draw.
    """
    gap, best = _shortfall(point, all_draws)
    distance, limit, finite = _distance(place, aligned)
    numbers = {
        "log_lik_gap": gap,
        "mahalanobis": distance,
        "mahalanobis_limit": limit,
    }
    a, b = point.engine, draws.engine
    if gap > 0:
        reason = (
            f"{a}: a draw of {best} is {gap:.2f} higher in log-likelihood: stopped early or in a "
            "local mode"
        )
        return PairVerdict(a, b, "disagree", (reason, *_status(point)), suspect=a, numbers=numbers)
    failures = [f"{b}: {why}" for why in failed_checks(evidence, everyone)]
    if finite < MIN_FINITE:
        failures.append(
            f"{b}: a component is empty in {100 * (1 - finite):.2g} % of the draws, so its "
            "posterior has no ellipse to place a point in"
        )
    elif distance > limit:
        reason = (
            f"{a} lies outside the posterior of {b}: Mahalanobis distance {distance:.1f}, where "
            f"99.9 % of its draws are within {limit:.1f}"
        )
        verdict: Verdict = "inconclusive" if failures else "disagree"
        suspect = b if failures else None
        return PairVerdict(a, b, verdict, (reason, *failures), suspect=suspect, numbers=numbers)
    problems = (*_status(point), *failures)
    if problems:
        suspect = b if failures else a
        return PairVerdict(a, b, "inconclusive", problems, suspect=suspect, numbers=numbers)
    reason = (
        f"no draw has a higher log-likelihood, and the point is within the posterior (Mahalanobis "
        f"distance {distance:.1f}, limit {limit:.1f})"
    )
    return PairVerdict(a, b, "agree", (reason,), numbers=numbers)


def _status(point: Fit) -> tuple[str, ...]:
    return () if point.status == "ok" else (f"{point.engine}: {point.status}",)


def _shortfall(point: Fit, all_draws: Sequence[Fit]) -> tuple[float, str]:
    """Return by how much the best draw exceeds the point, at most 0 if none does, and whose it is.

    A point is a maximum of the likelihood or of the posterior; it need be the best in one only.
    """
    log_lik = max(all_draws, key=lambda f: float(f.stat("log_lik").max()))
    gap = float(log_lik.stat("log_lik").max() - point.stat("log_lik").max())
    posterior = max(float(_log_scale_density(f).max()) for f in all_draws)
    by_posterior = posterior - float(_log_scale_density(point).max())
    # Rounding: the likelihood is a sum of N terms.
    slack = 1e-9 * abs(float(point.stat("log_lik").max()))
    worst = min(gap, by_posterior)
    return (0.0 if worst <= slack else gap if gap > 0 else worst), log_lik.engine


def _log_scale_density(fit: Fit) -> Array:
    """Return the log posterior density over (w, mu, log sigma^2): a factor sigma_k^2 more."""
    with np.errstate(invalid="ignore"):
        density = fit.stat("lp") + 2.0 * np.log(fit.params.sigma).sum(-1)
    return np.where(np.isfinite(density), density, -np.inf)


def _distance(place: Params, aligned: Params) -> tuple[float, float, float]:
    """Return the point's distance, the draws' 99.9 % quantile and the share of usable draws."""
    x = _coordinates(aligned).reshape(-1, 3 * aligned.K - 1)
    usable = np.isfinite(x).all(axis=1)
    x = x[usable]
    if len(x) <= x.shape[1]:
        return float("nan"), float("nan"), 0.0
    centre = x.mean(axis=0)
    root = np.linalg.pinv(np.linalg.cholesky(np.cov(x.T) + 1e-300 * np.eye(x.shape[1])))
    own = np.linalg.norm((x - centre) @ root.T, axis=1)
    with np.errstate(invalid="ignore"):
        distance = float(np.linalg.norm(root @ (_coordinates(place) - centre)))
    return distance, float(np.quantile(own, CLOUD_QUANTILE)), float(usable.mean())


def _coordinates(params: Params) -> Array:
    """Logits of w against the last, mu and log sigma, shape (..., 3K - 1)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logits = np.log(params.w[..., :-1]) - np.log(params.w[..., -1:])
        return np.concatenate([logits, params.mu, np.log(params.sigma)], axis=-1)

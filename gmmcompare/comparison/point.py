"""The verdict on a point estimate: the best point there is, and where the posterior is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from gmmcompare.comparison.agreement import PairVerdict, Verdict
from gmmcompare.comparison.checks import Checked
from gmmcompare.comparison.reasons import Code, Reason
from gmmcompare.comparison.thresholds import CLOUD_QUANTILE, MIN_OCCUPIED, SAME_MAXIMUM
from gmmcompare.fitting.fit import Fit
from gmmcompare.model.params import Array, Params


def judge_point(
    point: Fit,
    place: Params,
    draws: Fit,
    aligned: Params,
    checked: Checked,
    all_draws: Sequence[Fit],
) -> PairVerdict:
    """Judge a point estimate against one engine's draws.

    A maximum has a log-likelihood (or, for a MAP, a posterior density over (w, mu, log sigma^2)) no
    lower than that of any draw of any engine; and its Mahalanobis distance in the aligned
    posterior, in logits of w, mu and log sigma, is within the 99.9 % quantile of the draws' own.
    Draws in which a component is nearly empty have the prior's tails, and are left out of that.

    Parameters
    ----------
    point : Fit
    place : Params
        The point, aligned, shape (K,).
    draws : Fit
    aligned : Params
        That engine's aligned draws, (chains, draws, K).
    checked : Checked
        The same engine's evidence.
    all_draws : sequence of Fit
        Of all engines that draw.
    """
    short = _shortfall(point, all_draws)
    distance, limit, occupied = _distance(place, aligned, checked.evidence.prob_small)
    numbers = {
        "log_lik_gap": short.log_lik,
        "density_gap": short.density,
        "mahalanobis": distance,
        "mahalanobis_limit": limit,
    }
    a, b = point.engine, draws.engine
    if short.log_lik > 0 and short.density > 0:
        reason = Reason(Code.BELOW_A_DRAW, {"gap": short.log_lik, "best": short.best}, engine=a)
        return PairVerdict(a, b, "disagree", (reason, *_status(point)), suspect=a, numbers=numbers)
    failures = list(checked.failures)
    if occupied < MIN_OCCUPIED:
        failures.append(Reason(Code.NO_ELLIPSE, {"share": 1.0 - occupied}, engine=b))
    elif not distance <= limit:
        outside = {
            "point": a,
            "draws": b,
            "distance": distance,
            "limit": limit,
            "quantile": CLOUD_QUANTILE,
        }
        reason = Reason(Code.OUTSIDE_POSTERIOR, outside)
        verdict: Verdict = "inconclusive" if failures else "disagree"
        suspect = b if checked.faults else None
        return PairVerdict(a, b, verdict, (reason, *failures), suspect=suspect, numbers=numbers)
    problems = (*_status(point), *failures)
    if problems:
        suspect = a if _status(point) else b if checked.faults else None
        return PairVerdict(a, b, "inconclusive", problems, suspect=suspect, numbers=numbers)
    height = "log_lik" if short.log_lik == 0 else "density"
    within = {"of": height, "distance": distance, "limit": limit}
    return PairVerdict(a, b, "agree", (Reason(Code.AT_MAXIMUM, within),), numbers=numbers)


def _status(point: Fit) -> tuple[Reason, ...]:
    if point.status == "ok":
        return ()
    return (Reason(Code.STATUS, {"status": point.status}, engine=point.engine),)


class _Shortfall(NamedTuple):
    """By how much the best draw exceeds a point, 0 if none does, and the engine that drew it.

    A point is a maximum of the likelihood or of the posterior; it need be the best in one only.
    """

    log_lik: float
    density: float
    best: str


def _shortfall(point: Fit, all_draws: Sequence[Fit]) -> _Shortfall:
    best = max(all_draws, key=lambda f: float(f.stat("log_lik").max()))
    height = float(point.stat("log_lik").max())
    gap = float(best.stat("log_lik").max()) - height
    posterior = max(float(log_scale_density(f).max()) for f in all_draws)
    by_posterior = posterior - float(log_scale_density(point).max())
    rounding = 1e-9 * abs(height)  # the likelihood is a sum of N terms
    return _Shortfall(
        gap if gap > rounding else 0.0,
        by_posterior if by_posterior > rounding else 0.0,
        best.engine,
    )


def judge_two_points(a: Fit, b: Fit) -> PairVerdict:
    """Compare two point estimates: the same maximum, or which one is higher."""
    gap = _height(a) - _height(b)
    numbers = {"log_lik_gap": abs(gap)}
    if abs(gap) <= SAME_MAXIMUM:
        same = Reason(Code.SAME_MAXIMUM, {"gap": abs(gap)})
        return PairVerdict(a.engine, b.engine, "agree", (same,), numbers=numbers)
    lower, higher = (b, a) if gap > 0 else (a, b)
    if _density(lower) > _density(higher):
        each = {"likelier": higher.engine, "denser": lower.engine, "gap": abs(gap)}
        different = Reason(Code.DIFFERENT_OBJECTIVES, each)
        return PairVerdict(a.engine, b.engine, "inconclusive", (different,), numbers=numbers)
    reason = Reason(
        Code.LOWER_MAXIMUM, {"gap": abs(gap), "higher": higher.engine}, engine=lower.engine
    )
    return PairVerdict(
        a.engine, b.engine, "disagree", (reason,), suspect=lower.engine, numbers=numbers
    )


def _height(point: Fit) -> float:
    return float(point.stat("log_lik")[0, 0])


def _density(point: Fit) -> float:
    return float(log_scale_density(point)[0, 0])


def log_scale_density(fit: Fit) -> Array:
    """Return the log posterior density over (w, mu, log sigma^2): a factor sigma_k^2 more."""
    with np.errstate(invalid="ignore"):
        density = fit.stat("lp") + 2.0 * np.log(fit.params.sigma).sum(-1)
    return np.where(np.isfinite(density), density, -np.inf)


def _distance(place: Params, aligned: Params, prob_small: Array) -> tuple[float, float, float]:
    """Return the point's distance, the draws' 99.9 % quantile and the share of draws used."""
    x = _coordinates(aligned).reshape(-1, 3 * aligned.K - 1)
    usable = np.isfinite(x).all(axis=1) & (prob_small.ravel() <= 0.5)
    cloud = x[usable]
    share = float(usable.mean())
    if len(cloud) <= cloud.shape[1]:
        return float("nan"), float("nan"), 0.0
    centre, sd = cloud.mean(axis=0), cloud.std(axis=0)
    sd = np.where(sd > 0, sd, 1.0)  # a coordinate that stands still has no scale of its own
    z, at = (cloud - centre) / sd, (_coordinates(place) - centre) / sd
    precision = np.linalg.pinv(z.T @ z / len(z), hermitian=True)
    own = np.sqrt(np.einsum("ij,jk,ik->i", z, precision, z))
    with np.errstate(invalid="ignore"):  # an infinite sd of the point's
        distance = float(np.sqrt(at @ precision @ at))
    return distance, float(np.quantile(own, CLOUD_QUANTILE)), share


def _coordinates(params: Params) -> Array:
    """Logits of w against the last, mu and log sigma, shape (..., 3K - 1)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logits = np.log(params.w[..., :-1]) - np.log(params.w[..., -1:])
        return np.concatenate([logits, params.mu, np.log(params.sigma)], axis=-1)

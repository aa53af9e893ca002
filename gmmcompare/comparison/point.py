"""The verdict on a point estimate: the best point there is, and where the posterior is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import combinations
from typing import NamedTuple

import numpy as np

from gmmcompare.comparison.agreement import PairVerdict, Verdict, judge_draws
from gmmcompare.comparison.checks import Checked, check
from gmmcompare.comparison.evidence import Evidence
from gmmcompare.comparison.reasons import Code, Reason
from gmmcompare.comparison.thresholds import (
    CLOUD_QUANTILE,
    MIN_OCCUPIED,
    MODE_GAP,
    SAME_MAXIMUM,
)
from gmmcompare.comparison.twin import log_scale_prior, twin_of
from gmmcompare.fitting.fit import Fit
from gmmcompare.model.mixture import responsibilities
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample

ELSEWHERE = (
    Code.COPIED_CHAINS,
    Code.DEPENDENT_CHAINS,
    Code.MINOR_MODE,
    Code.TREND,
    Code.MIXED_COMPONENTS,
)
"""Faults with which draws are not where the posterior is, so that no point is judged by them."""


def judge_point(
    point: Fit,
    place: Params,
    draws: Fit,
    aligned: Params,
    checked: Checked,
    all_draws: Sequence[Fit],
    sample: Sample,
) -> PairVerdict:
    """Judge a point estimate against one engine's draws.

    A maximum has a log-likelihood (or, for a MAP, a posterior density over (w, mu, log sigma^2)) no
    lower than that of any draw of any engine; and its Mahalanobis distance in the aligned
    posterior, in logits of w, mu and log sigma, is within the 99.9 % quantile of the draws' own.
    Draws in which a component is nearly empty have the prior's tails, and are left out of that.
    What speaks against the point whatever the draws are comes first: a draw that is better in both,
    or a component that is a spike on one value.

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
    sample : Sample
    """
    short = _shortfall(point, place, draws.priors, all_draws)
    assert checked.evidence.prob_small is not None, "a mixture has components"
    cloud = _Cloud.of(aligned, checked.evidence.prob_small)
    trial = _Trial(point, place, draws, aligned, checked, sample, cloud)
    numbers = {
        "log_lik_gap": short.log_lik,
        "density_gap": short.density,
        "mahalanobis": trial.distance,
        "mahalanobis_limit": cloud.limit,
    }
    return replace(_judged(trial, short), numbers=numbers)


@dataclass(frozen=True)
class _Trial:
    """A point before one engine's draws: what `judge_point` is given, and their cloud."""

    point: Fit
    place: Params
    draws: Fit
    aligned: Params
    checked: Checked
    sample: Sample
    cloud: _Cloud

    @cached_property
    def distance(self) -> float:
        """The point's Mahalanobis distance from the centre of the draws."""
        return self.cloud.distance(self.place)

    @property
    def status(self) -> tuple[Reason, ...]:
        """What the point's own engine says against it."""
        if self.point.status == "ok":
            return ()
        return (Reason(Code.STATUS, {"status": self.point.status}, engine=self.point.engine),)

    @property
    def problems(self) -> tuple[Reason, ...]:
        """What speaks against either engine, apart from where the point is."""
        return (*self.status, *self.checked.failures)

    def suspect(self, doubtful: object) -> str | None:
        """Name the point's engine if that doubts itself, else the other one if it is doubtful."""
        return self.point.engine if self.status else self.checked.name if doubtful else None

    def densest(self) -> Params:
        """Return the draw of highest posterior density, shape (K,)."""
        at = np.unravel_index(int(log_scale_density(self.draws).argmax()), self.aligned.w.shape[:2])
        return Params(*(a[at] for a in self.aligned))

    def concluded(
        self, verdict: Verdict, *reasons: Reason, suspect: str | None = None
    ) -> PairVerdict:
        """Return the verdict on the pair."""
        return PairVerdict(self.point.engine, self.checked.name, verdict, reasons, suspect=suspect)


def _judged(trial: _Trial, short: _Shortfall) -> PairVerdict:
    a, b, cloud = trial.point.engine, trial.checked.name, trial.cloud
    if short.log_lik > 0 and short.density > 0:
        below = Reason(Code.BELOW_A_DRAW, {"gap": short.log_lik, "best": short.best}, engine=a)
        return trial.concluded("disagree", below, *trial.status, suspect=a)
    spike = _spike(trial.place, trial.sample, a) if short.density > MODE_GAP else ()
    if spike:
        return trial.concluded("disagree", *spike, *trial.status, suspect=a)
    if cloud.share < MIN_OCCUPIED:
        empty = Reason(Code.NO_ELLIPSE, {"share": 1.0 - cloud.share}, engine=b)
        suspect = trial.suspect(trial.checked.failed(*ELSEWHERE))
        return trial.concluded("inconclusive", *trial.problems, empty, suspect=suspect)
    if not trial.distance <= cloud.limit:
        return _outside(trial)
    if trial.problems:
        suspect = trial.suspect(trial.checked.faults)
        return trial.concluded("inconclusive", *trial.problems, suspect=suspect)
    height = "log_lik" if short.log_lik == 0 else "density"
    within = {"of": height, "distance": trial.distance, "limit": cloud.limit}
    return trial.concluded("agree", Reason(Code.AT_MAXIMUM, within))


def _outside(trial: _Trial) -> PairVerdict:
    """Say why a point is outside the posterior: by the point's fault, the draws' or the prior."""
    a, cloud, place = trial.point.engine, trial.cloud, trial.place
    where = {
        "point": a,
        "draws": trial.checked.name,
        "distance": trial.distance,
        "limit": cloud.limit,
    }
    outside = Reason(Code.OUTSIDE_POSTERIOR, {**where, "quantile": CLOUD_QUANTILE})
    problems, suspect = trial.problems, trial.suspect(trial.checked.faults)
    if trial.checked.failed(*ELSEWHERE):
        return trial.concluded("inconclusive", outside, *problems, suspect=suspect)
    priors = trial.draws.priors
    twin = twin_of(place, trial.point, trial.densest(), trial.sample, priors) if priors else None
    if twin and twin.stopped_early:
        gains = {"log_lik": twin.log_lik_gain, "density": twin.density_gain}
        early = Reason(Code.STOPPED_EARLY, gains, engine=a)
        return trial.concluded("disagree", early, outside, *problems, suspect=a)
    if twin and (near := cloud.distance(twin.place)) <= cloud.limit:
        name, sds = cloud.furthest(place, twin.place)
        moved = {**where, "mode_distance": near, "parameter": name, "sds": sds}
        reason = Reason(Code.PRIOR_MOVES, moved)
        if not problems:
            return trial.concluded("agree", reason)
        suspect = trial.suspect(None)  # a point that the prior moves accuses nobody
        return trial.concluded("inconclusive", *problems, reason, suspect=suspect)
    verdict: Verdict = "inconclusive" if problems else "disagree"
    return trial.concluded(verdict, outside, *problems, suspect=suspect)


def _spike(place: Params, sample: Sample, engine: str) -> tuple[Reason, ...]:
    """Find a component that is on one value alone, where the likelihood has no bound."""
    mass = sample.counts[:, None] * responsibilities(sample.values, place, sample.errors)
    n_k = mass.sum(axis=0)
    for k in np.flatnonzero(n_k > 0.5):
        at = int(mass[:, k].argmax())
        apart = np.abs(np.delete(sample.values, at) - sample.values[at]).min(initial=np.inf)
        if mass[at, k] > 0.99 * n_k[k] and place.sigma[k] < apart:
            numbers = {
                "component": int(k) + 1,
                "sigma": float(place.sigma[k]),
                "value": float(sample.values[at]),
                "count": int(sample.counts[at]),
            }
            return (Reason(Code.SPIKE, numbers, engine=engine),)
    return ()


class _Shortfall(NamedTuple):
    """By how much the best draw exceeds a point, 0 if none does, and the engine that drew it.

    A point is a maximum of the likelihood or of the posterior; it need be the best in one only.
    """

    log_lik: float
    density: float
    best: str


def _shortfall(
    point: Fit, place: Params, priors: Priors | None, all_draws: Sequence[Fit]
) -> _Shortfall:
    best = max(all_draws, key=lambda f: float(f.stat("log_lik").max()))
    height = float(point.stat("log_lik").max())
    gap = float(best.stat("log_lik").max()) - height
    posterior = max(float(log_scale_density(f).max()) for f in all_draws)
    own = float(log_scale_density(point).max())
    if priors:  # whose numbering of components the point may have found only by alignment
        own = height + log_scale_prior(place, priors)
    by_posterior = posterior - (own if np.isfinite(own) else -np.inf)
    rounding = 1e-9 * abs(height)  # the likelihood is a sum of N terms
    return _Shortfall(
        gap if gap > rounding else 0.0,
        by_posterior if by_posterior > rounding else 0.0,
        best.engine,
    )


def judge_pairs(
    fits: Mapping[str, Fit],
    evidence: Mapping[str, Evidence],
    judged: Callable[[Fit, Fit, Checked], PairVerdict],
    repeated: Callable[[Fit], Evidence],
    refit: Callable[[str, int], Fit | None] | None,
) -> tuple[PairVerdict, ...]:
    """Judge every pair of fits: draws with draws, points with draws, and points with points.

    Parameters
    ----------
    fits : mapping of str to Fit
        By engine.
    evidence : mapping of str to Evidence
        Of the engines that draw.
    judged : callable
        ``judged(point, draws, checked)`` judges a point against an engine's draws.
    repeated : callable
        Prepares a fit that was made again for judging.
    refit : callable or None
        ``refit(engine, round)`` makes a fit again with a fresh seed and more draws, or returns
        None.
    """
    everyone = list(evidence.values())
    checked = {name: check(own, everyone) for name, own in evidence.items()}

    @cache  # an engine is in several pairs
    def again(name: str, this_round: int) -> Checked | None:
        fit = refit(name, this_round) if refit else None
        return None if fit is None else check(repeated(fit), everyone)

    pairs = []
    for a, b in combinations(fits, 2):
        if a in checked and b in checked:
            pairs.append(judge_draws(checked[a], checked[b], refit and again))
        elif a in checked or b in checked:
            point, draws = (b, a) if a in checked else (a, b)
            pairs.append(judged(fits[point], fits[draws], checked[draws]))
        else:
            pairs.append(judge_two_points(fits[a], fits[b]))
    return tuple(pairs)


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
    priors = fit.priors or Priors()
    with np.errstate(invalid="ignore"):
        density = fit.stat("lp") + priors.log_scale(fit.params)
    return np.where(np.isfinite(density), density, -np.inf)


@dataclass(frozen=True)
class _Cloud:
    """An ellipse about the draws in which no component is nearly empty.

    Attributes
    ----------
    centre, sd : ndarray, shape (3 K - 1,)
        Of the coordinates.
    precision : ndarray
        Of the standardised coordinates.
    limit : float
        The distance within which a share `CLOUD_QUANTILE` of the draws lies.
    share : float
        Of all draws that are used.
    """

    centre: Array
    sd: Array
    precision: Array
    limit: float
    share: float

    @classmethod
    def of(cls, aligned: Params, prob_small: Array) -> _Cloud:
        """Fit the ellipse to aligned draws, (chains, draws, K)."""
        x = _coordinates(aligned).reshape(-1, 3 * aligned.K - 1)
        usable = np.isfinite(x).all(axis=1) & (prob_small.ravel() <= 0.5)
        cloud, P = x[usable], x.shape[1]
        if len(cloud) <= P:
            return cls(np.zeros(P), np.ones(P), np.full((P, P), np.nan), float("nan"), 0.0)
        centre, sd = cloud.mean(axis=0), cloud.std(axis=0)
        sd = np.where(sd > 0, sd, 1.0)  # a coordinate that stands still has no scale of its own
        z = (cloud - centre) / sd
        # An sd that is shared counts once.
        first = np.sort(np.unique(z[:1000], axis=1, return_index=True)[1])
        precision = np.zeros((P, P))
        within = z[:, first].T @ z[:, first] / len(z)
        precision[np.ix_(first, first)] = np.linalg.pinv(within, hermitian=True)
        own = np.sqrt(np.einsum("ij,jk,ik->i", z, precision, z))
        return cls(
            centre, sd, precision, float(np.quantile(own, CLOUD_QUANTILE)), float(usable.mean())
        )

    def distance(self, place: Params) -> float:
        """Return the Mahalanobis distance of a point, shape (K,)."""
        at = (_coordinates(place) - self.centre) / self.sd
        with np.errstate(invalid="ignore"):  # an infinite sd of the point's
            return float(np.sqrt(at @ self.precision @ at))

    def furthest(self, one: Params, other: Params) -> tuple[str, float]:
        """Return the mean or log sd in which two points are furthest apart, and how many sds."""
        K = one.K
        moves = np.abs(_coordinates(one) - _coordinates(other))[K - 1 :] / self.sd[K - 1 :]
        kind, k = divmod(int(moves.argmax()), K)
        return f"{('mu', 'log_sigma')[kind]}[{k + 1}]", float(moves.max())


def _coordinates(params: Params) -> Array:
    """Logits of w against the last, mu and log sigma, shape (..., 3K - 1)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logits = np.log(params.w[..., :-1]) - np.log(params.w[..., -1:])
        return np.concatenate([logits, params.mu, np.log(params.sigma)], axis=-1)

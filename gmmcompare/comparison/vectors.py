"""`VectorComparison`: fits of mixtures of multivariate normals, aligned and judged.

The verdict on draws is that on any draws (`checks`, `agreement`); this module says which functions
of them are compared. Label-free ones come first: log-likelihood, log density at observations, the
mixture's mean, co-clustering and the sorted weights. Then, of aligned components, weights, means,
log variances and atanh correlations. A point is judged by its height and by its distance from the
draws in the same parameters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np

from gmmcompare.comparison.agreed import Agreement
from gmmcompare.comparison.agreement import PairVerdict
from gmmcompare.comparison.checks import Checked
from gmmcompare.comparison.clustering import adjusted_rand
from gmmcompare.comparison.comparison import RefitFit, reference_point
from gmmcompare.comparison.evidence import MAX_DRAWS, Evidence
from gmmcompare.comparison.functionals import Functional
from gmmcompare.comparison.general import GeneralDraws
from gmmcompare.comparison.labels import Alignment, Reference, align, align_point
from gmmcompare.comparison.names import SCALAR
from gmmcompare.comparison.point import judge_pairs
from gmmcompare.comparison.reasons import Code, Reason
from gmmcompare.comparison.thresholds import CLOUD_QUANTILE
from gmmcompare.engines.base import Problem
from gmmcompare.engines.check import copied_chains
from gmmcompare.engines.multivariate.em import mode_near
from gmmcompare.fitting.fit import Fit
from gmmcompare.model.multivariate.density import log_density, responsibilities
from gmmcompare.model.multivariate.params import MultivariateParams
from gmmcompare.model.multivariate.sample import VectorSample
from gmmcompare.model.params import Array
from gmmcompare.runtime.errors import InputError

POINTS = 9
SOME_DRAWS = 400
"""Draws over which allocation probabilities are averaged."""


@dataclass(frozen=True, eq=False, repr=False)
class VectorComparison(Agreement):
    """Fits side by side; ``draws`` and ``columns`` are of the engines that draw.

    Attributes
    ----------
    fits : dict of str to Fit
        By engine, their posterior aligned.
    alignments : dict of str to Alignment
    sample : VectorSample
    names : tuple of str
        Of the dimensions.
    """

    fits: Mapping[str, Fit] = field(default_factory=dict)
    alignments: Mapping[str, Alignment] = field(default_factory=dict)
    sample: Any = None
    names: tuple[str, ...] = ()

    @property
    def names_of_engines(self) -> tuple[str, ...]:
        """Names of all engines."""
        return tuple(self.fits)

    @property
    def points(self) -> tuple[str, ...]:
        """Names of the engines that return a point."""
        return tuple(name for name, fit in self.fits.items() if fit.kind == "point")

    @property
    def K(self) -> int:
        """Number of components."""
        return next(iter(self.fits.values())).K

    @cached_property
    def allocation(self) -> dict[str, Array]:
        """P(component) of each distinct row by every engine, shape (D, K)."""
        return {name: _allocation(a.params, self.sample) for name, a in self.alignments.items()}

    def estimate(self, name: str) -> tuple[MultivariateParams, MultivariateParams | None]:
        """Return an engine's posterior means and sds, or its point and None."""
        params: Any = self.alignments[name].params
        mean = MultivariateParams(*(a.mean(axis=(0, 1)) for a in params))
        if self.fits[name].kind == "point":
            return mean, None
        return mean, MultivariateParams(*(a.std(axis=(0, 1)) for a in params))

    def diagnostics(self, name: str) -> list[tuple[str, str]]:
        """Return (what, value) pairs on an engine's draws; none of a point."""
        return self.columns[name].convergence.as_rows() if name in self.columns else []

    def to_dict(self) -> dict[str, Any]:
        """Return verdict, engines and pairs of ``comparison.json``."""
        return {
            "verdict": self.verdict,
            "sentence": self.sentence(),
            "followed": [],
            "remedies": [],
            "remedy_codes": [],
            "dimensions": list(self.names),
            "engines": {name: self._entry(name) for name in self.fits},
            "pairs": [pair.to_dict() for pair in self.pairs],
            "clustering": {"pairs": self._alike()},
        }

    def _entry(self, name: str) -> dict[str, Any]:
        fit, (mean, sd) = self.fits[name], self.estimate(name)
        entry: dict[str, Any] = {"kind": fit.kind}
        nothing = MultivariateParams(*(np.full(a.shape, np.nan) for a in mean))
        for suffix, params in (("", mean), ("_sd", sd or nothing)):
            for word, values in zip(("weights", "means", "covariances"), params, strict=True):
                entry[f"{word}{suffix}"] = _jsonable(values)
        entry["sds"] = np.sqrt(mean.variances).tolist()
        entry["sds_sd"] = _jsonable((sd or nothing).variances / (2 * np.sqrt(mean.variances)))
        entry["correlations"] = mean.correlations.tolist()
        column = self.columns.get(name)
        divergences = self.draws[name].divergences if name in self.draws else None
        entry.update(
            log_lik=float(fit.stat("log_lik").mean()),
            prob_empty=float(fit.stat("prob_empty").mean()),
            ess_min=column.convergence.worst_ess[1] if column else None,
            rhat_max=column.convergence.worst_rhat[1] if column else None,
            divergences=divergences,
            seconds={"prepare": fit.seconds.prepare, "sample": fit.seconds.sample},
            seed=fit.seed,
            status=fit.status,
            notes=list(fit.notes),
        )
        return entry

    def _alike(self) -> list[dict[str, Any]]:
        modes = {n: p.argmax(axis=1) for n, p in self.allocation.items()}
        counts, found = self.sample.counts, []
        for a, b in combinations(modes, 2):
            table = np.zeros((self.K, self.K))
            np.add.at(table, (modes[a], modes[b]), counts)
            same = float(np.trace(table) / table.sum())
            rand = adjusted_rand(table)
            found.append({"a": a, "b": b, "same_mode": same, "adjusted_rand": rand})
        return found


def compare_vector_fits(
    fits: Sequence[Fit],
    sample: VectorSample | None = None,
    names: Sequence[str] = (),
    refit: RefitFit | None = None,
    pairs: tuple[PairVerdict, ...] | None = None,
) -> VectorComparison:
    """Align, diagnose and judge fits of one problem in d dimensions.

    Parameters
    ----------
    fits : sequence of Fit
        At least one; of the same data and the same K.
    sample : VectorSample, optional
        The data; taken from the first fit if not given.
    names : sequence of str, optional
        Of the dimensions.
    refit : callable, optional
        Runs an engine again with a fresh seed and more draws; see `comparison.compare_fits`.
    pairs : tuple of PairVerdict, optional
        Verdicts that were reached before; by default they are reached now.

    Raises
    ------
    InputError
        If there is no fit, or K or the data differ.
    """
    if not fits:
        raise InputError("nothing to compare: give at least one fit")
    if len({fit.K for fit in fits}) > 1 or len({fit.sample.fingerprint for fit in fits}) > 1:
        raise InputError("fits are of different data or numbers of components; refit on the same")
    data: Any = sample or fits[0].sample
    called = tuple(names) or tuple(f"y{j + 1}" for j in range(data.d))
    priors: Any = next((fit.priors for fit in fits if fit.priors), None)
    reference = Reference.of(reference_point(fits), data, priors)
    alignments = {
        fit.engine: align_point(fit.params, reference, priors)
        if fit.kind == "point"
        else align(fit.params, reference)
        for fit in fits
    }
    aligned = {fit.engine: fit.with_aligned(alignments[fit.engine].params) for fit in fits}
    drawing = {name: fit for name, fit in aligned.items() if fit.kind == "draws"}
    draws = {n: _general(fit, alignments[n].params, called) for n, fit in drawing.items()}
    evidence = {
        n: _evidence(fit, alignments[n].params, draws[n], data) for n, fit in drawing.items()
    }

    def judged(point: Fit, drawn: Fit, checked: Checked) -> PairVerdict:
        place = [alignments[fit.engine].params for fit in (point, drawn)]
        return _judge_point(point, place, checked, list(drawing.values()), data)

    def repeated(fit: Fit) -> Evidence:
        new = align(fit.params, reference).params
        return _evidence(fit, new, _general(fit, new, called), data)

    if pairs is None:
        pairs = judge_pairs(aligned, evidence, judged, repeated, refit)
    return VectorComparison(
        draws=draws,
        pairs=pairs,
        seconds={n: aligned[n].seconds.sample for n in draws},
        fits=aligned,
        alignments=alignments,
        sample=data,
        names=called,
    )


def parameters_of(params: Any, names: Sequence[str]) -> dict[str, Array]:
    """Return what is compared of aligned components, by name, each of shape (...)."""
    variances, correlations = np.log(params.variances), params.correlations
    found: dict[str, Array] = {}
    for k in range(params.K):
        of = f"component {k + 1}"
        found[f"weight, {of}"] = params.w[..., k]
        for j, name in enumerate(names):
            found[f"mean of {name}, {of}"] = params.mu[..., k, j]
        for j, name in enumerate(names):
            found[f"log variance of {name}, {of}"] = variances[..., k, j]
        for i, j in combinations(range(len(names)), 2):
            r = np.clip(correlations[..., k, i, j], -1 + 1e-15, 1 - 1e-15)
            found[f"atanh correlation of {names[i]} and {names[j]}, {of}"] = np.arctanh(r)
    return found


def label_free(params: Any, log_lik: Array, sample: VectorSample) -> dict[str, Array]:
    """Return what does not depend on labels, by name, each of shape (chains, draws).

    Parameters
    ----------
    params : MultivariateParams
        Shapes (chains, draws, K) and so on.
    log_lik : ndarray, shape (chains, draws)
    sample : VectorSample
    """
    rows = sample.quantiles((np.arange(POINTS) + 0.5) / POINTS)
    at_rows = log_density(rows, params)
    r = responsibilities(rows, params)
    found = {"log-likelihood": log_lik}
    for j in range(sample.d):
        found[f"mean of the mixture in dimension {j + 1}"] = (params.w * params.mu[..., j]).sum(-1)
    for i in range(POINTS):
        found[f"log density at observation {i + 1} of {POINTS}"] = at_rows[..., i]
    for i, j in ((0, 4), (4, 8), (2, 6)):
        found[f"co-clustering of observations {i + 1} and {j + 1} of {POINTS}"] = (
            r[..., i, :] * r[..., j, :]
        ).sum(-1)
    ordered = np.sort(params.w, axis=-1)[..., ::-1]
    found.update({f"weight no. {k + 1} by size": ordered[..., k] for k in range(params.K)})
    return found


def _general(fit: Fit, aligned: Any, names: Sequence[str]) -> GeneralDraws:
    divergences = int(fit.stat("diverging").sum()) if fit.has_stat("diverging") else None
    arrays = parameters_of(aligned, names)
    return GeneralDraws(fit.engine, arrays, {}, divergences, fit.notes)


def _evidence(fit: Fit, aligned: Any, draws: GeneralDraws, sample: VectorSample) -> Evidence:
    log_lik = fit.stat("log_lik")
    step = -(-log_lik.size // min(MAX_DRAWS, 20_000))
    thinned = MultivariateParams(*(a[:, ::step] for a in aligned))
    free = label_free(thinned, log_lik[:, ::step], sample)
    found = [Functional(f"{SCALAR}[the {n}]", v, True) for n, v in free.items()]
    found += [
        Functional(f"{SCALAR}[the {n}]", v[:, ::step], False, True)
        for n, v in draws.arrays.items()
        if np.ptp(v) > 0 or len(draws.arrays) == 1
    ]
    priors: Any = fit.priors
    if priors and not priors.exchangeable:
        found.append(Functional(f"{SCALAR}[the log prior]", priors.log_density(thinned), False))
    return Evidence(
        fit.engine,
        tuple(found),
        log_lik=log_lik,
        prob_small=fit.stat("prob_small"),
        divergences=draws.divergences,
        copies=tuple(copied_chains(fit.params)),
        exact=fit.has_extra("log_evidence"),
    )


def _judge_point(
    point: Fit,
    place: Sequence[Any],
    checked: Checked,
    everyone: Sequence[Fit],
    sample: VectorSample,
) -> PairVerdict:
    """Judge a point: no draw is better, and it is where the draws are; see `point.judge_point`."""
    a, b = point.engine, checked.name
    at, cloud = _coordinates(place[0])[0], _coordinates(place[1])
    small = checked.evidence.prob_small
    usable = np.isfinite(cloud).all(axis=1) & (
        np.ravel(small) <= 0.5 if small is not None else True
    )
    best = max(everyone, key=lambda f: float(f.stat("log_lik").max()))
    gaps = [
        max(float(f.stat(name).max()) for f in everyone) - float(point.stat(name)[0, 0])
        for name in ("log_lik", "lp")
    ]
    rounding = 1e-9 * abs(float(point.stat("log_lik")[0, 0]))
    status = []
    if point.status != "ok":
        status.append(Reason(Code.STATUS, {"status": point.status}, engine=a))
    if min(gaps) > rounding:
        below = Reason(Code.BELOW_A_DRAW, {"gap": gaps[0], "best": best.engine}, engine=a)
        return PairVerdict(a, b, "disagree", (below, *status), suspect=a)
    problems = (*status, *checked.failures)
    if usable.sum() <= 2 * cloud.shape[1]:
        empty = Reason(Code.NO_ELLIPSE, {"share": 1.0 - float(usable.mean())}, engine=b)
        return PairVerdict(a, b, "inconclusive", (*problems, empty))
    distance, limit, sd = _distance(cloud[usable], at)
    numbers = {"log_lik_gap": max(gaps[0], 0.0), "mahalanobis": distance}
    numbers["mahalanobis_limit"] = limit
    if distance <= limit:
        if problems:
            return PairVerdict(a, b, "inconclusive", problems, numbers=numbers)
        height = "log_lik" if gaps[0] <= rounding else "density"
        reason = Reason(Code.AT_MAXIMUM, {"of": height, "distance": distance, "limit": limit})
        return PairVerdict(a, b, "agree", (reason,), numbers=numbers)
    where = {"point": a, "draws": b, "distance": distance, "limit": limit}
    mode = mode_near(Problem(sample, point.K, point.priors), _one(place[0]))
    if mode is not None:
        moved = _coordinates(mode)[0]
        near, _, _ = _distance(cloud[usable], moved)
        if near <= limit:
            shift = np.abs(moved - at) / sd
            furthest = _coordinate_names(point.K, sample.d)[int(shift.argmax())]
            said = {
                "mode_distance": near,
                "parameter": f"{SCALAR}[{furthest}]",
                "sds": float(shift.max()),
            }
            reason = Reason(Code.PRIOR_MOVES, {**where, **said})
            verdict: Any = "inconclusive" if problems else "agree"
            return PairVerdict(a, b, verdict, (*problems, reason), numbers=numbers)
    outside = Reason(Code.OUTSIDE_POSTERIOR, {**where, "quantile": CLOUD_QUANTILE})
    verdict = "inconclusive" if problems else "disagree"
    return PairVerdict(a, b, verdict, (outside, *problems), numbers=numbers)


def _one(params: Any) -> MultivariateParams:
    return MultivariateParams(*(a[0, 0] for a in params))


def _coordinates(params: Any) -> Array:
    """Return logits of w, means, log variances and atanh correlations, shape (draws, P)."""
    K, d = params.K, params.d
    with np.errstate(divide="ignore"):
        logits = np.log(params.w[..., :-1]) - np.log(params.w[..., -1:])
    found = parameters_of(params, [str(j) for j in range(d)])
    rest = [v for n, v in found.items() if not n.startswith("weight")]
    columns = [*np.moveaxis(logits, -1, 0), *rest]
    assert len(columns) == K - 1 + K * (d + d * (d + 1) // 2)
    return np.stack([np.ravel(c) for c in columns], axis=1)


def _coordinate_names(K: int, d: int) -> list[str]:
    nothing = MultivariateParams(np.ones(K), np.zeros((K, d)), np.tile(np.eye(d), (K, 1, 1)))
    named = parameters_of(nothing, [f"dimension {j + 1}" for j in range(d)])
    rest = [name for name in named if not name.startswith("weight")]
    return [*(f"logit of weight {k + 1}" for k in range(K - 1)), *rest]


def _distance(cloud: Array, at: Array) -> tuple[float, float, Array]:
    """Return a point's Mahalanobis distance, the quantile of the draws' own, and their sds."""
    centre, sd = cloud.mean(axis=0), cloud.std(axis=0)
    sd = np.where(sd > 0, sd, 1.0)
    z = (cloud - centre) / sd
    precision = np.linalg.pinv(z.T @ z / len(z), hermitian=True)
    own = np.sqrt(np.einsum("ij,jk,ik->i", z, precision, z))
    to = (at - centre) / sd
    distance = float(np.sqrt(to @ precision @ to))
    return distance, float(np.quantile(own, CLOUD_QUANTILE)), sd


def _allocation(aligned: Any, sample: VectorSample) -> Array:
    flat = [a.reshape(-1, *a.shape[2:]) for a in aligned]
    step = max(1, len(flat[0]) // SOME_DRAWS)
    total = np.zeros((sample.n_distinct, aligned.K))
    picked = range(0, len(flat[0]), step)
    for i in picked:
        total += responsibilities(sample.values, MultivariateParams(*(a[i] for a in flat)))
    return total / len(picked)


def _jsonable(values: Array) -> Any:
    known = np.asarray(values, dtype=object)
    known[~np.isfinite(values)] = None
    return known.tolist()

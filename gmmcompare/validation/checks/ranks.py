"""Where a known truth ranks among the draws of a run: one replicate of `sbc`.

Everything here runs in the child process. Draws are thinned until they are nearly independent, as
the ranks of a chain's neighbours are not uniform.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from gmmcompare.engines.base import Problem
from gmmcompare.engines.starts import start_point
from gmmcompare.model.mixture import simulate
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample
from gmmcompare.validation.checks.quantities import evaluate, log_likelihoods
from gmmcompare.validation.checks.scenes import Scene
from gmmcompare.validation.sandbox.streams import seed_global_streams, streams
from gmmcompare.validation.sandbox.subject import Subject

Relabel = Literal["mean", "none"]
RANKS = 100
"""Values that a rank can take: 99 thinned posterior draws."""
CHAINS = 4
_MAX_THIN = 20
_KEY = 0x5BC


class Given(NamedTuple):
    """One replicate around given data.

    The data (N,), a draw of their posterior, and how many observations to simulate from that.
    """

    y: Array
    truth: Params
    n_new: int


@dataclass(frozen=True)
class SbcPlan:
    """How many replicates, and the warmup of each chain."""

    replicates: int = 500
    warmup: int = 300
    relabel: Relabel = "mean"


QUICK_SBC = SbcPlan(replicates=100)


class SbcReplicate(NamedTuple):
    """One run: ranks (Q,), bounded quantities (M,) at the prior draw and averaged over draws."""

    ranks: list[int]
    start: list[float]
    mean: list[float]
    ordered: bool


def rank_quantities(params: Params, y: Array, priors: Priors) -> dict[str, Array]:
    """Return what is ranked, each of shape (n,).

    Parameters
    ----------
    params : Params
        Arrays of shape (n, K).
    y : ndarray, shape (n, N)
        A data set for each point.
    priors : Priors
        For the log prior.
    """
    log_lik = log_likelihoods(params, y)
    out = {
        "log_likelihood": log_lik,
        "log_prior": priors.log_density(params),
        "mixture_mean": (params.w * params.mu).sum(axis=1),
        "largest_weight": params.w.max(axis=1),
    }
    for name, values in zip(params._fields, params, strict=True):
        for k in range(values.shape[1]):
            out[f"{name}_{k + 1}"] = values[:, k]
    return out


def rank_names(K: int) -> tuple[str, ...]:
    """Return the names of `rank_quantities`."""
    one = Params(*(np.ones((1, K)) / K for _ in Params._fields))
    return tuple(rank_quantities(one, np.zeros((1, 1)), Priors()))


def by_mean(params: Params) -> Params:
    """Put the components of each point (..., K) in ascending order of their means."""
    order = np.argsort(params.mu, axis=-1, kind="stable")
    return Params(*(np.take_along_axis(a, order, axis=-1) for a in params))


def choose_thinning(
    subject: Subject, scene: Scene, plan: SbcPlan, seed: int, given: Given | None = None
) -> int:
    """Return the thinning that leaves draws nearly independent, from one run; in the child.

    Parameters
    ----------
    subject : Subject
    scene : Scene
    plan : SbcPlan
    seed : int
    given : Given, optional
        Data to run on. By default they are drawn from the prior.
    """
    ours, theirs = streams(seed, _KEY, 0)
    seed_global_streams(ours)
    y = scene.sample_joint(ours, 1)[1][0] if given is None else given.y
    draws = run_chains(subject, scene, y, 400, plan.warmup, theirs)
    table = _ranked(draws, y, scene, plan)
    times = [autocorrelation_time(v.reshape(CHAINS, -1)) for v in table.values()]
    return int(np.clip(np.ceil(np.median(times)), 1, _MAX_THIN))


def sbc_replicate(
    subject: Subject,
    scene: Scene,
    plan: SbcPlan,
    seed: int,
    index: int,
    thin: int,
    given: Given | None = None,
) -> SbcReplicate:
    """Make one replicate; in the child.

    Parameters
    ----------
    subject : Subject
    scene : Scene
    plan : SbcPlan
    seed : int
    index : int
        Number of the replicate, from 0: each has random streams of its own.
    thin : int
        One in so many draws is ranked.
    given : Given, optional
        What to calibrate around. By default truth and data are drawn from the prior.
    """
    ours, theirs = streams(seed, _KEY, 1 + index)
    seed_global_streams(ours)
    if given is None:
        truth, y = (_first(part) for part in scene.sample_joint(ours, 1))
    else:
        truth = given.truth
        y = np.concatenate([given.y, simulate(truth, given.n_new, ours)[0]])
    run = run_chains(subject, scene, y, RANKS // CHAINS * thin, plan.warmup, theirs)
    thinned = Params(*(a[:, thin - 1 :: thin] for a in run))
    drawn = _ranked(thinned, y, scene, plan)
    start = _ranked(Params(*(a[None] for a in truth)), y, scene, plan)
    ranks = [int((drawn[name][: RANKS - 1] < start[name][0]).sum()) for name in start]
    ordered = bool((np.diff(run.mu, axis=-1) >= 0).all())
    before, mean = _bounded(truth, run, y, scene) if given is None else _bounded_ranks(ranks)
    return SbcReplicate(ranks, before, mean, ordered)


def run_chains(
    subject: Subject, scene: Scene, y: Array, draws: int, warmup: int, rng: np.random.Generator
) -> Params:
    """Make one whole run, or as many chains of a kernel; arrays (chains, draws, K).

    Parameters
    ----------
    subject : Subject
    scene : Scene
        Whose K and priors are passed on.
    y : ndarray, shape (N,)
    draws, warmup : int
        Draws of each chain, and sweeps before them.
    rng : numpy.random.Generator
    """
    if subject.kind == "sampler":
        return subject.run(y, scene.K, scene.priors, draws, warmup, CHAINS, rng)
    problem = Problem(Sample.of(y), scene.K, scene.priors)
    starts = (start_point("overdispersed", problem, rng) for _ in range(CHAINS))
    return subject.chains(starts, y, scene.priors, rng, draws, warmup)


def _bounded(truth: Params, run: Params, y: Array, scene: Scene) -> tuple[list[float], list[float]]:
    """Return bounded quantities at the prior draw, and averaged over a run's draws."""
    every = by_mean(Params(*(a.reshape(-1, scene.K) for a in run)))
    mean = evaluate(every, np.broadcast_to(y, (len(every.w), y.size)), scene).mean(axis=0)
    before = evaluate(by_mean(Params(*(a[None] for a in truth))), y[None], scene)[0]
    return before.tolist(), mean.tolist()


def _bounded_ranks(ranks: list[int]) -> tuple[list[float], list[float]]:
    """Return zeros and the ranks' first two Legendre polynomials, which have mean zero."""
    x = 2.0 * (np.array(ranks) + 0.5) / RANKS - 1.0
    mean_square = (RANKS**2 - 1.0) / (3.0 * RANKS**2)
    values = np.concatenate([x, x**2 - mean_square])
    return np.zeros(values.size).tolist(), values.tolist()


def _first(part: Any) -> Any:
    return Params(*(a[0] for a in part)) if isinstance(part, Params) else part[0]


def autocorrelation_time(x: Array) -> float:
    """Return the integrated autocorrelation time of chains (C, n), by Geyer's (1992) pairs."""
    centred = x - x.mean()
    n = x.shape[1]
    spectrum = np.abs(np.fft.rfft(centred, 2 * n)) ** 2
    covariance = np.fft.irfft(spectrum)[:, :n].mean(axis=0)
    if covariance[0] <= 0.0:
        return float(n)
    rho = covariance / covariance[0]
    pairs = rho[: n // 2 * 2].reshape(-1, 2).sum(axis=1)
    positive = pairs[: int(np.argmax(pairs <= 0.0)) if (pairs <= 0.0).any() else pairs.size]
    return max(1.0, 2.0 * float(positive.sum()) - 1.0)


def _ranked(draws: Params, y: Array, scene: Scene, plan: SbcPlan) -> dict[str, Array]:
    flat = Params(*(a.reshape(-1, scene.K) for a in draws))
    points = by_mean(flat) if plan.relabel == "mean" else flat
    return rank_quantities(points, np.broadcast_to(y, (len(points.w), y.size)), scene.priors)

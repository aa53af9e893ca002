"""Where a known truth ranks among the draws of a run: one replicate of `sbc`.

The run is made in the child process. Draws are thinned until they are nearly independent, as the
ranks of a chain's neighbours are not uniform.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from gmmcompare.model.params import Array
from gmmcompare.model.points import flat, mapped, one_of, size_of
from gmmcompare.validation.checks.scene import Scene
from gmmcompare.validation.sandbox.streams import seed_global_streams, streams
from gmmcompare.validation.sandbox.subject import Subject

Relabel = Literal["mean", "none"]
RANKS = 100
"""Values that a rank can take: 99 thinned posterior draws."""
CHAINS = 4
_MAX_THIN = 20
_KEY = 0x5BC


class Given(NamedTuple):
    """The truth and the data of one replicate, drawn elsewhere."""

    truth: Any
    y: Any


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
    y = one_of(scene.sample_joint(ours, 1)[1], 0) if given is None else given.y
    run = scene.aligned(scene.run(subject, y, 400, plan.warmup, CHAINS, theirs))
    times = [autocorrelation_time(column) for column in _columns(run)]
    return int(np.clip(np.ceil(np.median(times)), 1, _MAX_THIN))


def _columns(run: Any) -> list[Array]:
    """Return every scalar that varies in a run, each (chains, draws)."""
    merged = mapped(lambda a: a.reshape(-1, *a.shape[2:]), run)
    columns = flat(merged).astype(float).T
    return [c.reshape(CHAINS, -1) for c in columns if np.ptp(c) > 0] or [np.zeros((CHAINS, 1))]


def sbc_replicate(
    subject: Subject,
    scene: Scene,
    plan: SbcPlan,
    seed: int,
    index: int,
    thin: int,
    given: Given | None = None,
) -> SbcReplicate | Any:
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

    Returns
    -------
    SbcReplicate
        Or the thinned draws, where the scene's functions are evaluated by the parent
        (`Scene.here`).
    """
    ours, theirs = streams(seed, _KEY, 1 + index)
    seed_global_streams(ours)
    truth, y = given or (one_of(part, 0) for part in scene.sample_joint(ours, 1))
    run = scene.run(subject, y, RANKS // CHAINS * thin, plan.warmup, CHAINS, theirs)
    if scene.here:
        return thinned(run, thin)
    return ranked(scene, plan, Given(truth, y), run, thin, bound_ranks=given is not None)


def thinned(run: Any, thin: int) -> Any:
    """Return one in so many draws of a run."""
    return mapped(lambda a: a[:, thin - 1 :: thin], run)


def ranked(
    scene: Scene, plan: SbcPlan, given: Given, run: Any, thin: int = 1, bound_ranks: bool = False
) -> SbcReplicate:
    """Return where the truth ranks among the draws of a run, and means over all of them.

    Parameters
    ----------
    scene : Scene
    plan : SbcPlan
    given : Given
        The truth and its data.
    run : points, arrays (chains, draws, ...)
    thin : int, optional
        One in so many draws is ranked.
    bound_ranks : bool, optional
        Whether means are those of the ranks themselves, where truths are no draws of the prior.
    """
    truth = mapped(lambda a: np.asarray(a)[None], given.truth)
    align = scene.aligned if plan.relabel == "mean" else lambda points: points
    drawn = _quantities(scene, align(_merged(thinned(run, thin))), given.y)
    start = _quantities(scene, align(truth), given.y)
    ranks = [_rank(drawn[name][: RANKS - 1], start[name][0]) for name in start]
    if bound_ranks:
        before, mean = _bounded_ranks(ranks)
    else:
        before, mean = (
            scene.evaluate(scene.aligned(points), _repeated(given.y, points)).mean(axis=0).tolist()
            for points in (truth, _merged(run))
        )
    return SbcReplicate(ranks, before, mean, scene.is_ordered(run))


def _rank(drawn: Array, truth: float) -> int:
    """Return how many draws are below the truth; of those that tie with it, a random share.

    The share is set by the values themselves, so that replicates repeat; draws that are continuous
    never tie.
    """
    below, ties = int((drawn < truth).sum()), int((drawn == truth).sum())
    if not ties:
        return below
    seed = np.frombuffer(np.ascontiguousarray(drawn, dtype=float).tobytes(), dtype=np.uint32)
    return below + int(np.random.default_rng(seed).integers(ties + 1))


def _quantities(scene: Scene, points: Any, y: Any) -> dict[str, Array]:
    return scene.rank_quantities(points, _repeated(y, points))


def _repeated(y: Any, points: Any) -> Any:
    """Return a data set as often as there are points."""
    n = size_of(points)
    return mapped(lambda a: np.broadcast_to(a, (n, *np.shape(a))), y)


def _merged(run: Any) -> Any:
    return mapped(lambda a: a.reshape(-1, *a.shape[2:]), run)


def _bounded_ranks(ranks: list[int]) -> tuple[list[float], list[float]]:
    """Return zeros and the ranks' first two Legendre polynomials, which have mean zero."""
    x = 2.0 * (np.array(ranks) + 0.5) / RANKS - 1.0
    mean_square = (RANKS**2 - 1.0) / (3.0 * RANKS**2)
    values = np.concatenate([x, x**2 - mean_square])
    return np.zeros(values.size).tolist(), values.tolist()


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

"""Does a sampler reach the exact posterior? On data so few that it can be summed (`exact`).

Invariance alone does not say that a chain gets to the posterior from elsewhere: a kernel that does
nothing leaves everything as it is. Here independent chains start away from the posterior, and where
each parameter's draws lie in the exact distribution is averaged over a chain. Those averages are
independent of each other, whatever the autocorrelation, and a t test over the chains compares them
with the exact values.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import stats

from gmmcompare.model.exact import ExactPosterior, exact_posterior
from gmmcompare.model.params import Array, Params
from gmmcompare.runtime.tasks import OutOfTimeError
from gmmcompare.validation.checks.scenes import Scene
from gmmcompare.validation.sandbox.child import Task
from gmmcompare.validation.sandbox.sandbox import TaskRunner
from gmmcompare.validation.sandbox.simulate import kernel_chains, sampler_run
from gmmcompare.validation.sandbox.subject import SubjectKind
from gmmcompare.validation.verdict import Check

ALPHA = 1e-6
DATA = np.array([-1.3, -0.9, -1.05, 0.8, 1.4, 1.0, 0.1, 2.6])
"""Two clusters that overlap, a point between and one outside, so that labels switch often."""
_STILL = 0.05
"""Share of chains that may stand still while draws are kept."""
_GRID = 2001
_BINS = 40


@dataclass(frozen=True)
class Lengths:
    """Number of tasks, chains in each, and sweeps before and while draws are kept."""

    tasks: int
    chains: int
    warmup: int
    draws: int


KERNEL_LENGTHS = Lengths(tasks=16, chains=10, warmup=100, draws=50)
SAMPLER_LENGTHS = Lengths(tasks=16, chains=4, warmup=500, draws=500)


def check_exact_posterior(
    sandbox: TaskRunner,
    kind: SubjectKind,
    scene: Scene,
    seed: int,
    progress: Callable[[str, float], None],
    lengths: Lengths | None = None,
) -> Check:
    """Compare chains with the exact posterior of `DATA` under the scene's prior.

    Raises
    ------
    BrokenError
        If the sampler fails in a call.
    """
    started = time.perf_counter()
    lengths = lengths or (KERNEL_LENGTHS if kind == "kernel" else SAMPLER_LENGTHS)
    exact = exact_posterior(DATA, scene.K, scene.priors)
    chains: list[Params] = []
    out_of_time = False
    try:
        tasks = [_task(kind, scene, seed, block, lengths) for block in range(lengths.tasks)]
        for done, params in enumerate(sandbox.run(tasks), start=1):
            chains.append(params)
            progress("exact posterior", done / lengths.tasks)
    except OutOfTimeError:
        out_of_time = True
    if len(chains) * lengths.chains < 8:
        return Check("exact posterior", "inconclusive", "out of time; give more with time_limit")
    draws = Params(*(np.concatenate(arrays) for arrays in zip(*chains, strict=True)))
    names, pits = positions(draws, exact, scene)
    seconds = time.perf_counter() - started
    compared = _compared(names, pits, out_of_time, seconds)
    still = int((np.ptp(pits, axis=2) == 0).all(axis=0).sum())
    if compared.verdict == "passed" and still > _STILL * len(draws.w):
        return replace(compared, verdict="inconclusive", summary=_too_slow(still, draws, lengths))
    return compared


def positions(draws: Params, exact: ExactPosterior, scene: Scene) -> tuple[list[str], Array]:
    """Return where draws (chains, draws, K) lie in their exact distribution, (P, chains, draws).

    Uniform on (0, 1) if the sampler is right. Interpolated on a fine grid between the draws' own
    extremes, which is exact enough: the error is far below Monte Carlo error.
    """
    names, pits = [], []
    exchangeable = scene.priors.exchangeable
    for name, values in zip(draws._fields, draws, strict=True):
        for k in range(scene.K):
            component = values[..., k]
            grid = np.quantile(component, np.linspace(0.0, 1.0, _GRID))
            cdf = exact.cdf(name, grid, component=None if exchangeable else k)
            names.append(f"{name} {k + 1}")
            pits.append(np.interp(component, grid, cdf))
    return names, np.stack(pits)


def _too_slow(still: int, draws: Params, lengths: Lengths) -> str:
    return (
        f"{still} of {len(draws.w)} chains never moved in {lengths.draws} draws after "
        f"{lengths.warmup} of warmup: too slow to say whether they reach the exact posterior"
    )


def _task(kind: SubjectKind, scene: Scene, seed: int, block: int, lengths: Lengths) -> Task:
    arguments: dict[str, Any] = {"scene": scene, "y": DATA, "seed": seed, "block": 10_000 + block}
    arguments |= {"warmup": lengths.warmup, "draws": lengths.draws}
    if kind == "kernel":
        return Task(kernel_chains, {**arguments, "n": lengths.chains})
    return Task(sampler_run, {**arguments, "chains": lengths.chains})


def _compared(names: list[str], pits: Array, out_of_time: bool, seconds: float) -> Check:
    x = 2.0 * pits - 1.0
    location, spread = x.mean(axis=2), (1.5 * x**2 - 0.5).mean(axis=2)
    tested = np.vstack([location, spread])
    labels = [f"{n}, {shape}" for shape in ("location", "spread") for n in names]
    chains = tested.shape[1]
    se = np.maximum(tested.std(axis=1, ddof=1) / np.sqrt(chains), 1e-12)
    t = tested.mean(axis=1) / se
    p = np.minimum(1.0, 2.0 * stats.t.sf(np.abs(t), chains - 1) * t.size)
    worst = int(np.argmin(p))
    data = {
        "y": DATA,
        "names": labels,
        "t": t,
        "p": p,
        "mean": tested.mean(axis=1),
        "se": se,
        "pits": {
            name: np.histogram(values, _BINS, (0.0, 1.0))[0]
            for name, values in zip(names, pits, strict=True)
        },
    }
    if p[worst] < ALPHA:
        summary = (
            f"draws on {DATA.size} observations are not the exact posterior's: {labels[worst]} is "
            f"off by {tested[worst].mean():+.3f} +- {se[worst]:.3f} (0 is right), over {chains} "
            "independent chains"
        )
        return Check("exact posterior", "failed", summary, chains, seconds, ALPHA, data)
    if out_of_time:
        summary = f"out of time after {chains} chains; give more with time_limit"
        return Check("exact posterior", "inconclusive", summary, chains, seconds, ALPHA, data)
    summary = f"{chains} independent chains agree with the exact posterior of {DATA.size} data"
    return Check("exact posterior", "passed", summary, chains, seconds, ALPHA, data)

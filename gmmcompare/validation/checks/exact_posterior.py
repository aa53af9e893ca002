"""Does a sampler reach the exact posterior? On data so few that it can be summed (`exact`).

Invariance alone does not say that a chain gets to the posterior from elsewhere: a kernel that does
nothing leaves everything as it is. Here independent chains start away from the posterior, and where
each parameter's draws lie in the exact distribution is averaged over a chain. Those averages are
independent of each other, whatever the autocorrelation, and a t test over the chains compares them
with the exact values.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import stdtr

from gmmcompare.model.exact import ExactPosterior, exact_posterior
from gmmcompare.model.params import Array, Params
from gmmcompare.runtime.progress import Step
from gmmcompare.runtime.tasks import OutOfTimeError
from gmmcompare.validation import error_rates
from gmmcompare.validation.checks.scenes import MixtureScene
from gmmcompare.validation.reasons import Code, Reason
from gmmcompare.validation.sandbox.child import Task
from gmmcompare.validation.sandbox.known_errors import known_errors
from gmmcompare.validation.sandbox.mixture_subject import MixtureSubject
from gmmcompare.validation.sandbox.sandbox import TaskRunner
from gmmcompare.validation.sandbox.streams import seed_global_streams, streams
from gmmcompare.validation.sandbox.subject import BrokenError, SubjectKind
from gmmcompare.validation.verdict import Check

DATA = np.array([-1.3, -0.9, -1.05, 0.8, 1.4, 1.0, 0.1, 2.6])
"""Two clusters that overlap, a point between and one outside, so that labels switch often."""
_MORE = np.array([-0.2, 1.9, 0.5, -2.0])
"""Added for samplers that do not take so few."""
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
    scene: MixtureScene,
    seed: int,
    progress: Step,
    lengths: Lengths | None = None,
) -> Check:
    """Compare chains with the exact posterior of a few observations under the scene's prior.

    Parameters
    ----------
    sandbox : TaskRunner
        Where the sampler under test is called.
    kind : {"kernel", "sampler"}
    scene : MixtureScene
        Of it only K and the prior play a part.
    seed : int
    progress : callable
        Called with the fraction of tasks done.
    lengths : Lengths, optional
        By default `KERNEL_LENGTHS` or `SAMPLER_LENGTHS`, as ``kind`` says.

    Raises
    ------
    BrokenError
        If the sampler fails in a call.
    """
    started = time.perf_counter()
    lengths = lengths or (KERNEL_LENGTHS if kind == "kernel" else SAMPLER_LENGTHS)
    y = next(sandbox.run([Task(data_taken, {"scene": scene, "seed": seed})]))
    if y is None:
        reason = Reason(Code.NOT_SO_FEW, {"observations": DATA.size + _MORE.size})
        return Check("exact posterior", "inconclusive", (reason,))
    errors = known_errors(y.size, scene.priors) if scene.measured else None
    exact = exact_posterior(y, scene.K, scene.priors, errors)
    chains: list[Params] = []
    out_of_time = False
    try:
        given = {"scene": scene, "y": y, "seed": seed, "lengths": lengths}
        tasks = [
            Task(independent_chains, {**given, "block": 10_000 + block})
            for block in range(lengths.tasks)
        ]
        for done, params in enumerate(sandbox.run(tasks), start=1):
            chains.append(params)
            progress(done / lengths.tasks)
    except OutOfTimeError:
        out_of_time = True
    if len(chains) * lengths.chains < 8:
        return Check("exact posterior", "inconclusive", (_out_of_time(0, lengths),))
    draws = Params(*(np.concatenate(arrays) for arrays in zip(*chains, strict=True)))
    names, pits = positions(draws, exact, scene)
    seconds = time.perf_counter() - started
    compared = _compared(y, names, pits, seconds)
    still = int((np.ptp(pits, axis=2) == 0).all(axis=0).sum())
    if compared.verdict == "failed":
        return compared
    if out_of_time:
        return replace(
            compared, verdict="inconclusive", reasons=(_out_of_time(len(draws.w), lengths),)
        )
    if still > _STILL * len(draws.w):
        numbers = {"still": still, "chains": len(draws.w)}
        numbers |= {"draws": lengths.draws, "warmup": lengths.warmup}
        return replace(
            compared, verdict="inconclusive", reasons=(Reason(Code.CHAINS_STAND_STILL, numbers),)
        )
    return compared


def positions(
    draws: Params, exact: ExactPosterior[Any], scene: MixtureScene
) -> tuple[list[str], Array]:
    """Return where draws lie in their exact distribution: names (P,) and positions.

    Uniform on (0, 1) if the sampler is correct. Interpolated on a fine grid between the draws' own
    extremes, which is exact enough: the error is far below Monte Carlo error. Components that have
    one prior have one grid, as the exact distribution function takes most of the time.

    Parameters
    ----------
    draws : Params
        Arrays of shape (chains, draws, K); positions have shape (P, chains, draws).
    exact : ExactPosterior
    scene : MixtureScene
        Whose K and prior ``exact`` has.
    """
    names, pits = [], []
    components = range(scene.K)
    alike = [components] if scene.priors.exchangeable else [range(k, k + 1) for k in components]
    for name, values in zip(draws._fields, draws, strict=True):
        if scene.K == 1 and name == "w":
            continue  # always 1
        for some in alike:
            grid = np.quantile(values[..., some], np.linspace(0.0, 1.0, _GRID))
            cdf = exact.cdf(name, grid, component=None if len(alike) == 1 else some[0])
            names += [f"{name} {k + 1}" for k in some]
            pits += [np.interp(values[..., k], grid, cdf) for k in some]
    return names, np.stack(pits)


def _out_of_time(chains: int, lengths: Lengths) -> Reason:
    wanted = lengths.tasks * lengths.chains
    return Reason(Code.OUT_OF_TIME, {"done": chains, "wanted": wanted})


def data_taken(subject: MixtureSubject, scene: MixtureScene, seed: int) -> Array | None:
    """Return the data that a kernel takes; in the child. Whole samplers are not tried twice.

    Parameters
    ----------
    subject : MixtureSubject
    scene : MixtureScene
        Of it only K and the prior play a part.
    seed : int

    Returns
    -------
    ndarray, shape (N,), or None
        `DATA` or a few more; None where it takes neither.
    """
    if subject.kind == "sampler":
        return DATA
    at, _ = scene.one_point(streams(seed, scene.key)[0])
    for y in (DATA, np.concatenate([DATA, _MORE])):
        with suppress(BrokenError):
            subject.sweep(at, y.copy(), scene.priors, streams(seed, scene.key)[1])
            return y
    return None


def independent_chains(
    subject: MixtureSubject, scene: MixtureScene, y: Array, seed: int, block: int, lengths: Lengths
) -> Params:
    """Run a task's chains, in the child; arrays (chains, draws, K).

    A kernel's start from draws of the prior; of a whole sampler it is one run.

    Parameters
    ----------
    subject : MixtureSubject
    scene : MixtureScene
        Whose K and priors are passed on.
    y : ndarray, shape (N,)
    seed : int
    block : int
        Number of this task, which has random streams of its own.
    lengths : Lengths
    """
    ours, theirs = streams(seed, scene.key, block)
    seed_global_streams(ours)
    n, warmup, draws = lengths.chains, lengths.warmup, lengths.draws
    if subject.kind == "sampler":
        return subject.run(y, scene.K, scene.priors, draws, warmup, n, theirs)
    start, _ = scene.sample_joint(ours, n)
    starts = [Params(*(a[i] for a in start)) for i in range(n)]
    return subject.chains(starts, y, scene.priors, theirs, draws, warmup)


def _compared(y: Array, names: list[str], pits: Array, seconds: float) -> Check:
    x = 2.0 * pits - 1.0
    location, spread = x.mean(axis=2), (1.5 * x**2 - 0.5).mean(axis=2)
    tested = np.vstack([location, spread])
    labels = [f"{n}, {shape}" for shape in ("location", "spread") for n in names]
    chains = tested.shape[1]
    se = np.maximum(tested.std(axis=1, ddof=1) / np.sqrt(chains), 1e-12)
    t = tested.mean(axis=1) / se
    p = np.minimum(1.0, 2.0 * stdtr(chains - 1, -np.abs(t)) * t.size)
    worst = int(np.argmin(p))
    data = {
        "y": y,
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
    sizes = {"chains": chains, "observations": y.size}
    if p[worst] < error_rates.EXACT_POSTERIOR:
        off = {"off": float(tested[worst].mean()), "se": float(se[worst])}
        reason = Reason(Code.NOT_EXACT, {"quantity": labels[worst], **off, **sizes})
        return Check(
            "exact posterior",
            "failed",
            (reason,),
            chains,
            seconds,
            error_rates.EXACT_POSTERIOR,
            data,
        )
    reason = Reason(Code.EXACT, sizes)
    return Check(
        "exact posterior", "passed", (reason,), chains, seconds, error_rates.EXACT_POSTERIOR, data
    )

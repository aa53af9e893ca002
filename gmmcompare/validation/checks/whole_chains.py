"""Do chains of a kernel meet, wherever they start? What invariance alone does not say.

A kernel that does nothing, or that never leaves a part of the space, leaves the posterior as it is.
Here four chains start from draws of the prior, on a few data sets, and are compared by the
potential scale reduction of their halves (Gelman and others 2013, section 11.4) in bounded
functions. A slow kernel is not wrong: chains that have not met are no reason to fail, but there is
no pass without them either.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from gmmcompare.model.params import Array
from gmmcompare.model.points import joined, mapped, one_of, size_of
from gmmcompare.runtime.progress import Step
from gmmcompare.runtime.tasks import OutOfTimeError
from gmmcompare.validation.checks.model_scene import ModelScene
from gmmcompare.validation.reasons import Code, Reason
from gmmcompare.validation.sandbox.child import Task
from gmmcompare.validation.sandbox.model_subject import ModelSubject
from gmmcompare.validation.sandbox.sandbox import TaskRunner
from gmmcompare.validation.sandbox.streams import seed_global_streams, streams
from gmmcompare.validation.verdict import Check

MET = 1.1
"""Scale reduction below which chains count as met."""
_DATA_SETS = 4
_CHAINS = 4
_SWEEPS = (500, 4000)
_KEPT = 250
_KEY = 0xC4A1


def check_whole_chains(sandbox: TaskRunner, scene: ModelScene, seed: int, progress: Step) -> Check:
    """Run chains of a kernel from dispersed starts; see the module.

    Parameters
    ----------
    sandbox : TaskRunner
        Where the kernel under test is called.
    scene : ModelScene
    seed : int
    progress : callable
        Called with the fraction done.

    Raises
    ------
    BrokenError
        If the kernel fails in a call.
    """
    started = time.perf_counter()
    ours, _ = streams(seed, _KEY)
    _, y = scene.sample_joint(ours, _DATA_SETS)
    starts, _ = scene.sample_joint(ours, _DATA_SETS * _CHAINS)
    worst: tuple[str, float] = ("", np.inf)
    met, sweeps, made = 0, 0, 0
    try:
        for sweeps in _SWEEPS:
            found = _apart(sandbox, scene, seed, starts, y, sweeps)
            made += 1
            met = sum(value < MET for _, value in found)
            worst = max(found, key=lambda pair: pair[1])
            progress(made / len(_SWEEPS))
            if met == _DATA_SETS:
                break
    except OutOfTimeError:
        if not made:
            raise
    numbers = {
        "met": met,
        "data_sets": _DATA_SETS,
        "chains": _CHAINS,
        "sweeps": sweeps,
        "quantity": worst[0],
        "rhat": worst[1],
        "limit": MET,
    }
    together = met == _DATA_SETS
    reason = Reason(Code.CHAINS_MEET if together else Code.CHAINS_APART, numbers)
    return Check(
        "whole chains",
        "passed" if together else "inconclusive",
        (reason,),
        _DATA_SETS * _CHAINS,
        time.perf_counter() - started,
    )


def _apart(
    sandbox: TaskRunner, scene: ModelScene, seed: int, starts: Any, y: Any, sweeps: int
) -> list[tuple[str, float]]:
    """Return the worst quantity of each data set, and its scale reduction."""
    tasks = [
        Task(
            chain_from,
            {
                "scene": scene,
                "at": one_of(starts, i),
                "y": one_of(y, i // _CHAINS),
                "seed": seed,
                "number": i,
                "sweeps": sweeps,
            },
        )
        for i in range(size_of(starts))
    ]
    chains = list(sandbox.run(tasks))
    out = []
    for d in range(_DATA_SETS):
        some = [scene.aligned(chain) for chain in chains[d * _CHAINS : (d + 1) * _CHAINS]]
        points = joined(some)
        n = size_of(points)
        data = mapped(lambda a: np.broadcast_to(a, (n, *np.shape(a))), one_of(y, d))  # noqa: B023
        table = scene.evaluate(points, data).reshape(_CHAINS, -1, len(scene.quantities))
        rhat = [scale_reduction(column) for column in np.moveaxis(table, 2, 0)]
        worst = int(np.argmax(rhat))
        out.append((str(scene.quantities[worst]), rhat[worst]))
    return out


def chain_from(
    subject: ModelSubject,
    scene: ModelScene,
    at: Any,
    y: Any,
    seed: int,
    number: int,
    sweeps: int,
) -> Any:
    """Run one chain, in the child; its second half, thinned to 250 points.

    Parameters
    ----------
    subject : ModelSubject
    scene : ModelScene
    at : point
        Where it starts.
    y : one data set
    seed, number : int
        For the random streams.
    sweeps : int
    """
    ours, theirs = streams(seed, _KEY, 1 + number)
    seed_global_streams(ours)
    run = subject.chain(at, y, theirs, draws=sweeps // 2, warmup=sweeps - sweeps // 2)
    return mapped(lambda a: a[:: max(1, len(a) // _KEPT)], run)


def scale_reduction(values: Array) -> float:
    """Return the potential scale reduction of the halves of chains (chains, draws).

    1 where nothing varies at all, infinite where chains stand still at different values.
    """
    half = values.shape[1] // 2
    parts = np.vstack([values[:, :half], values[:, -half:]])
    within = float(parts.var(axis=1, ddof=1).mean())
    between = float(parts.mean(axis=1).var(ddof=1))
    if between < 1e-20:
        return 1.0
    return float(np.sqrt((half - 1) / half + between / within)) if within > 1e-20 else np.inf

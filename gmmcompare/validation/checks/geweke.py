"""The joint distribution test of Geweke (2004), as a teaching companion to `invariance`.

Two ways to draw parameters and data together: afresh, prior then data; or by one long chain that
alternates a sweep of the kernel with new data given the parameters. Both have the same distribution
if the kernel is correct, so means of any function agree. The chain remembers its past, so that its
standard error comes from batch means and the test is neither exact nor sequential: the verdict of
`validate` rests on the invariance test, which starts every replicate anew.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import stdtr

from gmmcompare.model.mixture import simulate
from gmmcompare.model.params import Array, Params
from gmmcompare.validation import error_rates
from gmmcompare.validation.checks.mixture_quantities import evaluate, quantities
from gmmcompare.validation.checks.scenes import CALIBRATION, MixtureScene
from gmmcompare.validation.reasons import Code, Reason
from gmmcompare.validation.sandbox.child import Task
from gmmcompare.validation.sandbox.mixture_subject import MixtureSubject
from gmmcompare.validation.sandbox.sandbox import TaskRunner
from gmmcompare.validation.sandbox.streams import seed_global_streams, streams
from gmmcompare.validation.verdict import Check

_BATCHES = 40
_KEY = 0x6E4E


class JointChain(NamedTuple):
    """The long chain's parameters (n, K) and data (n, N)."""

    params: Params
    y: Array


def successive_conditional(
    subject: MixtureSubject, scene: MixtureScene, seed: int, n: int
) -> JointChain:
    """Alternate a sweep and new data; runs in the child process.

    Parameters
    ----------
    subject : MixtureSubject
        A kernel.
    scene : MixtureScene
    seed : int
    n : int
        Number of sweeps.

    Raises
    ------
    BrokenError
        If the kernel fails in a call.
    """
    ours, theirs = streams(seed, _KEY)
    seed_global_streams(ours)
    start, y_start = scene.sample_joint(ours, 1)
    at, y = Params(*(a[0] for a in start)), y_start[0]
    out = JointChain(Params(*(np.empty((n, scene.K)) for _ in start)), np.empty((n, scene.N)))
    for i in range(n):
        at = subject.sweep(at, y, scene.priors, theirs)
        y, _ = simulate(at, scene.N, ours)
        if scene.errors is not None:
            y = y + scene.errors * ours.standard_normal(scene.N)
        for array, value in zip(out.params, at, strict=True):
            array[i] = value
        out.y[i] = y
    return out


def check_joint_distribution(
    sandbox: TaskRunner, seed: int, scene: MixtureScene = CALIBRATION, n: int = 20_000
) -> Check:
    """Compare the long chain with fresh draws; z values by batch means, Bonferroni over quantities.

    Parameters
    ----------
    sandbox : TaskRunner
        Where the sampler under test is called.
    seed : int
    scene : MixtureScene, optional
    n : int, optional
        Sweeps of the long chain, and fresh draws.

    Raises
    ------
    BrokenError
        If the kernel fails in a call.
    """
    arguments = {"scene": scene, "seed": seed, "n": n}
    chain: JointChain = next(sandbox.run([Task(successive_conditional, arguments)]))
    ours, _ = streams(seed, _KEY, 1)
    along = evaluate(*chain, scene)
    fresh = evaluate(*scene.sample_joint(ours, n), scene)
    batches = along[: n // _BATCHES * _BATCHES].reshape(_BATCHES, -1, along.shape[1]).mean(axis=1)
    variance = batches.var(axis=0, ddof=1) / _BATCHES + fresh.var(axis=0) / n
    t = (batches.mean(axis=0) - fresh.mean(axis=0)) / np.sqrt(np.maximum(variance, 1e-24))
    p = np.minimum(1.0, 2.0 * stdtr(_BATCHES - 1, -np.abs(t)) * t.size)
    names = [str(q) for q in quantities(scene)]
    worst = int(np.argmin(p))
    data = {"names": names, "t": t, "p": p, "scene": scene.name}
    if p[worst] < error_rates.JOINT_DISTRIBUTION:
        reason = Reason(Code.JOINT_DRIFTS, {"quantity": names[worst], "t": float(t[worst])})
        return Check(
            "joint distribution", "failed", (reason,), n, 0.0, error_rates.JOINT_DISTRIBUTION, data
        )
    reason = Reason(Code.JOINT_KEPT, {"quantities": len(names), "sweeps": n})
    return Check(
        "joint distribution", "passed", (reason,), n, 0.0, error_rates.JOINT_DISTRIBUTION, data
    )

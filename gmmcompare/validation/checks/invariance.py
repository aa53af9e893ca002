"""Does a kernel leave the posterior as it is? Gandy and Scott (2020), algorithm 1.

Draw parameters from the prior and data given them; then make L sweeps. The pair of parameters and
data has the same distribution before and after, if and only if the kernel leaves the posterior
invariant. So any bounded f has the same mean before and after, and

- the *paired* difference f(after) - f(before), where before and after share their data, and
- the difference between f(after) and f of *fresh* draws of parameters and data

have mean zero. Whether they do is tested by betting (`betting`), in rounds that double, in several
scenes. Rounds end when the total wealth reaches 1 / alpha; a scene is followed beyond its first
share of `Plan.base` replicates only while its wealth is three times what it started with, and at
most to its share of `Plan.most`.

*Given data.* The same holds for any data that are held fixed, tied or rounded ones too, if
parameters are drawn from their posterior, which is known exactly for a few observations.

*Permuted labels.* A kernel that permutes labels at random leaves the posterior as it is where all
components have the same prior (Fruehwirth-Schnatter 2001). Where priors differ it does not; but
functions that do not depend on labels have, after one sweep, the mean that they had before. Such a
kernel is judged by all functions where priors are the same, and by those elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from scipy.special import logsumexp

from gmmcompare.model.params import Array
from gmmcompare.model.points import joined, mapped, one_of, same, size_of
from gmmcompare.runtime.progress import Step
from gmmcompare.runtime.tasks import OutOfTimeError
from gmmcompare.validation import error_rates
from gmmcompare.validation.betting import Wealth, smallest_effect
from gmmcompare.validation.checks.scene import Quantity, Scene
from gmmcompare.validation.reasons import Code, Reason
from gmmcompare.validation.sandbox.child import Task
from gmmcompare.validation.sandbox.sandbox import TaskRunner
from gmmcompare.validation.sandbox.streams import seed_global_streams, streams
from gmmcompare.validation.sandbox.subject import BrokenError, Subject
from gmmcompare.validation.verdict import Check, Verdict

DOUBT = 1e-3
"""A wealth above ``1 / DOUBT`` at the end is no pass either."""
FOLLOWED = 1 / 3
"""A scene whose wealth is above ``1 / FOLLOWED`` leaves doubt and gets more replicates."""
_BLOCK = 250
_FRESH = 2
_PIT_BINS = 40
_FOR_DIAGNOSIS = 1000


@dataclass(frozen=True)
class Plan:
    """How many replicates a scene of share 1 gets: in the first round, in any case, and at most."""

    first: int = 250
    base: int = 16_000
    most: int = 128_000


QUICK = Plan(base=2000, most=8000)


class Replicates(NamedTuple):
    """Draws of the joint distribution and where a kernel took them: batches, see `model.points`.

    ``start``, ``first`` and ``last`` are parameters before, after one and after all sweeps.
    """

    start: Any
    y: Any
    first: Any
    last: Any


def kernel_replicates(
    subject: Subject,
    scene: Scene,
    seed: int,
    block: int,
    n: int,
    drawn: tuple[Any, Any] | None = None,
) -> Replicates:
    """Make n replicates; runs in the child process.

    Parameters
    ----------
    subject : Subject
    scene : Scene
    seed, block : int
        For the random streams.
    n : int
    drawn : tuple, optional
        Parameters and data to start from; by default drawn here.

    Raises
    ------
    BrokenError
        If the kernel fails in a call.
    """
    ours, theirs = streams(seed, scene.key, block)
    seed_global_streams(ours)
    start, y = drawn or scene.sample_joint(ours, n)
    first, last = (mapped(np.empty_like, start) for _ in range(2))
    for i in range(n):
        at, data = one_of(start, i), one_of(y, i)
        given = mapped(np.copy, data)
        for sweep in range(scene.sweeps):
            at = scene.sweep(subject, at, given, theirs)
            if sweep == 0:
                _put(first, i, at)
        _put(last, i, at)
        if not same(given, data):
            raise BrokenError(f"{subject.name}: changes y in place; work on a copy: y = y.copy()")
    return Replicates(start, y, first, last)


def _put(batch: Any, i: int, point: Any) -> None:
    """Copy a point into a batch; a kernel may go on to write into what it returned."""
    if isinstance(batch, Mapping):
        for name, array in batch.items():
            _put(array, i, point[name])
    elif isinstance(batch, tuple):
        for array, value in zip(batch, point, strict=True):
            _put(array, i, value)
    else:
        batch[i] = point


@dataclass
class SceneTest[S: Scene]:
    """One scene's running test.

    Attributes
    ----------
    scene : Scene
    names : tuple of Quantity
        What is bet on.
    wealth : Wealth
    label_free : bool
        Whether only what does not depend on labels is bet on, after one sweep.
    aside : Wealth, optional
        If so, of a bet on everything, which tells how the kernel does under priors that differ.
    kept : list of Replicates
        The first ones, for the diagnosis to describe what moved.
    pits : ndarray of int, shape (parameters, bins)
        Where each of `Scene.parameters` lies in its prior after the sweeps.
    """

    scene: S
    names: tuple[Quantity, ...]
    wealth: Wealth
    label_free: bool = False
    aside: Wealth | None = None
    kept: list[Replicates] = field(default_factory=list)
    pits: Array = field(default_factory=lambda: np.zeros(0))

    @classmethod
    def of(cls, scene: S, label_free: bool = False) -> SceneTest[S]:
        """Start with nothing seen."""
        every = scene.quantities
        pits = np.zeros((len(scene.parameters), _PIT_BINS))
        if not label_free:
            return cls(scene, every, Wealth(3 * len(every)), pits=pits)
        names = tuple(every[i] for i in scene.symmetric)
        aside = Wealth(3 * len(every))
        return cls(scene, names, Wealth(len(names)), True, aside, pits=pits)

    def fraction(self, n: int) -> float:
        """Return how far it is on its way to its share of n replicates; 1 where it is there."""
        return self.wealth.n / self.scene.replicates(n)

    @property
    def doubtful(self) -> bool:
        """Whether the bets leave doubt that the kernel is correct here."""
        return bool(self.wealth.log_wealth > -np.log(FOLLOWED))

    @property
    def needs_equal_priors(self) -> bool:
        """Whether it is certain that the kernel is wrong here because priors differ."""
        return self.aside is not None and self.aside.log_wealth >= -np.log(error_rates.INVARIANCE)

    @property
    def smallest_effect(self) -> float:
        """What a quantity must be off by to be found; see `betting.smallest_effect`."""
        return smallest_effect(self.wealth.m, self.wealth.n, error_rates.INVARIANCE)

    def add(self, replicates: Sequence[Replicates], rng: np.random.Generator) -> None:
        """Bet on one round."""
        if self.wealth.n < _FOR_DIAGNOSIS:
            self.kept.extend(replicates)
        differences = np.vstack([self._differences(r, rng) for r in replicates])
        if self.aside is None:
            self.wealth.add(differences)
            return
        self.aside.add(differences)
        self.wealth.add(differences[:, self.scene.symmetric])

    def table(self) -> dict[str, list[object]]:
        """Return the columns of `Validation.quantities`."""
        n, effect = self.wealth.n, self.wealth.effect
        kinds = ["paired", "paired", "fresh"][: effect.size // len(self.names)]
        sweeps = [1, self.scene.sweeps, self.scene.sweeps][: len(kinds)]
        return {
            "quantity": [str(q) for _ in kinds for q in self.names],
            "sweeps": [s for s in sweeps for _ in self.names],
            "reference": [kind for kind in kinds for _ in self.names],
            "effect": effect.round(5).tolist(),
            "z": (effect * np.sqrt(n)).round(2).tolist(),
            "replicates": [n] * effect.size,
            "log_wealth": self.wealth.log_single.max(axis=1).round(2).tolist(),
        }

    @property
    def made(self) -> Replicates:
        """The first replicates, as one batch."""
        return joined(self.kept)

    def _differences(self, made: Replicates, rng: np.random.Generator) -> Array:
        """Return paired (one sweep), paired (all) and fresh differences, halved, (n, 3 M)."""
        n, scene = size_of(made.start), self.scene
        before, first, last = (
            scene.evaluate(p, made.y) for p in (made.start, made.first, made.last)
        )
        fresh = sum(scene.evaluate(*scene.sample_joint(rng, n)) for _ in range(_FRESH))
        columns = list(scene.parameters)
        cells = (0.5 * (last[:, columns] + 1.0) * _PIT_BINS).astype(int).clip(0, _PIT_BINS - 1)
        for row, cell in zip(self.pits, cells.T, strict=True):
            row += np.bincount(cell, minlength=_PIT_BINS)
        return 0.5 * np.hstack([first - before, last - before, last - fresh / _FRESH])


@dataclass(frozen=True)
class Outcome[S: Scene]:
    """The tests of all scenes, and the check they amount to."""

    tests: tuple[SceneTest[S], ...]
    check: Check


def check_invariance[S: Scene](
    sandbox: TaskRunner,
    scenes: Sequence[S],
    plan: Plan,
    seed: int,
    progress: Step,
    permutes: bool = False,
) -> Outcome[S]:
    """Test a kernel in every scene, in rounds; see the module.

    Parameters
    ----------
    sandbox : TaskRunner
        Where the sampler under test is called.
    scenes : sequence of Scene
        Those that the kernel accepts.
    plan : Plan
    seed : int
    progress : callable
        Called with the fraction done of the replicates wanted in any case.
    permutes : bool
        Whether the kernel was seen to permute labels.

    Raises
    ------
    BrokenError
        If the kernel fails in a call.
    """
    started = time.perf_counter()
    tests = tuple(SceneTest.of(s, permutes and not s.exchangeable) for s in scenes)
    ours = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0,)))
    path: list[tuple[int, float]] = []
    out_of_time = False
    try:
        while active := _active(tests, plan):
            _one_round(sandbox, active, plan, seed, ours)
            path.append((sum(t.wealth.n for t in tests), log_total(tests)))
            progress(_done(tests, plan))
        _finish_for_diagnosis(sandbox, tests, plan, seed, ours)
    except OutOfTimeError:
        out_of_time = True
    seconds = time.perf_counter() - started
    return Outcome(tests, _check(tests, plan, path, out_of_time, seconds))


def log_total[S: Scene](tests: Sequence[SceneTest[S]]) -> float:
    """Return the log of the mean wealth over scenes, which is itself the wealth of a bet."""
    return float(logsumexp([t.wealth.log_wealth for t in tests]) - np.log(len(tests)))


def _done[S: Scene](tests: Sequence[SceneTest[S]], plan: Plan) -> float:
    """Return the part of the replicates wanted in any case that is made."""
    shares = [t.scene.replicates(plan.base) for t in tests]
    return float(np.average([min(1.0, t.fraction(plan.base)) for t in tests], weights=shares))


def _active[S: Scene](tests: Sequence[SceneTest[S]], plan: Plan) -> list[SceneTest[S]]:
    if log_total(tests) >= -np.log(error_rates.INVARIANCE):
        return []
    unfinished = [
        t for t in tests if t.fraction(plan.base) < 1 or (t.doubtful and t.fraction(plan.most) < 1)
    ]
    # Other sizes and units come later: what is wrong everywhere is best described in a main scene.
    # Given data come last, as a wrong kernel may not even survive them.
    return min(
        (
            [t for t in unfinished if t.scene.main],
            [t for t in unfinished if not t.scene.main and not t.scene.here],
            unfinished,
        ),
        key=lambda some: not some,
    )


def _one_round[S: Scene](
    sandbox: TaskRunner,
    active: Sequence[SceneTest[S]],
    plan: Plan,
    seed: int,
    ours: np.random.Generator,
    size: int | None = None,
) -> None:
    """Double each active scene's replicates, or add ``size``."""
    tasks: list[Task] = []
    counts: list[int] = []
    for t in active:
        block_size = t.scene.least or _BLOCK
        n = size or max(min(plan.first, t.scene.least or plan.first), t.wealth.n)
        blocks = -(-n // block_size)
        done = t.wealth.n // block_size
        counts.append(blocks)
        for block in range(done, done + blocks):
            arguments = {"scene": t.scene, "seed": seed, "block": block, "n": block_size}
            if t.scene.here:
                source = streams(seed, t.scene.key, block, 1)[0]
                arguments["drawn"] = t.scene.sample_joint(source, block_size)
            tasks.append(Task(kernel_replicates, arguments))
    results = sandbox.run(tasks)
    for t, blocks in zip(active, counts, strict=True):
        t.add([next(results) for _ in range(blocks)], ours)


def _finish_for_diagnosis[S: Scene](
    sandbox: TaskRunner,
    tests: Sequence[SceneTest[S]],
    plan: Plan,
    seed: int,
    ours: np.random.Generator,
) -> None:
    """Where the kernel failed early, make enough replicates to tell faults apart."""
    for t in tests:
        if t.scene.main and t.wealth.n < _FOR_DIAGNOSIS:
            _one_round(sandbox, [t], plan, seed, ours, _FOR_DIAGNOSIS - t.wealth.n)


def _check[S: Scene](
    tests: Sequence[SceneTest[S]],
    plan: Plan,
    path: list[tuple[int, float]],
    out_of_time: bool,
    seconds: float,
) -> Check:
    n = sum(t.wealth.n for t in tests)
    verdict, reason = _verdict(tests, path, plan, out_of_time)
    return Check(
        "invariance",
        verdict,
        (reason,),
        n,
        seconds,
        error_rates.INVARIANCE,
        {
            "alpha": error_rates.INVARIANCE,
            "path": {"replicates": [a for a, _ in path], "log_wealth": [b for _, b in path]},
            "quantities": {t.scene.name: t.table() for t in tests},
            "pits": {
                t.scene.name: {
                    "parameters": list(t.scene.parameters.values()),
                    "counts": t.pits.astype(int),
                }
                for t in tests
            },
            "scenes": {
                t.scene.name: {
                    **t.scene.to_dict(),
                    "sweeps": t.scene.sweeps,
                    "replicates": t.wealth.n,
                    "log_wealth": t.wealth.log_wealth,
                }
                for t in tests
            },
        },
    )


def _verdict[S: Scene](
    tests: Sequence[SceneTest[S]],
    path: list[tuple[int, float]],
    plan: Plan,
    out_of_time: bool,
) -> tuple[Verdict, Reason]:
    made = path[-1][0] if path else 0
    highest = max((wealth for _, wealth in path), default=0.0)
    log10_wealth = highest / np.log(10)
    if highest >= -np.log(error_rates.INVARIANCE):
        found_at = next(n for n, wealth in path if wealth >= -np.log(error_rates.INVARIANCE))
        numbers = {
            "log10_wealth": log10_wealth,
            "replicates": found_at,
            "alpha": error_rates.INVARIANCE,
        }
        return "failed", Reason(Code.NOT_INVARIANT, numbers)
    if out_of_time and any(t.fraction(plan.base) < 1 for t in tests):
        wanted = sum(t.scene.replicates(plan.base) for t in tests)
        return "inconclusive", Reason(Code.OUT_OF_TIME, {"done": made, "wanted": wanted})
    if highest >= -np.log(DOUBT):
        numbers = {"log10_wealth": log10_wealth, "replicates": made}
        return "inconclusive", Reason(Code.SUSPICIOUS, numbers)
    main = [t for t in tests if t.scene.main]
    numbers = {
        "replicates": made,
        "priors": len(tests),
        "effect": max((t.smallest_effect for t in main), default=float("nan")),
    }
    return "passed", Reason(Code.INVARIANT, numbers)

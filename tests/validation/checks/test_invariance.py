"""Invariance by betting: what is compared, how long, and what it amounts to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from inprocess import InProcess, silent

from gmmcompare.model.params import Params
from gmmcompare.model.points import joined
from gmmcompare.runtime.tasks import OutOfTimeError
from gmmcompare.validation import error_rates
from gmmcompare.validation.checks.invariance import (
    Plan,
    Replicates,
    SceneTest,
    _active,
    _verdict,
    check_invariance,
    kernel_replicates,
)
from gmmcompare.validation.checks.scenes import ASYMMETRIC, CALIBRATION, TWO
from gmmcompare.validation.reasons import Code
from gmmcompare.validation.sandbox.child import Task
from gmmcompare.validation.sandbox.mixture_subject import MixtureSubject

PLAN = Plan(first=250, base=500, most=2000)


def still(w, mu, sigma, y, priors, rng):  # type: ignore[no-untyped-def]
    """Leave every distribution as it is, the posterior too."""
    return w, mu, sigma


def step(w, mu, sigma, y, priors, rng):  # type: ignore[no-untyped-def]
    return w, mu + 1.0, sigma


def test_replicates_are_before_after_one_and_after_all_sweeps() -> None:
    made = kernel_replicates(MixtureSubject(step, "own"), CALIBRATION, seed=1, block=0, n=4)
    assert made.y.shape == (4, CALIBRATION.N)
    np.testing.assert_allclose(made.first.mu, made.start.mu + 1.0)
    np.testing.assert_allclose(made.last.mu, made.start.mu + CALIBRATION.sweeps)
    np.testing.assert_array_equal(made.last.sigma, made.start.sigma)


def test_blocks_differ_and_are_joined() -> None:
    still_subject = MixtureSubject(still, "own")
    blocks = [kernel_replicates(still_subject, CALIBRATION, seed=1, block=b, n=3) for b in (0, 1)]
    both = joined(blocks)
    assert len(set(both.start.mu[:, 0])) == 6
    np.testing.assert_array_equal(both.y[3:], blocks[1].y)
    np.testing.assert_array_equal(both.last.w[:3], blocks[0].last.w)


def test_nothing_is_bet_on_pairs_that_do_not_change() -> None:
    """If a kernel does nothing only fresh draws differ: some z beyond 6, probability below 1e-6."""
    test = SceneTest.of(CALIBRATION)
    made = kernel_replicates(MixtureSubject(still, "own"), CALIBRATION, seed=1, block=0, n=1000)
    test.add([made], np.random.default_rng(2))
    paired, paired_all, fresh = np.split(test.wealth.effect, 3)
    assert (paired == 0).all()
    assert (paired_all == 0).all()
    assert 0 < np.abs(fresh).max() * np.sqrt(1000) < 6
    assert (test.pits.sum(axis=1) == 1000).all()


def test_rounds_double_up_to_the_plan() -> None:
    outcome = check_invariance(InProcess(still), (CALIBRATION, TWO), PLAN, 1, silent)
    assert outcome.check.verdict == "passed"
    assert [t.wealth.n for t in outcome.tests] == [1000, 250]  # 500, and more for a diagnosis
    assert outcome.check.data["path"]["replicates"] == [250, 500, 750]
    numbers = outcome.check.reasons[0].numbers
    assert {**numbers, "effect": 0.0} == {"replicates": 750, "priors": 2, "effect": 0.0}
    assert numbers["effect"] == outcome.tests[0].smallest_effect
    assert outcome.check.error_rate == error_rates.INVARIANCE


def test_what_moves_fails_at_once() -> None:
    outcome = check_invariance(InProcess(step), (CALIBRATION,), PLAN, 1, silent)
    assert outcome.check.verdict == "failed"
    (reason,) = outcome.check.reasons
    assert reason.code == Code.NOT_INVARIANT
    assert reason.numbers["replicates"] == 250
    assert reason.numbers["log10_wealth"] > 5


class OutOfTime(InProcess):
    """Does two tasks before time is up."""

    left = 2

    def run(self, tasks: Sequence[Task]) -> Iterator[Any]:
        for done in super().run(tasks):
            if not self.left:
                raise OutOfTimeError
            self.left -= 1
            yield done


def test_out_of_time_is_no_pass() -> None:
    check = check_invariance(OutOfTime(still), (CALIBRATION, TWO), PLAN, 1, silent).check
    assert check.verdict == "inconclusive"
    (reason,) = check.reasons
    # Two blocks of 250 for the main scene; the other one's eighth of 500 never came.
    assert (reason.code, reason.numbers) == (Code.OUT_OF_TIME, {"done": 500, "wanted": 562})


def at(n: int, log_wealth: float, scene: object = CALIBRATION) -> SceneTest:
    test = SceneTest.of(scene)  # type: ignore[arg-type]
    test.wealth.n = n
    test.wealth.log_single[:] = test.wealth.log_learned[:] = log_wealth
    return test


def test_only_a_scene_in_doubt_is_followed() -> None:
    fresh, calm, doubtful = at(0, 0.0), at(500, 0.0), at(500, np.log(4.0))
    assert _active([fresh, calm, doubtful], PLAN) == [fresh, doubtful]
    assert _active([calm, at(2000, np.log(4.0))], PLAN) == []


def test_main_scenes_come_first_and_a_verdict_ends_it() -> None:
    main, other = at(0, 0.0), at(0, 0.0, TWO)
    assert _active([other, main], PLAN) == [main]
    assert _active([other, at(500, 0.0)], PLAN) == [other]
    assert _active([main, at(250, np.log(1e6), ASYMMETRIC)], PLAN) == []


@pytest.mark.parametrize(
    ("log10_wealth", "out_of_time", "verdict", "code"),
    [
        (5.0, False, "failed", Code.NOT_INVARIANT),
        (5.0, True, "failed", Code.NOT_INVARIANT),
        (4.9, False, "inconclusive", Code.SUSPICIOUS),
        (3.0, False, "inconclusive", Code.SUSPICIOUS),
        (2.9, False, "passed", Code.INVARIANT),
        (2.9, True, "passed", Code.INVARIANT),  # each scene has its share
    ],
)
def test_a_verdict_rests_on_the_highest_wealth(
    log10_wealth: float, out_of_time: bool, verdict: str, code: Code
) -> None:
    path = [(250, 0.1), (500, log10_wealth * np.log(10) + 1e-9), (1000, 0.2)]
    tests = [at(1000, 0.2)]
    found, reason = _verdict(tests, path, PLAN, out_of_time)
    assert (found, reason.code) == (verdict, code)
    assert reason.numbers["replicates"] == (500 if verdict == "failed" else 1000)


def test_a_point_far_outside_its_prior_is_in_the_last_cell() -> None:
    test = SceneTest.of(CALIBRATION)
    start, y = CALIBRATION.sample_joint(np.random.default_rng(1), 10)
    far = Params(start.w, start.mu + 1e6, start.sigma)
    test.add([Replicates(start, y, far, far)], np.random.default_rng(2))
    means = [q.name == "mu" for q in test.names if q.kind == "marginal" and q.shape == "location"
             and q.component.isdigit()]  # fmt: skip
    assert (test.pits[np.array(means)][:, -1] == 10).all()

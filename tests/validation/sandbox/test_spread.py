"""Validation on workers elsewhere: the same numbers, the same isolation of the user's code."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from inprocess import silent

from gmmcompare.runtime.tasks import InProcess, OutOfTimeError, TaskError, Tasks, open_tasks
from gmmcompare.validation import validate
from gmmcompare.validation.checks.invariance import Plan, check_invariance, kernel_replicates
from gmmcompare.validation.checks.ranks import SbcPlan
from gmmcompare.validation.checks.sbc import check_sbc
from gmmcompare.validation.checks.scenes import CALIBRATION, MixtureScene
from gmmcompare.validation.sandbox.child import Task
from gmmcompare.validation.sandbox.sandbox import Sandbox
from gmmcompare.validation.sandbox.spread import SpreadSandbox, _Errand, close_kept, do_errand
from gmmcompare.validation.sandbox.subject import BrokenError
from gmmcompare.validation.sandbox.target import Target

pytestmark = pytest.mark.slow

SAMPLERS = Path(__file__).parents[1] / "samplers.py"
TINY = MixtureScene("calibration", CALIBRATION.priors, K=2, N=4)
SBC = SbcPlan(replicates=50, warmup=0)


@pytest.fixture(scope="module")
def two() -> Iterator[Tasks]:
    with open_tasks(workers=2) as tasks:
        yield tasks


def target(name: str) -> Target:
    return Target(f"{SAMPLERS}:{name}")


def blocks(n: int, size: int = 5) -> list[Task]:
    arguments = {"scene": CALIBRATION, "seed": 1, "n": size}
    return [Task(kernel_replicates, {**arguments, "block": block}) for block in range(n)]


def invariance(sandbox: Sandbox) -> tuple[object, ...]:
    plan = Plan(first=500, base=1000, most=1000)
    (test,) = check_invariance(sandbox, (CALIBRATION,), plan, 1, silent).tests
    return test.table(), test.pits.tolist(), [r.last.mu.tolist() for r in test.kept]


def test_invariance_is_the_same_wherever_blocks_run(two: Tasks) -> None:
    with Sandbox(target("right"), 1, 60.0) as here:
        expected = invariance(here)
    with SpreadSandbox(target("right"), two, 60.0) as elsewhere:
        assert elsewhere.start() == "kernel"
        assert invariance(elsewhere) == expected


def test_calibration_is_the_same_although_a_worker_is_killed(two: Tasks, tmp_path: Path) -> None:
    with Sandbox(target("whole"), 1, 60.0) as here:
        expected = check_sbc(here, TINY, SBC, 1, silent)
    killed = []

    def kill_one(fraction: float) -> None:
        if fraction > 0.2 and not killed:
            killed.append(next(iter(two._client.run(os.getpid).values())))  # type: ignore[attr-defined]
            os.kill(killed[0], signal.SIGKILL)

    with SpreadSandbox(target("whole"), two, 60.0) as elsewhere:
        found = check_sbc(elsewhere, TINY, SBC, 1, kill_one, tmp_path)
    assert killed
    np.testing.assert_array_equal(found.ranks, expected.ranks)
    np.testing.assert_array_equal(found.effect, expected.effect)
    (file,) = tmp_path.glob("sbc-*.jsonl")
    assert len(file.read_text(encoding="utf-8").splitlines()) == 1 + SBC.replicates


def test_what_breaks_elsewhere_is_told_as_here(two: Tasks) -> None:
    for name, why in (("dies", "exit code 4"), ("raises", "ZeroDivisionError")):
        with (
            SpreadSandbox(target(name), two, 60.0) as sandbox,
            pytest.raises(BrokenError, match=why),
        ):
            list(sandbox.run(blocks(2)))


def test_what_is_printed_elsewhere_comes_back(two: Tasks, capfd) -> None:  # type: ignore[no-untyped-def]
    with SpreadSandbox(target("chatty"), two, 60.0) as sandbox:
        list(sandbox.run(blocks(6, size=2)))
        assert sandbox.printed.count("sweep!") == 6 * 2 * CALIBRATION.sweeps
        assert len(sandbox.warnings) == 1
        assert "nearly zero (samplers.py, line" in sandbox.warnings[0]
    assert capfd.readouterr() == ("", "")


def test_children_on_workers_end_with_the_sandbox(two: Tasks) -> None:
    def children() -> int:
        return sum(map(len, two._client.run(_children).values()))  # type: ignore[attr-defined]

    before = children()
    with SpreadSandbox(target("right"), two, 60.0) as sandbox:
        list(sandbox.run(blocks(6)))
        assert children() > before
    assert children() == before
    soon = time.monotonic() + 10.0  # busy ones too
    with SpreadSandbox(target("hangs"), two, 60.0, soon) as sandbox, pytest.raises(OutOfTimeError):
        list(sandbox.run(blocks(2)))
    assert children() == before


def _children() -> list[str]:
    found = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    return [child for file in found for child in file.read_text().split()]


def test_an_errand_that_comes_too_late_leaves_no_child() -> None:
    close_kept("late")
    before = _children()
    done = do_errand(_Errand("late", target("right"), 60.0, tuple(blocks(1))), lambda done: None)
    assert len(done.values) == 1  # a child was there
    assert _children() == before


def test_a_file_that_workers_do_not_have_is_sent(two: Tasks, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_bytes(SAMPLERS.read_bytes())
    sent = Target(f"{file}:right").with_source()
    assert sent.placed_in(tmp_path / "unused") == Target(f"{file}:right")  # it is there
    with SpreadSandbox(Target(f"{file}:right"), two, 60.0) as sandbox:
        here = [r.last.mu for r in sandbox.run(blocks(1))]
        file.unlink()
        away = [r.last.mu for r in sandbox.run(blocks(2))]
    np.testing.assert_array_equal(here[0], away[0])


def test_one_with_a_stream_of_its_own_stays_in_one_process() -> None:
    nowhere = InProcess()  # an error if it is asked
    nowhere.run = None  # type: ignore[assignment, method-assign]
    with SpreadSandbox(target("right"), nowhere, 60.0) as sandbox:
        sandbox.restrict(1)
        assert len(list(sandbox.run(blocks(2)))) == 2


def test_a_cluster_that_fails_is_not_a_sampler_that_fails(tmp_path: Path) -> None:
    class Gone(InProcess):
        def run(self, *args: object, **options: object) -> Iterator[tuple[int, object]]:  # type: ignore[override]
            raise TaskError("the cluster is gone")

    with pytest.raises(TaskError, match="the cluster is gone"):
        validate(f"{SAMPLERS}:right", quick=True, tasks=Gone(), out=tmp_path)

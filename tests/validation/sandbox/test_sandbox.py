"""Child processes: results in order, nothing left over, what was said comes back."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import samplers
from inprocess import InProcess

from gmmcompare.runtime.tasks import OutOfTimeError
from gmmcompare.validation.checks.invariance import kernel_replicates
from gmmcompare.validation.checks.scenes import CALIBRATION
from gmmcompare.validation.sandbox.child import Task
from gmmcompare.validation.sandbox.sandbox import Sandbox
from gmmcompare.validation.sandbox.subject import BrokenError
from gmmcompare.validation.sandbox.target import Target

SAMPLERS = Path(__file__).parent.parent / "samplers.py"


def blocks(*which: int, size: int = 5) -> list[Task]:
    arguments = {"scene": CALIBRATION, "seed": 1, "n": size}
    return [Task(kernel_replicates, {**arguments, "block": block}) for block in which]


@pytest.mark.slow
def test_results_come_in_order_and_an_early_end_leaves_nothing_behind() -> None:
    expected = [r.last.mu for r in InProcess(samplers.right).run(blocks(0, 1, 2, 3))]
    with Sandbox(Target(f"{SAMPLERS}:right"), 2, 60.0) as sandbox:
        assert sandbox.start() == "kernel"
        found = [r.last.mu for r in sandbox.run(blocks(0, 1, 2, 3))]
        np.testing.assert_array_equal(found, expected)
        left_early = sandbox.run([*blocks(0, size=1), *blocks(1, size=200)])
        next(left_early)
        left_early.close()  # type: ignore[attr-defined]  # while the second is under way
        after = [r.last.mu for r in sandbox.run(blocks(2, 3))]
        np.testing.assert_array_equal(after, expected[2:])


@pytest.mark.slow
def test_a_failure_names_the_call_and_the_next_tasks_are_done() -> None:
    with Sandbox(Target(f"{SAMPLERS}:nan_after_1000_calls"), 1, 60.0) as sandbox:
        (fine,) = sandbox.run(blocks(0))
        assert np.isfinite(fine.last.mu).all()
        with pytest.raises(BrokenError, match="mu has 3 NaN"):
            list(sandbox.run(blocks(1, size=250)))
        (again,) = sandbox.run(blocks(0))  # in a process that has counted no call
        np.testing.assert_array_equal(again.last.mu, fine.last.mu)


def test_a_deadline_ends_what_is_under_way() -> None:
    started = time.monotonic()
    with (
        Sandbox(Target(f"{SAMPLERS}:hangs"), 1, 600.0, started + 0.5) as sandbox,
        pytest.raises(OutOfTimeError),
    ):
        list(sandbox.run(blocks(0)))


def test_warnings_are_kept_once_and_only_the_first_few(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "import warnings\n"
        "def sweep(w, mu, sigma, y, priors, rng):\n"
        "    for i in range(9):\n"
        "        warnings.warn(f'number {i}')\n"
        "    print('sweep')\n"
        "    return w, mu, sigma\n",
        encoding="utf-8",
    )
    with Sandbox(Target(f"{file}:sweep"), 1, 60.0) as sandbox:
        list(sandbox.run(blocks(0, 1, size=1)))
        assert [text.partition(" (")[0] for text in sandbox.warnings] == [
            f"UserWarning: number {i}" for i in range(5)
        ]
        assert sandbox.warnings[0].endswith("(mine.py, line 4)")
        assert sandbox.printed == "sweep\n" * 2 * CALIBRATION.sweeps


def test_the_log_goes_with_the_sandbox() -> None:
    with Sandbox(Target(f"{SAMPLERS}:chatty"), 1, 60.0) as sandbox:
        list(sandbox.run(blocks(0, size=1)))
        assert sandbox.log.is_file()
    assert not sandbox.log.parent.exists()

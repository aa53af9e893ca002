"""Does a cluster pay? SBC of the fast Gibbs sampler on one Dask worker against two.

``python -m tests.benchmarks.spread [--replicates 1000]`` writes
``reports/spread.md``. Both clusters run in turn, slice by slice of the same replicates, so that
other work on the machine slows both alike; the results must be equal, number for number.
"""

from __future__ import annotations

import argparse
import os
import time
from datetime import UTC, datetime
from pathlib import Path

from gmmcompare.runtime.files import write_text
from gmmcompare.runtime.tasks import open_tasks
from gmmcompare.studies import markdown
from gmmcompare.validation.checks.ranks import SbcPlan, choose_thinning, sbc_replicate
from gmmcompare.validation.checks.scenes import CALIBRATION
from gmmcompare.validation.sandbox.child import Task
from gmmcompare.validation.sandbox.spread import SpreadSandbox
from gmmcompare.validation.sandbox.target import Target

REPORT = Path("reports/spread.md")
SLICE = 250
SEED = 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=1000)
    given = parser.parse_args()
    plan = SbcPlan(replicates=given.replicates)
    arguments = {"scene": CALIBRATION, "plan": plan, "seed": SEED}
    target = Target("engine:gibbs")
    seconds: dict[int, list[float]] = {1: [], 2: []}
    loads = [os.getloadavg()[0]]
    with (
        open_tasks(workers=1) as one,
        open_tasks(workers=2) as two,
        SpreadSandbox(target, one, 300.0) as on_one,
        SpreadSandbox(target, two, 300.0) as on_two,
    ):
        sandboxes = {1: on_one, 2: on_two}
        (thin,) = on_one.run([Task(choose_thinning, arguments)])
        tasks = [
            Task(sbc_replicate, {**arguments, "index": i, "thin": thin})
            for i in range(given.replicates)
        ]
        for sandbox in sandboxes.values():  # start the children before the clock
            list(sandbox.run(tasks[:8]))
        for at in range(0, len(tasks), SLICE):
            found = {}
            order = (1, 2) if at // SLICE % 2 else (2, 1)
            for workers in order:
                began = time.perf_counter()
                found[workers] = list(sandboxes[workers].run(tasks[at : at + SLICE]))
                seconds[workers].append(time.perf_counter() - began)
            assert found[1] == found[2]
            loads.append(os.getloadavg()[0])
            done = min(at + SLICE, given.replicates)
            write_text(REPORT, _page(done, seconds, loads))
    print(REPORT.read_text(encoding="utf-8"))


def _page(replicates: int, seconds: dict[int, list[float]], loads: list[float]) -> str:
    one, two = sum(seconds[1]), sum(seconds[2])
    ratios = sorted(b / a for a, b in zip(seconds[1], seconds[2], strict=True))
    return markdown.page(
        "# Calibration on one Dask worker and on two",
        f"Written by `python -m tests.benchmarks.spread` on {datetime.now(UTC):%Y-%m-%d}, "
        f"{os.cpu_count()} cores, load average {min(loads):.1f} to {max(loads):.1f} with this "
        f"benchmark's own. SBC of the whole sampler `gibbs`, {replicates:,} replicates, in "
        f"slices of {SLICE}, one worker and two in turn; the ranks of both were equal.",
        markdown.table(
            ["workers", "seconds", "replicates per second"],
            [
                (1, f"{one:.1f}", f"{replicates / one:.1f}"),
                (2, f"{two:.1f}", f"{replicates / two:.1f}"),
            ],
            "rrr",
        ),
        f"Two workers took {two / one:.2f} of the time of one; over slices the ratio was "
        f"{ratios[len(ratios) // 2]:.2f} (median), {ratios[0]:.2f} to {ratios[-1]:.2f}.",
    )


if __name__ == "__main__":
    main()

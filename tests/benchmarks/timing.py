"""Interleaved timing: every contender once a round, so that a slow minute slows them all."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass
class Timings:
    """Seconds per unit of work of each contender, one value a round."""

    unit: str
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def median(self, name: str) -> float:
        return float(np.median(self.seconds[name]))

    def spread(self, name: str) -> tuple[float, float]:
        return min(self.seconds[name]), max(self.seconds[name])

    def ratio(self, slow: str, fast: str) -> float:
        """Median over rounds of the ratio within a round."""
        pairs = zip(self.seconds[slow], self.seconds[fast], strict=True)
        return float(np.median([a / b for a, b in pairs]))


def interleaved(
    contenders: Mapping[str, tuple[Callable[[], object], float]], rounds: int, unit: str
) -> Timings:
    """Run each contender once uncounted, then ``rounds`` times in turn.

    A contender is a function and the units of work it does in one call. A function that returns a
    float reports its own seconds (time in sampling, say); else the wall time of the call counts.
    """
    timings = Timings(unit, {name: [] for name in contenders})
    for count in range(rounds + 1):
        for name, (run, units) in contenders.items():
            started = time.perf_counter()
            reported = run()
            elapsed = reported if isinstance(reported, float) else time.perf_counter() - started
            if count:
                timings.seconds[name].append(elapsed / units)
    return timings


def peak_memory_mb(setup: str, statement: str) -> float:
    """Return by how much a statement raises the peak resident memory of a fresh process, in MB.

    ``setup`` (imports, data, a first call that compiles) does not count. The peak counter of Linux
    is reset in between.
    """
    code = f"""
import json, pathlib
def kb(field):
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1])
{setup}
pathlib.Path("/proc/self/clear_refs").write_text("5")
before = kb("VmRSS")
{statement}
print(json.dumps((kb("VmHWM") - before) / 1024))
"""
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return float(json.loads(result.stdout.strip().splitlines()[-1]))

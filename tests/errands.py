"""Tasks for the tests of `runtime.tasks`, in a module that other processes can import."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from gmmcompare.runtime.errors import InputError
from gmmcompare.runtime.progress import Step

KEPT: list[str] = []


def square(x: int, progress: Step) -> int:
    return x * x


def slow_square(x: int, progress: Step) -> int:
    for step in range(3):
        progress(step / 3)
        time.sleep(0.25)
    return x * x


def nap(x: int, progress: Step) -> int:
    time.sleep(0.2)
    return x


def refuse_three(x: int, progress: Step) -> int:
    if x == 3:
        raise InputError("three: is not allowed; give another")
    return x


def fail_once(marks: Path, progress: Step) -> int:
    """Fail twice, and count the attempts."""
    tries = len(list(marks.parent.glob(f"{marks.name}.*")))
    marks.with_name(f"{marks.name}.{tries}").touch()
    if tries < 2:
        raise OSError("not yet")
    return tries + 1


def fail_on_three(x: int, progress: Step) -> int:
    if x == 3:
        raise ValueError("three")
    return x


def fail(x: int, progress: Step) -> int:
    raise ValueError(f"number {x}")


def hang_up(x: int, progress: Step) -> int:
    raise TimeoutError("no answer")


def indexed_sum(item: int, index: int, more: int) -> list[int]:
    """Work on what is held: tell apart the item, its place, and what was sent."""
    return [item, index, item + more]


def last(item: list[int], index: int) -> int:
    return item[-1]


def die_once(mark: Path, progress: Step) -> str:
    """End the process with SIGKILL at the first attempt where the mark's name says so."""
    if mark.name == "deadly" and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return mark.name


def always_die(x: int, progress: Step) -> int:
    if x == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return x


def keep(what: str) -> None:
    KEPT.append(what)


def kept(x: int, progress: Step) -> list[str]:
    return KEPT

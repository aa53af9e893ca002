"""Whole commands against the same commands at the commit of 0.1.0, in turn on one machine.

The older version is checked out beside this one, with an environment of its own that its Makefile
sets up; so this needs git, and the package registry once.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.benchmarks.cases import Row, duration

BEFORE = "449a11d"
ROUNDS = 3
HERE = Path(__file__).resolve().parents[2]
KERNEL = Path(__file__).parent / "correct_kernel.py"
"""A correct sweep in NumPy, as a user would write it."""


@dataclass(frozen=True)
class Command:
    """What is timed, and how much faster than before it has to be and may hope to be."""

    what: str
    arguments: tuple[str, ...]
    note: str
    anew: bool = True


def commands() -> list[Command]:
    """Return the commands of DESIGN.md section 8, in the order in which they are run."""
    data = os.environ.get("GMMCOMPARE_EXOPLANETS")
    extra = ("--data", data) if data else ("--offline",)
    compare = ("compare", "exoplanets-k3", *extra)
    return [
        Command("compare, nothing fitted", (*compare, "--fresh"), "must 2x, aim 3x"),
        Command("compare again", compare, "must 2.5x, aim 4x", anew=False),
        Command(
            "validate a correct NumPy kernel", ("validate", f"{KERNEL}:sweep"), "must 2x, aim 4x"
        ),
        Command("lesson, all pages", ("lesson",), "must 2x"),
        Command("lesson, all pages again", ("lesson",), "aim: in seconds", anew=False),
        Command("select, nothing fitted", ("select", "galaxies-k4"), "no must"),
    ]


def command_rows() -> Iterator[Row]:
    """Time every command in both versions; wall and processor seconds."""
    with _older() as older:
        versions = {"before": older, "now": HERE}
        for command, figures in _timed(versions):
            for name, found in figures.items():
                wall, processor = np.array(found).T
                ratio = ""
                if name == "now":
                    before = np.array(figures["before"])
                    ratio = f"{np.median(before[:, 0] / wall):.1f}"
                spread = f"{duration(wall.min())} to {duration(wall.max())}"
                said = f"{np.median(processor):.1f} processor seconds"
                said += f"; {command.note}" if name == "now" else f"; commit {BEFORE}"
                yield Row(
                    f"{command.what}, {name}", duration(float(np.median(wall))), spread, ratio, said
                )


def _timed(
    versions: dict[str, Path],
) -> Iterator[tuple[Command, dict[str, list[tuple[float, float]]]]]:
    figures: dict[str, dict[str, list[tuple[float, float]]]] = {}
    folder = Path(tempfile.mkdtemp(prefix="gmmcompare-commands-"))
    try:
        for count in range(ROUNDS + 1):  # the first round compiles, and does not count
            for name, checkout in versions.items():
                place = folder / name
                for command in commands():
                    if command.anew:
                        shutil.rmtree(place / "out", ignore_errors=True)
                    took = _run(checkout, command, place)
                    if count:
                        figures.setdefault(command.what, {}).setdefault(name, []).append(took)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for command in commands():
        yield command, figures[command.what]


def _run(checkout: Path, command: Command, folder: Path) -> tuple[float, float]:
    """Return wall and processor seconds of one command, which finds nobody else's fits."""
    environment = {**os.environ, "GMMCOMPARE_CACHE": str(folder / "cache")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    out = ["--out", str(folder / "out")]
    before, started = os.times(), time.perf_counter()
    subprocess.run(
        [checkout / ".venv/bin/gmmcompare", *command.arguments, *out],
        check=False,
        capture_output=True,
        env=environment,
        cwd=checkout,
    )
    wall, after = time.perf_counter() - started, os.times()
    children = after.children_user + after.children_system
    return wall, children - before.children_user - before.children_system


@contextmanager
def _older() -> Iterator[Path]:
    """Check the older version out, and set it up."""
    folder = Path(tempfile.mkdtemp(prefix="gmmcompare-before-")) / "checkout"
    git = ["git", "-C", str(HERE), "worktree"]
    subprocess.run([*git, "add", "--detach", str(folder), BEFORE], check=True, capture_output=True)
    try:
        subprocess.run(["make", "-C", str(folder), ".venv/.ready"], check=True, capture_output=True)
        yield folder
    finally:
        subprocess.run([*git, "remove", "--force", str(folder)], check=False, capture_output=True)


def main() -> None:
    """Print the rows: `python -m tests.benchmarks.commands`."""
    for row in command_rows():
        print(row)


if __name__ == "__main__":
    main()

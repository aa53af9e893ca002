"""The signatures of known faults: what each moves, which way and how far.

A signature is the mean change of every bounded quantity in standard deviations of one replicate, in
every main scene. ``signatures.npz`` has those of the whole gallery, from real runs:
``python -m gmmcompare.validation.diagnosis.signatures [FAULT ...]`` makes it anew, or some of it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from gmmcompare.model.params import Array
from gmmcompare.runtime.progress import no_progress
from gmmcompare.validation.checks.invariance import Plan, check_invariance
from gmmcompare.validation.checks.scenes import SCENES
from gmmcompare.validation.faults.catalogue import KERNEL_FAULTS, PREFIX
from gmmcompare.validation.sandbox.sandbox import Sandbox
from gmmcompare.validation.sandbox.target import Target

STORED = Path(__file__).with_name("signatures.npz")
_REPLICATES = 4000
_SEED = 11


@dataclass(frozen=True)
class Signatures:
    """Effects of known faults, (faults, quantities) for each scene, from ``n`` replicates each."""

    faults: tuple[str, ...]
    effects: dict[str, Array]
    n: int


@lru_cache
def stored_signatures() -> Signatures:
    """Return the signatures of the gallery."""
    return read_signatures(STORED)


def read_signatures(path: Path) -> Signatures:
    """Read what `write_signatures` wrote."""
    with np.load(path) as stored:
        effects = {name: stored[name] for name in stored.files if name not in ("faults", "n")}
        return Signatures(tuple(map(str, stored["faults"])), effects, int(stored["n"]))


def write_signatures(
    path: Path = STORED, names: Sequence[str] = tuple(KERNEL_FAULTS), jobs: int = 2
) -> None:
    """Run kernel faults and store their effects.

    Parameters
    ----------
    path : Path, optional
        By default the file of the package.
    names : sequence of str, optional
        Faults to run; by default all. Others keep what is stored.
    jobs : int, optional
        Number of processes.
    """
    rows: dict[str, dict[str, Array]] = {}
    if path.is_file() and set(names) != set(KERNEL_FAULTS):
        known = read_signatures(path)
        for i, name in enumerate(known.faults):
            rows[name] = {scene: effects[i] for scene, effects in known.effects.items()}
    for name in names:
        rows[name] = _effects(name, jobs)
        print(name, file=sys.stderr)
    kept = [name for name in KERNEL_FAULTS if name in rows]
    arrays: dict[str, Any] = {
        scene.name: np.array([rows[name][scene.name] for name in kept], np.float32)
        for scene in SCENES
    }
    np.savez_compressed(path, faults=np.array(kept), n=np.array(_REPLICATES), **arrays)


def _effects(name: str, jobs: int) -> dict[str, Array]:
    """Return one fault's effects in every scene."""
    plan = Plan(first=_REPLICATES, base=_REPLICATES, most=_REPLICATES)
    with Sandbox(Target(PREFIX + name), jobs, 300.0) as sandbox:
        sandbox.start()
        outcome = check_invariance(sandbox, SCENES, plan, _SEED, no_progress)
    return {t.scene.name: t.wealth.effect for t in outcome.tests}


if __name__ == "__main__":
    write_signatures(names=sys.argv[1:] or tuple(KERNEL_FAULTS))

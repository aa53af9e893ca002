"""How often the verdict on a kernel is right: many seeds, resumable, and the report made of it.

``python -m gmmcompare.studies.gallery OUT --faults 20 --right 100`` appends one line of JSON for
each validation to ``OUT/gallery.jsonl`` and skips those that are there;
``python -m gmmcompare.studies.gallery OUT --report reports/fault-gallery.md`` writes the table.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gmmcompare._version import __version__
from gmmcompare.runtime.tasks import Progress, Tasks, open_tasks
from gmmcompare.validation.checks.invariance import ALPHA, FOLLOWED, Plan
from gmmcompare.validation.checks.scenes import SCENES
from gmmcompare.validation.faults.catalogue import FAULTS, KERNEL_FAULTS, NOT_FAULTS, PREFIX
from gmmcompare.validation.gallery import exhibit
from gmmcompare.validation.run import validate
from gmmcompare.validation.sandbox.subject import KERNELS

FIRST_SEED = 1001
_STORE = "gallery.jsonl"


def right_names() -> list[str]:
    """Return the samplers that must pass."""
    return [*KERNELS, *(PREFIX + name for name in NOT_FAULTS), "engine:gibbs", "nuts"]


def fault_names() -> list[str]:
    """Return the samplers that must fail."""
    return [PREFIX + name for name in FAULTS]


class _Repetition(NamedTuple):
    """One validation to be made."""

    name: str
    seed: int
    quick: bool


def run_study(
    folder: Path, names: Sequence[str], repetitions: int, place: Tasks, quick: bool = False
) -> None:
    """Validate each name with so many seeds; seed by seed, so that an early stop is balanced."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / _STORE
    done = {(row["sampler"], row["seed"], row["quick"]) for row in stored(path)}
    missing = [
        _Repetition(name, seed, quick)
        for seed in range(FIRST_SEED, FIRST_SEED + repetitions)
        for name in names
        if (name, seed, quick) not in done
    ]
    for _, row in place.run(_row, missing):
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


def _row(what: _Repetition, progress: Progress) -> dict[str, Any]:
    before = _processor_seconds()
    found = validate(
        what.name, quick=what.quick, seed=what.seed, jobs=1, time_limit=3600.0, call_limit=300.0
    )
    short = what.name.removeprefix(PREFIX)
    return {
        "sampler": what.name,
        "seed": what.seed,
        "quick": what.quick,
        **exhibit(short, found)._asdict(),
        "processor_seconds": _processor_seconds() - before,
        "checks": {c.name: [c.verdict, c.replicates, c.seconds] for c in found.checks},
    }


def _processor_seconds() -> float:
    """Return the time that this process and its finished children spent computing."""
    return sum(os.times()[:4])


def stored(path: Path) -> Iterator[dict[str, Any]]:
    """Read back finished validations."""
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)


def report(folder: Path) -> str:
    """Return the table of the study as Markdown."""
    rows = list(stored(folder / _STORE))
    faults = [r for r in rows if r["sampler"] in fault_names()]
    right = [r for r in rows if r["sampler"] in right_names()]
    caught = sum(r["verdict"] == "failed" for r in faults)
    passed = sum(r["verdict"] == "passed" for r in right)
    caught_kernels = [r for r in faults if r["name"] in KERNEL_FAULTS and r["verdict"] == "failed"]
    broken = sum("contract" in r["caught_by"] for r in caught_kernels)
    plan = Plan()
    lines = [
        "# The gallery of faults: who is caught, by what, how soon",
        "",
        f"Made by `python -m gmmcompare.studies.gallery` with gmmcompare {__version__} on "
        f"{platform.machine()}, {os.cpu_count()} cores shared with other work. Every line of it is "
        "from real runs. The aim is 20 runs of every fault and 100 of every right sampler; the "
        "study goes on from where it stopped, and the tables say how many runs there are.",
        "",
        f"- {caught} of {len(faults)} validations of a planted fault came out *failed*.",
        f"- {passed} of {len(right)} validations of a right sampler came out *passed*.",
        f"- The diagnosis named the planted fault first in {_share(caught_kernels, 1)} and among "
        f"the first three in {_share(caught_kernels, 3)} of the validations in which a fault of a "
        f"kernel was caught. In {broken} of these the kernel broke the contract, which ends a "
        "validation before there is a signature to compare. The stored signatures come from "
        "another seed.",
        "",
        f"The false-alarm rate of the invariance test is {ALPHA:g} in all, however long it runs: "
        "it is a bet whose wealth a right kernel multiplies by 10^5 with probability 10^-5 (Ville "
        f"1939). These priors and sizes get replicates of 5 sweeps: {_scenes(plan)}; the sparse "
        "prior takes the place of the asymmetric one for kernels that refuse vectors. Other sizes "
        f"and units come last. A prior whose wealth is then above {1 / FOLLOWED:.0f} is followed "
        f"to {plan.most // plan.base} times as many.",
        "",
        "## Faults",
        "",
        "Replicates are those until the verdict. Processor seconds are those of the whole "
        "validation on one core, from starting Python's child processes to the diagnosis.",
        "",
        "| fault | runs | failed | caught by | replicates: median, most | "
        "processor seconds: median | named first | in first three |",
        "|---|---|---|---|---|---|---|---|",
        *_table(faults, fault_names(), "failed"),
        "",
        "## Right samplers",
        "",
        "`engine:gibbs` and `nuts` are whole samplers: their replicates are runs, ranked by SBC.",
        "",
        "| sampler | mode | runs | passed | replicates: median, most | processor seconds: median |",
        "|---|---|---|---|---|---|",
        *_right_table(right),
        "",
        "## What each fault is",
        "",
        "| fault | the mistake | what it does |",
        "|---|---|---|",
        *(f"| {name} | `{f.mistake}` | {f.effect} |" for name, f in FAULTS.items()),
    ]
    return "\n".join(lines) + "\n"


def _scenes(plan: Plan) -> str:
    return ", ".join(
        f"{s.name} (K={s.K}, N={s.N}) {plan.base * s.share:,.0f}"
        for s in SCENES
        if not s.instead_of
    )


def _share(rows: Sequence[dict[str, Any]], within: int) -> str:
    hits = sum(0 < r["rank"] <= within for r in rows)
    return f"{hits} of {len(rows)}"


def _table(rows: Sequence[dict[str, Any]], names: Sequence[str], wanted: str) -> Iterator[str]:
    for name in names:
        own = [r for r in rows if r["sampler"] == name]
        if not own:
            continue
        hits = sum(r["verdict"] == wanted for r in own)
        by = sorted({r["caught_by"] for r in own})
        n = [r["replicates"] for r in own]
        first = sum(r["rank"] == 1 for r in own)
        three = sum(0 < r["rank"] <= 3 for r in own)
        yield (
            f"| {name.removeprefix(PREFIX)} | {len(own)} | {hits} | {'; '.join(by)} | "
            f"{np.median(n):,.0f}, {max(n):,} | {_processor(own)} | {first} | {three} |"
        )


def _right_table(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    for name in right_names():
        for quick in (False, True):
            own = [r for r in rows if r["sampler"] == name and r["quick"] == quick]
            if own:
                n = [_replicates(r) for r in own]
                hits = sum(r["verdict"] == "passed" for r in own)
                yield (
                    f"| {name.removeprefix(PREFIX)} | {'quick' if quick else 'full'} | {len(own)} "
                    f"| {hits} | {np.median(n):,.0f}, {max(n):,} | {_processor(own)} |"
                )


def _processor(rows: Sequence[dict[str, Any]]) -> str:
    """Return the median of the processor's seconds, over the rows that have them."""
    known = [r["processor_seconds"] for r in rows if "processor_seconds" in r]
    return f"{np.median(known):.1f}" if known else "not measured"


def _replicates(row: dict[str, Any]) -> int:
    checks = row["checks"]
    return int((checks.get("invariance") or checks.get("sbc"))[1])


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the study, or write its report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--faults", type=int, default=0, help="repetitions of every fault")
    parser.add_argument("--right", type=int, default=0, help="repetitions of every right kernel")
    parser.add_argument("--quick", action="store_true", help="fewer replicates")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--workers", type=int, help="Dask workers on this machine, instead")
    parser.add_argument("--scheduler", help="of a running Dask cluster, instead")
    parser.add_argument("--report", type=Path)
    given = parser.parse_args(arguments)
    with open_tasks(given.workers, given.scheduler, given.jobs) as place:
        run_study(given.folder, fault_names(), given.faults, place, given.quick)
        run_study(given.folder, right_names(), given.right, place, given.quick)
    if given.report:
        given.report.write_text(report(given.folder), encoding="utf-8")


if __name__ == "__main__":
    main()

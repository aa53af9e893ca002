"""Run every benchmark and write ``reports/benchmarks.md`` and its figure."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from gmmcompare.runtime.files import write_text
from gmmcompare.studies import markdown
from gmmcompare.workflows.provenance import versions
from tests.benchmarks import cases, commands, growth

REPORT = Path("reports/benchmarks.md")
FIGURE = Path("reports/figures/growth.svg")


def main() -> None:
    sample, which = cases.exoplanets()
    groups = {
        "Gibbs, seconds per sweep, one core": cases.gibbs_rows(sample),
        "Gibbs, peak memory of 10,000 sweeps beyond the imports": cases.memory_rows(),
        "EM, seconds per start": cases.em_rows(sample),
        "EM on values with errors, processor seconds per start": cases.measured_rows(),
        "NUTS, seconds in sampling, 2 chains of 1,000 + 1,000": cases.nuts_rows(sample),
        f"Whole commands, against commit {commands.BEFORE}": commands.command_rows(),
    }
    tables = [block for title, rows in groups.items() for block in _group(title, rows)]
    page = markdown.page(
        "# Benchmarks",
        f"Written by `make bench` on {datetime.now(UTC):%Y-%m-%d}; do not edit. Data: {which}, "
        f"{sample.n:,} radii, {sample.n_distinct:,} distinct, K = 3. Contenders of a group ran in "
        "turn in one process; a ratio is the median over rounds of the ratio within a round.",
        f"Machine: {_processor()}, {os.cpu_count()} cores; "
        + ", ".join(f"{k} {v}" for k, v in versions().items())
        + ".",
        *tables,
        *_growth(),
    )
    write_text(REPORT, page)
    print(REPORT)


def _group(title: str, rows: Iterable[cases.Row]) -> tuple[str, str]:
    print(title, file=sys.stderr)
    cells = []
    for row in rows:
        print(f"  {row}", file=sys.stderr)
        cells.append((row.what, row.median, row.spread, row.ratio, row.note))
    return f"## {title}", markdown.table(["", "median", "range", "ratio", ""], cells, "lrrrl")


def _growth() -> list[str]:
    sizes = _shown("N", growth.by_size())
    components = _shown("K", growth.by_components())
    chains = _shown("chains", growth.by_chains())
    growth.plot(sizes, components, FIGURE)
    memory = growth.memory_of_large_run()
    print(f"  memory {memory:.2f} times the data", file=sys.stderr)
    return [
        "## Growth of the Gibbs sweep",
        markdown.figure("time per sweep", f"figures/{FIGURE.name}"),
        markdown.table(
            ["N (all distinct), K = 3", "microseconds per sweep", "nanoseconds per value"],
            [(f"{n:,}", f"{1e6 * s:,.1f}", f"{1e9 * s / n:.2f}") for n, s in sizes],
            "rrr",
        ),
        markdown.table(
            ["K, N = 10,000", "microseconds per sweep"],
            [(k, f"{1e6 * s:,.1f}") for k, s in components],
            "rr",
        ),
        markdown.table(
            ["chains at a time", "microseconds per sweep of each"],
            [(c, f"{1e6 * s:,.1f}") for c, s in chains],
            "rr",
        ),
        f"Peak memory of 100 sweeps at N = 10,000,000, K = 3, beyond imports and data: "
        f"{memory:.2f} times the data (8 N bytes); must be 5 or less, the data included.",
    ]


def _shown(name, points):  # type: ignore[no-untyped-def]
    found = []
    for x, seconds in points:
        print(f"  {name} = {x}: {1e6 * seconds:.1f} us", file=sys.stderr)
        found.append((x, seconds))
    return found


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


if __name__ == "__main__":
    main()

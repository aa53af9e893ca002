"""Does another checkout give the same draws, verdicts and numbers? For moves that change nothing.

``python -m tests.benchmarks.same_results OTHER [CARD ...]`` runs ``compare`` of every bundled card
in the folder OTHER, by the environment in its ``.venv``, and here, and lists what differs in
``comparison.json`` and in the fits. Ends with 1 if anything does.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

HERE = Path(__file__).resolve().parents[2]
OF_THE_RUN = {"version", "versions", "created", "command", "seconds", "schema"}
WORDS = {"sentence", "reasons", "codes", "notes", "status"}
"""Sentences may read better than they did; verdicts, suspects and numbers may not change."""
RENAMED = {"together[": "coclustering["}


def leaves(content: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the path and the value of every number and word of a JSON document."""
    if isinstance(content, dict):
        for key, value in content.items():
            if key not in OF_THE_RUN | WORDS:
                yield from leaves(value, f"{path}/{key}")
    elif isinstance(content, list):
        for i, value in enumerate(content):
            yield from leaves(value, f"{path}/{i}")
    else:
        for old, new in RENAMED.items():
            content = content.replace(old, new) if isinstance(content, str) else content
        yield path, content


def different(before: Any, after: Any) -> list[str]:
    """Return what differs between two documents, a line each."""
    a, b = dict(leaves(before)), dict(leaves(after))
    return [
        f"{path}: {a.get(path, 'absent')} -> {b.get(path, 'absent')}"
        for path in sorted(a.keys() | b.keys())
        if a.get(path, "absent") != b.get(path, "absent")
    ]


def different_draws(before: Path, after: Path) -> list[str]:
    """Return the arrays of draws, as the engine labelled them, that are not identical."""
    found = []
    with xr.open_datatree(before) as old, xr.open_datatree(after) as new:
        mine = new["posterior_raw" if "posterior_raw" in new.children else "posterior"]
        for name in ("w", "mu", "sigma"):
            a, b = old["posterior"][name].values, mine[name].values
            if not np.array_equal(a, b, equal_nan=True):
                found.append(f"{before.name} {name}: draws differ")
    return found


def compare_in(checkout: Path, card: str, out: Path) -> None:
    """Run the comparison of a card with the code of a checkout."""
    environment = {**os.environ, "PYTHONPATH": str(checkout), "XDG_CACHE_HOME": str(out / "cache")}
    subprocess.run(
        [
            *(checkout / ".venv" / "bin" / "python", "-m", "gmmcompare", "compare", card),
            *("--offline", "--fresh", "--out", out),
        ],
        cwd=checkout,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,  # a verdict is an exit code, too
    )


def main() -> None:
    """Compare the cards that are asked for, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("other", type=Path)
    parser.add_argument("cards", nargs="*")
    given = parser.parse_args()
    cards = given.cards or sorted(p.stem for p in (HERE / "models").glob("*.toml"))
    total = 0
    for card in cards:
        with tempfile.TemporaryDirectory() as folder:
            outs = [Path(folder) / "before", Path(folder) / "after"]
            for checkout, out in zip((given.other.resolve(), HERE), outs, strict=True):
                compare_in(checkout, card, out)
            before, after = (json.loads((o / "comparison.json").read_text()) for o in outs)
            found = different(before, after)
            for engine in before["engines"]:
                found += different_draws(*(o / "fits" / f"{engine}.nc" for o in outs))
        print(f"{card}: {before['verdict']}, {len(dict(leaves(before)))} values:", end=" ")
        print(f"{len(found)} differ" if found else "all the same")
        print("".join(f"  {line}\n" for line in found), end="")
        total += len(found)
    sys.exit(total > 0)


if __name__ == "__main__":
    main()

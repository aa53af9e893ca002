"""Files of simulated values in partitions, for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gmmcompare.model.mixture import simulate
from gmmcompare.model.params import Params

TRUTH = Params.of([0.5, 0.3, 0.2], [-1.0, 0.5, 4.0], [0.4, 1.0, 0.3])


def values(n: int, seed: int = 1) -> np.ndarray:
    """Return values in random order, some of them equal."""
    y = simulate(TRUTH, n, np.random.default_rng(seed))[0]
    y[: n // 3] = np.round(y[: n // 3], 3)
    return np.random.default_rng(seed + 1).permutation(y)


def write_parquet(folder: Path, y: np.ndarray, files: int, rows_per_group: int = 10**6) -> str:
    """Write values to Parquet files of about one size; return the glob that matches them."""
    folder.mkdir(parents=True, exist_ok=True)
    for i, part in enumerate(np.array_split(y, files)):
        table = pa.table({"name": [f"s{j}" for j in range(part.size)], "mag": part})
        pq.write_table(table, folder / f"{i:03}.parquet", row_group_size=rows_per_group)
    return str(folder / "*.parquet")

"""Draw the stand-in for radii with errors: ``python data/simulate_exoplanets_errors.py [OUT.csv]``.

True log10 radii come from the same mixture as those of `simulate_exoplanets`; here each is measured
with an error of its own, and the errors are spread as the archive's are: of log10 radii the median
error is 0.035, and 90 % lie between 0.008 and 0.17. About three radii in ten have no error, as in
the archive, where they were computed from a mass. Upper and lower errors differ a little, the lower
is negative, and all are rounded as papers round.

Only the standard library is used: Python keeps the sequence of `random.Random` from version to
version, which NumPy does not promise, so the committed file can be made again on any machine.
"""

from __future__ import annotations

import csv
import math
import random
import sys
from pathlib import Path

from simulate_exoplanets import COMPONENTS, EARTH_RADII_PER_JUPITER_RADIUS, WEIGHTS

SEED = 4340
N_PLANETS = 6200
SHARE_WITH_ERRORS = 0.7
MEDIAN_ERROR = 0.035  # of log10 radius
LOG_SD_OF_ERRORS = 0.93
LARGEST_ERROR = 0.4
DECIMALS = 3  # of a radius and its errors in Earth radii


def draw_row(rng: random.Random, name: str) -> list[str]:
    """One planet: name, radius, upper and lower error in Jupiter radii, limit flag."""
    component = rng.choices(COMPONENTS, WEIGHTS)[0]
    true = component.inv_cdf(rng.random())
    error = LARGEST_ERROR + 1.0
    while error > LARGEST_ERROR:
        error = MEDIAN_ERROR * math.exp(LOG_SD_OF_ERRORS * rng.gauss(0.0, 1.0))
    measured = EARTH_RADII_PER_JUPITER_RADIUS * 10 ** (true + error * rng.gauss(0.0, 1.0))
    radius = round(measured, DECIMALS)
    if rng.random() >= SHARE_WITH_ERRORS:
        return [name, f"{radius / EARTH_RADII_PER_JUPITER_RADIUS:.6f}", "", "", "0"]
    linear = error * math.log(10.0) * radius
    skew = rng.choice((1.0, 1.0, rng.uniform(0.8, 1.2)))
    upper, lower = (max(round(linear * f, DECIMALS), 0.001) for f in (skew, 2.0 - skew))
    cells = (radius, upper, -lower)
    return [name, *(f"{x / EARTH_RADII_PER_JUPITER_RADIUS:.6f}" for x in cells), "0"]


def write(path: Path) -> None:
    """Write the whole data set."""
    rng = random.Random(SEED)
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["pl_name", "pl_radj", "pl_radjerr1", "pl_radjerr2", "pl_radjlim"])
        rows.writerows([draw_row(rng, f"sim-{i:04d}") for i in range(1, N_PLANETS + 1)])


if __name__ == "__main__":
    here = Path(__file__).parent / "exoplanets-errors-simulated.csv"
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else here)

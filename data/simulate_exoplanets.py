"""Draw the stand-in for the exoplanet radii: ``python data/simulate_exoplanets.py [OUT.csv]``.

The radii come from the published three-component fit of log10(radius), and are then rounded the way
the archive's are: a paper reports Earth radii with few decimals, and the archive divides them by
11.209. Rounding is what makes ties, and ties are what engines that work on distinct values need to
be tried on.

Only the standard library is used: Python keeps the sequence of `random.Random` from version to
version, which NumPy does not promise, so the committed file can be made again on any machine.
"""

from __future__ import annotations

import csv
import random
import sys
from pathlib import Path
from statistics import NormalDist

SEED = 6078
N_PLANETS = 6078
WEIGHTS = (0.6711, 0.1886, 0.1403)
COMPONENTS = (
    NormalDist(-0.7260, 0.2063),
    NormalDist(0.0682, 0.0262),
    NormalDist(0.0281, 0.1435),
)
EARTH_RADII_PER_JUPITER_RADIUS = 11.209

# Decimals of a published radius in Earth radii, and how often each is used. Small planets are
# mostly given to two; giants to one, or converted from Jupiter radii, which leaves many.
LARGE = 8.0
DECIMALS_SMALL = ((1, 2, 3, 5), (0.10, 0.70, 0.10, 0.10))
DECIMALS_LARGE = ((1, 2, 3, 5), (0.60, 0.10, 0.05, 0.25))


def draw_radius(rng: random.Random) -> float:
    """One radius in Jupiter radii, rounded as the archive rounds."""
    component = rng.choices(COMPONENTS, WEIGHTS)[0]
    earth_radii = EARTH_RADII_PER_JUPITER_RADIUS * 10 ** component.inv_cdf(rng.random())
    decimals = rng.choices(*(DECIMALS_LARGE if earth_radii >= LARGE else DECIMALS_SMALL))[0]
    return round(earth_radii, decimals) / EARTH_RADII_PER_JUPITER_RADIUS


def write(path: Path) -> None:
    """Write the whole data set."""
    rng = random.Random(SEED)
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["pl_name", "pl_radj"])
        rows.writerows([f"sim-{i:04d}", f"{draw_radius(rng):.6f}"] for i in range(1, N_PLANETS + 1))


if __name__ == "__main__":
    write(
        Path(
            sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "exoplanets-simulated.csv"
        )
    )

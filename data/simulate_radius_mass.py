"""Write radius-mass-simulated.csv: 2,325 planets that do not exist, with radius and mass.

Drawn from the maximum-likelihood mixture of four bivariate normals of log10 radius and log10 mass
(Jupiter units) of the 2,325 planets in the NASA Exoplanet Archive's table pscomppars of 25 April
2026 whose mass was measured (pl_bmassprov = Mass), found by gmmcompare's EM from 100 starts.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gmmcompare.model.multivariate.density import simulate
from gmmcompare.model.multivariate.params import MultivariateParams

FIT = MultivariateParams.of(
    [0.3269, 0.1334, 0.1996, 0.3401],
    [[-0.6203, -1.5583], [-0.5933, -0.9856], [0.0609, 0.6696], [0.0734, 0.0334]],
    [
        [[0.060907, 0.096299], [0.096299, 0.191060]],
        [[0.144287, 0.215596], [0.215596, 1.059280]],
        [[0.000460, -0.010416], [-0.010416, 0.236262]],
        [[0.008291, 0.011186], [0.011186, 0.220253]],
    ],
)


def main() -> None:
    """Write the file beside this script, the same on every run."""
    rng = np.random.default_rng(20260425)
    y, _ = simulate(FIT._replace(w=FIT.w / FIT.w.sum()), 2325, rng)
    radius = np.round(10.0 ** y[:, 0], 3)
    mass = 10.0 ** y[:, 1]
    lines = ["pl_name,pl_radj,pl_bmassj"]
    for i, (r, m) in enumerate(zip(radius, mass, strict=True)):
        lines.append(f"sim-{i + 1:04d},{max(r, 0.001):.3f},{m:.3g}")
    path = Path(__file__).parent / "radius-mass-simulated.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

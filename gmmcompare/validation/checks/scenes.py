"""The small problems on which a sampler is tried: few observations, proper priors, nothing 0 or 1.

With thousands of observations a dropped prior term or a shape off by one half moves the posterior
by less than Monte Carlo noise. With twelve, components are often empty or hold one observation, and
the prior counts as much as the data.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors


@dataclass(frozen=True)
class Scene:
    """One prior, one number of components and observations, and how many sweeps are made.

    ``vector`` says whether fields of the prior differ between components, which not every sampler
    takes. ``share`` is the part of a plan's replicates that it gets. ``instead_of`` names a scene
    whose place it takes where a sampler does not accept that.
    """

    name: str
    priors: Priors
    K: int = 3
    N: int = 12
    sweeps: int = 5
    share: float = 1.0
    instead_of: str = ""

    @property
    def vector(self) -> bool:
        """Whether any field of the prior is a vector."""
        return any(np.ndim(getattr(self.priors, f.name)) for f in fields(self.priors))

    @property
    def main(self) -> bool:
        """Whether faults are sought here in earnest, and not just in other sizes or units."""
        return self.share == 1

    @property
    def crowded(self) -> bool:
        """Whether most components hold one observation or none."""
        return self.N < self.K

    @property
    def key(self) -> int:
        """A number for its random streams."""
        return int.from_bytes(self.name.encode()[:4])

    @property
    def about(self) -> str:
        """Sizes and unit, for messages."""
        centre, spread = (np.asarray(p).mean() for p in (self.priors.mean_loc, self.priors.mean_sd))
        return f"K = {self.K}, N = {self.N}, means near {centre:g} +- {spread:g}"

    def expanded(self) -> Scene:
        """Return the same scene with every field of the prior of shape (K,)."""
        return replace(self, priors=self.priors.expanded(self.K))

    def sample_joint(self, rng: np.random.Generator, n: int) -> tuple[Params, Array]:
        """Draw parameters from the prior and data given them: (n, K) each, and (n, N)."""
        p = self.priors.expanded(self.K)
        c, m0, s0, a, b = (np.asarray(getattr(p, f.name)) for f in fields(p))
        w = rng.dirichlet(c, size=n)
        mu = rng.normal(m0, s0, size=(n, self.K))
        sigma = np.sqrt(b / rng.standard_gamma(a, size=(n, self.K)))
        passed = rng.random((n, self.N, 1)) > np.cumsum(w, axis=1)[:, None, :-1]
        z = passed.sum(axis=2)
        rows = np.arange(n)[:, None]
        y = rng.normal(mu[rows, z], sigma[rows, z])
        return Params(w, mu, sigma), y


CALIBRATION = Scene("calibration", Priors(2.0, 0.5, 1.5, 3.0, 1.0))
# Small concentrations leave components empty and tie the weights closely to the allocations: there
# a weight that is one sweep old shows with a tenth of the replicates.
ASYMMETRIC = Scene(
    "asymmetric",
    Priors([0.2, 0.3, 0.5], [-0.5, 0.5, 1.5], [2.0, 3.0, 4.0], [3.0, 4.0, 2.5], [1.0, 0.5, 2.0]),
)
SPARSE = Scene("sparse", Priors(0.3, 0.5, 3.0, 3.0, 1.0), instead_of=ASYMMETRIC.name)

# What is wrong only for another number of components or observations, or in another unit, is mostly
# gross (a constant 3, a loop that ends early, a floor under sigma, squares that cancel in single
# precision), so an eighth of the replicates will do. With five components for three observations
# most hold one or none, and a weak prior of the variance lets the one count.
TWO = replace(CALIBRATION, name="two-component", K=2, N=40, share=1 / 8)
_WEAK = replace(CALIBRATION.priors, weight_concentration=1.0, var_shape=0.7, var_scale=0.3)
FIVE = replace(CALIBRATION, name="five-component", priors=_WEAK, K=5, N=3, share=1 / 8)
_SMALL, _LARGE = (CALIBRATION.priors.transformed(*unit) for unit in ((-5e3, 1e3), (-20.0, 1e-3)))
SMALL_UNIT = replace(CALIBRATION, name="small-unit", priors=_SMALL, share=1 / 8)
LARGE_UNIT = replace(CALIBRATION, name="large-unit", priors=_LARGE, share=1 / 8)

SCENES = (CALIBRATION, ASYMMETRIC, SPARSE, TWO, FIVE, SMALL_UNIT, LARGE_UNIT)
"""Where kernels are tried; of whole samplers, the first that they accept is ranked."""

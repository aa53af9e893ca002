"""Simulated draws of any posterior: chains whose distribution and autocorrelation are known.

Every scalar is a transform of a stationary Gaussian chain, so that its distribution is exact at
every draw, whatever the autocorrelation; scalars depend on each other through a common factor.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr, ndtri

from gmmcompare.comparison.general import GeneralDraws
from gmmcompare.model.params import Array
from gmmcompare.studies.simulated import gaussian_chains

RARE = 0.05
"""Probability of the small mode, where one may be missing."""
APART = 6.0
"""How far modes are from each other, in sds of one."""


@dataclass(frozen=True)
class Chains:
    """How a sampler runs: number and length of its chains, and their lag-one autocorrelation."""

    chains: int
    draws: int
    rho: float

    @property
    def ess(self) -> float:
        """Effective sample size of a mean of the Gaussian chains, all chains together."""
        return self.chains * self.draws * (1.0 - self.rho) / (1.0 + self.rho)


@dataclass(frozen=True)
class Target:
    """A distribution of d scalars.

    Parameters
    ----------
    shape : "normal", "heavy", "bimodal" or "rare mode"
        Of each scalar: heavy is Student's t with 2 degrees of freedom, which has no variance;
        bimodal has two equal modes; and of a rare mode, `RARE`, only the first scalar has one.
    d : int
        Number of scalars.
    correlation : float
        Of the Gaussian scalars, two by two. A negative one is of each other scalar with the first.
    shift : float
        By which the first scalar is moved, in its sds (of the Gaussian).
    without_mode : bool
        Whether the rare mode is missing.
    """

    shape: str
    d: int
    correlation: float = 0.0
    shift: float = 0.0
    without_mode: bool = False

    def draw(self, name: str, run: Chains, rng: np.random.Generator) -> GeneralDraws:
        """Simulate a sampler of the target.

        Parameters
        ----------
        name : str
        run : Chains
        rng : numpy.random.Generator
        """
        size = (run.chains, run.draws)
        z = np.stack([gaussian_chains(run.rho, size, rng) for _ in range(self.d)], axis=-1)
        if self.correlation:
            common = gaussian_chains(run.rho, size, rng)[..., None]
            share = abs(self.correlation)
            signs = np.where(np.arange(self.d) % 2, np.sign(self.correlation), 1.0)
            z = signs * np.sqrt(share) * common + np.sqrt(1.0 - share) * z
        return GeneralDraws(name, {"theta": self._shaped(z)})

    def changed(self, **what: float | bool) -> Target:
        """Return the target with a difference."""
        return replace(self, **what)  # type: ignore[arg-type]

    def _shaped(self, z: Array) -> Array:
        if self.shape == "heavy":
            u = ndtr(z)
            x = (2.0 * u - 1.0) / np.sqrt(2.0 * u * (1.0 - u))
        elif self.shape == "bimodal":
            x = z + 0.5 * APART * np.sign(z)
        else:
            x = z
            if self.shape == "rare mode":
                u = ndtr(z[..., 0]) * (1.0 - RARE if self.without_mode else 1.0)
                x[..., 0] = ndtri(u) + APART * (u > 1.0 - RARE)
        x[..., 0] += self.shift
        return np.asarray(x)

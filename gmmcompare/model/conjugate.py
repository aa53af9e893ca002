"""The conjugate prior of a normal component: its mean is known to a fraction of its sd."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from gmmcompare.model.component_priors import (
    ComponentPriors,
    log_gamma_draws,
    variance_terms,
    weight_terms,
)
from gmmcompare.model.params import Array, Params

SMALLEST_SHAPE = 0.05
"""Below it a variance exceeds every floating-point number with a probability that is not tiny, and
so does a mean whose scale is its root."""


@dataclass(frozen=True, eq=False)
class ConjugatePriors(ComponentPriors):
    """Dirichlet weights, and normal-inverse-gamma components; each field a float or (K,).

    ``w ~ Dirichlet(weight_concentration)``, ``sigma_k**2 ~ InverseGamma(var_shape, var_scale)`` as
    for `Priors`, and given sigma_k ``mu_k ~ Normal(mean_loc, sigma_k / sqrt(mean_count))``, with a
    standard deviation: the prior counts as ``mean_count`` observations of each mean.

    Raises
    ------
    InputError
        If a field is not a number or a vector, is not finite, or is not positive where it must be.
    """

    family: ClassVar[str] = "normal-conjugate"
    POSITIVE: ClassVar[tuple[str, ...]] = (
        "weight_concentration",
        "mean_count",
        "var_shape",
        "var_scale",
    )

    weight_concentration: ArrayLike = 1.0
    mean_loc: ArrayLike = 0.0
    mean_count: ArrayLike = 0.1
    var_shape: ArrayLike = 2.0
    var_scale: ArrayLike = 1.0

    def transformed(self, shift: float, scale: float) -> Self:
        """Return the priors of the same model for data ``(y - shift) / scale``."""
        return replace(
            self,
            mean_loc=(np.asarray(self.mean_loc) - shift) / scale,
            var_scale=np.asarray(self.var_scale) / scale**2,
        )

    def log_terms(self, params: Params) -> Array:
        """Return each component's term of `log_density`, shape (..., K)."""
        p = self.expanded(params.K)
        m0, count = np.asarray(p.mean_loc), np.asarray(p.mean_count)
        with np.errstate(divide="ignore", over="ignore"):
            means = -0.5 * count * ((params.mu - m0) / params.sigma) ** 2 - np.log(params.sigma)
        means = means + 0.5 * np.log(count / (2 * np.pi))
        shape, scale = np.asarray(p.var_shape), np.asarray(p.var_scale)
        weights = weight_terms(np.asarray(p.weight_concentration), params.w)
        return np.asarray(weights + means + variance_terms(shape, scale, params.sigma))

    def sample(self, rng: np.random.Generator, K: int) -> Params:
        """Draw one point from the prior, arrays of shape (K,)."""
        p = self.expanded(K)
        log_g = log_gamma_draws(rng, np.asarray(p.weight_concentration))
        w = np.exp(log_g - log_g.max())
        log_precision = log_gamma_draws(rng, np.asarray(p.var_shape)) - np.log(
            np.asarray(p.var_scale)
        )
        with np.errstate(over="ignore"):  # under a nearly improper prior sigma may be inf
            sigma = np.exp(-0.5 * log_precision)
        noise = rng.standard_normal(K)
        mu = np.asarray(p.mean_loc) + sigma / np.sqrt(np.asarray(p.mean_count)) * noise
        return Params(w / w.sum(), mu, sigma)

    def draw(self, n: int, rng: np.random.Generator, K: int) -> Params:
        """Draw n points from a prior that is not nearly improper.

        Parameters
        ----------
        n : int
        rng : numpy.random.Generator
        K : int

        Returns
        -------
        Params
            Arrays of shape (n, K).
        """
        p = self.expanded(K)
        w = rng.dirichlet(np.asarray(p.weight_concentration), size=n)
        gamma = rng.standard_gamma(np.asarray(p.var_shape), size=(n, K))
        sigma = np.sqrt(np.asarray(p.var_scale) / gamma)
        noise = rng.standard_normal((n, K))
        mu = np.asarray(p.mean_loc) + sigma / np.sqrt(np.asarray(p.mean_count)) * noise
        return Params(w, mu, sigma)

"""The priors of a comparison: one frozen object, shared by every engine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from gmmcompare.model.component_priors import (
    ComponentPriors,
    variance_terms,
    weight_terms,
)
from gmmcompare.model.component_priors import log_gamma_draws as log_gamma_draws
from gmmcompare.model.params import Array, Params


@dataclass(frozen=True, eq=False)
class Priors(ComponentPriors):
    """Dirichlet weights, normal means, inverse-gamma variances; each field a float or (K,).

    ``w ~ Dirichlet(weight_concentration)``, ``mu_k ~ Normal(mean_loc, mean_sd)`` and
    ``sigma_k**2 ~ InverseGamma(var_shape, var_scale)`` with density
    ``b**a / Gamma(a) * x**(-a-1) * exp(-b/x)``, a the shape and b the scale.

    Raises
    ------
    InputError
        If a field is not a number or a vector, is not finite, or is not positive where it must be.
    """

    POSITIVE: ClassVar[tuple[str, ...]] = (
        "weight_concentration",
        "mean_sd",
        "var_shape",
        "var_scale",
    )

    weight_concentration: ArrayLike = 1.0
    mean_loc: ArrayLike = 0.0
    mean_sd: ArrayLike = 30.0
    var_shape: ArrayLike = 1e-4
    var_scale: ArrayLike = 1e-4

    def transformed(self, shift: float, scale: float) -> Self:
        """Return the priors of the same model for data ``(y - shift) / scale``."""
        return replace(
            self,
            mean_loc=(np.asarray(self.mean_loc) - shift) / scale,
            mean_sd=np.asarray(self.mean_sd) / scale,
            var_scale=np.asarray(self.var_scale) / scale**2,
        )

    def log_terms(self, params: Params) -> Array:
        """Return each component's term of `log_density`, shape (..., K)."""
        p = self.expanded(params.K)
        m0, s0 = np.asarray(p.mean_loc), np.asarray(p.mean_sd)
        weights = weight_terms(np.asarray(p.weight_concentration), params.w)
        means = -0.5 * ((params.mu - m0) / s0) ** 2 - np.log(s0) - 0.5 * np.log(2 * np.pi)
        shape, scale = np.asarray(p.var_shape), np.asarray(p.var_scale)
        return np.asarray(weights + means + variance_terms(shape, scale, params.sigma))

    def sample(self, rng: np.random.Generator, K: int) -> Params:
        """Draw one point from the prior, arrays of shape (K,)."""
        p = self.expanded(K)
        log_g = log_gamma_draws(rng, np.asarray(p.weight_concentration))
        w = np.exp(log_g - log_g.max())
        mu = rng.normal(np.asarray(p.mean_loc), np.asarray(p.mean_sd))
        log_precision = log_gamma_draws(rng, np.asarray(p.var_shape)) - np.log(p.var_scale)
        with np.errstate(over="ignore"):  # under a nearly improper prior sigma may be inf
            sigma = np.exp(-0.5 * log_precision)
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
        mu = rng.normal(np.asarray(p.mean_loc), np.asarray(p.mean_sd), size=(n, K))
        gamma = rng.standard_gamma(np.asarray(p.var_shape), size=(n, K))
        return Params(w, mu, np.sqrt(np.asarray(p.var_scale) / gamma))

"""Mixtures of normals under other priors as models: only what is unknown is a parameter.

What samplers of these are tested on: few observations, and nothing 0 or 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gmmcompare.model.conjugate import ConjugatePriors
from gmmcompare.model.mixture_model import MixtureModel
from gmmcompare.model.params import Array, Params
from gmmcompare.model.points import Points
from gmmcompare.model.priors import Priors
from gmmcompare.model.restricted import RestrictedPriors
from gmmcompare.runtime.errors import InputError, did_you_mean

TESTED: Mapping[str, Priors | ConjugatePriors] = {
    "normal-conjugate": ConjugatePriors(2.0, 0.5, 0.4, 3.0, 1.0),
    "known-sds": RestrictedPriors(2.0, 0.5, 1.5, sds=[0.4, 0.9, 1.6]),
    "shared-sd": RestrictedPriors(2.0, 0.5, 1.5, 3.0, 1.0, shared_sd=True),
    "fixed-weights": RestrictedPriors(2.0, 0.5, 1.5, 3.0, 1.0, weights=[0.5, 0.3, 0.2]),
}
"""The priors under which samplers of a family are tested, by what ``validate --family`` takes."""
K, N = 3, 12


def family_tested(priors: Any) -> str:
    """Return what ``validate --family`` calls the family of priors."""
    if not isinstance(priors, RestrictedPriors):
        return str(priors.family)
    if priors.sds is not None:
        return "known-sds"
    return "shared-sd" if priors.shared_sd else "fixed-weights"


@dataclass(frozen=True)
class FamilyModel:
    """A mixture of K normals for N observations under one of the priors of `TESTED`."""

    family: str

    def __post_init__(self) -> None:
        if self.family not in TESTED:
            raise InputError(
                f"there is no family {self.family!r}{did_you_mean(self.family, TESTED)}; samplers "
                f"can be tested under: {', '.join(TESTED)} (without --family: {TEST_OF_PRIORS})"
            )

    @property
    def priors(self) -> Priors | ConjugatePriors:
        """The priors, as a sampler is given them."""
        return TESTED[self.family]

    @property
    def parameters(self) -> dict[str, tuple[int, ...]]:
        """Means, and weights and sds as far as they are unknown; a shared sd is one number."""
        n_sds = self.priors.free_sds(K).shape[1]
        weights: dict[str, tuple[int, ...]] = {"w": (K,)} if self.priors.free_weights else {}
        sds: dict[str, tuple[int, ...]] = {"sigma": (K,) if n_sds == K else ()} if n_sds else {}
        return {**weights, "mu": (K,), **sds}

    @property
    def symmetries(self) -> tuple[tuple[str, ...], ...]:
        """Components may be permuted where all have the same prior."""
        if not self.priors.exchangeable:
            return ()
        return (tuple(name for name, shape in self.parameters.items() if shape),)

    def params(self, theta: Points) -> Params:
        """Return all of w, mu and sigma, (..., K), of one point or many."""
        mu = np.asarray(theta["mu"], dtype=float)
        free = self.priors.free_sds(K).shape[1]
        sigma = np.asarray(theta["sigma"], dtype=float) if free else np.ones(mu.shape)
        if free == 1:
            sigma = np.repeat(sigma[..., None], K, axis=-1)
        w = np.asarray(theta["w"], dtype=float) if self.priors.free_weights else np.ones(mu.shape)
        return self.priors.kept(Params(w, mu, sigma))

    def theta(self, params: Params) -> Points:
        """Return what is unknown of (w, mu, sigma)."""
        found = {"mu": params.mu}
        if "w" in self.parameters:
            found["w"] = params.w
        if "sigma" in self.parameters:
            found["sigma"] = params.sigma if self.parameters["sigma"] else params.sigma[..., 0]
        return {name: found[name] for name in self.parameters}

    def draw_prior(self, n: int, rng: np.random.Generator) -> Points:
        """Draw n points."""
        return self.theta(self.priors.draw(n, rng, K))

    def draw_data(self, theta: Points, rng: np.random.Generator) -> Array:
        """Draw N observations for each point, shape (n, N)."""
        return self._mixture.draw_data(self.params(theta)._asdict(), rng)

    def log_prior(self, theta: Points) -> Array:
        """Return the log prior density of what is unknown, over sigma itself, shape (n,)."""
        sigma = np.asarray(theta.get("sigma", 1.0), dtype=float)
        inside = np.reshape(sigma > 0, (*np.shape(sigma)[:1], -1)).all(axis=-1)
        with np.errstate(all="ignore"):
            params = self.params(theta)
            inside = inside & (params.w >= 0).all(axis=-1)
            found = self.priors.log_density(params)
            if "sigma" in theta:  # `log_density` is over sigma squared
                found = found + np.log(2.0 * sigma).reshape(len(sigma), -1).sum(axis=-1)
        return np.where(inside, found, -np.inf)

    def log_likelihood(self, theta: Points, y: Array) -> Array:
        """Return the log-likelihood of each point for its own data, labels summed out, (n,)."""
        return self._mixture.log_likelihood(self.params(theta)._asdict(), y)

    @property
    def _mixture(self) -> MixtureModel:
        return MixtureModel(K, N, Priors())


TEST_OF_PRIORS = "Dirichlet weights, independent normal means and inverse-gamma variances"

"""Samplers that update one block after another, with a bug in a block or in their order."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import gammaln

from gmmcompare.model.params import Array
from gmmcompare.model.points import Points
from gmmcompare.validation.faults.museum.models import HeavyTails, Volatility

_TAILS, _VOLATILITY = HeavyTails(), Volatility()


def signs_swapped(
    theta: Points, y: Array, rng: np.random.Generator, repaired: bool = False
) -> dict[str, Any]:
    """Update variances given nu, and nu given them by a density with two signs right or swapped.

    A variance is inverse gamma with shape nu / 2 and scale (nu - 2) / 2, so that its mean is one.
    """
    nu = float(theta["nu"])
    shape, scale = 0.5 * (nu + 1.0), 0.5 * (nu - 2.0 + y**2)
    v = scale / rng.standard_gamma(shape, size=y.shape)
    scale_shift, power_shift = (-2.0, 2.0) if repaired else (2.0, -2.0)

    def log_density(at: float) -> float:
        normaliser = 0.5 * at * np.log(0.5 * (at + scale_shift)) - gammaln(0.5 * at)
        powers = 0.5 * (at + power_shift) * np.log(v) + 0.5 * (at - 2.0) / v
        return float(len(v) * normaliser - powers.sum() - (at - 2.0) / _TAILS.mean)

    new = 2.0 + (nu - 2.0) * np.exp(rng.normal())
    ratio = log_density(new) - log_density(nu) + np.log((new - 2.0) / (nu - 2.0))
    return {"nu": new if np.log(rng.random()) < ratio else nu, "v": v}


def indicators_too_early(
    theta: Points, y: Array, rng: np.random.Generator, repaired: bool = False
) -> dict[str, Any]:
    """Draw indicators right before they are used, or before mu, which is drawn without them.

    mu is drawn given h alone, with the indicators summed out. So they have to be drawn anew before
    h is drawn given them: indicators, mu, h is not an order in which all three leave their joint
    distribution as it is (Del Negro and Primiceri 2015, Rev. Econ. Stud. 82).
    """
    model, mu, h = _VOLATILITY, float(theta["mu"]), float(theta["h"])

    def log_density(at: float) -> float:
        points = {"mu": np.array([at]), "h": np.array([h])}
        return float(model.log_likelihood(points, y[None])[0] - 0.5 * at**2)

    def draw_indicators() -> Array:
        joint = model.log_joint(model.log_squares(mu, y) - h)
        second = 1.0 / (1.0 + np.exp(joint[:, 0] - joint[:, 1]))
        return (rng.random(len(y)) < second).astype(int)

    if not repaired:
        s = draw_indicators()
    for length in (2.0, 0.7, 0.2):
        new = mu + length * rng.normal()
        if np.log(rng.random()) < log_density(new) - log_density(mu):
            mu = new
    if repaired:
        s = draw_indicators()
    precision = 1.0 + (model.sds[s] ** -2.0).sum()
    mean = ((model.log_squares(mu, y) - model.means[s]) / model.sds[s] ** 2).sum() / precision
    return {"mu": mu, "h": mean + rng.normal() / np.sqrt(precision)}

"""Metropolis steps with a wrong acceptance ratio, each beside the ratio as it should be."""

from __future__ import annotations

from typing import Any

import numpy as np

from gmmcompare.model.params import Array
from gmmcompare.model.points import Points
from gmmcompare.validation.faults.museum.models import Box, Coin, Rate, Spread

_BOX, _COIN, _RATE, _SPREAD = Box(), Coin(), Rate(), Spread()


def walk_in_logs(
    theta: Points, y: Array, rng: np.random.Generator, repaired: bool = False
) -> dict[str, Any]:
    """Multiply by a lognormal factor, which is no symmetric step, and correct for that or not."""
    rate = float(theta["rate"])
    new = rate * np.exp(0.8 * rng.normal())
    ratio = _RATE.log_density(new, y) - _RATE.log_density(rate, y)
    if repaired:
        ratio += np.log(new / rate)
    return {"rate": new if np.log(rng.random()) < ratio else rate}


def prior_as_proposal(
    theta: Points, y: Array, rng: np.random.Generator, repaired: bool = False
) -> dict[str, Any]:
    """Propose from the prior and divide by its density, or leave it in the ratio."""
    p = float(theta["p"])
    new = rng.beta(2.0, 2.0)
    ratio = _COIN.log_density(new, y) - _COIN.log_density(p, y)
    if repaired:  # the Beta(2, 2) density of either point
        ratio += np.log(p * (1.0 - p)) - np.log(new * (1.0 - new))
    return {"p": new if np.log(rng.random()) < ratio else p}


def redrawn_at_walls(
    theta: Points, y: Array, rng: np.random.Generator, repaired: bool = False
) -> dict[str, Any]:
    """Draw a step until it stays in the box, or once and reject it where it does not."""
    k = theta["k"]
    while True:
        new = k + 0.4 * rng.normal(size=2)
        inside = bool((new >= 0).all() and (new <= 1).all())
        if inside or repaired:
            break
    if not inside:
        return {"k": k}
    ratio = _BOX.log_density(new, y) - _BOX.log_density(k, y)
    return {"k": new if np.log(rng.random()) < ratio else k}


def log_scale_without_jacobian(
    theta: Points, y: Array, rng: np.random.Generator, repaired: bool = False
) -> dict[str, Any]:
    """Walk at random in (loc, log scale), with the density of the scale or that of its log.

    A sweep is four steps of several lengths.
    """
    loc, scale = float(theta["loc"]), float(theta["scale"])
    for length in (1.0, 0.5, 0.2, 0.05):
        new_loc = loc + length * rng.normal()
        new_scale = scale * np.exp(length * rng.normal())
        ratio = _SPREAD.log_density(new_loc, new_scale, y) - _SPREAD.log_density(loc, scale, y)
        if repaired:  # |d scale / d log scale| = scale
            ratio += np.log(new_scale) - np.log(scale)
        if np.log(rng.random()) < ratio:
            loc, scale = new_loc, new_scale
    return {"loc": loc, "scale": scale}

"""A whole sampler of the museum: walkers that move along lines through one another."""

from __future__ import annotations

import numpy as np

from gmmcompare.model.params import Array
from gmmcompare.validation.faults.museum.models import Plane

_MODEL = Plane()
_WALKERS = 10
_SCALE = 2.0


def stretch_by_walkers(
    y: Array,
    draws: int,
    warmup: int,
    chains: int,
    rng: np.random.Generator,
    repaired: bool = False,
) -> dict[str, Array]:
    """Accept a stretch by z ** (d - 1) with d the dimension, or with d the number of walkers.

    Goodman and Weare (2010, Comm. App. Math. Comp. Sci. 5). Each chain is an ensemble of its own,
    started from the prior; a draw is one of its walkers, each in turn.

    Parameters
    ----------
    y : ndarray, shape (2,)
    draws, warmup, chains : int
    rng : numpy.random.Generator
    repaired : bool, optional

    Returns
    -------
    dict
        ``{"x": (chains, draws, 2)}``.
    """
    x = rng.normal(size=(chains, _WALKERS, 2))
    d = x.shape[2] if repaired else _WALKERS
    out = np.empty((chains, draws, 2))
    half, every = _WALKERS // 2, np.arange(chains)[:, None]
    for i in range(-warmup, draws):
        for moving, others in ((slice(half), slice(half, None)), (slice(half, None), slice(half))):
            partner = x[:, others][every, rng.integers(half, size=(chains, half))]
            z = (1.0 + (_SCALE - 1.0) * rng.random((chains, half))) ** 2 / _SCALE
            new = partner + z[..., None] * (x[:, moving] - partner)
            ratio = (d - 1) * np.log(z) + _log_density(new, y) - _log_density(x[:, moving], y)
            accepted = np.log(rng.random((chains, half))) < ratio
            x[:, moving] = np.where(accepted[..., None], new, x[:, moving])
        if i >= 0:
            out[:, i] = x[:, i % _WALKERS]
    return {"x": out}


def _log_density(x: Array, y: Array) -> Array:
    """Return the log posterior density of points (..., 2)."""
    return np.asarray(-0.5 * (x**2 + ((y - x) / _MODEL.noise) ** 2).sum(axis=-1))

"""Posterior densities of the data on one grid, and how far those of two engines are apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gmmcompare.model import mixture
from gmmcompare.model.params import Array, Params
from gmmcompare.model.sample import Sample

GRID_POINTS = 512
BAND_DRAWS = 2000
"""Draws used for densities and bands, evenly thinned from all chains."""

ERRORS_AVERAGED = 200


@dataclass(frozen=True)
class DensityEstimate:
    """One engine's density on the grid, each array of shape (GRID_POINTS,).

    ``mean`` is the posterior mean of the mixture density, ``low`` and ``high`` its pointwise 5 %
    and 95 % quantiles (equal to the mean for a point estimate), ``plug_in`` the density at the
    posterior mean of the aligned parameters, as lectures draw it, and ``components`` (K, points)
    its weighted components.
    """

    mean: Array
    low: Array
    high: Array
    plug_in: Array
    components: Array


@dataclass(frozen=True)
class Distance:
    """Between two engines' mean densities: total variation, and both KL divergences in nats."""

    total_variation: float
    kl_ab: float
    kl_ba: float


def density_grid(sample: Sample) -> Array:
    """Return a grid that reaches half an sd beyond the data on either side."""
    margin = 0.5 * (sample.sd or 1.0)
    return np.linspace(sample.values[0] - margin, sample.values[-1] + margin, GRID_POINTS)


def estimate_density(aligned: Params, grid: Array) -> DensityEstimate:
    """Estimate the density from aligned draws, shape (chains, draws, K), or a point (1, 1, K)."""
    flat = Params(*(a.reshape(-1, aligned.K) for a in aligned))
    step = max(1, len(flat.w) // BAND_DRAWS)
    thinned = Params(*(a[::step] for a in flat))
    curves = np.exp(mixture.log_density(grid, thinned))
    low, high = np.quantile(curves, [0.05, 0.95], axis=0)
    plug_in = _plug_in_point(flat)
    return DensityEstimate(
        mean=curves.mean(axis=0),
        low=low,
        high=high,
        plug_in=np.exp(mixture.log_density(grid, plug_in)),
        components=np.exp(mixture.log_joint(grid, plug_in)).T,
    )


def measured_density(sample: Sample, point: Params, grid: Array) -> Array:
    """Return the density of measured values under one mixture of true ones.

    Averaged over the errors, of which at most `ERRORS_AVERAGED` are taken, at even quantiles.

    Parameters
    ----------
    sample : Sample
        With errors.
    point : Params
        Shape (K,).
    grid : ndarray, shape (n,)

    Returns
    -------
    ndarray, shape (n,)
    """
    s = np.sort(np.repeat(sample.s, sample.counts))
    n = min(ERRORS_AVERAGED, s.size)
    some = s[((np.arange(n) + 0.5) / n * s.size).astype(int)]
    curves = [np.exp(mixture.log_density(grid, point, np.full(grid.size, e))) for e in some]
    return np.asarray(np.mean(curves, axis=0))


def _plug_in_point(flat: Params) -> Params:
    """Posterior means; an sd that is infinite in some draws takes its median instead."""
    sigma = flat.sigma.mean(axis=0)
    sigma = np.where(np.isfinite(sigma), sigma, np.median(flat.sigma, axis=0))
    w = flat.w.mean(axis=0)
    return Params(w / w.sum(), flat.mu.mean(axis=0), sigma)


def distance(a: Array, b: Array, grid: Array) -> Distance:
    """Integrate the differences of two densities over the grid (trapezoid rule).

    Parameters
    ----------
    a, b : ndarray, shape (n,)
        The densities on the grid.
    grid : ndarray, shape (n,)
        Ascending.
    """
    tiny = 1e-300
    log_ratio = np.log(np.maximum(a, tiny)) - np.log(np.maximum(b, tiny))
    return Distance(
        0.5 * float(np.trapezoid(np.abs(a - b), grid)),
        float(np.trapezoid(a * log_ratio, grid)),
        float(np.trapezoid(-b * log_ratio, grid)),
    )

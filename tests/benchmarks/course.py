"""What a course would write: samplers and models that the suite's speed is measured against."""

from __future__ import annotations

from typing import Any

import numpy as np


def gibbs(y: np.ndarray, K: int, sweeps: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """A careful NumPy Gibbs sampler over all N points that stores every allocation."""
    N = y.size
    w, mu, sigma = np.full(K, 1 / K), np.quantile(y, (np.arange(K) + 0.5) / K), np.full(K, y.std())
    out = {"w": np.empty((sweeps, K)), "mu": np.empty((sweeps, K)), "sigma": np.empty((sweeps, K))}
    out["z"] = np.empty((sweeps, N), dtype=np.int64)
    for s in range(sweeps):
        log_p = np.log(w) - np.log(sigma) - 0.5 * ((y[:, None] - mu) / sigma) ** 2
        p = np.exp(log_p - log_p.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        z = (rng.random(N)[:, None] > np.cumsum(p, axis=1)).sum(axis=1)
        n_k = np.bincount(z, minlength=K)
        w = rng.dirichlet(1.0 + n_k)
        sum_y = np.bincount(z, weights=y, minlength=K)
        precision = n_k / sigma**2 + 1 / 30.0**2
        mu = rng.normal(sum_y / sigma**2 / precision, 1 / np.sqrt(precision))
        sum_sq = np.bincount(z, weights=(y - mu[z]) ** 2, minlength=K)
        sigma = 1 / np.sqrt(rng.gamma(1e-4 + n_k / 2, 1 / (1e-4 + sum_sq / 2)))
        out["w"][s], out["mu"][s], out["sigma"][s], out["z"][s] = w, mu, sigma, z
    return out


def documented_mixture(y: np.ndarray, K: int) -> Any:
    """PyMC's NormalMixture over all N points, as its documentation shows it, with our priors."""
    import pymc as pm

    with pm.Model() as model:
        w = pm.Dirichlet("w", np.ones(K))
        mu = pm.Normal("mu", 0.0, 30.0, shape=K)
        variance = pm.InverseGamma("sigma_sq", 1e-4, 1e-4, shape=K)
        pm.NormalMixture("y", w=w, mu=mu, sigma=pm.math.sqrt(variance), observed=y)
    return model

"""Stochastic volatility by elliptical slice sampling (Murray, Adams and MacKay 2010).

h_1 ~ Normal(0, 1), h_t = 0.8 h_{t-1} + 0.6 e_t, e_t ~ Normal(0, 1); y_t ~ Normal(0, exp(h_t / 2)).
"""

import numpy as np

T, PHI = 3, 0.8
GAP = np.abs(np.arange(T)[:, None] - np.arange(T))
COVARIANCE = PHI**GAP  # stationary, as 0.8**2 + 0.6**2 = 1
ROOT, PRECISION = np.linalg.cholesky(COVARIANCE), np.linalg.inv(COVARIANCE)


class StochasticVolatility:
    """Log variances of three returns."""

    parameters = {"h": (T,)}

    def draw_prior(self, n, rng):
        """Draw n paths."""
        return {"h": rng.normal(size=(n, T)) @ ROOT.T}

    def draw_data(self, theta, rng):
        """Draw returns for each path, (n, 3)."""
        return rng.normal(0.0, np.exp(0.5 * theta["h"]))

    def log_prior(self, theta):
        """Return the log prior density without its constant, (n,)."""
        return -0.5 * np.einsum("ni,ij,nj->n", theta["h"], PRECISION, theta["h"])

    def log_likelihood(self, theta, y):
        """Return the log-likelihood without its constant, (n,)."""
        return log_likelihood(theta["h"], y)

    def exact(self, y):
        """Return the posterior means, by quadrature on a grid."""
        axis = np.linspace(-5.5, 5.5, 81)
        h = np.stack(np.meshgrid(*[axis] * T, indexing="ij"), axis=-1).reshape(-1, T)
        log_density = self.log_prior({"h": h}) + log_likelihood(h, y)
        weight = np.exp(log_density - log_density.max())
        return {"h": weight @ h / weight.sum()}


def log_likelihood(h, y):
    """Return the log-likelihood of paths (..., 3)."""
    return -0.5 * (h + y**2 * np.exp(-h)).sum(axis=-1)


def sweep(theta, y, rng):
    """Move along an ellipse through the path and a draw from the prior, until it fits enough."""
    h, other = theta["h"], ROOT @ rng.normal(size=T)
    level = log_likelihood(h, y) - rng.exponential()
    right = rng.uniform(0.0, 2.0 * np.pi)
    left = right - 2.0 * np.pi
    angle = right
    while True:
        new = h * np.cos(angle) + other * np.sin(angle)
        if log_likelihood(new, y) > level:
            return {"h": new}
        left, right = (angle, right) if angle < 0 else (left, angle)
        angle = rng.uniform(left, right)

"""Probit regression by data augmentation (Albert and Chib 1993, J. Amer. Statist. Assoc. 88).

beta ~ Normal(0, I); y_i = 1 where the utility z_i ~ Normal(x_i beta, 1) is positive.
"""

import numpy as np
from scipy.special import log_ndtr, ndtr, ndtri

X = np.column_stack([np.ones(6), np.linspace(-1.0, 1.0, 6)])
COVARIANCE = np.linalg.inv(X.T @ X + np.eye(2))
ROOT = np.linalg.cholesky(COVARIANCE)


class Probit:
    """Intercept and slope of six yes-or-no answers."""

    parameters = {"beta": (2,)}

    def draw_prior(self, n, rng):
        """Draw n points."""
        return {"beta": rng.normal(size=(n, 2))}

    def draw_data(self, theta, rng):
        """Draw a data set for each point, (n, 6)."""
        utility = rng.normal(theta["beta"] @ X.T)
        return (utility > 0).astype(int)

    def log_prior(self, theta):
        """Return the log prior density without its constant, (n,)."""
        return -0.5 * (theta["beta"] ** 2).sum(axis=1)

    def log_likelihood(self, theta, y):
        """Return the log-likelihood, (n,); -inf where y is no answer."""
        answers = ((y == 0) | (y == 1)).all(axis=1)
        found = log_ndtr((2 * y - 1) * (theta["beta"] @ X.T)).sum(axis=1)
        return np.where(answers, found, -np.inf)

    def exact(self, y):
        """Return the posterior mean, by quadrature on a grid."""
        axis = np.linspace(-5.0, 5.0, 201)
        beta = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
        theta = {"beta": beta}
        log_density = self.log_prior(theta) + self.log_likelihood(theta, y[None])
        weight = np.exp(log_density - log_density.max())
        return {"beta": weight @ beta / weight.sum()}


def sweep(theta, y, rng):
    """Draw utilities given beta, each on the side of its answer, and beta given these."""
    mean = X @ theta["beta"]
    sign = 2 * y - 1
    # A normal number above 0 with mean m: m + Phi^-1(...) loses digits there; below 0 it does not.
    below = ndtri(rng.random(len(y)) * ndtr(sign * mean))
    utility = mean - sign * below
    return {"beta": COVARIANCE @ X.T @ utility + ROOT @ rng.normal(size=2)}

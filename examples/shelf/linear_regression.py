"""Linear regression with the conjugate prior, by Gibbs sampling.

sigma2 ~ InverseGamma(3, 2), beta | sigma2 ~ Normal(0, 4 sigma2 I), y ~ Normal(X beta, sigma2 I).
"""

import numpy as np

X = np.column_stack([np.ones(8), np.linspace(-1.0, 2.0, 8)])
SHAPE, SCALE, WIDTH = 3.0, 2.0, 4.0


class LinearRegression:
    """Intercept, slope and variance of eight observations."""

    parameters = {"beta": (2,), "sigma2": ()}

    def draw_prior(self, n, rng):
        """Draw n points."""
        sigma2 = SCALE / rng.gamma(SHAPE, size=n)
        return {"beta": rng.normal(0.0, np.sqrt(WIDTH * sigma2), size=(2, n)).T, "sigma2": sigma2}

    def draw_data(self, theta, rng):
        """Draw a data set for each point, (n, 8)."""
        return rng.normal(theta["beta"] @ X.T, np.sqrt(theta["sigma2"])[:, None])

    def log_prior(self, theta):
        """Return the log prior density without its constant, (n,)."""
        beta, sigma2 = theta["beta"], theta["sigma2"]
        with np.errstate(all="ignore"):
            normal = -np.log(sigma2) - 0.5 * (beta**2).sum(axis=1) / (WIDTH * sigma2)
            inverse_gamma = -(SHAPE + 1) * np.log(sigma2) - SCALE / sigma2
        return np.where(sigma2 > 0, normal + inverse_gamma, -np.inf)

    def log_likelihood(self, theta, y):
        """Return the log-likelihood without its constant, (n,)."""
        squares = ((y - theta["beta"] @ X.T) ** 2).sum(axis=1)
        with np.errstate(all="ignore"):
            found = -0.5 * len(X) * np.log(theta["sigma2"]) - 0.5 * squares / theta["sigma2"]
        return np.where(theta["sigma2"] > 0, found, -np.inf)

    def exact(self, y):
        """Return the posterior means (Gelman and others 2013, section 14.2)."""
        precision = X.T @ X + np.eye(2) / WIDTH
        mean = np.linalg.solve(precision, X.T @ y)
        scale = SCALE + 0.5 * (y @ y - mean @ precision @ mean)
        return {"beta": mean, "sigma2": scale / (SHAPE + 0.5 * len(y) - 1)}


def sweep(theta, y, rng):
    """Draw beta given sigma2, and sigma2 given beta."""
    covariance = theta["sigma2"] * np.linalg.inv(X.T @ X + np.eye(2) / WIDTH)
    beta = rng.multivariate_normal(covariance @ (X.T @ y) / theta["sigma2"], covariance)
    residual = y - X @ beta
    scale = SCALE + 0.5 * (residual @ residual + beta @ beta / WIDTH)
    return {"beta": beta, "sigma2": scale / rng.gamma(SHAPE + 0.5 * (len(y) + 2))}

"""Eight schools (Rubin 1981, J. Educ. Statist. 6) with a proper prior.

mu ~ Normal(0, 10), tau ~ HalfNormal(10), theta_j ~ Normal(mu, tau), y_j ~ Normal(theta_j, SD_j).
"""

import numpy as np

SD = np.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])
SCALE = 10.0


class EightSchools:
    """Effects of coaching in eight schools, their mean and their spread."""

    parameters = {"mu": (), "tau": (), "theta": (8,)}

    def draw_prior(self, n, rng):
        """Draw n points."""
        mu, tau = rng.normal(0.0, SCALE, size=n), np.abs(rng.normal(0.0, SCALE, size=n))
        return {"mu": mu, "tau": tau, "theta": rng.normal(mu, tau, size=(8, n)).T}

    def draw_data(self, theta, rng):
        """Draw eight estimates for each point, (n, 8)."""
        return rng.normal(theta["theta"], SD)

    def log_prior(self, theta):
        """Return the log prior density without its constant, (n,)."""
        mu, tau, effects = theta["mu"], theta["tau"], theta["theta"]
        with np.errstate(all="ignore"):
            away = (effects - mu[:, None]) / tau[:, None]
            found = -8.0 * np.log(tau) - 0.5 * (away**2).sum(axis=1)
        found = found - 0.5 * (mu / SCALE) ** 2 - 0.5 * (tau / SCALE) ** 2
        return np.where(tau > 0, found, -np.inf)

    def log_likelihood(self, theta, y):
        """Return the log-likelihood without its constant, (n,)."""
        return -0.5 * (((y - theta["theta"]) / SD) ** 2).sum(axis=1)

    def exact(self, y):
        """Return the posterior means of mu and tau, by quadrature over tau alone."""
        tau = np.linspace(1e-3, 60.0, 6001)
        log_density = np.array([log_density_of_tau(t, y) for t in tau])
        weight = np.exp(log_density - log_density.max())
        weight /= weight.sum()
        means = np.array([mean_given_tau(t, y)[0] for t in tau])
        return {"mu": weight @ means, "tau": weight @ tau}


def mean_given_tau(tau, y):
    """Return mean and precision of mu given tau, effects integrated out."""
    precisions = 1.0 / (SD**2 + tau**2)
    precision = SCALE**-2 + precisions.sum()
    return (precisions @ y) / precision, precision


def log_density_of_tau(tau, y):
    """Return log p(tau | y) without its constant, mu and effects integrated out."""
    variances = SD**2 + tau**2
    mean, precision = mean_given_tau(tau, y)
    fit = -0.5 * np.log(variances).sum() - 0.5 * (y**2 / variances).sum()
    return fit + 0.5 * mean**2 * precision - 0.5 * np.log(precision) - 0.5 * (tau / SCALE) ** 2


def sweep(theta, y, rng):
    """Move tau by a random walk that is reflected at 0, then draw mu and the effects given it."""
    tau = float(theta["tau"])
    new = abs(tau + 8.0 * rng.normal())
    if np.log(rng.random()) < log_density_of_tau(new, y) - log_density_of_tau(tau, y):
        tau = new
    mean, precision = mean_given_tau(tau, y)
    mu = rng.normal(mean, precision**-0.5)
    shrunk = 1.0 / (SD**-2 + tau**-2)
    effects = rng.normal(shrunk * (y / SD**2 + mu / tau**2), np.sqrt(shrunk))
    return {"mu": mu, "tau": tau, "theta": effects}

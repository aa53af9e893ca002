"""Counts whose rate changes once (Carlin, Gelfand and Smith 1992, Appl. Statist. 41), by Gibbs.

tau ~ Uniform{1..9}, rate ~ Gamma(2, 1) twice; y_i ~ Poisson(rate[0]) for i < tau, else rate[1].
"""

import numpy as np
from scipy.special import gammaln, xlogy

N, SHAPE, INVERSE_SCALE = 10, 2.0, 1.0
TAUS = np.arange(1, N)


class ChangePoint:
    """When ten counts change, and the rates before and after."""

    parameters = {"tau": (), "rate": (2,)}

    def draw_prior(self, n, rng):
        """Draw n points."""
        rate = rng.gamma(SHAPE, 1.0 / INVERSE_SCALE, size=(n, 2))
        return {"tau": rng.integers(1, N, size=n), "rate": rate}

    def draw_data(self, theta, rng):
        """Draw a data set for each point, (n, 10)."""
        return rng.poisson(self._rates(theta))

    def log_prior(self, theta):
        """Return the log prior density without its constant, (n,)."""
        rate, tau = theta["rate"], theta["tau"]
        with np.errstate(all="ignore"):
            found = (xlogy(SHAPE - 1, rate) - INVERSE_SCALE * rate).sum(axis=1)
        return np.where((rate > 0).all(axis=1) & (tau >= 1) & (tau < N), found, -np.inf)

    def log_likelihood(self, theta, y):
        """Return the log-likelihood, (n,); -inf where y is no count."""
        rate = self._rates(theta)
        with np.errstate(all="ignore"):
            found = (xlogy(y, rate) - rate - gammaln(y + 1.0)).sum(axis=1)
        return np.where((rate > 0).all(axis=1) & (y >= 0).all(axis=1), found, -np.inf)

    def exact(self, y):
        """Return the posterior means, summed over all change points."""
        first = np.cumsum(y)[TAUS - 1]
        shape = SHAPE + np.column_stack([first, y.sum() - first])
        inverse_scale = INVERSE_SCALE + np.column_stack([TAUS, N - TAUS])
        log_evidence = (gammaln(shape) - shape * np.log(inverse_scale)).sum(axis=1)
        weight = np.exp(log_evidence - log_evidence.max())
        weight /= weight.sum()
        return {"tau": weight @ TAUS, "rate": weight @ (shape / inverse_scale)}

    def _rates(self, theta):
        """Return the rate of each count, (n, 10)."""
        late = np.arange(N) >= np.asarray(theta["tau"])[:, None]
        return np.where(late, theta["rate"][:, 1:], theta["rate"][:, :1])


def sweep(theta, y, rng):
    """Draw the rates given the change point, and the change point given the rates."""
    tau = int(theta["tau"])
    total = np.array([y[:tau].sum(), y[tau:].sum()])
    rate = rng.gamma(SHAPE + total) / (INVERSE_SCALE + np.array([tau, N - tau]))
    first = np.cumsum(y)[TAUS - 1]
    log_prob = first * np.log(rate[0] / rate[1]) - TAUS * (rate[0] - rate[1])
    prob = np.exp(log_prob - log_prob.max())
    return {"tau": rng.choice(TAUS, p=prob / prob.sum()), "rate": rate}

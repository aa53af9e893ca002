"""A mixture of two normals, as `gmmcompare.MixtureModel`, by Gibbs sampling.

The priors of the two components differ, so that labels have a meaning.
"""

import numpy as np

import gmmcompare as gc

PRIORS = gc.Priors(
    weight_concentration=np.array([2.0, 3.0]),
    mean_loc=np.array([-1.5, 1.5]),
    mean_sd=np.array([1.0, 1.0]),
    var_shape=np.array([3.0, 4.0]),
    var_scale=np.array([1.0, 2.0]),
)
N = 8


class Mixture(gc.MixtureModel):
    """Weights, means and standard deviations for eight observations."""

    def __init__(self):
        super().__init__(K=2, N=N, priors=PRIORS)

    def exact(self, y):
        """Return the posterior means, from distribution functions summed over all allocations."""
        posterior = gc.exact_posterior(y, 2, PRIORS)
        ends = {"w": (0.0, 1.0), "mu": (-12.0, 12.0), "sigma": (0.0, 12.0)}
        return {
            name: np.array([mean_of(posterior, name, k, np.linspace(*end, 401)) for k in (0, 1)])
            for name, end in ends.items()
        }


def mean_of(posterior, name, k, x):
    """Return a mean as the upper end less the area under the distribution function."""
    return x[-1] - np.trapezoid(posterior.cdf(name, x, component=k), x)


def sweep(theta, y, rng):
    """Draw allocations, weights, means and standard deviations, each given all others."""
    w, mu, sigma = theta["w"], theta["mu"], theta["sigma"]
    p = PRIORS
    odds = w / sigma * np.exp(-0.5 * ((y[:, None] - mu) / sigma) ** 2)
    z = (rng.random(len(y)) * odds.sum(axis=1) > odds[:, 0]).astype(int)
    n = np.bincount(z, minlength=2)
    w = rng.dirichlet(p.weight_concentration + n)
    precision = n / sigma**2 + p.mean_sd**-2.0
    total = np.bincount(z, y, 2) / sigma**2 + p.mean_loc / p.mean_sd**2
    mu = rng.normal(total / precision, precision**-0.5)
    scale = p.var_scale + 0.5 * np.bincount(z, (y - mu[z]) ** 2, 2)
    return {"w": w, "mu": mu, "sigma": np.sqrt(scale / rng.gamma(p.var_shape + 0.5 * n))}

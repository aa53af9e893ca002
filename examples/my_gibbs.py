import numpy as np


def sweep(w, mu, sigma, y, priors, rng):
    p = w * np.exp(-0.5 * ((y[:, None] - mu) / sigma) ** 2) / sigma
    below = np.cumsum(p, axis=1)[:, :-1] / p.sum(axis=1, keepdims=True)
    z = (rng.random((y.size, 1)) > below).sum(axis=1)
    n = np.bincount(z, minlength=w.size)
    w = rng.dirichlet(priors.weight_concentration + n)
    precision = n / sigma**2 + 1 / priors.mean_sd**2
    total = np.bincount(z, y, w.size) / sigma**2 + priors.mean_loc / priors.mean_sd**2
    mu = rng.normal(total / precision, precision**-0.5)
    scale = priors.var_scale + np.bincount(z, (y - mu[z]) ** 2, w.size) / 2
    return w, mu, np.sqrt(scale / rng.gamma(priors.var_shape + n / 2))

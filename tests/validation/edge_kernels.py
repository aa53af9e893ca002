"""Kernels that are wrong, or odd, only at the edge of what data and priors are like."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from samplers import right

from gmmcompare.model.params import Params


def under(**changes):
    """Make a kernel that puts other values in the place of the prior's."""

    def kernel(w, mu, sigma, y, priors, rng):
        new = {name: change(np.asarray(getattr(priors, name))) for name, change in changes.items()}
        return right(w, mu, sigma, y, replace(priors, **new), rng)

    return kernel


def of_data(change):
    """Make a kernel that does something to the data first."""

    def kernel(w, mu, sigma, y, priors, rng):
        return right(w, mu, sigma, change(y, rng), priors, rng)

    return kernel


def then(change):
    """Make a kernel that does something to the new point."""

    def kernel(w, mu, sigma, y, priors, rng):
        return change(Params(*right(w, mu, sigma, y, priors, rng)), y, priors, rng)

    return kernel


PRIORS_REPLACED = {
    "var_shape": under(var_shape=lambda v: np.maximum(v, 0.01)),
    "var_scale": under(var_scale=lambda v: np.maximum(v, 1e-3)),
    "mean_sd": under(mean_sd=lambda v: np.minimum(v, 10.0)),
    "weight_concentration": under(weight_concentration=lambda v: np.maximum(v, 0.1)),
}
WRONG_ON_TIES = {
    "duplicates dropped": of_data(lambda y, rng: np.unique(y)),
    "floor of 5 % of the data's sd": then(
        lambda at, y, priors, rng: at._replace(sigma=np.maximum(at.sigma, 0.05 * y.std()))
    ),
    "floor of 0.1 % of the data's sd": then(
        lambda at, y, priors, rng: at._replace(sigma=np.maximum(at.sigma, 1e-3 * y.std()))
    ),
    "rounded data smeared": of_data(lambda y, rng: y + rng.normal(0.0, 0.2, y.size)),
    "data rounded to integers": of_data(lambda y, rng: np.where(abs(y) > 99, np.round(y), y)),
}
WRONG_ON_MANY = {
    "first 256": of_data(lambda y, rng: y[:256]),
    "batch of 200": of_data(lambda y, rng: rng.choice(y, min(y.size, 200), replace=False)),
    "every second beyond 100": of_data(lambda y, rng: np.r_[y[:100], y[100::2]]),
}


def relabelled(order_of):
    """Make a kernel that changes labels in every sweep."""
    return then(lambda at, y, priors, rng: at.permuted(order_of(at, rng)))


def accepted_or_rejected(at, y, priors, rng):
    new = at.permuted(rng.permutation(at.K))
    ratio = priors.log_density(new) - priors.log_density(at)
    return new if np.log(rng.random()) < ratio else at


PERMUTING = {
    "always": relabelled(lambda at, rng: rng.permutation(at.K)),
    "turned by one": relabelled(lambda at, rng: np.roll(np.arange(at.K), rng.integers(2))),
    "seldom": relabelled(
        lambda at, rng: rng.permutation(at.K) if rng.random() < 0.1 else np.arange(at.K)
    ),
}
SORTING = {
    "by mu": relabelled(lambda at, rng: np.argsort(at.mu)),
    "by mu, downwards": relabelled(lambda at, rng: np.argsort(-at.mu)),
    "by weight": relabelled(lambda at, rng: np.argsort(-at.w)),
    "by sigma": relabelled(lambda at, rng: np.argsort(at.sigma)),
    "mu and sigma alone": then(
        lambda at, y, priors, rng: Params(at.w, *at.permuted(rng.permutation(at.K))[1:])
    ),
}


def metropolis(w, mu, sigma, y, priors, rng):
    """Random walks on mu and log sigma, with w drawn given allocations: correct."""
    p = priors.expanded(w.size)

    def log_density(mu, sigma):
        each = np.log(w) - np.log(sigma) - 0.5 * ((y[:, None] - mu) / sigma) ** 2
        prior = 0.5 * ((mu - p.mean_loc) / p.mean_sd) ** 2 + p.var_scale / sigma**2
        prior = prior + 2.0 * p.var_shape * np.log(sigma)
        return np.logaddexp.reduce(each, axis=1).sum() - prior.sum()

    r = w / sigma * np.exp(-0.5 * ((y[:, None] - mu) / sigma) ** 2)
    passed = rng.random((y.size, 1)) * r.sum(1, keepdims=True) > r.cumsum(1)[:, :-1]
    n_k = np.bincount(passed.sum(1), minlength=w.size)
    w = np.maximum(rng.dirichlet(priors.weight_concentration + n_k), 1e-300)
    here = log_density(mu, sigma)
    for k in range(w.size):
        for what in ("mu", "sigma"):
            new_mu, new_sigma = mu.copy(), sigma.copy()
            if what == "mu":
                new_mu[k] += sigma[k] * rng.standard_normal()
            else:
                new_sigma[k] *= np.exp(0.7 * rng.standard_normal())
            there = log_density(new_mu, new_sigma)
            if np.log(rng.random()) < there - here:
                mu, sigma, here = new_mu, new_sigma, there
    return w, mu, sigma

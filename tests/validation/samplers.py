"""Samplers as users write them: a right one in ten lines, and what can go wrong with one."""

from __future__ import annotations

import sys
import time
import warnings

import numpy as np

KERNEL_CALLS = 0
own_stream = np.random.default_rng(7)


def right(w, mu, sigma, y, priors, rng, least=0):
    K = len(w)
    r = w * np.exp(-0.5 * ((y[:, None] - mu) / sigma) ** 2) / sigma
    r /= r.sum(axis=1, keepdims=True)
    z = (rng.random((len(y), 1)) > r.cumsum(axis=1)[:, :-1]).sum(axis=1)
    n, total = np.bincount(z, minlength=K), np.bincount(z, y, K)
    w = rng.dirichlet(priors.weight_concentration + n)
    v = 1 / (n / sigma**2 + 1 / priors.mean_sd**2)
    mu = rng.normal(v * (total / sigma**2 + priors.mean_loc / priors.mean_sd**2), np.sqrt(v))
    squares = np.bincount(z, (y - mu[z]) ** 2, K)
    n, squares = n * (n >= least), squares * (n >= least)
    return w, mu, np.sqrt((priors.var_scale + squares / 2) / rng.gamma(priors.var_shape + n / 2))


def rate_passed_as_scale(w, mu, sigma, y, priors, rng):
    w, mu, _ = right(w, mu, sigma, y, priors, rng)
    r = w * np.exp(-0.5 * ((y[:, None] - mu) / sigma) ** 2) / sigma
    z = (rng.random((len(y), 1)) * r.sum(1)[:, None] > r.cumsum(1)[:, :-1]).sum(1)
    n = np.bincount(z, minlength=len(w))
    squares = np.bincount(z, (y - mu[z]) ** 2, len(w))
    precision = rng.gamma(priors.var_shape + n / 2, priors.var_scale + squares / 2)
    return w, mu, 1 / np.sqrt(precision)


def only_numbers(w, mu, sigma, y, priors, rng):
    float(priors.mean_loc)
    return right(w, mu, sigma, y, priors, rng)


def wholly_numbers(w, mu, sigma, y, priors, rng):
    for name in ("weight_concentration", "mean_loc", "mean_sd", "var_shape", "var_scale"):
        float(getattr(priors, name))
    return right(w, mu, sigma, y, priors, rng)


def first_twelve(w, mu, sigma, y, priors, rng):
    return right(w, mu, sigma, y[:12], priors, rng)


class Thirds:
    """Priors with a concentration that is as it should be for three components only."""

    def __init__(self, priors, K):
        self._priors = priors
        self.weight_concentration = priors.weight_concentration * 3 / K

    def __getattr__(self, name):
        return getattr(self._priors, name)


def three_in_a_formula(w, mu, sigma, y, priors, rng):
    return right(w, mu, sigma, y, Thirds(priors, len(w)), rng)


def singletons_from_the_prior(w, mu, sigma, y, priors, rng):
    return right(w, mu, sigma, y, priors, rng, least=2)  # "one point has no variance"


def three_components_only(w, mu, sigma, y, priors, rng):
    assert len(w) == 3
    return right(w, mu, sigma, y, priors, rng)


def floor_under_sigma(w, mu, sigma, y, priors, rng):
    w, mu, sigma = right(w, mu, sigma, y, priors, rng)
    return w, mu, np.maximum(sigma, 0.01)


def single_precision(w, mu, sigma, y, priors, rng):
    K = len(w)
    w, mu, _ = right(w, mu, sigma, y, priors, rng)
    r = w * np.exp(-0.5 * ((y[:, None] - mu) / sigma) ** 2) / sigma
    z = (rng.random((len(y), 1)) * r.sum(1)[:, None] > r.cumsum(1)[:, :-1]).sum(1)
    n, total, squares = (
        np.bincount(z, v, K).astype(np.float32) for v in (np.ones(len(y)), y, y**2)
    )
    about = np.maximum(
        squares - 2 * mu.astype(np.float32) * total + n * mu.astype(np.float32) ** 2, 0
    )
    return w, mu, np.sqrt((priors.var_scale + about / 2) / rng.gamma(priors.var_shape + n / 2))


def floor_under_w(w, mu, sigma, y, priors, rng):
    w, mu, sigma = right(w, mu, sigma, y, priors, rng)
    w = np.maximum(w, 1e-3)
    return w / w.sum(), mu, sigma


class Numbers:
    weight_concentration, mean_loc, mean_sd, var_shape, var_scale = 1.0, 0.0, 3.0, 2.0, 1.0


def ignores_the_priors(w, mu, sigma, y, priors, rng):
    return right(w, mu, sigma, y, Numbers, rng)


FIRST_PRIORS = []


def keeps_the_first_priors(w, mu, sigma, y, priors, rng):
    FIRST_PRIORS.append(priors)
    return right(w, mu, sigma, y, FIRST_PRIORS[0], rng)


def moves_seldom(w, mu, sigma, y, priors, rng):
    return right(w, mu, sigma, y, priors, rng) if rng.random() < 0.005 else (w, mu, sigma)


def only_vectors(w, mu, sigma, y, priors, rng):
    priors.mean_loc[0]
    return right(w, mu, sigma, y, priors, rng)


def raises(w, mu, sigma, y, priors, rng):
    return 1 / 0


def exits(w, mu, sigma, y, priors, rng):
    sys.exit(3)


def dies(w, mu, sigma, y, priors, rng):
    import os

    os._exit(4)


def hangs(w, mu, sigma, y, priors, rng):
    while True:
        time.sleep(0.01)


def returns_text(w, mu, sigma, y, priors, rng):
    return "done"


def returns_two(w, mu, sigma, y, priors, rng):
    return w, mu


def wrong_shape(w, mu, sigma, y, priors, rng):
    return w, mu, sigma[:-1]


def off_the_simplex(w, mu, sigma, y, priors, rng):
    w, mu, sigma = right(w, mu, sigma, y, priors, rng)
    return 2 * w, mu, sigma


def nan_after_1000_calls(w, mu, sigma, y, priors, rng):
    global KERNEL_CALLS
    KERNEL_CALLS += 1
    w, mu, sigma = right(w, mu, sigma, y, priors, rng)
    return w, mu if KERNEL_CALLS <= 1000 else mu * np.nan, sigma


def hidden_seed(w, mu, sigma, y, priors, rng):
    return right(w, mu, sigma, y, priors, np.random.default_rng(1))


def own_stream_of_numbers(w, mu, sigma, y, priors, rng):
    return right(w, mu, sigma, y, priors, own_stream)


def draws_from_numpy(w, mu, sigma, y, priors, rng):
    return right(w, mu, sigma, y, priors, np.random.mtrand._rand)


def draws_from_both(w, mu, sigma, y, priors, rng):
    w, mu, sigma = right(w, mu, sigma, y, priors, np.random.mtrand._rand)
    return right(w, mu, sigma, y, priors, rng)


def ignores_the_data(w, mu, sigma, y, priors, rng):
    return priors.sample(rng, len(w))


def changes_y(w, mu, sigma, y, priors, rng):
    y -= 1.0
    return right(w, mu, sigma, y, priors, rng)


def keeps_sigma(w, mu, sigma, y, priors, rng):
    w, mu, _ = right(w, mu, sigma, y, priors, rng)
    return w, mu, sigma


def starts_at_the_second(w, mu, sigma, y, priors, rng):
    """The loop over components starts at 1: every step is right, but one component never moves."""
    w, new_mu, new_sigma = right(w, mu, sigma, y, priors, rng)
    mu[1:], sigma[1:] = new_mu[1:], new_sigma[1:]
    return w, mu, sigma


def chatty(w, mu, sigma, y, priors, rng):
    print("sweep!")
    sys.stderr.write("warming up\n")
    warnings.warn("nearly zero", RuntimeWarning, stacklevel=1)
    return right(w, mu, sigma, y, priors, rng)


def chains_of(sweep, y, K, priors, draws, warmup, chains, rng):
    out = {name: np.empty((chains, draws, K)) for name in ("w", "mu", "sigma")}
    for chain in range(chains):
        at = priors.sample(rng, K)
        for i in range(-warmup, draws):
            at = sweep(*at, y, priors, rng)
            if i >= 0:
                for name, value in zip(out, at, strict=True):
                    out[name][chain, i] = value
    return out


def whole(y, K, priors, draws, warmup, chains, rng):
    return chains_of(right, y, K, priors, draws, warmup, chains, rng)


def whole_rate_passed_as_scale(y, K, priors, draws, warmup, chains, rng):
    return chains_of(rate_passed_as_scale, y, K, priors, draws, warmup, chains, rng)


def whole_without_data(y, K, priors, draws, warmup, chains, rng):
    return chains_of(right, 0 * y, K, priors, draws, warmup, chains, rng)


def same_chain_four_times(y, K, priors, draws, warmup, chains, rng):
    one = chains_of(right, y, K, priors, draws, warmup, 1, rng)
    return {name: np.repeat(a, chains, axis=0) for name, a in one.items()}


def overlapping_chains(y, K, priors, draws, warmup, chains, rng):
    one = chains_of(right, y, K, priors, draws + 2 * chains, warmup, 1, rng)
    return {
        name: np.stack([a[0, 2 * c : 2 * c + draws] for c in range(chains)])
        for name, a in one.items()
    }


def whole_hidden_seed(y, K, priors, draws, warmup, chains, rng):
    return whole(y, K, priors, draws, warmup, chains, np.random.default_rng(1))


def axes_swapped(y, K, priors, draws, warmup, chains, rng):
    result = whole(y, K, priors, draws, warmup, chains, rng)
    return {name: np.swapaxes(a, 0, 1) for name, a in result.items()}


def whole_ordered(y, K, priors, draws, warmup, chains, rng):
    """Every draw in ascending order of its means, as an ordered model returns it."""
    result = whole(y, K, priors, draws, warmup, chains, rng)
    order = np.argsort(result["mu"], axis=-1)
    return {name: np.take_along_axis(a, order, axis=-1) for name, a in result.items()}


def point_estimate(y, K, priors, draws, warmup, chains, rng):
    return {"w": np.full(K, 1 / K), "mu": np.arange(K) / K + rng.random(), "sigma": np.ones(K)}


class Exact:
    """Independent draws of the exact posterior; ``bias`` is added to every mean."""

    def __init__(self, bias: float = 0.0, ordered: bool = False) -> None:
        self.bias, self.ordered, self.runs = bias, ordered, 0

    def __call__(self, y, K, priors, draws, warmup, chains, rng):  # type: ignore[no-untyped-def]
        self.runs += 1
        from gmmcompare.model.exact import exact_posterior
        from gmmcompare.model.params import Params
        from gmmcompare.validation.checks.mixture_quantities import by_mean

        points = exact_posterior(y, K, priors).sample(chains * draws, rng)
        points = by_mean(points) if self.ordered else points
        params = Params(points.w, points.mu + self.bias, points.sigma)
        return {n: a.reshape(chains, draws, K) for n, a in params._asdict().items()}

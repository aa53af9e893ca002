"""Faults of samplers of other families, each with one wrong line, and the correct ones.

The mistakes are those that the family invites: a count of the prior forgotten, a known sd taken for
a variance, sds drawn one by one that are shared, weights counted that are known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gmmcompare.engines.gibbs import plain
from gmmcompare.engines.gibbs.families import draw_conjugate, draw_shared_sd
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors, log_gamma_draws

Sweep = Callable[..., Params]


@dataclass(frozen=True)
class FamilyFault:
    """A kernel of one family.

    Attributes
    ----------
    family : str
        A key of `model.family_model.TESTED`.
    mistake : str
        The code as written, and as it should be.
    sweep : callable
        ``(w, mu, sigma, y, priors, rng)``.
    """

    family: str
    mistake: str
    sweep: Sweep


def _conjugate(change: Callable[..., tuple[Array, Array]]) -> Sweep:
    """Return the sweep under conjugate priors with means and sds drawn by a function."""

    def sweep(w: Array, mu: Array, sigma: Array, y: Array, priors: Any, rng: Any) -> Params:
        full = priors.expanded(w.size)
        z = plain.draw_allocations(w, mu, sigma, y, rng.random(y.size))
        n_k = np.bincount(z, minlength=w.size).astype(float)
        w = plain.draw_weights(n_k, full, rng)
        return Params(w, *change(z, y, full, rng))

    return sweep


def _moments(z: plain.Allocations, y: Array, m0: Array) -> tuple[Array, Array, Array]:
    n_k: Array = np.bincount(z, minlength=m0.size).astype(float)
    sum_y = np.bincount(z, weights=y, minlength=m0.size)
    ybar = np.divide(sum_y, n_k, out=m0.copy(), where=n_k > 0)
    about: Array = np.bincount(z, weights=(y - ybar[z]) ** 2, minlength=m0.size)
    return n_k, np.asarray(ybar), about


def _conjugate_step(
    shape_more: float = 0.0, pull: bool = True, root: bool = True, scaled: bool = True
) -> Callable[..., tuple[Array, Array]]:
    """Return a draw of means and sds with one thing wrong: a flag that is not its default."""

    def draw(
        z: plain.Allocations, y: Array, priors: Any, rng: np.random.Generator
    ) -> tuple[Array, Array]:
        m0, count = np.asarray(priors.mean_loc), np.asarray(priors.mean_count)
        n_k, ybar, about = _moments(z, y, m0)
        share = n_k / (n_k + count)
        sum_sq = about + (count * share * (ybar - m0) ** 2 if pull else 0.0)
        shape = np.asarray(priors.var_shape) + n_k / 2 + shape_more
        log_var = np.log(np.asarray(priors.var_scale) + sum_sq / 2) - log_gamma_draws(rng, shape)
        sigma = np.exp(0.5 * log_var)
        spread = sigma**2 / (n_k + count) if not root else sigma / np.sqrt(n_k + count)
        if not scaled:
            spread = 1.0 / np.sqrt(n_k / sigma**2 + count)
        return m0 + share * (ybar - m0) + spread * rng.standard_normal(m0.size), sigma

    return draw


def _known(w: Array, mu: Array, sigma: Array, y: Array, priors: Any, rng: Any, **wrong: Any) -> Any:
    """Sweep with known sds; ``taken`` stands for them in z, ``given`` in the means, ``s0`` for s0.

    Parameters
    ----------
    w, mu, sigma, y, priors, rng
        As of a kernel.
    **wrong
        Functions of the sds, or of the prior's sd, in place of these.
    """
    full = priors.expanded(w.size)
    same = lambda value: value  # noqa: E731
    taken, given, s0 = (wrong.get(name, same) for name in ("taken", "given", "s0"))
    z = plain.draw_allocations(w, mu, taken(sigma), y, rng.random(y.size))
    n_k = np.bincount(z, minlength=w.size).astype(float)
    sum_y = np.bincount(z, weights=y, minlength=w.size)
    w = plain.draw_weights(n_k, full, rng)
    means = replace(full, mean_sd=s0(np.asarray(full.mean_sd)))
    return Params(w, plain.draw_means(n_k, sum_y, given(sigma), means, rng), sigma)


def _with_known(**wrong: Any) -> Sweep:
    def sweep(w: Array, mu: Array, sigma: Array, y: Array, priors: Any, rng: Any) -> Params:
        found: Params = _known(w, mu, sigma, y, priors, rng, **wrong)
        return found

    return sweep


def _shared(draw: Callable[..., Array]) -> Sweep:
    """Return the sweep with one sd for all, drawn by a function of counts and sums of squares."""

    def sweep(w: Array, mu: Array, sigma: Array, y: Array, priors: Any, rng: Any) -> Params:
        full = priors.expanded(w.size)
        z = plain.draw_allocations(w, mu, sigma, y, rng.random(y.size))
        n_k = np.bincount(z, minlength=w.size).astype(float)
        sum_y = np.bincount(z, weights=y, minlength=w.size)
        w = plain.draw_weights(n_k, full, rng)
        mu = plain.draw_means(n_k, sum_y, sigma, full, rng)
        sum_sq = np.bincount(z, weights=(y - mu[z]) ** 2, minlength=w.size)
        return Params(w, mu, draw(n_k, sum_sq, full, rng))

    return sweep


def _of_one_component(n_k: Array, sum_sq: Array, priors: Priors, rng: Any) -> Array:
    only = np.arange(n_k.size) == int(n_k.argmax())
    return draw_shared_sd(n_k * only, sum_sq * only, priors, rng)


def _averaged(n_k: Array, sum_sq: Array, priors: Priors, rng: Any) -> Array:
    a, b = np.asarray(priors.var_shape) + n_k / 2, np.asarray(priors.var_scale) + sum_sq / 2
    return np.full(n_k.size, np.sqrt((b / rng.standard_gamma(a)).mean()))


def _prior_of_each(n_k: Array, sum_sq: Array, priors: Priors, rng: Any) -> Array:
    K = n_k.size
    several = replace(
        priors,
        var_shape=K * np.asarray(priors.var_shape),
        var_scale=K * np.asarray(priors.var_scale),
    )
    return draw_shared_sd(n_k, sum_sq, several, rng)


def _fixed(weights_of_z: Callable[..., Array], sort: bool = False) -> Sweep:
    """Return the sweep with fixed weights, allocations being drawn by others; perhaps sorted."""

    def sweep(w: Array, mu: Array, sigma: Array, y: Array, priors: Any, rng: Any) -> Params:
        taken = weights_of_z(w, mu, sigma, y, rng)
        z = plain.draw_allocations(taken, mu, sigma, y, rng.random(y.size))
        _, mu, sigma = plain.draw_parameters(z, sigma, y, priors, rng)
        order = np.argsort(mu) if sort else np.arange(mu.size)
        return Params(w, mu[order], sigma[order])

    return sweep


def _equal(w: Array, *_: Any) -> Array:
    return np.full(w.size, 1.0 / w.size)


def _twice(w: Array, *_: Any) -> Array:
    return np.asarray(w**2 / (w**2).sum())


CORRECT = {
    "correct-normal-conjugate": FamilyFault("normal-conjugate", "", _conjugate(draw_conjugate)),
    "correct-known-sds": FamilyFault("known-sds", "", _with_known()),
    "correct-shared-sd": FamilyFault("shared-sd", "", _shared(draw_shared_sd)),
    "correct-fixed-weights": FamilyFault("fixed-weights", "", _fixed(lambda w, *_: w)),
}
"""The same sweeps with nothing wrong."""

_WRONG = {
    "conjugate-pull-dropped": (
        "b + SS / 2 for b + (SS + n k0 / (n + k0) (ybar - m0)^2) / 2",
        "normal-conjugate",
        _conjugate(_conjugate_step(pull=False)),
    ),
    "conjugate-shape-of-mean": (
        "a + (n + 1) / 2 for a + n / 2 although mu is integrated out",
        "normal-conjugate",
        _conjugate(_conjugate_step(shape_more=0.5)),
    ),
    "conjugate-variance-as-sd": (
        "sigma^2 / (n + k0) as the sd of mu",
        "normal-conjugate",
        _conjugate(_conjugate_step(root=False)),
    ),
    "conjugate-count-unscaled": (
        "precision n / sigma^2 + k0 for (n + k0) / sigma^2",
        "normal-conjugate",
        _conjugate(_conjugate_step(scaled=False)),
    ),
    "known-sd-as-variance": (
        "Normal(y; mu, sd = sqrt(sd)) in z: the known sd taken for a variance",
        "known-sds",
        _with_known(taken=np.sqrt),
    ),
    "known-sd-of-first": (
        "sds[0] for sds[k] in the conditional of mu_k",
        "known-sds",
        _with_known(given=lambda sigma: np.full(sigma.size, sigma[0])),
    ),
    "known-sd-flat-means": (
        "n / sd^2 for n / sd^2 + 1 / s0^2: the prior of mu dropped",
        "known-sds",
        _with_known(s0=lambda s0: 1e3 * s0),
    ),
    "shared-sd-of-one": (
        "n_k and its sum of squares of the largest component for those of all",
        "shared-sd",
        _shared(_of_one_component),
    ),
    "shared-sd-averaged": (
        "the mean of K variances, each drawn by itself, for one draw",
        "shared-sd",
        _shared(_averaged),
    ),
    "shared-sd-prior-of-each": (
        "K a + N / 2 and K b for a + N / 2 and b: the prior counted for each component",
        "shared-sd",
        _shared(_prior_of_each),
    ),
    "fixed-weights-ignored": ("z without w", "fixed-weights", _fixed(_equal)),
    "fixed-weights-twice": (
        "w_k^2 for w_k in z: the weight taken twice",
        "fixed-weights",
        _fixed(_twice),
    ),
    "fixed-weights-sorted": (
        "components sorted by mu, whose weights are not exchangeable",
        "fixed-weights",
        _fixed(lambda w, *_: w, sort=True),
    ),
}
FAMILY_FAULTS = CORRECT | {
    name: FamilyFault(family, mistake, sweep) for name, (mistake, family, sweep) in _WRONG.items()
}
"""What ``fault:NAME`` finds besides the gallery of `Priors`."""

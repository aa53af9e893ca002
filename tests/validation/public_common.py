"""What the kernels of `public_kernels` have in common: a row each, sums by component, draws."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

KINDS = ("correct", "wrong", "another model")


@dataclass(frozen=True)
class Public:
    """One public sampler.

    Attributes
    ----------
    function : callable
        ``sweep(w, mu, sigma, y, priors, rng)``.
    source : str
        Where it is from: repository and path where they are known, otherwise its title.
    truth : str
        "correct", "wrong: WHAT" or "another model: WHICH".
    why : str
        How we know.
    components : int
        A number of components that it takes.
    """

    function: Callable[..., Any]
    source: str
    truth: str
    why: str
    components: int = 3

    @property
    def name(self) -> str:
        return self.function.__name__.replace("_", "-")

    @property
    def kind(self) -> str:
        return self.truth.partition(":")[0]

    @property
    def spec(self) -> str:
        """What `validate` is given: the file, as seen from where we are, and the function."""
        file = os.path.relpath(inspect.getfile(self.function))
        return f"{file}:{self.function.__name__}"


EMPTY = "wrong: a component without observations gives NaN"


def numbers(priors):
    """Return the five fields as floats; a prior that differs by component is refused."""
    fields = ("weight_concentration", "mean_loc", "mean_sd", "var_shape", "var_scale")
    return tuple(float(getattr(priors, name)) for name in fields)


def vectors(priors, K):
    """Return the five fields, each of shape (K,)."""
    fields = ("weight_concentration", "mean_loc", "mean_sd", "var_shape", "var_scale")
    return tuple(np.broadcast_to(getattr(priors, name), K).astype(float) for name in fields)


def density(y, mu, sd):
    """Return normal densities up to a constant, (N, K)."""
    return np.exp(-0.5 * ((y[:, None] - mu) / sd) ** 2) / sd


def choose(weight, rng):
    """Draw one component for each row of unnormalised weights."""
    below = weight.cumsum(axis=1)
    return (rng.random((len(weight), 1)) * below[:, -1:] > below[:, :-1]).sum(axis=1)


def allocate(w, mu, sigma, y, rng):
    """Draw the allocations of a mixture as they should be drawn."""
    return choose(w * density(y, mu, sigma), rng)


def members(z, y, K):
    """Return the number and the sum of the observations of each component."""
    return np.bincount(z, minlength=K), np.bincount(z, y, K)


def averages(z, y, K):
    """Return the mean of each component's observations: NaN where it has none."""
    n, total = members(z, y, K)
    return np.divide(total, n, out=np.full(K, np.nan), where=n > 0)


def squares(z, y, centre):
    """Return the sum of squares of each component's observations about a centre (K,)."""
    K = len(centre)
    return np.bincount(z, (y - centre[z]) ** 2, K)


def about_average(z, y, K):
    """Return the sum of squares about the component's own mean; 0 where it has no members."""
    return squares(z, y, np.nan_to_num(averages(z, y, K)))


def inverse_gamma(rng, shape, scale):
    """Draw from an inverse gamma distribution; NaN or inf where its parameters are none."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return scale / rng.standard_gamma(np.broadcast_to(shape, np.shape(scale)))


def semiconjugate(rng, n, total, variance, m, s):
    """Draw means given variances under mu ~ Normal(m, s)."""
    v = 1 / (n / variance + 1 / s**2)
    return rng.normal(v * (total / variance + m / s**2), np.sqrt(v))


def conjugate(rng, z, y, strength, m, a, b):
    """Draw (mean, variance) pairs under mu ~ Normal(m, variance / strength), which is conjugate.

    The variance comes first, from its distribution with the mean integrated out.
    """
    K = len(m)
    n, total = members(z, y, K)
    ybar = np.nan_to_num(averages(z, y, K))
    away = strength * n / (strength + n) * (ybar - m) ** 2
    variance = inverse_gamma(rng, a + n / 2, b + (about_average(z, y, K) + away) / 2)
    centre = (strength * m + total) / (strength + n)
    return rng.normal(centre, np.sqrt(variance / (strength + n))), variance

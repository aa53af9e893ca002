"""A mixture with a random number of components as a `Model`, for samplers of K to be tested.

A point has arrays of a fixed size: K, and w, mu and sigma with room for ``max_K`` components, of
which the first K count, in random order. The rest are padded: weight 0, mean 0, sd 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from gmmcompare.model.mixture_model import log_joints
from gmmcompare.model.params import Array, Params
from gmmcompare.model.points import Points
from gmmcompare.model.prior_on_k import PriorOnK
from gmmcompare.model.priors import Priors

_PADDING = Params(np.array(0.0), np.array(0.0), np.array(1.0))


@dataclass(frozen=True)
class ComponentsModel:
    """A mixture of K normals for N observations, K random.

    Parameters
    ----------
    N : int
    priors : Priors
        One number for each field.
    on_k : PriorOnK
    dynamic : bool
        Weights given K are Dirichlet(c / K, ...) in place of Dirichlet(c, ...).
    """

    N: int
    priors: Priors
    on_k: PriorOnK
    dynamic: bool = False

    @property
    def parameters(self) -> dict[str, tuple[int, ...]]:
        """K and padded weights, means and standard deviations."""
        return {"K": (), **dict.fromkeys(Params._fields, (self.on_k.max_K,))}

    def draw_prior(self, n: int, rng: np.random.Generator) -> Points:
        """Draw n points."""
        max_K = self.on_k.max_K
        K = 1 + rng.choice(max_K, size=n, p=self.on_k.prob)
        used = np.arange(max_K) < K[:, None]
        c = np.broadcast_to(self._c(K)[:, None], used.shape)
        g = np.where(used, rng.standard_gamma(c), 0.0)
        _, m0, s0, a, b = self._numbers
        mu = rng.normal(m0, s0, size=used.shape)
        sigma = np.sqrt(b / rng.standard_gamma(a, size=used.shape))
        drawn = Params(g / g.sum(axis=1, keepdims=True), mu, sigma)
        padded = (np.where(used, a, pad) for a, pad in zip(drawn, _PADDING, strict=True))
        return {"K": K, **dict(zip(Params._fields, padded, strict=True))}

    def draw_data(self, theta: Points, rng: np.random.Generator) -> Array:
        """Draw N observations for each point, shape (n, N)."""
        w, mu, sigma = (np.asarray(theta[name]) for name in Params._fields)
        passed = rng.random((len(w), self.N, 1)) > np.cumsum(w, axis=1)[:, None, :]
        z = np.minimum(passed.sum(axis=2), np.asarray(theta["K"])[:, None] - 1)
        rows = np.arange(len(w))[:, None]
        return rng.normal(mu[rows, z], sigma[rows, z])

    def log_prior(self, theta: Points) -> Array:
        """Return the log prior density of (K, w, mu, sigma), shape (n,)."""
        given = np.asarray(theta["K"])
        K = np.clip(given, 1, self.on_k.max_K).astype(int)
        w, mu, sigma = (np.asarray(theta[name], dtype=float) for name in Params._fields)
        used = np.arange(self.on_k.max_K) < K[:, None]
        c = self._c(K)
        _, m0, s0, a, b = self._numbers
        with np.errstate(all="ignore"):
            weights = (c[:, None] - 1.0) * np.log(w)
            means = -0.5 * ((mu - m0) / s0) ** 2 - np.log(s0) - 0.5 * np.log(2 * np.pi)
            # Inverse gamma for sigma squared; a density over sigma has the factor 2 sigma.
            scales = a * np.log(b) - gammaln(a) - (2 * a + 1) * np.log(sigma) - b / sigma**2
            terms = np.where(used, weights + means + scales + np.log(2.0), 0.0).sum(axis=1)
            found = self.on_k.log_prob[K - 1] + gammaln(K * c) - K * gammaln(c) + terms
        at_padding = (w == _PADDING.w) & (mu == _PADDING.mu) & (sigma == _PADDING.sigma)
        inside = np.where(used, (sigma > 0) & (w > 0), at_padding).all(axis=1)
        return np.where(inside & (given == K), found, -np.inf)

    def log_likelihood(self, theta: Points, y: Array) -> Array:
        """Return the log-likelihood of each point for its own data, labels summed out, (n,)."""
        w, mu, sigma = (np.asarray(theta[name], dtype=float) for name in Params._fields)
        joint = log_joints(Params(w, mu, sigma), y)
        return np.asarray(np.logaddexp.reduce(joint, axis=2).sum(axis=1))

    @property
    def _numbers(self) -> tuple[float, ...]:
        return tuple(float(np.ravel(value)[0]) for value in self.priors.to_dict().values())

    def _c(self, K: NDArray[np.int64]) -> Array:
        c = self._numbers[0]
        return np.asarray(c / K if self.dynamic else np.full(K.size, c))


def components_of(theta: Points) -> Params:
    """Return the components of one point, arrays of shape (K,)."""
    K = int(theta["K"])
    return Params(*(np.array(theta[name][:K], dtype=float) for name in Params._fields))


def padded(point: Params, max_K: int, rng: np.random.Generator) -> dict[str, Array]:
    """Return one point as a `ComponentsModel` has it, its components in random order.

    Parameters
    ----------
    point : Params
        Arrays of shape (K,).
    max_K : int
    rng : numpy.random.Generator
    """
    order = rng.permutation(point.K)
    out = {"K": np.asarray(point.K)}
    for name, value, pad in zip(Params._fields, point, _PADDING, strict=True):
        out[name] = np.append(value[order], np.full(max_K - point.K, float(pad)))
    return out

"""The space that NUTS samples in."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.special import log_softmax

from gmmcompare.model.conjugate import ConjugatePriors
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors


@dataclass(frozen=True)
class Coordinates:
    """The unconstrained space that PyMC samples in: x = (logits of w, mu, log sigma**2).

    The K - 1 logits are log w_k, k < K, less the mean over all K. With ``ordered``, mu is its first
    value and then the logarithms of its increments. What ``priors`` know has no coordinate, and an
    sd that is shared has one. Under conjugate priors mu comes last, as it depends on sigma.
    """

    K: int
    ordered: bool = False
    priors: Priors | ConjugatePriors = field(default_factory=Priors)

    def of(self, params: Params) -> Array:
        """Return x, shape (..., 3K - 1) if nothing is known or shared."""
        log_w = np.log(params.w)
        logits = (log_w - log_w.mean(axis=-1, keepdims=True))[..., :-1]
        mu = params.mu
        if self.ordered:
            mu = np.concatenate([mu[..., :1], np.log(np.diff(mu, axis=-1))], axis=-1)
        free = self._free_sds
        log_var = 2.0 * np.log(params.sigma)
        if free.shape[1] < self.K:
            log_var = log_var @ free / free.sum(axis=0)
        blocks = [log_var, mu] if self._means_last else [mu, log_var]
        return np.concatenate([logits[..., : self._n_logits], *blocks], axis=-1)

    def params(self, x: Array) -> Params:
        """Return the parameters at x, arrays of shape (..., K)."""
        mu, log_var = self._mu(x), self._log_var(x)
        if self.ordered:
            mu = np.cumsum(np.concatenate([mu[..., :1], np.exp(mu[..., 1:])], axis=-1), axis=-1)
        if log_var.shape[-1] < self.K:
            log_var = log_var @ self._free_sds.T
        found = Params(np.exp(self._log_w(x)), mu, np.exp(0.5 * log_var))
        return self.priors.kept(found)

    def log_jacobian(self, x: Array) -> Array:
        """Return log |d(w, mu, sigma**2) / dx| up to a constant, shape (...)."""
        increments = self._mu(x)[..., 1:] if self.ordered else x[..., :0]
        log_w = self._log_w(x) if self.priors.free_weights else x[..., :0]
        return np.asarray(log_w.sum(-1) + increments.sum(-1) + self._log_var(x).sum(-1))

    @property
    def _free_sds(self) -> Array:
        return self.priors.free_sds(self.K)

    @property
    def _means_last(self) -> bool:
        return isinstance(self.priors, ConjugatePriors)

    @property
    def _n_logits(self) -> int:
        return (self.K - 1) * self.priors.free_weights

    def _mu(self, x: Array) -> Array:
        return x[..., -self.K :] if self._means_last else x[..., self._n_logits :][..., : self.K]

    def _log_var(self, x: Array) -> Array:
        rest = x[..., self._n_logits :]
        return rest[..., : self.K] if self._means_last else rest[..., self.K :]

    def _log_w(self, x: Array) -> Array:
        logits = x[..., : self._n_logits]
        if not self.priors.free_weights:
            logits = np.zeros((*x.shape[:-1], self.K - 1))
        every = np.concatenate([logits, -logits.sum(axis=-1, keepdims=True)], axis=-1)
        return np.asarray(log_softmax(every, axis=-1))

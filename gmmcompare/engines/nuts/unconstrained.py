"""The space that NUTS samples in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import log_softmax

from gmmcompare.model.params import Array, Params


@dataclass(frozen=True)
class Coordinates:
    """The unconstrained space that PyMC samples in: x = (logits of w, mu, log sigma**2).

    The K - 1 logits are log w_k, k < K, less the mean over all K. With ``ordered``, mu is its first
    value and then the logarithms of its increments.
    """

    K: int
    ordered: bool = False

    def of(self, params: Params) -> Array:
        """Return x, shape (..., 3K - 1)."""
        log_w = np.log(params.w)
        logits = (log_w - log_w.mean(axis=-1, keepdims=True))[..., :-1]
        mu = params.mu
        if self.ordered:
            mu = np.concatenate([mu[..., :1], np.log(np.diff(mu, axis=-1))], axis=-1)
        return np.concatenate([logits, mu, 2.0 * np.log(params.sigma)], axis=-1)

    def params(self, x: Array) -> Params:
        """Return the parameters at x, arrays of shape (..., K)."""
        mu = x[..., self.K - 1 : 2 * self.K - 1]
        if self.ordered:
            mu = np.cumsum(np.concatenate([mu[..., :1], np.exp(mu[..., 1:])], axis=-1), axis=-1)
        return Params(np.exp(self._log_w(x)), mu, np.exp(0.5 * x[..., 2 * self.K - 1 :]))

    def log_jacobian(self, x: Array) -> Array:
        """Return log |d(w, mu, sigma**2) / dx| up to a constant, shape (...)."""
        increments = x[..., self.K : 2 * self.K - 1] if self.ordered else x[..., :0]
        log_var = x[..., 2 * self.K - 1 :]
        return np.asarray(self._log_w(x).sum(-1) + increments.sum(-1) + log_var.sum(-1))

    def _log_w(self, x: Array) -> Array:
        logits = x[..., : self.K - 1]
        every = np.concatenate([logits, -logits.sum(axis=-1, keepdims=True)], axis=-1)
        return np.asarray(log_softmax(every, axis=-1))

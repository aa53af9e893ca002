"""Priors under which something is known or shared: sds, one sd for all components, weights."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from gmmcompare.model.component_priors import log_gamma_draws, variance_terms, weight_terms
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors
from gmmcompare.runtime.errors import InputError

SIMPLEX = 1e-6
"""By how much given weights may miss a sum of 1; they are divided by it."""
_EQUAL = 1e-6  # a parameter is at a known value if it is this near, as a fraction of the value
_FAR = 1e8


@dataclass(frozen=True, eq=False)
class RestrictedPriors(Priors):
    """`Priors` with point masses: what is known or shared is no parameter any more.

    A density is over what is left of (w, mu, sigma**2), and is 0
    at points that do not keep to what is known.

    Parameters
    ----------
    weight_concentration, mean_loc, mean_sd, var_shape, var_scale : float or array_like
        As of `Priors`; those of the weights or variances play no part where these are known.
    sds : float or array_like, shape (K,), optional
        The components' standard deviations, if they are known.
    shared_sd : bool
        Whether all components have one unknown standard deviation,
        ``sigma**2 ~ InverseGamma(var_shape, var_scale)``.
    weights : array_like, shape (K,), optional
        The components' weights, if they are known.

    Raises
    ------
    InputError
        If a field is not what it must be, sds are both known and shared, one sd would have several
        priors, or weights do not sum to 1.
    """

    family: ClassVar[str] = "normal-restricted"
    POSITIVE: ClassVar[tuple[str, ...]] = (*Priors.POSITIVE, "sds", "weights")

    sds: ArrayLike | None = None
    shared_sd: bool = False
    weights: ArrayLike | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sds is not None and self.shared_sd:
            raise InputError(
                "sds are known or shared, not both: give mixture.sds or mixture.shared_sd"
            )
        if self.shared_sd:
            self._check_one_prior()
        if self.weights is not None:
            self._normalise()

    def _check_one_prior(self) -> None:
        for name in ("var_shape", "var_scale"):
            if np.ptp(np.atleast_1d(getattr(self, name))):
                raise InputError(
                    f"priors.{name} differs between components, which share one sd: give one number"
                )

    def _normalise(self) -> None:
        weights = np.array(self.weights, dtype=float)
        if weights.ndim != 1:
            raise InputError(
                f"mixture.weights must be a list, one for each component, found {weights}"
            )
        if abs(weights.sum() - 1.0) > SIMPLEX:
            raise InputError(f"mixture.weights must sum to 1, found a sum of {weights.sum():.6g}")
        weights = weights / weights.sum()
        weights.setflags(write=False)
        object.__setattr__(self, "weights", weights)

    @property
    def hyperparameters(self) -> tuple[str, ...]:
        """Names of the fields that are numbers or have shape (K,), known values among them."""
        known = tuple(n for n in ("sds", "weights") if getattr(self, n) is not None)
        return tuple(f.name for f in fields(Priors)) + known

    @staticmethod
    def key(name: str) -> str:
        """Return what a card calls a field, for messages."""
        return f"mixture.{name}" if name in ("sds", "weights") else f"priors.{name}"

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain numbers or lists, and of restrictions those that are made."""
        return super().to_dict() | ({"shared_sd": True} if self.shared_sd else {})

    def of_first(self) -> Self:
        """Return the prior of the first component, as priors of one, fields of shape (1,).

        Raises
        ------
        InputError
            If components are tied to one another, and one has no prior of its own.
        """
        if self.shared_sd or self.weights is not None:
            what = "an sd that all components share" if self.shared_sd else "fixed weights"
            raise InputError(f"with {what} a component has no prior of its own: leave it out")
        return super().of_first()

    def transformed(self, shift: float, scale: float) -> Self:
        """Return the priors of the same model for data ``(y - shift) / scale``."""
        moved = super().transformed(shift, scale)
        return moved if self.sds is None else replace(moved, sds=np.asarray(self.sds) / scale)

    def _log_constant(self, K: int) -> float:
        return super()._log_constant(K) if self.weights is None else 0.0

    def log_terms(self, params: Params) -> Array:
        """Return each component's term of `log_density`, shape (..., K); -inf off known values.

        A shared variance's term is divided equally.
        """
        terms = self._free_terms(params)
        for off in self._deviations(params).values():
            terms = np.where(off < _EQUAL, terms, -np.inf)
        return terms

    def _free_terms(self, params: Params) -> Array:
        p = self.expanded(params.K)
        m0, s0 = np.asarray(p.mean_loc), np.asarray(p.mean_sd)
        terms = -0.5 * ((params.mu - m0) / s0) ** 2 - np.log(s0) - 0.5 * np.log(2 * np.pi)
        if p.weights is None:
            terms = terms + weight_terms(np.asarray(p.weight_concentration), params.w)
        if p.sds is None:
            a, b = np.asarray(p.var_shape), np.asarray(p.var_scale)
            share = 1.0 / params.K if self.shared_sd else 1.0
            terms = terms + share * variance_terms(a, b, params.sigma)
        return np.asarray(terms)

    def _deviations(self, params: Params) -> dict[str, Array]:
        """Return how far components are from what is known of them, by what it is, as fractions."""
        p = self.expanded(params.K)
        off = {}
        if p.weights is not None:
            known = np.asarray(p.weights)
            off[f"weights are fixed at {_listed(known)}"] = params.w / known - 1.0
        if p.sds is not None:
            known = np.asarray(p.sds)
            off[f"sds are known to be {_listed(known)}"] = params.sigma / known - 1.0
        if self.shared_sd:
            with np.errstate(invalid="ignore"):
                ratio = params.sigma / params.sigma[..., :1]
            # Where all are infinite they are equal, too.
            off["all components have one sd"] = np.where(np.isnan(ratio), 0.0, ratio - 1.0)
        return {what: np.abs(deviation) for what, deviation in off.items()}

    def broken_by(self, params: Params) -> str:
        """Say in which respect parameters (..., K) do not keep to what is known; else nothing."""
        found = self._deviations(params).items()
        return next((what for what, off in found if (off >= _EQUAL).any()), "")

    @property
    def free_weights(self) -> bool:
        """Whether weights are parameters."""
        return self.weights is None

    def free_sds(self, K: int) -> Array:
        """Return which sds are parameters: (K, m), one column for each, 1 where it is the sd."""
        if self.sds is not None:
            return np.empty((K, 0))
        return np.ones((K, 1)) if self.shared_sd else np.eye(K)

    def log_scale(self, params: Params) -> Array:
        """Return what a log density over log sigma**2 has more than one over sigma**2, (...)."""
        free = self.free_sds(params.K)
        if free.shape[1] == params.K:
            return super().log_scale(params)
        return np.asarray((2.0 * np.log(params.sigma) @ free / free.sum(axis=0)).sum(-1))

    def kept(self, params: Params) -> Params:
        """Return parameters (..., K) with what is known put in exactly, where rounding moved it."""
        p = self.expanded(params.K)
        w, mu, sigma = params
        if p.weights is not None:
            w = np.broadcast_to(np.asarray(p.weights), mu.shape).copy()
        if p.sds is not None:
            sigma = np.broadcast_to(np.asarray(p.sds), mu.shape).copy()
        elif self.shared_sd:
            sigma = np.broadcast_to(sigma[..., :1], mu.shape).copy()
        return Params(w, mu, sigma)

    def nearest(self, point: Params, like: Params | None = None) -> Params:
        """Return the point nearest to one (K,) that keeps to what is known.

        Its components are renumbered for it, as it would be best for the point ``like``.
        """
        own = self.exchangeable
        w, mu, sigma = point if own else point.permuted(self.favoured_order(like or point))
        if self.shared_sd:
            sigma = np.full(sigma.size, np.sqrt((w * sigma**2).sum()))
        return self.kept(Params(w, mu, sigma))

    def _gains(self, point: Params) -> Array:
        """Return the log density of each component under each label's prior, (label, component).

        Off known values it falls with the distance from them, and a label can still be found.
        """
        K = point.K
        full = self.expanded(K)
        free = replace(full, sds=None, weights=None, shared_sd=False)
        gains = [free.permuted([k] * K).log_terms(point) for k in range(K)]
        for name, values in (("sds", point.sigma), ("weights", point.w)):
            if getattr(full, name) is not None:
                known = np.asarray(getattr(full, name))
                distance = np.log(np.maximum(values, 1e-300)) - np.log(known)[:, None]
                gains = [g - _FAR * d**2 for g, d in zip(gains, distance, strict=True)]
        return np.stack(gains)

    def sample(self, rng: np.random.Generator, K: int) -> Params:
        """Draw one point from the prior, arrays of shape (K,)."""
        p = self.expanded(K)
        if p.weights is None:
            log_g = log_gamma_draws(rng, np.asarray(p.weight_concentration))
            w = np.exp(log_g - log_g.max())
            w = w / w.sum()
        else:
            w = np.array(p.weights)
        mu = rng.normal(np.asarray(p.mean_loc), np.asarray(p.mean_sd))
        if p.sds is not None:
            return Params(w, mu, np.array(p.sds))
        a, b = np.asarray(p.var_shape), np.asarray(p.var_scale)
        n = 1 if self.shared_sd else K
        with np.errstate(over="ignore"):  # under a nearly improper prior sigma may be inf
            sigma = np.exp(0.5 * (np.log(b[:n]) - log_gamma_draws(rng, a[:n])))
        return Params(w, mu, np.repeat(sigma, K // n))

    def draw(self, n: int, rng: np.random.Generator, K: int) -> Params:
        """Draw n points from a prior that is not nearly improper.

        Parameters
        ----------
        n : int
        rng : numpy.random.Generator
        K : int

        Returns
        -------
        Params
            Arrays of shape (n, K).
        """
        p = self.expanded(K)
        if p.weights is None:
            w = rng.dirichlet(np.asarray(p.weight_concentration), size=n)
        else:
            w = np.tile(np.asarray(p.weights), (n, 1))
        mu = rng.normal(np.asarray(p.mean_loc), np.asarray(p.mean_sd), size=(n, K))
        if p.sds is not None:
            return Params(w, mu, np.tile(np.asarray(p.sds), (n, 1)))
        a, b = np.asarray(p.var_shape), np.asarray(p.var_scale)
        m = 1 if self.shared_sd else K
        sigma = np.sqrt(b[:m] / rng.standard_gamma(a[:m], size=(n, m)))
        return Params(w, mu, np.repeat(sigma, K // m, axis=1))


def _listed(values: ArrayLike) -> str:
    return ", ".join(f"{v:.6g}" for v in np.atleast_1d(np.asarray(values, dtype=float)))

"""The priors of a comparison: one frozen object, shared by every engine."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

from gmmcompare.model.params import Array, Params
from gmmcompare.runtime.errors import InputError

_POSITIVE = ("weight_concentration", "mean_sd", "var_shape", "var_scale")


@dataclass(frozen=True, eq=False)
class Priors:
    """Dirichlet weights, normal means, inverse-gamma variances; each field a float or (K,).

    ``w ~ Dirichlet(weight_concentration)``, ``mu_k ~ Normal(mean_loc, mean_sd)`` and
    ``sigma_k**2 ~ InverseGamma(var_shape, var_scale)`` with density
    ``b**a / Gamma(a) * x**(-a-1) * exp(-b/x)``, a the shape and b the scale.

    Raises
    ------
    InputError
        If a field is not a number or a vector, is not finite, or is not positive where it must be.
    """

    weight_concentration: ArrayLike = 1.0
    mean_loc: ArrayLike = 0.0
    mean_sd: ArrayLike = 30.0
    var_shape: ArrayLike = 1e-4
    var_scale: ArrayLike = 1e-4

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, _checked(field.name, getattr(self, field.name)))

    def to_dict(self) -> dict[str, float | list[float]]:
        """Return the five fields as plain numbers or lists, as a card writes them."""
        values = {f.name: np.asarray(getattr(self, f.name)) for f in fields(self)}
        return {name: v.tolist() for name, v in values.items()}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Priors) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash(repr(self.to_dict()))

    def expanded(self, K: int) -> Priors:
        """Return the same priors with every field an array of shape (K,), not to be written to.

        Kept once made: a kernel asks for it in every sweep.

        Raises
        ------
        InputError
            If K < 1 or a vector field does not have length K.
        """
        if K < 1:
            raise InputError(f"components must be at least 1, found {K}")
        kept: Priors | None = self.__dict__.get("_expanded")
        if kept is None or np.size(kept.mean_loc) != K:
            kept = self._made_full(K)
            object.__setattr__(self, "_expanded", kept)
        return kept

    def _made_full(self, K: int) -> Priors:
        full: dict[str, Any] = {}
        for field in fields(self):
            value = np.asarray(getattr(self, field.name), dtype=float)
            if value.ndim == 1 and value.size != K:
                raise InputError(
                    f"priors.{field.name} has {value.size} values but the mixture has {K} "
                    "components: give one number or one per component"
                )
            full[field.name] = np.broadcast_to(value, (K,)).copy()
        return replace(self, **full)

    @property
    def exchangeable(self) -> bool:
        """Whether every component has the same prior, so that labels mean nothing."""
        return all(np.ptp(np.atleast_1d(getattr(self, f.name))) == 0 for f in fields(self))

    def groups(self, K: int) -> tuple[tuple[int, ...], ...]:
        """Return the components (from 0) that have one prior, group by group.

        A permutation within groups leaves the prior as it is, any other does not: between groups it
        is the prior that says which component is which.
        """
        full = self.expanded(K)
        found: dict[tuple[float, ...], list[int]] = {}
        for k in range(K):
            own = tuple(float(np.asarray(getattr(full, f.name))[k]) for f in fields(full))
            found.setdefault(own, []).append(k)
        return tuple(map(tuple, found.values()))

    def is_same(self, other: Priors, K: int) -> bool:
        """Whether these are the same priors of K components, however they are written."""
        return self.expanded(K) == other.expanded(K)

    def permuted(self, order: ArrayLike) -> Priors:
        """Return the priors of components ``order``; K is the length of ``order``."""
        index = np.asarray(order, dtype=int)
        full = self.expanded(index.size)
        return replace(full, **{f.name: getattr(full, f.name)[index] for f in fields(full)})

    def favoured_order(self, point: Params) -> NDArray[np.intp]:
        """Return the order of a mixture's components, shape (K,), that has the highest density.

        For a point whose own numbering means nothing, such as a maximum of the likelihood.
        """
        from scipy.optimize import linear_sum_assignment

        K = point.K
        gain = np.stack([self.permuted([label] * K).log_terms(point) for label in range(K)])
        order: NDArray[np.intp] = linear_sum_assignment(np.nan_to_num(gain), maximize=True)[1]
        return order

    def transformed(self, shift: float, scale: float) -> Priors:
        """Return the priors of the same model for data ``(y - shift) / scale``."""
        return replace(
            self,
            mean_loc=(np.asarray(self.mean_loc) - shift) / scale,
            mean_sd=np.asarray(self.mean_sd) / scale,
            var_scale=np.asarray(self.var_scale) / scale**2,
        )

    def log_density(self, params: Params) -> Array:
        """Return the normalised log density over (w, mu, sigma**2).

        The density of w is with respect to Lebesgue measure on K - 1 of its coordinates.

        Parameters
        ----------
        params : Params
            Arrays of shape (..., K).

        Returns
        -------
        ndarray, shape (...)
            ``-inf`` where sigma is infinite, or a weight is 0 under a concentration above 1.
        """
        p = self.expanded(params.K)
        c = np.asarray(p.weight_concentration)
        constant = gammaln(c.sum()) - gammaln(c).sum()
        return np.asarray(constant + self.log_terms(params).sum(-1))

    def log_terms(self, params: Params) -> Array:
        """Return each component's term of `log_density`, shape (..., K).

        The Dirichlet distribution's constant is no component's, and is left out.
        """
        p = self.expanded(params.K)
        c, m0, v0, a, b = (np.asarray(getattr(p, f.name)) for f in fields(p))
        with np.errstate(divide="ignore", over="ignore"):
            log_w = np.where(c == 1.0, 0.0, np.log(np.maximum(params.w, 0.0)))
            log_var = 2.0 * np.log(params.sigma)
            inverse_var = params.sigma**-2.0
        weights = (c - 1.0) * log_w
        means = -0.5 * ((params.mu - m0) / v0) ** 2 - np.log(v0) - 0.5 * np.log(2 * np.pi)
        variances = a * np.log(b) - gammaln(a) - (a + 1.0) * log_var - b * inverse_var
        return np.asarray(weights + means + variances)

    def sample(self, rng: np.random.Generator, K: int) -> Params:
        """Draw one point from the prior, arrays of shape (K,)."""
        p = self.expanded(K)
        log_g = log_gamma_draws(rng, np.asarray(p.weight_concentration))
        w = np.exp(log_g - log_g.max())
        mu = rng.normal(np.asarray(p.mean_loc), np.asarray(p.mean_sd))
        log_precision = log_gamma_draws(rng, np.asarray(p.var_shape)) - np.log(p.var_scale)
        with np.errstate(over="ignore"):  # under a nearly improper prior sigma may be inf
            sigma = np.exp(-0.5 * log_precision)
        return Params(w / w.sum(), mu, sigma)


def log_gamma_draws(rng: np.random.Generator, shape: Array) -> Array:
    """Draw log Gamma(shape, 1) without underflow.

    A gamma variate of shape 1e-4 is below the smallest float nearly always, so a shape below one
    uses ``log Gamma(a) = log Gamma(a + 1) + log(U) / a`` in distribution.
    """
    out = np.empty(np.shape(shape))
    for k, a in enumerate(shape):
        if a >= 1.0:
            out[k] = np.log(rng.standard_gamma(a))
        else:
            out[k] = np.log(rng.standard_gamma(a + 1.0)) + np.log1p(-rng.random()) / a
    return out


def _checked(name: str, value: ArrayLike) -> float | Array:
    try:
        array = np.array(value, dtype=float)
    except (TypeError, ValueError):
        raise InputError(f"priors.{name} must be a number or a list, found {value!r}") from None
    if array.ndim > 1 or array.size == 0:
        raise InputError(f"priors.{name} must be a number or a list, found shape {array.shape}")
    if not np.isfinite(array).all():
        raise InputError(f"priors.{name} must be finite, found {value!r}")
    if name in _POSITIVE and (array <= 0).any():
        raise InputError(f"priors.{name} must be positive, found {array.min():g}")
    array.setflags(write=False)
    return float(array) if array.ndim == 0 else array

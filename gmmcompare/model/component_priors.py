"""What priors of one-dimensional components share, whatever their family.

Fields are hyperparameters, each a number for all components or one for each, of shape (K,).
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import fields, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

from gmmcompare.model.params import Array, Params
from gmmcompare.runtime.errors import InputError

_OF_OTHERS = {
    "mean_sd": "the scale of a mean is sigma / sqrt(mean_count) under conjugate priors",
    "mean_count": "a sampler of conjugate priors is tested by --family normal-conjugate",
    "sds": "a sampler that knows the sds is tested by --family known-sds",
    "shared_sd": "a sampler of one sd for all is tested by --family shared-sd",
    "weights": "a sampler that knows the weights is tested by --family fixed-weights",
}
"""Fields of other families, and what is said of them where they are asked for."""


class ComponentPriors:
    """Dirichlet weights, and a prior of each component; `Priors` is one, `ConjugatePriors` another.

    A subclass is a frozen dataclass. It says which fields must be positive, the terms of its
    density and how it is drawn from.
    """

    family: ClassVar[str] = "normal"
    POSITIVE: ClassVar[tuple[str, ...]] = ()
    __dataclass_fields__: ClassVar[dict[str, Any]]
    weight_concentration: ArrayLike

    def __post_init__(self) -> None:
        for name in self.hyperparameters:
            value = checked(self.key(name), getattr(self, name), name in self.POSITIVE)
            object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        """Say which family has a field that this one has not: a sampler may be of that."""
        where = f": {_OF_OTHERS[name]}" if name in _OF_OTHERS else ""
        raise AttributeError(f"{type(self).__name__} have no {name}{where}", name=name, obj=self)

    @property
    def hyperparameters(self) -> tuple[str, ...]:
        """Names of the fields that are numbers or have shape (K,)."""
        return tuple(f.name for f in fields(self))

    @staticmethod
    def key(name: str) -> str:
        """Return what a card calls a field, for messages."""
        return f"priors.{name}"

    def to_dict(self) -> dict[str, float | list[float]]:
        """Return the fields as plain numbers or lists, as a card writes them."""
        values = {name: np.asarray(getattr(self, name)) for name in self.hyperparameters}
        return {name: v.tolist() for name, v in values.items()}

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash(repr(self.to_dict()))

    def expanded(self, K: int) -> Self:
        """Return the same priors with every field an array of shape (K,), not to be written to.

        Kept once made: a kernel asks for it in every sweep.

        Raises
        ------
        InputError
            If K < 1 or a vector field does not have length K.
        """
        if K < 1:
            raise InputError(f"components must be at least 1, found {K}")
        kept: dict[int, Self] = self.__dict__.setdefault("_expanded", {})
        if K not in kept:
            kept[K] = self._made_full(K)
        return kept[K]

    def _made_full(self, K: int) -> Self:
        full: dict[str, Any] = {}
        for name in self.hyperparameters:
            value = np.asarray(getattr(self, name), dtype=float)
            if value.ndim == 1 and value.size != K:
                raise InputError(
                    f"{self.key(name)} has {value.size} values but the mixture has {K} "
                    "components: give one number or one per component"
                )
            full[name] = np.broadcast_to(value, (K,)).copy()
        return replace(self, **full)

    @property
    def exchangeable(self) -> bool:
        """Whether every component has the same prior, so that labels mean nothing."""
        return all(np.ptp(np.atleast_1d(getattr(self, name))) == 0 for name in self.hyperparameters)

    def groups(self, K: int) -> tuple[tuple[int, ...], ...]:
        """Return the components (from 0) that have one prior, group by group.

        A permutation within groups leaves the prior as it is, any other does not: between groups it
        is the prior that says which component is which.
        """
        full = self.expanded(K)
        found: dict[tuple[float, ...], list[int]] = {}
        for k in range(K):
            own = tuple(float(np.asarray(getattr(full, name))[k]) for name in self.hyperparameters)
            found.setdefault(own, []).append(k)
        return tuple(map(tuple, found.values()))

    def is_same(self, other: ComponentPriors, K: int) -> bool:
        """Whether these are the same priors of K components, however they are written."""
        return self.expanded(K) == other.expanded(K)

    def permuted(self, order: ArrayLike) -> Self:
        """Return the priors of components ``order``; K is the length of ``order``."""
        index = np.asarray(order, dtype=int)
        full = self.expanded(index.size)
        return replace(full, **{name: getattr(full, name)[index] for name in self.hyperparameters})

    def of_first(self) -> Self:
        """Return the prior of the first component, as priors of one, fields of shape (1,)."""
        first = {name: np.atleast_1d(getattr(self, name))[:1] for name in self.hyperparameters}
        return replace(self, **first)

    def favoured_order(self, point: Params) -> NDArray[np.intp]:
        """Return the order of a mixture's components, shape (K,), that has the highest density.

        For a point whose own numbering means nothing, such as a maximum of the likelihood.
        """
        from scipy.optimize import linear_sum_assignment

        gain = np.nan_to_num(self._gains(point))
        order: NDArray[np.intp] = linear_sum_assignment(gain, maximize=True)[1]
        return order

    def _gains(self, point: Params) -> Array:
        """Return the log density of each component under each label's prior, (label, component)."""
        K = point.K
        return np.stack([self.permuted([label] * K).log_terms(point) for label in range(K)])

    @abstractmethod
    def transformed(self, shift: float, scale: float) -> Self:
        """Return the priors of the same model for data ``(y - shift) / scale``."""

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
        return np.asarray(self._log_constant(params.K) + self.log_terms(params).sum(-1))

    @property
    def free_weights(self) -> bool:
        """Whether weights are parameters."""
        return True

    def free_sds(self, K: int) -> Array:
        """Return which sds are parameters: (K, m), one column for each, 1 where it is the sd."""
        return np.eye(K)

    def log_scale(self, params: Params) -> Array:
        """Return what a log density over log sigma**2 has more than one over sigma**2, (...)."""
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(2.0 * np.log(params.sigma).sum(-1))

    def kept(self, params: Params) -> Params:
        """Return parameters (..., K) with what is known put in exactly, where rounding moved it."""
        return params

    def nearest(self, point: Params, like: Params | None = None) -> Params:
        """Return the point nearest to one (K,) that keeps to what is known.

        Its components are renumbered for it, as it would be best for the point ``like``.
        """
        return point

    def broken_by(self, params: Params) -> str:
        """Say in which respect parameters (..., K) do not keep to what is known; else nothing."""
        return ""

    def _log_constant(self, K: int) -> float:
        """Return the logarithm of the Dirichlet distribution's constant."""
        c = np.asarray(self.expanded(K).weight_concentration)
        return float(gammaln(c.sum()) - gammaln(c).sum())

    @abstractmethod
    def log_terms(self, params: Params) -> Array:
        """Return each component's term of `log_density`, shape (..., K).

        The Dirichlet distribution's constant is no component's, and is left out.
        """

    @abstractmethod
    def sample(self, rng: np.random.Generator, K: int) -> Params:
        """Draw one point from the prior, arrays of shape (K,)."""

    @abstractmethod
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


def weight_terms(c: Array, w: Array) -> Array:
    """Return (c - 1) log w, the terms of a Dirichlet density; 0 where c is 1, whatever w is."""
    with np.errstate(divide="ignore"):
        log_w = np.where(c == 1.0, 0.0, np.log(np.maximum(w, 0.0)))
    return np.asarray((c - 1.0) * log_w)


def variance_terms(a: Array, b: Array, sigma: Array) -> Array:
    """Return the log density of InverseGamma(a, b) over the variance.

    Parameters
    ----------
    a, b : ndarray
        Shape and scale.
    sigma : ndarray
        Standard deviations.
    """
    with np.errstate(divide="ignore", over="ignore"):
        log_var, inverse_var = 2.0 * np.log(sigma), sigma**-2.0
    return np.asarray(a * np.log(b) - gammaln(a) - (a + 1.0) * log_var - b * inverse_var)


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


def checked(key: str, value: ArrayLike, positive: bool) -> float | Array:
    """Return a hyperparameter as a number or an array that cannot be written to.

    Parameters
    ----------
    key : str
        What messages call it.
    value : array_like
    positive : bool
        Whether it must be.

    Raises
    ------
    InputError
        If it is not a number or a vector, not finite, or not positive where it must be.
    """
    try:
        array = np.array(value, dtype=float)
    except (TypeError, ValueError):
        raise InputError(f"{key} must be a number or a list, found {value!r}") from None
    if array.ndim > 1 or array.size == 0:
        raise InputError(f"{key} must be a number or a list, found shape {array.shape}")
    if not np.isfinite(array).all():
        raise InputError(f"{key} must be finite, found {value!r}")
    if positive and (array <= 0).any():
        raise InputError(f"{key} must be positive, found {array.min():g}")
    array.setflags(write=False)
    return float(array) if array.ndim == 0 else array

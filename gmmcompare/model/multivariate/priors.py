"""The priors of a mixture of multivariate normals: normal means, inverse-Wishart covariances."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

from gmmcompare.model.multivariate.params import MultivariateParams
from gmmcompare.model.multivariate.wishart import (
    draw_inverse_wisharts,
    inverse_of_factor,
    log_inverse_wishart,
    log_normal,
)
from gmmcompare.model.params import Array
from gmmcompare.model.priors import log_gamma_draws
from gmmcompare.runtime.errors import InputError

_OWN_AXES = {"weight_concentration": 0, "mean_loc": 1, "mean_cov": 2, "cov_df": 0, "cov_scale": 2}


@dataclass(frozen=True, eq=False)
class MultivariatePriors:
    """Dirichlet weights, normal means and, independent of them, inverse-Wishart covariances.

    ``w ~ Dirichlet(weight_concentration)``, ``mu_k ~ Normal(mean_loc, mean_cov)`` and ``cov_k ~
    InverseWishart(cov_df, cov_scale)``, whose density is proportional to
    ``|cov|**(-(nu + d + 1) / 2) * exp(-trace(Psi @ inv(cov)) / 2)``, nu the degrees of freedom and
    Psi the scale. For d = 1 these are the priors of `Priors` with ``cov_df = 2 * var_shape`` and
    ``cov_scale = 2 * var_scale``.

    Parameters
    ----------
    weight_concentration : float or array_like, shape (K,)
    mean_loc : array_like, shape (d,) or (K, d)
        A number alone is that of every dimension.
    mean_cov : array_like, shape (d, d) or (K, d, d)
    cov_df : float or array_like, shape (K,)
        Above d - 1.
    cov_scale : array_like, shape (d, d) or (K, d, d)

    Raises
    ------
    InputError
        If shapes do not go together, a value is not finite, a matrix is not symmetric and positive
        definite, or there are too few degrees of freedom.
    """

    family: ClassVar[str] = "multivariate"

    weight_concentration: ArrayLike
    mean_loc: ArrayLike
    mean_cov: ArrayLike
    cov_df: ArrayLike
    cov_scale: ArrayLike

    def __post_init__(self) -> None:
        put = object.__setattr__
        for f in fields(self):
            put(self, f.name, _checked(f.name, getattr(self, f.name)))
        d = self.d
        if np.ndim(self.mean_loc) == 0:
            put(self, "mean_loc", np.full(d, float(np.asarray(self.mean_loc))))
        for name, axes in _OWN_AXES.items():
            own = np.shape(getattr(self, name))
            wanted = (d,) * axes
            if len(own) not in (axes, axes + 1) or own[len(own) - axes :] != wanted:
                raise InputError(
                    f"priors.{name} has shape {own}; with {d} dimension{'s' * (d > 1)} (mean_cov) "
                    f"give {_shape(wanted)}, or one per component, {_shape(('K', *wanted))}"
                )
        _check_positive("weight_concentration", np.asarray(self.weight_concentration))
        df = np.asarray(self.cov_df)
        if (df <= d - 1).any():
            raise InputError(
                f"priors.cov_df must be above d - 1 = {d - 1}, found {df.min():g}; {d + 1} and "
                "more give the covariance matrix a mode, d + 2 a mean"
            )
        for name in ("mean_cov", "cov_scale"):
            _check_matrix(name, np.asarray(getattr(self, name)))
        for f in fields(self):
            np.asarray(getattr(self, f.name)).setflags(write=False)

    @property
    def d(self) -> int:
        """Number of dimensions."""
        return int(np.shape(self.mean_cov)[-1])

    def to_dict(self) -> dict[str, Any]:
        """Return the five fields as plain numbers or lists, as a card writes them."""
        return {f.name: np.asarray(getattr(self, f.name)).tolist() for f in fields(self)}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MultivariatePriors) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash(repr(self.to_dict()))

    def expanded(self, K: int) -> MultivariatePriors:
        """Return the same priors with a leading axis of K in every field.

        Kept once made: a kernel asks for it in every sweep.

        Raises
        ------
        InputError
            If K < 1 or a field has a leading axis of another length.
        """
        if K < 1:
            raise InputError(f"components must be at least 1, found {K}")
        kept: dict[int, MultivariatePriors] = self.__dict__.setdefault("_expanded", {})
        if K not in kept:
            kept[K] = self._made_full(K)
        return kept[K]

    def _made_full(self, K: int) -> MultivariatePriors:
        full: dict[str, Any] = {}
        for name, axes in _OWN_AXES.items():
            value = np.asarray(getattr(self, name), dtype=float)
            if value.ndim == axes + 1 and len(value) != K:
                raise InputError(
                    f"priors.{name} is given for {len(value)} components but the mixture has {K}: "
                    "give it once or for each component"
                )
            shape = (K, *value.shape[value.ndim - axes :])
            full[name] = np.broadcast_to(value, shape).copy()
        return replace(self, **full)

    @property
    def exchangeable(self) -> bool:
        """Whether every component has the same prior, so that labels mean nothing."""
        own = [(np.asarray(getattr(self, name)), axes) for name, axes in _OWN_AXES.items()]
        return all(a.ndim == axes or (a == a[:1]).all() for a, axes in own)

    def groups(self, K: int) -> tuple[tuple[int, ...], ...]:
        """Return the components (from 0) that have one prior, group by group."""
        full = self.expanded(K)
        found: dict[bytes, list[int]] = {}
        for k in range(K):
            own = b"".join(np.asarray(getattr(full, f.name))[k].tobytes() for f in fields(full))
            found.setdefault(own, []).append(k)
        return tuple(map(tuple, found.values()))

    def is_same(self, other: object, K: int) -> bool:
        """Whether these are the same priors of K components, however they are written."""
        return isinstance(other, MultivariatePriors) and self.expanded(K) == other.expanded(K)

    def permuted(self, order: ArrayLike) -> MultivariatePriors:
        """Return the priors of components ``order``; K is the length of ``order``."""
        index = np.asarray(order, dtype=int)
        full = self.expanded(index.size)
        return replace(full, **{f.name: getattr(full, f.name)[index] for f in fields(full)})

    def favoured_order(self, point: MultivariateParams) -> NDArray[np.intp]:
        """Return the order of a mixture's components, shape (K,), that has the highest density."""
        from scipy.optimize import linear_sum_assignment

        K = point.K
        gain = np.stack([self.permuted([label] * K).log_terms(point) for label in range(K)])
        order: NDArray[np.intp] = linear_sum_assignment(np.nan_to_num(gain), maximize=True)[1]
        return order

    def of_first(self) -> MultivariatePriors:
        """Return the prior of the first component, as priors of one."""
        first = {
            name: value[:1]
            if (value := np.asarray(getattr(self, name))).ndim > axes
            else value[None]
            for name, axes in _OWN_AXES.items()
        }
        return replace(self, **first)

    def transformed(self, shift: Any, scale: Any) -> MultivariatePriors:
        """Return the priors of the same model for data ``(y - shift) / scale``, each (d,)."""
        scale = np.broadcast_to(np.asarray(scale, dtype=float), (self.d,))
        square = np.multiply.outer(scale, scale)
        return replace(
            self,
            mean_loc=(np.asarray(self.mean_loc) - shift) / scale,
            mean_cov=np.asarray(self.mean_cov) / square,
            cov_scale=np.asarray(self.cov_scale) / square,
        )

    def log_density(self, params: MultivariateParams) -> Array:
        """Return the normalised log density over w, mu and the lower triangle of cov, shape (...).

        The density of w is with respect to Lebesgue measure on K - 1 of its coordinates.
        """
        c = np.asarray(self.expanded(params.K).weight_concentration)
        constant = gammaln(c.sum()) - gammaln(c).sum()
        return np.asarray(constant + self.log_terms(params).sum(-1))

    def log_terms(self, params: MultivariateParams) -> Array:
        """Return each component's term of `log_density`, shape (..., K).

        The Dirichlet distribution's constant is no component's, and is left out.
        """
        p = self.expanded(params.K)
        c, m0, V0, nu, Psi = (np.asarray(getattr(p, f.name)) for f in fields(p))
        with np.errstate(divide="ignore"):
            log_w = np.where(c == 1.0, 0.0, np.log(np.maximum(params.w, 0.0)))
        means = log_normal(params.mu, m0, V0)
        return np.asarray((c - 1.0) * log_w + means + log_inverse_wishart(params.cov, nu, Psi))

    def sample(self, rng: np.random.Generator, K: int) -> MultivariateParams:
        """Draw one point from the prior, shapes (K,), (K, d) and (K, d, d)."""
        p = self.expanded(K)
        log_g = log_gamma_draws(rng, np.asarray(p.weight_concentration))
        w = np.exp(log_g - log_g.max())
        root = np.linalg.cholesky(np.asarray(p.mean_cov))
        normals = rng.standard_normal((K, self.d))
        mu = np.asarray(p.mean_loc) + np.einsum("kij,kj->ki", root, normals)
        cov = draw_inverse_wisharts(np.asarray(p.cov_df), np.asarray(p.cov_scale), rng)
        return MultivariateParams(w / w.sum(), mu, cov)


def draw_points(
    priors: MultivariatePriors, n: int, rng: np.random.Generator, K: int
) -> MultivariateParams:
    """Draw n points from a prior that is not nearly improper: (n, K), (n, K, d), (n, K, d, d).

    Parameters
    ----------
    priors : MultivariatePriors
    n : int
    rng : numpy.random.Generator
    K : int
    """
    p, d = priors.expanded(K), priors.d
    w = rng.dirichlet(np.asarray(p.weight_concentration), size=n)
    root = np.linalg.cholesky(np.asarray(p.mean_cov))
    normals = rng.standard_normal((n, K, d))
    mu = np.asarray(p.mean_loc) + np.einsum("kij,nkj->nki", root, normals)
    B = np.tril(rng.standard_normal((n, K, d, d)), -1)
    chi_square = 2.0 * rng.standard_gamma(
        0.5 * (np.asarray(p.cov_df)[:, None] - np.arange(d)), (n, K, d)
    )
    B[..., np.arange(d), np.arange(d)] = np.sqrt(chi_square)
    C = np.broadcast_to(np.linalg.cholesky(np.asarray(p.cov_scale)), B.shape)
    return MultivariateParams(w, mu, inverse_of_factor(C, B))


def _shape(axes: tuple[Any, ...]) -> str:
    if not axes:
        return "a number"
    return f"shape ({', '.join(map(str, axes))}{',' * (len(axes) == 1)})"


def _checked(name: str, value: ArrayLike) -> float | Array:
    try:
        array = np.array(value, dtype=float)
    except (TypeError, ValueError):
        raise InputError(f"priors.{name} must be numbers, found {value!r}") from None
    if array.size == 0:
        raise InputError(f"priors.{name} must be numbers, found shape {array.shape}")
    if not np.isfinite(array).all():
        raise InputError(f"priors.{name} must be finite, found {value!r}")
    if _OWN_AXES[name] == 2 and array.ndim == 0:
        array = array.reshape(1, 1)
    return float(array) if array.ndim == 0 else array


def _check_positive(name: str, value: Array) -> None:
    if (value <= 0).any():
        raise InputError(f"priors.{name} must be positive, found {value.min():g}")


def _check_matrix(name: str, value: Array) -> None:
    if not np.allclose(value, np.swapaxes(value, -1, -2), rtol=1e-10, atol=0.0):
        raise InputError(f"priors.{name} must be symmetric")
    sd = np.sqrt(np.abs(np.diagonal(value, axis1=-2, axis2=-1)))
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = value / (sd[..., :, None] * sd[..., None, :])
    smallest = np.linalg.eigvalsh(scaled).min() if np.isfinite(scaled).all() else 0.0
    if (np.diagonal(value, axis1=-2, axis2=-1) <= 0).any() or smallest < 1e-13:
        raise InputError(
            f"priors.{name} must be positive definite, and is singular or has a negative "
            "direction: give variances above 0 on the diagonal and correlations inside (-1, 1)"
        )

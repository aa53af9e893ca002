"""Faults of a Gibbs sampler for multivariate normals: the correct sweep with one step replaced.

Every fault is a sweep ``(w, mu, cov, y, priors, rng)``, named ``fault:multivariate/NAME``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gmmcompare.engines.multivariate import plain
from gmmcompare.model.multivariate.params import MultivariateParams
from gmmcompare.model.multivariate.wishart import draw_inverse_wisharts
from gmmcompare.model.params import Array
from gmmcompare.runtime.errors import InputError, did_you_mean

PREFIX = "fault:multivariate/"

Step = Callable[..., Any]


@dataclass(frozen=True)
class VectorFault:
    """One slip: the code as written and as it should be, and what it does to the draws.

    Calling it makes one sweep; ``step`` replaces the step that it is named after.
    """

    name: str
    mistake: str
    replaced: str
    step: Step

    def __call__(
        self, w: Array, mu: Array, cov: Array, y: Array, priors: Any, rng: np.random.Generator
    ) -> MultivariateParams:
        """Make one wrong sweep.

        Parameters
        ----------
        w, mu, cov : ndarray, shape (K,), (K, d) and (K, d, d)
        y : ndarray, shape (N, d)
        priors : MultivariatePriors
        rng : numpy.random.Generator
        """
        K = len(w)
        full = priors.expanded(K)
        used = {name: getattr(plain, name) for name in STEPS}
        used[self.replaced] = self.step
        z = used["draw_allocations"](w, mu, cov, y, rng.random(len(y)))
        member = (z[:, None] == np.arange(K)).astype(float)
        n_k = member.sum(axis=0)
        new_w = used["draw_weights"](n_k, full, rng)
        new_mu = used["draw_means"](n_k, member.T @ y, cov, full, rng)
        scatter = used["scatter"](member, new_mu, y)
        return MultivariateParams(new_w, new_mu, used["draw_covariances"](n_k, scatter, full, rng))


STEPS = ("draw_allocations", "draw_weights", "draw_means", "scatter", "draw_covariances")


def _wishart(n_k: Array, scatter: Array, priors: Any, rng: np.random.Generator) -> Array:
    df, scale = plain.covariances_conditional(n_k, scatter, priors)
    return (
        np.linalg.inv(draw_inverse_wisharts(df, np.linalg.inv(scale), rng)) / df[:, None, None] ** 2
    )


def _scale_inverted(n_k: Array, scatter: Array, priors: Any, rng: np.random.Generator) -> Array:
    wrong = replace(priors, cov_scale=np.linalg.inv(np.asarray(priors.cov_scale)))
    return plain.draw_covariances(n_k, scatter, wrong, rng)


def _df_off(by: int) -> Step:
    def step(n_k: Array, scatter: Array, priors: Any, rng: np.random.Generator) -> Array:
        d = scatter.shape[-1]
        df, scale = plain.covariances_conditional(n_k, scatter, priors)
        return draw_inverse_wisharts(np.maximum(df + by * (d + 1), d - 0.5), scale, rng)

    return step


def _transposed(n_k: Array, scatter: Array, priors: Any, rng: np.random.Generator) -> Array:
    right = plain.draw_covariances(n_k, scatter, priors, rng)
    root = np.linalg.cholesky(right)
    return np.swapaxes(root, -1, -2) @ root


def _about_ybar(member: Array, mu: Array, y: Array) -> Array:
    n_k = member.sum(axis=0)[:, None]
    ybar = np.where(n_k > 0, member.T @ y / np.maximum(n_k, 1.0), mu)
    return plain.scatter(member, ybar, y)


def _covariance_for_precision(
    n_k: Array, sum_y: Array, cov: Array, priors: Any, rng: np.random.Generator
) -> Array:
    loc, precision = plain.means_conditional(n_k, sum_y, cov, priors)
    root = np.linalg.cholesky(precision)
    normals = rng.standard_normal(loc.shape)
    return np.asarray(loc + np.einsum("kij,kj->ki", root, normals))


def _prior_of_mean_dropped(
    n_k: Array, sum_y: Array, cov: Array, priors: Any, rng: np.random.Generator
) -> Array:
    wide = replace(priors, mean_cov=1e4 * np.asarray(priors.mean_cov))
    some = np.where(
        (n_k > 0)[:, None, None], np.asarray(wide.mean_cov), np.asarray(priors.mean_cov)
    )
    return plain.draw_means(n_k, sum_y, cov, replace(priors, mean_cov=some), rng)


def _mean_loc_ignored(
    n_k: Array, sum_y: Array, cov: Array, priors: Any, rng: np.random.Generator
) -> Array:
    zero = replace(priors, mean_loc=np.zeros_like(np.asarray(priors.mean_loc)))
    return plain.draw_means(n_k, sum_y, cov, zero, rng)


def _no_scale(n_k: Array, scatter: Array, priors: Any, rng: np.random.Generator) -> Array:
    tiny = replace(priors, cov_scale=0.05 * np.asarray(priors.cov_scale))
    return plain.draw_covariances(n_k, scatter, tiny, rng)


def _no_determinant(w: Array, mu: Array, cov: Array, y: Array, u: Array) -> Any:
    size = np.sqrt(np.linalg.det(cov))
    wrong = w * size
    return plain.draw_allocations(wrong / wrong.sum(), mu, cov, y, u)


def _correlations_ignored(w: Array, mu: Array, cov: Array, y: Array, u: Array) -> Any:
    return plain.draw_allocations(w, mu, cov * np.eye(cov.shape[-1]), y, u)


def _no_prior_of_weights(n_k: Array, priors: Any, rng: np.random.Generator) -> Array:
    flat = replace(priors, weight_concentration=np.ones(n_k.size))
    return plain.draw_weights(n_k, flat, rng)


FAULTS: tuple[VectorFault, ...] = (
    VectorFault("wishart", "Wishart for inverse Wishart", "draw_covariances", _wishart),
    VectorFault("scale-inverted", "inv(Psi) for Psi", "draw_covariances", _scale_inverted),
    VectorFault("df-too-large", "nu + n + d + 1 for nu + n", "draw_covariances", _df_off(1)),
    VectorFault("df-too-small", "nu + n - d - 1 for nu + n", "draw_covariances", _df_off(-1)),
    VectorFault("factor-transposed", "L' L for L L'", "draw_covariances", _transposed),
    VectorFault("scatter-about-ybar", "scatter about ybar for about mu", "scatter", _about_ybar),
    VectorFault(
        "covariance-for-precision",
        "P for inv(P) as the covariance of mu",
        "draw_means",
        _covariance_for_precision,
    ),
    VectorFault("mean-prior-dropped", "no inv(V0) in mu", "draw_means", _prior_of_mean_dropped),
    VectorFault("mean-loc-ignored", "0 for m0", "draw_means", _mean_loc_ignored),
    VectorFault("scale-dropped", "Psi / 20 + S for Psi + S", "draw_covariances", _no_scale),
    VectorFault("no-determinant", "no |cov| in z", "draw_allocations", _no_determinant),
    VectorFault(
        "correlations-ignored",
        "the diagonal of cov in z",
        "draw_allocations",
        _correlations_ignored,
    ),
    VectorFault("weights-prior-dropped", "1 for c in w", "draw_weights", _no_prior_of_weights),
)


def vector_fault(name: str) -> VectorFault:
    """Return a fault by its name, with or without the prefix.

    Raises
    ------
    InputError
        If there is none.
    """
    short = name.removeprefix(PREFIX)
    found = {fault.name: fault for fault in FAULTS}
    if short not in found:
        raise InputError(
            f"{name}: no such fault{did_you_mean(short, found)}; there are: {', '.join(found)}"
        )
    return found[short]

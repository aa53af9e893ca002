"""What EM says of its end: standard errors from the observed information, AIC, BIC and ICL.

Everything comes from sums over the values (`InformationSums`), which may be added over partitions.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from gmmcompare.model.conjugate import ConjugatePriors
from gmmcompare.model.mixture import log_joint
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors

AnyPriors = Priors | ConjugatePriors
BLOCK = 10_000
"""Values treated together: each needs some 20 K numbers."""


class InformationSums(NamedTuple):
    """Sums over all values, each as often as it occurs, at one point; t = (v - mu) / sigma.

    Attributes
    ----------
    expected : ndarray, shape (3, K)
        Of r, r t and r t^2.
    covariance : ndarray, shape (3K, 3K)
        Of the complete-data scores given y, in (logits, mu, log sigma).
    log_lik, entropy : float
        Of the values, and of their responsibilities.
    """

    expected: Array
    covariance: Array
    log_lik: float
    entropy: float

    def plus(self, other: InformationSums) -> InformationSums:
        """Return the sums over the values of both."""
        return InformationSums(
            self.expected + other.expected,
            self.covariance + other.covariance,
            self.log_lik + other.log_lik,
            self.entropy + other.entropy,
        )

    def for_unit(self, n: int, scale: float) -> InformationSums:
        """Return the sums for values ``scale`` times as large; n is their number."""
        K = self.expected.shape[1]
        factor = np.r_[np.ones(K), np.full(K, 1.0 / scale), np.ones(K)]
        return InformationSums(
            self.expected,
            self.covariance * np.outer(factor, factor),
            self.log_lik - n * float(np.log(scale)),
            self.entropy,
        )


def information_sums(values: Array, counts: NDArray[np.integer], params: Params) -> InformationSums:
    """Return the sums over all values at a point.

    Parameters
    ----------
    values : ndarray, shape (D,)
    counts : ndarray of int, shape (D,)
        How often each value occurs.
    params : Params
        One point, arrays of shape (K,).

    Returns
    -------
    InformationSums
    """
    blocks = (slice(start, start + BLOCK) for start in range(0, values.size, BLOCK))
    total = _block_sums(values[:0], counts[:0], params)
    for at in blocks:
        total = total.plus(_block_sums(values[at], counts[at], params))
    return total


def _block_sums(v: Array, c: NDArray[np.integer], params: Params) -> InformationSums:
    K, (_, mu, sigma) = params.K, params
    joint = log_joint(v, params)
    density = logsumexp(joint, axis=-1)
    r = np.exp(joint - density[:, None])
    t = (v[:, None] - mu) / sigma
    expected = np.stack([c @ r, c @ (r * t), c @ (r * t**2)])
    # An observation of component k has scores in k's logit, mu and log sigma alone, but for what is
    # the same for all k and does not vary: so its second moments are K blocks of 3 by 3.
    score = np.stack([np.ones_like(t), t / sigma, t**2 - 1.0])
    mean = r * score
    own = np.einsum("d,idk,jdk->ijk", c, mean, score)
    second = np.zeros((3, K, 3, K))
    k = np.arange(K)
    second[:, k, :, k] = np.moveaxis(own, 2, 0)
    flat = np.moveaxis(mean, 1, 0).reshape(v.size, 3 * K)
    covariance = second.reshape(3 * K, 3 * K) - (c[:, None] * flat).T @ flat
    entropy = -float(c @ np.sum(r * np.log(np.maximum(r, 1e-300)), axis=1))
    return InformationSums(expected, covariance, float(density @ c), entropy)


def criteria(sums: InformationSums, K: int, n: int, priors: AnyPriors) -> dict[str, NDArray[Any]]:
    """Return AIC, BIC and ICL (Biernacki, Celeux and Govaert 2000); smaller is better.

    Parameters
    ----------
    sums : InformationSums
        Over all values, where EM ended.
    K : int
        Number of components, for 3 K - 1 free parameters if nothing is known or shared.
    n : int
        Number of observations N.
    priors : Priors
        They say what is known or shared.

    Returns
    -------
    dict of str to ndarray
        ``"aic"``, ``"bic"`` and ``"icl"``, each of shape ().
    """
    free = K + (K - 1) * priors.free_weights + priors.free_sds(K).shape[1]
    bic = -2.0 * sums.log_lik + free * float(np.log(n))
    values = {
        "aic": -2.0 * sums.log_lik + 2 * free,
        "bic": bic,
        "icl": bic + 2.0 * sums.entropy,
    }
    return {name: np.array(value) for name, value in values.items()}


def standard_errors(
    params: Params, sums: InformationSums, priors: AnyPriors | None, known: AnyPriors | None = None
) -> Params | None:
    """Return standard errors of (w, mu, sigma) from the observed information (Louis 1982).

    Parameters
    ----------
    params : Params
        The maximum, arrays of shape (K,).
    sums : InformationSums
        Over all values, at ``params`` and in its units.
    priors : Priors or None
        None for maximum likelihood; else what the mode is of, in the same units.
    known : Priors, optional
        They say what is known or shared; by default ``priors``.

    Returns
    -------
    Params or None
        By the delta method, each of shape (K,); 0 for what is known. None where the information is
        not positive definite: the point is no strict maximum.
    """
    known = known or priors or Priors()
    information = observed_information(params, sums, priors, known)
    K = params.K
    try:
        np.linalg.cholesky(information)
        covariance = np.linalg.inv(information)
    except np.linalg.LinAlgError:
        return None
    n_weights = (K - 1) * known.free_weights
    # Delta method: dw/dlogit = diag(w) - w w', the last logit being fixed at 0.
    jacobian = (np.diag(params.w) - np.outer(params.w, params.w))[:, :n_weights]
    w = np.sqrt(np.einsum("ki,ij,kj->k", jacobian, covariance[:n_weights, :n_weights], jacobian))
    spread = np.sqrt(np.diag(covariance)[n_weights:])
    return Params(w, spread[:K], params.sigma * (known.free_sds(K) @ spread[K:]))


def observed_information(
    params: Params, sums: InformationSums, priors: AnyPriors | None, known: AnyPriors | None = None
) -> Array:
    """Return minus the Hessian in (logits of w with the last at 0, mu, log sigma).

    Louis's identity: expected complete-data information, with the priors' where there are any, less
    the covariance of complete-data scores given y. What is known has no coordinate, and a shared
    sd one.

    Parameters
    ----------
    params : Params
        A stationary point, arrays of shape (K,).
    sums : InformationSums
        Over all values, at ``params`` and in its units.
    priors : Priors or None
        None for maximum likelihood; else what the mode is of, in the same units.
    known : Priors, optional
        They say what is known or shared; by default ``priors``.

    Returns
    -------
    ndarray, shape (3K - 1, 3K - 1) if nothing is known or shared
    """
    known = known or priors or Priors()
    K, w, sigma = params.K, params.w, params.sigma
    n_k, sum_t, sum_tt = sums.expected
    complete = np.zeros((3 * K, 3 * K))
    complete[:K, :K] = n_k.sum() * (np.diag(w) - np.outer(w, w))
    i = np.arange(K)
    complete[K + i, K + i] = n_k / sigma**2
    complete[K + i, 2 * K + i] = complete[2 * K + i, K + i] = 2.0 * sum_t / sigma
    complete[2 * K + i, 2 * K + i] = 2.0 * sum_tt
    if priors is not None:
        _add_prior(complete, params, priors)
    whole = complete - sums.covariance
    first = np.arange(K - 1) if known.free_weights else np.empty(0, dtype=int)
    sds = known.free_sds(K)
    if sds.shape[1] == K:
        free = np.concatenate([first, np.arange(K, 3 * K)])
        return np.asarray(whole[np.ix_(free, free)])
    directions = np.zeros((3 * K, first.size + K + sds.shape[1]))
    directions[first, first] = 1.0
    directions[K + i, first.size + i] = 1.0
    directions[2 * K :, first.size + K :] = sds
    return np.asarray(directions.T @ whole @ directions)


def _add_prior(complete: Array, params: Params, priors: AnyPriors) -> None:
    """Add minus the Hessian of the log prior over (logits, mu, log sigma^2)."""
    K, (w, mu, sigma) = params.K, params
    p: Any = priors.expanded(K)
    i = np.arange(K)
    concentration = np.asarray(p.weight_concentration) - 1.0
    complete[:K, :K] += concentration.sum() * (np.diag(w) - np.outer(w, w))
    share = priors.free_sds(K).shape[1] / K  # one prior for all, if one sd is
    complete[2 * K + i, 2 * K + i] += share * 4.0 * np.asarray(p.var_scale) / sigma**2
    if isinstance(priors, ConjugatePriors):
        pull = (mu - np.asarray(p.mean_loc)) / sigma
        count = np.asarray(p.mean_count)
        complete[K + i, K + i] += count / sigma**2
        complete[K + i, 2 * K + i] -= 2.0 * count * pull / sigma
        complete[2 * K + i, K + i] -= 2.0 * count * pull / sigma
        complete[2 * K + i, 2 * K + i] += 2.0 * count * pull**2
    else:
        complete[K + i, K + i] += np.asarray(p.mean_sd) ** -2.0

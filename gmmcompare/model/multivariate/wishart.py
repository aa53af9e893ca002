"""Normal and inverse-Wishart distributions over batches of vectors and matrices."""

from __future__ import annotations

import numpy as np
from scipy.special import multigammaln

from gmmcompare.model.params import Array
from gmmcompare.model.priors import log_gamma_draws

SMALLEST = -345.0
"""Lower limit of the logarithm of Bartlett's diagonal: with few degrees of freedom an inverse
Wishart matrix would be infinite otherwise. Its entries stay below 1e300 times the scale."""


def root_of(cov: Array) -> Array:
    """Return the lower Cholesky factor of each matrix, NaN where one is not positive definite.

    For batches of small matrices: NumPy's own takes a microsecond for each, whatever its size.

    Parameters
    ----------
    cov : ndarray, shape (..., d, d)

    Returns
    -------
    ndarray, shape (..., d, d)
    """
    root = np.zeros(cov.shape)
    with np.errstate(invalid="ignore", divide="ignore"):
        for j in range(cov.shape[-1]):
            done = root[..., j, :j]
            root[..., j, j] = np.sqrt(cov[..., j, j] - (done**2).sum(-1))
            root[..., j, j][root[..., j, j] == 0.0] = np.nan
            rest = cov[..., j + 1 :, j] - (root[..., j + 1 :, :j] * done[..., None, :]).sum(-1)
            root[..., j + 1 :, j] = rest / root[..., j, j, None]
    return root


def whitened(root: Array, x: Array) -> Array:
    """Return ``inv(root) @ x`` for lower triangular roots, by forward substitution.

    Parameters
    ----------
    root : ndarray, shape (..., d, d)
    x : ndarray, shape (..., d, M)

    Returns
    -------
    ndarray, shape (..., d, M)
    """
    found = np.empty(np.broadcast_shapes((*root.shape[:-1], x.shape[-1]), x.shape))
    for i in range(root.shape[-1]):
        known = (root[..., i, :i, None] * found[..., :i, :]).sum(-2)
        found[..., i, :] = (x[..., i, :] - known) / root[..., i, i, None]
    return found


def log_det_of(root: Array) -> Array:
    """Return the log determinant, shape (...), of the matrix with this root, (..., d, d)."""
    return np.asarray(2.0 * np.log(np.diagonal(root, axis1=-2, axis2=-1)).sum(-1))


def log_normal(x: Array, mean: Array, cov: Array) -> Array:
    """Return the log density of Normal(mean, cov) at x.

    Parameters
    ----------
    x : ndarray, shape (..., d)
    mean : ndarray, shape (..., d)
    cov : ndarray, shape (..., d, d)

    Returns
    -------
    ndarray, shape (...)
    """
    root = root_of(cov)
    distance = (whitened(root, (x - mean)[..., None]) ** 2).sum((-2, -1))
    return np.asarray(-0.5 * (distance + log_det_of(root) + x.shape[-1] * np.log(2.0 * np.pi)))


def log_inverse_wishart(cov: Array, nu: Array, Psi: Array) -> Array:
    """Return the log density of InverseWishart(nu, Psi) at cov, over its lower triangle.

    Parameters
    ----------
    cov : ndarray, shape (..., d, d)
    nu : ndarray, shape (...)
    Psi : ndarray, shape (..., d, d)

    Returns
    -------
    ndarray, shape (...)
    """
    d = cov.shape[-1]
    root, root_of_scale = root_of(cov), root_of(np.asarray(Psi))
    log_det = log_det_of(root)
    trace = (whitened(root, root_of_scale) ** 2).sum((-2, -1))
    constant = 0.5 * nu * (log_det_of(root_of_scale) - d * np.log(2.0))
    gamma = np.asarray(multigammaln(np.asarray(nu) / 2, d))
    return np.asarray(constant - gamma - 0.5 * (nu + d + 1) * log_det - 0.5 * trace)


def draw_inverse_wisharts(nu: Array, Psi: Array, rng: np.random.Generator) -> Array:
    """Draw from InverseWishart(nu, Psi), one matrix for each of M, by Bartlett's decomposition.

    With B lower triangular, ``B_ii^2 ~ chi^2(nu - i)`` (i from 0) and normal entries below the
    diagonal, B B' is a Wishart matrix, and ``C inv(B') inv(B) C'`` with Psi = C C' is inverse
    Wishart (Bartlett 1933; Smith and Hocking 1972).

    Parameters
    ----------
    nu : ndarray, shape (M,)
    Psi : ndarray, shape (M, d, d)
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (M, d, d)
    """
    d = Psi.shape[-1]
    B = np.zeros(Psi.shape)
    for m in range(len(B)):
        shape = 0.5 * (nu[m] - np.arange(d))
        log_diagonal = 0.5 * (np.log(2.0) + log_gamma_draws(rng, shape))
        B[m][np.diag_indices(d)] = np.exp(np.maximum(log_diagonal, SMALLEST))
        B[m][np.tril_indices(d, -1)] = rng.standard_normal(d * (d - 1) // 2)
    return inverse_of_factor(np.linalg.cholesky(Psi), B)


def inverse_of_factor(C: Array, B: Array) -> Array:
    """Return ``C inv(B') inv(B) C'`` for lower triangular C and B, shapes (..., d, d)."""
    identity = np.broadcast_to(np.eye(B.shape[-1]), B.shape)
    root = C @ np.swapaxes(np.linalg.solve(B, identity), -1, -2)
    return np.asarray(root @ np.swapaxes(root, -1, -2))

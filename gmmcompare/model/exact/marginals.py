"""The log marginal density of every subset of the observations, for any family of components.

This is all that sums over partitions need to know of a family: `subset_marginals` asks the priors
object which family it is, standardises where that helps, and answers in the data's own units.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmcompare.model.family import family_of, sample_of
from gmmcompare.model.params import Array
from gmmcompare.model.sample import Standardisation
from gmmcompare.runtime.errors import InputError

_BLOCK = 200_000


class SubsetMarginals(NamedTuple):
    """M(S) for all 2^N subsets S of the observations; bit i of an index is observation i.

    Attributes
    ----------
    n : ndarray of int, shape (2^N,)
        Number of observations in each subset.
    log_marginal : ndarray, shape (2^N,)
        Log density of the subset's observations when one component has them all and its
        parameters are integrated out; 0 for the empty set.
    log_with : callable
        ``log_with(x, rows)``: the same of the subsets ``rows`` (M,) with one more observation each,
        for each of ``x`` (X, ...), shape (X, M).
    row_shape : tuple of int
        The shape of one observation: ``()``, or ``(d,)``.
    """

    n: NDArray[np.int64]
    log_marginal: Array
    log_with: Callable[[Array, NDArray[np.intp]], Array]
    row_shape: tuple[int, ...]


def subset_marginals(y: ArrayLike, priors: Any, max_n: int) -> SubsetMarginals:
    """Integrate out the component's parameters for each subset of the observations.

    Parameters
    ----------
    y : array_like, shape (N,), or (N, d) under `MultivariatePriors`
        In any order; ties are welcome.
    priors : Priors or those of another family
        The same for every component.
    max_n : int
        The largest N allowed.

    Raises
    ------
    InputError
        If y is not at most max_n finite numbers (rows of d), or priors differ between components.
    """
    sample, family = sample_of(y, priors), family_of(priors)
    check_size(sample.n, max_n)
    unit = Standardisation.of(sample)
    in_unit = common_prior(priors).transformed(unit.shift, unit.scale)
    component = family.call("component", in_unit, 0)
    points = family.call("statistics", (np.asarray(y, dtype=float) - unit.shift) / unit.scale)
    log_scale = float(np.sum(np.log(unit.scale)))

    def log_with(x: Array, rows: NDArray[np.intp]) -> Array:
        at = (x - unit.shift) / unit.scale
        values = [np.empty((0, rows.size))]
        for block in np.array_split(at, 1 + len(at) * rows.size // _BLOCK):
            added = np.repeat(block, rows.size, axis=0)
            joined = points.at(np.tile(rows, len(block))).plus(added)
            values.append(component.log_marginal(joined).reshape(len(block), rows.size))
        return np.asarray(np.concatenate(values) - (points.n[rows] + 1) * log_scale)

    log_marginal = component.log_marginal(points) - points.n * log_scale
    return SubsetMarginals(points.n, log_marginal, log_with, sample.values.shape[1:])


def check_size(n: int, max_n: int) -> None:
    """Refuse more observations than the exact sums can take."""
    if n > max_n:
        raise InputError(
            f"{n} observations are too many for exact sums over partitions, whose cost grows as "
            f"3^N: give at most {max_n}, or use a sampler (gmmcompare components)"
        )


def common_prior(priors: Any) -> Any:
    """Return the priors that every component has, as priors of one component.

    Raises
    ------
    InputError
        If priors differ between components.
    """
    if not priors.exchangeable:
        raise InputError(
            "the number of components varies, so all must have the same prior: give one number for "
            "each field of priors"
        )
    return priors.of_first()

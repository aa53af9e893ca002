"""From arrays in a file to a mixture's draws: axes, numbers of chains and components, units."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from gmmcompare.engines.base import Problem
from gmmcompare.engines.imported.found import Found
from gmmcompare.engines.imported.names import Rename, chosen
from gmmcompare.engines.imported.rounding import rescaled
from gmmcompare.model.mixture import log_posterior
from gmmcompare.model.params import Array, Params
from gmmcompare.model.sample import Sample
from gmmcompare.runtime.errors import InputError

ONE_CHAIN = (
    "has one chain only: whether it has converged, and whether there are other modes, cannot be "
    "told from it, so that no agreement can be found; run four chains from different starts and "
    "give arrays (chain, draw, component)"
)
_DRAWS_TO_LOOK_AT = 100
_POINTS_TO_LOOK_AT = 200


def as_mixture(
    found: Found, K: int, rename: Rename, place: str
) -> tuple[dict[str, Array], list[str]]:
    """Return w, mu and sigma, each (chains, draws, K), and what is worth saying of them.

    Parameters
    ----------
    found : Found
    K : int
        Number of components that is asked for; an axis may be told by it.
    rename : mapping of str to str
    place : str
        Where the draws are, for messages.

    Raises
    ------
    InputError
        If a parameter is missing, its axes are not chains, draws and components, or the first two
        look exchanged.
    """
    given = found.arrays
    if K == 1 and "w" not in given and "w" not in rename and "mu" in given:
        given = {**given, "w": np.ones_like(given["mu"])}
    parameters, said = chosen(given, rename, place)
    over = _labelled_axes if found.labelled else _axes_by_size
    arrays = {name: over(array, K, name, place) for name, array in parameters.items()}
    chains, draws = arrays["mu"].shape[:2]
    if chains > draws:
        raise InputError(
            f"{place}: {chains:,} chains of {draws:,} draws: chain and draw look exchanged; give "
            "axes (chain, draw, component), as by numpy.swapaxes(w, 0, 1), or in xarray by "
            "renaming the dimensions"
        )
    notes = [note for note in (*found.notes, said) if note]
    arrays["w"], rounded = rescaled(arrays["w"])
    notes += [rounded] if rounded else []
    return arrays, notes + ([ONE_CHAIN] if chains == 1 else [])


def refuse_other_units(params: Params, problem: Problem, place: str) -> None:
    """Refuse draws that fit the data only once they are in other units or transformed.

    A transformation counts if it raises the median log posterior by more than two for each
    observation, and by twenty. No draws from a posterior are so far from its mode.

    Parameters
    ----------
    params : Params
        Arrays of shape (chains, draws, K).
    problem : Problem
    place : str
        Where the draws are, for the message.

    Raises
    ------
    InputError
        If so.
    """
    n = min(_POINTS_TO_LOOK_AT, problem.sample.n)
    sample = Sample.of(problem.sample.quantiles((np.arange(n) + 0.5) / n))
    every = max(1, params.w.shape[1] // _DRAWS_TO_LOOK_AT)
    few = Params(*(a[0, ::every] for a in params))

    def height(moved: Params) -> float:
        with np.errstate(all="ignore"):
            found = log_posterior(sample, moved, problem.priors.expanded(problem.K))
        return float(np.nan_to_num(np.median(found), nan=-np.inf))

    low, moves = height(few), _moves(sample.mean, sample.sd)
    with np.errstate(all="ignore"):
        heights = {said: height(move(few)) for said, (move, _) in moves.items()}
    best = max(heights, key=lambda said: heights[said])
    if not heights[best] - low > max(20.0, 2.0 * sample.n):
        return
    mean = float(np.median((few.w * few.mu).sum(axis=-1)))
    low_end, high_end = problem.sample.values[[0, -1]]
    raise InputError(
        f"{place}: the draws do not fit the data, which lie between {low_end:g} and {high_end:g} "
        f"(the draws' mean is near {mean:.3g}), but {best} they would; other units or another "
        f"transform? If so, {moves[best][1]}"
    )


_Move = Callable[[Params], Params]


def _moves(mean: float, sd: float) -> Mapping[str, tuple[_Move, str]]:
    """Return ways of transforming draws, by what they are called; each with its remedy."""
    moves: dict[str, tuple[_Move, str]] = {}
    rename = "add --rename 'mu=mu{0}{1},sigma=sigma{0}'".format
    for factor in (100, 1000, 10**6, 10**9):
        moves[f"divided by {factor:,}"] = _linear(1 / factor, 0.0), rename(f"/{factor}", "")
        moves[f"multiplied by {factor:,}"] = _linear(factor, 0.0), rename(f"*{factor}", "")
    scale = sd or 1.0
    moves["on the scale of standardised data"] = (
        _linear(scale, mean),
        rename(f"*{scale:.6g}", f"+{mean:.6g}"),
    )
    # The delta method: sigma is multiplied by the derivative at mu.
    moves["as their logarithms"] = (
        lambda p: Params(p.w, np.log(p.mu), p.sigma / p.mu),
        "leave the data as they are (--set data.transform=none)",
    )
    moves["as their logarithms to base 10"] = (
        lambda p: Params(p.w, np.log10(p.mu), p.sigma / (p.mu * np.log(10))),
        "leave the data as they are (--set data.transform=none)",
    )
    moves["as their exponentials"] = (
        lambda p: Params(p.w, np.exp(p.mu), p.sigma * np.exp(p.mu)),
        "fit the logarithms of the data (--set data.transform=log)",
    )
    moves["as powers of 10"] = (
        lambda p: Params(p.w, 10**p.mu, p.sigma * 10**p.mu * np.log(10)),
        "fit the logarithms of the data to base 10 (--set data.transform=log10)",
    )
    return moves


def _linear(scale: float, shift: float) -> _Move:
    return lambda p: Params(p.w, p.mu * scale + shift, p.sigma * scale)


def _labelled_axes(array: Array, K: int, name: str, place: str) -> Array:
    if array.ndim == 2 and K == 1:
        return array[..., None]
    if array.ndim != 3:
        inside = array.shape[2:]
        what = f"an array of shape {inside}" if inside else "one number"
        raise InputError(
            f"{place}: {name} is {what} for each draw, where {K} components need a vector of {K}; "
            "give it axes chain, draw, component"
        )
    return array


def _axes_by_size(array: Array, K: int, name: str, place: str) -> Array:
    """Bring an array without labels to (chain, draw, component), if its shape leaves no doubt."""
    shape = array.shape
    if K == 1 and (array.ndim == 1 or (array.ndim == 2 and shape[-1] != 1)):
        array = array[..., None]
    if array.ndim == 2 and array.shape[-1] == K:
        return array[None]
    if array.ndim == 2 and array.shape[0] == K:  # as PyStan gives them
        return array.T[None]
    if array.ndim == 3 and (array.shape[-1] == K or K not in shape):
        return array
    how = f", as by numpy.moveaxis({name}, {shape.index(K)}, -1)" if K in shape else ""
    raise InputError(
        f"{place}: {name} has shape {shape}; give it axes (chain, draw, component) with the {K} "
        f"components at the end{how}"
    )

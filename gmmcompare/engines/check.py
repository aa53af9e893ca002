"""`check_engine`: explain what is wrong with the result of an engine."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from gmmcompare.model.family import family_named
from gmmcompare.model.restricted import RestrictedPriors
from gmmcompare.runtime.errors import EngineError

IN_A_ROW = 4
"""So many rounded draws in a row that are another chain's make a copy."""


class CopiedChainsError(EngineError):
    """Chains hold one another's draws."""


def check_engine(
    result: Mapping[str, Any],
    K: int | None = None,
    chains: int | None = None,
    draws: int | None = None,
    name: str = "engine",
    family: str = "normal",
) -> Any:
    """Check draws or a point estimate, and return them as parameters of a family.

    Parameters
    ----------
    result : mapping
        ``{"w": ..., "mu": ..., "sigma": ...}``, each of shape (chains, draws, K) for a sampler or
        (K,) for a point estimate; of vectors ``cov`` in place of ``sigma``, with further axes (d,)
        of ``mu`` and (d, d) of ``cov``.
    K, chains, draws : int, optional
        What was asked for; each is checked where it is given.
    name : str
        How to call the engine in messages.
    family : str
        Of the components; see `model.family`.

    Returns
    -------
    Params, or those of the family
        Arrays of shape (chains, draws, K, ...) or (K, ...).

    Raises
    ------
    EngineError
        With one line that says what is wrong, where, and how to mend it; `CopiedChainsError` if
        chains are copies of each other.
    """
    params = _arrays(result, name, family_named(family).get("params"))
    shape = params.w.shape
    axes = family_named(family).axes
    if any(
        a.shape[: len(shape)] != shape or a.ndim != len(shape) + len(axes[f])
        for f, a in params._asdict().items()
    ):
        mend = "" if any(axes.values()) else "; give all three the same shape"
        raise EngineError(f"{name}: {params.problem()}{mend}")
    if len(shape) not in (1, 3):
        raise EngineError(
            f"{name}: arrays have shape {shape}; a sampler returns (chains, draws, K) and a point "
            "estimate (K,)"
        )
    if K is not None and shape[-1] != K:
        raise EngineError(f"{name}: {shape[-1]} components where {K} were asked for, shape {shape}")
    if len(shape) == 3:
        _check_run(shape, chains, draws, name)
    problem = params.problem()
    if problem:
        raise EngineError(f"{name}: {problem}")
    copies = copied_chains(params)
    if copies:
        first, second = copies[0]
        raise CopiedChainsError(
            f"{name}: chains {first} and {second} are copies of each other: give each chain its "
            "own random stream (rng.spawn(chains))"
        )
    return params


def copied_chains(params: Any) -> list[tuple[int, int]]:
    """Return pairs of chains that hold the same draws; arrays (chains, draws, K, ...).

    Two chains with one seed and different starts soon coincide, so the second half decides. One
    long chain cut into pieces that overlap gives chains that are copies moved by some draws: more
    than half of the draws of each are found in the other, wherever, which independent draws never
    are. Rounded draws of few parameters coincide by chance, but not several in a row.
    """
    if params.w.ndim != 3 or params.w.shape[1] < 4:
        return []
    flat = [a.reshape(*a.shape[:2], -1) for a in params]
    tail = np.concatenate(flat, axis=-1)[:, params.w.shape[1] // 2 :]
    moving = (tail != tail[:, :1]).any(axis=(1, 2))
    keys = _keys(tail)
    if _return_to_earlier_draws(keys):
        keys = _keys(sliding_window_view(keys, min(IN_A_ROW, keys.shape[1]), axis=1))
    return [
        (a, b)
        for a, b in _pairs_with_one_key(keys)
        if (moving[a] or moving[b])
        and min(np.isin(keys[a], keys[b]).mean(), np.isin(keys[b], keys[a]).mean()) > 0.5
    ]


def _return_to_earlier_draws(keys: np.ndarray[Any, Any]) -> bool:
    """Whether more than 5 % of the moves of a chain lead where it has been, as where it is rounded.

    Arrays (chains, draws).
    """
    moves = 1 + (np.diff(keys, axis=1) != 0).sum(axis=1)
    visited = np.array([np.unique(chain).size for chain in keys])
    return bool((visited < 0.95 * moves).any())


def _pairs_with_one_key(keys: np.ndarray[Any, Any]) -> list[tuple[int, int]]:
    """Return the pairs of chains that have a key in common: of good chains none, however many."""
    unique = [np.unique(chain) for chain in keys]
    every = np.concatenate(unique)
    values, counts = np.unique(every, return_counts=True)
    common = values[counts > 1]
    if not common.size:
        return []
    sharing = [c for c, own in enumerate(unique) if np.isin(own, common).any()]
    return list(combinations(sharing, 2))


def _keys(draws: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return one number for each draw of (chains, draws, P), the same for equal draws.

    Equal to 11 digits, as compiled code may round otherwise than NumPy.
    """
    mantissa, exponent = np.frexp(np.nan_to_num(draws, posinf=0.0))
    parts = np.concatenate([np.round(mantissa, 11), exponent], axis=-1)  # none is very large
    # Weights without a common measure, so that exchanged labels give another number.
    return np.asarray((parts * np.sqrt(np.arange(2.0, 2.0 + parts.shape[-1]))).sum(axis=-1))


def _arrays(result: Mapping[str, Any], name: str, kind: Any) -> Any:
    fields = kind._fields
    if not isinstance(result, Mapping):
        raise EngineError(
            f"{name}: returned {type(result).__name__}; return a dict with arrays "
            f"{', '.join(fields[:-1])} and {fields[-1]}"
        )
    missing = [f for f in fields if f not in result]
    if missing:
        raise EngineError(
            f"{name}: returned no {' and no '.join(missing)}; keys are "
            f"{', '.join(map(str, result)) or 'none'}, wanted {', '.join(fields)}"
        )
    arrays = []
    for key in fields:
        try:
            arrays.append(np.asarray(result[key], dtype=float))
        except (TypeError, ValueError):
            raise EngineError(f"{name}: {key} is not an array of numbers") from None
    return kind(*arrays)


def _check_run(shape: tuple[int, ...], chains: int | None, draws: int | None, name: str) -> None:
    if chains is not None and shape[0] != chains:
        raise EngineError(
            f"{name}: {shape[0]} chains where {chains} were asked for, shape {shape}; "
            "the axes are (chains, draws, K)"
        )
    if draws is not None and shape[1] != draws:
        raise EngineError(
            f"{name}: {shape[1]} draws where {draws} were asked for, shape {shape}; leave the "
            "warmup out, and let the axes be (chains, draws, K)"
        )


def keep_known(params: Any, priors: Any, name: str) -> Any:
    """Return draws or a point with what priors know put in exactly.

    Parameters
    ----------
    params : Params
        As `check_engine` returns them.
    priors : Priors or those of another family
    name : str
        What messages call the engine.

    Raises
    ------
    EngineError
        If they do not keep to it.
    """
    if not isinstance(priors, RestrictedPriors):
        return params
    if what := priors.broken_by(params):
        raise EngineError(f"{name}: {what}, but not in its draws: return what is known as it is")
    return priors.kept(params)

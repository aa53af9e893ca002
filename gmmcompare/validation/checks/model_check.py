"""Is a model what it says it is? Its densities are held against its own draws before anything else.

A wrong model must not be blamed on the sampler. If ``log_prior`` is the log density of what
``draw_prior`` draws, a Metropolis step with it leaves those draws as they are; likewise a step of
the data with ``log_likelihood``, and one of the parameters with the sum of both. Means of bounded
functions before and after are compared by betting, as for a kernel of the user's (`invariance`).

A step moves one parameter by a multiple of the difference of two draws of a pool (ter Braak 2006,
Stat. Comput. 16): it is symmetric, has the scale of the prior, and keeps sums of weights, symmetric
matrices and whole numbers what they are.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmmcompare.model.params import Array
from gmmcompare.model.points import mapped, size_of
from gmmcompare.model.protocol import density
from gmmcompare.runtime.code import said
from gmmcompare.runtime.errors import InputError
from gmmcompare.validation import error_rates
from gmmcompare.validation.betting import Wealth
from gmmcompare.validation.checks.model_scene import ModelScene

_ROUNDS = 6
_SECONDS = 4.0
"""After which no further round begins, if there were two."""
_ROUND = 1000
_ROUND_OF_SLOW = 250
_STEPS = 3
_POOL = 500
_SIZES = (0.1, 0.5, 1.0)

type Places = NDArray[np.int64]


def check_densities(scene: ModelScene, seed: int) -> None:
    """Compare a model's log densities with its draws.

    Parameters
    ----------
    scene : ModelScene
    seed : int

    Raises
    ------
    InputError
        If one is not the density of the other; a correct model is accused with probability at most
        3 `error_rates.MODEL`.
    """
    model = scene.model
    log_prior, log_likelihood = (density(model, n) for n in ("log_prior", "log_likelihood"))  # type: ignore[arg-type]
    of_parameters = [
        i
        for i, q in enumerate(scene.quantities)
        if q.kind == "marginal" or (q.kind == "product" and "of the data" not in q.name)
    ]
    everything = list(range(len(scene.quantities)))
    if log_prior is not None:
        _test(
            scene,
            seed,
            "log_prior",
            "draw_prior",
            "theta",
            lambda t, y: log_prior(t),
            of_parameters,
        )
    if log_likelihood is not None:
        _test(scene, seed, "log_likelihood", "draw_data", "y", log_likelihood, everything)
    if log_prior is not None and log_likelihood is not None:
        _test(
            scene, seed, "log_prior + log_likelihood", "draw_prior and draw_data", "theta",
            lambda t, y: log_prior(t) + log_likelihood(t, y), everything,
        )  # fmt: skip


def _test(
    scene: ModelScene,
    seed: int,
    function: str,
    draws: str,
    moved: str,
    log_density: Callable[[Any, Any], Array],
    columns: list[int],
) -> None:
    """Make Metropolis steps with a density from its own draws, and bet that they change nothing."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0x0DE1,)))
    pool = scene.sample_joint(rng, _POOL)
    tied = {name for name, a in pool[0].items() if a.ndim > 1 and _tied(a.reshape(len(a), -1))}
    n = _ROUND_OF_SLOW if getattr(scene.model, "one_by_one", False) else _ROUND
    wealth = Wealth(len(columns))
    started = time.monotonic()
    for done in range(_ROUNDS):
        if done > 1 and time.monotonic() - started > _SECONDS:
            return
        theta: Any
        y: Any
        theta, y = scene.sample_joint(rng, n)
        before = scene.evaluate(theta, y)[:, columns]
        for _ in range(_STEPS):
            one, other = (_picked(pool, rows) for rows in _two_of(_POOL, n, rng))
            proposed: tuple[Any, Any]
            if moved == "theta":
                proposed = _stepped(theta, one[0], other[0], tied, rng), y
            else:
                proposed = theta, _stepped({"y": y}, {"y": one[1]}, {"y": other[1]}, (), rng)["y"]
            ratio = _evaluated(scene, function, log_density, *proposed) - _evaluated(
                scene, function, log_density, theta, y
            )
            accepted = np.log(rng.random(n)) < np.nan_to_num(ratio, nan=-np.inf)
            theta, y = (
                mapped(partial(_where, accepted), new, old)
                for new, old in zip(proposed, (theta, y), strict=True)
            )
        wealth.add(0.5 * (scene.evaluate(theta, y)[:, columns] - before))
        if wealth.log_wealth >= -np.log(error_rates.MODEL):
            worst = int(wealth.log_single.max(axis=1).argmax())
            way = "up" if wealth.mean[worst] > 0 else "down"
            raise InputError(
                f"{scene.name}: {function} is not the log density of what {draws} draws: a "
                f"Metropolis step with it moves '{scene.quantities[columns[worst]]}' {way} (wealth "
                f"of the bet 10^{wealth.log_wealth / np.log(10):.0f}); mend the model first, so "
                "that its mistake is not blamed on a sampler"
            )


def _two_of(size: int, n: int, rng: np.random.Generator) -> tuple[Places, Places]:
    """Return two different places in a pool, n times; either order is equally likely."""
    first = rng.integers(size, size=n)
    return first, (first + rng.integers(1, size, size=n)) % size


def _picked(pool: Any, rows: Places) -> Any:
    return tuple(mapped(lambda a: a[rows], part) for part in pool)


def _evaluated(
    scene: ModelScene, function: str, log_density: Callable[[Any, Any], Array], theta: Any, y: Any
) -> Array:
    try:
        with np.errstate(all="ignore"):
            return np.asarray(log_density(theta, y), dtype=float)
    except (KeyboardInterrupt, InputError):
        raise
    except BaseException as error:
        raise InputError(
            f"{scene.name}: {function} raised {said(error)} at a point that may be outside the "
            "support; return -inf there"
        ) from None


def _stepped(
    theta: Any, one: Any, other: Any, tied: Collection[str], rng: np.random.Generator
) -> dict[str, Any]:
    """Return points of which one parameter each is moved: all of it, or one scalar of it."""
    out: dict[str, Any] = dict(theta)
    n, names = size_of(theta), list(theta)
    chosen = rng.integers(len(names), size=n)
    for k, name in enumerate(names):
        step = partial(_step, rng, chosen == k, name in tied)
        out[name] = mapped(step, theta[name], one[name], other[name])
    return out


def _step(
    rng: np.random.Generator, moves: Array, tied: bool, a: Array, b: Array, c: Array
) -> Array:
    n = len(a)
    whole = np.issubdtype(a.dtype, np.integer) or a.dtype == bool
    size = np.ones(n) if whole else rng.choice(_SIZES, size=n)
    step = (b.astype(float) - c) * size.reshape(-1, *[1] * (a.ndim - 1))
    if a.ndim > 1:  # half of the time a single scalar, where that is a point at all
        flat = step.reshape(n, -1)
        single = rng.random(n) < 0.5
        single &= not tied
        column = rng.integers(flat.shape[1], size=n)
        alone = np.zeros_like(flat)
        alone[np.arange(n), column] = flat[np.arange(n), column]
        step = np.where(single[:, None], alone, flat).reshape(a.shape)
    new = np.where(moves.reshape(-1, *[1] * (a.ndim - 1)), a + step, a)
    return np.asarray(new.astype(a.dtype))


def _tied(table: Array) -> bool:
    """Whether scalars of a parameter are tied by a linear equation, as weights are."""
    centred = table.astype(float) - table.mean(axis=0)
    scale = np.maximum(centred.std(axis=0), 1e-12)
    if min(table.shape) < 2 or table.shape[1] > 60:
        return bool(np.ptp(table.sum(axis=1)) < 1e-8 * max(1.0, float(np.abs(table).max())))
    rank = int(np.linalg.matrix_rank(centred / scale, tol=1e-6 * len(table)))
    return bool(rank < table.shape[1])


def _where(accepted: NDArray[np.bool_], new: Array, old: Array) -> Array:
    return np.where(accepted.reshape(-1, *[1] * (old.ndim - 1)), new, old)

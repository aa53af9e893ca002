"""PyMC models whose samplers cannot be tested: each is refused in one line, with a remedy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pymc as pm
from pytensor.graph.rewriting.utils import rewrite_graph
from pytensor.graph.traversal import ancestors
from pytensor.tensor.random.type import RandomType
from pytensor.tensor.type import TensorType

from gmmcompare.model.params import Array
from gmmcompare.model.pymc_graphs import evaluated, log_densities
from gmmcompare.runtime.errors import InputError

_IMPROPER = {"FlatRV", "HalfFlatRV", "ICARRV"}
_PROPER = "give it a proper prior, such as pm.Normal or pm.HalfNormal"
_DRAWS = "give its distribution a function that draws, as in pm.CustomDist(..., random=...)"


def checked_shapes(model: Any, name: str) -> dict[str, tuple[int, ...]]:
    """Return names and shapes of the random variables of a model that can be tested.

    Parameters
    ----------
    model : pymc.Model
    name : str
        How to call it in messages.

    Raises
    ------
    InputError
        If it cannot be tested: the message names the variable and how to mend the model.
    """
    for what in _refusals(model):
        raise InputError(f"{name}: {what}")
    shapes: dict[str, tuple[int, ...]] = {}
    for rv in model.basic_RVs:
        found = _shape(rv)
        if found is None:
            raise InputError(
                f"{name}: {rv.name} has a shape that depends on other variables; give it a fixed "
                "one, by shape=... or dims=..."
            )
        shapes[rv.name] = found
    return shapes


def _refusals(model: pm.Model) -> Iterator[str]:
    """Say what is wrong, worst first; each step takes for granted that nothing was said before."""
    for potential in model.potentials:
        yield (
            f"{potential.name} is a pm.Potential, a term that is no distribution and cannot be "
            "drawn from; write it as one: an observed variable, or pm.CustomDist with logp and "
            "random"
        )
    yield from _missing(model)
    for rv in model.basic_RVs:
        yield from _refusals_of(rv, model.rvs_to_transforms.get(rv))
    if not model.free_RVs:
        yield "has no free random variable; there is nothing to sample"
    if not model.observed_RVs:
        yield "has no observed variable; give the data to one, by observed=..."
    yield from _not_drawn(model)
    yield from _without_density(model)


def _refusals_of(rv: Any, transform: Any) -> Iterator[str]:
    kind = type(rv.owner.op).__name__
    if kind in _IMPROPER:
        yield f"{rv.name} has an improper prior, pm.{kind.removesuffix('RV')}; {_PROPER}"
    if not isinstance(rv.type, TensorType):
        yield f"{rv.name} is of pymc.dims; write it by pm.{kind.removesuffix('RV')} with dims=..."
    if "SimulatorRV" in {c.__name__ for c in type(rv.owner.op).__mro__}:
        yield (
            f"{rv.name} is a pm.Simulator, whose log density is random; "
            "write it as a distribution with a log density"
        )
    if any(
        type(t).__name__ == "Ordered" for t in getattr(transform, "transform_list", [transform])
    ):
        yield (
            f"{rv.name} is ordered by a transform, which draws from its prior are not; "
            "leave out transform=... and let samplers of it be tested unordered"
        )
    inside = {type(v.owner.op).__name__ for v in ancestors([rv]) if v.owner}
    if kind == "MinibatchRandomVariable" or inside & {"MinibatchOp", "MinibatchIndexRV"}:
        yield (
            f"{rv.name} stands for a part of the data (pm.Minibatch or total_size); "
            "give it all data, without total_size"
        )


def _missing(model: pm.Model) -> Iterator[str]:
    """PyMC splits a variable whose data have gaps in two, and makes one of them free."""
    free = {rv.name for rv in model.free_RVs}
    for rv in model.deterministics:
        if f"{rv.name}_unobserved" in free:
            yield (
                f"{rv.name} has missing data; observe only what is there, and make what is missing "
                "a variable of its own if it is to be sampled"
            )


def _not_drawn(model: pm.Model) -> Iterator[str]:
    """Draw every variable once, each after those that it depends on."""
    for rv in model.basic_RVs:
        try:
            (drawn,) = evaluated([rv])
        except NotImplementedError:
            yield f"{rv.name} cannot be drawn from; {_DRAWS}"
        except Exception as error:
            said = _first_line(error)
            yield f"{rv.name} cannot be drawn: {said}; let its prior give allowed values"
        else:
            if not np.isfinite(np.asarray(drawn, dtype=float)).all():
                yield f"{rv.name} has draws from the prior that are not finite; {_PROPER}"


def _without_density(model: pm.Model) -> Iterator[str]:
    try:
        terms, _ = log_densities(model.basic_RVs)
        random = any(isinstance(v.type, RandomType) for v in ancestors(terms))
    except Exception:
        random = True
    if not random:
        return
    for rv in model.basic_RVs:
        try:
            pm.logp(rv, rv.type(), warn_rvs=False)
        except Exception as error:
            yield (
                f"{rv.name} has no log density ({_first_line(error)}); write it by a distribution "
                "that has one, as in pm.CustomDist(..., logp=..., random=...)"
            )
    yield "has no joint log density that could be evaluated; write each variable by a distribution"


def simplexes(model: pm.Model) -> set[str]:
    """Return the names of free variables that sum to one, which PyMC's densities do not check."""
    kinds = {rv.name: type(model.rvs_to_transforms[rv]).__name__ for rv in model.free_RVs}
    return {name for name, kind in kinds.items() if kind == "SimplexTransform"}


def _shape(rv: Any) -> tuple[int, ...] | None:
    """Return the shape of a variable, or None if it depends on what is drawn."""
    if None not in rv.type.shape:
        return tuple(rv.type.shape)
    shape = rewrite_graph(rv.shape, include=("ShapeOpt", "canonicalize"))
    if any(isinstance(v.type, RandomType) for v in ancestors([shape])):
        return None
    found: Array = evaluated([shape])[0]
    return tuple(int(size) for size in found)


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0].rstrip('.')}" if lines else type(error).__name__

"""What draws of any model are compared on: every scalar, log densities, and combinations of many.

The other provider of functions (`functionals`) is the mixture's, whose labels have to be aligned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np

from gmmcompare.comparison.evidence import MAX_DRAWS, Evidence
from gmmcompare.comparison.functionals import Functional
from gmmcompare.comparison.names import SCALAR
from gmmcompare.model.params import Array
from gmmcompare.model.points import with_labels_in_order
from gmmcompare.model.protocol import scalar_names
from gmmcompare.runtime.errors import InputError, did_you_mean

MANY = 40
"""Scalars of more, of which not all pairs are compared, are compared in combinations as well."""
COMBINATIONS = 20


@dataclass(frozen=True)
class GeneralDraws:
    """Draws of one engine.

    Attributes
    ----------
    name : str
    arrays : mapping of str to ndarray
        Parameters by name, (chains, draws, *shape).
    densities : mapping of str to ndarray
        Log densities of them, (chains, draws), such as the log joint of a model.
    divergences : int or None
    notes : tuple of str
        What was odd about where they come from.
    """

    name: str
    arrays: Mapping[str, Array]
    densities: Mapping[str, Array] = field(default_factory=dict)
    divergences: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of chains and draws."""
        chains, draws = next(iter(self.arrays.values())).shape[:2]
        return chains, draws

    def scalars(self) -> dict[str, Array]:
        """Return every scalar, ``beta[0]`` and so on, (chains, draws)."""
        shapes = {name: a.shape[2:] for name, a in self.arrays.items()}
        flat = [a.reshape(*a.shape[:2], -1) for a in self.arrays.values()]
        columns = np.moveaxis(np.concatenate(flat, axis=2), 2, 0)
        return dict(zip(scalar_names(shapes), columns, strict=True))

    def only(self, names: Sequence[str]) -> GeneralDraws:
        """Return the same draws of these parameters alone, in this order."""
        return replace(self, arrays={name: self.arrays[name] for name in names})

    def sorted_by_labels(self, groups: Sequence[Sequence[str]]) -> GeneralDraws:
        """Return the same draws, labels of each group in ascending order of its first parameter.

        Parameters
        ----------
        groups : sequence of sequence of str
            Parameters whose first axes may be permuted together.
        """
        known = [[name for name in group if name in self.arrays] for group in groups]
        arrays = with_labels_in_order(self.arrays, [group for group in known if group], 2)
        return replace(self, arrays=arrays)


def common_parameters(
    everyone: Sequence[GeneralDraws], chosen: Sequence[str] = ()
) -> tuple[list[str], list[str]]:
    """Return the parameters that all engines have in one shape, and those that only some have.

    Parameters
    ----------
    everyone : sequence of GeneralDraws
    chosen : sequence of str, optional
        Those that are asked for; by default all.

    Raises
    ------
    InputError
        If none is common to all, one that is asked for is not there, or shapes differ.
    """
    every = list(dict.fromkeys(name for d in everyone for name in d.arrays))
    for name in chosen:
        without = [d.name for d in everyone if name not in d.arrays]
        if without:
            raise InputError(
                f"{without[0]}: has no '{name}'{did_you_mean(name, every)}; "
                f"it has: {', '.join(everyone[0].arrays)}"
            )
    common = [n for n in (chosen or every) if all(n in d.arrays for d in everyone)]
    if not common:
        held = "; ".join(f"{d.name} has {', '.join(d.arrays)}" for d in everyone)
        raise InputError(f"no parameter is in all of them: {held}; rename them so that they match")
    for name in common:
        shapes = {d.name: d.arrays[name].shape[2:] for d in everyone}
        if len(set(shapes.values())) > 1:
            listed = ", ".join(f"{shape} in {who}" for who, shape in shapes.items())
            raise InputError(f"{name} has shape {listed}; compare others by --vars")
    return common, [n for n in every if n not in common] if not chosen else []


def evidence_of_all(
    everyone: Sequence[GeneralDraws], symmetries: Sequence[Sequence[str]] = ()
) -> list[Evidence]:
    """Prepare draws for judging; the same functions of all.

    Parameters
    ----------
    everyone : sequence of GeneralDraws
        Of the same parameters.
    symmetries : sequence of sequence of str, optional
        Parameters whose labels carry no meaning: they are put in order.
    """
    ordered = [d.sorted_by_labels(symmetries) for d in everyone]
    scalars = [d.scalars() for d in ordered]
    labelled = {name for group in symmetries for name in group}
    combined = _combinations(scalars)
    return [
        _evidence(draws, own, more, labelled)
        for draws, own, more in zip(ordered, scalars, combined, strict=True)
    ]


def _evidence(
    draws: GeneralDraws, scalars: Mapping[str, Array], more: Mapping[str, Array], labelled: set[str]
) -> Evidence:
    step = -(-np.prod(draws.shape) // MAX_DRAWS)
    found = [
        *(Functional(f"{SCALAR}[{n}]", v[:, ::step], True) for n, v in draws.densities.items()),
        *(
            Functional(f"{SCALAR}[{n}]", v[:, ::step], n.partition("[")[0] not in labelled, True)
            for n, v in scalars.items()
        ),
        *(Functional(f"{SCALAR}[{n}]", v[:, ::step], False) for n, v in more.items()),
    ]
    return Evidence(
        draws.name,
        tuple(found),
        log_lik=next(iter(draws.densities.values()), None),
        prob_small=None,
        divergences=draws.divergences,
        copies=_copies(draws),
    )


def _copies(draws: GeneralDraws) -> tuple[tuple[int, int], ...]:
    """Return pairs of chains that hold the same draws of everything."""
    chains = range(draws.shape[0])
    first = [hash(next(iter(draws.arrays.values()))[c].tobytes()) for c in chains]
    return tuple(
        (a, b)
        for a, b in combinations(chains, 2)
        if first[a] == first[b]
        and all(np.array_equal(values[a], values[b]) for values in draws.arrays.values())
    )


def _combinations(scalars: Sequence[Mapping[str, Array]]) -> list[dict[str, Array]]:
    """Return sums of all scalars with random signs, where these are many.

    What depends on what in many parameters changes the distribution of such sums. Scalars are in
    units of what all engines show together.
    """
    names = list(scalars[0])
    if len(names) <= MANY:
        return [{} for _ in scalars]
    signs = np.random.default_rng(0).choice([-1.0, 1.0], (COMBINATIONS, len(names)))
    centre = np.array([np.median([np.median(s[n]) for s in scalars]) for n in names])
    scale = np.array([max(np.median([s[n].std() for s in scalars]), 1e-300) for n in names])
    out = []
    for own in scalars:
        table = np.stack([own[n] for n in names], axis=-1)
        sums = ((table - centre) / scale) @ signs.T
        out.append({f"combination[{i + 1}]": sums[..., i] for i in range(COMBINATIONS)})
    return out

"""What a sampler takes: which numbers of components and observations, and priors in which form.

A sampler may be written for two components, or take priors as plain numbers. That is its right: the
plan of scenes is built for what it takes (see `scenes.planned`), and what it does not take is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations

from gmmcompare.validation.checks.scenes import (
    CALIBRATION,
    FIELDS,
    MixtureScene,
    asymmetric,
    planned,
)
from gmmcompare.validation.sandbox.subject import BrokenError

SIZES = (3, 2, 5)
"""Numbers of components that any sampler is tried on, those of the main scenes first."""
MORE_SIZES = (4, 1, 6, 7, 8, 10)
"""Tried where some of `SIZES` is refused."""
_OBSERVATIONS = (12, 40, 100)
_FORMS = (frozenset[str](), frozenset(FIELDS))
"""Fields of the prior given as vectors: none, or all."""

Attempt = Callable[[MixtureScene], BrokenError | None]
"""Make a first call in a scene; return the error it ended with."""


@dataclass(frozen=True)
class Domain:
    """What a sampler takes, of what was tried.

    Attributes
    ----------
    K, N : int
        Of the main scenes.
    sizes, refused_sizes : tuple of int
        Numbers of components.
    vectors : frozenset of str
        Fields of the prior that are given as vectors where all components have the same.
    unequal : tuple of str
        Fields that may differ between components.
    errors : mapping of str to BrokenError
        Why something was refused: "K" (the first number of components) or "vectors".
    """

    K: int
    N: int
    sizes: tuple[int, ...]
    refused_sizes: tuple[int, ...]
    vectors: frozenset[str]
    unequal: tuple[str, ...]
    errors: dict[str, BrokenError]


@dataclass(frozen=True)
class Fitted:
    """The scenes of a plan in the form that a sampler takes, and those that it refused."""

    scenes: tuple[MixtureScene, ...]
    refused: tuple[tuple[MixtureScene, BrokenError], ...]


def explore(attempt: Attempt, further: bool = True) -> Domain:
    """Find out what a sampler takes.

    Parameters
    ----------
    attempt : callable
    further : bool
        Whether to try much else; a whole sampler may have to be compiled again for every size.

    Raises
    ------
    BrokenError
        If it takes nothing, the first error; or if it returns what is not a number.
    """
    K, N, vectors = _first(attempt, further)
    base = replace(CALIBRATION, N=N)
    errors: dict[str, BrokenError] = {}
    taken: list[int] = []
    refused: list[int] = []
    candidates = _candidates(K, further)
    for size in candidates:
        error = None if size == K else _refusal(attempt(replace(base, K=size).given_as(vectors)))
        (taken if error is None else refused).append(size)
        if error is not None:
            errors.setdefault("K", error)
            if further:
                candidates.extend(s for s in MORE_SIZES if s not in candidates)
    unequal, error = _unequal(attempt, K, N, vectors)
    if error is not None:
        errors["vectors"] = error
    sizes = tuple(sorted(taken)), tuple(sorted(refused))
    return Domain(K, N, *sizes, vectors, unequal, errors)


def fit(
    attempt: Attempt,
    domain: Domain,
    only_main: bool = False,
    permutes: bool = False,
    measured: bool = False,
) -> Fitted:
    """Return the plan for a domain: of each place the first scene that is taken.

    Replicates of places that nobody takes go to the main scenes, so that there are as many in all
    for every sampler.

    Parameters
    ----------
    attempt : callable
    domain : Domain
    only_main : bool
        Whether to leave the other sizes and units out, for a whole sampler.
    permutes : bool
        Whether labels are permuted at random, which priors that differ do not allow.
    measured : bool
        Whether observations have errors, which the sampler takes.
    """
    scenes, refused, left = [], [], 0.0
    places = planned(domain.K, domain.N, domain.sizes, domain.unequal, permutes)
    for place in [p for p in places if not only_main or (p and p[0].main)]:
        tried = []
        for scene in place:
            formed = replace(scene, measured=measured)
            formed = formed if scene.vector else formed.given_as(domain.vectors)
            error = attempt(formed)
            if error is None:
                scenes.append(formed)
                break
            tried.append((scene, error))
        else:
            refused += tried[:1]
            left += place[0].share if place else 1 / 8
    main = sum(scene.main for scene in scenes)
    return Fitted(
        tuple(replace(s, share=s.share + left / main) if s.main else s for s in scenes),
        tuple(refused),
    )


def _first(attempt: Attempt, further: bool) -> tuple[int, int, frozenset[str]]:
    """Return the first number of components, of observations and form of priors that are taken."""
    first: BrokenError | None = None
    for K, N, vectors in _order(further):
        error = _refusal(attempt(replace(CALIBRATION, K=K, N=N).given_as(vectors)))
        if error is None:
            return K, N, vectors
        first = first or error
    assert first is not None
    raise first


def _refusal(error: BrokenError | None) -> BrokenError | None:
    """Return how a size was refused; to return NaN, as of an empty component, is no refusal.

    Raises
    ------
    BrokenError
        If the call returned what is not a number.
    """
    if error is not None and error.what == "not a number":
        raise error
    return error


def _order(further: bool) -> Iterator[tuple[int, int, frozenset[str]]]:
    """Yield what to try, the most likely first."""
    for N in _OBSERVATIONS if further else _OBSERVATIONS[:1]:
        for K in (*SIZES, *MORE_SIZES) if further else SIZES:
            for vectors in _FORMS:
                yield K, N, vectors
    for K in SIZES[:2] if further else ():
        for size in range(1, len(FIELDS)):
            for some in combinations(FIELDS, size):
                yield K, _OBSERVATIONS[0], frozenset(some)


def _candidates(K: int, further: bool) -> list[int]:
    if not further:
        return list(SIZES[: SIZES.index(K) + 1])
    before = [*SIZES, *MORE_SIZES]
    return list(dict.fromkeys([*before[: before.index(K) + 1], *SIZES]))


def _unequal(
    attempt: Attempt, K: int, N: int, vectors: frozenset[str]
) -> tuple[tuple[str, ...], BrokenError | None]:
    """Return the fields that may differ between components, and why not all of them."""

    def tried(some: tuple[str, ...]) -> BrokenError | None:
        return attempt(replace(asymmetric(K, some), N=N).given_as(vectors))

    if K == 1:
        return (), None
    error = tried(FIELDS)
    if error is None:
        return FIELDS, None
    taken: tuple[str, ...] = ()
    for name in FIELDS:
        if tried((*taken, name)) is None:
            taken = (*taken, name)
    return taken, error

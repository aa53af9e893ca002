"""What is odd, what was tested and what was not, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gmmcompare.comparison.names import listed
from gmmcompare.comparison.words.catalogue import says
from gmmcompare.validation.reasons import Code
from gmmcompare.validation.words.saying import KEEPS_Z, always

always(
    Code.NOT_REPRODUCIBLE,
    "the same rng gives different results: it draws from a random stream of its own or keeps "
    "something between calls (a cache, or z?); use rng for every draw, so that runs can be "
    f"repeated. {KEEPS_Z}",
)
always(
    Code.RNG_UNUSED,
    "it never touches rng: it draws from another stream (np.random?), so that a seed does not "
    "repeat its runs, and chains on several processes may be copies; draw everything from rng",
)
always(
    Code.RNG_NOT_ALONE,
    "it draws from another stream besides rng (np.random?), so that rng does not repeat its runs; "
    "draw everything from rng",
)


@says(Code.PERMUTES_LABELS)
def _permutes_labels(differing: bool) -> str:
    seen = "found wrong" if differing else "not tested"
    return (
        "it permutes labels at random, which is correct under priors that are the same for all "
        f"components, but not correct when priors differ by component ({seen} there)"
    )


always(Code.REMEMBERS, "the result of a sweep depends on earlier calls by more than (w, mu, sigma)")


@says(Code.PRINTED)
def _printed(lines: int, log: str) -> str:
    return f"it printed {lines:,} line{'s' * (lines != 1)} ({log or 'kept with out=FOLDER'})"


@says(Code.WARNED)
def _warned(message: str) -> str:
    return f"it warned: {message}"


@says(Code.SCOPE)
def _scope(
    kind: str,
    sizes: Sequence[Sequence[int]],
    taken: Sequence[int],
    refused: Sequence[int],
    unequal: Sequence[str],
    equal: Sequence[str],
) -> str:
    tested = f"tested with {_sizes(sizes)}"
    if refused:
        what = f"for K = {taken[0]} alone" if len(taken) == 1 else f"not for K = {_or(refused)}"
        tested += f", as this {kind} is {what}"
    if not unequal:
        only = f"; this {kind} takes them as plain numbers" if equal else ""
        return f"{tested}; priors were the same for all components{only}"
    if equal:
        return f"{tested}; {listed(unequal)} differed between components, {listed(equal)} did not"
    return f"{tested}, and priors that differ between components"


def _sizes(sizes: Sequence[Sequence[int]]) -> str:
    by_K: dict[int, list[int]] = {}
    for K, N in sizes:
        by_K.setdefault(K, []).append(N)
    return listed([f"K = {K} (N = {_counts(sorted(set(by_K[K])))})" for K in sorted(by_K)])


def _counts(numbers: Sequence[int]) -> str:
    return ", ".join(f"{n:,}" for n in numbers)


def _or(numbers: Sequence[int]) -> str:
    *others, last = map(str, numbers)
    return f"{', '.join(others)} or {last}" if others else last


@says(Code.MODEL_SCOPE)
def _model_scope(
    kind: str,
    model: str,
    parameters: Mapping[str, Sequence[int]],
    quantities: int,
    kinds: Sequence[str],
) -> str:
    names = listed([_with_shape(name, shape) for name, shape in parameters.items()])
    return (
        f"tested as a {kind} of {names} in {model}, on data drawn from it: {quantities} functions "
        f"({listed([_FUNCTIONS[kind] for kind in kinds])})"
    )


def _with_shape(name: str, shape: Sequence[int]) -> str:
    return f"{name} ({' x '.join(map(str, shape))})" if shape else name


_FUNCTIONS = {
    "marginal": "places in the prior",
    "data": "what data tell of each parameter",
    "score": "scores",
    "whole": "log densities",
    "product": "products of pairs",
}


@says(Code.SIZES_REFUSED)
def _sizes_refused(sizes: Sequence[int], what: str, message: str) -> str:
    return f"K = {_or(sizes)}, which it does not take: {message}"


@says(Code.REFUSED)
def _refused(scene: str, vector: bool, what: str, message: str) -> str:
    hint = "; priors may be arrays: use priors.mean_loc[k]" if vector else ""
    return f"the {scene} prior: {message}{hint}"


@says(Code.OTHER_SIZES)
def _other_sizes(sizes: Sequence[Sequence[int]]) -> str:
    tried = ", ".join(f"K = {K} with N = {N}" for K, N in sizes)
    return f"sizes other than {tried}" if tried else "any size"


@says(Code.SMALL_ERRORS)
def _small_errors(quick: bool, effect: float, percent: float) -> str:
    size = (
        f"errors that move no quantity by {effect:.2f} standard deviations of a replicate, such as "
        f"mu's conditional variance off by less than about {percent:.0f} %"
    )
    return f"{size}; more replicates are made without --quick (quick=False)" if quick else size


@says(Code.REAL_DATA)
def _real_data(most: int, tied: bool) -> str:
    kinds = "the model's own" + (" or tied and rounded ones" if tied else "")
    left = "" if tied else ", tied and rounded data, and nearly improper priors"
    return (
        f"data unlike {kinds} (with outliers, skewed){left}, and more than {most:,} observations: "
        "give a model card by --card to compare with NUTS on your data"
    )


always(
    Code.ONE_PRIOR,
    "priors that differ between components, nearly improper ones, tied and rounded data, and more "
    "than a few observations: a whole sampler is ranked under one prior",
)
always(
    Code.SINGLE_SWEEPS,
    "single sweeps: a kernel (one sweep as a function) is tested with far more power",
)
always(
    Code.NO_CONDITIONALS,
    "full conditionals one by one: the kernel shows none (the names looked for are listed in "
    "gmmcompare.validation.checks.conditionals)",
)
always(Code.EXACT_SKIPPED, "the exact posterior on small data: another check has failed already")


@says(Code.NO_DENSITIES)
def _no_densities(missing: Sequence[str]) -> str:
    return (
        f"errors that only log densities show: the model has no {' and no '.join(missing)}, so "
        "that much less is seen"
    )


always(
    Code.OTHER_DATA,
    "data unlike those that the model draws; compare draws given yours with those of another "
    "sampler by gmmcompare agree",
)


@says(Code.NOT_MOVED)
def _not_moved(parameters: Sequence[str]) -> str:
    return f"{listed(parameters)}, which no sweep moves: a kernel of the others alone, given these"


@says(Code.SMALL_ERRORS_OF_MODEL)
def _small_errors_of_model(quick: bool, effect: float) -> str:
    size = f"errors that move no quantity by {effect:.2f} standard deviations of a replicate"
    return f"{size}; more replicates are made without --quick (quick=False)" if quick else size

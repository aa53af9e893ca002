"""What a sampler takes is found out, and the plan has as many replicates whatever that is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gmmcompare.validation.checks.domain import explore, fit
from gmmcompare.validation.checks.scenes import FIELDS, MixtureScene
from gmmcompare.validation.sandbox.subject import BrokenError

Takes = Callable[[MixtureScene], bool]


def attempt(takes: Takes) -> Callable[[MixtureScene], BrokenError | None]:
    return lambda scene: None if takes(scene) else BrokenError("no", "raised")


def numbers_in(scene: MixtureScene, *fields: str) -> bool:
    return all(np.ndim(getattr(scene.priors, f)) == 0 for f in fields)


TAKERS: dict[str, Takes] = {
    "anything": lambda s: True,
    "two": lambda s: s.K == 2,
    "five": lambda s: s.K == 5,
    "seven": lambda s: s.K == 7,
    "two or three": lambda s: s.K in (2, 3),
    "numbers": lambda s: numbers_in(s, *FIELDS),
    "two, numbers": lambda s: s.K == 2 and numbers_in(s, *FIELDS),
    "vectors": lambda s: not any(numbers_in(s, f) for f in FIELDS),
    "a number for var_shape": lambda s: numbers_in(s, "var_shape"),
    "a vector for the weights, else numbers": lambda s: (
        not numbers_in(s, FIELDS[0]) and numbers_in(s, *FIELDS[1:])
    ),
    "twenty or more": lambda s: s.N >= 20,
    "as many as components": lambda s: s.N >= s.K,
    "concentrations of one and more": lambda s: (
        np.min(s.priors.weight_concentration) >= 1 and numbers_in(s, *FIELDS)
    ),
    "no tied data": lambda s: not s.data,
}


@pytest.mark.parametrize("name", TAKERS)
def test_every_sampler_gets_a_full_plan_that_it_takes(name: str) -> None:
    takes = TAKERS[name]
    domain = explore(attempt(takes))
    plan = fit(attempt(takes), domain)
    assert all(map(takes, plan.scenes))
    main = [scene for scene in plan.scenes if scene.main]
    assert len(main) == 2
    assert main[0].priors != main[1].priors
    assert {scene.K for scene in main} == {domain.K}
    # 2 main scenes, 5 of an eighth and one of a 32nd.
    assert sum(s.share for s in plan.scenes) == pytest.approx(2 + 5 / 8 + 1 / 32)


@pytest.mark.parametrize(
    ("name", "K", "sizes", "unequal"),
    [
        ("anything", 3, (2, 3, 5), FIELDS),
        ("two", 2, (2,), FIELDS),
        ("five", 5, (5,), FIELDS),
        ("two or three", 3, (2, 3), FIELDS),
        ("numbers", 3, (2, 3, 5), ()),
        ("a number for var_shape", 3, (2, 3, 5), tuple(f for f in FIELDS if f != "var_shape")),
        ("a vector for the weights, else numbers", 3, (2, 3, 5), FIELDS[:1]),
    ],
)
def test_what_is_taken_is_found(
    name: str, K: int, sizes: tuple[int, ...], unequal: tuple[str, ...]
) -> None:
    domain = explore(attempt(TAKERS[name]))
    assert (domain.K, domain.sizes, domain.unequal) == (K, sizes, unequal)
    assert set(domain.errors) == {
        *(["K"] if domain.refused_sizes else []),
        *(["vectors"] if unequal != FIELDS else []),
    }


def test_a_sampler_that_takes_nothing_is_told_its_first_error() -> None:
    tried: list[MixtureScene] = []

    def never(scene: MixtureScene) -> BrokenError:
        tried.append(scene)
        return BrokenError(f"error {len(tried)}", "raised")

    with pytest.raises(BrokenError, match=r"error 1$"):
        explore(never)


def test_a_whole_sampler_is_called_seldom() -> None:
    tried: list[MixtureScene] = []

    def always(scene: MixtureScene) -> None:
        tried.append(scene)

    domain = explore(always, further=False)
    plan = fit(always, domain, only_main=True)
    assert [scene.name for scene in plan.scenes] == ["calibration", "asymmetric"]
    assert len(set(tried)) == 2


def test_not_a_number_is_no_refusal() -> None:
    def nan_but_for_one(scene: MixtureScene) -> BrokenError | None:
        return None if scene.K == 1 else BrokenError("mu has 1 NaN", "not a number")

    with pytest.raises(BrokenError, match="1 NaN"):
        explore(nan_but_for_one)

"""What moved: a known change of the parameters is described as what it is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gmmcompare.model.params import Params
from gmmcompare.validation.checks.invariance import Replicates, SceneTest
from gmmcompare.validation.checks.scenes import CALIBRATION, TWO, MixtureScene
from gmmcompare.validation.diagnosis.findings import describe
from gmmcompare.validation.reasons import Code, Reason

N = 1000


def changed(change: Callable[[Params], Params], scene: MixtureScene = CALIBRATION) -> SceneTest:
    """Return the test of a kernel that makes one change to draws of the joint distribution."""
    test = SceneTest.of(scene)
    start, y = scene.sample_joint(np.random.default_rng(1), N)
    after = change(start)
    test.add([Replicates(start, y, after, after)], np.random.default_rng(2))
    return test


def found(*tests: SceneTest) -> dict[Code, Reason]:
    return {reason.code: reason for reason in describe(tests)}


def test_a_larger_sigma_is_said_to_be_larger_by_its_factor() -> None:
    test = changed(lambda p: Params(p.w, p.mu, 1.5 * p.sigma))
    numbers = found(test)[Code.PARAMETER_OFF].numbers
    assert (numbers["parameter"], numbers["shape"]) == ("sigma", "location")
    # Not quite log 1.5: a wider component also holds other observations than before.
    assert all(0.2 < change < 0.6 for change in numbers["changes"].values())
    assert "several" in numbers["changes"]
    assert numbers["scene"] == "calibration"


def test_a_lower_mu_is_said_to_be_lower_in_prior_sds() -> None:
    test = changed(lambda p: Params(p.w, p.mu - 1.5, p.sigma))
    (numbers,) = [
        reason.numbers
        for reason in describe([test])
        if reason.code == Code.PARAMETER_OFF and reason.numbers["parameter"] == "mu"
    ]
    assert numbers["shape"] == "location"
    assert all(change < -0.5 for change in numbers["changes"].values())


def test_a_wider_mu_is_a_matter_of_spread() -> None:
    test = changed(lambda p: Params(p.w, 0.5 + 2.0 * (p.mu - 0.5), p.sigma))
    spreads = {
        reason.numbers["parameter"]: reason.numbers["changes"]
        for reason in describe([test])
        if reason.code == Code.PARAMETER_OFF and reason.numbers["shape"] == "spread"
    }
    assert all(change > 0 for change in spreads["mu"].values())


@pytest.mark.parametrize("power", [2.0, 0.5])
def test_unequal_weights_are_told_from_equal_ones(power: float) -> None:
    def sharpened(p: Params) -> Params:
        w = p.w**power
        return Params(w / w.sum(axis=1, keepdims=True), p.mu, p.sigma)

    change = found(changed(sharpened))[Code.WEIGHTS_OFF].numbers["change"]
    assert (change > 0) == (power > 1)


def test_sorted_labels_are_found_together_or_in_part() -> None:
    def together(p: Params) -> Params:
        order = np.argsort(p.mu, axis=1)
        return Params(*(np.take_along_axis(a, order, axis=1) for a in p))

    def in_part(p: Params) -> Params:
        return Params(p.w, np.sort(p.mu, axis=1), p.sigma)

    for change, expected in ((together, True), (in_part, False)):
        reason = describe([changed(change)])[0]
        assert reason == Reason(Code.LABELS_SORTED, {"together": expected})


def test_where_nothing_is_clear_the_best_bet_is_named() -> None:
    """A parameter by itself, if that is what the best bet is on, and no word of the contrary."""
    test = changed(lambda p: p)
    q = next(i for i, q in enumerate(test.names) if str(q) == "mu, component 1")
    test.wealth.log_single[q] = 50.0
    test.wealth._sum[q] = -1.0
    (reason,) = describe([test])
    assert reason == Reason(
        Code.MOST_MOVED,
        {"quantity": "mu, component 1", "marginal": True, "larger": False, "scene": "calibration"},
    )


def test_the_scene_in_which_it_shows_best_is_described() -> None:
    """A main scene, even where another size shows more."""
    little = changed(lambda p: Params(p.w, p.mu, 1.3 * p.sigma))
    much = changed(lambda p: Params(p.w, p.mu, 2.0 * p.sigma), TWO)
    scenes = {r.numbers["scene"] for r in describe([much, little])}
    assert scenes == {"calibration"}
    assert {r.numbers["scene"] for r in describe([much])} == {"two-component"}

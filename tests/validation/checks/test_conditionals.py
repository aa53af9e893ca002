"""Full conditionals: ours are the model's, and each wrong formula is named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from inprocess import InProcess

from gmmcompare.engines.gibbs import plain as gibbs_plain
from gmmcompare.validation.checks.conditionals import check_conditionals, shown
from gmmcompare.validation.faults.catalogue import fault
from gmmcompare.validation.faults.sweep import GibbsSweep
from gmmcompare.validation.reasons import Code
from gmmcompare.validation.verdict import Check

WRONG = {
    "shape-plus-n": "variances",
    "squares-not-halved": "variances",
    "var-scale-dropped": "variances",
    "mean-loc-ignored": "means",
    "prior-sd-as-variance": "means",
    "mean-sd-as-variance": "means",
    "dirichlet-prior-twice": "weights",
    "variance-as-sd-in-z": "allocations",
    "no-log-sigma-in-z": "allocations",
}


def checked(kernel: Callable[..., Any]) -> Check:
    check = check_conditionals(InProcess(kernel), seed=1)
    assert check is not None
    return check


def test_the_plain_sampler_shows_all_and_is_correct() -> None:
    # Draws: false-positive rate 1e-6 over all; ratios are exact.
    assert len(shown(gibbs_plain.sweep)) == 7
    check = checked(gibbs_plain.sweep)
    assert check.verdict == "passed"
    (reason,) = check.reasons
    assert reason.numbers["ratios"] == ("weights", "means", "variances")
    assert reason.numbers["draws"] == ("weights", "means", "variances", "allocations")


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_formula_is_named(name: str) -> None:
    check = checked(fault(name))
    assert check.verdict == "failed"
    assert {reason.numbers["conditional"] for reason in check.reasons} == {WRONG[name]}
    # Allocations are tested by their draws alone.
    expected = Code.WRONG_DRAWS if WRONG[name] == "allocations" else Code.WRONG_RATIO
    assert {reason.code for reason in check.reasons} == {expected}
    assert f"the full conditional of the {WRONG[name]} is wrong" in check.summary


def test_wrong_draws_from_a_correct_formula_are_found() -> None:
    check = checked(fault("rate-for-scale"))
    assert check.verdict == "failed"
    assert [reason.code for reason in check.reasons] == [Code.WRONG_DRAWS]


def test_an_error_that_no_draw_shows_is_found_in_the_formula() -> None:
    class Almost(GibbsSweep):
        def variances_conditional(self, n_k, sum_sq, priors):  # type: ignore[no-untyped-def]
            shape, scale = super().variances_conditional(n_k, sum_sq, priors)
            return shape + 1e-8, scale

    (reason,) = checked(Almost()).reasons
    assert (reason.code, reason.numbers["conditional"]) == (Code.WRONG_RATIO, "variances")
    assert 1e-10 < reason.numbers["error"] < 1e-6


def test_a_formula_that_divides_by_zero_is_off_by_infinity() -> None:
    # Without its prior the Dirichlet of an empty component has a concentration of zero.
    (reason, *_) = checked(fault("dirichlet-without-prior")).reasons
    assert reason.code == Code.WRONG_RATIO
    assert reason.numbers["error"] == np.inf


def test_functions_with_other_arguments_are_left_alone() -> None:
    class Kernel:
        def __call__(self, w, mu, sigma, y, priors, rng):  # type: ignore[no-untyped-def]
            return w, mu, sigma

        def draw_means(self, z, y):  # type: ignore[no-untyped-def]
            return np.zeros(3)

    assert shown(Kernel()) == {}
    assert check_conditionals(InProcess(Kernel()), seed=1) is None

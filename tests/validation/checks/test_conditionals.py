"""Full conditionals: ours are the model's, and each wrong formula is named."""

from __future__ import annotations

import numpy as np
import pytest

from gmmcompare.engines.gibbs import plain as gibbs_plain
from gmmcompare.validation.checks.conditionals import (
    conditionals_check,
    examine_conditionals,
    shown,
)
from gmmcompare.validation.faults.catalogue import fault
from gmmcompare.validation.sandbox.subject import Subject

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


def checked(kernel: object) -> tuple[str, str]:
    subject = Subject(kernel, "kernel")  # type: ignore[arg-type]
    check = conditionals_check(examine_conditionals(subject, seed=1), 0.0)
    return check.verdict, check.summary


def test_the_plain_sampler_shows_all_and_is_right() -> None:
    # Draws: false alarm 1e-6 over all; ratios are exact.
    assert len(shown(gibbs_plain.sweep)) == 7
    assert checked(gibbs_plain.sweep)[0] == "passed"


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_formula_is_named(name: str) -> None:
    verdict, summary = checked(fault(name))
    assert verdict == "failed"
    assert f"{WRONG[name]} | rest" in summary


def test_wrong_draws_from_a_right_formula_are_found() -> None:
    verdict, summary = checked(fault("rate-for-scale"))
    assert verdict == "failed"
    assert "its draws have another distribution" in summary


def test_functions_with_other_arguments_are_left_alone() -> None:
    class Kernel:
        def __call__(self, w, mu, sigma, y, priors, rng):  # type: ignore[no-untyped-def]
            return w, mu, sigma

        def draw_means(self, z, y):  # type: ignore[no-untyped-def]
            return np.zeros(3)

    assert shown(Kernel()) == {}

"""A limit under or over the prior is found at once, and never where there is none."""

from __future__ import annotations

import edge_kernels
import numpy as np
import pytest
import samplers
import two_components

from gmmcompare.engines.gibbs import plain
from gmmcompare.validation.checks.contract import probe_kernel
from gmmcompare.validation.checks.extremes import check_extreme_priors
from gmmcompare.validation.checks.scenes import CALIBRATION, tied
from gmmcompare.validation.faults.catalogue import NOT_FAULTS, fault
from gmmcompare.validation.sandbox.mixture_subject import MixtureSubject
from gmmcompare.validation.sandbox.subject import BrokenError

SCENES = (CALIBRATION, tied(3))
CORRECT = {
    "right": samplers.right,
    "gibbs_plain": plain.sweep,
    "metropolis": edge_kernels.metropolis,
    "moves seldom": samplers.moves_seldom,
    **{name: fault(name) for name in NOT_FAULTS},
}


@pytest.mark.parametrize("field", edge_kernels.PRIORS_REPLACED)
@pytest.mark.parametrize("vector", [False, True])
def test_a_limit_is_found_and_named(field: str, vector: bool) -> None:
    scenes = [s.given_as([field]) if vector else s for s in SCENES]
    subject = MixtureSubject(edge_kernels.PRIORS_REPLACED[field], "own")
    with pytest.raises(BrokenError, match=f"own: gives the same result for {field} = ") as caught:
        check_extreme_priors(subject, scenes, seed=1)
    assert caught.value.what == "replaces a prior"


def test_a_limit_is_found_for_two_components_too() -> None:
    def floored(w, mu, sigma, y, priors, rng):  # type: ignore[no-untyped-def]
        kernel = edge_kernels.PRIORS_REPLACED["var_shape"]
        assert len(w) == 2
        return kernel(w, mu, sigma, y, priors, rng)

    with pytest.raises(BrokenError, match="var_shape = "):
        probe_kernel(MixtureSubject(floored, "own"), seed=1)
    probe_kernel(MixtureSubject(two_components.Kernel(), "own"), seed=1)


@pytest.mark.parametrize("name", CORRECT)
def test_a_correct_kernel_is_not_accused(name: str) -> None:
    """No chance in this: its sweeps are compared bit for bit. A Metropolis step is left alone."""
    for seed in (1, 2, 3):
        check_extreme_priors(MixtureSubject(CORRECT[name], "own"), SCENES, seed)


def test_a_prior_that_is_left_out_altogether_is_another_matter() -> None:
    check_extreme_priors(MixtureSubject(fault("var-shape-dropped"), "own"), SCENES, seed=1)


def test_values_that_a_kernel_does_not_take_are_no_limit() -> None:
    def careful(w, mu, sigma, y, priors, rng):  # type: ignore[no-untyped-def]
        assert np.min(priors.weight_concentration) >= 1
        return samplers.right(w, mu, sigma, y, priors, rng)

    check_extreme_priors(MixtureSubject(careful, "own"), SCENES, seed=1)

"""Kernels for two components alone are tried as hard as any other, and no harder."""

from __future__ import annotations

import numpy as np
import pytest
import two_components
from inprocess import InProcess, silent

from gmmcompare.validation import validate
from gmmcompare.validation.checks import invariance
from gmmcompare.validation.checks.conditionals import check_conditionals
from gmmcompare.validation.checks.contract import Contract, probe_kernel
from gmmcompare.validation.checks.exact_posterior import check_exact_posterior
from gmmcompare.validation.checks.invariance import QUICK, Outcome, Plan, check_invariance
from gmmcompare.validation.faults.sweep import GibbsSweep
from gmmcompare.validation.reasons import Code
from gmmcompare.validation.sandbox.mixture_subject import MixtureSubject

pytestmark = pytest.mark.slow

NUMBERS_SHOW = [f for f in two_components.FAULTS if f not in two_components.SEEN_BY_VECTORS_ALONE]


@pytest.fixture(autouse=True)
def no_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invariance, "_FOR_DIAGNOSIS", 0)


def tried(kernel: object, plan: Plan = QUICK) -> tuple[Contract, Outcome]:
    """Return what the probes and the invariance test make of a kernel, seed 1."""
    contract = probe_kernel(MixtureSubject(kernel, "own"), seed=1)  # type: ignore[arg-type]
    runner = InProcess(kernel)  # type: ignore[arg-type]
    return contract, check_invariance(runner, contract.scenes, plan, 1, silent, contract.permutes)


@pytest.mark.parametrize("fault", two_components.FAULTS)
def test_a_fault_for_two_components_is_found(fault: str) -> None:
    contract, outcome = tried(two_components.Kernel(fault))
    assert outcome.check.verdict == "failed"
    assert contract.domain.sizes == (2,)


@pytest.mark.parametrize("fault", NUMBERS_SHOW)
def test_it_is_found_where_priors_are_plain_numbers(fault: str) -> None:
    # The full plan, which is ended by the verdict: a prior that is the same for both shows less.
    contract, outcome = tried(two_components.Kernel(fault, numbers=True), Plan())
    assert outcome.check.verdict == "failed"
    assert contract.domain.unequal == ()


@pytest.mark.parametrize("fault", two_components.SEEN_BY_VECTORS_ALONE)
def test_what_is_no_fault_under_plain_numbers_passes(fault: str) -> None:
    """Swapping two equal numbers changes nothing. False-positive rate 1e-5, in doubt 1e-3."""
    plan = Plan(first=250, base=500, most=500)
    _, outcome = tried(two_components.Kernel(fault, numbers=True), plan)
    assert outcome.check.verdict == "passed"


@pytest.mark.slow
@pytest.mark.parametrize("numbers", [False, True])
def test_the_correct_one_passes_and_the_first_lines_say_for_what(numbers: bool) -> None:
    # False-positive rate below 2e-5; "inconclusive" for 1e-3 at most.
    found = validate(two_components.Kernel(numbers=numbers), quick=True, jobs=1)
    assert found.verdict == "passed"
    second = str(found).splitlines()[1]
    assert second == f"  {found.tested[0]}"
    assert "K = 2 (N = 1, 12, 40, 1,000), as this kernel is for K = 2 alone" in second
    assert ("priors were the same for all components" in second) == numbers
    assert ("priors that differ between components" in second) != numbers
    scope = found.to_dict()["codes"]["tested"][0]
    assert scope["code"] == Code.SCOPE
    assert "standard deviations in any quantity is found" in str(found)
    replicates = next(c.replicates for c in found.checks if c.name == "invariance")
    general = 2 * 2000 + 4 * 250 + 250 + 125
    assert general <= replicates <= general + 6000  # more only where there was doubt


def test_replicates_are_as_many_as_for_any_number_of_components() -> None:
    base = Plan().base
    two, any_ = (
        probe_kernel(MixtureSubject(kernel, "own"), seed=1).scenes  # type: ignore[arg-type]
        for kernel in (two_components.Kernel(), GibbsSweep())
    )
    assert sum(s.replicates(base) for s in two) == sum(s.replicates(base) for s in any_)


def test_sorting_fails_and_permuting_passes_for_two_components() -> None:
    assert tried(two_components.sorting)[1].check.verdict == "failed"
    contract, outcome = tried(two_components.permuting, Plan(first=250, base=1000, most=1000))
    assert contract.permutes
    assert outcome.check.verdict == "passed"


class ShowsConditionals(two_components.Kernel):
    """Shows how it draws weights, for two components alone."""

    wrong = False

    def draw_weights(self, n_k, priors, rng):  # type: ignore[no-untyped-def]
        first, second = n_k
        c = [two_components.number(priors.weight_concentration, k) for k in (0, 1)]
        share = rng.beta(c[self.wrong] + first, c[not self.wrong] + second)
        return np.array([share, 1 - share])


class ShowsWrongOnes(ShowsConditionals):
    wrong = True


@pytest.mark.parametrize(
    ("kernel", "verdict"), [(ShowsConditionals, "passed"), (ShowsWrongOnes, "failed")]
)
def test_conditionals_for_two_components_are_tested(kernel: type, verdict: str) -> None:
    """A correct one fails with probability 1e-6."""
    scene = probe_kernel(MixtureSubject(kernel(), "own"), seed=1).scenes[1]
    check = check_conditionals(InProcess(kernel()), 1, scene)
    assert check is not None
    assert check.verdict == verdict


class NumbersToVectors(GibbsSweep):
    """Takes plain numbers alone; its conditionals take the vectors that it makes of them."""

    def __call__(self, w, mu, sigma, y, priors, rng):  # type: ignore[no-untyped-def,override]
        float(priors.mean_loc)
        return super().__call__(w, mu, sigma, y, priors, rng)


def test_conditionals_are_given_priors_in_the_form_that_they_take() -> None:
    """A correct one fails with probability 1e-6."""
    for kernel in (NumbersToVectors(), two_components.Kernel(numbers=True)):
        scene = probe_kernel(MixtureSubject(kernel, "own"), seed=1).scenes[1]
        check = check_conditionals(InProcess(kernel), 1, scene)
        if isinstance(kernel, NumbersToVectors):
            assert check is not None
            assert check.verdict == "passed"
        else:
            assert check is None


def at_least(n: int) -> object:
    def kernel(w, mu, sigma, y, priors, rng):  # type: ignore[no-untyped-def]
        assert y.size >= n
        return two_components.beta_kernel(w, mu, sigma, y, priors, rng)

    return kernel


@pytest.mark.parametrize(("n", "verdict"), [(8, "passed"), (10, "passed"), (20, "inconclusive")])
def test_a_kernel_that_takes_no_few_observations_is_not_broken(n: int, verdict: str) -> None:
    """The exact posterior is known for 16 at most. A correct kernel fails with rate 1e-6."""
    kernel = at_least(n)
    scene = probe_kernel(MixtureSubject(kernel, "own"), seed=1).scenes[0]  # type: ignore[arg-type]
    check = check_exact_posterior(InProcess(kernel), "kernel", scene, 1, silent)  # type: ignore[arg-type]
    assert check.verdict == verdict
    assert (check.reasons[0].code == Code.NOT_SO_FEW) == (n == 20)


def test_one_component_is_too_little_to_pass() -> None:
    def one(w, mu, sigma, y, priors, rng):  # type: ignore[no-untyped-def]
        assert len(w) == 1
        return GibbsSweep()(w, mu, sigma, y, priors, rng)

    found = validate(one, quick=True, jobs=1)
    assert found.verdict == "inconclusive"
    (check,) = [c for c in found.checks if c.verdict == "inconclusive"]
    assert check.reasons[0].code == Code.THIN_EVIDENCE

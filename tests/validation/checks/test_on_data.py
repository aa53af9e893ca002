"""Agreement with a reference fit on the user's data."""

from __future__ import annotations

import numpy as np
import pytest
from inprocess import InProcess
from samplers import right

import gmmcompare as gc
from gmmcompare.engines.base import Problem
from gmmcompare.engines.gibbs import measured
from gmmcompare.model.card import SamplerSettings
from gmmcompare.runtime.errors import InputError
from gmmcompare.validation.checks.on_data import OnData, check_on_data
from gmmcompare.validation.faults.catalogue import fault

LENGTHS = SamplerSettings(chains=4, warmup=200, draws=5000)


@pytest.fixture(scope="module")
def on_data() -> OnData:
    """Return two clear components; our own Gibbs sampler stands for NUTS, which takes longer."""
    rng = np.random.default_rng(3)
    sample = gc.Sample.of(np.r_[rng.normal(-2, 0.5, 30), rng.normal(2, 0.8, 20)])
    priors = gc.Priors(2.0, 0.0, 3.0, 3.0, 1.0)
    reference = gc.fit(sample, "gibbs", components=2, priors=priors, draws=3000, warmup=300)
    return OnData(Problem(sample, 2, priors), reference, LENGTHS)


@pytest.mark.slow
def test_a_correct_kernel_does_not_differ(on_data: OnData) -> None:
    """The corrected p value is below 1e-6 with probability 1e-6."""
    check = check_on_data(InProcess(right), on_data, 1)
    p = np.array(check.data["functionals"]["p"])
    assert 9 * p.size * p.min() > 1e-6
    assert check.error_rate == 0.001
    assert check.replicates == 20_000


@pytest.mark.slow
def test_a_wrong_kernel_fails(on_data: OnData) -> None:
    check = check_on_data(InProcess(fault("shape-plus-n")), on_data, 1)
    assert check.verdict == "failed"
    (reason,) = check.reasons
    assert (reason.numbers["observations"], reason.numbers["verdict"]) == (50, "disagree")
    assert check.summary.startswith("on 50 observations: disagree; ")


@pytest.fixture(scope="module")
def on_measured_data() -> OnData:
    """Return the same with errors about as wide as the components."""
    rng = np.random.default_rng(4)
    x, errors = np.r_[rng.normal(-2, 0.5, 60), rng.normal(2, 0.8, 40)], rng.uniform(0.1, 1, 100)
    sample = gc.Sample.of(x + errors * rng.standard_normal(100), errors=errors)
    priors = gc.Priors(2.0, 0.0, 3.0, 3.0, 1.0)
    reference = gc.fit(sample, "gibbs", components=2, priors=priors, draws=3000, warmup=300)
    return OnData(Problem(sample, 2, priors), reference, LENGTHS)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kernel", "differs"),
    [(measured.sweep, False), (fault("measured-errors-ignored"), True)],
)
def test_data_with_errors(on_measured_data: OnData, kernel: object, differs: bool) -> None:
    """The corrected p value of a correct kernel is below 1e-6 with probability 1e-6."""
    check = check_on_data(InProcess(kernel), on_measured_data, 1)
    p = np.array(check.data["functionals"]["p"])
    assert (9 * p.size * p.min() <= 1e-6) == differs
    assert (check.verdict == "failed") == differs


def test_without_a_card_there_are_no_data_to_agree_on(on_data: OnData) -> None:
    with pytest.raises(InputError, match="needs a card"):
        gc.validate(right, posterior_sbc=True)


def test_the_old_name_of_posterior_sbc_still_works() -> None:
    with (
        pytest.warns(DeprecationWarning, match="posterior_sbc"),
        pytest.raises(InputError, match="needs a card"),
    ):
        gc.validate(right, around=True)

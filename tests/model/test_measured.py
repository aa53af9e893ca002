"""Samples with measurement errors, and their scores by plain and compiled code."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from gmmcompare.model import mixture
from gmmcompare.model.compiled import any_joint_tile, joint_tile, score
from gmmcompare.model.params import Params
from gmmcompare.model.sample import Sample, Standardisation
from gmmcompare.runtime.errors import InputError

Y = np.array([1.0, 0.5, 1.0, 1.0, -0.0, 0.0, 0.5])
S = np.array([0.2, 0.1, 0.1, 0.2, 0.3, 0.3, 0.0])
PARAMS = Params(np.array([0.2, 0.5, 0.3]), np.array([-1.0, 0.3, 2.0]), np.array([1e-3, 0.2, 1.5]))


def test_distinct_pairs_with_counts():
    sample = Sample.of(Y, errors=S)
    assert sample.values.tolist() == [0.0, 0.5, 0.5, 1.0, 1.0]
    assert sample.errors.tolist() == [0.3, 0.0, 0.1, 0.1, 0.2]
    assert sample.counts.tolist() == [2, 1, 1, 1, 2]
    assert (sample.n, sample.n_distinct) == (7, 5)
    assert sample.y_errors.tolist() == [0.3, 0.3, 0.0, 0.1, 0.1, 0.2, 0.2]
    weighted = Sample.of([1.0, 2.0], counts=np.array([3, 1]), errors=[0.1, 0.2])
    assert weighted.counts.tolist() == [3, 1]
    assert sample.part(slice(1, 3)).errors.tolist() == [0.0, 0.1]


def test_errors_of_zero_are_none_and_leave_the_fingerprint():
    exact = Sample.of(Y)
    assert Sample.of(Y, errors=np.zeros(7)).errors is None
    assert Sample.of(Y, errors=0.0).fingerprint == exact.fingerprint
    digest = "81445348"  # of the sample as it was before there were errors
    assert len({exact.fingerprint, Sample.of(Y, errors=S).fingerprint}) == 2
    assert Sample.of(Y, errors=S).fingerprint != Sample.of(Y, errors=2 * S).fingerprint
    assert exact.fingerprint[:8] == digest


def test_standardisation_carries_errors():
    sample = Sample.of(100.0 + 8.0 * Y, errors=8.0 * S)
    unit = Standardisation.of(sample)
    np.testing.assert_allclose(unit.apply(sample).errors * unit.scale, sample.errors)


def test_density_of_a_measured_value_is_wider():
    expected = sum(
        w * norm.pdf(Y, mu, np.sqrt(sd**2 + S**2)) for w, mu, sd in zip(*PARAMS, strict=True)
    )
    np.testing.assert_allclose(np.exp(mixture.log_density(Y, PARAMS, S)), expected, rtol=1e-12)
    sample = Sample.of(Y, errors=S)
    assert mixture.log_likelihood(sample, PARAMS) == pytest.approx(np.log(expected).sum())
    assert score(sample, Params(*(a[None] for a in PARAMS))).log_lik[0] == pytest.approx(
        np.log(expected).sum(), rel=1e-13
    )


def test_true_value_lies_between_measurement_and_mean():
    mean, sd = mixture.true_value_given(
        [0.0], Params(np.ones(1), np.array([2.0]), np.array([3.0])), [4.0]
    )
    np.testing.assert_allclose(mean, 2.0 - 2.0 * 9 / 25)
    np.testing.assert_allclose(sd**2, 1 / (1 / 9 + 1 / 16))


@pytest.mark.parametrize("sds", [PARAMS.sigma, np.array([1e-100, np.inf, 1.0])])
def test_a_tile_without_errors_is_todays(sds):
    v = np.linspace(-3.0, 3.0, 101)
    params = PARAMS._replace(sigma=sds)
    found = []
    for s in (np.zeros(v.size), None):
        e, top = np.empty((3, v.size)), np.empty(v.size)
        if s is None:
            joint_tile(v, *params, e, top)
        else:
            any_joint_tile(v, s, *params, e, top)
        found.append((e, top))
    np.testing.assert_allclose(*(a[0] for a in found), rtol=1e-12)
    np.testing.assert_allclose(*(a[1] for a in found), rtol=1e-14)


def test_prob_empty_counts_measured_values():
    sample = Sample.of(Y, errors=S)
    r = mixture.responsibilities(sample.y, PARAMS, sample.y_errors)
    none = [(1 - r[:, list(k)].sum(axis=1)).prod() for k in ([0], [1], [2], [0, 1], [0, 2], [1, 2])]
    expected = sum(none[:3]) - sum(none[3:])
    found = score(sample, Params(*(a[None] for a in PARAMS))).prob_empty[0]
    assert found == pytest.approx(expected, rel=1e-9)


def test_bad_errors():
    for errors, message in (([1.0], "one for each"), (np.full(7, -1.0), "is -1"), ("x", "numbers")):
        with pytest.raises(InputError, match=message):
            Sample.of(Y, errors=errors)

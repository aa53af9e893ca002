"""`Sample`: ties, moments of values near 1e12, and standardising without a trace."""

from __future__ import annotations

import hashlib
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmmcompare.model.sample import Origin, Sample, Standardisation
from gmmcompare.runtime.errors import InputError

FAR = 1e12
observations = st.lists(
    st.one_of(st.integers(-20, 20).map(lambda i: i / 4), st.floats(-1e6, 1e6)),
    min_size=1,
    max_size=60,
)


def test_ties_are_counted():
    sample = Sample.of([2.0, -1.0, 2.0, 0.5, 2.0, -1.0])
    np.testing.assert_array_equal(sample.values, [-1.0, 0.5, 2.0])
    np.testing.assert_array_equal(sample.counts, [2, 1, 3])
    assert np.issubdtype(sample.counts.dtype, np.integer)
    assert Sample.of(np.zeros(100_000)).n == 100_000
    assert (sample.n, sample.n_distinct) == (6, 3)
    np.testing.assert_array_equal(sample.y, [-1.0, -1.0, 0.5, 2.0, 2.0, 2.0])


@given(observations)
def test_a_sample_is_the_observations_in_ascending_order(y):
    sample = Sample.of(y)
    np.testing.assert_array_equal(sample.y, np.sort(y))
    assert (np.diff(sample.values) > 0).all()
    exact = sum(map(Fraction, y)) / len(y)
    spread = sum((Fraction(v) - exact) ** 2 for v in y) / len(y)
    # Sums of up to 60 terms of the size of the largest value: 100 roundings at most.
    size = max(map(abs, y))
    assert sample.mean == pytest.approx(float(exact), rel=0, abs=1e-14 * size)
    assert sample.sd == pytest.approx(float(spread) ** 0.5, rel=1e-12, abs=2e-14 * size)


@given(observations, st.permutations(range(60)))
def test_the_order_of_the_observations_means_nothing(y, order):
    shuffled = [y[i] for i in order if i < len(y)]
    assert Sample.of(y) == Sample.of(shuffled)
    assert hash(Sample.of(y)) == hash(Sample.of(shuffled))


@given(observations, st.lists(st.floats(0.0, 1.0), min_size=1, max_size=9))
def test_quantiles_are_those_of_numpy_without_interpolation(y, q):
    np.testing.assert_array_equal(
        Sample.of(y).quantiles(q), np.quantile(y, q, method="inverted_cdf")
    )


def test_moments_of_values_near_1e12():
    """Every digit of a sum of squares would be lost: 1e12 squared is 1e24, the variance 1e-4."""
    offsets = np.array([0, 1, 1, 3, 7, 7, 7, 20]) / 1024  # exact beside 1e12
    near, far = Sample.of(offsets), Sample.of(FAR + offsets)
    assert far.mean - FAR == pytest.approx(near.mean, abs=2e-4)  # the spacing of doubles there
    assert far.sd == pytest.approx(near.sd, rel=1e-3)
    assert far.sd > 0
    assert Sample.of(np.full(7, FAR)).sd == 0.0
    assert Sample.of(np.full(7, 0.1)).sd == 0.0
    assert Sample.of(np.full(7, 0.1)).mean == 0.1


def test_the_fingerprint_is_that_of_values_and_counts():
    sample = Sample.of([1.5, -2.0, 1.5])
    content = np.array([-2.0, 1.5]).tobytes() + np.array([1, 2]).tobytes()
    assert sample.fingerprint == hashlib.sha256(content).hexdigest()
    assert sample.origin.sha256 == sample.fingerprint
    others = ([1.5, -2.0], [1.5, -2.0, -2.0], [1.5, -2.0, np.nextafter(1.5, 2)])
    assert all(Sample.of(y).fingerprint != sample.fingerprint for y in others)
    assert sample != "sample"


def test_minus_zero_is_zero():
    sample = Sample.of([0.0, -0.0, 1.0])
    assert not np.signbit(sample.values[0])
    assert sample.counts.tolist() == [2, 1]
    assert Sample.of([-0.0, 1.0]) == Sample.of([0.0, 1.0])


def test_the_origin_is_kept_and_is_no_part_of_the_data():
    origin = Origin(name="galaxies", source="a paper", n_missing=3, sha256="abc", label="km/s")
    sample = Sample.of([1.0, 2.0], origin)
    assert sample.origin == origin
    assert sample == Sample.of([1.0, 2.0])
    assert Standardisation.of(sample).apply(sample).origin == origin


@pytest.mark.parametrize(
    ("y", "says"),
    [
        ([], r"one non-empty column, found shape \(0,\)"),
        ([[1.0, 2.0]], r"found shape \(1, 2\)"),
        (3.0, r"found shape \(\)"),
        (["a", "b"], "must be numbers"),
        ([1.0, None, 2.0], "observation 2 is nan: drop missing"),
        ([1.0, 2.0, np.inf], "observation 3 is inf"),
    ],
)
def test_bad_observations_are_explained(y, says):
    with pytest.raises(InputError, match=says):
        Sample.of(y)


@pytest.mark.parametrize("shift", [0.0, -3.25, FAR])
@pytest.mark.parametrize("factor", [1.0, 2.0**-40, 2.0**40])
def test_scaling_by_a_power_of_two_rounds_nothing(shift, factor):
    y = (shift + np.arange(9.0) ** 2) * factor
    sample = Sample.of(y)
    unit = Standardisation.of(sample)
    assert np.frexp(unit.scale)[0] == 0.5
    assert 0.7 <= sample.sd / unit.scale <= 1.42
    applied = unit.apply(sample)
    np.testing.assert_array_equal(applied.counts, sample.counts)
    np.testing.assert_array_equal(applied.values * unit.scale, sample.values - unit.shift)
    np.testing.assert_array_equal(applied.values * unit.scale + unit.shift, sample.values)
    assert abs(applied.mean) < 1e-4
    assert 0.7 <= applied.sd <= 1.42


def test_equal_values_are_centred_and_not_scaled():
    sample = Sample.of([FAR, FAR])
    unit = Standardisation.of(sample)
    assert unit == Standardisation(FAR, 1.0)
    np.testing.assert_array_equal(unit.apply(sample).values, [0.0])

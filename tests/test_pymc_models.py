"""The kernels of ten models: a correct one leaves the posterior as it is, a wrong one does not."""

import numpy as np
import pytest

from gmmcompare.model.from_pymc import PyMCModel
from gmmcompare.model.points import flat, joined, mapped, one_of
from tests.pymc_models import MODELS, SWEEPS, WRONG_SWEEPS

pytestmark = pytest.mark.slow

REPLICATES, LENGTH = 2000, 10
BOUND = 6.0  # of |z|: exceeded by one of some 300 correct statistics with probability 1e-6


def largest_z(name, sweep):
    """Move draws of parameters by a kernel, each given its own data, and compare both.

    The pairs (theta, y) are draws from the joint distribution before and, if the kernel leaves the
    posterior invariant, after. Differences of bounded functions of them therefore have mean zero.
    """
    rng = np.random.default_rng(8)
    model = PyMCModel(MODELS[name](), name)
    theta = model.draw_prior(REPLICATES, rng)
    y = model.draw_data(theta, rng)
    points = []
    for i in range(REPLICATES):
        point, data = one_of(theta, i), one_of(y, i)
        for _ in range(LENGTH):
            point = sweep(point, data, rng)
        points.append(mapped(lambda a: np.asarray(a)[None], point))
    moved = joined(points)
    before, after = functions(model, theta, y, theta, y), functions(model, moved, y, theta, y)
    difference = after - before
    error = difference.std(axis=0) / np.sqrt(REPLICATES)
    return np.abs(difference.mean(axis=0) / np.maximum(error, 1e-12)).max()


def functions(model, theta, y, reference, reference_y):
    """Return bounded functions of points and data, shape (n, functions)."""

    def table(t, d):
        fit = model.log_likelihood(t, d)[:, None]
        return np.hstack([flat(t).astype(float), fit, model.log_prior(t)[:, None]])

    low, middle, high = np.quantile(table(reference, reference_y), [0.16, 0.5, 0.84], axis=0)
    squashed = np.arctan((table(theta, y) - middle) / (0.5 * (high - low)))
    first = flat(y).astype(float)
    summary = np.arctan((first - first.mean(axis=0)) / first.std(axis=0)).mean(axis=1)
    fit = squashed[:, [-2]]
    return np.hstack([squashed, squashed**2, squashed * summary[:, None], squashed[:, :-2] * fit])


@pytest.mark.parametrize("name", SWEEPS)
def test_a_correct_sweep_leaves_the_posterior_as_it_is(name):
    assert largest_z(name, SWEEPS[name]) < BOUND


@pytest.mark.parametrize("name", WRONG_SWEEPS)
def test_a_wrong_sweep_does_not(name):
    assert largest_z(name, WRONG_SWEEPS[name]) > BOUND

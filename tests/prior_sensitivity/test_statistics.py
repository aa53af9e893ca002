"""Power-scaling against changed priors, and shifts against known ones."""

from __future__ import annotations

import numpy as np
import pytest
from evidence import make_evidence

import gmmcompare as gc
from gmmcompare.comparison.diagnostics import power_scaling
from gmmcompare.model.params import Params
from gmmcompare.prior_sensitivity.statistics import changes, log_parts, shifts
from gmmcompare.runtime.errors import InputError

PRIORS = gc.Priors([1.0, 2.5], [0.0, 1.0], [2.0, 3.0], [2.0, 0.5], [1.0, 0.3])


def draws_of(seed: int, n: int = 6) -> Params:
    rng = np.random.default_rng(seed)
    drawn = [PRIORS.sample(rng, 2) for _ in range(n)]
    return Params(*(np.stack(a)[None] for a in zip(*drawn, strict=True)))


def same_but_for_a_constant(a: np.ndarray, b: np.ndarray) -> bool:
    return np.allclose(a - a.flat[0], b - b.flat[0], rtol=1e-9, atol=1e-9)


def test_the_parts_are_the_prior_in_unconstrained_coordinates() -> None:
    draws = draws_of(1)
    parts = log_parts(PRIORS, draws, np.zeros((1, 6)))
    jacobian = np.log(draws.w).sum(-1) + 2 * np.log(draws.sigma).sum(-1)
    expected = PRIORS.log_density(draws) + jacobian
    total = parts["weights"] + parts["means"] + parts["variances"]
    assert same_but_for_a_constant(total, expected)


@pytest.mark.parametrize("alpha", [0.5, 1.3])
def test_a_power_of_a_prior_is_the_prior_with_scaled_hyperparameters(alpha: float) -> None:
    c, m0, s0, a, b = (np.asarray(v) for v in PRIORS.to_dict().values())
    scaled = gc.Priors(alpha * c, m0, s0 / np.sqrt(alpha), alpha * a, alpha * b)
    draws, none = draws_of(2), np.zeros((1, 6))
    before, after = log_parts(PRIORS, draws, none), log_parts(scaled, draws, none)
    for part in ("weights", "means", "variances"):
        assert same_but_for_a_constant(after[part], alpha * before[part])


def test_what_exceeds_every_float_stands_at_its_expectation() -> None:
    draws = Params(*(np.array([[x]]) for x in ([1.0, 0.0], [0.0, 0.0], [np.inf, 1.0])))
    parts = log_parts(PRIORS, draws, np.zeros((1, 1)))
    largest, tiny = np.log(np.finfo(float).max), np.log(np.finfo(float).tiny)
    # a times the mean of an exponential of rate a is 1; likewise for the weight's concentration.
    assert parts["variances"] == pytest.approx(-2.0 * 2 * largest - 1 - 0.3)
    assert parts["weights"] == pytest.approx(2.5 * tiny - 1)


def test_power_scaling_is_blind_to_increasing_functions() -> None:
    x = np.random.default_rng(3).normal(size=(4, 500))
    huge = np.where(x > 1, np.inf, np.exp(np.minimum(x, 1)))
    tied = np.minimum(x, 1)
    found = power_scaling({"x": x, "exp": np.exp(x), "huge": huge, "tied": tied}, {"p": -(x**2)})
    assert found["exp"]["p"] == pytest.approx(found["x"]["p"], rel=1e-12)
    assert found["huge"]["p"] == pytest.approx(found["tied"]["p"], rel=1e-12)


def test_power_scaling_tells_a_factor_that_matters_from_one_that_does_not() -> None:
    """The whole of a normal posterior's log density has 0.087; an unrelated factor, noise.

    That noise is of the order of 1 / sqrt(8000), a fifth of the threshold of 0.05.
    """
    rng = np.random.default_rng(4)
    x, other = rng.normal(size=(2, 4, 2000))
    values = {"x": x, "constant": np.ones_like(x)}
    found = power_scaling(values, {"whole": -0.5 * x**2, "other": -0.5 * other**2})
    assert found["x"]["whole"] > 0.05 > found["x"]["other"]
    assert np.isnan(found["constant"]["whole"])


def test_changes_halve_and_double_and_move_the_location() -> None:
    found = {c.name: c for c in changes(gc.Priors(mean_loc=1.0, mean_sd=3.0))}
    assert len(found) == 10
    assert found["var_shape-halved"].priors.var_shape == 0.5e-4
    assert found["weight_concentration-doubled"].priors.weight_concentration == 2.0
    assert found["mean_loc-lowered"].priors.mean_loc == -0.5
    assert found["mean_loc-raised"].priors.mean_loc == 2.5
    changed = found["mean_sd-halved"].priors.to_dict()
    assert changed == {**gc.Priors(mean_loc=1.0, mean_sd=3.0).to_dict(), "mean_sd": 1.5}


def test_changes_of_one_hyperparameter_per_component_by_another_factor() -> None:
    found = {c.name: c for c in changes(PRIORS, 10.0)}
    assert found["var_scale-divided-by-10"].priors.to_dict()["var_scale"] == [0.1, 0.03]
    assert found["var_shape-times-10"].priors.to_dict()["var_shape"] == [20.0, 5.0]
    assert found["mean_loc-lowered"].priors.to_dict()["mean_loc"] == pytest.approx([-1.8, -1.7])


@pytest.mark.parametrize("factor", [1.0, 0.5, float("nan")])
def test_a_factor_that_changes_nothing_is_refused(factor: float) -> None:
    with pytest.raises(InputError, match="must be above 1"):
        changes(gc.Priors(), factor)


def test_equal_posteriors_stay_and_a_shifted_quantity_moves() -> None:
    """The bound of the smallest shift is 0.1; 10,000 draws leave 0.014 of Monte Carlo error."""
    base = make_evidence("gibbs", 1)
    same = {s.name: s for s in shifts(base, make_evidence("gibbs", 2), 10)}
    assert {s.status for s in same.values()} == {"stays"}
    moved = {s.name: s for s in shifts(base, make_evidence("gibbs", 3, shift=-0.3), 10)}
    assert [s.name for s in moved.values() if s.status == "moves"] == ["mu[1]"]
    assert moved["mu[1]"].location == pytest.approx(-0.3, abs=6 * moved["mu[1]"].error)


def test_too_few_draws_leave_it_open() -> None:
    found = shifts(make_evidence("gibbs", 1, draws=100), make_evidence("gibbs", 2, draws=100), 10)
    assert {s.status for s in found} == {"open"}


def test_quantities_that_never_vary_are_left_out() -> None:
    base = make_evidence("gibbs", 1)
    for functional in base.functionals:
        if functional.name == "mean":
            functional.values[:] = 0.0
    assert "mean" not in {s.name for s in shifts(base, base, 10)}

"""Samplers of the number of components against exact answers, and the plain against the fast."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import f

from gmmcompare.engines.components import ComponentsDraws, ComponentsProblem, Lengths
from gmmcompare.engines.dirichlet_process import engine as dirichlet_process
from gmmcompare.engines.reversible_jump import engine as reversible_jump_engine
from gmmcompare.engines.telescoping import engine as telescoping_engine
from gmmcompare.model.exact import exact_components, exact_dirichlet_process
from gmmcompare.model.params import Array
from gmmcompare.model.prior_on_k import PriorOnK
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample

ALPHA = 1e-6  # false-positive rate of each test, over all its comparisons
MAX_K = 6
CASES = {
    "two groups": ((-1.3, -0.9, -1.05, 0.8, 1.4, 1.0), Priors(1.0, 0.0, 2.0, 3.0, 2.0), False),
    "dynamic": ((-1.3, -0.9, -1.05, 0.8, 1.4, 1.0), Priors(2.5, 0.5, 2.0, 3.0, 1.0), True),
    "ties": ((0.4, -1.1, 0.4, 2.0, 0.4), Priors(0.7, 0.0, 2.0, 3.0, 2.0), False),
    "outlier": ((0.0, 0.3, -0.2, 6.0), Priors(2.0, 1.0, 3.0, 2.0, 1.0), False),
    "units": ((1020.0, 1030.0, 990.0, 1100.0, 900.0), Priors(1.0, 1e3, 50.0, 3.0, 900.0), False),
}
SAMPLERS: dict[str, Callable[..., ComponentsDraws]] = {
    "telescoping": telescoping_engine.run,
    "reversible jump": reversible_jump_engine.run,
}


def problem_of(case: str) -> ComponentsProblem:
    y, priors, dynamic = CASES[case]
    return ComponentsProblem(Sample.of(y), priors, PriorOnK.of("poisson(2)", MAX_K), dynamic)


def chi_square(chains: Array, expected: Array) -> float:
    """Return the p-value of Hotelling's test that indicators have these means, chains (C, n)."""
    values = [j for j, p in enumerate(expected) if p > 1e-3][:-1]
    batches = np.concatenate([np.array_split(chain, 25) for chain in chains])
    means = np.array([[np.mean(batch == j) for j in values] for batch in batches])
    off = means.mean(axis=0) - expected[values]
    n, m = means.shape
    t2 = n * off @ np.linalg.solve(np.atleast_2d(np.cov(means.T)), off)
    return float(f.sf(t2 * (n - m) / (m * (n - 1)), m, n - m))


@pytest.mark.parametrize(
    "case",
    [
        "two groups",
        *(pytest.param(c, marks=pytest.mark.slow) for c in CASES if c != "two groups"),
    ],
)
@pytest.mark.parametrize("name", SAMPLERS)
def test_draws_of_k_and_of_the_occupied_are_those_of_the_exact_posterior(
    name: str, case: str
) -> None:
    problem = problem_of(case)
    y, priors, dynamic = CASES[case]
    exact = exact_components(y, priors, "poisson(2)", MAX_K, dynamic)
    draws = SAMPLERS[name](problem, 1, Lengths(4, 500, 25_000))
    assert chi_square(draws.K, np.append(0.0, exact.prob)) > ALPHA / 2
    assert chi_square(draws.n_occupied, exact.prob_occupied) > ALPHA / 2
    _check_padding(draws)


def _check_padding(draws: ComponentsDraws) -> None:
    used = np.arange(MAX_K) < draws.K[..., None]
    for values in draws.params:
        assert (np.isfinite(values) == used).all()
    np.testing.assert_allclose(np.nansum(draws.params.w, axis=-1), 1.0)
    assert (draws.n_occupied <= draws.K).all()


@pytest.mark.parametrize(
    ("case", "alpha"),
    [
        ("two groups", 0.5),
        pytest.param("outlier", 2.0, marks=pytest.mark.slow),
    ],
)
def test_a_dirichlet_process_occupies_as_many_clusters_as_the_exact_sum_says(
    case: str, alpha: float
) -> None:
    y, priors, _ = CASES[case]
    exact = exact_dirichlet_process(y, priors, alpha)
    draws = dirichlet_process.run(problem_of(case), alpha, 1, Lengths(4, 500, 25_000))
    assert chi_square(draws.n_occupied, exact.prob_occupied) > ALPHA


@pytest.mark.parametrize("dynamic", [False, True])
def test_the_plain_telescoping_sampler_makes_the_draws_of_the_compiled_one(dynamic: bool) -> None:
    y = np.repeat([-1.3, -0.9, 0.8, 1.4, 1.0], [1, 3, 1, 2, 1])
    priors = Priors(0.7, 0.0, 2.0, 3.0, 0.5)
    problem = ComponentsProblem(Sample.of(y), priors, PriorOnK.of("uniform", 7), dynamic)
    fast, plain = (
        telescoping_engine.run(problem, 1, Lengths(3, 20, 200), compiled=compiled)
        for compiled in (True, False)
    )
    np.testing.assert_array_equal(fast.K, plain.K)
    np.testing.assert_array_equal(fast.n_occupied, plain.n_occupied)
    assert np.unique(fast.K).size > 4
    for one, other in zip(fast.params, plain.params, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_third_sweep_is_kept_and_no_other(name: str) -> None:
    problem = problem_of("ties")
    every, third = (SAMPLERS[name](problem, 1, Lengths(2, 10, 60 // e, e)) for e in (1, 3))
    np.testing.assert_array_equal(every.K[:, ::3], third.K)
    np.testing.assert_array_equal(every.params.mu[:, ::3], third.params.mu)


def test_draws_are_read_by_arviz() -> None:
    draws = telescoping_engine.run(problem_of("ties"), 1, Lengths(2, 10, 50))
    posterior = draws.tree().posterior
    assert posterior.sizes == {"chain": 2, "draw": 50, "component": MAX_K}
    np.testing.assert_array_equal(posterior["K"], draws.K)
    assert int(posterior["w"].notnull().sum()) == draws.K.sum()


def test_one_component_only() -> None:
    problem = ComponentsProblem(Sample.of([0.0, 1.0]), Priors(), PriorOnK.of("uniform", 1))
    for run in SAMPLERS.values():
        assert (run(problem, 1, Lengths(2, 5, 20)).K == 1).all()

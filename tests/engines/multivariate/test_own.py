"""A user's own kernel or sampler for vectors, as an engine."""

from __future__ import annotations

import numpy as np
import pytest
from typer.testing import CliRunner

import gmmcompare as gc
from gmmcompare.cli import app
from gmmcompare.engines.base import Draws, Problem
from gmmcompare.engines.multivariate import plain
from gmmcompare.engines.own import OwnEngine
from gmmcompare.model.card import SamplerSettings
from gmmcompare.model.multivariate.density import simulate
from gmmcompare.model.multivariate.sample import VectorSample
from gmmcompare.runtime.errors import EngineError, InputError
from gmmcompare.runtime.progress import no_progress

TRUE = gc.MultivariateParams.of(
    [0.6, 0.4], [[0.0, 0.0], [4.0, 1.0]], [np.eye(2), [[1.0, 0.4], [0.4, 0.5]]]
)
PRIORS = gc.MultivariatePriors(1.0, 0.0, 9.0 * np.eye(2), 4, np.eye(2))
SHORT = SamplerSettings(chains=2, warmup=5, draws=20)
PROBLEM = Problem(VectorSample.of(simulate(TRUE, 60, np.random.default_rng(0))[0]), 2, PRIORS)


def run(function) -> Draws:
    return OwnEngine("mine", function, SHORT, family="multivariate").run(PROBLEM, 1, no_progress)


def sampler(y, K, priors, draws, warmup, chains, rng):
    shape = chains, draws
    jitter = 1.0 + 0.01 * rng.random((*shape, 1, 1))
    return {
        "w": np.broadcast_to(TRUE.w, (*shape, K)),
        "mu": TRUE.mu * jitter,
        "cov": TRUE.cov * jitter[..., None],
    }


def test_a_kernel_of_vectors_is_run():
    found = run(plain.sweep).params
    assert [a.shape for a in found] == [(2, 20, 2), (2, 20, 2, 2), (2, 20, 2, 2, 2)]
    assert found.problem() == ""
    assert np.ptp(found.mu, axis=1).min() > 0


def test_a_whole_sampler_of_vectors_is_run():
    np.testing.assert_allclose(run(sampler).params.w.mean(axis=(0, 1)), TRUE.w)


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (
            lambda w, mu, cov, y, priors, rng: (w, mu, cov[0]),
            r"returned shapes \(2,\), \(2, 2\), \(2, 2\); return \(w, mu, cov\), of shapes",
        ),
        (lambda w, mu, cov, y, priors, rng: 1, r"returned int; return the new \(w, mu, cov\)"),
        (lambda w, mu, cov, y, priors, rng: (w, mu, -cov), "cov must be positive definite"),
        (
            lambda **given: {"w": TRUE.w, "mu": TRUE.mu},
            "returned no cov; keys are w, mu, wanted w, mu, cov",
        ),
        (
            lambda **given: {"w": TRUE.w, "mu": TRUE.w, "cov": TRUE.cov},
            r"shapes differ: w \(2,\), mu \(2,\), cov \(2, 2, 2\)",
        ),
    ],
)
def test_what_is_wrong_is_said(function, says):
    def whole(y, K, priors, draws, warmup, chains, rng):
        return function()

    is_kernel = function.__code__.co_argcount == 6
    with pytest.raises(EngineError, match=says):
        run(function if is_kernel else whole)


def test_a_kernel_of_one_dimension_is_refused():
    with pytest.raises(InputError, match=r"data have several columns here: y is \(N, d\)"):
        run(lambda w, mu, sigma, y, priors, rng: (w, mu, sigma))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("factor", "verdict"), [(1.0, ("agree", "inconclusive")), (0.8, ("disagree",))]
)
def test_it_is_compared(factor, verdict):
    """A correct kernel disagrees with probability at most 1e-6: a difference is confirmed."""

    def mine(w, mu, cov, y, priors, rng):
        w, mu, cov = plain.sweep(w, mu, cov, y, priors, rng)
        return w, mu, factor * cov

    card = gc.load_card("faithful-k2").changed({"engines.custom.draws": 1000})
    assert gc.compare([gc.fit(card, "gibbs"), gc.fit(card, mine)]).verdict in verdict


def test_one_fit_is_shown_and_settle_is_refused(tmp_path):
    arguments = ["faithful-k2", "--out", str(tmp_path)]
    shown = CliRunner().invoke(app, ["fit", *arguments, "--engine", "em"])
    assert (shown.exit_code, "log-likelihood" in shown.output) == (0, True)
    refused = CliRunner().invoke(app, ["compare", *arguments, "--engines", "em", "--settle"])
    assert refused.exit_code == 2
    assert "--settle: is for data of one column" in refused.output

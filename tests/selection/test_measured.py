"""Choosing K where values were measured with errors: each criterion against an exact answer."""

from __future__ import annotations

import numpy as np
import pytest

from gmmcompare.model.exact import exact_posterior
from gmmcompare.model.mixture import log_likelihood, simulate
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample
from gmmcompare.selection import left_out
from gmmcompare.selection.evidence import log_evidence
from gmmcompare.selection.left_out import Refits
from gmmcompare.selection.loo import loo
from gmmcompare.selection.predictive import bin_edges, predictive_check

Y = np.array([-1.3, -0.9, -1.05, 0.8, 1.4, 1.0, 5.0])
S = np.array([0.4, 0.2, 0.9, 0.3, 0.05, 0.6, 0.5])
PRIORS = Priors(1.0, 0.3, 2.0, 3.0, 0.5)
SAMPLE = Sample.of(Y, errors=S)


def draws_of(rng: np.random.Generator) -> Params:
    drawn = exact_posterior(Y, 2, PRIORS, errors=S).sample(8000, rng)
    return Params(*(a.reshape(4, 2000, 2) for a in drawn))


def exact_elpd_i() -> Array:
    """Each value's density given the others is a ratio of two evidences."""
    whole = exact_posterior(Y, 2, PRIORS, errors=S).log_evidence
    order = np.lexsort((S, Y))
    rest = (np.delete(np.arange(Y.size), i) for i in order)
    without = [exact_posterior(Y[i], 2, PRIORS, errors=S[i]).log_evidence for i in rest]
    return whole - np.array(without)


@pytest.mark.slow
def test_the_evidence_is_exact() -> None:
    """Within 6 standard errors (2e-9), which are small enough for a mistake to show."""
    rng = np.random.default_rng(3)
    found = log_evidence(draws_of(rng), SAMPLE, PRIORS, rng)
    exact = exact_posterior(Y, 2, PRIORS, errors=S).log_evidence
    assert found.se < 0.03
    assert abs(found.value - exact) < 6 * found.se
    ignored = exact_posterior(Y, 2, PRIORS).log_evidence
    assert abs(ignored - exact) > 60 * found.se


@pytest.mark.slow
def test_a_value_is_left_out_with_its_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """All values: exactly, and by Gibbs as of more than 16; within 6 errors (2e-9 each)."""
    rng, exact = np.random.default_rng(4), exact_elpd_i()
    draws = draws_of(rng)
    refits = Refits.of(draws, SAMPLE, PRIORS, 5)
    found = loo(draws, log_likelihood(SAMPLE, draws), SAMPLE, refits)
    again = np.isfinite(found.error_i)
    np.testing.assert_allclose(found.elpd_i[again], exact[again], atol=1e-9)
    assert abs(found.elpd - exact.sum()) < 6 * found.mcse + 1e-9
    monkeypatch.setattr(left_out, "MAX_OBSERVATIONS", 0)
    for i in (0, 3, 6):
        one = refits.without(i)
        assert abs(one.log_density - exact[i]) < 6 * one.error
        assert one.error < 0.5  # of the outlier, at e**-9, 0.38
        rest = np.delete(np.arange(Y.size), np.lexsort((S, Y))[i])
        posterior = exact_posterior(Y[rest], 2, PRIORS, errors=S[rest])
        below = predicted_below(posterior.sample(20_000, rng), i)
        assert abs(one.pit - below) < 0.02  # 500 effective draws of numbers within 0.1


def predicted_below(draws: Params, i: int) -> float:
    """Return the probability of a measurement below value i, by simulation of 20,000."""
    rng = np.random.default_rng(6)
    k = (rng.random(len(draws.w)) > draws.w[:, 0]).astype(int)
    at = np.arange(k.size), k
    wide = np.hypot(draws.sigma[at], SAMPLE.s[i])
    return float((rng.normal(draws.mu[at], wide) < SAMPLE.values[i]).mean())


def test_replicates_are_measured_like_the_data() -> None:
    """Data of the draws themselves: 40 p values are uniform, mean within 5 sd (6e-7)."""
    rng, shape = np.random.default_rng(2), (1, 200, 2)
    draws = Params(np.full(shape, 0.5), np.tile([-2.0, 2.0], (1, 200, 1)), np.full(shape, 0.3))
    point = Params(*(a[0, 0] for a in draws))
    s = 0.3 * np.exp(rng.standard_normal(300))
    p = []
    for _ in range(40):
        y = simulate(point, 300, rng)[0] + s * rng.standard_normal(300)
        sample = Sample.of(y, errors=s)
        p.append(predictive_check(draws, sample, bin_edges(sample), rng).p)
    assert abs(np.mean(p) - 0.5) < 5 * (1 / 12 / 40) ** 0.5

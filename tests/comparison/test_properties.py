"""What must not matter to a verdict: labels, the order of the data, their place and their unit.

Draws of the transformed problem are the transformed draws, so verdicts must be equal and numbers
equal up to rounding. The log-likelihood is summed over components in the engine's order, so it may
differ in its last bits.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from gmmcompare.comparison.comparison import Comparison, compare_fits
from gmmcompare.engines.base import Draws, Point, Problem, Seconds, no_progress
from gmmcompare.engines.em.engine import EmEngine
from gmmcompare.engines.gibbs.engine import GibbsEngine
from gmmcompare.fitting.fit import build_fit
from gmmcompare.model.card import EmSettings, GibbsSettings
from gmmcompare.model.params import Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample
from gmmcompare.runtime.files import to_json

Y = np.round(np.random.default_rng(1).normal(np.repeat([0.0, 4.0, 5.0], [60, 40, 20]), 1.0), 1)
PRIORS = Priors(weight_concentration=2.0, mean_loc=1.0, mean_sd=5.0, var_shape=3.0, var_scale=2.0)
PROBLEM = Problem(Sample.of(Y), 2, PRIORS)
# An example takes about a second, so a failing one is shown as it is found.
PLAIN = {"derandomize": True, "phases": (Phase.explicit, Phase.generate)}


class Given:
    """An engine that returns what it was given."""

    def __init__(self, name: str, params: Params) -> None:
        self.name, self.settings, self._params = name, {}, params

    def run(self, problem, seed, progress):
        make = Point if self._params.w.ndim == 1 else Draws
        return make(self._params, Seconds(0.0, 0.0))


@lru_cache
def original() -> dict[str, Params]:
    """Return an EM fit, and draws of two engines that agree and one that does not."""
    found = {"em": EmEngine(EmSettings(starts=5, objective="map")).run(PROBLEM, 1, no_progress)}
    for name, seed in (("one", 1), ("two", 2)):
        engine = GibbsEngine(GibbsSettings(chains=4, warmup=300, draws=3000))
        found[name] = engine.run(PROBLEM, seed, no_progress)
    params = {name: result.params for name, result in found.items()}
    w, mu, sigma = params["two"]
    return {**params, "wrong": Params(w, mu + 0.5 * mu.std(axis=(0, 1)), sigma)}


def compared(draws: dict[str, Params], problem: Problem = PROBLEM) -> Comparison:
    fits = []
    for name, params in draws.items():
        engine = Given(name, params)
        fits.append(build_fit(engine, problem, 1, engine.run(problem, 1, no_progress)))
    return compare_fits(fits)


@lru_cache
def expected() -> Comparison:
    found = compared(original())
    assert {p.verdict for p in found.pairs} >= {"disagree", "inconclusive"}
    return found


def assert_same(found: Comparison, rtol: float = 1e-6) -> None:
    """Compare verdicts, and everything that is free of units."""
    assert found.verdict == expected().verdict
    assert found.suspects == expected().suspects
    for one, other in zip(found.pairs, expected().pairs, strict=True):
        assert (one.a, one.b, one.verdict, one.suspect, one.rounds) == (
            other.a,
            other.b,
            other.verdict,
            other.suspect,
            other.rounds,
        )
        for name, number in one.numbers.items():
            if name not in ("log_lik_gap", "density_gap"):
                assert number == pytest.approx(other.numbers[name], rel=rtol)
        for f, g in zip(one.functionals, other.functionals, strict=True):
            assert (f.name, f.statistic, f.label_free) == (g.name, g.statistic, g.label_free)
            np.testing.assert_allclose(
                [f.diff, f.se, f.p, f.mdd, f.bound],
                [g.diff, g.se, g.p, g.mdd, g.bound],
                rtol=rtol,
                atol=rtol,
            )


@settings(max_examples=4, **PLAIN)
@given(st.integers(0, 2**32 - 1), st.booleans())
@pytest.mark.slow
def test_labels_do_not_matter(seed, draw_by_draw):
    rng = np.random.default_rng(seed)
    mixed = {}
    for name, params in original().items():
        labels = np.broadcast_to(np.arange(2), params.w.shape)
        swap = rng.random(params.w.shape[:-1] if draw_by_draw else ()) < 0.5
        labels = np.where(swap[..., None], labels[..., ::-1], labels)
        mixed[name] = Params(*(np.take_along_axis(a, labels, axis=-1) for a in params))
    found = compared(mixed)
    assert_same(found)
    for name, alignment in found.alignments.items():  # and the components are the same ones
        for one, other in zip(alignment.params, expected().alignments[name].params, strict=True):
            np.testing.assert_array_equal(one, other)


@settings(max_examples=2, **PLAIN)
@given(st.permutations(range(Y.size)))
@pytest.mark.slow
def test_the_order_of_the_data_does_not_matter(order):
    problem = Problem(Sample.of(Y[list(order)]), 2, PRIORS)
    found = compared(original(), problem)
    assert to_json(found.to_dict()) == to_json(expected().to_dict())


@settings(max_examples=4, **PLAIN)
@given(st.integers(-50, 50), st.integers(-10, 10))
@pytest.mark.slow
def test_place_and_unit_do_not_matter(shift, log2_scale):
    # Exact in binary, so that no two draws change places in a ranking.
    scale = 2.0**log2_scale
    problem = Problem(Sample.of((Y - shift) / scale), 2, PRIORS.transformed(float(shift), scale))
    moved = {
        name: Params(p.w, (p.mu - shift) / scale, p.sigma / scale) for name, p in original().items()
    }
    found = compared(moved, problem)
    assert_same(found)
    for name, fit in found.fits.items():
        # The log-likelihood is a density's: it gains N log(scale) and nothing else.
        np.testing.assert_allclose(
            fit.stat("log_lik") - Y.size * np.log(scale),
            expected().fits[name].stat("log_lik"),
            rtol=1e-9,
        )
    one, other = found.distances["one", "wrong"], expected().distances["one", "wrong"]
    assert one.total_variation == pytest.approx(other.total_variation, rel=1e-6)
    assert one.kl_ab == pytest.approx(other.kl_ab, rel=1e-5, abs=1e-12)

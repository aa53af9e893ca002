"""Priors that differ by component say which is which, and a verdict must not undo that.

Engines are independent draws from the exact posterior, so that the truth is known; 10,000 of them
leave standard errors of 0.014 sd. Seeds are fixed and were not chosen.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import gmmcompare as gc
from gmmcompare.comparison.comparison import Comparison
from gmmcompare.comparison.labels import Reference, align, permuted
from gmmcompare.comparison.reasons import Code
from gmmcompare.fitting.fit import Fit, load_fit
from gmmcompare.model.params import Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample
from gmmcompare.runtime.errors import InputError

Y = (-1.3, -0.9, -1.05, 0.8, 1.4, 1.0, 0.2, 1.9, -0.4, 2.3, -2.0, 0.9)
SAMPLE = Sample.of(Y)
PRIORS = {
    "means": Priors(2.0, [-1.0, 1.5], 0.7, 3.0, 2.0),
    "weights": Priors([8.0, 1.0], 0.0, 1.5, 3.0, 2.0),
    "mean sds": Priors(2.0, 0.0, [0.3, 3.0], 3.0, 2.0),
    "variances": Priors(2.0, 0.0, 1.5, 3.0, [0.3, 6.0]),
    "shapes": Priors(2.0, 0.0, 1.5, [3.0, 12.0], [0.5, 12.0]),
}


def exact(priors: Priors, seed: int, K: int = 2, draws: int = 2500) -> Fit:
    return gc.fit(SAMPLE, "exact", components=K, priors=priors, draws=draws, seed=seed)


@pytest.fixture(scope="module")
def pairs() -> dict[str, tuple[Fit, Fit]]:
    return {name: (exact(priors, 1), exact(priors, 2)) for name, priors in PRIORS.items()}


def as_mine(fit: Fit, labels: np.ndarray) -> Fit:
    """Return a fit's draws with other labels, as an engine that is called mine."""
    tree = fit.tree.drop_nodes(["engine", "posterior_raw"], errors="ignore")
    draws = permuted(fit.params, np.broadcast_to(labels, fit.params.w.shape))
    posterior = tree["posterior"].to_dataset()
    named = {name: (posterior[name].dims, a) for name, a in zip(Params._fields, draws, strict=True)}
    tree["posterior"] = xr.DataTree(posterior.assign(named))
    return replace(fit, tree=tree, engine="mine")


def swapped_at_random(fit: Fit, rng: np.random.Generator) -> np.ndarray:
    return rng.permuted(np.broadcast_to(np.arange(fit.K), fit.params.w.shape), axis=-1)


@pytest.mark.parametrize("kind", PRIORS)
@pytest.mark.slow
def test_components_in_the_wrong_order_disagree(pairs, kind):
    first, second = pairs[kind]
    found = gc.compare([first, as_mine(second, np.array([1, 0]))])
    assert (found.verdict, found.suspects) == ("disagree", ("mine",))
    assert found.pairs[0].reasons[0].code == Code.DIFFERENCE


@pytest.mark.parametrize("kind", PRIORS)
@pytest.mark.slow
def test_labels_swapped_at_random_disagree(pairs, kind):
    first, second = pairs[kind]
    found = gc.compare(
        [first, as_mine(second, swapped_at_random(second, np.random.default_rng(3)))]
    )
    assert (found.verdict, found.suspects) == ("disagree", ("mine",))


@pytest.mark.parametrize("kind", PRIORS)
@pytest.mark.slow
def test_equal_draws_agree(pairs, kind):
    # 10,000 draws on either side: "agree" in all but one of 1e5 seeds, as in `test_agreement`.
    first, second = pairs[kind]
    assert gc.compare([first, as_mine(second, np.arange(2))]).verdict == "agree"


def test_reported_means_are_those_of_the_posterior(pairs):
    # By an independent sum over all 4,096 allocations. The largest sd is 0.36; 10,000 draws leave
    # 0.0036, and 4.5 of these are exceeded in one of 1e5 runs.
    found = gc.compare(list_of(pairs["means"]))
    for summary in found.summaries.values():
        np.testing.assert_allclose(summary.point.mu, [-0.8843, 1.2529], atol=0.016)
    below = np.mean([(a.params.mu[..., 0] < 0).mean() for a in found.alignments.values()])
    assert below == pytest.approx(0.9675, abs=0.0056)  # 4.5 sqrt(0.9675 * 0.0325 / 20,000)


def list_of(pair: tuple[Fit, Fit]) -> list[Fit]:
    return [pair[0], as_mine(pair[1], np.arange(2))]


@pytest.mark.slow
def test_the_density_of_the_prior_is_compared_where_it_tells_components_apart(pairs):
    found = gc.compare(list_of(pairs["means"]))
    assert "log_prior" in {f.name for f in found.pairs[0].functionals}
    same = exact(Priors(2.0, 0.0, 1.5, 3.0, 2.0), 1, draws=800)
    plain = gc.compare([same, as_mine(same, np.arange(2))])
    assert "log_prior" not in {f.name for f in plain.pairs[0].functionals}


# --- three components, of which two have one prior ------------------------------------------------

TWO_ALIKE = Priors(2.0, [-1.0, 1.5, -1.0], 0.7, 3.0, 2.0)


@pytest.fixture(scope="module")
def three() -> tuple[Fit, Fit]:
    return exact(TWO_ALIKE, 4, K=3), exact(TWO_ALIKE, 5, K=3)


def test_components_of_one_prior_may_be_swapped(three):
    rng = np.random.default_rng(6)
    labels = np.broadcast_to(np.arange(3), three[1].params.w.shape).copy()
    labels[..., [0, 2]] = rng.permuted(labels[..., [0, 2]], axis=-1)
    assert gc.compare([three[0], as_mine(three[1], labels)]).verdict == "agree"


@pytest.mark.parametrize("order", [(1, 0, 2), (0, 2, 1), (1, 2, 0)])
def test_and_others_may_not(three, order):
    assert gc.compare([three[0], as_mine(three[1], np.array(order))]).verdict == "disagree"


@pytest.mark.parametrize("K", [4, 7])
def test_only_labels_within_groups_move(K):
    rng = np.random.default_rng(K)
    loc = np.where(np.arange(K) % 2, 1.0, -1.0)
    shape = (2, 30)
    draws = Params(
        rng.dirichlet(np.ones(K), size=shape),
        rng.normal(loc, 1.0, (*shape, K)),
        np.ones((*shape, K)),
    )
    reference = Reference.of(Params(*(a[0, 0] for a in draws)), SAMPLE, Priors(mean_loc=loc))
    assert reference.groups == (tuple(range(0, K, 2)), tuple(range(1, K, 2)))
    labels = align(draws, reference).labels
    np.testing.assert_array_equal(labels % 2, np.broadcast_to(np.arange(K) % 2, labels.shape))
    np.testing.assert_array_equal(
        np.sort(labels, axis=-1), np.broadcast_to(np.arange(K), labels.shape)
    )
    assert (np.diff(reference.params.mu[::2]) > 0).all()


# --- point estimates ------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_maximum_of_the_likelihood_takes_the_labels_that_the_prior_favours():
    rng = np.random.default_rng(7)
    sample = Sample.of(rng.normal(np.repeat([0.0, 5.0], [240, 160]), 1.0))
    priors = Priors(mean_loc=[5.0, 0.0])
    em = gc.fit(sample, "em", components=2, priors=priors, seed=1)
    gibbs = gc.fit(sample, "gibbs", components=2, draws=5000, warmup=500)
    descending = np.argsort(-gibbs.params.mu, axis=-1)
    gibbs = replace(as_mine(gibbs, descending), engine="gibbs", priors=priors)
    for point in (em, as_mine_point(em)):
        found = gc.compare([point, gibbs])
        assert found.verdict == "agree"
        np.testing.assert_allclose(found.summaries[point.engine].point.mu, [5.0, 0.0], atol=0.5)


def as_mine_point(fit: Fit) -> Fit:
    tree = fit.tree.copy()
    tree["posterior"] = xr.DataTree(
        tree["posterior"].to_dataset().isel(component=slice(None, None, -1))
    )
    return replace(fit, tree=tree, engine="mine")


# --- where priors come from -----------------------------------------------------------------------


def test_a_fit_keeps_its_priors_in_its_file(tmp_path, pairs):
    fit = pairs["means"][0]
    loaded = load_fit(fit.save(tmp_path / "fit.nc"))
    assert loaded == fit
    assert loaded.priors.is_same(PRIORS["means"], 2)
    old = replace(fit, priors=None)
    again = load_fit(old.save(tmp_path / "old.nc"))  # what an earlier version wrote
    assert (again, again.priors) == (old, None)
    assert again.under(fit.priors) == fit


def test_draws_under_different_priors_are_not_compared(pairs):
    other = as_mine(exact(Priors(2.0, [-1.0, 1.6], 0.7, 3.0, 2.0), 3, draws=100), np.arange(2))
    with pytest.raises(InputError, match="different priors: exact and mine"):
        gc.compare([pairs["means"][0], other])
    written_out = replace(other, priors=Priors([2.0, 2.0], [-1.0, 1.5], [0.7, 0.7], 3.0, 2.0))
    assert isinstance(gc.compare([pairs["means"][0], written_out]), Comparison)

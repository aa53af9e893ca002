"""Comparison of fits in several dimensions: verdicts, functions, files and the page."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

import gmmcompare as gc
from gmmcompare.comparison.vectors import compare_vector_fits, parameters_of
from gmmcompare.engines.base import Problem
from gmmcompare.engines.multivariate import em, gibbs
from gmmcompare.fitting.fit import build_fit, load_fit
from gmmcompare.fitting.requests import engine_requests
from gmmcompare.model.card import EmSettings, GibbsSettings
from gmmcompare.report import write_report
from gmmcompare.runtime.progress import no_progress
from gmmcompare.workflows.compare import compare_card
from gmmcompare.workflows.load import load
from gmmcompare.workflows.outcome import load_outcome

CARD = gc.load_card("faithful-k2")
DATA = load(CARD)


def fitted(engine, name: str, seed: int = 1, priors=None):
    problem = Problem(DATA.sample, 2, priors or CARD.build_priors())
    fit = build_fit(engine, problem, seed, engine.run(problem, seed, no_progress))
    return replace(fit, engine=name)


@pytest.fixture(scope="module")
def fits():
    settings = GibbsSettings(chains=4, warmup=500, draws=4000)
    return (
        fitted(em.EmEngine(EmSettings(starts=10)), "em"),
        fitted(gibbs.GibbsEngine(settings), "one", 1),
        fitted(gibbs.GibbsEngine(settings), "other", 2),
    )


def test_samplers_of_one_posterior_and_its_maximum_agree(fits):
    comparison = compare_vector_fits(fits, DATA.sample, ("eruption", "waiting"))
    assert comparison.verdict == "agree"
    assert [pair.verdict for pair in comparison.pairs] == ["agree"] * 3
    entry = comparison.to_dict()["engines"]["one"]
    np.testing.assert_allclose(entry["means"], [[2.04, 54.5], [4.29, 80.0]], rtol=0.01)
    assert json.dumps(comparison.to_dict(), allow_nan=False)


def test_another_prior_is_noticed(fits):
    """Scale matrices that are twice as large move the log variances by several sds."""
    other = CARD.changed({"priors.cov_scale": [[2.5, 0.0], [0.0, 360.0]]}).build_priors()
    settings = GibbsSettings(chains=4, warmup=500, draws=4000)
    wrong = fitted(gibbs.GibbsEngine(settings), "wrong", 3, other)
    found = compare_vector_fits((fits[1], wrong), DATA.sample)
    assert found.verdict != "agree"


def test_a_point_that_is_no_maximum_is_noticed(fits):
    point = fits[0].params
    stopped = point._replace(mu=point.mu + np.array([0.2, 0.0]))
    engine = em.EmEngine(EmSettings())
    problem = Problem(DATA.sample, 2, CARD.build_priors())
    result = engine.run(problem, 0, no_progress)
    moved = replace(result, params=type(stopped)(*(a[0, 0] for a in stopped)))
    fit = replace(build_fit(engine, problem, 0, moved), engine="stopped")
    found = compare_vector_fits((fit, fits[1]), DATA.sample)
    assert found.verdict == "disagree"
    assert found.suspects == ("stopped",)


def test_labels_that_switch_are_put_in_order(fits):
    fit = fits[1]
    turned = fit.params.cov.copy()
    flipped = type(fit.params)(
        fit.params.w[..., ::-1], fit.params.mu[..., ::-1, :], turned[..., ::-1, :, :]
    )
    tree = fit.with_aligned(flipped)
    comparison = compare_vector_fits((replace(tree, engine="flipped"), fits[2]), DATA.sample)
    assert comparison.verdict == "agree"


def test_parameters_have_names_and_finite_values(fits):
    found = parameters_of(fits[1].params, ("a", "b"))
    assert len(found) == 12
    assert all(np.isfinite(v).all() for v in found.values())
    assert "atanh correlation of a and b, component 2" in found


@pytest.mark.slow
def test_from_a_card_to_files_and_a_page(tmp_path):
    card = CARD.with_overrides(["engines.gibbs.draws=3000", "engines.em.starts=5"])
    outcome = compare_card(card, DATA, engine_requests(("em", "gibbs")), folder=tmp_path)
    assert outcome.comparison.verdict == "agree"
    content = json.loads((tmp_path / "comparison.json").read_text(encoding="utf-8"))
    assert content["dimensions"] == ["eruption_min", "waiting_min"]
    assert content["data"]["n"] == 272
    rows = (tmp_path / "allocations.csv").read_text(encoding="utf-8").splitlines()
    assert rows[0].startswith("row,eruption_min,waiting_min,em_component,em_p1,em_p2,gibbs_")
    assert len(rows) == 273
    assert load_fit(tmp_path / "fits" / "gibbs.nc").K == 2
    page = write_report(outcome, tmp_path / "index.html").read_text(encoding="utf-8")
    assert "correlation of eruption_min and waiting_min" in page
    again = load_outcome(tmp_path)
    assert again.comparison.verdict == "agree"
    assert again.comparison.names == ("eruption_min", "waiting_min")

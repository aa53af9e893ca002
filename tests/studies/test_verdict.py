"""The study of the verdict: what it simulates is what it says, and it can be continued."""

from __future__ import annotations

import json
import os
import signal

import numpy as np
import pytest
from scipy.stats import beta

from gmmcompare.comparison.equality import differences
from gmmcompare.comparison.reasons import Code
from gmmcompare.runtime.errors import InputError
from gmmcompare.runtime.tasks import open_tasks
from gmmcompare.studies import verdict as studies
from gmmcompare.studies.simulated import (
    CASES,
    CHANGED,
    Case,
    Pool,
    run_case,
    simulate,
    true_size,
)

TINY = (
    Case("equal", 200),
    Case("equal", 1000, sticky=True),
    Case("different", 1000, shift=0.2),
    Case("faulty", 1000, stuck=4),
)


@pytest.fixture(scope="module")
def pool() -> Pool:
    return Pool.draw(20_000, 1)


@pytest.fixture
def tiny(monkeypatch, pool):
    """A study of four cases, from a small pool."""
    monkeypatch.setattr(studies, "CASES", TINY)
    monkeypatch.setattr(studies, "EQUAL", TINY[:2])
    monkeypatch.setattr(studies, "POOL_DRAWS", 5000)
    studies._pool_of.cache_clear()
    yield
    studies._pool_of.cache_clear()


def values(pool: Pool, case: Case, name: str, times: int = 1) -> dict[str, np.ndarray]:
    found = simulate(pool, case, name, np.random.default_rng(3), times)
    return {f.name: f.values for f in found.functionals}


def test_cases_have_keys_of_their_own():
    keys = [case.key for case in CASES]
    assert len(set(keys)) == len(keys)
    assert {case.truth for case in CASES} == {"equal", "different", "faulty"}


def test_an_engine_has_the_effective_draws_that_it_should(pool):
    for case in (Case("equal", 4000), Case("equal", 4000, sticky=True)):
        found = simulate(pool, case, "a", np.random.default_rng(1), 1)
        ess = found.convergence.ess_bulk
        # An estimate of ESS has a relative error of about 5 % here.
        assert np.median(list(ess.values())) == pytest.approx(4000, rel=0.15)
    assert values(pool, Case("equal", 400), "a", times=4)["mean"].shape == (4, 400)


def test_a_shift_moves_one_function_of_b_alone(pool):
    case, plain = Case("different", 1000, shift=0.2), Case("equal", 1000)
    moved, same = values(pool, case, "b"), values(pool, plain, "b")
    sd = pool.scale[1][pool.changed]
    for name in moved:
        expected = same[name] + 0.2 * sd if name == CHANGED else same[name]
        np.testing.assert_allclose(moved[name], expected)
    np.testing.assert_array_equal(values(pool, case, "a")[CHANGED], same[CHANGED])


def test_true_sizes(pool):
    assert true_size(pool, Case("equal", 1000)) == 0.0
    assert true_size(pool, Case("different", 1000, shift=0.2)) == pytest.approx(0.2, rel=0.1)
    stretched = Case("different", 1000, ratio=1.2)
    assert true_size(pool, stretched) > true_size(pool, Case("different", 1000, ratio=1.1)) > 0.05
    c = pool.changed
    v = pool.table[None, :, c]
    found = differences(v, v + 0.2 * pool.scale[1][c], (1e4, 1e4))
    assert true_size(pool, Case("different", 1, shift=0.2)) == np.abs(found.diff).max()


def test_faulty_runs_are_seen_for_what_they_are(pool):
    stuck = run_case(pool, Case("faulty", 1000, stuck=1), 0, 1)
    assert (stuck.verdict, stuck.suspect) == ("inconclusive", "b")
    minor = stuck.reasons[0]
    assert (minor.code, minor.engine, minor.numbers["chains"]) == (Code.MINOR_MODE, "b", (1,))
    assert (minor.numbers["best"], round(minor.numbers["gap"])) == ("a", 20)
    low = run_case(pool, Case("faulty", 1000, stuck=4), 0, 1)
    assert (low.verdict, low.suspect, low.rounds) == ("disagree", "b", 2)
    copied = run_case(pool, Case("faulty", 1000, copied=True), 0, 1)
    assert (copied.verdict, copied.suspect) == ("inconclusive", "b")


def test_a_gibbs_sampler_can_be_b(pool):
    found = run_case(pool, Case("equal", 4000, gibbs=True), 0, 1)
    assert (found.a, found.b) == ("a", "gibbs")
    assert found.verdict != "disagree"


def test_a_study_continues_where_it_stopped(tiny, tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    studies.run_verdict_study(whole, repetitions=6, jobs=1, seed=2)
    studies.run_verdict_study(parts, repetitions=3, jobs=1, seed=2)
    file = parts / "outcomes.jsonl"
    kept = file.read_bytes()
    file.write_bytes(kept + b'{"case": "cut sho')  # an interruption in the middle of a line
    told: list[float] = []
    studies.run_verdict_study(parts, repetitions=6, jobs=1, seed=2, progress=told.append)
    assert file.read_bytes().startswith(kept)
    in_order = [
        sorted(studies.load_outcomes(f), key=lambda o: (o["case"], o["repetition"]))
        for f in (whole, parts)
    ]
    assert in_order[0] == in_order[1]
    assert told[0] > 0
    assert told[-1] == 1.0
    before = file.read_bytes()
    studies.run_verdict_study(parts, repetitions=6, jobs=1, seed=2)
    assert file.read_bytes() == before


def test_a_study_is_the_same_wherever_it_runs(tiny, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    studies.run_verdict_study(here, repetitions=6, jobs=1, seed=2)
    killed = []

    def kill_one(fraction: float) -> None:
        if fraction > 0.4 and not killed:
            killed.append(next(iter(tasks._client.run(os.getpid).values())))
            os.kill(killed[0], signal.SIGKILL)

    with open_tasks(workers=2) as tasks:
        studies.run_verdict_study(there, 6, seed=2, tasks=tasks, progress=kill_one)
    assert killed
    found = [
        {(o["case"], o["repetition"]): o for o in studies.load_outcomes(f)} for f in (here, there)
    ]
    assert found[0] == found[1]
    assert len(found[0]) == len(studies.load_outcomes(there))


def test_the_pool_can_be_drawn_again_where_it_is_not(tiny, tmp_path):
    studies.run_verdict_study(tmp_path, repetitions=1, jobs=1, seed=2)
    away = studies._pool_of(studies._Study(tmp_path / "elsewhere", 2, studies.POOL_DRAWS))
    np.testing.assert_array_equal(away.table, studies._load_pool(tmp_path).table)


def test_another_study_is_not_mixed_in(tiny, tmp_path):
    studies.run_verdict_study(tmp_path, repetitions=1, jobs=1, seed=2)
    with pytest.raises(InputError, match="holds another study"):
        studies.run_verdict_study(tmp_path, repetitions=1, jobs=1, seed=3)


def test_a_page_and_a_figure(tiny, tmp_path):
    folder, page = tmp_path / "study", tmp_path / "reports" / "study.md"
    figure = tmp_path / "reports" / "figures" / "study.svg"
    studies.run_verdict_study(folder, repetitions=8, jobs=1, seed=2)
    studies.write_verdict_study(folder, page, figure)
    text = page.read_text()
    outcomes = studies.load_outcomes(folder)
    assert f"from {len(outcomes)} comparisons" in text
    equal = [o for o in outcomes if o["case"] == TINY[1].key]
    wrong = sum(o["verdict"] == "disagree" for o in equal)
    assert f"| equal, ESS 1,000, called disagree | {wrong} | {len(equal)} |" in text
    assert "(figures/study.svg)" in text
    assert figure.read_text().startswith("<?xml")
    first = figure.read_bytes()
    studies.write_verdict_study(folder, page, figure)
    assert figure.read_bytes() == first


def test_nothing_to_write_up(tmp_path):
    with pytest.raises(InputError, match="holds no outcomes"):
        studies.write_verdict_study(tmp_path, tmp_path / "page.md", tmp_path / "figure.svg")


def test_intervals_are_clopper_and_pearsons():
    low, high = studies.Frequency(3, 50).interval
    assert (low, high) == pytest.approx((beta.ppf(0.025, 3, 48), beta.ppf(0.975, 4, 47)))
    assert studies.Frequency(0, 50).interval[0] == 0.0


def test_outcomes_are_plain_json(tiny, tmp_path):
    studies.run_verdict_study(tmp_path, repetitions=1, jobs=1, seed=2)
    for line in (tmp_path / "outcomes.jsonl").read_text().splitlines():
        assert set(json.loads(line)) == {"case", "repetition", "verdict", "suspect", "rounds"}

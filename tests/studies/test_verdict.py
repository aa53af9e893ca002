"""The study of the verdict: what it simulates is what it says, and it can be continued."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import beta

from gmmcompare.comparison.equality import differences
from gmmcompare.comparison.reasons import Code
from gmmcompare.runtime.tasks import open_tasks
from gmmcompare.studies.markdown import Frequency
from gmmcompare.studies.simulated import (
    CASES,
    CHANGED,
    Case,
    Pool,
    run_case,
    simulate,
    true_size,
)
from gmmcompare.studies.verdict import VerdictStudy

TINY = (
    Case("equal", 200),
    Case("equal", 1000, sticky=True),
    Case("different", 1000, shift=0.2),
    Case("faulty", 1000, stuck=4),
)


@pytest.fixture(scope="module")
def pool() -> Pool:
    return Pool.draw(2**17, 1)


def tiny(folder: Path, seed: int = 2) -> VerdictStudy:
    """Return a study of four cases, from a small pool."""
    return VerdictStudy(folder, seed, TINY, 5000)


def values(pool: Pool, case: Case, name: str, times: int = 1) -> dict[str, np.ndarray]:
    found = simulate(pool, case, name, np.random.default_rng(3), times)
    return {f.name: f.values for f in found.functionals}


def test_cases_have_keys_of_their_own():
    keys = [case.key for case in CASES]
    assert len(set(keys)) == len(keys)
    assert {case.truth for case in CASES} == {"equal", "different", "faulty"}


@pytest.mark.slow
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
    # 20,000 draws on either side: equal engines agree. A difference seems significant in 1 % of
    # runs, and again with four times the draws in 4 % of those at most: there the means of the pool
    # that a is drawn from are themselves off, by 0.003 sds. So a false alarm is below 1 in 2,000.
    (case,) = (case for case in CASES if case.gibbs)
    found = run_case(pool, case, 0, 1)
    assert (found.a, found.b) == ("a", "gibbs")
    assert found.verdict == "agree"


@pytest.mark.slow
def test_a_study_continues_where_it_stopped(tmp_path):
    whole, parts = tiny(tmp_path / "whole"), tiny(tmp_path / "parts")
    whole.run(6)
    parts.run(3)
    file = parts.folder / "outcomes.jsonl"
    kept = file.read_bytes()
    file.write_bytes(kept + b'{"case": "cut sho')  # an interruption in the middle of a line
    told: list[float] = []
    parts.run(6, progress=told.append)
    assert file.read_bytes().startswith(kept)
    assert parts.store.rows == whole.store.rows
    assert told[0] > 0
    assert told[-1] == 1.0
    before = file.read_bytes()
    parts.run(6)
    assert file.read_bytes() == before


@pytest.mark.slow
def test_a_study_is_the_same_wherever_it_runs(tmp_path):
    here, there = tiny(tmp_path / "here"), tiny(tmp_path / "there")
    here.run(6)
    killed = []

    def kill_one(fraction: float) -> None:
        if fraction > 0.4 and not killed:
            killed.append(next(iter(tasks._client.run(os.getpid).values())))
            os.kill(killed[0], signal.SIGKILL)

    with open_tasks(workers=2) as tasks:
        there.run(6, tasks, kill_one)
    assert killed
    assert here.store.rows == there.store.rows
    lines = (there.folder / "outcomes.jsonl").read_text().splitlines()
    assert len(lines) == 1 + len(there.store.rows)


def test_the_pool_can_be_drawn_again_where_it_is_not(tmp_path):
    here, away = tiny(tmp_path / "here"), tiny(tmp_path / "elsewhere")
    here.prepare()
    np.testing.assert_array_equal(away.pool(TINY[0]).table, here.pool(TINY[0]).table)
    assert isinstance(here.pool(TINY[0]).table, np.memmap)
    assert not away.folder.exists()


@pytest.mark.slow
def test_a_page_and_a_figure(tmp_path):
    study = tiny(tmp_path / "reports" / "study")
    figure = tmp_path / "reports" / "figures" / "study.svg"
    study.run(8)
    page = study.write()
    assert page == tmp_path / "reports" / "study.md"
    text = page.read_text()
    rows = study.store.rows
    assert f"from {len(rows)} comparisons" in text
    equal = [row for (case, _), row in rows.items() if case == TINY[1].key]
    wrong = sum(row["verdict"] == "disagree" for row in equal)
    assert f"| equal, ESS 1,000, called disagree | {wrong} | {len(equal)} |" in text
    assert "(figures/study.svg)" in text
    assert figure.read_text().startswith("<?xml")
    first = figure.read_bytes()
    study.write()
    assert figure.read_bytes() == first


def test_cases_without_a_promised_rate_are_repeated_less_often():
    plan = VerdictStudy(Path("nowhere"), 1).plan(1000)
    assert list(plan) == [case.key for case in CASES]
    shares = {case.label: plan[case.key] for case in CASES}
    assert shares["independent draws, ESS 1,000"] == 250
    assert shares["antithetic chains, ESS 4,000"] == 500
    assert shares["autocorrelated chains, ESS 10,000"] == 100
    assert shares["shifted by 0.2 sd, ESS 200"] == 250
    assert shares["Gibbs sampler, draws 20,000"] == 50
    assert shares["every chain in a minor mode, ESS 4,000"] == 50


def test_intervals_are_clopper_and_pearsons():
    low, high = Frequency(3, 50).interval
    assert (low, high) == pytest.approx((beta.ppf(0.025, 3, 48), beta.ppf(0.975, 4, 47)))
    assert Frequency(0, 50).interval[0] == 0.0

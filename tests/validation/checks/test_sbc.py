"""SBC of whole samplers: ranks, the labels' rule, what is stored, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import arviz as az
import numpy as np
import pytest
import samplers
import xarray as xr
from inprocess import InProcess, silent
from samplers import Exact
from torn import cuts

from gmmcompare.model.params import Params
from gmmcompare.model.priors import Priors
from gmmcompare.runtime.errors import InputError
from gmmcompare.validation.checks.ranks import (
    RANKS,
    Given,
    SbcPlan,
    SbcReplicate,
    autocorrelation_time,
)
from gmmcompare.validation.checks.sbc import check_sbc
from gmmcompare.validation.checks.scenes import MixtureScene
from gmmcompare.validation.sandbox.child import Task

TINY = MixtureScene("calibration", Priors(2.0, 0.5, 1.5, 3.0, 1.0), K=2, N=4)
PLAN = SbcPlan(replicates=100, warmup=0)


def run(sampler: Exact, plan: SbcPlan = PLAN, store: Path | None = None):  # type: ignore[no-untyped-def]
    return check_sbc(InProcess(sampler), TINY, plan, 1, silent, store)


@pytest.mark.parametrize("ordered", [False, True])
def test_exact_draws_pass_whatever_their_labels(ordered: bool) -> None:
    # False-positive rate 1.1e-5: 1e-6 for the ranks, 1e-5 for the means.
    outcome = run(Exact(ordered=ordered))
    assert outcome.check.verdict == "passed"
    assert outcome.ranks.shape == (100, len(outcome.names))
    assert outcome.ranks.min() >= 0
    assert outcome.ranks.max() < RANKS


def test_biased_draws_fail_and_the_diagnosis_tells_the_direction() -> None:
    outcome = run(Exact(bias=0.6))
    assert outcome.check.verdict == "failed"
    ways = {r.numbers["quantity"]: r.numbers["way"] for r in outcome.diagnosis().reasons}
    assert ways["mu_1"] == "large"
    assert "mu_1: the sampler's draws are too large" in " ".join(outcome.diagnosis().findings)


def test_ordered_draws_ranked_without_relabelling_are_refused() -> None:
    with pytest.raises(InputError, match="wrong by construction"):
        run(Exact(ordered=True), SbcPlan(replicates=60, warmup=0, relabel="none"))


@pytest.mark.slow
def test_a_rerun_goes_on_from_what_is_stored(tmp_path: Path) -> None:
    first = Exact()
    few = run(first, store=tmp_path)
    (file,) = tmp_path.glob("sbc-*.jsonl")
    lines = file.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1 + 100
    file.write_text("\n".join(lines[:71]) + '\n{"index": 70, "ra', encoding="utf-8")
    again = Exact()
    rest = run(again, store=tmp_path)
    assert again.runs == 1 + 30  # one to choose the thinning
    np.testing.assert_array_equal(few.ranks, rest.ranks)


class Recorded(InProcess):
    """Answers with what another runner found, and counts replicates."""

    def __init__(self, function: Exact, name: str = "subject") -> None:
        super().__init__(function, name)
        self.answers: dict[tuple[str, object], object] = {}
        self.asked: list[object] = []

    def run(self, tasks: Sequence[Task]) -> Iterator[Any]:
        for task in tasks:
            what = task.function.__name__, task.arguments.get("index")
            if what not in self.answers:
                (self.answers[what],) = super().run([task])
            self.asked += [what[1]] * (what[1] is not None)
            yield self.answers[what]


def test_a_last_line_cut_at_any_byte_is_written_again(tmp_path: Path) -> None:
    runner, plan = Recorded(Exact()), SbcPlan(replicates=3, warmup=0)
    for i in range(3):  # a real one has thousands of bytes
        runner.answers["sbc_replicate", i] = SbcReplicate([i, 99], [-0.5], [1e-17], False)
    check_sbc(runner, TINY, plan, 1, silent, tmp_path)
    (file,) = tmp_path.glob("sbc-*.jsonl")
    for _ in cuts(file):
        runner.asked.clear()
        check_sbc(runner, TINY, plan, 1, silent, tmp_path)
        assert runner.asked == [2]


@pytest.mark.slow
def test_a_longer_plan_goes_on_from_a_shorter_one(tmp_path: Path) -> None:
    runner = Recorded(Exact())
    short, long = (SbcPlan(replicates=n, warmup=0) for n in (50, 60))
    check_sbc(runner, TINY, short, 1, silent, tmp_path)
    runner.asked.clear()
    whole = check_sbc(runner, TINY, long, 1, silent, tmp_path)
    assert runner.asked == list(range(50, 60))
    assert whole.check.replicates == 60
    again = check_sbc(runner, TINY, short, 1, silent, tmp_path)
    assert again.check.replicates == 50
    np.testing.assert_array_equal(again.ranks, whole.ranks[:50])
    assert len(runner.asked) == 10


def test_a_rerun_of_what_failed_early_is_the_same(tmp_path: Path) -> None:
    first = run(Exact(bias=2.0), store=tmp_path)
    assert first.check.verdict == "failed"
    assert first.check.replicates == 50  # of 100
    again = run(Exact(bias=2.0), store=tmp_path)
    assert again.check.replicates == 50
    assert again.check.summary == first.check.summary


def test_replicates_of_another_sampler_or_of_other_data_are_not_used(tmp_path: Path) -> None:
    """Two functions of one file; and data that differ in nothing but a value."""
    truth = Params(np.array([0.5, 0.5]), np.array([0.0, 1.0]), np.array([1.0, 1.0]))
    plan = SbcPlan(replicates=2, warmup=0)
    for name, y in (("a.py:one", 0.0), ("a.py:two", 0.0), ("a.py:two", 0.1)):
        runner = Recorded(Exact(), name)
        givens = [Given(truth, np.array([y, 1.0, 2.0]))] * 2
        check_sbc(runner, TINY, plan, 1, silent, tmp_path, givens)
        assert runner.asked == [0, 1]
    assert len(list(tmp_path.glob("sbc-*.jsonl"))) == 3


@pytest.mark.slow
def test_arviz_reads_the_ranks_from_a_file(tmp_path: Path) -> None:
    run(Exact()).save(tmp_path / "sbc.nc")
    tree = xr.load_datatree(tmp_path / "sbc.nc", engine="h5netcdf")
    assert tree["prior_sbc"]["mu_1"].shape == (1, 100)
    az.plot_ecdf_pit(tree, var_names=["mu_1", "log_likelihood"], backend="none")


def test_autocorrelation_time_of_an_ar1_process() -> None:
    # (1 + rho) / (1 - rho) = 9 for rho = 0.8; its relative error here is about 5 %, six of them.
    rng = np.random.default_rng(1)
    noise = rng.standard_normal((4, 20_000))
    x = np.zeros_like(noise)
    for i in range(1, x.shape[1]):
        x[:, i] = 0.8 * x[:, i - 1] + noise[:, i]
    assert autocorrelation_time(x) == pytest.approx(9.0, rel=0.3)
    assert autocorrelation_time(noise) == pytest.approx(1.0, abs=0.1)


@pytest.mark.slow
def test_a_whole_run_of_the_correct_kernel_passes() -> None:
    plan = SbcPlan(replicates=50, warmup=20)
    outcome = check_sbc(InProcess(partial(samplers.whole)), TINY, plan, 1, silent)
    assert outcome.check.verdict == "passed"

"""SBC of whole samplers: ranks, the labels' rule, what is stored, and what is refused."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import arviz as az
import numpy as np
import pytest
import samplers
import xarray as xr
from inprocess import InProcess, silent
from samplers import Exact

from gmmcompare.model.priors import Priors
from gmmcompare.runtime.errors import InputError
from gmmcompare.validation.checks.ranks import RANKS, SbcPlan, autocorrelation_time
from gmmcompare.validation.checks.sbc import check_sbc
from gmmcompare.validation.checks.scenes import Scene

TINY = Scene("calibration", Priors(2.0, 0.5, 1.5, 3.0, 1.0), K=2, N=4)
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


def test_a_rerun_goes_on_from_what_is_stored(tmp_path: Path) -> None:
    first = Exact()
    few = run(first, store=tmp_path)
    (file,) = tmp_path.glob("sbc-*.jsonl")
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join(lines[:70]) + '\n{"index": 70, "ra', encoding="utf-8")
    again = Exact()
    rest = run(again, store=tmp_path)
    assert again.runs == 1 + 30  # one to choose the thinning
    np.testing.assert_array_equal(few.ranks, rest.ranks)


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


def test_a_whole_run_of_the_correct_kernel_passes() -> None:
    plan = SbcPlan(replicates=50, warmup=20)
    outcome = check_sbc(InProcess(partial(samplers.whole)), TINY, plan, 1, silent)
    assert outcome.check.verdict == "passed"

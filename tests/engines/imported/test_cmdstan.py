"""CmdStan's folders: its formats are written here, as its guide describes them.

CmdStan User's Guide: "Stan CSV File Format", "stansummary", "Diagnosing HMC" and "Profiling".
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from gmmcompare.data import load_sample
from gmmcompare.engines.base import Draws, Problem, no_progress
from gmmcompare.engines.imported.engine import ImportedEngine
from gmmcompare.model.params import Params
from gmmcompare.model.priors import Priors
from gmmcompare.runtime.errors import InputError

PROBLEM = Problem(load_sample("galaxies", "velocity_1000km_s"), 3, Priors(2, 20, 10, 3, 2))
SAMPLER = ["lp__", "accept_stat__", "stepsize__", "treedepth__"]
SAMPLER += ["n_leapfrog__", "divergent__", "energy__"]
NAMES = [f"{name}.{k}" for name in Params._fields for k in (1, 2, 3)]


def values(chain: int, draws: int = 20) -> np.ndarray:
    rng = np.random.default_rng(chain)
    w = rng.dirichlet([20, 60, 10], draws)
    mu = rng.normal([10, 21, 33], 0.5, (draws, 3))
    return np.concatenate([w, mu, rng.gamma(50, 0.03, (draws, 3))], axis=1)


def output(
    chain: int = 1,
    *,
    digits: int = 8,
    draws: int = 20,
    rows: int | None = None,
    thin: int = 1,
    warmup: int = 0,
    adapted: bool = True,
    identity: int | None = None,
    method: str = "sample",
) -> str:
    """Return what ``./mixture sample`` writes."""
    head = [
        "# stan_version_major = 2",
        "# model = mixture_model",
        "# start_datetime = 2026-11-27 10:00:00 UTC",
        f"# method = {method} (Default)",
        "#   sample",
        f"#     num_samples = {draws}{' (Default)' if draws == 1000 else ''}",
        f"#     num_warmup = {warmup or 1000}",
        f"#     save_warmup = {'true' if warmup else 'false (Default)'}",
        f"#     thin = {thin} (Default)",
        f"# id = {chain if identity is None else identity} (Default)",
        f"#   sig_figs = {digits}",
    ]
    header = [",".join([*SAMPLER, *NAMES])]
    table = values(chain, draws)[: -(-draws // thin) if rows is None else rows]
    kept = [
        ",".join(f"{v:.{digits}g}" for v in (-240, 0.9, 0.5, 3, 7, 0, 242, *row)) for row in table
    ]
    burnt = [",".join(["-999"] * 7 + ["0.3"] * 3 + ["99"] * 6)] * warmup
    tuned = ["# Adaptation terminated", "# Step size = 0.5", "# 0.9, 1.1"] if adapted else []
    tail = ["# ", "#  Elapsed Time: 0.1 seconds (Warm-up)", "#                0.3 seconds (Total)"]
    return (
        "\n".join([*head, *header, *burnt, *tuned, *kept, *(tail if rows is None else [])]) + "\n"
    )


def folder(tmp_path: Path, **options) -> Path:
    for chain in (1, 2, 3, 4):
        (tmp_path / f"mixture-20261127_{chain}.csv").write_text(output(chain, **options))
    return tmp_path


def read(path: Path) -> Draws:
    return ImportedEngine("stan", path).run(PROBLEM, 1, no_progress)


@pytest.mark.parametrize("digits", [6, 8, 18])
@pytest.mark.parametrize("options", [{}, {"warmup": 30}, {"warmup": 30, "adapted": False}])
def test_four_chains(tmp_path: Path, digits: int, options) -> None:
    found = read(folder(tmp_path, digits=digits, **options))
    expected = np.stack([values(chain) for chain in (1, 2, 3, 4)])
    np.testing.assert_allclose(
        np.concatenate(found.params, axis=-1), expected, rtol=10.0**-digits * 9
    )
    assert found.stats["diverging"].shape == (4, 20)
    assert len(found.notes) == (digits < 18)


PROFILE = (
    "name,thread_id,total_time,forward_time,reverse_time,chain_stack,no_chain_stack\nlik,0x1,1,1"
)
SUMMARY = """# comment
name,Mean,MCSE,StdDev,MAD,5%,50%,95%,ESS_bulk,ESS_tail,R_hat
"lp__",-240,0.1,2,2,-243,-240,-238,900,800,1.0
"w[1]",0.1,0.001,0.02,0.02,0.08,0.1,0.2,900,800,1.0
"""
OLD_SUMMARY = "name,Mean,MCSE,StdDev,5%,50%,95%,N_Eff,N_Eff/s,R_hat\nlp__,-240,0.1,2,-3,0,3,9,9,1\n"
DIAGNOSTICS = ",".join(
    [*SAMPLER, "w.1", "mu.1", "p_w.1", "p_mu.1", "g_w.1", "g_mu.1"]
) + "\n" + ",".join(["1"] * 13)  # fmt: skip
DATA = "galaxy,velocity\n1,9.172\n2,9.35\n"


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("profile.csv", PROFILE + ",1,1,1\n", "Stan's profile of a program"),
        ("summary.csv", SUMMARY, "a summary of draws"),
        ("a.csv", OLD_SUMMARY, "a summary of draws"),
        ("mixture-diagnostic_1.csv", DIAGNOSTICS, "Stan's diagnostic file, in unconstrained units"),
        ("galaxies.csv", DATA, "not Stan's draws"),
        ("optimum.csv", output(method="optimize"), "an optimum, not draws of MCMC"),
        ("vb.csv", output(method="variational"), "a variational approximation, not draws of MCMC"),
    ],
)
def test_what_else_is_in_the_folder_is_told_by_its_content_and_named(
    tmp_path: Path, name: str, content: str, what: str
) -> None:
    (folder(tmp_path) / name).write_text(content)
    found = read(tmp_path)
    assert found.params.w.shape == (4, 20, 3)
    assert f"not read in {tmp_path}: {name} ({what})" in found.notes


def test_a_folder_without_draws(tmp_path: Path) -> None:
    (tmp_path / "profile.csv").write_text(PROFILE + ",1,1,1\n")
    (tmp_path / "summary.csv").write_text(SUMMARY)
    says = "holds no draws but profile.csv (Stan's profile of a program), summary.csv (a summary of"
    with pytest.raises(InputError, match=re.escape(says)):
        read(tmp_path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (
            output(2, rows=12),
            "chain2.csv: has 12 of 20 draws: it was cut off, or its run is unfinis",
        ),
        (output(2, rows=0), "chain2.csv: has 0 of 20 draws"),
        (output(2, rows=20)[:-30], "chain2.csv: the last row is cut short"),
        (output(2, draws=40, thin=2, rows=13), "chain2.csv: has 13 of 20 draws"),
        (
            output(2).partition("lp__")[0],
            "chain2.csv: is empty, or has comment lines only: its run",
        ),
        ("", "chain2.csv: is empty"),
    ],
)
def test_unfinished_and_truncated_files_are_named(tmp_path: Path, content: str, says: str) -> None:
    (tmp_path / "chain1.csv").write_text(output(1))
    (tmp_path / "chain2.csv").write_text(content)
    with pytest.raises(InputError, match=re.escape(says)) as caught:
        read(tmp_path)
    assert re.search(r"let it end, or leave the file out$", str(caught.value))


def test_thinned_draws_are_complete(tmp_path: Path) -> None:
    assert read(folder(tmp_path, draws=40, thin=2)).params.w.shape == (4, 20, 3)


def test_two_runs_in_one_folder(tmp_path: Path) -> None:
    folder(tmp_path)
    for chain in (1, 2, 3, 4):
        (tmp_path / f"run2_{chain}.csv").write_text(output(chain + 10, identity=chain))
    says = (
        "chain 1 stands in mixture-20261127_1.csv and in run2_1.csv: two runs; give a folder that"
    )
    with pytest.raises(InputError, match=re.escape(says)):
        read(tmp_path)
    assert read(tmp_path / "run2_*.csv").params.w.shape == (4, 20, 3)


def test_chains_that_were_never_numbered_are_one_run(tmp_path: Path) -> None:
    assert read(folder(tmp_path, identity=1)).params.w.shape == (4, 20, 3)


def test_one_file_is_one_chain_and_it_is_said(tmp_path: Path) -> None:
    folder(tmp_path)
    found = read(tmp_path / "mixture-20261127_1.csv")
    assert found.params.w.shape == (1, 20, 3)
    assert any(note.startswith("has one chain only: whether it has con") for note in found.notes)

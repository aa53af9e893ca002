"""The study of `agree`: what it simulates is what it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kstest, norm, t

from gmmcompare.studies.agree import NEVER_AGREE, PAIRS, SIZES, AgreeStudy
from gmmcompare.studies.targets import APART, RARE, Chains, Target

RUN = Chains(4, 20_000, 0.5)


def scalars(target: Target, seed: int = 1) -> np.ndarray:
    return target.draw("a", RUN, np.random.default_rng(seed)).arrays["theta"]


def thinned(target: Target, column: int = 0) -> np.ndarray:
    """Draws 40 apart, whose autocorrelation of 0.5^40 is none."""
    return scalars(target)[:, ::40, column].ravel()


@pytest.mark.parametrize(
    ("target", "cdf"),
    [
        (Target("normal", 2, 0.7), norm.cdf),
        (Target("normal", 2, shift=0.5), norm(0.5).cdf),
        (Target("heavy", 1), t(2).cdf),
        (Target("bimodal", 1), lambda x: norm.cdf(x - np.sign(x) * APART / 2)),
    ],
)
def test_scalars_have_their_distribution(target: Target, cdf) -> None:  # type: ignore[no-untyped-def]
    """False-alarm rate 1e-6 each."""
    assert kstest(thinned(target), cdf).pvalue > 1e-6


def test_the_rare_mode_is_there_or_missing() -> None:
    whole, without = Target("rare mode", 2), Target("rare mode", 2, without_mode=True)
    share = (thinned(whole) > APART / 2).mean()
    # 2,000 independent draws: five standard errors, false-alarm rate 6e-7
    assert share == pytest.approx(RARE, abs=5 * np.sqrt(RARE * (1 - RARE) / 2000))
    assert (thinned(without) < APART / 2).all()


@pytest.mark.parametrize("correlation", [0.0, 0.5, -0.5])
def test_scalars_depend_on_each_other_as_said(correlation: float) -> None:
    """Five standard errors of 2,000 draws: false-alarm rate 6e-7."""
    x = scalars(Target("normal", 2, correlation))[:, ::40]
    found = np.corrcoef(x.reshape(-1, 2).T)[0, 1]
    assert found == pytest.approx(correlation, abs=5 / np.sqrt(2000))


def test_every_size_is_compared_as_often_as_is_asked_for() -> None:
    plan = AgreeStudy(Path("unused"), 1).plan(1000)
    for d in SIZES:
        assert sum(n for key, n in plan.items() if PAIRS[key].equal and PAIRS[key].a.d == d) >= 1000
    assert all(any(key.startswith(word) for key in PAIRS) for word in NEVER_AGREE)


def test_a_page_of_what_was_run(tmp_path: Path) -> None:
    study = AgreeStudy(tmp_path / "agree", 1)
    cases = ["equal normal alike d=1", "mode of 5 % missing d=1", "sign of correlation d=2"]
    rows = {case: [study.repeat(case, number) for number in range(2)] for case in cases}
    assert study.repeat(cases[0], 0) == rows[cases[0]][0]  # the same seed
    assert {r["verdict"] for case in cases[1:] for r in rows[case]} == {"disagree"}
    page = study.page(rows)
    assert "0 of 4 did" in page
    assert "| 1 | 2 |" in page

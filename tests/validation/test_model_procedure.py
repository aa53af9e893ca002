"""Samplers of any model: correct ones pass, wrong ones fail and are described in the user's words.

Every validation of a correct kernel here fails with probability below 2e-5.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import gmmcompare as gc
from gmmcompare.cli import app
from gmmcompare.report.validation.page import write_validation
from gmmcompare.runtime.errors import InputError
from gmmcompare.testing import assert_valid_kernel
from gmmcompare.validation import Validation, grade
from gmmcompare.validation.run import validate
from tests.validation import models

HERE = Path(models.__file__)


def found(kernel: str, model: str = "model", **options: object) -> Validation:
    settings: dict[str, object] = {"quick": True, "jobs": 1, **options}
    return validate(f"{HERE}:{kernel}", model=f"{HERE}:{model}", **settings)  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_correct_kernel_passes_and_says_what_was_tested() -> None:
    passed = found("sweep")
    assert passed.verdict == "passed"
    assert [c.name for c in passed.checks] == ["contract", "invariance", "whole chains"]
    assert "beta (2) and s2 in models.py:model" in passed.tested[0]
    assert passed.error_rate == pytest.approx(1e-5)
    assert Validation.from_json(passed.to_json()).tested == passed.tested


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kernel", "says"),
    [
        ("squares_not_halved", "draws of s2 are too large"),
        ("prior_of_beta_dropped", "beta"),
        ("no_covariance", "beta"),
        ("prior_alone", "given the data|for what the data|the slope of the log density"),
    ],
)
def test_a_wrong_kernel_fails_and_what_moves_is_named(kernel: str, says: str) -> None:
    failed = found(kernel)
    assert failed.verdict == "failed"
    assert re.search(says, str(failed.diagnosis)), str(failed.diagnosis)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kernel", "says"),
    [
        ("wrong_name", "returned a dict without beta but with betas"),
        ("wrong_shape", "returned s2 of shape (1,)"),
        ("no_dict", "returned 2 values"),
        ("not_a_number", "returned NaN in s2"),
        ("in_place", "changes theta in place"),
        ("changes_data", "changes y in place"),
        ("no_data", "gives the same result whatever the data y"),
    ],
)
def test_a_broken_contract_is_told_in_one_line(kernel: str, says: str) -> None:
    failed = found(kernel)
    assert failed.verdict == "failed"
    (reason,) = failed.reasons
    assert says in reason
    assert "\n" not in reason


@pytest.mark.slow
def test_another_stream_is_noticed_and_fails_where_that_is_asked_for() -> None:
    assert any("another stream" in note for note in found("other_stream").notes)
    assert found("other_stream", strict=True).verdict == "failed"


@pytest.mark.slow
def test_a_step_of_one_parameter_is_invariant_but_no_sampler() -> None:
    half = found("half")
    assert half.verdict == "inconclusive"
    assert {c.name: c.verdict for c in half.checks}["invariance"] == "passed"
    assert any("s2, which no sweep moves" in what for what in half.not_tested)


@pytest.mark.slow
def test_chains_that_never_meet_are_no_pass() -> None:
    apart = found("stays_in_its_place", "TwoPlaces")
    assert apart.verdict == "inconclusive"
    assert "still never find it" in apart.reasons[0]
    assert found("changes_place", "TwoPlaces").verdict == "passed"


@pytest.mark.slow
def test_whole_samplers_are_ranked() -> None:
    assert found("runs").verdict == "passed"
    wrong = found("wrong_runs")
    assert wrong.verdict == "failed"
    assert any("s2" in f for f in wrong.diagnosis.findings)


@pytest.mark.slow
def test_a_model_without_densities_says_what_is_not_seen() -> None:
    bare = found("squares_not_halved", "NoDensities")
    assert bare.verdict == "failed"
    assert any("no log_likelihood and no log_prior" in what for what in bare.not_tested)


@pytest.mark.slow
def test_objects_and_functions_serve_as_well_as_names() -> None:
    assert gc.validate(models.sweep, model=models.model, quick=True, jobs=1).verdict == "passed"
    with pytest.raises(AssertionError, match="s2"):
        assert_valid_kernel(models.squares_not_halved, model=models.Regression)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("OtherPrior", "log_prior is not the log density of what draw_prior draws"),
        ("OtherData", r"log_prior \+ log_likelihood is not the log density of what"),
        ("nothing", "no model 'nothing'"),
        ("X", "is ndarray without parameters and draw_prior and draw_data"),
    ],
)
def test_a_wrong_model_is_not_blamed_on_the_sampler(model: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        found("sweep", model)


def test_a_card_and_a_model_exclude_one_another() -> None:
    with pytest.raises(InputError, match="a card or a model, not both"):
        gc.validate(models.sweep, model=models.model, card="galaxies-k4")


def test_other_arguments_are_explained() -> None:
    def step(state, rng):  # type: ignore[no-untyped-def]
        return state

    with pytest.raises(InputError, match=r"\(theta, y, rng\) for one sweep"):
        validate(step, model=models.model, quick=True, jobs=1)


@pytest.mark.slow
def test_the_command_line_and_the_page(tmp_path: Path) -> None:
    arguments = ["validate", f"{HERE}:squares_not_halved", "--model", f"{HERE}:model", "--quick"]
    result = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path)])
    assert result.exit_code == 1
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "Draws of s2 are too large" in page
    assert "drawn from the model" in page
    passed = found("runs")
    assert "beta" in write_validation(passed, tmp_path / "p.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_course_of_any_model_is_graded(tmp_path: Path) -> None:
    for name in ("sweep", "squares_not_halved"):
        text = f"from tests.validation.models import {name} as sweep\n"
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    table = grade(
        tmp_path, tmp_path / "grades.csv", quick=True, jobs=1, model=f"{HERE}:model"
    ).read_text(encoding="utf-8")
    assert "sweep,passed" in table
    assert "squares_not_halved,failed" in table


@pytest.mark.slow
def test_the_mixture_is_one_model_among_others() -> None:
    model = gc.MixtureModel(2, 8, gc.Priors(2.0, 0.5, 1.5, 3.0, 1.0))
    with pytest.raises(AssertionError, match=r"w|mu|sigma"):
        assert_valid_kernel(_from_prior, model=model)


def _from_prior(theta, y, rng):  # type: ignore[no-untyped-def]
    model = gc.MixtureModel(2, 8, gc.Priors(2.0, 0.5, 1.5, 3.0, 1.0))
    one = model.draw_prior(1, rng)
    return {name: values[0] + (0.0 if name == "w" else 1e-9 * y[0]) for name, values in one.items()}


@pytest.mark.slow
def test_discrete_parameters_stay_what_they_are() -> None:
    class Coin:
        parameters = {"heads": (), "p": ()}  # noqa: RUF012

        def draw_prior(self, n, rng):  # type: ignore[no-untyped-def]
            p = rng.beta(2.0, 2.0, n)
            return {"heads": rng.binomial(5, p), "p": p}

        def draw_data(self, theta, rng):  # type: ignore[no-untyped-def]
            return rng.normal(theta["heads"], 1.0)[:, None]

    def step(theta, y, rng):  # type: ignore[no-untyped-def]
        heads = np.arange(6)
        p = theta["p"]
        from scipy.special import comb

        log = np.log(comb(5, heads)) + heads * np.log(p) + (5 - heads) * np.log1p(-p)
        log = log - 0.5 * (y[0] - heads) ** 2
        chosen = rng.choice(6, p=np.exp(log - np.logaddexp.reduce(log)))
        return {"heads": chosen, "p": rng.beta(2.0 + chosen, 7.0 - chosen)}

    assert validate(step, model=Coin(), quick=True, jobs=1).verdict == "passed"
